"""Terms in teams: begin, move from stage to stage, renew, end. The only writer of a ``stage``.

The graph below stands in the database a second time, as a trigger that also counts the places of
a team (migration 0005); a test compares the two.
"""

import calendar
import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from . import audit, logins
from .models import Membership, MembershipStep, Person, Role, Team
from .states import NoSuchWay

# target: the stages it may be reached from. A term that never began leaves by ``drop``.
WAYS: dict[str, tuple[str, ...]] = {
    "nominated": (),
    "invited": ("nominated",),
    "in_training": ("invited", "paused"),
    "active": ("invited", "in_training", "paused"),
    "paused": ("in_training", "active"),
    "alumni": ("in_training", "active", "paused"),
}
NOT_BEGUN = ("nominated", "invited")


class NoPlace(Exception):
    """All places of the team are taken."""


def day_of(now: dt.datetime) -> dt.date:
    """The company's day at an instant; terms begin and end with it."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def later(day: dt.date, months: int) -> dt.date:
    """The same day some months on, the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _take_place(team: Team) -> None:
    """Hold the team's row until the commit, so that two who want the last place queue up.

    Raises :class:`NoPlace`.
    """
    rows = Team.objects.select_for_update(no_key=True).filter(capacity__isnull=False)
    limited = rows.filter(pk=team.pk).first()
    if limited is None or limited.capacity is None:
        return
    held = Membership.objects.filter(team=team, ended_on__isnull=True)
    if held.filter(stage__in=Membership.HOLDS_PLACE).count() >= limited.capacity:
        raise NoPlace


def _until(team: Team, begins_on: dt.date) -> dt.date | None:
    return later(begins_on, team.term_months) if team.term_months else None


@transaction.atomic
def begin(
    *, person: Person, team: Team, stage: str, by: Person | None, now: dt.datetime
) -> Membership:
    """Open a term. Raises IntegrityError when an open one exists, and :class:`NoPlace`."""
    today = day_of(now)
    if stage in Membership.HOLDS_PLACE:
        _take_place(team)
    membership = Membership.objects.create(
        person=person,
        team=team,
        stage=stage,
        stage_since_on=today,
        started_on=today,
        until_on=_until(team, today) if stage == Membership.Stage.ACTIVE else None,
    )
    MembershipStep.objects.create(membership=membership, stage=stage, since_on=today)
    audit.record("membership.begun", membership, by=by, now=now, stage=stage)
    return membership


@transaction.atomic
def move(
    *,
    membership: Membership,
    to: str,
    by: Person | None,
    now: dt.datetime,
    paused_until_on: dt.date | None = None,
    reason: str = "",
) -> bool:
    """Move a term from the stage it was read in; tells whether it still was in it.

    Effects in order: place taken where one is needed, one conditional UPDATE, history, audit
    entry; the row in hand is read again. Raises :class:`NoPlace`.
    """
    source = membership.stage
    if source not in WAYS[to]:
        message = f"{source} → {to}"
        raise NoSuchWay(message)
    if source not in Membership.HOLDS_PLACE and to in Membership.HOLDS_PLACE:
        _take_place(membership.team)
    today = max(day_of(now), membership.started_on)
    changes: dict[str, object] = {"paused_until_on": paused_until_on}
    if to == Membership.Stage.ALUMNI:
        changes["ended_on"] = today
    if to == Membership.Stage.ACTIVE and membership.until_on is None:
        changes["until_on"] = _until(membership.team, today)
    rows = Membership.objects.filter(pk=membership.pk, stage=source, ended_on__isnull=True)
    if not rows.update(stage=to, stage_since_on=today, **changes):
        return False
    MembershipStep.objects.create(membership=membership, stage=to, since_on=today)
    act = "membership.ended" if to == Membership.Stage.ALUMNI else "membership.moved"
    audit.record(act, membership, by=by, now=now, reason=reason, source=source, to=to)
    membership.refresh_from_db()
    return True


@transaction.atomic
def drop(*, membership: Membership, by: Person | None, now: dt.datetime) -> bool:
    """Forget a term that never began; tells whether there was one.

    A nomination or invitation that came to nothing is no history of anybody: the row goes, and
    the audit entry does not name whose it was, not even as the one who said no.
    """
    by = None if by and by.pk == membership.person_id else by
    gone, _what = Membership.objects.filter(pk=membership.pk, stage__in=NOT_BEGUN).delete()
    if gone:
        audit.record("membership.dropped", membership, by=by, now=now)
    return bool(gone)


def end(*, membership: Membership, by: Person | None, now: dt.datetime, reason: str = "") -> bool:
    """Close a term, or forget one that never began; tells whether it was open."""
    while membership.ended_on is None:
        if membership.stage in NOT_BEGUN:
            ended = drop(membership=membership, by=by, now=now)
        else:
            ended = move(membership=membership, to="alumni", by=by, now=now, reason=reason)
        if ended:
            return True
        fresh = Membership.objects.filter(pk=membership.pk).first()  # somebody was faster
        if fresh is None:
            return False
        membership = fresh
    return False


@transaction.atomic
def renew(*, membership: Membership, by: Person, now: dt.datetime) -> bool:
    """Agree on another term from the day the agreed one ends; two clicks count once."""
    months, until_on = membership.team.term_months, membership.until_on
    if months is None or until_on is None:
        return False
    rows = Membership.objects.filter(pk=membership.pk, until_on=until_on, ended_on__isnull=True)
    new = later(max(until_on, day_of(now)), months)
    if not rows.update(until_on=new, renewal_asked_at=None):
        return False
    audit.record("membership.renewed", membership, by=by, now=now, until_on=new.isoformat())
    membership.refresh_from_db()
    return True


class LastAdministrator(Exception):
    """Without this person nobody could run the installation any more."""


class LeftAlready(Exception):
    """Somebody else was faster: the person has left, or the planned day was taken back."""


@transaction.atomic
def leave_company(
    *, person: Person, by: Person | None, now: dt.datetime, planned_on: dt.date | None = None
) -> None:
    """Somebody leaves: terms end, logins stop, and the sender sees ``left_at`` before any byte.

    With ``planned_on`` only while that is still their planned last day.
    Raises :class:`LastAdministrator`, :class:`LeftAlready`.
    """
    keep_an_administrator(person)
    here = Person.objects.filter(pk=person.pk, left_at__isnull=True)
    if planned_on:
        here = here.filter(leaves_on=planned_on)
    if not here.update(left_at=now, is_active=False):
        raise LeftAlready
    for membership in Membership.objects.filter(person=person, ended_on__isnull=True):
        end(membership=membership, by=by, now=now, reason="left the company")
    logins.end(person)
    audit.record("person.left", person, by=by, now=now)


def keep_an_administrator(person: Person) -> None:
    """Refuse to lose the last administrator. Raises :class:`LastAdministrator`.

    The rows are locked first and asked afterwards, so that two who leave at once do not each
    count on the other.
    """
    administrators = Role.objects.filter(name=Role.Name.ADMINISTRATOR)
    if not administrators.filter(person=person).exists():
        return
    list(administrators.order_by("pk").select_for_update())
    others = administrators.exclude(person=person)
    if not others.filter(person__left_at__isnull=True, person__is_active=True).exists():
        raise LastAdministrator
