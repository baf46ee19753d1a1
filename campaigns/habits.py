"""When talks with a person begin, as their own posts show; seen by nobody else."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.contrib.humanize.templatetags.humanize import apnumber
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ambassadors.models import Person

from .models import Post

SINCE = dt.timedelta(days=365)
ENOUGH = 8  # posts in a year; fewer say nothing about anybody
_BEST = 10  # of the posts that brought a talk
_OFTEN = 3  # of the best, on the same part of the same day of the week
_NOON, _EVENING = 12, 18


def _part(hour: int) -> int:
    return (hour >= _NOON) + (hour >= _EVENING)


@dataclass(frozen=True, slots=True)
class Habit:
    """A part of a day of the week, and how many of the person's best talks began on it."""

    weekday: int
    part: int
    talks: int

    def holds(self, at: dt.datetime, zone: ZoneInfo) -> bool:
        """Tell whether a moment lies in it on a clock."""
        local = at.astimezone(zone)
        return (local.weekday(), _part(local.hour)) == (self.weekday, self.part)

    @property
    def sentence(self) -> str:
        """The habit in words for the person."""
        day = {"day": WEEKDAYS[self.weekday]}
        when = (
            _("on %(day)s mornings"),
            _("on %(day)s afternoons"),
            _("on %(day)s evenings"),
        )[self.part] % day
        sentence = _("%(count)s of your best talks began %(when)s.")
        return capfirst(sentence % {"count": apnumber(self.talks), "when": when})


def of(person: Person, now: dt.datetime) -> Habit | None:
    """Where the person's best talks of a year crowd, None where too little is known to say."""
    rows = Post.objects.of(person).filter(part=0, created_at__gte=now - SINCE)
    out = rows.filter(Q(delivery__isnull=True) | Q(delivery__state="sent"))
    if out.count() < ENOUGH:
        return None
    talks = (
        out.filter(Q(conversations__gt=0) | Q(replies__gt=0))
        .annotate(at=Coalesce("delivery__sent_at", "created_at"))
        .order_by(F("conversations").desc(nulls_last=True), F("replies").desc(nulls_last=True))
        .values_list("at", flat=True)[:_BEST]
    )
    local = [person.local(at) for at in talks]
    crowd = Counter((at.weekday(), _part(at.hour)) for at in local)
    (weekday, part), count = max(
        crowd.items(), key=lambda row: (row[1], -row[0][0], -row[0][1]), default=((0, 0), 0)
    )
    return Habit(weekday, part, count) if count >= _OFTEN else None
