"""``python -m bench [--size N]``: measure P1 to P10 and the desk, print a table, keep it in docs."""

import argparse
import datetime as dt
import os
import platform
import re
import subprocess
import sys
import time

from .network import readable
from .result import Result
from .stage import ROOT, stage

PAGE = ROOT / "docs" / "performance.md"
PARTS = (
    "today",
    "drain",
    "punctual",
    "calls",
    "desk",
    "people",
    "roster",
    "sameness",
    "clicks",
    "analytics",
)
# Clicks come from made-up networks, told as a proxy tells them.
SETTINGS = {"clicks": {"TRUSTED_PROXIES": "1"}}


def measured(part: str, size: int) -> list[Result]:
    """Run one part in this process; a stage is one process long."""
    without = ("today", "desk", "people", "roster", "sameness", "clicks", "analytics")
    alone = {"calls": readable(), **dict.fromkeys(without, ())}
    with stage(*alone.get(part, ("mastodon",)), settings=SETTINGS.get(part, {})) as made:
        from . import (  # noqa: PLC0415 - they need the stage's Django
            analytics,
            calls,
            clicks,
            desk,
            drain,
            people,
            punctual,
            roster,
            sameness,
            today,
        )

        match part:
            case "drain":
                return drain.measure(made, size=size)
            case "punctual":
                return punctual.measure(made, count=max(size // 20, 100))
            case "people":
                return people.measure(made, size=size * 10)
            case "desk":
                return desk.measure(made, size=max(size // 2, 500))
            case "clicks":
                return clicks.measure(made)
            case "roster":
                return roster.measure(made, size=max(size * 10, 2000))
            case "sameness":
                return sameness.measure(made, size=max(size // 5, 200))
            case "today":
                return today.measure(made, size=size)
            case "analytics":
                return analytics.measure(made, size=max(size * 10, 2000))
            case _:
                return calls.measure(made)


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
