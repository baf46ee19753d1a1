"""A campaign's page for everybody: what it is about, what one may say, and what happened."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from ambassadors.models import Person
from campaigns import campaigns as verbs
from campaigns.models import Campaign, Programme, Suggestion

from .today import add_counts, pitch

_PITCHES = 6


def campaigns(request: HttpRequest) -> HttpResponse:
    """All of them: running, to come, over."""
    today = Programme.the().today(timezone.now())
    rows = list(Campaign.objects.all()[:100])
    shelves = {
        stands: [row for row in rows if row.stands(today) == stands]
        for stands in ("running", "ahead", "over")
    }
    return render(request, "campaigns.html", {"shelves": shelves, "any": bool(rows)})


def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    """One campaign."""
    person, now = cast("Person", request.user), timezone.now()
    found = get_object_or_404(Campaign, slug=slug)
    live = (
        Suggestion.objects.live(now)
        .visible_to(person)
        .worded()
        .filter(campaign=found)
        .select_related("topic", "picture", "proposal__person")
        .prefetch_related("variant_set")
        .order_by("-approved_at", "-pk")
    )
    programme = Programme.the()
    pitches = [] if programme.is_held else [pitch(row, person) for row in live[:_PITCHES]]
    add_counts(pitches, now)
    stands = found.stands(programme.today(now))
    context: dict[str, Any] = {
        "campaign": found,
        "stands": stands,
        "pitches": pitches,
        "happened": None if stands == "ahead" else verbs.happened(found, now=now),
    }
    return render(request, "campaign.html", context)
