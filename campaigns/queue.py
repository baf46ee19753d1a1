"""A person's own queue: what waits for its moment, moved and put in another order by them alone.

A row moves only while it waits as it was seen: a post that has begun is never moved.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from integrations.models import ConnectedAccount

from .models import Delivery, TimeOffer
from .refusals import FieldRefused
from .shares import PATIENCE


class QueueRefused(FieldRefused):
    """The queue stays as it was."""


def waiting(person: Person, now: dt.datetime) -> "QuerySet[Delivery]":
    """First parts of the person's posts whose moment is still to come, in their order.

    A takeover's posts belong to its slot and are not among them.
    """
    return unbegun(person, now).filter(due_at__gt=now)


def unbegun(person: Person, now: dt.datetime) -> "QuerySet[Delivery]":
    """What :func:`waiting` holds, and what is due already and waits for its network or its person.

    What may be at the network since an earlier try has begun.
    """
    # by the accounts, so that what everybody else has waiting is not looked through
    theirs = ConnectedAccount.objects.filter(Q(person=person) | Q(person=None))
    return Delivery.objects.filter(
        account__in=theirs,
        post__person=person,
        post__part=0,
        post__takeover__isnull=True,
        state="queued",
        not_after__gt=now,
        first_tried_at__isnull=True,
    ).order_by("due_at", "pk")


def move(
    delivery: Delivery,
    at: dt.datetime,
    now: dt.datetime,
    *,
    patience: dt.timedelta = PATIENCE,
    due: bool = False,
    **changes: Any,
) -> bool:
    """Move a post and the rest of its thread, if it still waits as it was seen; tells whether.

    ``due`` also moves what is due already, out of a worker's hands if need be: its start reads the
    moment again under the row's lock. ``changes`` are more columns of the first part. Call it
    inside a transaction.
    """
    seen = Delivery.objects.filter(
        pk=delivery.pk, state="queued", blocked=delivery.blocked, due_at=delivery.due_at
    )
    if due:
        changes |= {"lease_until": None, "next_at": None}
        changes |= {} if delivery.blocked else {"reason": "", "detail": ""}
    else:
        unclaimed = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        seen = seen.filter(unclaimed, due_at__gt=now)
    if not seen.update(due_at=at, not_after=at + patience, **changes):
        return False
    later = at - delivery.due_at
    part = Delivery.objects.filter(post__before=delivery.post_id).first()
    while part:
        Delivery.objects.filter(pk=part.pk, state="queued").update(
            due_at=F("due_at") + later, not_after=F("not_after") + later
        )
        part = Delivery.objects.filter(post__before=part.post_id).first()
    return True


@transaction.atomic
def arrange(*, by: Person, order: Sequence[int], now: dt.datetime) -> None:
    """Put the whole queue into an order: the moments stay, the posts exchange them.

    ``order`` holds the deliveries' keys. Effects in order: each post that stands elsewhere takes
    the moment of its new place and is the person's own choice from now on, an offer of another
    moment is gone, audit entry. Raises :class:`QueueRefused`, and then nothing has moved.
    """
    rows = {row.pk: row for row in waiting(by, now).select_related("post__suggestion")}
    moments = [row.due_at for row in rows.values()]
    if len(order) != len(rows) or set(order) != rows.keys():
        raise QueueRefused("order", _("Your queue has changed meanwhile. Here it is as it is now."))
    moved = 0
    for pk, at in zip(order, moments, strict=True):
        row = rows[pk]
        if row.due_at == at:
            continue
        ends = row.post.suggestion.expires_at if row.post.suggestion else None
        if ends and at >= ends:
            raise QueueRefused("order", _("The suggestion of this post ends before that moment."))
        if not move(row, at, now, movable=False):
            raise QueueRefused("order", _("Too late: one of them is leaving. Nothing was moved."))
        TimeOffer.objects.filter(delivery=row, answer="").delete()
        moved += 1
    if moved:
        audit.record("queue.arranged", by, by=by, now=now, posts=moved)


def step(*, by: Person, delivery: int, up: bool, now: dt.datetime) -> None:
    """Let a post change places with the one before it, or after. Raises :class:`QueueRefused`."""
    order = list(waiting(by, now).values_list("pk", flat=True))
    if delivery not in order:
        raise QueueRefused("order", _("Too late: it does not wait any more."))
    here = order.index(delivery)
    there = here - 1 if up else here + 1
    if 0 <= there < len(order):
        order[here], order[there] = order[there], order[here]
        arrange(by=by, order=order, now=now)
