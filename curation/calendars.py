"""What leaves when: beginnings, ends, holds, briefings, and where many people speak at once.

A day is the reader's own, from midnight to midnight on their clock, 23 or 25 hours long when the
clocks change. Every day reads as many rows as it shows. People's planned posts are one number for a
topic and an hour, where at least five people stand behind it, and nothing otherwise. The hours are
those of UTC: readers in different zones get the same groups, so no two answers can be subtracted.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Count, F, Q
from django.db.models.functions import TruncHour
from django.http import QueryDict

from ambassadors import anonymity
from ambassadors.models import Person
from campaigns import moments
from campaigns.models import Briefing, Delivery, HoldRecord, Suggestion, Topic

_DAY = dt.timedelta(days=1)
_IN_WEEK, _IN_MONTH = 8, 3  # entries of one kind on one day
_MOST_HOLDS = 60
_MORNING = 7  # o'clock; when an issue stands that was not published on its day

# The first suggestions of each day by the index, however many the day has.
_FIRST = """
SELECT day.number, s.id
  FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY
       AS day(begin_at, end_at, number)
 CROSS JOIN LATERAL (
       SELECT id FROM campaigns_suggestion
        WHERE {column} >= day.begin_at AND {column} < day.end_at AND state <> 'withdrawn'
        ORDER BY {column}, id LIMIT %(limit)s) s
