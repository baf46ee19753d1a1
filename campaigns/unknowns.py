"""When the answer was missing: recover what a dead worker left, look, and act on proof only."""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from integrations import limits, tokens
from integrations.models import Circuit
from integrations.networks import get
from integrations.networks.abilities import Abilities
from integrations.networks.base import Absent, CannotTell, NotAble, Sent
from integrations.wire import NotSent, WireError

from . import deliveries, pace
from .models import Delivery
from .outgoings import outgoing
from .states import move_delivery

log = logging.getLogger(__name__)

# A network without a key is asked twice before we believe that the post is not there: its
# reading may lag behind its writing (contract 2.4).
SECOND_LOOK = 270.0  # seconds after the first


def recover() -> int:
    """Turn sends whose worker is gone into *unknown*; nobody can know what they did."""
    now = pace.clock()
    count = 0
    for delivery in Delivery.objects.select_related("account").filter(
        state="sending", lease_until__lt=now
    )[:500]:
        quiet = pace.span(get(delivery.account.network).abilities.quiet)
        count += move_delivery(
            delivery,
            to="unknown",
            source="sending",
            now=now,
            reason="worker_lost",
            lease_until=None,
            look_at=max(now, (delivery.started_at or now) + quiet),
            first_tried_at=delivery.first_tried_at or delivery.started_at,
        )
    return count


def look_due(*, limit: int) -> list[Delivery]:
    """Claim unknown deliveries whose quiet time is over, by moving their next look ahead.

    A silent host is not asked; the next probe will tell.
    """
    now = pace.clock()
    silent = Circuit.objects.filter(
        network=OuterRef("account__network"),
        base_url=OuterRef("account__base_url"),
        opened_at__isnull=False,
        probe_at__gt=now,
    )
    with transaction.atomic():
        rows = list(
            Delivery.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related(
                "account", "post__suggestion", "post__picture", "post__link", "post__document"
            )
            .filter(~Exists(silent), state="unknown", look_at__lte=now)
            .order_by("look_at")[:limit]
        )
        again = now + 2 * pace.LEASE
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(look_at=again)
    return rows


def look(delivery: Delivery) -> None:
    """Ask the network whether an ambiguous post is there, and act on proof only."""
    network = get(delivery.account.network)
    now = pace.clock()
    since = delivery.first_tried_at or now
    if not paid(network.abilities, now):
        _ask(delivery, "this month's budget for the network is used up")
        return
    try:
        access = tokens.open_access(delivery.account, now=now)
        seen = network.look(outgoing(delivery), access, since)
    except NotAble:
        seen = CannotTell("the network shows us nothing")
    except NotSent as error:
        limits.failed(delivery.account, now=now)
        _look_again(delivery, str(error), now)
        return
    except (tokens.NoToken, WireError) as error:
        _look_again(delivery, str(error), now)
        return
    except Exception as error:  # an answer nobody thought of; the others must be looked for
        log.exception("looking for %s", delivery.key)
        _look_again(delivery, type(error).__name__, now)
        return
    limits.answered(delivery.account)
    match seen:
        case Sent(remote_id=remote_id) if deliveries.proves_another(delivery, remote_id):
            _ask(delivery, "the network shows the id of another post")
        case Sent(remote_id=remote_id, url=url):
            deliveries.mark_sent(delivery, remote_id, url, now=now)
        case Absent():
            _absent(delivery, now)
        case _ if network.abilities.idempotent:
            _look_again(delivery, seen.why, now)
        case _:
            _ask(delivery, seen.why)


def paid(abilities: Abilities, now: dt.datetime) -> bool:
    """Take what a look costs at the most from the month; False when it is not there."""
    cost = abilities.price.look if abilities.price else 0
    return not cost or limits.spend(abilities.name, cost, now=now)


def _absent(delivery: Delivery, now: dt.datetime) -> None:
    """Not there. With a key that is enough to send again; without one we look twice, send once.

    Claims are kept: a post that kills its workers must reach quarantine (I11).
    """
    if not get(delivery.account.network).abilities.idempotent:
        if delivery.looks % 2 == 0:
            _this_try(delivery).update(
                looks=delivery.looks + 1, look_at=now + pace.span(SECOND_LOOK), reason="looking"
            )
            return
        if delivery.looks >= 2:
            _ask(delivery, "sent twice without an answer, and not to be seen")
            return
    over = now >= delivery.not_after or delivery.account.disconnected_at is not None
    move_delivery(
        delivery,
        to="failed" if over else "queued",
        source="unknown",
        now=now,
        reason="expired" if over else "not_there",
        look_at=None,
        next_at=now,
        looks=delivery.looks + 1,
    )


def _this_try(delivery: Delivery) -> "QuerySet[Delivery]":
    """The row, unless it was sent again while we looked: a look tells of tries before it only."""
    return Delivery.objects.filter(pk=delivery.pk, state="unknown", fence=delivery.fence)


def _ask(delivery: Delivery, why: str) -> None:
    """Only a person can tell now."""
    _this_try(delivery).update(look_at=None, reason="ask_person", detail=why[:400])


def _look_again(delivery: Delivery, why: str, now: dt.datetime) -> None:
    """Look later, for a day; then a person is asked."""
    since = delivery.first_tried_at or now
    if now - since > dt.timedelta(days=1):
        _ask(delivery, why)
        return
    _this_try(delivery).update(look_at=now + pace.span(300), reason="looking", detail=why[:400])
