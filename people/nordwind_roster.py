"""What Nordwind Energie's people say about themselves. Relative to now."""

import datetime as dt
import random
from collections.abc import Iterable
from decimal import Decimal

from ambassadors.models import Person

_HOURS = ("1", "2", "2", "3", "3", "4", "4", "4", "6")
_TOO_MUCH_SHOWN = ("frauke.petersen", "lukasz.wrona")


def load(people: Iterable[Person], *, now: dt.datetime) -> None:
    """Most name their hours, some let their row say it; a few have too much at present."""
    dice = random.Random(64)  # noqa: S311 - equal data on every run
    changed = []
    for number, person in enumerate(sorted(people, key=lambda person: person.email)):
        name = person.email.split("@")[0]
        if dice.random() < 0.85:
            person.hours_per_month = Decimal(dice.choice(_HOURS))
            person.hours_shown = dice.random() < 0.5
        person.too_much_shown = name in _TOO_MUCH_SHOWN
        if person.too_much_shown or number % 4 == 1:
            person.too_much_since = now - dt.timedelta(days=dice.randrange(2, 30))
        changed.append(person)
    Person.objects.bulk_update(
        changed, ["hours_per_month", "hours_shown", "too_much_since", "too_much_shown"]
    )
