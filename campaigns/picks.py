"""Which suggestions come first for a person: on Today, and in what reaches them elsewhere."""

import datetime as dt
from collections.abc import Container

from django.db.models import QuerySet

from ambassadors.models import Person

from .front import Front
from .models import Post, Suggestion

MOST = 3  # in what reaches people elsewhere
_LOOKED_AT = 60  # of the newest


def for_person(kept: Front, person: Person, now: dt.datetime, limit: int) -> list[Suggestion]:
    """Live suggestions with wordings; what they did not use, and their interests, first."""
    rows = newest(kept, person, now)
    done = used(person).filter(suggestion__in=rows).values_list("suggestion_id", flat=True)
    return first(rows, person, set(done))[:limit]


def newest(kept: Front, person: Person, now: dt.datetime) -> list[Suggestion]:
    """Those that are looked at: the newest that are live for the person."""
    rows = kept.live_for(person, now)
    if len(rows) < _LOOKED_AT and not kept.whole:
        rows = list(live_for(person, now)[:_LOOKED_AT])
    return list(rows[:_LOOKED_AT])


def used(person: Person | int) -> "QuerySet[Post]":
    """The person's posts from suggestions."""
    return Post.objects.of(person).filter(suggestion__isnull=False)


def first(rows: list[Suggestion], person: Person, done: Container[int]) -> list[Suggestion]:
    """In the order in which they fit: not used, of the person's interests, in their language."""
    ranked = sorted(
        rows,
        key=lambda row: (
            row.pk in done,
            row.topic.slug not in person.interests,
            row.language != person.language,
        ),
    )
    return one_per_topic(ranked)


def live_for(person: Person, now: dt.datetime) -> "QuerySet[Suggestion]":
    """All live suggestions with wordings that the person may see, the newest first."""
    return Suggestion.objects.live(now).visible_to(person).with_cards()


def for_everybody(language: str, now: dt.datetime, limit: int) -> list[Suggestion]:
    """The same for a room: live suggestions without an audience, those of its language first."""
    rows = list(
        Suggestion.objects.live(now)
        .for_everybody()
        .worded()
        .select_related("topic")
        .order_by("-approved_at")[:_LOOKED_AT]
    )
    rows.sort(key=lambda row: row.language != language)
    return one_per_topic(rows)[:limit]


def one_per_topic(rows: list[Suggestion]) -> list[Suggestion]:
    """Different topics before second ones of the same."""
    first: dict[int, Suggestion] = {}
    rest = [row for row in rows if first.setdefault(row.topic_id, row) is not row]
    return [*first.values(), *rest]
