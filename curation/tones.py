"""How the house sounds, how alike people sound, and what went with more answers.

Tones are counted from suggestions, which are the house's own. What people posted is told in groups
of at least five people; a finding needs twenty posts on each side and never names a cause.
"""

import datetime as dt
import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import Avg, Case, CharField, Count, F, Max, Q, Value, When, Window
from django.db.models.functions import RowNumber, TruncWeek

from ambassadors import anonymity
from ambassadors.models import Person
from campaigns import wording
from campaigns.models import Post, Suggestion

JOB_AD = "job_ad"
TONES = ("proud", "useful", "human", "honest", "critical", JOB_AD)
LEAST_POSTS = 20  # in each group of a finding
GOAL = 5  # per cent of pairs that may sound alike
_WEEKS = 8
_FEW = 3  # suggestions from which on one tone alone is worth a word
_MONTH, _QUARTER = dt.timedelta(days=30), dt.timedelta(days=90)
_PAIR_WITHIN = dt.timedelta(days=7)
_ALIKE = 0.8
_ROWS, _TEXTS = 15, 40

_SOUND = Case(
    When(content_class="job_ad", then=Value(JOB_AD)),
    default=F("tone"),
    output_field=CharField(),
)


@dataclass(frozen=True, slots=True)
class Week:
    """What was approved in a week, by tone in the order of :data:`TONES`."""

    first: dt.date
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Use:
    """How people used a suggestion in the last thirty days; at least five of them did."""

    suggestion: Suggestion
    people: int
    posts: int
    own: int  # per cent of the words, on average
    alike: int | None  # per cent of pairs within seven days, None without a pair


@dataclass(frozen=True, slots=True)
class Group:
    """One side of a finding."""

    posts: int
    people: int
    answers: float  # to a post, on average


@dataclass(frozen=True, slots=True)
class Finding:
    """Posts in own words beside those that kept the draft's, of the last ninety days."""

    own: Group
    kept: Group


def weeks(person: Person, now: dt.datetime) -> list[Week]:
    """The last eight weeks on the person's clock, this one last."""
    today = person.local(now).date()
    this = today - dt.timedelta(days=today.weekday())
    begins = [this - dt.timedelta(days=7 * n) for n in range(_WEEKS - 1, -1, -1)]
    begin = dt.datetime.combine(begins[0], dt.time(), person.zone)
    rows = (
        Suggestion.objects.filter(state="approved", approved_at__gte=begin)
        .order_by()
        .annotate(sound=_SOUND, week=TruncWeek("approved_at", tzinfo=person.zone))
        .values_list("week", "sound")
        .annotate(n=Count("pk"))
    )
    counted = {(person.local(week).date(), sound): n for week, sound, n in rows}
    return [Week(first, tuple(counted.get((first, tone), 0) for tone in TONES)) for first in begins]


def only_tone(now: dt.datetime) -> str:
    """The one tone of all that was approved in fourteen days, empty when there are several."""
    rows = (
        Suggestion.objects.filter(state="approved", approved_at__gte=now - dt.timedelta(days=14))
        .order_by()
        .annotate(sound=_SOUND)
        .values_list("sound")
        .annotate(n=Count("pk"))
    )
    found = list(rows)
    return str(found[0][0]) if len(found) == 1 and found[0][1] >= _FEW else ""


def uses(now: dt.datetime) -> list[Use]:
    """The suggestions that at least five people used lately, the last used first."""
    recent = Post.objects.filter(created_at__gte=now - _MONTH, suggestion__isnull=False)
    rows = list(
        recent.order_by()
        .values("suggestion")
        .annotate(
            people=Count("person", distinct=True),
            posts=Count("pk"),
            own=Avg("own_share"),
            last=Max("created_at"),
        )
        .filter(people__gte=anonymity.GROUP)
        .order_by("-last", "suggestion")[:_ROWS]
    )
    known = Suggestion.objects.select_related("topic").in_bulk([row["suggestion"] for row in rows])
    alike = _alike(list(known), now)
    return [
        Use(
            suggestion=known[row["suggestion"]],
            people=row["people"],
            posts=row["posts"],
            own=round(row["own"]),
            alike=alike.get(row["suggestion"]),
        )
        for row in rows
    ]


def _alike(suggestions: list[int], now: dt.datetime) -> dict[int, int]:
    """By suggestion: per cent of pairs of its newest posts within seven days that sound alike."""
    texts: dict[int, list[tuple[dt.datetime, Counter[str]]]] = defaultdict(list)
    newest = Window(
        RowNumber(), partition_by="suggestion", order_by=[F("created_at").desc(), F("pk").desc()]
    )
    rows = (
        Post.objects.filter(suggestion__in=suggestions, created_at__gte=now - _MONTH, part=0)
        .annotate(place=newest)
        .filter(place__lte=_TEXTS)
        .order_by("suggestion", "place")
    )
    for pk, at, text in rows.values_list("suggestion", "created_at", "text"):
        texts[pk].append((at, Counter(text.casefold().split())))
    found = {}
    for pk, posts in texts.items():
        pairs = [
            similarity(one, other) >= _ALIKE
            for (at, one), (before, other) in itertools.combinations(posts, 2)
            if at - before <= _PAIR_WITHIN
        ]
        if pairs:
            found[pk] = round(100 * sum(pairs) / len(pairs))
    return found


def similarity(one: "Counter[str]", other: "Counter[str]") -> float:
    """Share of words that two texts have in common, 1 for the same words."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0


def finding(now: dt.datetime) -> Finding | None:
    """The one comparison, None while a side has fewer than twenty posts or five people."""
    measured = Post.objects.filter(created_at__gte=now - _QUARTER, replies__isnull=False)
    own = Q(own_share__gte=wording.OWN_FROM)
    kept = Q(own_share__lt=wording.COPIED_BELOW)
    groups = []
    for side in (own, kept):
        row = measured.filter(side).aggregate(
            posts=Count("pk"), people=Count("person", distinct=True), answers=Avg("replies")
        )
        if row["posts"] < LEAST_POSTS or anonymity.shown(row["people"]) is None:
            return None
        groups.append(Group(row["posts"], row["people"], round(row["answers"], 1)))
    return Finding(own=groups[0], kept=groups[1])
