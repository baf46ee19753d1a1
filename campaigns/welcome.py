"""The first run: three steps, each left at any point. How far somebody came is theirs alone."""

import datetime as dt

from django.db import transaction

from ambassadors.models import Person

from . import reaching
from .models import Suggestion, Topic

# Where a person stands; NEW is met by itself once, the steps only when the person goes on.
OVER, NEW, TOPICS, REACH, TRY = 0, 1, 2, 3, 4
STEPS = (TOPICS, REACH, TRY)
_MOST = 12  # topics to choose from


def offered() -> list[Topic]:
    """The topics to choose from, the latest in motion first."""
    return list(Topic.objects.current().order_by("-light_since", "title")[:_MOST])


def rehearsal(person: Person, now: dt.datetime) -> Suggestion | None:
    """A suggestion to try on the practice wall, in the person's language where there is one."""
    rows = Suggestion.objects.live(now).visible_to(person).worded()
    mine = rows.filter(language=person.language).order_by("-approved_at").first()
    return mine or rows.order_by("-approved_at").first()


def go_on(*, person: Person, to: int) -> None:
    """Remember where to go on. Nothing else is noted, and no moment."""
    Person.objects.filter(pk=person.pk).update(welcome=to)


@transaction.atomic
def like(*, person: Person, language: str, topics: list[str]) -> None:
    """First step: the language of the pages, and topics that come first on Today."""
    choice = [topic.slug for topic in offered()]
    kept = [slug for slug in person.interests if slug not in choice]
    Person.objects.filter(pk=person.pk).update(
        language=language,
        languages=list(dict.fromkeys([language, *person.languages])),
        interests=[*kept, *(slug for slug in choice if slug in topics)],
    )
    go_on(person=person, to=REACH)


@transaction.atomic
def reach(*, person: Person, way: str, at: dt.time | None, address: str, now: dt.datetime) -> None:
    """Second step: the situation by one way at a time of theirs, or nothing at all."""
    if at is None:
        for one in reaching.wishes(person):
            reaching.stop(person=person, way=one)
    else:
        reaching.wish(by=person, way=way, at=at, address=address, now=now)
    go_on(person=person, to=TRY)
