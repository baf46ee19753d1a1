"""People whom the directory says have left.

Within the brake's limit somebody leaves at once. Beyond it they are only locked out, which stops
logins and whatever would be published for them and can be taken back, until an administrator says
whether they have left. The identity provider hears in both cases what is true: not active.
"""

import contextlib
import datetime as dt

from django.db import connection, transaction
from django.db.models import Q

from ambassadors import audit, login_sessions, memberships
from ambassadors.memberships import LastAdministrator, LeftAlready
from ambassadors.models import Person
from campaigns import leaving
from campaigns.refusals import FieldRefused

from . import brake
from .models import Departure
from .states import move_departure

WINDOW = dt.timedelta(hours=1)
_LOCK = 0x4C656176  # one decision after the other, so that two at once do not both fit
State = Departure.State


class NotAgreed(FieldRefused):
    """Nothing was decided; ``sentence`` says what is missing."""


def leave(person: Person, *, by: Person | None, now: dt.datetime) -> str:
    """Let somebody leave in full; returns why not, empty when they have left.

    The last administrator stays, whoever says otherwise.
    """
    try:
        with contextlib.suppress(LeftAlready):
            leaving.leave(person=person, by=by, now=now)
    except LastAdministrator:
        return "last"
    return ""


def ask(person: Person, *, now: dt.datetime) -> Departure | None:
    """The provider says that a person is gone; they leave, or are locked out beyond the limit.

    Returns None for who has left already. Raises :class:`LastAdministrator`.
    """
    with transaction.atomic():
        memberships.keep_an_administrator(person)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if Person.objects.filter(pk=person.pk, left_at__isnull=False).exists():
            return None
        standing = Departure.objects.filter(
            person=person, state__in=[State.WAITING, State.AGREED]
        ).first()
        if standing:
            return standing
        waits = _lately(now) >= brake.limit()
        departure = Departure.objects.create(
            person=person, state=State.WAITING if waits else State.DONE, asked_at=now
        )
        if waits:
            Person.objects.filter(pk=person.pk).update(is_active=False)
            login_sessions.end(person)
            audit.record("person.locked_out", person, by=None, now=now)
    if not waits and leave(person, by=None, now=now):
        raise LastAdministrator
    return departure


def _lately(now: dt.datetime) -> int:
    """How many left or wait since an hour ago, or wait still, without an administrator's yes."""
    return Departure.objects.filter(
        Q(state=State.WAITING) | Q(state=State.DONE, asked_at__gt=now - WINDOW, agreed_by=None)
    ).count()


@transaction.atomic
def stay(person: Person, *, by: Person | None = None, now: dt.datetime) -> bool:
    """The person is here after all; tells whether they were locked out."""
    standing = Departure.objects.filter(person=person, state=State.WAITING).first()
    if standing is None or not move_departure(standing, to=State.WITHDRAWN):
        return False
    Person.objects.filter(pk=person.pk, left_at__isnull=True).update(is_active=True)
    audit.record("person.let_in", person, by=by, now=now)
    return True


def waiting() -> list[Departure]:
    """Everybody who is locked out and waits for a word."""
    return list(Departure.objects.filter(state=State.WAITING).select_related("person"))


@transaction.atomic
def agree(*, typed: str, by: Person, now: dt.datetime) -> int:
    """An administrator says that those who wait have left; a worker lets them. Returns how many.

    Raises :class:`NotAgreed` unless the number of them was typed.
    """
    rows = waiting()
    if not brake.is_number(typed, len(rows)):
        raise NotAgreed("typed", brake.type_it())
    agreed = sum(move_departure(row, to=State.AGREED, agreed_by=by) for row in rows)
    if rows:
        audit.record("scim.departures_agreed", rows[0], by=by, now=now, people=agreed)
    return agreed


def stay_all(*, by: Person, now: dt.datetime) -> int:
    """An administrator says that those who wait are still here. Returns how many."""
    return sum(stay(row.person, by=by, now=now) for row in waiting())


def leave_agreed(*, most: int, now: dt.datetime) -> int:
    """Let some of those leave who were agreed on; returns how many."""
    rows = Departure.objects.filter(state=State.AGREED).select_related("person", "agreed_by")
    count = 0
    for row in rows[:most]:
        if leave(row.person, by=row.agreed_by, now=now):
            Person.objects.filter(pk=row.person_id).update(is_active=True)
            move_departure(row, to=State.WITHDRAWN)
        else:
            move_departure(row, to=State.DONE)
            count += 1
    return count
