"""Wake-ups. A message may be lost, doubled or late: the rows say what is due."""

from concurrent.futures import ThreadPoolExecutor

from celery import shared_task
from django.db import close_old_connections, connection

from . import deliveries, engagement, reminders, unknowns
from .models import Delivery

# Sends wait for networks, so a few threads share one process; each has its own connection.
_THREADS = 8


def _deliver(delivery: Delivery) -> None:
    try:
        deliveries.deliver(delivery)
    finally:
        connection.close()


@shared_task  # type: ignore[untyped-decorator]
def publish_due() -> int:
    """Recover, look, then send what is due until nothing is; returns how many were sent on."""
    close_old_connections()
    unknowns.recover()
    for delivery in unknowns.look_due(limit=50):
        unknowns.look(delivery)
    count = 0
    with ThreadPoolExecutor(_THREADS) as pool:
        while claimed := deliveries.claim(limit=_THREADS):
            list(pool.map(_deliver, claimed))
            count += len(claimed)
    return count


@shared_task  # type: ignore[untyped-decorator]
def measure_due() -> int:
    """Read the figures that are due; returns how many posts were read."""
    return engagement.measure_due()


@shared_task  # type: ignore[untyped-decorator]
def look_back() -> int:
    """Count answered replies once a day, and remind people of posts only they can tell about."""
    return engagement.converse_due() + reminders.remind_due()
