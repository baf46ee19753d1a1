"""How the posts stand that are not at their end, and whether nobody moves them."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Exists, Min, OuterRef, Q

from integrations import instance
from integrations.models import Bucket, Circuit

from .models import Attempt, Delivery, Programme

STANDSTILL = dt.timedelta(seconds=60)


@dataclass(frozen=True)
class Standing:
    """How many posts are not at their end; each is counted once."""

    due: int
    due_since: dt.datetime | None
    later: int
    blocked: int  # until a person decides
    sending: int
    looking: int  # may be out: its network is asked
    asking: int  # may be out: its author is asked
    unknown_since: dt.datetime | None


def standing(*, now: dt.datetime) -> Standing:
    """Count the posts that are not at their end."""
    free, unknown = Q(state="queued", blocked=""), Q(state="unknown")
    due = free & Q(due_at__lte=now)
    return Standing(
        **Delivery.objects.filter(state__in=["queued", "sending", "unknown"]).aggregate(
            due=Count("pk", filter=due),
            due_since=Min("due_at", filter=due),
            later=Count("pk", filter=free & Q(due_at__gt=now)),
            blocked=Count("pk", filter=Q(state="queued") & ~Q(blocked="")),
            sending=Count("pk", filter=Q(state="sending")),
            looking=Count("pk", filter=unknown & Q(look_at__isnull=False)),
            asking=Count("pk", filter=unknown & Q(look_at__isnull=True)),
            unknown_since=Min("first_tried_at", filter=unknown),
        )
    )


def waiting(*, now: dt.datetime, since: dt.timedelta) -> bool:
    """Tell whether a delivery that nothing speaks against has waited for ``since`` untouched.

    Then no worker takes anything: the broker may be gone.
    """
    then = now - since
    silent = Circuit.objects.filter(
        network=OuterRef("account__network"),
        base_url=OuterRef("account__base_url"),
        opened_at__isnull=False,
    )
    spent = Bucket.objects.filter(
        Q(account=OuterRef("account")) | Q(account__isnull=True),
        network=OuterRef("account__network"),
        base_url=OuterRef("account__base_url"),
        left__lte=0,
        resets_at__gt=then,
    )
    if Programme.objects.filter(held_at__isnull=False).exists() or instance.stopped():
        return False
    return (
        Delivery.objects.filter(
            ~Exists(silent),
            ~Exists(spent),
            Q(next_at__isnull=True) | Q(next_at__lte=then),
            Q(lease_until__isnull=True) | Q(lease_until__lte=then),
            state="queued",
            blocked="",
            due_at__lte=then,
        ).exists()
        and not Attempt.objects.filter(began_at__gt=then).exists()
    )
