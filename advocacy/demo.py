"""``python -m advocacy.demo``: everything on one machine, supervised, ended by Ctrl-C."""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from advocacy import embedded

ROOT = Path(__file__).resolve().parent.parent
ROLES = ("employee", "curator", "hr", "auditor", "administrator")


class Ended(Exception):
    """The person wants it to end."""


def say(sentence: str) -> None:
    """Tell the person one thing."""
    print(sentence, flush=True)  # noqa: T201 - this is the command's voice


@contextlib.contextmanager
def alone(home: Path, address: str) -> Iterator[None]:
    """Hold the lock of this checkout. Raises CannotStart when a first one runs."""
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    with (home / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            message = f"Botschaft runs already at {lock.read().strip()}; end it there with Ctrl-C."
            raise embedded.CannotStart(message) from error
        lock.seek(0)
        lock.truncate()
        lock.write(address)
        lock.flush()
        yield


def check_port(port: int) -> None:
    """Raise CannotStart when something else listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            message = f"Port {port} is taken; choose another: make demo PORT={port + 1}"
            raise embedded.CannotStart(message) from error


def kept_secret(path: Path) -> str:
    """A random secret of this directory, made on first use, readable by us alone."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(urlsafe_b64encode(secrets.token_bytes(32)).decode())
    return path.read_text()


def settings_for(home: Path, port: int, services: tuple[str, str]) -> dict[str, str]:
    """The environment of all children."""
    address = f"http://localhost:{port}"
    return {
        **os.environ,
        "DATABASE_URL": services[0],
        "REDIS_URL": services[1],
        "SECRET_KEY": kept_secret(home / "secret_key"),
        "TOKEN_KEYS": kept_secret(home / "token_key"),
        "SITE_URL": address,
        "PRACTICE_WALL_URL": address,
        "LOOPBACK_HOSTS": ",".join(
            filter(None, [f"localhost:{port}", os.environ.get("LOOPBACK_HOSTS", "")])
        ),
        "DEMO": "1",
        "VAR_DIR": os.environ.get("VAR_DIR", str(ROOT / "var")),
        "BEAT_SCHEDULE": str(home / "beat"),
        "PYTHONUNBUFFERED": "1",
    }


def manage(env: dict[str, str], *words: str) -> None:
    """Run one management command. Raises CannotStart with its last line."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=env, capture_output=True, check=False
    )
    if done.returncode:
        output = (done.stderr or done.stdout).decode(errors="replace")
        if "No space left" in output or "DiskFull" in output:
            message = "The disk is full; free some space and start again."
            raise embedded.CannotStart(message)
        lines = [line for line in output.splitlines() if line.strip()] or ["no reason given"]
        message = f"manage.py {words[0]} failed: {lines[-1]}"
        raise embedded.CannotStart(message)


def commands(port: int) -> dict[str, list[str]]:
    """The supervised children."""
    celery = [sys.executable, "-m", "celery", "-A", "advocacy.celery"]
    return {
        "web": [
            sys.executable, "-m", "gunicorn", "advocacy.wsgi", "--bind", f"127.0.0.1:{port}",
            "--worker-class", "gthread", "--workers", "2", "--threads", "8",
            "--log-level", "warning", "--no-control-socket", "--config", "python:advocacy.weblog",
        ],
        # People come before posts: pages and holds keep their speed while a queue drains.
        "worker": [
            "nice", "-n", "5", *celery, "worker", "--loglevel", "WARNING", "--concurrency", "2",
        ],
        "beat": [*celery, "beat", "--loglevel", "WARNING"],
    }  # fmt: skip


class Family:
    """The children: started, watched, started again when they die, ended together."""

    def __init__(self, env: dict[str, str], port: int, home: Path) -> None:
        self.env, self.home = env, home
        self.commands = commands(port)
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start one child in a process group of its own."""
        with (self.home / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                self.commands[name],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=embedded.die_with_parent,  # noqa: PLW1509 - no threads here
            )

    def watch(self) -> None:
        """Start again what died, with a sentence."""
        for name, child in list(self.children.items()):
            if child.poll() is not None:
                say(f"The {name} process ended ({child.returncode}); started it again.")
                self.start(name)

    def end(self) -> None:
        """End all groups, first kindly."""
        for child in self.children.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
        end = time.monotonic() + 8
        for child in self.children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(end - time.monotonic(), 0.1))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def await_web(port: int) -> None:
    """Wait until the web server answers. Raises CannotStart."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2),
        ):
            return
        time.sleep(0.1)
    message = "The web server did not answer within 40 s."
    raise embedded.CannotStart(message)


def run(home: Path, port: int, services: tuple[str, str], began: float) -> None:
    """Prepare the database, start the family, and stay until the end."""
    env = settings_for(home, port, services)
    manage(env, "prepare_demo")
    family = Family(env, port, home)
    try:
        for name in family.commands:
            family.start(name)
        await_web(port)
        say(f"Botschaft is ready after {time.monotonic() - began:.0f} s: http://localhost:{port}")
        for role in ROLES:
            say(f"  {role:<14} http://localhost:{port}/demo/{role}/")
        say("End it with Ctrl-C.")
        while True:
            time.sleep(1)
            family.watch()
    finally:
        family.end()


def _end(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise Ended


def main() -> int:
    """Start; 0 when ended by the person, 1 with one sentence when it cannot start."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    began = time.monotonic()
    port = int(os.environ.get("PORT") or "8000")
    home = Path(os.environ.get("BOTSCHAFT_HOME") or embedded.home_for(ROOT))
    try:
        with alone(home, f"http://localhost:{port}"):
            check_port(port)
            if os.environ.get("RESET"):
                for name in ("pgdata", "secret_key", "token_key"):
                    path = home / name
                    shutil.rmtree(path, ignore_errors=True)
                    path.unlink(missing_ok=True) if path.is_file() else None
            own = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
            if own[0] and own[1]:
                run(home, port, (own[0], own[1]), began)
            else:
                with embedded.services(home) as found:
                    run(home, port, (found.database_url, found.redis_url), began)
    except Ended:
        say("Ended.")
        return 0
    except embedded.CannotStart as error:
        say(str(error))
        return 1
    except OSError as error:
        full = error.errno == 28
        say("The disk is full; free some space and start again." if full else str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
