"""Dates of courses for calendar programmes: one seat as a file, all of a person's."""

import datetime as dt
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from ambassadors.models import Person
from integrations import ical

from .models import Booking, Session
from .training_mails import where

NAME = "training"  # of the calendar
_BACK, _MOST = dt.timedelta(days=92), 300


def of_person(person: Person, now: dt.datetime) -> str:
    """All seats of a person, and what was called off."""
    rows = Booking.objects.filter(
        person=person, state__in=Booking.HOLDS_A_SEAT, session__begins_at__gte=now - _BACK
    )
    rows = rows.select_related("session__course", "session__trainer")
    return _calendar(list(rows.order_by("session__begins_at")[:_MOST]))


def of_booking(booking: Booking) -> str:
    """One seat as a calendar of one event."""
    return _calendar([booking])


def _calendar(rows: list[Booking]) -> str:
    host = urlsplit(settings.SITE_URL).hostname or "botschaft"
    return ical.calendar([_event(row) for row in rows], name=_("Training"), host=host)


def _event(row: Booking) -> ical.Event:
    session = row.session
    title = session.course.title
    if row.state == Booking.State.ASKED:
        title = _("Offered: %(course)s") % {"course": title}
    return ical.Event(
        key=f"course-date-{session.pk}",
        at=session.begins_at,
        until=session.ends_at,
        changed_at=max(session.changed_at, row.since_at),
        title=title,
        note="\n".join(filter(None, (session.who_trains, session.link))),
        url=settings.SITE_URL + reverse("booking", args=[row.pk]),
        place=session.room or where(session),
        called_off=session.state == Session.State.CALLED_OFF,
    )
