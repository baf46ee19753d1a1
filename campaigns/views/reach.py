"""How we reach a person: each way off until they choose it, and off again by one press."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns import hours, pushes, reaching
from campaigns.hours import Hours
from campaigns.models import Way
from integrations import chats

NONE = "none"


def offered(person: Person) -> list[Way]:
    """Ways that a person can choose, in the order of the page."""
    there = {Way.SLACK: chats.direct() is not None, Way.PUSH: pushes.has_device(person)}
    return [way for way in Way if there.get(way, True)]


def address_by(way: str, person: Person, now: dt.datetime) -> str:
    """What a way must know to find the person. Raises :class:`integrations.chats.NotThere`."""
    if way != Way.SLACK:
        return ""
    known = reaching.wishes(person).get(way)
    return known.address if known and not known.off_at else chats.address_of(person, now=now)


def reach(request: HttpRequest) -> HttpResponse:
    """Choose by which way the day's message comes, from when on, and which ways tell of holds."""
    person, now = cast("Person", request.user), timezone.now()
    own = hours.of(person, now)
    ways = offered(person)
    if request.method != "POST":
        return _page(request, person, {})
    daily = request.POST.get("daily", NONE)
    wanted = [way for way in ways if way == daily or way in request.POST.getlist("holds")]
    errors, addresses, at = {}, {}, None
    try:
        at = working_time(request.POST.get("at", ""), own) if daily in ways else None
    except ValueError:
        errors["at"] = time_refused(own)
    for way in wanted:
        try:
            addresses[way] = address_by(way, person, now)
        except chats.NotThere as error:
            errors["daily" if way == daily else "holds"] = str(error)
    if errors:
        return _page(request, person, errors)
    for way in ways:
        if way in wanted:
            time = at if way == daily else None
            reaching.wish(by=person, way=way, at=time, now=now, address=addresses[way])
        else:
            reaching.stop(person=person, way=way)
    messages.success(request, _("Kept. Nobody else sees what you chose."))
    return redirect("reach")


def _page(request: HttpRequest, person: Person, errors: dict[str, str]) -> HttpResponse:
    mine, ways = reaching.wishes(person), offered(person)
    on = {way: row for way, row in mine.items() if not row.off_at and way in ways}
    daily = next((row for row in on.values() if row.at), None)
    context: dict[str, Any] = {
        "ways": ways,
        "daily": request.POST.get("daily", daily.way if daily else NONE),
        "holds": request.POST.getlist("holds") if errors else list(on),
        "at": request.POST.get("at", f"{daily.at:%H:%M}" if daily else "07:30")[:20],
        "off": [row for row in mine.values() if row.off_at],
        "errors": errors,
    }
    return render(request, "reach.html", context, status=422 if errors else 200)


def working_time(text: str, own: Hours) -> dt.time:
    """A time outside of the person's quiet hours. Raises ValueError."""
    time = dt.time.fromisoformat(text)
    if time.tzinfo or own.quiet_hour(time.hour):
        raise ValueError
    return time.replace(second=0, microsecond=0)


def time_refused(own: Hours) -> str:
    """The sentence beside a time that is none, or lies in quiet hours."""
    return _("Choose a time between %(a)s:00 and %(b)s:00.") % {
        "a": own.quiet_until,
        "b": own.quiet_from,
    }
