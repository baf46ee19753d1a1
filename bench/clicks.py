"""Short links beside a view that does one indexed SELECT, in turns; then with kills (P3)."""

import contextlib
import os
import random
import re
import secrets
import signal
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Self

from django.db import connection
from django.utils import timezone

from advocacy import demo, embedded
from campaigns import clicks
from campaigns.models import ClickDay, ShortLink

from .result import Result
from .stage import ROOT, Stage

LINKS = 20_000
CONNECTIONS = 8
ROUNDS, SECONDS = 6, 4.0
STORM_SECONDS, KILLS = 24.0, 12
_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/{}.0.0.0 Safari/537.36"
)


class Clickers:
    """Visitors, each new, on some connections to a port, until told to end."""

    def __init__(self, port: int, codes: list[str], *, status: int) -> None:
        self.port, self.codes, self.status = port, codes, status
        self.over = threading.Event()
        self.answered, self.sent = [0] * CONNECTIONS, [0] * CONNECTIONS
        self.others: list[bytes] = []

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        self.threads = [
            threading.Thread(target=self._click, args=[n], daemon=True) for n in range(CONNECTIONS)
        ]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.seconds = time.monotonic() - self.began

    def _click(self, number: int) -> None:
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                link = socket.create_connection(("127.0.0.1", self.port), 10)
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with link:
                    self._stay(link, number)
                time.sleep(0.01)

    def _stay(self, link: socket.socket, number: int) -> None:
        """Click on one connection until it breaks; the server closes it now and then."""
        dice = random.Random()  # noqa: S311 - a visitor nobody was before
        wanted = f"HTTP/1.1 {self.status} ".encode()
        while not self.over.is_set():
            address = ".".join(str(dice.randrange(60, 99)) for _ in range(4))
            head = (
                f"GET /r/{dice.choice(self.codes)} HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
                f"User-Agent: {_AGENT.format(dice.randrange(10**9))}\r\nX-Forwarded-For: {address}\r\n"
                "Accept: text/html\r\nAccept-Language: de\r\nConnection: keep-alive\r\n\r\n"
            )
            self.sent[number] += 1
            link.sendall(head.encode())
            answer = _whole(link)
            if not answer:  # closed between two clicks: this one was not taken
                return
            if answer.startswith(wanted):
                self.answered[number] += 1
            else:
                self.others.append(answer[:80])
            if b"onnection: close" in answer:
                return


def _whole(link: socket.socket) -> bytes:
    """One answer with its body, empty when the line ends before."""
    found = b""
    while True:
        head, end, body = found.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if end and len(body) >= int(length[1] if length else 0):
            return found
        part = link.recv(65536)
        if not part:
            return b""
        found += part


def per_second(port: int, codes: list[str], status: int) -> tuple[float, int]:
    """Answers per second over a while, and their number."""
    with Clickers(port, codes, status=status) as run:
        time.sleep(SECONDS)
    assert not run.others, (len(run.others), run.others[0])
    return sum(run.answered) / run.seconds, sum(run.answered)


@contextlib.contextmanager
def bare(made: Stage, settings: str) -> Iterator[int]:
    """The same web server with one view, by a module of settings; yields its port."""
    port = embedded.free_port()
    with (made.home / f"{settings}.log").open("wb") as log:
        process = subprocess.Popen(
            demo.commands(port)["web"], cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            env=made.env | {"DJANGO_SETTINGS_MODULE": settings},
        )  # fmt: skip
    try:
        demo.await_web(port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _written() -> int:
    """Rows that anything has written to this database so far."""
    time.sleep(1.5)  # until every process has told its figures
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables")
        found: int = cursor.fetchone()[0]
    return found


def _total() -> int:
    return sum(ClickDay.objects.values_list("count", flat=True))


def measure(made: Stage) -> list[Result]:
    """P3: speed in pairs, writes while clicking, and what kills cost."""
    codes = [secrets.token_hex(4) for _ in range(LINKS)]
    ShortLink.objects.bulk_create(
        [
            ShortLink(code=code, target="https://nordwind.example/job", tags="a=b")
            for code in set(codes)
        ],
        batch_size=2000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    made.start("web")
    ours, theirs, answered = [], [], 0
    with bare(made, "bench.one_select") as port:
        per_second(port, codes, 200)  # both warm
        answered += per_second(made.port, codes, 302)[1]
        before = _written()
        for _ in range(ROUNDS):
            theirs.append(per_second(port, codes, 200)[0])
            speed, count = per_second(made.port, codes, 302)
            ours.append(speed)
            answered += count
        rows = _written() - before
    clicks.drain(now=timezone.now())
    counted = _total()
    ratio = statistics.median(own / other for own, other in zip(ours, theirs, strict=True))
    return [
        Result(
            "short link, each click counted",
            f"{statistics.median(ours):.0f}/s",
            "≥ 60 % of one SELECT",
            f"{statistics.median(theirs):.0f}/s without middleware, ratio {ratio:.2f}",
            kept=ratio >= 0.6,
        ),
        Result(
            f"writes to PostgreSQL while {answered:,} clicks are answered",
            f"{rows}; written down later: {counted:,}",
            "0; all",
            kept=rows == 0 and counted >= answered,
        ),
        _storm(made, codes),
    ]


def _kill(made: Stage, name: str) -> None:
    """SIGKILL a process of the product with its children, and start it again."""
    child = made.family.children[name]
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    made.family.start(name)


def _storm(made: Stage, codes: list[str]) -> Result:
    """Kill web and worker in turns while people click."""
    before = _total()
    made.start("worker")
    with Clickers(made.port, codes, status=302) as run:
        for number in range(KILLS):
            time.sleep(STORM_SECONDS / KILLS)
            _kill(made, ("web", "worker")[number % 2])
        time.sleep(2)
    made.stop()
    clicks.drain(now=timezone.now())
    clicks.drain(now=timezone.now())
    counted, answered, sent = _total() - before, sum(run.answered), sum(run.sent)
    lost = max(answered - counted, 0)
    return Result(
        f"{KILLS} × kill -9 of web and worker under {answered / run.seconds:.0f} clicks a second",
        f"{answered:,} answered, {counted:,} written: {lost} lost, "
        f"{max(counted - sent, 0)} too many",
        "≤ 1 s of clicks lost, none twice",
        f"{sent - answered} clicks had no answer",
        kept=lost <= answered / run.seconds and counted <= sent,
    )
