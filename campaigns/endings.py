"""Disconnect, withdraw a consent, take a right back: one mechanism, the proof of a hold.

Each commits the low fact that the start transaction reads, waits until nothing in flight can put
its first byte any more, takes back what is still queued, and answers (C24). The queued rows come
after the commit: a start locks its delivery first, so both in one would wait for each other.
Leaving the company is :mod:`campaigns.leaving`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from ambassadors import consents
from ambassadors.models import Consent, Person
from integrations import accounts, channels
from integrations.models import ConnectedAccount

from .holds import wait_for_flights
from .models import Delivery
from .states import move_delivery


@dataclass(frozen=True, slots=True)
class Ended:
    """What an ending stopped: posts taken back, and those already on their way."""

    taken_back: int
    in_flight: list[int]


def disconnect(*, account: ConnectedAccount, by: Person, now: dt.datetime) -> Ended:
    """End a connection; afterwards no request carries its key but the one that gives it back."""
    accounts.disconnect(account=account, by=by, now=now)
    in_flight = wait_for_flights(account)
    taken_back = take_back(Delivery.objects.filter(account=account), "disconnected", by, now)
    ask_instead_of_looking([account])
    return Ended(taken_back, in_flight)


def withdraw_consent(*, person: Person, purpose: str, now: dt.datetime) -> Ended:
    """Take a yes back. Without the yes to publish, nothing queued on own accounts remains."""
    consents.withdraw(person=person, purpose=purpose, now=now)
    if purpose != Consent.Purpose.PUBLISH:
        return Ended(0, [])
    in_flight = wait_for_flights(person)
    rows = Delivery.objects.filter(post__person=person, account__person=person)
    return Ended(take_back(rows, "consent", person, now), in_flight)


def remove_editor(
    *, channel: ConnectedAccount, editor: Person, by: Person, now: dt.datetime
) -> Ended:
    """Somebody may no longer write for a channel; what they had queued for it is taken back."""
    channels.remove_editor(channel=channel, editor=editor, by=by, now=now)
    in_flight = wait_for_flights(channel)
    rows = Delivery.objects.filter(account=channel, post__person=editor)
    return Ended(take_back(rows, "not_editor", by, now), in_flight)


def take_back(rows: "QuerySet[Delivery]", reason: str, by: Person | None, now: dt.datetime) -> int:
    """Cancel what is queued. What an earlier try may have posted is asked about instead."""
    count = 0
    for delivery in rows.filter(state="queued"):
        count += move_delivery(
            delivery,
            to="cancelled" if delivery.first_tried_at is None else "unknown",
            source="queued",
            now=now,
            by=by,
            reason=reason,
            any_fence=True,
            lease_until=None,
            look_at=None,
        )
    return count


def ask_instead_of_looking(ended: Sequence[ConnectedAccount]) -> None:
    """Without the key nobody can look for us; only the person can say whether it arrived."""
    Delivery.objects.filter(account__in=ended, state="unknown").update(
        look_at=None, reason="ask_person"
    )
