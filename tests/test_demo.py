"""The one command says in one sentence why it cannot start."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from advocacy import embedded

ROOT = Path(__file__).parents[1]


def start(home, port, **env):
    names = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "TOKEN_KEYS", "DJANGO_SETTINGS_MODULE"}
    clean = {k: v for k, v in os.environ.items() if k not in names}
    return subprocess.Popen(
        [sys.executable, "-m", "advocacy.demo"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**clean, "PORT": str(port), "BOTSCHAFT_HOME": str(home), "VAR_DIR": str(home / "var"), **env},
    )  # fmt: skip


@pytest.fixture
def home():
    """Outside of pytest's own directory: whoever starts pytest beside us closes that to others."""
    with tempfile.TemporaryDirectory(prefix="botschaft-demo-") as path:
        os.chmod(path, 0o711)  # noqa: S103, PTH101 - as root, PostgreSQL runs as somebody else
        yield Path(path)


def test_taken_port_gets_one_sentence(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(home, port)
        assert (
            process.communicate(timeout=20)[0]
            == f"Port {port} is taken; choose another: make demo PORT={port + 1}\n"
        )
    assert process.returncode == 1


def alive(home):
    out = subprocess.run(
        ["pgrep", "-f", str(home)], capture_output=True, text=True, check=False
    ).stdout
    return [pid for pid in out.split() if pid != str(os.getpid())]


def test_demo_starts_heals_refuses_a_second_and_leaves_nothing(home):
    port = embedded.free_port()
    process = start(home, port)
    lines = []
    while not lines or not lines[-1].startswith("End it"):
        lines.append(process.stdout.readline())
        assert lines[-1], lines
    assert len([line for line in lines if "/demo/" in line]) == 5
    second = start(home, port)
    assert (
        second.communicate(timeout=20)[0]
        == f"Botschaft runs already at http://localhost:{port}; end it there with Ctrl-C.\n"
    )
    visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    page = visitor.open(f"http://localhost:{port}/demo/employee/").read().decode()
    assert "Moin, Jona." in page
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid), "-f", "gunicorn"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    os.kill(int(children[0]), signal.SIGKILL)
    assert process.stdout.readline().startswith("The web process ended (-9)")
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert alive(home) == []
