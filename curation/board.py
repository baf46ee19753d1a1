"""What stands on the board: lanes, filters, numbers. Nothing here grows with what is over.

Every lane reads as many rows as it shows; its number is counted up to a thousand and no further.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Left
from django.http import QueryDict

from ambassadors import anonymity
from ambassadors.models import Person
from campaigns import wording
from campaigns.models import Delivery, Suggestion, Topic, Variant
from campaigns.models.programme import ContentClass

LANES = ("draft", "review", "planned", "out")
SHELVES = ("patterns", "over", "withdrawn")  # looked at one by one
SHOWN = 8  # tickets of a lane beside the others
MOST_COUNTED = 1000
MOST_FOUND = 300  # by a search that looks into all lanes
LONGEST_SEARCH = 200  # characters; the rest of a search is not read
_FIRST_WORDS = 160  # characters of a wording that a ticket may need
_USE = """
WITH first AS (
  SELECT suggestion_id, min(id) AS id FROM campaigns_post
   WHERE suggestion_id = ANY(%s) GROUP BY suggestion_id, person_id),
placed AS (
  SELECT suggestion_id, id, row_number() OVER (PARTITION BY suggestion_id ORDER BY id) AS people
    FROM first),
step AS (
  SELECT DISTINCT ON (suggestion_id) suggestion_id, id, people FROM placed
   WHERE people = ANY(%s) ORDER BY suggestion_id, people DESC)
SELECT step.suggestion_id, step.people, avg(post.own_share)::integer
  FROM step JOIN campaigns_post post ON post.suggestion_id = step.suggestion_id
                                    AND post.id <= step.id
 GROUP BY step.suggestion_id, step.people
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see, as it stands in the address."""

    q: str = ""
    topic: int = 0
    author: int = 0
    content_class: str = ""
    language: str = ""
    mine: bool = False
    lane: str = ""

    @classmethod
    def read(cls, asked: QueryDict) -> "Wanted":
        """Read an address; what makes no sense there counts as not asked for."""
        lane, kind = asked.get("lane", ""), asked.get("content_class", "")
        language = asked.get("language", "")
        return cls(
            q=wording.clean(asked.get("q", "")[: LONGEST_SEARCH + 1])[:LONGEST_SEARCH],
            topic=number(asked.get("topic", "")),
            author=number(asked.get("author", "")),
            content_class=kind if kind in ContentClass.values else "",
            language=language if language in Person.Language.values else "",
            mine=asked.get("mine") == "1",
            lane=lane if lane in {*LANES, *SHELVES} else "",
        )

    def query(self, **changes: Any) -> str:
        """The address's part after the question mark, without what is not asked for."""
        asked = asdict(replace(self, **changes))
        return urlencode({k: "1" if v is True else v for k, v in asked.items() if v})

    @property
    def narrowed(self) -> bool:
        """Tell whether anything but the lane is asked for."""
        return replace(self, lane="") != Wanted()

    def rows(self, person: Person) -> "QuerySet[Suggestion]":
        """All suggestions that match, in whatever lane."""
        rows = Suggestion.objects.saying(self.q) if self.q else Suggestion.objects.all()
        if self.topic:
            rows = rows.filter(topic=self.topic)
        if self.author:
            rows = rows.filter(author=self.author)
        if self.content_class:
            rows = rows.filter(content_class=self.content_class)
        if self.language:
            rows = rows.filter(language=self.language)
        if self.mine:
            rows = rows.filter(Q(author=person) | Q(owner=person))
        return rows


def number(text: str) -> int:
    """A row's number out of an address, 0 when it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def in_lane(lane: str, now: dt.datetime) -> Q:
    """Which suggestions stand in a lane or on a shelf at a moment."""
    begun = Q(embargo_until__isnull=True) | Q(embargo_until__lte=now)
    match lane:
        case "draft":
            return Q(state="draft", pattern="")
        case "review":
            return Q(state="in_review")
        case "planned":
            return Q(state="approved", embargo_until__gt=now)
        case "out":
            ends = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
            return Q(state="approved") & begun & ends
        case "patterns":
            return ~Q(pattern="")
        case "over":
            return Q(state="approved", expires_at__lte=now)
        case _:
            return Q(state="withdrawn")


def ordered(rows: "QuerySet[Suggestion]", lane: str) -> "QuerySet[Suggestion]":
    """A lane's rows as tickets need them: the next to leave, or the last changed, comes first."""
    first = Variant.objects.filter(suggestion=OuterRef("pk")).order_by("position", "pk")
    many = first.order_by().values("suggestion").annotate(n=Count("pk")).values("n")
    order = {"planned": ("embargo_until", "pk"), "patterns": ("pattern", "pk")}
    return (
        rows.select_related("topic", "author", "owner")
        .annotate(
            first_words=Subquery(first.annotate(cut=Left("text", _FIRST_WORDS)).values("cut")[:1]),
            first_language=Subquery(first.values("language")[:1]),
            wordings=Subquery(many),
        )
        .order_by(*order.get(lane, ("-changed_at", "-pk")))
    )


def count(rows: "QuerySet[Suggestion]") -> int:
    """How many, a thousand at the most."""
    return rows.order_by()[:MOST_COUNTED].count()


def newest(rows: "QuerySet[Suggestion]") -> tuple["QuerySet[Suggestion]", bool]:
    """The last changed of what a search found, looked for once for all lanes; whether all of it."""
    there = rows.exclude(state="withdrawn").order_by("-changed_at", "-pk")
    ids = list(there.values_list("pk", flat=True)[:MOST_FOUND])
    return Suggestion.objects.filter(pk__in=ids), len(ids) < MOST_FOUND


def add_use(rows: Iterable[Suggestion]) -> None:
    """People at the least, and the per cent of their words that are their own, in tens.

    Of all posts until the fifth person's first one, then until the tenth's, the twentieth's and so
    on: between two looks at it five people came in, or nothing changed. An average, no count of
    those who kept the draft: that could be one, or all. That nobody posted yet is no better known
    than that four did.
    """
    shown = list(rows)
    with connection.cursor() as cursor:
        cursor.execute(_USE, [[row.pk for row in shown], list(anonymity.STEPS)])
        known = {pk: (people, round(own, -1)) for pk, people, own in cursor.fetchall()}
    for row in shown:
        row.use = known.get(row.pk)  # type: ignore[attr-defined]


def sorted_topics() -> list[Topic]:
    """All topics: held first, then careful, then free."""
    rows = Topic.objects.current().select_related("held_by")
    return sorted(rows, key=lambda topic: topic.rank)


def topics(now: dt.datetime) -> list[Topic]:
    """All topics in their order, with live suggestions and planned posts.

    What people plan is said in fives, and only where five of them plan something: neither one
    answer nor the difference to the calendar's tells what a single person does.
    """
    live = dict(
        Suggestion.objects.live(now).order_by().values_list("topic").annotate(n=Count("pk"))
    )
    planned = (
        Delivery.objects.filter(state="queued")
        .order_by()
        .values(topic=F("post__suggestion__topic"))
        .annotate(people=Count("post__person", distinct=True), n=Count("pk"))
    )
    queued = {
        row["topic"]: row["n"] // anonymity.GROUP * anonymity.GROUP
        for row in planned
        if anonymity.shown(row["people"])
    }
    found = sorted_topics()
    for topic in found:
        topic.live = live.get(topic.pk, 0)  # type: ignore[attr-defined]
        topic.queued = queued.get(topic.pk, 0)  # type: ignore[attr-defined]
    return found
