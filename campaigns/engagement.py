"""What came back: read own posts' figures with a decaying cadence, in batches."""

import datetime as dt
import itertools
import logging

from django.db import transaction

from ambassadors.models import Consent
from integrations import tokens
from integrations.networks import get
from integrations.networks.base import Figures
from integrations.wire import WireError

from .deliveries import clock
from .models import Delivery, Post, Reading

log = logging.getLogger(__name__)

# Until a post is this old, read it this often; after the last line never again.
CADENCE = (
    (dt.timedelta(hours=1), dt.timedelta(minutes=10)),
    (dt.timedelta(hours=6), dt.timedelta(minutes=30)),
    (dt.timedelta(days=1), dt.timedelta(hours=2)),
    (dt.timedelta(days=7), dt.timedelta(hours=12)),
    (dt.timedelta(days=30), dt.timedelta(days=2)),
)


def next_reading(sent_at: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """When to read a post again, None once it is old."""
    age = now - sent_at
    for until, pause in CADENCE:
        if age < until:
            return now + pause
    return None


def measure_due(*, limit: int = 1000) -> int:
    """Read every due post of people who consent; one call per network's batch."""
    now = clock()
    due = list(
        Delivery.objects.select_related("account", "post")
        .filter(state="sent", measure_at__lte=now, gone_at__isnull=True)
        .order_by("account__network", "account__base_url", "account_id", "pk")[:limit]
    )
    allowed = set(
        Consent.objects.given()
        .filter(purpose="engagement", person__in={row.post.person_id for row in due})
        .values_list("person_id", flat=True)
    )
    Delivery.objects.filter(
        pk__in=[row.pk for row in due if row.post.person_id not in allowed]
    ).update(measure_at=None)
    wanted = [row for row in due if row.post.person_id in allowed]
    count = 0
    for _, group in itertools.groupby(wanted, key=_call_group):
        rows = list(group)
        size = get(rows[0].account.network).abilities.batch
        for first in range(0, len(rows), size):
            count += _measure(rows[first : first + size], now)
    return count


def _call_group(row: Delivery) -> tuple[str, str, int]:
    """Posts that one call may ask for together: public figures need no account of their own."""
    public = row.account.network == "bluesky"
    return (row.account.network, row.account.base_url, 0 if public else row.account_id)


def _measure(rows: list[Delivery], now: dt.datetime) -> int:
    network = get(rows[0].account.network)
    try:
        account_access = tokens.open_access(rows[0].account, now=now)
        figures = network.measure([row.remote_id for row in rows], account_access)
    except (tokens.NoToken, WireError) as error:
        log.warning("cannot measure %s: %s", rows[0].account.network, error)
        later = now + dt.timedelta(minutes=30)
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(measure_at=later)
        return 0
    with transaction.atomic():
        for row in rows:
            _keep(row, figures.get(row.remote_id), now)
    return len(rows)


def _keep(row: Delivery, figures: Figures | None, now: dt.datetime) -> None:
    """Write one reading; a post the network no longer knows is marked gone, not zero."""
    if figures is None:
        Delivery.objects.filter(pk=row.pk).update(gone_at=now, measure_at=None)
        return
    counts = {
        name: getattr(figures, name)
        for name in ("likes", "reposts", "replies", "quotes", "impressions")
    }
    Reading.objects.create(post=row.post, read_at=now, **counts)
    Post.objects.filter(pk=row.post_id).update(measured_at=now, **counts)
    Delivery.objects.filter(pk=row.pk).update(measure_at=next_reading(row.sent_at or now, now))
