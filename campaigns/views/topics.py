"""Topics as everybody reads them: what may I say, what not, and how it changed."""

import datetime as dt
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from ambassadors.models import GuidelineVersion, Person
from campaigns.models import Programme, Suggestion, Topic

_CHANGES = 30
_SUGGESTIONS = 6


def _rules(topic: Topic, now: dt.datetime) -> list[GuidelineVersion]:
    """The guidelines that hold, but those the topic links to itself."""
    linked = {row["url"] for row in topic.links}
    versions = GuidelineVersion.objects.in_force(now).select_related("guideline")
    return [v for v in versions if reverse("guideline", args=[v.guideline.slug]) not in linked]


def topics(request: HttpRequest) -> HttpResponse:
    """All topics with their lights: what is on hold first."""
    rows = sorted(Topic.objects.current(), key=lambda topic: topic.rank)
    return render(request, "topics.html", {"topics": rows})


def topic(request: HttpRequest, pk: int) -> HttpResponse:
    """One topic. Its history names no people: what changed matters, and why."""
    person, now = cast("Person", request.user), timezone.now()
    found = get_object_or_404(Topic.objects.select_related("owner"), pk=pk)
    context = {
        "topic": found,
        "deputies": found.deputies.filter(left_at__isnull=True),
        "changes": found.changes.all()[:_CHANGES],
        "programme": Programme.the(),
        "rules": _rules(found, now),
        "suggestions": Suggestion.objects.live(now)
        .visible_to(person)
        .filter(topic=found)
        .order_by("-approved_at", "-pk")[:_SUGGESTIONS],
    }
    return render(request, "topic.html", context)
