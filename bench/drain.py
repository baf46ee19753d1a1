"""P4 and P9: thousands due at once, people on *Today*, curators who hold topics meanwhile."""

import subprocess
import sys
import time
from statistics import median
from typing import Any

from django.db import connection
from django.utils import timezone

from campaigns.models import Delivery

from . import bare, load
from .door import Door, Visitors, quantile
from .result import Result
from .stage import ROOT, Host, Missed, Stage, wait_until
from .stops import Stopping

PAIRS = 5
TOPICS = 20


def rate(arrivals: list[dict[str, Any]]) -> float:
    """First bytes a second, from the first to the last."""
    span = arrivals[-1]["at"] - arrivals[0]["at"] if len(arrivals) > 1 else 0
    return (len(arrivals) - 1) / span if span else 0.0


def limit(made: Stage, host: Host, *, count: int, processes: int = 2, threads: int = 16) -> float:
    """What a bare loop of as many threads does here and now."""
    before = len(host.read())
    [(_remote_id, secrets, _features)] = host.tell("accounts 1")
    command = [sys.executable, "-m", "bench.bare", made.env["DATABASE_URL"], host.base_url]
    command += [secrets["access_token"]]
    running = [
        subprocess.Popen([*command, str(threads), str(count // processes)], cwd=ROOT, env=made.env)
        for _ in range(processes)
    ]
    for process in running:
        if process.wait():
            raise Missed("the bare loop failed")
    return rate(host.read()[before:])


def make_due(rows: list[Delivery]) -> None:
    """Everything is due this second."""
    now = timezone.now()
    Delivery.objects.filter(pk__gte=rows[0].pk, pk__lte=rows[-1].pk).update(
        due_at=now, not_after=now + load.FAR
    )


def drained(made: Stage, rows: list[Delivery], *, seconds: float) -> list[dict[str, Any]]:
    """Make rows due and wait until none of them is queued; returns their first bytes."""
    before = len(made.arrivals())
    make_due(rows)
    left = Delivery.objects.filter(
        pk__gte=rows[0].pk, pk__lte=rows[-1].pk, state__in=["queued", "sending"], blocked=""
    )
    wait_until(f"{len(rows)} posts sent", lambda: not left.exists(), seconds)
    return made.arrivals()[before:]


def prepare_limit() -> None:
    """The table of the bare loop."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {bare.TABLE} (id bigserial PRIMARY KEY, state text, remote_id text)"
        )


def measure(made: Stage, *, size: int, pairs: int = PAIRS) -> list[Result]:
    """Alternate product and limit on small amounts, then drain ``size`` under full load."""
    (host,) = made.hosts
    curator, reader = load.people(2, "curator")
    topics = load.suggestions(TOPICS)
    among = load.accounts(load.people(max(size // 2, 250)), host)
    small = max(size // 20, 100)
    rounds = [load.posts(among, topics, count=small) for _ in range(pairs)]
    great = load.posts(among, topics, count=size)
    prepare_limit()
    made.start()
    with Visitors(Door(made.port, reader)) as quiet:
        time.sleep(5)
    limits, rates = [], []
    for rows in rounds:
        limits.append(limit(made, host, count=small))
        rates.append(rate(drained(made, rows, seconds=120)))
    ratio = median(r / top for r, top in zip(rates, limits, strict=True))
    resident = made.resident()
    stopping = Stopping(made.port, curator, topics)
    before = made.processor()
    with Visitors(Door(made.port, reader)) as busy:
        stopping.start()
        arrivals = drained(made, great, seconds=max(size / 20, 120))
    spent = made.spent(before, size)
    stops = stopping.end()
    grown = (made.resident() - resident) / 1e6
    arrivals = made.arrivals()[-len(arrivals) :]
    took = arrivals[-1]["at"] - arrivals[0]["at"]
    p95 = quantile(busy.waits, 0.95)
    escaped = [late for stop in stops for late in stop.escaped(arrivals)]
    waits = [stop.seconds for stop in stops]
    p50, p99 = quantile(waits, 0.5), quantile(waits, 0.99)
    return [
        Result(
            "P4 drain, 50 ms network",
            f"{median(rates):.0f} posts/s",
            "≥ 100/s",
            f"{median(limits):.0f}/s bare, ratio {ratio:.2f} (median of {pairs} pairs)",
            median(rates) >= 100,
        ),
        Result(
            f"P4 {size} due at once, holds and *Today* meanwhile",
            f"{took:.0f} s, {rate(arrivals):.0f} posts/s",
            "10,000 < 240 s",
            kept=took * 10_000 / size < 240,
        ),
        Result(
            "P4 *Today* meanwhile, p95",
            f"{p95 * 1000:.0f} ms ({len(busy.waits)} visits, {busy.errors} errors)",
            "< 500 ms",
            f"{quantile(quiet.waits, 0.95) * 1000:.0f} ms before",
            p95 < 0.5 and not busy.errors,
        ),
        Result(
            "processor time of a post meanwhile",
            f"worker {spent['worker']:.1f} ms, PostgreSQL {spent['PostgreSQL']:.1f} ms"
            f" (with {len(busy.waits) / size:.2f} visits, which cost the web {spent['web']:.1f} ms)",
        ),
        Result("P4 growth of the workers' memory", f"{grown:.0f} MB", "< 50 MB", kept=grown < 50),
        Result(
            "P9 hold under this load",
            f"p50 {p50 * 1000:.0f} ms, p99 {p99:.2f} s ({len(stops)} holds)",
            "p50 < 100 ms, p99 < 3 s",
            kept=p50 < 0.1 and p99 < 3 and not stopping.refusals,
        ),
        Result(
            "P9 first bytes after a hold's answer",
            ", ".join(escaped) or "0",
            "0",
            kept=not escaped and bool(stops),
        ),
    ]
