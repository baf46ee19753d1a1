"""Notice a standstill: something is due, and no worker touches it (the broker may be gone)."""

import datetime as dt

from django.db.models import Exists, OuterRef, Q

from integrations import instance
from integrations.models import Bucket, Circuit

from .models import Attempt, Delivery, Programme

STANDSTILL = dt.timedelta(seconds=60)


def waiting(*, now: dt.datetime, since: dt.timedelta) -> bool:
    """Tell whether a delivery that nothing speaks against has waited for ``since`` untouched."""
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
