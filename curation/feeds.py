"""Passwords of the newsroom's calendar: one for each curator, ended by raising a number."""

import datetime as dt
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signing import Signer
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from campaigns.models import Briefing, Suggestion
from integrations import ical

from .models import CalendarFeed

_SIGNER = Signer(salt="newsroom calendar")
_BACK, _AHEAD = dt.timedelta(days=31), dt.timedelta(days=366)
_MOST = 500  # of each kind


@transaction.atomic
def make(*, by: Person, now: dt.datetime) -> CalendarFeed:
    """Open the calendar to a person's program; nothing changes where it is open."""
    feed, _new = CalendarFeed.objects.get_or_create(person=by)
    if CalendarFeed.objects.filter(pk=feed.pk, open_since__isnull=True).update(open_since=now):
        audit.record("feed.opened", feed, by=by, now=now)
    feed.refresh_from_db()
    return feed


@transaction.atomic
def revoke(*, by: Person, now: dt.datetime) -> bool:
    """End a password for good; tells whether there was one."""
    mine = CalendarFeed.objects.filter(person=by, open_since__isnull=False)
    feed = mine.first()
    if feed is None or not mine.update(open_since=None, number=F("number") + 1):
        return False
    audit.record("feed.revoked", feed, by=by, now=now)
    return True


def signed(person: Person) -> str:
    """What opens a person's calendar, ``number.number:signature``; empty where none is open."""
    feed = CalendarFeed.objects.filter(person=person, open_since__isnull=False).first()
    return _SIGNER.sign(f"{person.pk}.{feed.number}") if feed else ""


def reader(text: str) -> Person | None:
    """Whose it is: a curator's who works here and has not revoked it; else None.

    Raises BadSignature for what was never given to anybody.
    """
    person, _dot, number = _SIGNER.unsign(text).partition(".")
    feed = CalendarFeed.objects.filter(
        person=int(person),
        number=int(number),
        open_since__isnull=False,
        person__left_at__isnull=True,
        person__is_active=True,
        person__role__name="curator",
    )
    found = feed.select_related("person").first()
    return found.person if found else None


def calendar(now: dt.datetime) -> str:
    """Beginnings, ends and briefings; no person and no person's post."""
    begin, end = now - _BACK, now + _AHEAD
    events: list[ical.Event] = []
    for column, label in (("embargo_until", _("Embargo ends")), ("expires_at", _("Ends"))):
        rows = Suggestion.objects.exclude(state="withdrawn").filter(
            **{f"{column}__gte": begin, f"{column}__lt": end}
        )
        rows = rows.select_related("topic").order_by(column, "pk")[:_MOST]
        events.extend(_event(row, column, label) for row in rows)
    for issue in Briefing.objects.filter(day__gte=begin.date(), published_at__isnull=False)[:_MOST]:
        assert issue.published_at  # noqa: S101 - the filter says so
        events.append(
            ical.Event(
                key=f"briefing-{issue.day}",
                at=issue.published_at,
                changed_at=issue.published_at,
                title=_("Briefing"),
                note="",
                url=settings.SITE_URL + reverse("today"),
            )
        )
    host = urlsplit(settings.SITE_URL).hostname or "botschaft"
    return ical.calendar(events, name=_("Botschaft, desk"), host=host)


def _event(row: Suggestion, column: str, label: str) -> ical.Event:
    state = row.get_state_display()
    held = f", {_('On hold')}" if row.is_held or row.topic.is_held else ""
    return ical.Event(
        key=f"{column}-{row.pk}",
        at=getattr(row, column),
        changed_at=row.changed_at,
        title=f"{label}: {row.title}",
        note=f"{row.topic.title}\n{state}{held}",
        url=settings.SITE_URL + reverse("suggestion_edit", args=[row.pk]),
    )
