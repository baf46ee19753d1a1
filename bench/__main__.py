"""``python -m bench [--size N]``: measure P1 to P10 and the desk, print a table, keep it in docs."""

import argparse
import datetime as dt
import importlib
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable

from .network import readable
from .result import Result
from .stage import ROOT, stage

PAGE = ROOT / "docs" / "performance.md"
# What each part is given of --size.
PARTS: dict[str, Callable[[int], dict[str, int]]] = {
    "today": lambda size: {"size": size},
    "drain": lambda size: {"size": size},
    "punctual": lambda size: {"count": max(size // 20, 100)},
    "calls": lambda _size: {},
    "desk": lambda size: {"size": max(size // 2, 500)},
    "people": lambda size: {"size": size * 10},
    "roster": lambda size: {"size": max(size * 10, 2000)},
    "sameness": lambda size: {"size": max(size // 5, 200)},
    "clicks": lambda _size: {},
    "analytics": lambda size: {"size": max(size * 10, 2000)},
    "growth": lambda size: {"size": size * 50},
    "rehearsal": lambda size: {"size": max(size * 20, 250_000)},  # a million rows
}
# The networks it needs; the others need none.
NETWORKS = {
    "growth": ("mastodon",),
    "drain": ("mastodon",),
    "punctual": ("mastodon",),
    "calls": readable(),
}
# Clicks come from made-up networks, told as a proxy tells them.
SETTINGS = {"clicks": {"TRUSTED_PROXIES": "1"}}


def measured(part: str, size: int) -> list[Result]:
    """Run one part in this process; a stage is one process long."""
    with stage(*NETWORKS.get(part, ()), settings=SETTINGS.get(part, {})) as made:
        module = importlib.import_module(f"bench.{part}")  # it needs the stage's Django
        found: list[Result] = module.measure(made, **PARTS[part](size))
        return found


def machine() -> str:
    """Cores, memory, kernel."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def keep(table: str) -> None:
    """Write the table between the page's two markers."""
    text = PAGE.read_text(encoding="utf-8")
    block = f"<!-- bench -->\n{table}\n<!-- /bench -->"
    PAGE.write_text(
        re.sub(r"<!-- bench -->.*<!-- /bench -->", lambda _: block, text, flags=re.DOTALL),
        encoding="utf-8",
    )


def main() -> int:
    """Run every part in a process of its own; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", type=int, default=10_000, help="posts due at once")
    parser.add_argument("--part", choices=PARTS, help="only this one, printed as rows")
    asked = parser.parse_args()
    if asked.part:
        results = measured(asked.part, asked.size)
        print("\n".join(result.row() for result in results))
        return int(any(result.kept is False for result in results))
    began = time.monotonic()
    rows, missed = [], 0
    for part in PARTS:
        command = [sys.executable, "-m", "bench", "--part", part, "--size", str(asked.size)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        rows += [line for line in done.stdout.splitlines() if line.startswith("|")]
        missed += done.returncode
    head = (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {machine()}, Python {platform.python_version()}; "
        f"`make bench SIZE={asked.size}` in {time.monotonic() - began:.0f} s.\n\n"
        "| what | figure | goal | limit in the same run | kept |\n|---|---|---|---|---|\n"
    )
    table = head + "\n".join(rows)
    print(table)
    keep(table)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
