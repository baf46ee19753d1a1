"""P5 and G9: from due to first byte by the database's clock, with workers an hour off it."""

import datetime as dt
import shutil
import time

from django.utils import timezone

from campaigns.models import Delivery

from . import load
from .door import quantile
from .result import Result
from .stage import Missed, Stage, database_ahead, wait_until

SECONDS = 60.0  # over which the posts are due
SHORT = 0.2  # share of posts that may leave for a few seconds only
CLOCKS = ("+1h", "-1h")


def wrong_clocks(made: Stage) -> str:
    """Replace the worker by two whose wall clocks are an hour off; says whether that works."""
    if not shutil.which("faketime"):
        return "workers' clocks right: install the package faketime"
    worker = made.family.commands.pop("worker")
    made.env["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
    for number, clock in enumerate(CLOCKS):
        made.family.commands[f"worker-{number}"] = [
            "faketime", "-f", clock, *worker, "--hostname", f"w{number}@%h",
        ]  # fmt: skip
    return "workers' clocks ± 1 h"


def measure(made: Stage, *, count: int) -> list[Result]:
    """Let posts fall due one after the other at an idle network and read its ledger."""
    (host,) = made.hosts
    clocks = wrong_clocks(made)
    among = load.accounts(load.people(count), host)
    topics = load.suggestions(5)
    made.start()
    begin = timezone.now() + dt.timedelta(seconds=5)
    due = [begin + dt.timedelta(seconds=SECONDS * n / count) for n in range(count)]
    short = [n % round(1 / SHORT) == 0 for n in range(count)]
    lasts = [dt.timedelta(seconds=0.2 + n % 8) if short[n] else load.FAR for n in range(count)]
    rows = load.posts(among, topics, due_at=due, lasts=lasts)
    left = Delivery.objects.filter(pk__in=[row.pk for row in rows], state="queued")
    time.sleep(SECONDS)
    lost = 0
    try:
        wait_until("everything sent or over", lambda: not left.exists(), 90)
    except Missed:
        lost = left.count()
    ahead = database_ahead()
    first: dict[str, float] = {}
    for arrival in made.arrivals():
        first.setdefault(arrival["key"], arrival["at"] + ahead)
    waits, early, late = [], 0, 0
    for row, is_short in zip(rows, short, strict=True):
        if (at := first.get(str(row.key))) is None:
            lost += not is_short
            continue
        early += at < row.due_at.timestamp()
        late += at >= row.not_after.timestamp()
        if not is_short:
            waits.append(at - row.due_at.timestamp())
    p95, p99 = quantile(waits, 0.95), quantile(waits, 0.99)
    return [
        Result(
            f"P5 due to first byte, {clocks}",
            f"p95 {p95:.1f} s, p99 {p99:.1f} s ({len(waits)} posts, {lost} missing)",
            "p95 ≤ 15 s, p99 ≤ 60 s",
            kept=p95 <= 15 and p99 <= 60 and not lost,
        ),
        Result("P5 first bytes before due", str(early), "0", kept=not early),
        Result(
            f"P5 first bytes after the end ({sum(short)} ended soon)", str(late), "0", kept=not late
        ),
    ]
