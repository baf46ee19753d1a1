"""Talks in calendar programmes: the organiser's file, and the appointments of a speaker."""

import datetime as dt
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from ambassadors.models import Person
from integrations import ical

from .models import TalkRequest

_BACK = dt.timedelta(days=62)
_MOST = 200


def event(request: TalkRequest, *, url: str, note: str) -> ical.Event | None:
    """The booked talk as an event; None while it has no date.

    Its key is the same for organiser and speaker, and stays when the date moves.
    """
    begins, ends = request.begins, request.ends
    if begins is None or ends is None:
        return None
    return ical.Event(
        key=f"talk-{request.pk}",
        at=begins,
        until=ends,
        changed_at=request.changed_at,
        title=request.event,
        note=note,
        url=url,
        place=request.place or _("by video"),
        called_off=request.state in {"cancelled", "declined", "lapsed"},
    )


def for_organiser(request: TalkRequest) -> str:
    """The file that goes with the mail and hangs on the asker's page."""
    url = f"{settings.SITE_URL}{reverse('talk_asked')}#{request.token}"
    speaks = request.speaks
    note = f"{speaks.name}: {request.title}" if speaks else request.title
    found = event(request, url=url, note=note)
    return ical.calendar([found] if found else [], name=request.event, host=_host())


def of_person(person: Person, *, now: dt.datetime) -> list[ical.Event]:
    """The talks a speaker is booked for, and what was called off; the last two months included."""
    rows = TalkRequest.objects.filter(
        speaker__person=person,
        state__in=["booked", "held", "declined", "cancelled"],
        begins_at__gte=now - _BACK,
    ).select_related("speaker__person", "talk")
    found = [
        event(
            row,
            url=settings.SITE_URL + reverse("talk_request", args=[row.pk]),
            note="\n".join(filter(None, [row.title, row.organisation])),
        )
        for row in rows.order_by("begins_at", "pk")[:_MOST]
    ]
    return [each for each in found if each]


def _host() -> str:
    return urlsplit(settings.SITE_URL).hostname or "botschaft"
