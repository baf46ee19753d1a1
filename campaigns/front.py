"""What Today tells everybody alike: read once for each change and minute, kept by each process.

A hold, a withdrawal, a new line must show at the next look, so nothing here has an age: triggers
write a row into ``campaigns_edition`` in the transaction of every change, and each look asks how
many there are and which is the last. Both are asked: of two changes the later one may be committed
first. What the clock changes falls on whole minutes or is asked again (:meth:`Front.live_for`).
"""

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import connection
from django.db.models import Q
from django.utils.safestring import SafeString

from ambassadors.models import Person

from . import briefings, lights, shares
from .models import (
    Activity,
    Briefing,
    BriefingItem,
    Campaign,
    Edition,
    HoldRecord,
    LightChange,
    Programme,
    Suggestion,
    Variant,
)

# So many suggestions are kept, the newest. Who sees too few of them is served by the database.
MOST = 300
_KEPT = dt.timedelta(hours=1)
_MINUTE, _DAY, _MONTH = dt.timedelta(minutes=1), dt.timedelta(days=1), dt.timedelta(days=30)
# An issue of Friday is still the latest on Monday; its changes are not news any more.
_NEWS = dt.timedelta(hours=16)

Stamp = tuple[int, int, int, dt.datetime]


class Situation(NamedTuple):
    """A day's issue, its lines, what changed since, and the version an open page compares."""

    issue: Briefing | None
    fresh: bool
    lines: list[BriefingItem]
    news: list[LightChange]
    version: str


@dataclass(slots=True)
class Front:
    """Rows that all threads of a process read and none writes to."""

    stamp: Stamp
    programme: Programme
    suggestions: Sequence[Suggestion]
    turning: bool  # whether a moment within the minute makes one of them live or ends it
    whole: bool  # whether these are all that are live
    addressed: frozenset[int]  # those meant for a part of the company
    campaigns: list[Campaign]
    holds: bool  # whether anything is on hold, and whether activities are open
    activities: bool
    _situations: dict[dt.date, Situation] = field(default_factory=dict)
    _used: dict[int, int | None] = field(default_factory=dict)
    _made: dict[tuple[object, ...], SafeString] = field(default_factory=dict)

    def live_for(self, person: Person, now: dt.datetime) -> Sequence[Suggestion]:
        """Those the person may see, newest first. One query where some are meant for a part."""
        rows = self.suggestions
        if self.turning:
            rows = [row for row in rows if row.is_live(now)]
        if not self.addressed:
            return rows
        asked = Suggestion.objects.filter(pk__in=self.addressed).visible_to(person)
        mine = set(asked.values_list("pk", flat=True))
        return [row for row in rows if row.pk not in self.addressed or row.pk in mine]

    def running(self, day: dt.date) -> list[Campaign]:
        """The campaigns of a day, the next to end first."""
        return [row for row in self.campaigns if row.stands(day) == "running"]

    def situation(self, day: dt.date) -> Situation:
        """The situation of a person's day."""
        if day not in self._situations:
            self._situations[day] = situation(day, self.stamp[3])
        return self._situations[day]

    def used(self, variants: Sequence[Variant]) -> dict[int, int | None]:
        """As :func:`campaigns.shares.verbatim_counts`, of the last 30 days."""
        new = [variant for variant in variants if variant.pk not in self._used]
        if new:
            counts = shares.verbatim_counts(new, since=self.stamp[3] - _MONTH)
            self._used |= {variant.pk: counts.get(variant.pk) for variant in new}
        return self._used

    def has(self, key: tuple[object, ...]) -> bool:
        """Tell whether a piece was made already."""
        return key in self._made

    def made(self, key: tuple[object, ...], make: Callable[[], SafeString]) -> SafeString:
        """A piece of a page that is the same for everybody with the same key, made once."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def situation(day: dt.date, now: dt.datetime) -> Situation:
    """What is out for a day, from the database."""
    version = lights.version(day)  # first: what is read after it may be newer, never older
    issue, lines = briefings.of_day(day)
    since = now - _NEWS
    if issue and issue.published_at:
        since = max(since, issue.published_at)
    return Situation(
        issue=issue,
        fresh=issue is not None and issue.day == day,
        lines=lines,
        news=lights.of_day([item.topic for item in lines], since),
        version=version,
    )


_latest: Front | None = None
_reading = threading.Lock()


def front(now: dt.datetime) -> Front:
    """Everybody's part as it stands now. One query; nine in the first look after a change."""
    global _latest  # noqa: PLW0603 - the one thing a process keeps
    stamp = (*_edition(), now.replace(second=0, microsecond=0))
    found = _latest
    if found is None or found.stamp != stamp:
        with _reading:
            found = _latest
            if found is None or found.stamp != stamp:
                found = _latest = _read(stamp)
    return found


def _edition() -> tuple[int, int, int]:
    """How many rows there are, the first and the last: the first tells what was forgotten."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(min(id), 0), coalesce(max(id), 0) FROM campaigns_edition"
        )
        count, first, last = cursor.fetchone()
    return count, first, last


def _read(stamp: Stamp) -> Front:
    """Read it; what was read after the stamp may be newer than it, never older."""
    begin, end = stamp[3], stamp[3] + _MINUTE
    begun = Q(embargo_until__isnull=True) | Q(embargo_until__lt=end)
    rows = list(
        Suggestion.objects.unheld()
        .filter(begun, Q(expires_at__isnull=True) | Q(expires_at__gt=begin))
        .with_cards()[: MOST + 1]
    )
    shown = rows[:MOST]
    everybody = Suggestion.objects.filter(pk__in=[row.pk for row in shown]).for_everybody()
    return Front(
        stamp=stamp,
        programme=Programme.the(),
        suggestions=shown,
        turning=any(
            (row.embargo_until and row.embargo_until > begin)
            or (row.expires_at and row.expires_at < end)
            for row in shown
        ),
        whole=len(rows) <= MOST,
        addressed=frozenset(row.pk for row in shown) - set(everybody.values_list("pk", flat=True)),
        # a day before and after: people's days begin at different times
        campaigns=list(
            Campaign.objects.filter(
                begins_on__lte=begin.date() + _DAY, ends_on__gte=begin.date() - _DAY
            ).order_by("ends_on", "pk")
        ),
        holds=HoldRecord.objects.filter(released_at__isnull=True).exists(),
        activities=Activity.objects.live(begin).exists(),
    )


def forget_editions(*, now: dt.datetime) -> int:
    """Delete rows that no kept page was made for any more: each is made anew every minute."""
    return Edition.objects.filter(at__lt=now - _KEPT).delete()[0]
