"""How we reach a person: each way off until they choose it, and off again by one press."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns import pushes, reaching
from campaigns.models import Programme, ReachWish, Way

NONE = "none"


def offered(person: Person) -> set[str]:
    """Ways that can be chosen here."""
    return {Way.MAIL, Way.PUSH} if pushes.has_device(person) else {Way.MAIL}


def reach(request: HttpRequest) -> HttpResponse:
    """Choose by which way the day's message comes, from when on, and which ways tell of holds."""
    person, programme = cast("Person", request.user), Programme.the()
    if request.method != "POST":
        return _page(request, person, programme)
    ways = offered(person)
    daily = request.POST.get("daily", NONE)
    also = set(request.POST.getlist("holds")) & ways
    try:
        at = working_time(request.POST.get("at", ""), programme) if daily in ways else None
    except ValueError:
        return _page(request, person, programme, error=time_refused(programme))
    now = timezone.now()
    for way in Way:
        if way == daily and way in ways:
            reaching.wish(by=person, way=way, at=at, now=now)
        elif way in also:
            reaching.wish(by=person, way=way, at=None, now=now)
        elif way in ways:
            reaching.stop(person=person, way=way)
    messages.success(request, _("Kept. Nobody else sees what you chose."))
    return redirect("reach")


def _page(
    request: HttpRequest, person: Person, programme: Programme, *, error: str = ""
) -> HttpResponse:
    mine, ways = reaching.wishes(person), offered(person)
    daily = next((row for row in mine.values() if row.at and not row.off_at), None)
    context: dict[str, Any] = {
        "ways": [way for way in Way if way in ways],
        "daily": request.POST.get("daily", daily.way if daily else NONE),
        "holds": set(request.POST.getlist("holds")) if error else _on(mine),
        "at": request.POST.get("at", f"{daily.at:%H:%M}" if daily else "07:30")[:20],
        "off": [row for row in mine.values() if row.off_at],
        "error": error,
        "programme": programme,
    }
    return render(request, "reach.html", context, status=422 if error else 200)


def _on(mine: dict[str, ReachWish]) -> set[str]:
    return {way for way, row in mine.items() if not row.off_at}


def working_time(text: str, programme: Programme) -> dt.time:
    """A time in working hours. Raises ValueError."""
    time = dt.time.fromisoformat(text)
    if time.tzinfo or not programme.quiet_until_hour <= time.hour < programme.quiet_from_hour:
        raise ValueError
    return time.replace(second=0, microsecond=0)


def time_refused(programme: Programme) -> str:
    """The sentence beside a time that is none, or lies in quiet hours."""
    return _("Choose a time between %(a)s:00 and %(b)s:00.") % {
        "a": programme.quiet_until_hour,
        "b": programme.quiet_from_hour,
    }
