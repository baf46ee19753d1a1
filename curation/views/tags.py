"""Hashtag watch: small multiples, a table, and what colleagues begin to use."""

import datetime as dt
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from curation import tags
from curation.models import TagDay, TagReading, WatchedTag

NETWORKS = ("mastodon", "bluesky")
_HIGH = 40  # units of a chart's height


def watch(request: HttpRequest) -> HttpResponse:
    """The page; on POST a hashtag is watched from now on."""
    error, typed = "", ""
    if request.method == "POST":
        typed = request.POST.get("name", "")[:200]
        try:
            tags.watch(name=typed, by=cast("Person", request.user), now=timezone.now())
        except tags.TagRefused as refused:
            error = str(refused)
        else:
            messages.success(request, _("Not counted yet. The next count is at night."))
            return redirect("tags")
    return _page(request, error, typed)


def _page(request: HttpRequest, error: str, typed: str) -> HttpResponse:
    now = timezone.now()
    last = now.astimezone(dt.UTC).date() - dt.timedelta(days=1)
    days = [last - dt.timedelta(days=back) for back in range(tags.SHOWN.days - 1, -1, -1)]
    rows = list(WatchedTag.objects.all())
    found: dict[tuple[int, str], dict[dt.date, TagDay]] = {}
    for row in TagDay.objects.filter(tag__in=rows, day__gte=days[0]):
        found.setdefault((row.tag_id, row.network), {})[row.day] = row
    readings = {(r.tag_id, r.network): r for r in TagReading.objects.filter(tag__in=rows)}
    charts = [_charts(tag, found, readings, days) for tag in rows]
    server = settings.HASHTAG_MASTODON_URL.removeprefix("https://")
    context = {
        "charts": charts,
        "days": days,
        "emerging": tags.emerging(now=now),
        "of_campaigns": tags.of_campaigns(today=timezone.localdate()),
        "error": error,
        "typed": typed,
        "server": server,
    }
    return render(request, "tags.html", context, status=422 if error else 200)


def _charts(
    tag: WatchedTag,
    found: dict[tuple[int, str], dict[dt.date, TagDay]],
    readings: dict[tuple[int, str], TagReading],
    days: list[dt.date],
) -> dict[str, Any]:
    """One tag's networks on one scale, so that they may be compared."""
    known = {name: found.get((tag.pk, name), {}) for name in NETWORKS}
    most = max((row.uses for rows in known.values() for row in rows.values()), default=0)
    return {
        "tag": tag,
        "most": most,
        "networks": [
            {
                "name": name,
                "reading": readings.get((tag.pk, name)),
                "bars": _bars(known[name], days, most),
                "sum": sum(row.uses for row in known[name].values()),
                "capped": any(row.capped for row in known[name].values()),
                "counted": bool(known[name]),
                "cells": [known[name].get(day) for day in days],
            }
            for name in NETWORKS
        ],
    }


def _bars(rows: dict[dt.date, TagDay], days: list[dt.date], most: int) -> list[dict[str, str]]:
    """Geometry of the bars, as attributes; a day that was counted with nothing has a base line."""
    bars = []
    for place, day in enumerate(days):
        if row := rows.get(day):
            high = max(_HIGH * row.uses / most, 0.8) if most else 0.8
            bars.append({"x": f"{place * 5}", "y": f"{_HIGH - high:.2f}", "high": f"{high:.2f}"})
    return bars


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Watch a hashtag no more."""
    tag = get_object_or_404(WatchedTag, pk=pk)
    tags.forget(tag=tag, by=cast("Person", request.user), now=timezone.now())
    return redirect("tags")
