"""What somebody's own posts did: for their own eyes, from the latest figure on each post.

Nothing here takes another person's key from an address: whoever asks gets their own.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Avg, Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMonth

from ambassadors.memberships import later
from ambassadors.models import Person

from . import wording
from .models import Post
from .months import PRACTICE

MONTHS = 12
_TRIED = 5  # posts that a sentence is looked for in
_LEAST_WORDS, _LEAST_OWN = 4, 0.6
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")


@dataclass(frozen=True, slots=True)
class Sums:
    """Figures of some posts; None where nothing was counted, which is not zero."""

    posts: int
    own: int
    talks: int | None
    replies: int | None
    reactions: int | None
    clicks: int | None
    measured: bool
    reported: bool


@dataclass(frozen=True, slots=True)
class Best:
    """A sentence of the person's own, the post it stands in, and whether something came back."""

    sentence: str
    post: Post
    worked: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """The whole page. ``months``: first day, posts and own words in per cent, the oldest first."""

    whole: Sums | None
    networks: list[tuple[str, Sums]]
    months: list[tuple[dt.date, int, int]]
    best: Best | None


def _mine(person: Person) -> "QuerySet[Post]":
    return Post.objects.of(person).out().exclude(network=PRACTICE).order_by()


def of(person: Person, *, now: dt.datetime) -> Effect:
    """What the person's own posts did. Three queries, however many posts there are."""
    networks = _networks(person)
    if not networks:
        return Effect(None, [], [], None)
    return Effect(
        whole=_together([sums for _name, sums in networks]),
        networks=networks,
        months=_months(person, now),
        best=_best(person),
    )


def _networks(person: Person) -> list[tuple[str, Sums]]:
    reactions = Coalesce(F("likes"), 0) + Coalesce(F("reposts"), 0) + Coalesce(F("quotes"), 0)
    known = Q(likes__isnull=False) | Q(reposts__isnull=False)
    rows = _mine(person).values("network").annotate(
        posts=Count("pk", filter=Q(part=0)),
        own=Avg("own_share"),
        talks=Sum("conversations"),
        answers=Sum("replies"),
        liked=Sum(reactions, filter=known),
        came=Sum("link__clicks"),
        measured=Count("measured_at"),
        reported=Count("reported_at", filter=Q(measured_at__isnull=True)),
    )  # fmt: skip
    found = [
        (
            row["network"],
            Sums(
                posts=row["posts"], own=round(row["own"]), talks=row["talks"],
                replies=row["answers"], reactions=row["liked"], clicks=row["came"],
                measured=row["measured"] > 0, reported=row["reported"] > 0,
            ),
        )
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one[1].posts, one[0]))


def _together(parts: list[Sums]) -> Sums:
    def sum_of(name: str) -> int | None:
        known = [value for part in parts if (value := getattr(part, name)) is not None]
        return sum(known) if known else None

    posts = sum(part.posts for part in parts)
    return Sums(
        posts=posts,
        own=round(sum(part.own * part.posts for part in parts) / max(posts, 1)),
        talks=sum_of("talks"),
        replies=sum_of("replies"),
        reactions=sum_of("reactions"),
        clicks=sum_of("clicks"),
        measured=any(part.measured for part in parts),
        reported=any(part.reported for part in parts),
    )


def _months(person: Person, now: dt.datetime) -> list[tuple[dt.date, int, int]]:
    """The last twelve months on the person's clock, those without a post among them."""
    this = person.local(now).date().replace(day=1)
    firsts = [later(this, -back) for back in range(MONTHS - 1, -1, -1)]
    begin = dt.datetime.combine(firsts[0], dt.time(), person.zone)
    rows = (
        _mine(person)
        .filter(created_at__gte=begin, part=0)
        .annotate(month=TruncMonth("created_at", tzinfo=person.zone))
        .values_list("month")
        .annotate(n=Count("pk"), own=Avg("own_share"))
    )
    found = {person.local(month).date(): (n, round(own)) for month, n, own in rows}
    return [(first, *found.get(first, (0, 0))) for first in firsts]


def _best(person: Person) -> Best | None:
    """The sentence of the post in own words that most came back to; else of the newest."""
    rows = _mine(person).filter(own_share__gte=wording.OWN_FROM).order_by(
        F("conversations").desc(nulls_last=True), F("replies").desc(nulls_last=True),
        F("link__clicks").desc(nulls_last=True), "-created_at", "-pk",
    ).select_related("link")  # fmt: skip
    for post in rows[:_TRIED]:
        if found := sentence(post):
            clicks = post.link.clicks if post.link else 0
            return Best(found, post, bool(post.conversations or post.replies or clicks))
    return None


def sentence(post: Post) -> str:
    """The sentence of a post with the most words of its person; empty where none is theirs."""
    text, own = "", set[int]()
    for kind, run in wording.marked(post.draft, post.text):
        if kind == "own":
            own |= set(range(len(text), len(text) + len(run)))
        text += run
    best, most = "", 0
    for match in _SENTENCE.finditer(text):
        at = [n for n in range(match.start(), match.end()) if not text[n].isspace()]
        theirs = sum(n in own for n in at)
        enough = len(match.group().split()) >= _LEAST_WORDS and theirs >= _LEAST_OWN * len(at)
        if enough and theirs > most:
            best, most = match.group().strip(), theirs
    return best


def posts(person: Person) -> "Iterator[Post]":
    """All that left, the newest first, in pieces; a file has them line by line."""
    rows = _mine(person).select_related("link", "delivery").order_by("-created_at", "-pk")
    return rows.iterator(chunk_size=500)
