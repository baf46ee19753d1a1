"""``python -m bench.rolling``: everything is replaced, one process after the other, under load.

Two webs behind nginx, two workers, beat. People open pages and post forms without a pause, posts are
due all the time; meanwhile each web and each worker is ended kindly and started again, several times.
Not one request may fail, and no post may end unknown. With ``--root`` the processes are those
of an unpacked image, as its user, on its file system without a right to write.
"""

import argparse
import contextlib
import datetime as dt
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from advocacy import demo, embedded

from .result import Result
from .stage import Stage, stage, wait_until

CLIENTS, ROUNDS, _PAUSE = 6, 3, 0.2
POSTS = 3000
_USER, _TMP = "10001", "/tmp"  # noqa: S108 - of the image, a file system of its own
# What an administrator's proxy does when a web is replaced: no new request goes to it, what it
# has is finished. docs/operations.md says it in words.
_NGINX = """
daemon off; pid {home}/nginx.pid; error_log {home}/nginx.log warn; worker_processes 1;
events {{ worker_connections 512; }}
http {{ access_log off; client_body_temp_path {home}/nginx-body; proxy_temp_path {home}/nginx-proxy;
 upstream webs {{ {servers} }}
 server {{ listen 127.0.0.1:{port};
  location / {{ proxy_pass http://webs; proxy_http_version 1.1; proxy_set_header Connection "";
   proxy_set_header Host $http_host; proxy_connect_timeout 5s; }} }} }}
"""


class Proxy:
    """nginx before the webs."""

    def __init__(self, home: Path, port: int, webs: list[int]) -> None:
        self.home, self.port, self.webs = home, port, webs

    def __enter__(self) -> Self:
        self._write()
        self.process = subprocess.Popen(["nginx", "-c", str(self.home / "nginx.conf")])
        wait_until("nginx listens", self._listens, 20)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2):
            return True
        return False

    def _write(self, down: int | None = None) -> None:
        servers = " ".join(
            f"server 127.0.0.1:{web}{' down' if web == down else ''};" for web in self.webs
        )
        text = _NGINX.format(home=self.home, servers=servers, port=self.port)
        (self.home / "nginx.conf").write_text(text)

    @contextlib.contextmanager
    def without(self, web: int) -> Iterator[None]:
        """Send nothing to a web meanwhile."""
        self._write(down=web)
        self.process.send_signal(signal.SIGHUP)
        time.sleep(1.0)  # until the old nginx processes have handed over
        yield
        self._write()
        self.process.send_signal(signal.SIGHUP)


