"""Nordwind Energie's HR rooms. Relative to now."""

import datetime as dt

from ambassadors.models import Person

from . import adoption, nordwind_calls, nordwind_guidelines, nordwind_roster, nordwind_training


def load(*, now: dt.datetime) -> None:
    """Load it for people and teams that are there already."""
    by = {person.email.split("@")[0]: person for person in Person.objects.all()}
    nordwind_roster.load(by.values(), now=now)
    nordwind_training.load(by, now=now)
    nordwind_calls.load(by, now=now)
    nordwind_guidelines.load(by, now=now)
    adoption.close_due(now=now)
