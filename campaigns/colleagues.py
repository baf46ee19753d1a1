"""What colleagues say about the same, told so that it tells on nobody.

Whoever writes learns how many colleagues use nearly these words: as a step, never below five
people, and nothing at all below. "Nobody yet" would tell that none of six did it; "somebody does"
would let people try out, word by word, what one colleague has queued. So for a handful the answer
is the same as for none, and it is not made of what colleagues wrote at all.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db.models import Q

from ambassadors import anonymity
from ambassadors.models import Person

from . import sameness, wording
from .models import Delivery, Post, Suggestion, Variant
from .models.post import PostQuerySet

REMEMBERED = dt.timedelta(days=30)
_AHEAD = dt.timedelta(days=90)  # a post may wait as long (shares.FARTHEST)
_MOST_TOLD = 200
_MOST_POSTS = 2000  # newest first; what is told says "or more"
_MOST_PARTS = 5
_NOT_SAID = (Delivery.State.CANCELLED, Delivery.State.FAILED)


def saying(text: str, suggestion: Suggestion, *, person: Person, now: dt.datetime) -> int | None:
    """How many colleagues at the least say nearly this about the suggestion or its link.

    Copied, opened, queued and sent within thirty days, each person once, whatever part of a
    thread it is; of one's own thread the first parts are compared. None for a handful and for
    nobody.
    """
    parts = [part for part in wording.parts(text)[:_MOST_PARTS] if part]
    found = {one for part in parts for one in _saying(part, suggestion, person, now)}
    return step(found)


def step(people: Collection[int]) -> int | None:
    """How many are told of a group: a step, never of a handful, and not above 200."""
    told = anonymity.told(anonymity.Group.of(people))
    return told and min(told, _MOST_TOLD)


def _saying(text: str, suggestion: Suggestion, person: Person, now: dt.datetime) -> set[int]:
    """Keys of the people: by bands from the database, then by the exact verdict."""
    mine = sameness.runs(text)
    rows = (
        _said(suggestion, now)
        .filter(bands__overlap=sameness.bands(mine))
        .exclude(person=person)
        .order_by("-created_at")
        .values_list("runs", "person_id")[:_MOST_POSTS]
    )
    people: dict[bytes, set[int]] = defaultdict(set)
    for packed, author in rows:
        people[bytes(packed)].add(author)
    found = (who for packed, who in people.items() if sameness.same(mine, sameness.read(packed)))
    return set().union(*found)


def _said(suggestion: Suggestion, now: dt.datetime) -> PostQuerySet:
    """Posts about the same that are out, on their way, or in the hands of their people."""
    since = now - REMEMBERED
    about: list[int] = [suggestion.pk]
    if suggestion.link_url:
        same_link = Suggestion.objects.filter(link_url=suggestion.link_url).order_by()
        about = [*{suggestion.pk, *same_link.values_list("pk", flat=True)}]
    return (
        Post.objects.filter(suggestion__in=about, created_at__gte=since - _AHEAD)
        .filter(Q(created_at__gte=since) | Q(delivery__due_at__gte=since))
        .exclude(delivery__state__in=_NOT_SAID)
        .exclude(delivery__removed_at__isnull=False)
    )


def rarest(
    chosen: Variant, variants: Sequence[Variant], suggestion: Suggestion, *, now: dt.datetime
) -> Variant | None:
    """A wording of the suggestion that fewer start from than from the chosen one.

    In its language and for its network. None where steps of five people do not tell them apart.
    """
    others = [
        one
        for one in variants
        if one.pk != chosen.pk and (one.language, one.network) == (chosen.language, chosen.network)
    ]
    if not others:
        return None
    kept = _said(suggestion, now).filter(variant__in=variants, own_share__lt=wording.OWN_FROM)
    people: dict[int, set[int]] = defaultdict(set)
    for variant, author in kept.order_by().values_list("variant", "person_id").distinct():
        people[variant].add(author)
    steps = {one.pk: step(people[one.pk]) or 0 for one in variants}
    best = min(others, key=lambda one: steps[one.pk])
    return best if steps[best.pk] < steps[chosen.pk] else None