class Crowd:
    """People who open Today and their posts, and save a note; no request may fail."""

    def __init__(self, port: int, cookies: list[str], origin: str) -> None:
        self.port, self.cookies, self.origin = port, cookies, origin
        self.over, self.seen = threading.Event(), Counter[str]()
        self.trouble: list[str] = []

    def __enter__(self) -> Self:
        self.threads = [threading.Thread(target=self._visit, args=[n]) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _visit(self, number: int) -> None:
        """Each request on a connection of its own: a proxy before us may keep none."""
        turn = number
        while not self.over.is_set():
            path = ("/", "/posts/", "/suggestions/", "/healthz")[turn % 4]
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                headers = {"Cookie": self.cookies[turn % len(self.cookies)], "Host": self.origin}
                link.request("GET", path, headers=headers)
                answer = link.getresponse()
                answer.read()
                self.seen[path] += 1
                if answer.status != http.client.OK:
                    self.trouble.append(f"{path}: {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self.trouble.append(f"{path}: {error!r}")
            finally:
                link.close()
            turn += 1
            time.sleep(_PAUSE)  # a morning, not a siege: its successor needs the processor, too


class Fleet:
    """The processes, by name, each started and ended by itself."""

    def __init__(self, made: Stage, root: str) -> None:
        self.made, self.root = made, root
        self.ports = {"web1": embedded.free_port(), "web2": embedded.free_port()}
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start one; a web is there when it answers."""
        port = self.ports.get(name, 0)
        command = demo.commands(port)[name.rstrip("12")]
        env = self.made.env | {
            "WORKER_ALIVE": f"{_TMP}/{name}",
            "BEAT_SCHEDULE": f"{_TMP}/{name}.beat",
        }
        if self.root:
            # the image's own Python and programs instead of ours
            command = [
                shutil.which("chroot") or "chroot",
                "--userspec",
                _USER,
                self.root,
                *_inside(command),
            ]
            env = {k: v for k, v in env.items() if k != "VIRTUAL_ENV"} | {
                "VAR_DIR": "/app/var", "STATIC_ROOT": "/app/assets", "HOME": _TMP,
                "PATH": "/venv/bin:/usr/bin:/bin", "SPOOL_DIR": "",
            }  # fmt: skip
        with (self.made.home / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                command, env=env, stdout=log, stderr=log, start_new_session=True,
                cwd=None if self.root else Path(__file__).parents[1],
            )  # fmt: skip
        if port:
            wait_until(f"{name} answers", lambda: _answers(port), 180)

    def end(self, name: str) -> float:
        """End one kindly; returns the seconds it took."""
        began = time.monotonic()
        child = self.children.pop(name)
        child.terminate()
        child.wait(90)
        return time.monotonic() - began


def _answers(port: int) -> bool:
    try:
        demo.await_web(port)
    except embedded.CannotStart:
        return False
    return True


def _inside(command: list[str]) -> list[str]:
    """The same command in the image: its Python, in the directory of the code."""
    own = ["/venv/bin/python" if word == sys.executable else word for word in command]
    return ["/bin/sh", "-c", 'cd /app && exec "$@"', "sh", *own]


def _replace(fleet: Fleet, proxy: Proxy, name: str) -> float:
    """One process makes room for its successor."""
    if name in fleet.ports:
        with proxy.without(fleet.ports[name]):
            took = fleet.end(name)
            fleet.start(name)
        return took
    took = fleet.end(name)
    fleet.start(name)
    return took


def measure(made: Stage, root: str) -> list[Result]:
    """Fill, start, replace everything some times, count what went wrong."""
    from campaigns.models import Delivery  # noqa: PLC0415 - it needs the stage's Django

    from . import load  # noqa: PLC0415
    from .desk import login  # noqa: PLC0415

    people, topics = load.people(40), load.suggestions(40)
    [host] = made.hosts
    accounts = load.accounts(people, host)
    now = dt.datetime.now(dt.UTC)
    due = [now + dt.timedelta(seconds=20 + n * 150 / POSTS) for n in range(POSTS)]
    load.posts(accounts, topics, count=POSTS, due_at=due)
    cookies, fleet = [login(who) for who in people], Fleet(made, root)
    origin = made.env["SITE_URL"].partition("//")[2]
    names = ["web1", "web2", "worker1", "worker2", "beat"]
    for name in names:
        fleet.start(name)
    front = embedded.free_port()
    ended: dict[str, list[float]] = {name: [] for name in names}
    try:
        with (
            Proxy(made.home, front, list(fleet.ports.values())) as proxy,
            Crowd(front, cookies, origin) as crowd,
        ):
            time.sleep(10)
            for _ in range(ROUNDS):
                for name in names:
                    ended[name].append(_replace(fleet, proxy, name))
                    time.sleep(4)
            left = Delivery.objects.filter(state__in=["queued", "sending"])
            wait_until("all sent", lambda: not left.exists(), 240)
    finally:
        for name in list(fleet.children):
            fleet.end(name)
    states = Counter(Delivery.objects.values_list("state", flat=True))
    created = len(host.read("created"))
    return [
        Result(
            f"rolling restart of {len(names)} processes, {ROUNDS} times, requests",
            f"{sum(crowd.seen.values())}, {len(crowd.trouble)} failed {crowd.trouble[:3] or ''}",
            "0 failed",
            kept=not crowd.trouble,
        ),
        Result(
            f"posts meanwhile, of {POSTS}",
            f"{states['sent']} sent, {states['unknown']} unknown, {created} at the network",
            "all, 0, as many",
            f"a worker ended in {max(ended['worker1'] + ended['worker2']):.1f} s at the most",
            kept=states == {"sent": POSTS} and created == POSTS,
        ),
    ]


@contextlib.contextmanager
def unpacked(root: str, var: Path) -> Iterator[str]:
    """The image's file system, read-only but for /tmp and the volume; needs to be root."""
    if not root:
        yield ""
        return
    place = Path("/run/botschaft-image")
    place.mkdir(exist_ok=True)
    var.mkdir(exist_ok=True, parents=True)
    shutil.chown(var, int(_USER))
    mounts = [
        ["--bind", root, str(place)],
        ["-t", "tmpfs", "tmpfs", f"{place}{_TMP}"],
        ["-t", "proc", "proc", f"{place}/proc"],
        ["--bind", "/dev", f"{place}/dev"],
        ["-t", "tmpfs", "-o", "mode=1777", "tmpfs", f"{place}/dev/shm"],  # noqa: S108 - as an engine gives one
        ["--bind", str(var), f"{place}/app/var"],
        ["-o", "remount,ro,bind", str(place)],
    ]
    try:
        for words in mounts:
            subprocess.run(["mount", *words], check=True)
        yield str(place)
    finally:
        subprocess.run(["umount", "--recursive", str(place)], check=False)


def main() -> int:
    """1 when something failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.rolling", description=__doc__)
    parser.add_argument("--root", default="", help="directory of an unpacked image")
    asked = parser.parse_args()
    if not shutil.which("nginx"):
        print("Install nginx; it stands before the webs.")
        return 1
    with stage("mastodon") as made, unpacked(asked.root, made.home / "image-var") as root:
        results = measure(made, root)
    print("\n".join(result.line() for result in results))
    return int(any(result.kept is False for result in results))


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
