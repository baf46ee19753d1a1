"""The load goals that need a story: stops, an outage, a flood, a frozen broker, a restore."""

import contextlib
import datetime as dt
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from ambassadors.models import Person
from campaigns import tasks
from campaigns.models import Attempt, Delivery, Suggestion

from . import load
from .door import Door, Visitors, quantile
from .drain import drained, make_due
from .result import Result
from .stage import Stage, database_ahead, wait_until
from .stops import PERSONAL, Stop, Stopping

OUTAGE = 3600.0  # seconds of life; TIME_SCALE makes them shorter
PROBE = 60.0  # likewise


# G4 ------------------------------------------------------------------------------------------


class Feeder(threading.Thread):
    """Keeps some hundred posts due, whatever the workers' speed."""

    def __init__(self, rows: list[Delivery], *, at_least: int = 300) -> None:
        super().__init__(daemon=True)
        self.rows, self.at_least, self.fed = rows, at_least, 0
        self.over = threading.Event()

    def run(self) -> None:
        """Make the next ones due when few are left."""
        due = Delivery.objects.filter(state="queued", blocked="", due_at__lte=timezone.now())
        while not self.over.wait(0.5) and self.fed < len(self.rows):
            if due.filter(due_at__lte=timezone.now()).count() < self.at_least:
                make_due(self.rows[self.fed : self.fed + self.at_least])
                self.fed += self.at_least
        connection.close()


class Stopped(NamedTuple):
    """What was stopped, and which doors refused."""

    stops: list[Stop]
    refusals: list[str]


def workers_children(made: Stage) -> list[int]:
    """Pids of the processes that send."""
    found = []
    for name, process in made.family.children.items():
        if name.startswith("worker"):
            path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            found += [int(pid) for pid in path.read_text().split()]
    return found


def freeze_now_and_then(made: Stage, over: threading.Event) -> None:
    """Stop a sending process for longer than the gate, again and again."""
    while not over.wait(3):
        pid = random.choice(workers_children(made))  # noqa: S311 - any
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(2.4)
            os.kill(pid, signal.SIGCONT)


