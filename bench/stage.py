"""The stage of a run: own PostgreSQL and Redis, the product's own processes, pretended networks.

Web, worker and beat are started as ``make demo`` starts them, so what is measured is what is
shipped. One process, one stage: Django is set up for its database.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dj_database_url
import django
from django.core.management import call_command
from django.db import connection, connections

from advocacy import demo, embedded

ROOT = Path(__file__).resolve().parent.parent


class Missed(Exception):
    """Something did not happen in time; the message says what."""


def wait_until(what: str, check: Callable[[], bool], seconds: float, pause: float = 0.25) -> float:
    """Wait for a condition; returns the seconds it took. Raises :class:`Missed`."""
    began = time.monotonic()
    while not check():
        if time.monotonic() - began > seconds:
            raise Missed(f"not within {seconds:.0f} s: {what}")
        time.sleep(pause)
    return time.monotonic() - began


class Host:
    """One pretended network in a process of its own, and what its ledger says."""

    def __init__(self, name: str, ledger: Path, latency: float) -> None:
        self.name = name
        self.rows: list[dict[str, Any]] = []
        ledger.write_bytes(b"")
        self._file = ledger.open("rb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.network", name, str(ledger), str(latency)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.port, self.environment = json.loads(self._line())
        self.base_url = f"http://127.0.0.1:{self.port}"

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def tell(self, order: str) -> Any:
        """One order of :mod:`bench.network`; returns its answer when it holds."""
        assert self.process.stdin
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return json.loads(self._line())

    def read(self, kind: str = "arrived") -> list[dict[str, Any]]:
        """All entries of a kind so far, in the ledger's order."""
        while line := self._file.readline():
            if not line.endswith(b"\n"):  # half written: next time
                self._file.seek(-len(line), os.SEEK_CUR)
                break
            self.rows.append(json.loads(line))
        return [row for row in self.rows if row["kind"] == kind]

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


class Stage:
    """What a scenario holds in its hands."""

    def __init__(
        self,
        home: Path,
        env: dict[str, str],
        port: int,
        hosts: list[Host],
        relay: "subprocess.Popen[str] | None",
    ) -> None:
        self.home, self.env, self.port, self.hosts, self.relay = home, env, port, hosts, relay
        self.family = demo.Family(env, port, home)

    def start(self, *names: str) -> None:
        """Start the product's processes (all of them without names) and wait for the web."""
        for name in names or tuple(self.family.commands):
            self.family.start(name)
        if "web" in self.family.children:
            demo.await_web(self.port)

    def stop(self) -> None:
        """End the product's processes kindly."""
        self.family.end()
        self.family.children.clear()

    def arrivals(self) -> list[dict[str, Any]]:
        """First bytes of posts at all networks, in order of time."""
        rows = [row for host in self.hosts for row in host.read()]
        return sorted(rows, key=lambda row: float(row["at"]))

    def resident(self) -> int:
        """Bytes of memory of the workers and their children."""
        groups = {c.pid for n, c in self.family.children.items() if n.startswith("worker")}
        return sum(sum(resident(group).values()) for group in groups)

    def processor(self) -> dict[str, float]:
        """Seconds of processor time so far of web, worker and PostgreSQL, each with its children."""
        file = self.home / "pgdata" / "postmaster.pid"
        parents = {"PostgreSQL": int(file.read_text().split()[0])}
        parents |= {name: child.pid for name, child in self.family.children.items()}
        return {name: _processor(pid) for name, pid in parents.items()}

    def spent(self, before: dict[str, float], count: int) -> dict[str, float]:
        """Milliseconds of processor time for each of ``count`` things since ``before``."""
        return {k: 1000 * (v - before[k]) / count for k, v in self.processor().items()}

    def repoint(self, database_url: str) -> None:
        """Use another database from now on, here and in processes started later."""
        self.env["DATABASE_URL"] = os.environ["DATABASE_URL"] = database_url
        connections.close_all()
        connection.settings_dict.update(dj_database_url.parse(database_url))


def resident(group: int) -> dict[int, int]:
    """Bytes of memory of each process of a group (Linux); what they share counts in each."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            words = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(words[2]) == group:
                found[int(entry.name)] = int(words[21]) * os.sysconf("SC_PAGE_SIZE")
    return found


def _processor(parent: int) -> float:
    """Seconds of processor time of a process, its children and those that ended (Linux)."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            words = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(entry.name) == parent:
                ticks += sum(int(word) for word in words[11:15])
            elif int(words[1]) == parent:
                ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def database_ahead() -> float:
    """Seconds to add to ``time.monotonic()`` for the database's clock as Unix time."""
    best, ahead = 1.0, 0.0
    with connection.cursor() as cursor:
        for _ in range(20):
            before = time.monotonic()
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            found = float(cursor.fetchone()[0])
            took = time.monotonic() - before
            if took < best:
                best, ahead = took, found - before - took / 2
    return ahead


@contextlib.contextmanager
def relay(url: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A proxy before a server; yields the address to use and the process to freeze."""
    parts = urllib.parse.urlsplit(url)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.proxy", str(parts.hostname), str(parts.port)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        port = int(process.stdout.readline())
        login = parts.netloc.rpartition("@")[0]
        yield parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl(), process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def home() -> Path:
    """The directory of all runs; its data is thrown away at each start."""
    product = embedded.home_for(ROOT)
    return product.with_name(f"{product.name}-bench")


def _environment(place: Path, found: embedded.Services, port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": found.database_url,
        "REDIS_URL": found.redis_url,
        "SECRET_KEY": secrets.token_hex(32),
        "MFA_REQUIRED_ROLES": "",  # the measured browsers have no second factor to show
        "TOKEN_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "SITE_URL": f"http://localhost:{port}",
        "VAR_DIR": str(place / "var"),
        "BEAT_SCHEDULE": str(place / "beat"),
        "DJANGO_SETTINGS_MODULE": "advocacy.settings",
        "LOOPBACK_HOSTS": "",
        "LOG_LEVEL": "WARNING",
        "X_MONTHLY_BUDGET": "1000000",
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # as in the image
    }


def _hosts(place: Path, names: tuple[str, ...], latency: float) -> Iterator[Host]:
    for number, name in enumerate(names):
        yield Host(name, place / f"ledger-{number}", latency)


@contextlib.contextmanager
def stage(
    *networks: str,
    latency: float = 0.05,
    freezable: bool = False,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Stage]:
    """Set everything up, empty, with one process for each name in ``networks``.

    ``freezable``: Redis is reached through ``Stage.relay``, a process to stop and continue.
    ``settings`` go into the environment of all processes. Django is set up in this process.
    """
    place = home()
    for name in ("pgdata", "var", "beat"):
        shutil.rmtree(place / name, ignore_errors=True)
    for log in place.glob("*.log"):
        log.unlink()
    with embedded.services(place) as found, contextlib.ExitStack() as stack:
        hosts = []
        for host in _hosts(place, networks, latency):
            stack.callback(host.end)
            hosts.append(host)
        port = embedded.free_port()
        env = _environment(place, found, port)
        for host in hosts:
            env |= host.environment | {"LOOPBACK_HOSTS": env["LOOPBACK_HOSTS"]}
            env["LOOPBACK_HOSTS"] += f",127.0.0.1:{host.port}"
        env |= dict(settings)
        process = None
        if freezable:
            env["REDIS_URL"], process = stack.enter_context(relay(found.redis_url))
        os.environ.update(env)
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        made = Stage(place, {**os.environ, **env}, port, hosts, process)
        try:
            yield made
        finally:
            made.stop()
            connections.close_all()
