"""How it goes, for groups only: one team's whole month, when five or more answered in it.

Months do not overlap, there is no sum over teams, and a month is written once and never again. So
no difference between two figures tells of fewer than five people, and deleting a question later
changes nothing that stands here.
"""

import datetime as dt
import statistics

from django.db.models import Count, Q

from ambassadors import anonymity
from ambassadors.memberships import day_of, later

from .models import Inquiry, MonthFigure


def close_months(*, now: dt.datetime) -> int:
    """Write the figures of the two months before this one; returns how many were new."""
    this = day_of(now).replace(day=1)
    return sum(_close(later(this, -back), later(this, 1 - back)) for back in (2, 1))


def _close(begin: dt.date, end: dt.date) -> int:
    answered = Inquiry.objects.filter(
        answered_at__date__gte=begin, answered_at__date__lt=end, team__isnull=False
    )
    written = MonthFigure.objects.filter(month=begin).values("team")
    groups = (
        answered.exclude(team__in=written)
        .order_by()
        .values("team")
        .annotate(
            people=Count("messages__author", filter=Q(messages__who="contact"), distinct=True),
            askers=Count("pk", distinct=True),
        )
    )
    new = 0
    for group in groups:
        if anonymity.shown(group["people"]) is None or anonymity.shown(group["askers"]) is None:
            continue
        rows = list(answered.filter(team=group["team"]))
        hours = [
            (row.answered_at - row.received_at) / dt.timedelta(hours=1)
            for row in rows
            if row.answered_at
        ]
        ratings = [row.rating for row in rows if row.rating]
        rated = anonymity.shown(len(ratings))
        _figure, created = MonthFigure.objects.get_or_create(
            team_id=group["team"],
            month=begin,
            defaults={
                "answered": len(rows),
                "in_time": round(100 * sum(bool(row.in_time) for row in rows) / len(rows)),
                "hours": round(statistics.median(hours)),
                "rated": rated,
                "helped": rated and round(100 * ratings.count(3) / rated),
            },
        )
        new += created
    return new
