"""The life of a date: planned, changed, called off; and who was there."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from campaigns import wallclock, wording
from campaigns.refusals import FieldRefused

from . import completions
from .bookings import fill, locked
from .models import Booking, Completion, Course, Session
from .states import move_booking, move_session

LONGEST = dt.timedelta(days=14)
FARTHEST = dt.timedelta(days=3 * 366)
MOST_SEATS = 1000


class NotPlanned(FieldRefused):
    """The date cannot be had so; ``field`` says where the sentence belongs."""


class Changed(Exception):
    """Somebody else has changed the date since the form was opened."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a form says about a date. Moments are instants; ``zone`` is the clock they mean."""

    begins_at: dt.datetime
    ends_at: dt.datetime
    zone: str
    seats: int
    room: str = ""
    link: str = ""
    trainer: Person | None = None
    trainer_name: str = ""

    def columns(self) -> dict[str, object]:
        """The row's fields; the wall's words come from the instants, to the minute."""
        zone = ZoneInfo(self.zone)
        wall = "%Y-%m-%dT%H:%M"
        return {
            "zone": self.zone,
            "begins_at": self.begins_at,
            "ends_at": self.ends_at,
            "begins_wall": self.begins_at.astimezone(zone).strftime(wall),
            "ends_wall": self.ends_at.astimezone(zone).strftime(wall),
            "seats": self.seats,
            "room": self.room,
            "link": self.link,
            "trainer": self.trainer,
            "trainer_name": "" if self.trainer else self.trainer_name,
        }


def _check(terms: Terms, now: dt.datetime) -> None:
    if terms.begins_at <= now:
        raise NotPlanned("begins", _("This moment is in the past."))
    if terms.begins_at > now + FARTHEST:
        raise NotPlanned("begins", _("That is more than three years ahead."))
    if terms.ends_at <= terms.begins_at:
        raise NotPlanned("ends", _("The end must be after the beginning."))
    if terms.ends_at - terms.begins_at > LONGEST:
        raise NotPlanned("ends", _("A date lasts 14 days at most."))
    if not 1 <= terms.seats <= MOST_SEATS:
        raise NotPlanned("seats", _("Between 1 and 1,000 seats."))
    if not terms.room and not terms.link:
        raise NotPlanned("room", _("Say where: a room, a link, or both."))
    if terms.trainer and terms.trainer.left_at:
        raise NotPlanned("trainer", _("Nobody here has this address. Write it as they log in."))


@transaction.atomic
def plan(*, course: Course, terms: Terms, by: Person, now: dt.datetime) -> Session:
    """Offer a date. Raises :class:`NotPlanned`."""
    _check(terms, now)
    if course.how != Course.How.DATES:
        raise NotPlanned("", _("This course has lessons and no dates."))
    session = Session.objects.create(course=course, changed_at=now, **terms.columns())
    audit.record("session.planned", session, by=by, now=now, course=course.pk)
    return session


@transaction.atomic
def change(
    *, session: Session, terms: Terms, revision: int, by: Person, now: dt.datetime
) -> Session:
    """Change a date that has not begun. New seats go to who waits; a new time or place is told.

    Raises :class:`NotPlanned`, :class:`Changed`.
    """
    row = locked(session)
    if row.state != Session.State.PLANNED or row.begins_at <= now:
        raise NotPlanned("", _("This date has begun or is called off; it stays as it is."))
    if row.revision != revision:
        raise Changed
    _check(terms, now)
    if terms.seats < row.taken:
        raise NotPlanned(
            "seats", _("%(taken)s seats are taken. Fewer do not fit.") % {"taken": row.taken}
        )
    columns = terms.columns()
    told = {name: columns[name] for name in ("begins_at", "ends_at", "room", "link")}
    moved = any(getattr(row, name) != value for name, value in told.items())
    Session.objects.filter(pk=row.pk).update(**columns, changed_at=now, revision=F("revision") + 1)
    row.refresh_from_db()
    if moved:
        Booking.objects.filter(
            Q(news="") | Q(news="changed"), session=row, state__in=["waiting", "booked"]
        ).update(news="changed", reminded_at=None)
    fill(row, now=now)
    audit.record("session.changed", row, by=by, now=now, told=moved)
    return row


@transaction.atomic
def call_off(*, session: Session, why: str, by: Person, now: dt.datetime) -> bool:
    """Call a date off and tell everybody who has a place; tells whether it stood."""
    row = locked(session)
    if row.state != Session.State.PLANNED or row.begins_at <= now:
        return False
    clean = " ".join(wording.clean(why).split())[:300]
    move_session(row, to="called_off", called_off_at=now, changed_at=now, why_off=clean)
    Booking.objects.filter(session=row, state__in=Booking.OPEN).update(news="called_off")
    audit.record("session.called_off", row, by=by, now=now)
    return True


def participants(session: Session) -> "QuerySet[Booking]":
    """Who has a seat and works here, by name: what the room and the trainer need."""
    rows = Booking.objects.filter(
        session=session, state__in=["booked", "attended"], person__left_at__isnull=True
    )
    return rows.select_related("person__site").order_by("person__name", "person_id")


@transaction.atomic
def mark(
    *, session: Session, shown: set[int], there: set[int], by: Person, now: dt.datetime
) -> int:
    """Note who was there, of the bookings the form showed; returns how many changed.

    Who was there has completed the course on the day it ended. A mark taken away again takes the
    completion back. Nothing is noted of who was not there.
    """
    row = locked(session)
    if row.state != Session.State.PLANNED or row.begins_at > now:
        return 0
    changed = 0
    for booking in participants(row).filter(pk__in=shown):
        if booking.pk in there and booking.state == Booking.State.BOOKED:
            move_booking(booking, to="attended", since_at=now, news="")
            completions.complete(
                person=booking.person, course=row.course, on=row.ends.date(), booking=booking,
                by=by, now=now,
            )  # fmt: skip
        elif booking.pk not in there and booking.state == Booking.State.ATTENDED:
            move_booking(booking, to="booked", since_at=now, news="")
            for done in Completion.objects.filter(booking=booking):
                completions.take_back(completion=done, by=by, now=now)
        else:
            continue
        changed += 1
    return changed


def follow_clocks(*, now: dt.datetime) -> int:
    """Bring the instants in step with what the wall says; returns how many moved.

    They part when a country changes the rules of its clocks after a date was planned.
    """
    moved = 0
    for row in Session.objects.filter(begins_at__gt=now, state="planned"):
        zone = ZoneInfo(row.zone)
        begins = wallclock.read(row.begins_wall, zone).at
        ends = wallclock.read(row.ends_wall, zone).at
        if begins < ends and (begins, ends) != (row.begins_at, row.ends_at):
            rows = Session.objects.filter(pk=row.pk, revision=row.revision)
            moved += rows.update(begins_at=begins, ends_at=ends, changed_at=now)
    return moved
