"""Sites: their clock, their holidays, their quiet hours and their own free days."""

import datetime as dt
import zoneinfo
from typing import Any, cast

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.kept import number
from ambassadors.models import FreeDay, Person, Site
from campaigns import hours
from campaigns.models import Programme
from campaigns.refusals import FieldRefused
from people import sites as verbs

_FIELDS = ("zone", "country", "subdivision", "quiet_from", "quiet_until", "on", "name")


def site_list(request: HttpRequest) -> HttpResponse:
    """The company and all its sites, each with its next free day."""
    now = timezone.now()
    calendar = hours.Calendar(Programme.the(), now, [])
    names = dict(verbs.countries())
    here = Count("person", filter=Q(person__left_at__isnull=True))
    rows = [
        {
            "site": site,
            "people": getattr(site, "here", 0),
            "hours": found,
            "country": names.get(found.country, found.country),
            "part": hours.subdivisions(found.country).get(found.subdivision, ""),
            "next": next(iter(found.coming(now.date(), 1)), None),
        }
        for site in [None, *Site.objects.annotate(here=here)]
        for found in [calendar.at(site.pk if site else None)]
    ]
    return render(request, "sites.html", {"rows": rows})


def site_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """One site, or without a key the company."""
    person, now = cast("Person", request.user), timezone.now()
    site = get_object_or_404(Site, pk=pk) if pk is not None else None
    place: Site | Programme = site or Programme.the()
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            _act(request, site, place, person, now)
        except FieldRefused as refused:
            errors = {refused.field: refused.sentence}
            place.refresh_from_db()
        else:
            return redirect("site", pk) if site else redirect("site_company")
    context = _page(request, site, place, now) | {"errors": errors}
    return render(request, "site_edit.html", context, status=422 if errors else 200)


def _act(
    request: HttpRequest,
    site: Site | None,
    place: Site | Programme,
    person: Person,
    now: dt.datetime,
) -> None:
    typed = request.POST
    match typed.get("act", ""):
        case "change":
            verbs.change(
                place=place,
                zone=typed.get("zone", ""),
                country=typed.get("country", ""),
                subdivision=typed.get("subdivision", ""),
                quiet=hours.read_hours(typed.get("quiet_from", ""), typed.get("quiet_until", "")),
                by=person,
                now=now,
            )
            messages.success(request, _("Saved."))
        case "add":
            try:
                on = dt.date.fromisoformat(typed.get("on", "").strip()[:10])
            except ValueError as error:
                raise verbs.SiteRefused("on", _("Write a day.")) from error
            verbs.add_day(site=site, on=on, name=typed.get("name", ""), by=person, now=now)
            messages.success(request, _("Noted as free."))
        case "drop":
            known = number(typed.get("day", "")) or 0
            if verbs.drop_day(site=site, day=known, by=person, now=now):
                messages.success(request, _("A working day again."))


def _page(
    request: HttpRequest, site: Site | None, place: Site | Programme, now: dt.datetime
) -> dict[str, Any]:
    found = hours.Calendar(Programme.the(), now, []).at(site.pk if site else None)
    hour = "" if place.quiet_from_hour is None else str(place.quiet_from_hour)
    until = "" if place.quiet_until_hour is None else str(place.quiet_until_hour)
    typed = {
        "zone": place.timezone,
        "country": place.country,
        "subdivision": place.subdivision,
        "quiet_from": hour,
        "quiet_until": until,
        "on": "",
        "name": "",
    }
    if request.method == "POST":
        typed |= {name: request.POST[name][:120] for name in _FIELDS if name in request.POST}
    parts = hours.subdivisions(typed["country"])
    return {
        "site": site,
        "typed": typed,
        "countries": verbs.countries(),
        "parts": sorted(parts.items(), key=lambda part: part[1]),
        "hours": [str(hour) for hour in range(24)],
        "zones": sorted(zoneinfo.available_timezones()),
        "days": FreeDay.objects.filter(site=site, on__gte=now.date()),
        "coming": found.coming(now.date(), 8),
    }
