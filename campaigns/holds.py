"""Stop and resume. After :func:`hold` has answered, nothing of the scope starts (contract 2.6)."""

import datetime as dt
import time
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Q

from ambassadors import audit
from ambassadors.models import Person
from integrations.models import ConnectedAccount

from .deliveries import GATE_SECONDS
from .models import Delivery, Post, Programme, Suggestion, Topic

Scope = Programme | Topic | Suggestion
_MARGIN = 0.5  # seconds beyond the gate


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a hold would stop now."""

    queued: int
    next_due: dt.datetime | None
    suggestions: int
    already_posted: int


@dataclass(frozen=True, slots=True)
class Held:
    """The answer of a hold: its epoch, and what was in flight when it began."""

    epoch: int
    in_flight: list[int]


def _in_scope(scope: Scope | Person | ConnectedAccount, prefix: str) -> Q:
    match scope:
        case Person():
            return Q(**{f"{prefix}person": scope})
        case ConnectedAccount():
            return Q(account=scope) if prefix else Q(delivery__account=scope)
        case Topic():
            return Q(**{f"{prefix}suggestion__topic": scope})
        case Suggestion():
            return Q(**{f"{prefix}suggestion": scope})
        case _:
            return Q()


def consequences(scope: Scope, *, now: dt.datetime) -> Consequences:
    """Count what a hold would stop, for the person who is about to press the button."""
    queued = Delivery.objects.filter(_in_scope(scope, "post__"), state="queued").order_by("due_at")
    match scope:
        case Topic():
            suggestions = Suggestion.objects.live(now).filter(topic=scope).count()
        case Suggestion():
            suggestions = 1
        case _:
            suggestions = Suggestion.objects.live(now).count()
    people = Post.objects.filter(
        _in_scope(scope, ""), created_at__gte=now - dt.timedelta(days=30)
    ).exclude(delivery__state__in=["queued", "cancelled", "failed"])
    first = queued.first()
    return Consequences(
        queued=queued.count(),
        next_due=first.due_at if first else None,
        suggestions=suggestions,
        already_posted=people.values("person").distinct().count(),
    )


def hold(*, scope: Scope, by: Person, reason: str, now: dt.datetime) -> Held:
    """Stop the scope; returns when no first byte can follow any more.

    Effects in order: the UPDATE waits for start transactions that hold the row FOR SHARE; commit;
    wait until every attempt that had started is over or the gate has shut it out.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO on")
        model = type(scope)
        model.objects.filter(pk=scope.pk).update(  # type: ignore[attr-defined]
            held_at=now, held_by=by, held_reason=reason, hold_epoch=F("hold_epoch") + 1
        )
        scope.refresh_from_db()
        audit.record("hold", scope, by=by, now=now, reason=reason, epoch=scope.hold_epoch)
    return Held(epoch=scope.hold_epoch, in_flight=wait_for_flights(scope))


def wait_for_flights(scope: Scope | Person | ConnectedAccount) -> list[int]:
    """Wait until nothing of the scope can put its first byte; returns what was in flight."""
    flying = Delivery.objects.filter(_in_scope(scope, "post__"), state="sending")
    in_flight = list(flying.values_list("pk", flat=True))
    end = time.monotonic() + GATE_SECONDS + _MARGIN
    while flying.filter(pk__in=in_flight).exists() and time.monotonic() < end:
        time.sleep(0.02)
    return in_flight


@transaction.atomic
def release(*, scope: Scope, by: Person, now: dt.datetime) -> bool:
    """Let the scope go on. Posts whose moment passed ask their people to look again."""
    model = type(scope)
    released = model.objects.filter(pk=scope.pk, held_at__isnull=False).update(  # type: ignore[attr-defined]
        held_at=None, held_by=None, held_reason=""
    )
    if not released:
        return False
    Delivery.objects.filter(_in_scope(scope, "post__"), state="queued", due_at__lte=now).exclude(
        blocked=Delivery.Blocked.APPROVAL
    ).update(blocked=Delivery.Blocked.LOOK_AGAIN)
    audit.record("release", scope, by=by, now=now)
    return True
