"""Today: what may we talk about, what not; three suggestions; the own effect; an end."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.core.paginator import Paginator
from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Q,
    QuerySet,
    Sum,
    Window,
)
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from ambassadors import acknowledgements
from ambassadors.composed import among, composed
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


@composed
def _four_weeks(person: int, since: dt.datetime) -> "QuerySet[Post, Any]":
    """One row where there are posts: sums of all, and the one in own words that worked best."""
    return (
        Post.objects.of(person)
        .filter(created_at__gte=since)
        .annotate(own=ExpressionWrapper(Q(own_share__gte=wording.OWN_FROM), BooleanField()))
        .order_by("-own", *(F(name).desc(nulls_last=True) for name in ("replies", "likes")))
        .values_list(
            *(Window(Sum(name)) for name in ("replies", "likes", "reposts", "link__clicks")),
            Window(Max("reported_at")),
            "own", "replies", "likes", "pk", "created_at", "language", "draft", "text",
        )[:1]
    )  # fmt: skip


def impact(person: Person, now: dt.datetime) -> dict[str, Any]:
    """The person's own figures of four weeks, and their own sentence that worked best."""
    since = now - _MONTH
    for row in _four_weeks(person=person.pk, since=since):
        *sums, reported, own, replies, likes, pk, created_at, language, draft, text = row
        line = ""
        if own and (replies or likes):
            runs = [run for kind, run in wording.marked(draft, text) if kind == "own"]
            line = max(runs, key=len, default="").strip()
        return {
            "since": person.local(since).date(),
            "replies": sums[0] or 0,
            "reactions": (sums[1] or 0) + (sums[2] or 0),
            "clicks": sums[3] or 0,
            "reported": reported is not None,
            "best": {"pk": pk, "created_at": created_at, "language": language},
            "line": line,
            "sentence": bool(line),
        }
    return {"since": person.local(since).date(), "replies": 0, "reactions": 0, "clicks": 0}


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
    situation = kept.situation(day)
    rows = [] if programme.is_held else picks.newest(kept, person, now)
    own = _own_of(person, situation.issue, rows, day, now)
    found = picks.first(rows, person, own.used)[:_PITCHES]
    asked, queued = reminders.on_today(person, now) if own.posts else ([], [])
    joins = []
    if kept.activities and not programme.is_held:
        joins = activities.for_today(person, now)
    context = {
        **situation._asdict(),
        "situation": _piece(kept, "situation", situation, person, now),
        "news": _piece(kept, "news", situation, person, now),
        "now": now,
        "day": day,
        "off": timeoff.running(person, now) if own.off else None,
        "programme": programme,
        "read": own.read,
        "suggested": len(found),
        "lead": cards(kept, found[:1], person, lead=True),
        "side": cards(kept, found[1:], person),
        "queued": lights.with_changes(queued),
        "questions": holds.questions(person) if kept.holds else [],
        "unknown": asked,
        "activities": joins,
        "joins_first": bool(joins) and own.multiplier,
        "campaigns": kept.running(day)[:2],
        "takeover": takeovers.asked_of(person, now) if own.takeover else None,
        "rules": acknowledgements.open_for(person, now),
        "answered": own.answered,
        "impact": impact(person, now),
    }
    return render(request, "today.html", context)


class Own(NamedTuple):
    """What there is or is not for a person alone."""

    off: bool
    read: bool
    answered: bool
    takeover: bool
    multiplier: bool
    posts: bool  # that wait, failed or are unknown
    used: list[int]  # of the suggestions that are looked at


@composed
def _own(
    person: int, issue: int, looked_at: list[int], day: dt.date, now: dt.datetime
) -> "QuerySet[Person, Any]":
    used = picks.used(person).filter(among("suggestion_id", looked_at)).order_by()
    return Person.objects.filter(pk=person).values_list(
        Exists(TimeOff.objects.on(day).filter(person=person)),
        Exists(briefings.reads_of(person, issue)),
        Exists(proposals.unseen(person)),
        Exists(takeovers.of_person(person, now)),
        Exists(activities.as_multiplier(person, day)),
        Exists(reminders.unfinished(person)),
        ArraySubquery(used.values("suggestion_id").distinct()),
    )


def _own_of(
    person: Person, issue: Briefing | None, rows: list[Suggestion], day: dt.date, now: dt.datetime
) -> Own:
    """All of it in one query."""
    looked_at = [row.pk for row in rows]
    (found,) = _own(person.pk, issue.pk if issue else 0, looked_at, day, now)
    return Own(*found)


def _piece(
    kept: Front, name: str, situation: Situation, person: Person, now: dt.datetime
) -> SafeString:
    """A part of the page that is made of the situation, once for a language and a clock."""
    context = {**situation._asdict(), "now": now, "programme": kept.programme}
    return kept.made(
        (name, situation.version, get_language(), person.timezone),
        lambda: render_to_string(f"parts/{name}.html", context),
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
