"""Today: what may we talk about, what not; three suggestions; the own effect; an end."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import Count, Exists, Max, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from ambassadors import acknowledgements
from ambassadors.models import Person, TimeOff
from campaigns import (
    activities,
    briefings,
    holds,
    lights,
    own_drafts,
    picks,
    proposals,
    reminders,
    takeovers,
    timeoff,
    welcome,
    wording,
)
from campaigns.front import Front, Situation, front
from campaigns.models import Briefing, Post, Suggestion
from integrations.networks import NETWORKS

_PITCHES = 3
_MONTH = dt.timedelta(days=28)
_SATURDAY = 5


def cards(
    kept: Front, rows: Sequence[Suggestion], person: Person, *, lead: bool = False
) -> list[SafeString]:
    """Live suggestions as pieces of a page, each made once for a language and a clock.

    One query where some wordings are shown for the first time in this minute.
    """
    language = get_language()
    keys = [(row.pk, lead, language, person.language, person.timezone) for row in rows]
    new = [row for row, key in zip(rows, keys, strict=True) if not kept.has(key)]
    used = kept.used([variant for row in new for variant in row.variant_set.all()])
    return [
        kept.made(key, lambda row=row: _card(row, person, used, lead=lead))  # type: ignore[misc]
        for row, key in zip(rows, keys, strict=True)
    ]


def _card(
    row: Suggestion, person: Person, used: dict[int, int | None], *, lead: bool
) -> SafeString:
    """A suggestion's wordings, the person's language first: where they fit, how many used them."""
    variants = sorted(
        row.variant_set.all(), key=lambda v: (v.language != person.language, v.position)
    )
    pitch = {
        "suggestion": row,
        "alt": row.picture.alt(row.language) if row.picture else "",
        "variants": [
            {"variant": v, "used": used.get(v.pk), "parts": _parts(v.text), "fits": _fits(v.text)}
            for v in variants
        ],
    }
    return render_to_string("parts/pitch.html", {"pitch": pitch, "lead": lead})


def _parts(text: str) -> list[tuple[bool, str]]:
    """The words, and the gaps a person fills."""
    return [
        (bool(wording.GAP.fullmatch(part)), part.strip("[]") if part.startswith("[") else part)
        for part in wording.split_gaps(text)
    ]


def _fits(text: str) -> list[tuple[str, int]]:
    """By network: how many characters the text is too long."""
    return [
        (n.abilities.name, max(n.length(text) - n.abilities.limit, 0))
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
    best, line = None, ""
    if sums["replies"] or sums["likes"]:
        best = mine.filter(own_share__gte=wording.OWN_FROM).order_by("-replies", "-likes").first()
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
    kept = front(now)
    day, programme = person.local(now).date(), kept.programme
    if day.weekday() >= _SATURDAY:
        off, notes = timeoff.running(person, now), own_drafts.notes_of(person, limit=5, now=now)
        context = {"notes": notes, "now": now, "programme": programme, "off": off}
        return render(request, "weekend.html", context)
    found = [] if programme.is_held else picks.for_person(kept, person, now, _PITCHES)
    asked, queued = reminders.on_today(person, now)
    joins = []
    if kept.activities and not programme.is_held:
        joins = activities.for_today(person, now)
    situation = kept.situation(day)
    own = _own(person, situation.issue, day, now)
    context = {
        **situation._asdict(),
        "situation": _situation(kept, situation, person, now),
        "now": now,
        "off": timeoff.running(person, now) if own["off"] else None,
        "programme": programme,
        "read": own["read"],
        "suggested": len(found),
        "lead": cards(kept, found[:1], person, lead=True),
        "side": cards(kept, found[1:], person),
        "queued": lights.with_changes(queued),
        "questions": holds.questions(person) if kept.holds else [],
        "unknown": asked,
        "activities": joins,
        "joins_first": bool(joins) and own["multiplier"],
        "campaigns": kept.running(day)[:2],
        "takeover": takeovers.asked_of(person, now) if own["takeover"] else None,
        "rules": acknowledgements.open_for(person, now),
        "answered": own["answered"],
        "impact": impact(person, now),
    }
    return render(request, "today.html", context)


def _own(person: Person, issue: Briefing | None, day: dt.date, now: dt.datetime) -> dict[str, bool]:
    """What there is or is not for the person alone, in one query."""
    asked = {
        "off": TimeOff.objects.on(day).filter(person=person),
        "read": briefings.reads_of(person, issue),
        "answered": proposals.unseen(person),
        "takeover": takeovers.of_person(person, now),
        "multiplier": activities.as_multiplier(person, day),
    }
    found = Person.objects.filter(pk=person.pk).values_list(*map(Exists, asked.values())).get()
    return dict(zip(asked, found, strict=True))


def _situation(kept: Front, situation: Situation, person: Person, now: dt.datetime) -> SafeString:
    """The piece that an open page asks for again, made once for a language and a clock."""
    context = {**situation._asdict(), "now": now, "programme": kept.programme}
    return kept.made(
        ("situation", situation.version, get_language(), person.timezone),
        lambda: render_to_string("parts/situation.html", context),
    )


def suggestions(request: HttpRequest) -> HttpResponse:
    """All live suggestions for the person, with search by words and topic."""
    person = cast("Person", request.user)
    now = timezone.now()
    kept, rows = front(now), picks.live_for(person, now)
    words = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    if words:
        rows = rows.filter(
            Q(title__icontains=words)
            | Q(topic__title__icontains=words)
            | Q(variant__text__icontains=words)
        ).distinct()
    known = kept.live_for(person, now) if kept.whole and not words else rows
    page = Paginator(known, 12).get_page(request.GET.get("page"))
    context = {"cards": cards(kept, list(page.object_list), person), "page": page, "q": words}
    return render(request, "suggestions.html", context)
