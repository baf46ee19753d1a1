"""My time: quiet hours, the clock one lives by, and time off. Only the person sees this page."""

import datetime as dt
import zoneinfo
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ambassadors.models import Person, TimeOff
from campaigns import hours, timeoff, zones
from campaigns.models import Programme
from campaigns.refusals import FieldRefused


def my_time(request: HttpRequest) -> HttpResponse:
    """Show the person's hours, or do what a button says."""
    person, now = cast("Person", request.user), timezone.now()
    errors: dict[str, str] = {}
    asks = False
    if request.method == "POST":
        try:
            match request.POST.get("act", ""):
                case "hours":
                    _keep_hours(request, person, now)
                case "off":
                    _take_off(request, person, now)
                case "back" if timeoff.come_back(by=person, now=now):
                    messages.success(request, _("Good to have you back."))
        except FieldRefused as refused:
            errors = {refused.field: refused.sentence}
            asks = isinstance(refused, zones.PostsAsked)
        else:
            return redirect("today" if request.POST.get("back") == "today" else "my_time")
    context = _page(request, person, now) | {"errors": errors, "asks": asks}
    return render(request, "my_time.html", context, status=422 if errors else 200)


def _keep_hours(request: HttpRequest, person: Person, now: dt.datetime) -> None:
    """The clock first: where it is refused or asks back, the rest waits with it."""
    typed = request.POST
    own = typed.get("own") == "yes"
    chosen = hours.read_hours(typed.get("quiet_from", ""), typed.get("quiet_until", ""))
    moved = zones.change(
        by=person, zone=typed.get("zone", ""), posts=typed.get("posts_by", ""), now=now
    )
    hours.set_quiet(
        by=person,
        hours=chosen if own else (None, None),
        free_days=typed.get("free_days") == "yes",
    )
    messages.success(request, _("Kept. You can change it at any time."))
    if moved:
        sentence = ngettext(
            "%(n)s post moved with your clock.", "%(n)s posts moved with your clock.", moved
        )
        messages.info(request, sentence % {"n": moved})


def _day(typed: str, field: str) -> dt.date:
    try:
        return dt.date.fromisoformat(typed.strip()[:10])
    except ValueError as error:
        raise timeoff.TimeOffRefused(field, _("Write a day.")) from error


def _take_off(request: HttpRequest, person: Person, now: dt.datetime) -> None:
    typed = request.POST
    taken = timeoff.take(
        by=person,
        from_on=_day(typed.get("from_on", ""), "from_on"),
        until_on=_day(typed.get("until_on", ""), "until_on"),
        posts=typed.get("posts", ""),
        now=now,
    )
    until = formats.date_format(taken.off.until_on, "j. F")
    messages.success(
        request, _("Noted. You hear nothing until the end of %(day)s.") % {"day": until}
    )
    if taken.moved:
        moved = ngettext(
            "%(n)s post leaves after your return.",
            "%(n)s posts leave after your return.",
            taken.moved,
        )
        messages.info(request, moved % {"n": taken.moved})
    if taken.waiting:
        waits = ngettext(
            "%(n)s post waits until you have looked at it.",
            "%(n)s posts wait until you have looked at them.",
            taken.waiting,
        )
        messages.info(request, waits % {"n": taken.waiting})


def _page(request: HttpRequest, person: Person, now: dt.datetime) -> dict[str, Any]:
    calendar = hours.Calendar(Programme.the(), now, [person])
    mine, usual = calendar.of(person), calendar.at(person.site_id)
    today, off = person.local(now).date(), timeoff.current(person, now)
    typed: dict[str, Any] = {
        "own": person.quiet_from_hour is not None,
        "quiet_from": mine.quiet_from,
        "quiet_until": mine.quiet_until,
        "free_days": person.quiet_free_days,
        "zone": person.timezone,
        "from_on": (off.from_on if off else today).isoformat(),
        "until_on": off.until_on.isoformat() if off else "",
        "posts": off.posts if off else TimeOff.Posts.MOVE,
    }
    if request.method == "POST":
        typed |= {name: request.POST.get(name, "")[:80] for name in typed if name in request.POST}
        if request.POST.get("act") == "hours":
            typed |= {name: request.POST.get(name) == "yes" for name in ("own", "free_days")}
    return {
        "typed": typed,
        "hours": [str(hour) for hour in range(24)],
        "quiet_from": str(typed["quiet_from"]),
        "quiet_until": str(typed["quiet_until"]),
        "usual": usual,
        "off": off,
        "running": off if off and off.from_on <= today else None,
        "ways": TimeOff.Posts.choices,
        "coming": mine.coming(today, 3),
        "zones": sorted(zoneinfo.available_timezones()),
        "now_there": person.local(now),
    }
