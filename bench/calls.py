"""P6: what a reading of everybody's figures costs in calls, statements and written rows."""

import math

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns import engagement
from campaigns.models import Delivery

from . import load
from .network import PER_CALL
from .result import Result
from .stage import Stage, wait_until

PEOPLE, POSTS = 40, 230  # at each network; several posts each, and last calls that are not full


def written() -> dict[str, int]:
    """Rows inserted and changed in this transaction, by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd FROM pg_stat_xact_user_tables"
            " WHERE n_tup_ins + n_tup_upd > 0 ORDER BY relname"
        )
        return dict(cursor.fetchall())


def measure(made: Stage) -> list[Result]:
    """Publish posts for real, then read all their figures in one go and count."""
    topics = load.suggestions(1)
    due = [timezone.now()] * POSTS
    for host in made.hosts:
        load.posts(load.accounts(load.people(PEOPLE), host), topics, count=POSTS, due_at=due)
    made.start("worker", "beat")
    left = Delivery.objects.exclude(state="sent")
    wait_until("posts sent", lambda: not left.exists(), 120)
    made.stop()
    Delivery.objects.update(measure_at=timezone.now())
    before = [len(host.read("read")) for host in made.hosts]
    with CaptureQueriesContext(connection) as statements, transaction.atomic():
        read = engagement.measure_due()
        rows = written()
    results = []
    for host, known in zip(made.hosts, before, strict=True):
        calls = len(host.read("read")) - known
        least = math.ceil(POSTS / PER_CALL[host.name])
        results.append(
            Result(
                f"P6 {host.name}: calls for {POSTS} posts of {PEOPLE} people",
                str(calls),
                "≤ 1.05 × the least",
                f"least {least} ({PER_CALL[host.name]} a call), ratio {calls / least:.2f}",
                calls <= 1.05 * least,
            )
        )
    each = ", ".join(f"{count / read:.2f} {name.partition('_')[2]}" for name, count in rows.items())
    results.append(
        Result(
            f"P6 rows written for a reading (of {read})",
            f"{each}; {len(statements) / read:.2f} statements",
            "one reading, one rollup",
            kept=rows.get("campaigns_reading") == read == POSTS * len(made.hosts),
        )
    )
    return results
