"""What came back: read own posts' figures, in full batches, ever less often, then never again."""

import datetime as dt
import itertools
import logging
from collections.abc import Iterable, Iterator
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField, Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from ambassadors.models import Consent
from integrations import limits, tokens
from integrations.networks import NETWORKS, answers, get
from integrations.networks.abilities import Abilities
from integrations.networks.base import Access, Figures
from integrations.wire import PerhapsSent, WireError

from .models import Delivery, Post, Reading
from .pace import clock

log = logging.getLogger(__name__)
Row = TypeVar("Row")

# Until a post is this old, read it this often; later in the rhythm of the last line, until
# ENGAGEMENT_DAYS are over. Networks whose calls are scarce name ages instead (``readings``).
CADENCE = (
    (dt.timedelta(hours=1), dt.timedelta(minutes=10)),
    (dt.timedelta(hours=6), dt.timedelta(minutes=30)),
    (dt.timedelta(days=1), dt.timedelta(hours=2)),
    (dt.timedelta(days=7), dt.timedelta(hours=12)),
    (dt.timedelta.max, dt.timedelta(days=2)),
)
AFTER_TROUBLE = dt.timedelta(minutes=30)
DAY = dt.timedelta(days=1)
COUNTED = ("likes", "reposts", "replies", "quotes", "impressions")


