"""What mails about courses say: moved up, asked, changed, called off, tomorrow, soon over."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from campaigns.hours import Calendar
from campaigns.models import Programme
from integrations import mails

from .models import Booking, Completion, Session

_MOST = 200  # mails of one round
_URGENT = dt.timedelta(hours=24)
_BEFORE_EXPIRY = dt.timedelta(days=30)


def tell_due(*, now: dt.datetime) -> int:
    """Write the mails that bookings still owe; returns how many.

    Marked before it is written: a crash in between costs the mail, never makes a second one; the
    page says the same. At night only what concerns the next day is told.
    """
    calendar, told = Calendar(Programme.the(), now), 0
    rows = Booking.objects.exclude(news="").select_related("session__course", "person")
    for booking in rows.order_by("pk")[:_MOST]:
        urgent = booking.session.begins_at - now <= _URGENT
        if calendar.of(booking.person).quiet(now) and not urgent:
            continue
        if not Booking.objects.filter(pk=booking.pk, news=booking.news).update(news=""):
            continue
        if booking.person.left_at is None:
            told += _send(booking, *_news(booking))
    return told


def when(session: Session) -> str:
    """A date with its beginning and end on the clock of the place, and the zone's name."""
    begins, ends = session.begins, session.ends
    day = date_format(begins, "l, j. F Y")
    until = f"{ends:%H:%M}" if ends.date() == begins.date() else date_format(ends, "j. F, H:i")
    return f"{day}, {begins:%H:%M}–{until} ({begins.tzname()})"


def where(session: Session) -> str:
    """Room and link, whichever there are."""
    return "\n".join(filter(None, (session.room, session.link)))


def _news(booking: Booking) -> tuple[str, str]:
    """Subject and first paragraph of what has happened, in the language of the person."""
    session = booking.session
    with translation.override(booking.person.language):
        said = {"course": session.course.title}
        match booking.news:
            case "moved_up":
                return _("You have a seat: %(course)s") % said, _(
                    "A seat became free and it is yours. If it does not suit you any more, give it"
                    " back with one press, and the next in line moves up."
                )
            case "asked":
                until = booking.person.local(booking.answer_by) if booking.answer_by else None
                return _("A seat is free: %(course)s. Do you want it?") % said, _(
                    "It begins soon, so we ask first. The seat is kept for you until %(until)s;"
                    " after that the next in line is asked, and nothing is noted."
                ) % {"until": f"{until:%H:%M}" if until else ""}
            case "changed":
                return _("Another time or place: %(course)s") % said, _(
                    "The date has changed. If it does not suit you any more, give your place back"
                    " with one press."
                )
            case _off:
                why = f"\n\n{session.why_off}" if session.why_off else ""
                return _("Called off: %(course)s") % said, _(
                    "This date does not take place. We are sorry. You need not do anything."
                ) + why


def _send(booking: Booking, subject: str, first: str) -> bool:
    page = settings.SITE_URL + reverse("booking", args=[booking.pk])
    with translation.override(booking.person.language):
        body = f"{first}\n\n{when(booking.session)}\n{where(booking.session)}\n\n{page}"
    return mails.send(booking.person, subject, body, about=f"booking {booking.pk}")


def remind_due(*, now: dt.datetime) -> int:
    """Remind of dates on the working day before, from eight o'clock at the place; once each.

    Who took the seat on that day or later knows. Returns how many mails.
    """
    calendar, told = Calendar(Programme.the(), now), 0
    soon = Session.objects.filter(
        state="planned", begins_at__gt=now, begins_at__lt=now + dt.timedelta(days=8)
    )
    for session in soon:
        here = now.astimezone(ZoneInfo(session.zone))
        place = calendar.at(None, ZoneInfo(session.zone))
        on = place.working_day_before(session.begins.date())
        if here.date() < on or place.quiet(now):
            continue
        midnight = dt.datetime.combine(on, dt.time(), ZoneInfo(session.zone))
        rows = Booking.objects.filter(
            session=session, state="booked", reminded_at__isnull=True, since_at__lt=midnight,
            person__left_at__isnull=True,
        )  # fmt: skip
        for booking in rows.select_related("session__course", "person")[:_MOST]:
            if calendar.of(booking.person).quiet(now) and session.begins_at - now > _URGENT:
                continue
            if not Booking.objects.filter(pk=booking.pk, reminded_at__isnull=True).update(
                reminded_at=now
            ):
                continue
            with translation.override(booking.person.language):
                subject = _("Soon: %(course)s") % {"course": session.course.title}
                first = _("You have a seat. If something came up, give it back; others may wait.")
            told += _send(booking, subject, first)
    return told


def warn_of_expiry(*, now: dt.datetime) -> int:
    """Tell people, and nobody else, that a completion of theirs ends within a month; once.

    Not where a later completion of the same course holds longer. Returns how many mails.
    """
    calendar, told = Calendar(Programme.the(), now), 0
    today = now.date()
    rows = Completion.objects.valid(today).filter(
        expires_on__lte=today + _BEFORE_EXPIRY,
        reminded_at__isnull=True,
        person__left_at__isnull=True,
        course__withdrawn_at__isnull=True,
    )
    for row in rows.select_related("person", "course")[:_MOST]:
        person = row.person
        if calendar.of(person).quiet(now):
            continue
        if not Completion.objects.filter(pk=row.pk, reminded_at__isnull=True).update(
            reminded_at=now
        ):
            continue
        if row.expires_on and not _holds_longer(row, row.expires_on):
            told += _tell_expiry(row, row.expires_on)
    return told


def _holds_longer(row: Completion, until: dt.date) -> bool:
    others = Completion.objects.filter(
        person=row.person_id, course=row.course_id, taken_back_at__isnull=True
    ).exclude(pk=row.pk)
    return others.filter(Q(expires_on__isnull=True) | Q(expires_on__gt=until)).exists()


def _tell_expiry(row: Completion, until: dt.date) -> bool:
    page = settings.SITE_URL + reverse("course", args=[row.course_id])
    with translation.override(row.person.language):
        said = {"course": row.course.title, "day": date_format(until, "j. F Y")}
        subject = _("Yours until %(day)s: %(course)s") % said
        body = _(
            "Your completion of “%(course)s” holds until %(day)s. You can take the course again"
            " here:\n\n%(page)s\n\nOnly you get this mail, and it is the only one."
        ) % {**said, "page": page}
    return mails.send(row.person, subject, body, about=f"completion {row.pk}")
