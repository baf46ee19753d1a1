"""A campaign's page for everybody: what it is about, what one may say, and what happened."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from ambassadors.models import Person
from campaigns import campaigns as verbs
from campaigns import picks
from campaigns.front import front
from campaigns.models import Campaign, Programme

from .today import cards

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
    kept = front(now)  # first: what is read after it may be newer than its stamp, never older
    found = get_object_or_404(Campaign, slug=slug)
    live = picks.live_for(person, now).filter(campaign=found)
    programme = Programme.the()
    shown = [] if programme.is_held else list(live[:_PITCHES])
    stands = found.stands(programme.today(now))
    context: dict[str, Any] = {
        "campaign": found,
        "stands": stands,
        "cards": cards(kept, shown, person),
        "happened": None if stands == "ahead" else verbs.happened(found, now=now),
    }
    return render(request, "campaign.html", context)
