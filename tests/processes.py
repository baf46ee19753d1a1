"""The product's own processes on the test's database."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from advocacy import demo, embedded

ROOT = Path(__file__).parents[1]


def database_url():
    """The address of this test's database, for another process."""
    database = settings.DATABASES["default"]
    return "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


@contextmanager
def web(var, **env):
    """The real web server; its port and its log."""
    port, log = embedded.free_port(), var / "web.log"
    env = {"DATABASE_URL": database_url(), "VAR_DIR": str(var), "DEBUG": "1"} | env
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*demo.commands(port)["web"], "--access-logfile", "-"],
            cwd=ROOT, stdout=file, stderr=file, env=os.environ | env,
        )  # fmt: skip
    try:
        demo.await_web(port)
        yield port, log
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def worker(var, beat, log, **env):
    """A real Celery worker with one child and beat; what it says goes to ``log``."""
    prefix = f"{settings.DATABASES['default']['NAME']}:"
    env = {"DATABASE_URL": database_url(), "CELERY_PREFIX": prefix, "VAR_DIR": str(var)} | env
    with log.open("wb") as file:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "celery", "-A", "advocacy.celery", "worker",
                "--beat", "--schedule", str(beat), "--concurrency", "1", "--loglevel", "WARNING",
            ],
            cwd=ROOT, env=os.environ | env, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
