"""When the answer was missing: recover what a dead worker left, look, and act on proof only."""

import datetime as dt

from django.db import transaction

from integrations import tokens
from integrations.networks import get
from integrations.networks.base import Absent, CannotTell, Sent
from integrations.wire import WireError

from . import deliveries, pace
from .models import Delivery
from .states import move_delivery


def recover() -> int:
    """Turn sends whose worker is gone into *unknown*; nobody can know what they did."""
    now = deliveries.clock()
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
    """Claim unknown deliveries whose quiet time is over, by moving their next look ahead."""
    now = deliveries.clock()
    with transaction.atomic():
        rows = list(
            Delivery.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("account", "post__suggestion", "post__picture")
            .filter(state="unknown", look_at__lte=now)
            .order_by("look_at")[:limit]
        )
        again = now + 2 * pace.LEASE
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(look_at=again)
    return rows


def look(delivery: Delivery) -> None:
    """Ask the network whether an ambiguous post is there, and act on proof only."""
    network = get(delivery.account.network)
    now = deliveries.clock()
    since = delivery.first_tried_at or now
    try:
        account_access = tokens.open_access(delivery.account, now=now)
        seen = network.look(deliveries.outgoing(delivery), account_access, since)
    except (tokens.NoToken, WireError) as error:
        _look_again(delivery, str(error), now)
        return
    match seen:
        case Sent(remote_id=remote_id, url=url):
            deliveries.mark_sent(delivery, remote_id, url, now=now)
        case Absent():
            _absent(delivery, now)
        case CannotTell(why=why) if network.abilities.idempotent:
            _look_again(delivery, why, now)
        case CannotTell(why=why):
            Delivery.objects.filter(pk=delivery.pk, state="unknown").update(
                look_at=None, reason="ask_person", detail=why[:400]
            )


def _absent(delivery: Delivery, now: dt.datetime) -> None:
    """Proven absent: queue again, unless its time is over or the account is gone."""
    over = now >= delivery.not_after or delivery.account.disconnected_at is not None
    move_delivery(
        delivery,
        to="failed" if over else "queued",
        source="unknown",
        now=now,
        reason="expired" if over else "not_there",
        look_at=None,
        next_at=now,
        claims=0,
    )


def _look_again(delivery: Delivery, why: str, now: dt.datetime) -> None:
    """Look later, for a day; then a person is asked."""
    since = delivery.first_tried_at or now
    tired = now - since > dt.timedelta(days=1)
    Delivery.objects.filter(pk=delivery.pk, state="unknown").update(
        look_at=None if tired else now + pace.span(300),
        reason="ask_person" if tired else "looking",
        detail=why[:400],
    )
