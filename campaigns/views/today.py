"""Today: what may we talk about, what not; three suggestions; the own effect; an end."""

import datetime as dt
from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import Count, Max, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from ambassadors import acknowledgements
from ambassadors.models import Person
from campaigns import (
    activities,
    briefings,
    campaigns,
    holds,
    lights,
    own_drafts,
    picks,
    proposals,
    reminders,
    shares,
    takeovers,
    timeoff,
    welcome,
    wording,
)
from campaigns.models import Delivery, Post, Programme, Suggestion, Variant
from integrations.networks import NETWORKS

from .situation import situation_of

_PITCHES = 3
_MONTH = dt.timedelta(days=28)
_SATURDAY = 5


def pitches(person: Person, now: dt.datetime, limit: int) -> list[dict[str, Any]]:
    """What comes first for the person, with wordings."""
    return [pitch(row, person) for row in picks.for_person(person, now, limit)]


def pitch(suggestion: Suggestion, person: Person) -> dict[str, Any]:
    """A suggestion with its wordings, the person's language first."""
    variants = sorted(
        suggestion.variant_set.all(), key=lambda v: (v.language != person.language, v.position)
    )
    picture = suggestion.picture
    return {
        "suggestion": suggestion,
        "alt": picture.alt(suggestion.language) if picture else "",
        "variants": [{"variant": v} for v in variants],
    }


def add_counts(found: list[dict[str, Any]], now: dt.datetime) -> None:
    """Add to every wording how often it was used as it is, and where it fits; one query."""
    variants: list[Variant] = [v["variant"] for p in found for v in p["variants"]]
    counts = shares.verbatim_counts(variants, since=now - dt.timedelta(days=30))
    for entry in (v for p in found for v in p["variants"]):
        variant = entry["variant"]
        entry["used"] = counts.get(variant.pk)
        entry["parts"] = [
            (bool(wording.GAP.fullmatch(part)), part.strip("[]") if part.startswith("[") else part)
            for part in wording.split_gaps(variant.text)
        ]
        entry["fits"] = [
            (n.abilities.name, max(n.length(variant.text) - n.abilities.limit, 0))
            for n in NETWORKS.values()
            if n.abilities.connect != "own"
        ]


def impact(person: Person, now: dt.datetime) -> dict[str, Any]:
    """The person's own figures of four weeks, and their own sentence that worked best."""
    mine = Post.objects.of(person).filter(created_at__gte=now - _MONTH)
    sums = mine.aggregate(
        posts=Count("pk"),
        replies=Sum("replies"),
        likes=Sum("likes"),
        reposts=Sum("reposts"),
        clicks=Sum("link__clicks"),
        reported=Max("reported_at"),
    )
    best = mine.filter(own_share__gte=wording.OWN_FROM).order_by("-replies", "-likes").first()
    line = ""
    if best and (best.replies or best.likes):
        own = [text for kind, text in wording.marked(best.draft, best.text) if kind == "own"]
        line = max(own, key=len, default="").strip()
    return {
        "since": now - _MONTH,
        "replies": sums["replies"] or 0,
        "reactions": (sums["likes"] or 0) + (sums["reposts"] or 0),
        "clicks": sums["clicks"] or 0,
        "posts": sums["posts"],
        "reported": sums["reported"] is not None,
        "best": best,
        "line": line,
    }


def today(request: HttpRequest) -> HttpResponse:
    """The page everybody starts with."""
    person = cast("Person", request.user)
    now = timezone.now()
    if person.welcome == welcome.NEW:
        return redirect("welcome")
    day = person.local(now).date()
    programme, off = Programme.the(), timeoff.running(person, now)
    if day.weekday() >= _SATURDAY:
        notes = own_drafts.notes_of(person, limit=5, now=now)
        context = {"notes": notes, "now": now, "programme": programme, "off": off}
        return render(request, "weekend.html", context)
    found = [] if programme.is_held else pitches(person, now, _PITCHES)
    add_counts(found, now)
    queued = list(
        Delivery.objects.filter(post__person=person, state="queued")
        .exclude(reminders.needs_person(now))
        .select_related("post__suggestion__topic", "account", "timeoffer")
        .order_by("due_at")[:5]
    )
    joins = [] if programme.is_held else activities.for_today(person, now)
    day_ = situation_of(day, now)
    context = {
        **day_,
        "now": now,
        "off": off,
        "programme": programme,
        "read": briefings.read_by(person, day_["issue"]),
        "pitches": found,
        "queued": lights.with_changes(queued),
        "questions": holds.questions(person),
        "unknown": reminders.asked_of(person, now),
        "activities": joins,
        "joins_first": bool(joins) and activities.come_first(person, day),
        "campaigns": campaigns.running(day)[:2],
        "takeover": takeovers.asked_of(person, now),
        "rules": acknowledgements.open_for(person, now),
        "answered": proposals.unseen(person).exists(),
        "impact": impact(person, now),
    }
    return render(request, "today.html", context)


def suggestions(request: HttpRequest) -> HttpResponse:
    """All live suggestions for the person, with search by words and topic."""
    person = cast("Person", request.user)
    now = timezone.now()
    rows = (
        Suggestion.objects.live(now)
        .visible_to(person)
        .worded()
        .select_related("topic", "picture", "proposal__person")
        .prefetch_related("variant_set")
        .order_by("-approved_at", "-pk")
    )
    words = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    if words:
        rows = rows.filter(
            Q(title__icontains=words)
            | Q(topic__title__icontains=words)
            | Q(variant__text__icontains=words)
        ).distinct()
    page = Paginator(rows, 12).get_page(request.GET.get("page"))
    found = [pitch(row, person) for row in page.object_list]
    add_counts(found, now)
    return render(request, "suggestions.html", {"pitches": found, "page": page, "q": words})