def stopped(made: Stage, chief: Person, topics: list[Suggestion], *, count: int) -> Stopped:
    """Hold topics and stop people at the same time until ``count`` stops are done."""
    both = [
        Stopping(made.port, chief, topics, count=count // 2, pause=0.05),
        Stopping(made.port, chief, topics, kinds=list(PERSONAL), count=count - count // 2),
    ]
    for one in both:
        one.start()
    for one in both:
        one.join(2 * count + 20)
    refusals = [text for one in both for text in one.refusals]
    return Stopped([stop for one in both for stop in one.end()], refusals)


def hold(made: Stage, *, size: int) -> list[Result]:
    """G4: holds, withdrawals, disconnections, leavings and edits in the middle of a drain.

    The last quarter while sending processes freeze now and then; they make waiting longer, so
    only the first three quarters are timed.
    """
    (host,) = made.hosts
    [chief] = load.people(1, "curator", "hr", "administrator")
    topics = load.suggestions(20)
    among = load.accounts(load.people(size * 6), host)
    feeder = Feeder(load.posts(among, topics, count=len(among) * 4))
    made.start()
    feeder.start()
    wait_until("posts leave", lambda: len(made.arrivals()) > 20, 60)
    timed = stopped(made, chief, topics, count=size * 3 // 4)
    frost = threading.Thread(target=freeze_now_and_then, args=(made, feeder.over), daemon=True)
    frost.start()
    frosty = stopped(made, chief, topics, count=size - size * 3 // 4)
    feeder.over.set()
    frost.join()
    time.sleep(3)  # what escaped would come now
    arrivals = made.arrivals()
    stops, refusals = timed.stops + frosty.stops, timed.refusals + frosty.refusals
    escaped = [late for stop in stops for late in stop.escaped(arrivals)]
    waits = [stop.seconds for stop in timed.stops]
    p50, p99 = quantile(waits, 0.5), quantile(waits, 0.99)
    kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(stop.kind for stop in stops).items())
    return [
        Result(
            f"G4 {len(stops)} stops under load, the last quarter with frozen senders ({kinds})",
            f"{len(escaped)} first bytes after the answer {escaped or ''}; p50 {p50 * 1000:.0f} ms,"
            f" p99 {p99:.2f} s, frozen p99 {quantile([s.seconds for s in frosty.stops], 0.99):.2f} s"
            f" ({len(arrivals)} posts sent; refused: {dict(Counter(refusals)) or 0})",
            "0, p50 < 100 ms, p99 < 3 s",
            kept=not escaped and p50 < 0.1 and p99 < 3 and len(stops) >= size and not refusals,
        )
    ]


# G6 ------------------------------------------------------------------------------------------


def _copy_database(made: Stage, name: str) -> str:
    """A file-level copy, with nobody connected; returns its URL."""
    connection.close()
    url = made.env["DATABASE_URL"]
    source = url.rpartition("/")[2]
    made.repoint(url.replace(f"/{source}", "/template1"))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
    made.repoint(url)
    return url.replace(f"/{source}", f"/{name}")


def restore(made: Stage, *, size: int) -> list[Result]:
    """G6: yesterday's backup, then the same database under another address."""
    from campaigns import restores  # noqa: PLC0415 - not in every version
    from integrations import instance  # noqa: PLC0415

    [boss] = load.people(1, "administrator")
    topics = load.suggestions(2)
    groups = [load.accounts(load.people(size // 2), host) for host in made.hosts]
    first = [load.posts(among[:3], topics) for among in groups]
    rows = [load.posts(among, topics) for among in groups]
    made.start()
    for early in first:
        drained(made, early, seconds=60)
    made.stop()
    for some in rows:
        make_due(some)
    backup = _copy_database(made, "yesterday")
    made.start()
    left = Delivery.objects.exclude(state="sent")
    wait_until("all sent", lambda: not left.exists(), 90)
    made.stop()
    sent = len(made.arrivals())
    created = sum(len(host.read("created")) for host in made.hosts)

    made.repoint(backup)
    made.start()
    time.sleep(15)
    before_yes = len(made.arrivals()) - sent
    restores.confirm(by=boss, now=timezone.now())
    with contextlib.suppress(Exception):
        wait_until("all found", lambda: not left.exists(), 90)
    made.stop()
    found = Delivery.objects.filter(state="sent").count() - sum(map(len, first))
    doubles = sum(len(host.read("created")) for host in made.hosts) - created

    more = load.posts(groups[0], topics, count=20)
    made.env["SITE_URL"] = "http://localhost:1"
    known = len(made.arrivals())
    made.start("worker", "beat")
    make_due(more)
    time.sleep(12)
    made.stop()
    elsewhere = len(made.arrivals()) - known
    noticed = instance.the().stopped_why
    return [
        Result(
            "G6 backup, send, restore, start",
            f"{before_yes} requests before the yes; {found}/{size // 2 * 2} posts known again,"
            f" {doubles} doubles",
            "0; all; 0",
            kept=not before_yes and found == size // 2 * 2 and not doubles,
        ),
        Result(
            "G6 the same database under another address",
            f"{elsewhere} requests with {len(more)} posts due; stopped: {noticed or 'no'}",
            "0",
            kept=not elsewhere and bool(noticed),
        ),
    ]


# G7 ------------------------------------------------------------------------------------------


def outage(made: Stage, *, size: int) -> list[Result]:
    """G7: one host refuses for an hour; another one works on."""
    scale = float(made.env["TIME_SCALE"])
    seconds, probe = OUTAGE * scale, PROBE * scale
    gone, well = made.hosts
    gone.tell("allow 5 5")
    topics = load.suggestions(5)
    begin = timezone.now() + dt.timedelta(seconds=8)
    due = [begin + dt.timedelta(seconds=seconds * n / size) for n in range(size)]
    short = [n % 4 == 0 for n in range(size)]
    lasts = [dt.timedelta(seconds=seconds / 4) if brief else load.FAR for brief in short]
    waiting = load.accounts(load.people(max(size // 10, 1)), gone)
    rows = load.posts(waiting, topics, count=size, due_at=due, lasts=lasts)
    others = load.posts(load.accounts(load.people(size), well), topics, due_at=due)
    made.start()
    gone.tell("down")
    time.sleep(max((begin - timezone.now()).total_seconds(), 0) + seconds)
    up = timezone.now()
    gone.tell("up")
    opened = up - dt.timedelta(seconds=seconds * 0.9)  # five failures are past by then
    probes = Attempt.objects.filter(
        delivery__account__in=waiting, began_at__gt=opened, began_at__lt=up
    ).count()
    allowed = seconds * 0.9 / probe + 1
    mine = Delivery.objects.filter(pk__in=[row.pk for row in rows])
    left = mine.filter(state__in=["queued", "sending"])
    took = wait_until("backlog drained", lambda: not left.exists(), 120)
    ahead = database_ahead()
    ends = {str(row.key): row.not_after.timestamp() for row in rows}
    late = sum(row["at"] + ahead >= ends[row["key"]] for row in gone.read())
    over = len(gone.read("over"))
    moments = {str(row.key): row.due_at.timestamp() for row in others}
    waits = [row["at"] + ahead - moments[row["key"]] for row in well.read()]
    p95 = quantile(waits, 0.95)
    states = Counter(mine.values_list("state", flat=True))
    lost = sum(not brief for brief in short) - states["sent"]
    return [
        Result(
            f"G7 one host silent for an hour (in {seconds:.0f} s)",
            f"{probes} probes (≤ {allowed:.0f}), {late} late sends, {over} over the limit,"
            f" backlog {dict(states)} after {took:.0f} s, others p95 {p95:.1f} s"
            f" ({len(waits)} of {len(others)})",
            "1 probe a minute, 0, 0, others p95 < 60 s",
            kept=probes <= allowed and not late and not over and lost <= 0
            and p95 < 60 and len(waits) == len(others),
        )
    ]  # fmt: skip


# G10 -----------------------------------------------------------------------------------------


def fair(made: Stage, *, size: int) -> list[Result]:
    """G10: one account with a flood, others with a single post each."""
    (host,) = made.hosts
    topics = load.suggestions(5)
    [flooding] = load.accounts(load.people(1), host)
    singles = load.accounts(load.people(size // 10), host)
    flood = load.posts([flooding], topics, count=size)
    ones = load.posts(singles, topics)
    made.start()
    make_due(flood)
    wait_until("the flood flows", lambda: bool(made.arrivals()), 30)
    began = time.monotonic()
    make_due(ones)
    keys = {str(row.key) for row in ones}
    with contextlib.suppress(Exception):
        wait_until("the others' posts", lambda: len(_first(made, keys)) == len(ones), 120)
    waits = [at - began for at in _first(made, keys).values()]
    p99 = quantile(waits, 0.99)
    return [
        Result(
            f"G10 one account with {size} due, {len(ones)} others with one",
            f"others p99 {p99:.1f} s ({len(waits)} of {len(ones)})",
            "p99 ≤ 60 s",
            kept=p99 <= 60 and len(waits) == len(ones),
        )
    ]


def _first(made: Stage, keys: set[str]) -> dict[str, float]:
    """By key, when its first byte came."""
    return {row["key"]: row["at"] for row in reversed(made.arrivals()) if row["key"] in keys}


# G11 -----------------------------------------------------------------------------------------


def ready(port: int) -> bool:
    """What a supervisor is told."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=15):
            return True
    except OSError:
        return False


def standstill(made: Stage, *, size: int) -> list[Result]:
    """G11: the broker's connection freezes; nobody hangs up."""
    assert made.relay
    (host,) = made.hosts
    [reader] = load.people(1)
    begin = timezone.now() + dt.timedelta(seconds=5)
    due = [begin + dt.timedelta(seconds=0.5 * n) for n in range(size * 2)]
    rows = load.posts(load.accounts(load.people(len(due)), host), load.suggestions(3), due_at=due)
    made.start()
    keys = {str(row.key) for row in rows}
    wait_until("posts leave", lambda: len(_first(made, keys)) > 5, 60)
    made.relay.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    nudges, told = [], None
    with Visitors(Door(made.port, reader), per_second=2) as visitors:
        while time.monotonic() - frozen < size:
            began = time.monotonic()
            with contextlib.suppress(Exception):
                tasks.publish_due.apply_async(retry=False)
            nudges.append(time.monotonic() - began)
            if told is None and not ready(made.port):
                told = time.monotonic() - frozen
            time.sleep(1)
    ahead = database_ahead()
    first = _first(made, keys)
    now = time.monotonic() + ahead
    stood = 0.0
    for row in rows:
        if frozen + ahead < row.due_at.timestamp() < now - 20:
            stood = max(
                stood, (first.get(str(row.key)) or now - ahead) + ahead - row.due_at.timestamp()
            )
    detected = "no standstill to detect" if stood <= 60 else f"told after {told}"
    today = quantile(visitors.waits, 0.95)
    return [
        Result(
            f"G11 Redis frozen for {size} s",
            f"longest wait of a post {stood:.0f} s; {detected}; *Today* p95 {today * 1000:.0f} ms,"
            f" a share's wake-up takes ≤ {max(nudges):.1f} s",
            "told ≤ 60 s, healed ≤ 120 s",
            kept=stood <= 120 and (stood <= 60 or (told or 999) <= 60),
        )
    ]
