"""Dates of courses for calendar programmes: one seat as a file, all of a person's as an address."""

import datetime as dt
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from integrations import ical

from .models import Booking, Session, TrainingFeed
from .training_mails import where

_SIGNER = Signer(salt="calendar of courses")
_BACK, _MOST = dt.timedelta(days=92), 300


@transaction.atomic
def make(*, by: Person, now: dt.datetime) -> TrainingFeed:
    """Give a person an address, or the one they have."""
    feed, _new = TrainingFeed.objects.get_or_create(person=by)
    if TrainingFeed.objects.filter(pk=feed.pk, open_since__isnull=True).update(open_since=now):
        audit.record("training_feed.opened", feed, by=by, now=now)
    feed.refresh_from_db()
    return feed


@transaction.atomic
def revoke(*, by: Person, now: dt.datetime) -> bool:
    """End a person's address for good; tells whether there was one."""
    mine = TrainingFeed.objects.filter(person=by, open_since__isnull=False)
    feed = mine.first()
    if feed is None or not mine.update(open_since=None, number=F("number") + 1):
        return False
    audit.record("training_feed.revoked", feed, by=by, now=now)
    return True


def address(person: Person) -> str:
    """The person's secret address, empty when they have none."""
    feed = TrainingFeed.objects.filter(person=person, open_since__isnull=False).first()
    if feed is None:
        return ""
    signed = _SIGNER.sign(f"{feed.person_id}.{feed.number}")
    return settings.SITE_URL + reverse("training_feed", args=[signed])


def reader(signed: str) -> Person | None:
    """Whose address it is: somebody's who works here and has not revoked it; else None."""
    try:
        person, _dot, number = _SIGNER.unsign(signed).partition(".")
    except BadSignature:
        return None
    feed = TrainingFeed.objects.filter(
        person=int(person),
        number=int(number),
        open_since__isnull=False,
        person__left_at__isnull=True,
        person__is_active=True,
    )
    found = feed.select_related("person").first()
    return found.person if found else None


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
