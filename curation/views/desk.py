"""The desk: lights, board, week. Keep the situation safe; move drafts."""

import datetime as dt
from collections import defaultdict
from typing import Any, cast

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from ambassadors import audit
from ambassadors.models import Person
from campaigns import anonymity, wording
from campaigns.models import Delivery, Post, Suggestion, Topic

_LANE = 12


def desk(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    person, now = cast("Person", request.user), timezone.now()
    week = _monday(request.GET.get("week", ""), person.local(now).date())
    context = {
        "now": now,
        "topics": _topics(now),
        "lanes": board(now),
        "days": calendar(week, person, now),
        "week": week,
        "week_before": week - dt.timedelta(days=7),
        "week_after": week + dt.timedelta(days=7),
    }
    return render(request, "desk.html", context)


def _topics(now: dt.datetime) -> list[Topic]:
    live = Q(suggestion__state="approved", suggestion__held_at__isnull=True)
    live &= Q(suggestion__embargo_until__isnull=True) | Q(suggestion__embargo_until__lte=now)
    live &= Q(held_at__isnull=True)
    live &= Q(suggestion__expires_at__isnull=True) | Q(suggestion__expires_at__gt=now)
    topics = list(
        Topic.objects.select_related("held_by").annotate(
            live=Count("suggestion", filter=live, distinct=True)
        )
    )
    queued = dict(
        Delivery.objects.filter(state="queued")
        .values_list("post__suggestion__topic")
        .annotate(n=Count("pk"))
    )
    for topic in topics:
        topic.queued = queued.get(topic.pk, 0)  # type: ignore[attr-defined]
    order = {"hold": 0, "careful": 1, "share": 2}
    return sorted(topics, key=lambda t: (order[t.light], t.title))


def board(now: dt.datetime) -> dict[str, list[dict[str, Any]]]:
    """Suggestions by lane: draft, in review, planned, out."""
    rows = (
        Suggestion.objects.exclude(state="withdrawn")
        .select_related("topic", "author", "picture")
        .prefetch_related("variant_set")
        .order_by("-changed_at", "-pk")
    )
    out = Q(state="approved") & (Q(embargo_until__isnull=True) | Q(embargo_until__lte=now))
    lanes = {
        "draft": rows.filter(state="draft"),
        "review": rows.filter(state="in_review"),
        "planned": rows.filter(state="approved", embargo_until__gt=now),
        "out": rows.filter(out).exclude(expires_at__lte=now),
    }
    found = {name: [{"suggestion": row} for row in lane[:_LANE]] for name, lane in lanes.items()}
    _add_mix(found["out"])
    return found


def _add_mix(tickets: list[dict[str, Any]]) -> None:
    """How many posts kept the draft's words; only where five people stand behind it."""
    counts = (
        Post.objects.filter(suggestion__in=[t["suggestion"] for t in tickets])
        .values("suggestion")
        .annotate(
            people=Count("person", distinct=True),
            verbatim=Count("pk", filter=Q(own_share__lt=wording.COPIED_BELOW)),
            own=Count("pk", filter=Q(own_share__gte=wording.COPIED_BELOW)),
        )
    )
    known = {row["suggestion"]: row for row in counts}
    for ticket in tickets:
        row = known.get(ticket["suggestion"].pk)
        ticket["nobody"] = row is None
        if row and anonymity.shown(row["people"]):
            ticket["mix"] = (row["verbatim"], row["own"])


def _monday(text: str, today: dt.date) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = today
    if not 2000 <= day.year <= 2100:
        day = today
    return day - dt.timedelta(days=day.weekday())


def calendar(week: dt.date, person: Person, now: dt.datetime) -> list[dict[str, Any]]:
    """Seven days with what leaves when, grouped by hour and topic."""
    begin = dt.datetime.combine(week, dt.time(), person.zone)
    planned = (
        Delivery.objects.filter(
            state="queued", due_at__gte=begin, due_at__lt=begin + dt.timedelta(days=7)
        )
        .select_related("post__suggestion__topic")
        .order_by("due_at")
    )
    slots: dict[tuple[dt.date, int, int], dict[str, Any]] = {}
    for delivery in planned:
        local = person.local(delivery.due_at)
        topic = delivery.post.suggestion.topic if delivery.post.suggestion else None
        slot = slots.setdefault(
            (local.date(), local.hour, topic.pk if topic else 0),
            {"at": local, "topic": topic, "count": 0, "row": _grid_row(local)},
        )
        slot["count"] += 1
    days: dict[dt.date, list[dict[str, Any]]] = defaultdict(list)
    for (day, _hour, _topic), slot in slots.items():
        days[day].append(slot)
    today = person.local(now).date()
    return [
        {
            "date": day,
            "slots": days[day],
            "past": day < today,
            "today": day == today,
            "off": day.weekday() > 4,
        }
        for day in (week + dt.timedelta(days=i) for i in range(7))
    ]


def _grid_row(local: dt.datetime) -> int:
    """The half-hour row of the day's grid, 07:00 first."""
    return min(max((local.hour - 7) * 2 + local.minute // 30, 0), 22)


@require_POST
def light(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a topic between free and careful; hold has its own page."""
    topic = get_object_or_404(Topic, pk=pk)
    wanted = request.POST.get("light", "")
    if wanted == "hold":
        return redirect("hold", pk=pk)
    if topic.is_held:
        return redirect("hold", pk=pk)
    if wanted in Topic.Light.values and wanted != topic.light_when_free:
        now = timezone.now()
        Topic.objects.filter(pk=pk).update(light_when_free=wanted, light_since=now)
        audit.record("light", topic, by=cast("Person", request.user), now=now, light=wanted)
    return redirect("desk")
