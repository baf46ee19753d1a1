"""P6: what a reading of everybody's figures costs in calls, statements and written rows."""

import math

from django.db import connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns import engagement
from campaigns.models import Delivery
from integrations.networks import get

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


def least_calls(network: str) -> tuple[int, str]:
    """The fewest calls that read every post, and in words what bounds them.

    Where figures are not public to everybody, each person's posts are read with their own key:
    one key must not read for others.
    """
    size = PER_CALL[network]
    if get(network).abilities.public_figures:
        return math.ceil(POSTS / size), f"{size} a call"
    posts = Delivery.objects.filter(account__network=network).values_list("account")
    counts = [row[1] for row in posts.annotate(n=Count("pk"))]
    return sum(math.ceil(n / size) for n in counts), f"{size} a call, each with the own key"


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
    before = [len(host.read("get")) for host in made.hosts]
    with CaptureQueriesContext(connection) as statements, transaction.atomic():
        read = engagement.measure_due()
        rows = written()
    results = []
    for host, known in zip(made.hosts, before, strict=True):
        calls = len(host.read("get")) - known
        least, how = least_calls(host.name)
        results.append(
            Result(
                f"P6 {host.name}: calls for {POSTS} posts of {PEOPLE} people",
                str(calls),
                "≤ 1.05 × the least",
                f"least {least} ({how}), ratio {calls / least:.2f}",
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
