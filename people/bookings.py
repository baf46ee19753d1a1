"""The life of a booking: a seat or a place in the line, moved up, given back.

Every verb locks the session's row first, so that seats and line change together; the last seat is
given by one conditional UPDATE, and a constraint stands behind it. Whoever waits is the first to
hear of a free seat: where somebody waits, no seat is free.
"""

import datetime as dt

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person

from .models import Booking, Session
from .states import move_booking

ASK_WITHIN = dt.timedelta(hours=24)  # so shortly before, a seat is offered, not given
LONGEST_OFFER = dt.timedelta(hours=4)


class NotBooked(Exception):
    """There is no place to be had; the message is for the person."""


def locked(session: Session) -> Session:
    """The session as it is, for the rest of the caller's transaction nobody else's."""
    return Session.objects.select_for_update().get(pk=session.pk)


@transaction.atomic
def book(*, session: Session, by: Person, now: dt.datetime) -> Booking:
    """Take a seat, or the end of the line; a second click finds the first one's place.

    Effects in order: seat by conditional UPDATE, booking, places in the lines of the same
    course's other dates given back, audit entry. Raises :class:`NotBooked`.
    """
    person = Person.objects.select_for_update(no_key=True).get(pk=by.pk)
    if person.left_at or not person.is_active:
        raise NotBooked(_("Only who works here has a place."))
    row = locked(session)
    if standing := Booking.objects.filter(session=row, person=person, state__in=Booking.OPEN):
        return standing[0]
    _check(row, person, now)
    state = Booking.State.BOOKED if _take_seat(row) else Booking.State.WAITING
    booking = Booking.objects.create(session=row, person=person, state=state, since_at=now)
    if state == Booking.State.BOOKED:
        _leave_lines(booking, now)
    audit.record(f"booking.{state}", booking, by=by, now=now, session=row.pk)
    return booking


def _check(session: Session, person: Person, now: dt.datetime) -> None:
    if session.state != Session.State.PLANNED:
        raise NotBooked(_("This date is called off."))
    if session.begins_at <= now:
        raise NotBooked(_("It has begun already."))
    if not session.course.is_offered:
        raise NotBooked(_("This course is not offered at present."))
    other = _others(session, person).filter(
        state__in=["asked", "booked"], session__begins_at__gt=now, session__state="planned"
    )
    if seat := other.select_related("session").first():
        raise NotBooked(
            _("You have a seat on %(day)s. Give that one back first, then take this one.")
            % {"day": date_format(seat.session.begins, "j. F")}
        )


def _others(session: Session, person: Person) -> "QuerySet[Booking]":
    """The person's places on other dates of the same course."""
    rows = Booking.objects.filter(person=person, session__course=session.course_id)
    return rows.exclude(session=session)


def _leave_lines(booking: Booking, now: dt.datetime) -> None:
    """Who has a seat waits for no other date of the course."""
    for waiting in _others(booking.session, booking.person).filter(state="waiting"):
        move_booking(waiting, to="given_back", since_at=now, news="")


def _take_seat(session: Session) -> bool:
    """Take one seat if one is free: the database decides."""
    rows = Session.objects.filter(pk=session.pk, state="planned", taken__lt=F("seats"))
    return bool(rows.update(taken=F("taken") + 1))


def _free_seat(session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(taken=F("taken") - 1)


@transaction.atomic
def give_back(*, booking: Booking, by: Person | None, now: dt.datetime) -> bool:
    """Give a seat, an offer or a place in the line back; tells whether there was one.

    After the beginning nothing is given back. Effects in order: booking, seat, whoever waits
    moves up, audit entry.
    """
    session = locked(booking.session)
    booking.refresh_from_db(fields=["state"])
    held = booking.state
    if session.begins_at <= now or held not in {"waiting", "asked", "booked"}:
        return False
    move_booking(booking, to="given_back", since_at=now, news="")
    if held in Booking.HOLDS_A_SEAT:
        _free_seat(session)
        fill(session, now=now)
    audit.record("booking.given_back", booking, by=by, now=now, session=session.pk)
    return True


@transaction.atomic
def accept(*, booking: Booking, by: Person, now: dt.datetime) -> bool:
    """Say yes to an offered seat; tells whether it was still kept."""
    session = locked(booking.session)
    booking.refresh_from_db(fields=["state", "answer_by"])
    late = booking.answer_by is None or booking.answer_by <= now or session.begins_at <= now
    if booking.state != Booking.State.ASKED or late:
        return False
    move_booking(booking, to="booked", since_at=now, news="")
    _leave_lines(booking, now)
    audit.record("booking.accepted", booking, by=by, now=now, session=session.pk)
    return True


def fill(session: Session, *, now: dt.datetime) -> None:
    """Let who waits move up while seats are free, inside the transaction that freed them.

    Within a day of the beginning a seat is offered instead, and kept for half of the time that is
    left, four hours at most: nobody finds themselves booked for tomorrow morning.
    """
    left = session.begins_at - now
    if left <= dt.timedelta(0):
        return
    line = Booking.objects.filter(
        session=session,
        state="waiting",
        person__left_at__isnull=True,
        person__is_active=True,
    )
    for booking in line.order_by("since_at", "pk").select_related("person", "session"):
        if not _take_seat(session):
            return
        if left <= ASK_WITHIN:
            until = now + min(LONGEST_OFFER, left / 2)
            moved = move_booking(booking, to="asked", since_at=now, answer_by=until, news="asked")
        else:
            moved = move_booking(booking, to="booked", since_at=now, news="moved_up")
            _leave_lines(booking, now)
        if not moved:
            _free_seat(session)
            continue
        audit.record("booking.moved_up", booking, by=None, now=now, session=session.pk)


def pass_on_due(*, now: dt.datetime) -> int:
    """Pass on offered seats that nobody answered, and places of people who have left.

    Returns how many. An offer not answered is no record: the row says given back, as any other.
    """
    silent = Booking.objects.filter(state="asked", answer_by__lte=now)
    gone = Booking.objects.filter(
        state__in=["waiting", "asked", "booked"],
        person__left_at__isnull=False,
        session__begins_at__gt=now,
    )
    passed = 0
    for booking in [*silent.select_related("session"), *gone.select_related("session")]:
        with transaction.atomic():
            session = locked(booking.session)
            booking.refresh_from_db(fields=["state"])
            held = booking.state
            if held not in {"waiting", "asked", "booked"}:
                continue
            move_booking(booking, to="given_back", since_at=now, news="")
            if held in Booking.HOLDS_A_SEAT:
                _free_seat(session)
                fill(session, now=now)
            passed += 1
    return passed
