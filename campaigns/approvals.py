"""What an editor wrote for a channel leaves after somebody else approved it (four eyes)."""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from ambassadors import audit
from ambassadors.models import Person
from integrations.models import ConnectedAccount

from .models import Delivery
from .states import move_delivery


def may_approve(person: Person) -> "QuerySet[ConnectedAccount]":
    """Channels for which a person may approve: as their editor, or all of them as a curator."""
    channels = ConnectedAccount.objects.company()
    return channels if person.has_role("curator") else channels.filter(editors=person)


def waiting(person: Person) -> "QuerySet[Delivery]":
    """Posts for the person's channels that wait for an approval, their own among them."""
    return (
        Delivery.objects.select_related("post__person", "post__picture", "account")
        .filter(account__in=may_approve(person), state="queued", blocked=Delivery.Blocked.APPROVAL)
        .order_by("due_at", "pk")
    )


@transaction.atomic
def approve(*, delivery: Delivery, sha256: str, by: Person, now: dt.datetime) -> bool:
    """Let a post leave for its channel; tells whether it still could.

    Never by its author, never another text than the one that was shown (``sha256``), never after
    its end; the row is locked, so that it cannot be taken back meanwhile.
    """
    found = _decidable(delivery, by).filter(post__sha256=sha256, not_after__gt=now).first()
    if found is None:
        return False
    Delivery.objects.filter(pk=found.pk).update(blocked="", approved_by=by, approved_at=now)
    audit.record("delivery.approved", delivery, by=by, now=now)
    return True


def _decidable(delivery: Delivery, by: Person) -> "QuerySet[Delivery]":
    """The delivery, locked, if this person may decide about it: four eyes, so not its author."""
    rows = waiting(by).select_for_update(of=("self",))
    return rows.filter(pk=delivery.pk).exclude(post__person=by)


@transaction.atomic
def decline(*, delivery: Delivery, why: str, by: Person, now: dt.datetime) -> bool:
    """Keep a post from leaving, with a sentence for its author; tells whether it was in time."""
    if not _decidable(delivery, by).exists():
        return False
    moved = move_delivery(
        delivery,
        to="cancelled",
        source="queued",
        now=now,
        by=by,
        reason="declined",
        any_fence=True,
        detail=why[:400],
    )
    if moved:
        audit.record("delivery.declined", delivery, by=by, now=now)
    return moved
