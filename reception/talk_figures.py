"""How organisers found it: one figure of a quarter that is over, for groups of five and more.

A quarter that is over gets no new answers, so no two looks differ by one person's.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Avg, Count

from ambassadors import anonymity, retention

from .models import TalkRequest

_DAYS_KEPT = 250  # from the first answer of a quarter until the next one is over


@dataclass(frozen=True, slots=True)
class Figure:
    """The mean of one to five stars, and how many organisers answered."""

    stars: float
    answers: int


def last_quarter(today: dt.date) -> tuple[dt.date, dt.date]:
    """First day of the last full quarter, and the first day after it."""
    end = dt.date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    before = end - dt.timedelta(days=1)
    return dt.date(before.year, 3 * ((before.month - 1) // 3) + 1, 1), end


def of_last_quarter(today: dt.date) -> Figure | None:
    """The figure, or None when fewer than five speakers stand behind it."""
    zone = ZoneInfo(settings.TIME_ZONE)  # everybody's quarter ends with the same instant
    begin, end = (dt.datetime.combine(day, dt.time(), zone) for day in last_quarter(today))
    if retention.shortest("talk_requests", since=begin) < _DAYS_KEPT:
        return None  # what was deleted in between would show one answer at a time
    found = TalkRequest.objects.filter(rated_at__gte=begin, rated_at__lt=end).aggregate(
        stars=Avg("rating"), answers=Count("pk"), speakers=Count("speaker", distinct=True)
    )
    if anonymity.shown(found["speakers"]) is None:
        return None
    return Figure(round(found["stars"], 1), found["answers"])
