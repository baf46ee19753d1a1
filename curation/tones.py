"""How the house sounds, and how alike people sound.

Tones are counted from suggestions, which are the house's own. What people posted is told in groups
of at least five people. What went with more conversations is told once a month
(:mod:`campaigns.months`): two looks at a running figure could be subtracted.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, CharField, Count, F, Max, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber, TruncWeek

from ambassadors import anonymity
from ambassadors.models import Person
from campaigns import sameness
from campaigns.models import Post, Suggestion

JOB_AD = "job_ad"
TONES = ("proud", "useful", "human", "honest", "critical", JOB_AD)
GOAL = 5  # per cent of pairs that may sound alike
_WEEKS = 8
_FEW = 3  # suggestions from which on one tone alone is worth a word
_MONTH = dt.timedelta(days=30)
_ROWS, _TEXTS = 15, 40  # suggestions told, and newest posts of each that are compared

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


def mix(begin: dt.datetime, end: dt.datetime) -> dict[str, int]:
    """How many suggestions of each tone were approved in a time; the house's own."""
    rows = Suggestion.objects.filter(
        state="approved", approved_at__gte=begin, approved_at__lt=end
    ).order_by()
    found = dict(rows.annotate(sound=_SOUND).values_list("sound").annotate(n=Count("pk")))
    return {tone: found.get(tone, 0) for tone in TONES}


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
    """The suggestions that at least five people used lately, the last used first.

    What is told of one stays until five people's posts changed (:func:`anonymity.settled`), so two
    looks at the page tell on nobody either.
    """
    recent = Post.objects.filter(created_at__gte=now - _MONTH, suggestion__isnull=False)
    rows = (
        recent.order_by()
        .values("suggestion")
        .annotate(people=Count("person", distinct=True), last=Max("created_at"))
        .filter(people__gte=anonymity.GROUP)
        .order_by("-last", "suggestion")[:_ROWS]
    )
    ids = [row["suggestion"] for row in rows]
    figures = {f"use of {pk}": figure for pk, figure in _figures(recent, ids).items()}
    told = anonymity.all_settled(figures, now=now, rest=dt.timedelta(days=1))
    known = Suggestion.objects.select_related("topic").in_bulk(ids)
    return [Use(known[pk], **told[f"use of {pk}"][0]) for pk in ids]


def _figures(recent: "QuerySet[Post]", suggestions: list[int]) -> dict[int, anonymity.Figure]:
    """By suggestion: what everybody's posts say together, and what each person adds."""
    answers: dict[int, dict[int, list[tuple[int, int]]]] = {pk: {} for pk in suggestions}
    posts = recent.filter(suggestion__in=suggestions)
    columns = ("suggestion", "person", "pk", "own_share")
    for suggestion, person, pk, own in posts.order_by("pk").values_list(*columns):
        answers[suggestion].setdefault(person, []).append((pk, own))
    newest = Window(
        RowNumber(), partition_by="suggestion", order_by=[F("created_at").desc(), F("pk").desc()]
    )
    texts: dict[int, list[Post]] = defaultdict(list)
    for post in posts.filter(part=0).annotate(place=newest).filter(place__lte=_TEXTS):
        texts[post.suggestion_id or 0].append(post)
    found = {}
    for suggestion, people in answers.items():
        shares = [own for mine in people.values() for _, own in mine]
        content = {
            "people": len(people),
            "posts": len(shares),
            "own": round(sum(shares) / len(shares)),
            "alike": alike(texts[suggestion]),
        }
        found[suggestion] = anonymity.Figure(people, content)
    return found


def alike(posts: Iterable[Post]) -> int | None:
    """Per cent of pairs of posts that say nearly the same; None of fewer than five people."""
    people, pairs, agree = sameness.alike(
        (row.person_id, row.created_at, sameness.runs(row.text)) for row in posts
    )
    return None if anonymity.shown(len(people)) is None else round(100 * agree / pairs)
