"""Being away: somebody stands in until a day, and what waits is shown to them."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from . import audit
from .models import Absence, Person


@transaction.atomic
def go(*, by: Person, deputy: Person, until_on: dt.date, now: dt.datetime) -> Absence:
    """Name who stands in for a person from now until the end of a day.

    Effects in order: the absence named before ends, the new one is written, audit entry.
    """
    Person.objects.select_for_update().get(pk=by.pk)  # two tabs: one after the other
    Absence.objects.filter(person=by, ended_at__isnull=True).update(ended_at=now)
    absence = Absence.objects.create(person=by, deputy=deputy, until_on=until_on, named_at=now)
    audit.record("absence.begun", absence, by=by, now=now)
    return absence


@transaction.atomic
def come_back(*, by: Person, now: dt.datetime) -> bool:
    """End the person's absence early; tells whether there was one."""
    absence = Absence.objects.select_for_update().filter(person=by, ended_at__isnull=True).first()
    if absence is None:
        return False
    Absence.objects.filter(pk=absence.pk).update(ended_at=now)
    audit.record("absence.ended", absence, by=by, now=now)
    return True


@dataclass(frozen=True, slots=True)
class StandIn:
    """Who is away, who is here instead, and until when that is so."""

    person: Person
    deputy: Person
    until_on: dt.date


def deputies(on: dt.date) -> dict[int, StandIn]:
    """Those away on a day whose deputy is here, by key. One query.

    A deputy who is away too is represented by their own deputy. Where a chain ends in a circle
    or with somebody who left, nobody stands in and the person is not among the keys.
    """
    rows = Absence.objects.filter(ended_at__isnull=True, until_on__gte=on)
    away = {row.person_id: row for row in rows.select_related("person", "deputy")}
    found = {}
    for key, row in away.items():
        last, seen, until_on = row, {key}, row.until_on
        while last.deputy_id in away and last.deputy_id not in seen:
            seen.add(last.deputy_id)
            last = away[last.deputy_id]
            until_on = min(until_on, last.until_on)
        if last.deputy_id not in seen and last.deputy.left_at is None:
            found[key] = StandIn(row.person, last.deputy, until_on)
    return found


def stands_in_for(person: Person, on: dt.date) -> dict[int, StandIn]:
    """Those whose waiting things are shown to a person on a day, by key."""
    return {key: found for key, found in deputies(on).items() if found.deputy == person}
