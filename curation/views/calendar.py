"""The calendar: weeks and months, moving what begins and ends, drawing piles apart."""

import datetime as dt
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns import moments, subscriptions
from campaigns.models import Topic
from curation import acts, board, feeds
from curation.calendars import Span, calendar
from curation.models import Act

from .times import Unclear, moment


class _Doubt(Exception):
    """An entry cannot be moved like that; the message says why."""


def show(request: HttpRequest) -> HttpResponse:
    """A week or a month; on POST something is moved or spread, and back to where it is now."""
    person, now = cast("Person", request.user), timezone.now()
    span = Span.read(request.GET, person.local(now).date())
    error = ""
    if request.method == "POST":
        try:
            return redirect(f"{reverse('calendar')}?{_do(request, span, person, now)}")
        except _Doubt as doubt:
            error = str(doubt)
    done = acts.undoable(person, now)
    context = {
        **seen(span, person, now),
        "done": done,
        "undo_until": done and done.at + acts.UNDO,
        "here": urlencode({"to": "calendar"}) + f"&{span.query}",
        "spread": moments.undoable(person, now),
        "feed": subscriptions.of(feeds.signed(person), page="feed"),
        "error": error,
        "typed": request.POST,
    }
    return render(request, "calendar.html", context, status=422 if error else 200)


def seen(span: Span, person: Person, now: dt.datetime) -> dict[str, Any]:
    """What a week or a month needs to be drawn."""
    today = person.local(now).date()
    inside = span.first <= today < span.after.first
    day = today if inside else span.first
    return {
        "span": span,
        "days": calendar(span, person),
        "today": today,
        "now": now,
        "as_week": Span.around("week", day),
        "as_month": Span.around("month", day),
    }


def _do(request: HttpRequest, span: Span, person: Person, now: dt.datetime) -> str:
    """Move or spread; returns the address's rest to show then. Raises :class:`_Doubt`."""
    act = request.POST.get("act")
    if act in {"spread", "gather"}:
        (_spread if act == "spread" else _gather)(request, person, now)
        return f"{span.query}#calendar-h"
    return _move(request, span, person, now)


def _move(request: HttpRequest, span: Span, person: Person, now: dt.datetime) -> str:
    """Move one beginning or end to the typed moment."""
    what = request.POST.get("act", "")
    pk, _colon, revision = request.POST.get("pick", "").partition(":")
    if what not in {Act.What.BEGIN, Act.What.END} or not board.number(pk):
        raise _Doubt(_("Choose what to do."))
    try:
        at = moment(request.POST.get("at", ""), person, now)
    except Unclear as unclear:
        raise _Doubt(str(unclear)) from unclear
    one = acts.Chosen(board.number(pk), board.number(revision))
    acts.perform(what=Act.What(what), chosen=[one], value=at, by=person, now=now)
    there = Span.around(span.kind, person.local(at).date())
    return f"{there.query}#e-{what}-{one.pk}"


def _spread(request: HttpRequest, person: Person, now: dt.datetime) -> None:
    """Draw a pile apart."""
    topic = Topic.objects.filter(pk=board.number(request.POST.get("topic", ""))).first()
    try:
        hour = dt.datetime.fromisoformat(request.POST.get("hour", "")[:32])
        hour = hour.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    except (ValueError, OverflowError):
        hour = None
    if topic is None or hour is None:
        raise _Doubt(_("There is no pile any more."))
    try:
        moments.spread(topic=topic, hour=hour, by=person, now=now)
    except moments.NoPile as none:
        raise _Doubt(str(none)) from none
    said = _(
        "Spread. What people left to Botschaft leaves at quieter times of theirs; whoever chose the"
        " time is asked and decides alone."
    )
    messages.success(request, said)


def _gather(request: HttpRequest, person: Person, now: dt.datetime) -> None:
    """Undo the person's last spread."""
    done = moments.undoable(person, now)
    if done is None or str(done.pk) != request.POST.get("spread"):
        raise _Doubt(_("This cannot be undone any more: five minutes have passed."))
    try:
        moments.gather(done=done, by=person, now=now)
    except moments.NoPile as none:
        raise _Doubt(str(none)) from none
    messages.success(request, _("As before; nobody is asked any more."))