"""


@dataclass(frozen=True, slots=True)
class Span:
    """A week or a month that somebody looks at."""

    kind: str
    first: dt.date

    @classmethod
    def read(cls, asked: QueryDict, today: dt.date) -> "Span":
        """Read an address; a day that is none, or far away, is today."""
        kind = "month" if "month" in asked else "week"
        try:
            day = dt.date.fromisoformat(asked.get(kind, "")[:10])
        except ValueError:
            day = today
        if not 2000 <= day.year <= 2100:
            day = today
        return cls.around(kind, day)

    @classmethod
    def around(cls, kind: str, day: dt.date) -> "Span":
        """The week or the month of a day."""
        if kind == "month":
            return cls(kind, day.replace(day=1))
        return cls(kind, day - dt.timedelta(days=day.weekday()))

    @property
    def query(self) -> str:
        """The address's part after the question mark."""
        return f"{self.kind}={self.first.isoformat()}"

    @property
    def before(self) -> "Span":
        """The one before."""
        return Span.around(self.kind, self.first - _DAY)

    @property
    def after(self) -> "Span":
        """The one after."""
        step = 7 if self.kind == "week" else 32
        return Span.around(self.kind, self.first + dt.timedelta(days=step))

    def days(self) -> list[dt.date]:
        """The days of whole weeks that show it."""
        begin = self.first - dt.timedelta(days=self.first.weekday())
        end = self.after.first
        count = (end - begin).days
        return [begin + dt.timedelta(days=n) for n in range(-(-count // 7) * 7)]


@dataclass(slots=True)
class Entry:
    """One thing on a day: ``begin``, ``end``, ``hold``, ``release``, ``briefing``, ``planned``."""

    kind: str
    at: dt.datetime
    title: str = ""
    suggestion: Suggestion | None = None
    topic: Topic | None = None
    count: int = 0

    @property
    def pile(self) -> bool:
        """Tell whether more posts leave within the hour than a topic bears."""
        return self.count > moments.PILE

    @property
    def name(self) -> str:
        """For anchors and forms."""
        return f"e-{self.kind}-{self.suggestion.pk}" if self.suggestion else ""


@dataclass(slots=True)
class Day:
    """A day with what happens on it, in order of time; ``more`` when not all is shown."""

    date: dt.date
    begin: dt.datetime
    end: dt.datetime
    entries: list[Entry] = field(default_factory=list)
    more: bool = False

    @property
    def hours(self) -> int:
        """How long it is: 24, or 23 or 25 when the clocks change."""
        return round((self.end.timestamp() - self.begin.timestamp()) / 3600)

    @property
    def planned(self) -> int:
        """Posts that may be told of."""
        return sum(entry.count for entry in self.entries)


def calendar(span: Span, person: Person) -> list[Day]:
    """The days of a span with their entries; six queries, whatever there is."""
    days = [
        Day(date, _midnight(date, person), _midnight(date + _DAY, person)) for date in span.days()
    ]
    limit = _IN_WEEK if span.kind == "week" else _IN_MONTH
    _add_suggestions(days, person, limit)
    begin, end = days[0].begin, days[-1].end
    found = [*_holds(begin, end), *_briefings(days), *_planned(begin, end)]
    by_date = defaultdict(list)
    for entry in found:
        entry.at = person.local(entry.at)
        by_date[entry.at.date()].append(entry)
    for day in days:
        day.entries.extend(by_date[day.date])
        day.entries.sort(key=lambda entry: entry.at)
    return days


def _midnight(date: dt.date, person: Person) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), person.zone)


def _add_suggestions(days: list[Day], person: Person, limit: int) -> None:
    """Beginnings and ends, the first of each day."""
    places: dict[tuple[str, int], list[int]] = {}
    for column in ("embargo_until", "expires_at"):
        with connection.cursor() as cursor:
            cursor.execute(
                _FIRST.format(column=column),
                {
                    "begins": [day.begin for day in days],
                    "ends": [day.end for day in days],
                    "limit": limit + 1,
                },
            )
            for number, pk in cursor.fetchall():
                places.setdefault((column, number - 1), []).append(pk)
    ids = {pk for found in places.values() for pk in found[:limit]}
    rows = Suggestion.objects.select_related("topic").in_bulk(ids)
    for (column, index), found in places.items():
        days[index].more |= len(found) > limit
        for pk in found[:limit]:
            row = rows[pk]
            kind = "begin" if column == "embargo_until" else "end"
            at = person.local(getattr(row, column))
            days[index].entries.append(Entry(kind, at, row.title, row, row.topic))


def _holds(begin: dt.datetime, end: dt.datetime) -> list[Entry]:
    within = Q(held_at__gte=begin, held_at__lt=end) | Q(released_at__gte=begin, released_at__lt=end)
    entries = []
    for record in HoldRecord.objects.filter(within)[:_MOST_HOLDS]:
        if begin <= record.held_at < end:
            entries.append(Entry("hold", record.held_at, record.name))
        if record.released_at and begin <= record.released_at < end:
            entries.append(Entry("release", record.released_at, record.name))
    return entries


def _briefings(days: list[Day]) -> list[Entry]:
    rows = Briefing.objects.filter(day__gte=days[0].date, day__lte=days[-1].date)
    mornings = {day.date: day.begin.replace(hour=_MORNING) for day in days}
    zone = days[0].begin.tzinfo
    entries = []
    for row in rows:
        at = row.published_at
        same_day = at is not None and at.astimezone(zone).date() == row.day
        entries.append(Entry("briefing", at if at and same_day else mornings[row.day]))
    return entries


def _planned(begin: dt.datetime, end: dt.datetime) -> list[Entry]:
    """People's posts by topic and hour, where at least five people stand behind the number."""
    rows = (
        Delivery.objects.filter(state="queued", due_at__gte=begin, due_at__lt=end)
        .order_by()
        .annotate(hour=TruncHour("due_at", tzinfo=dt.UTC))
        .values("hour", topic=F("post__suggestion__topic"))
        .annotate(people=Count("post__person", distinct=True), n=Count("pk"))
        .filter(people__gte=anonymity.GROUP)
        .order_by("hour", "topic")
    )
    found = list(rows)
    topics = Topic.objects.in_bulk({row["topic"] for row in found if row["topic"]})
    return [
        Entry("planned", row["hour"], topic=topics.get(row["topic"]), count=row["n"])
        for row in found
    ]
