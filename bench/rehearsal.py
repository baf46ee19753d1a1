"""A restore rehearsed on a million rows: the backup, an empty database, and what stands in it (G31)."""

import os
import subprocess
import sys
import time
from pathlib import Path

from django.db import connection
from django.utils import timezone

from ambassadors import audit, chain

from . import analytics, load
from .result import Result
from .stage import ROOT, Stage

_MINUTES = 60


def _command(made: Stage, *words: str, **env: str) -> tuple[float, str]:
    """Run a command of the product; its seconds and what it said. It must end well."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT, env=os.environ | made.env | env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return time.monotonic() - began, done.stdout + done.stderr


def measure(made: Stage, *, size: int) -> list[Result]:
    """Fill, save, restore into a second database of the same server, look at the record."""
    people = load.people(500)
    analytics.fill(people, load.suggestions(200), size)
    now = timezone.now()
    for number in range(20_000):
        audit.record("bench.entry", people[number % 500], by=None, now=now, number=number)
    while chain.seal():
        pass
    saved = made.home / "saved.tar"
    took, said = _command(made, "botschaft", "backup", str(saved))
    rows = int(said.split()[0])
    with connection.cursor() as cursor:
        cursor.execute('DROP DATABASE IF EXISTS "second"')
        cursor.execute('CREATE DATABASE "second" TEMPLATE template0')
    second = made.env["DATABASE_URL"].rpartition("/")[0] + "/second"
    there = {"DATABASE_URL": second, "VAR_DIR": str(made.home / "second-var")}
    back, _said = _command(made, "botschaft", "restore", str(saved), **there)
    looked, words = _command(made, "verify_audit", "--head", chain.head(), **there)
    megabytes = Path(saved).stat().st_size / 2**20
    return [
        Result(f"G31 backup of {rows:,} rows", f"{took:.0f} s, {megabytes:.0f} MB", kept=None),
        Result(
            "G31 restore into an empty database, rows counted, record looked at",
            f"{back:.0f} s",
            f"≤ {_MINUTES} min",
            f"the record once more with its head: {looked:.0f} s, {words.split(',')[0]}",
            kept=back <= 60 * _MINUTES and rows >= 1_000_000,
        ),
    ]