def next_reading(
    abilities: Abilities, sent_at: dt.datetime, now: dt.datetime
) -> dt.datetime | None:
    """When to read a post again, None once it is old.

    The moment lies on a grid of its pause, so that posts of one rhythm come due together and
    fill their calls.
    """
    age = now - sent_at
    last = sent_at + dt.timedelta(days=settings.ENGAGEMENT_DAYS)
    if abilities.readings:
        hours = (dt.timedelta(hours=hour) for hour in abilities.readings)
        moment = next((sent_at + hour for hour in hours if hour > age), None)
    else:
        pause = next(pause for until, pause in CADENCE if age < until)
        step = pause.total_seconds()
        moment = dt.datetime.fromtimestamp((now + pause).timestamp() // step * step, dt.UTC)
    return moment if moment and moment <= last else None


def measure_due() -> int:
    """Read every due post of people who consent; returns how many answers were written.

    One pass over what is due, one call for each full batch: calls are the theoretical minimum.
    """
    now = clock()
    due = Delivery.objects.filter(
        state="sent", measure_at__lte=now, gone_at__isnull=True, removed_at__isnull=True
    )
    due.exclude(_consented()).update(measure_at=None)
    count = 0
    rows = _in_call_order(due.filter(_consented()).select_related("account", "post"))
    for (name, _url, _account), group in itertools.groupby(rows, key=_call_group):
        for batch in _batches(group, get(name).abilities.batch):
            count += _measure(batch, now)
    return count


def _consented() -> Exists:
    """Whether the person lets us fetch what came back."""
    given = Consent.objects.given().filter(purpose="engagement")
    return Exists(given.filter(person=OuterRef("post__person")))


def _public() -> list[str]:
    """Networks where one call may ask for posts of several accounts."""
    return [name for name, network in NETWORKS.items() if network.abilities.public_figures]


def _in_call_order(rows: "QuerySet[Delivery]") -> Iterator[Delivery]:
    """Rows that may share a call stand together."""
    together = When(account__network__in=_public(), then=Value(0))
    alone = F("account_id")
    caller = Case(together, default=alone, output_field=BigIntegerField())
    return rows.order_by("account__network", caller, "pk").iterator(chunk_size=2000)


def _call_group(row: Delivery) -> tuple[str, str, int]:
    """Posts that one call may ask for together: public figures need no account of their own."""
    if get(row.account.network).abilities.public_figures:
        return (row.account.network, "", 0)
    return (row.account.network, row.account.base_url, row.account_id)


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    rows = iter(rows)
    while batch := list(itertools.islice(rows, size)):
        yield batch


def _measure(rows: list[Delivery], now: dt.datetime) -> int:
    """Ask once for a batch and write what came; trouble moves the batch a little later."""
    network = get(rows[0].account.network)
    pks = [row.pk for row in rows]
    if not affordable(network.abilities, len(rows), now):
        Delivery.objects.filter(pk__in=pks).update(measure_at=now + DAY)
        return 0
    try:
        access = _open(rows, now)
        figures = network.measure([row.remote_id for row in rows], access)
    except (tokens.NoToken, WireError) as error:
        if not isinstance(error, PerhapsSent):  # nothing was read, so nothing is billed
            limits.give_back(network.abilities.name, _cost(network.abilities, len(rows)), now=now)
        log.warning("cannot measure %s: %s", network.abilities.name, error)
        Delivery.objects.filter(pk__in=pks).update(measure_at=now + AFTER_TROUBLE)
        return 0
    except Exception:  # an answer nobody thought of; the other networks must be read
        log.exception("measuring %s", network.abilities.name)
        Delivery.objects.filter(pk__in=pks).update(measure_at=now + AFTER_TROUBLE)
        return 0
    _keep(rows, figures, network.abilities, now)
    return len(rows)


def _open(rows: list[Delivery], now: dt.datetime) -> Access:
    """An access that may read the batch: of public figures, any account's will do, or none."""
    accounts = {row.account_id: row.account for row in rows}
    for account in accounts.values():
        try:
            return tokens.open_access(account, now=now)
        except (tokens.NoToken, WireError):
            if len(accounts) == 1 and not get(account.network).abilities.public_figures:
                raise
    return tokens.access(rows[0].account, {})


def affordable(abilities: Abilities, reads: int, now: dt.datetime) -> bool:
    """Take what reading costs from the month's budget, if it still holds that much."""
    cost = _cost(abilities, reads)
    return not cost or limits.spend(abilities.name, cost, now=now)


def _cost(abilities: Abilities, reads: int) -> int:
    """What reading costs, in millionths of a dollar; 0 mostly."""
    return abilities.price.read * reads if abilities.price else 0


def _keep(
    rows: list[Delivery], figures: dict[str, Figures], abilities: Abilities, now: dt.datetime
) -> None:
    """Write a batch: one reading and one rollup for each post, in bulk.

    A post the network no longer knows is marked gone, not zero.
    """
    there = [row for row in rows if row.remote_id in figures]
    readings = []
    for row in there:
        counts = {name: answers.count(getattr(figures[row.remote_id], name)) for name in COUNTED}
        for name, value in counts.items():
            setattr(row.post, name, value)
        row.post.measured_at = now
        row.measure_at = next_reading(abilities, row.sent_at or now, now)
        if abilities.can_converse and counts["replies"] and row.converse_at is None:
            row.converse_at = now
        readings.append(Reading(post=row.post, read_at=now, **counts))
    gone = [row.pk for row in rows if row.remote_id not in figures]
    with transaction.atomic():
        Reading.objects.bulk_create(readings)
        Post.objects.bulk_update([row.post for row in there], [*COUNTED, "measured_at"])
        Delivery.objects.bulk_update(there, ["measure_at", "converse_at"])
        if gone:
            Delivery.objects.filter(pk__in=gone).update(
                gone_at=now, measure_at=None, converse_at=None
            )


def converse_due() -> int:
    """Count once a day which replies of others the author answered; returns how many posts."""
    now = clock()
    due = Delivery.objects.filter(
        Q(post__replies__gt=0),
        state="sent",
        converse_at__lte=now,
        gone_at__isnull=True,
        removed_at__isnull=True,
    )
    due.exclude(_consented()).update(converse_at=None)
    rows = due.filter(_consented()).select_related("account").order_by("account_id", "pk")
    return sum(_converse(row, now) for row in rows.iterator(chunk_size=500))


def _converse(row: Delivery, now: dt.datetime) -> int:
    network = get(row.account.network)
    end = (row.sent_at or now) + dt.timedelta(days=settings.ENGAGEMENT_DAYS)
    again = now + DAY if now + DAY <= end else None
    count: int | None = None
    if network.abilities.can_converse and affordable(network.abilities, 1, now):
        try:
            access = tokens.open_access(row.account, now=now)
            count = network.conversations(row.remote_id, access)
        except (tokens.NoToken, WireError) as error:
            log.warning("cannot read replies at %s: %s", network.abilities.name, error)
        except Exception:
            log.exception("reading replies at %s", network.abilities.name)
    if count is not None:
        Post.objects.filter(pk=row.post_id).update(conversations=count)
    Delivery.objects.filter(pk=row.pk).update(converse_at=again)
    return count is not None
