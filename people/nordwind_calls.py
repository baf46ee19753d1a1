"""Nordwind Energie's calls: two open ones, who put themselves forward, a colleague's thought."""

import datetime as dt
import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

from ambassadors import memberships
from ambassadors.models import Membership, Person, Team, TeamKind

from . import applications, calls, nominations
from .models import Call

_CLOCK = "Europe/Berlin"


def load(by: dict[str, Person], *, now: dt.datetime) -> None:
    """Load it for people and teams that are there already."""
    told: dict[str, Any] = json.loads(
        Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    )
    _frames(told, memberships.day_of(now))
    days = dt.timedelta
    contacts = _call(
        told["calls"]["contacts"], "kontakter", None, by["selin.aydin"],
        now - days(6), now + days(15), now,
    )  # fmt: skip
    _call(
        told["calls"]["voices"], "netz", 3, by["ole.brodersen"], now - days(2), now + days(26), now
    )
    outside = Person.objects.exclude(membership__team__slug="kontakter")
    outside = outside.filter(role__name="ambassador", leads__isnull=True).order_by("pk")
    for number, (person, row) in enumerate(zip(outside[3:6], told["why"], strict=True)):
        applications.apply(
            call=contacts,
            why=row["why"],
            topics=person.interests[:2],
            languages=row["languages"],
            networks=row["networks"],
            hours_per_month=Decimal(row["hours"]),
            by=person,
            now=now - days(4 - number),
        )
    nominations.nominate(
        address=by["jona.harms"].email,
        team=contacts.team or Team(),
        note=told["note"],
        by=by["frauke.petersen"],
        now=now - days(1),
    )


def _frames(told: dict[str, Any], today: dt.date) -> None:
    """Places and terms of the teams; English tasks; until when terms were agreed."""
    for slug, (capacity, months) in told["rooms"].items():
        Team.objects.filter(slug=slug).update(capacity=capacity, term_months=months)
    for slug, tasks in told["tasks_en"].items():
        TeamKind.objects.filter(slug=slug).update(tasks_en=tasks)
    for term in Membership.objects.open().filter(stage="active").select_related("team"):
        months = term.team.term_months or 12
        until_on = memberships.later(term.started_on, months)
        while until_on < today:
            until_on = memberships.later(until_on, months)
        Membership.objects.filter(pk=term.pk).update(until_on=until_on)


def _call(
    words: dict[str, str], team: str, places: int | None, by: Person,
    opens_at: dt.datetime, closes_at: dt.datetime, now: dt.datetime,
) -> Call:  # fmt: skip
    return calls.save(
        call=Call(),
        team=Team.objects.get(slug=team),
        kind=None,
        opens_at=opens_at.replace(minute=0, second=0),
        closes_at=closes_at.replace(minute=0, second=0),
        timezone=_CLOCK,
        places=places,
        submission=uuid.uuid5(uuid.NAMESPACE_URL, words["title_de"]),
        by=by,
        now=now,
        **words,
    )
