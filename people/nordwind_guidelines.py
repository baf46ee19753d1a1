"""Nordwind Energie's guideline in two versions, and two quarters of its pulse survey."""

import datetime as dt
import json
import random
import uuid
from pathlib import Path

from ambassadors import acknowledgements, guidelines
from ambassadors.models import GuidelineVersion, Person
from campaigns.models import Programme

from . import pulse

_WORDS = json.loads((Path(__file__).parent / "nordwind_guidelines.json").read_text("utf-8"))


def load(by: dict[str, Person], *, now: dt.datetime) -> None:
    """Load it for people who are there already."""
    _guideline(by, now)
    _survey(by, now)


def _guideline(by: dict[str, Person], now: dt.datetime) -> None:
    selin, mirja = by["selin.aydin"], by["mirja.thomsen"]
    at = now - dt.timedelta(days=200)
    first = guidelines.begin(words=_WORDS["first"], key=uuid.UUID(int=6), by=selin, now=at)
    guidelines.publish(draft=first, seen_revision=1, effective_at=at, by=selin, now=at)
    first = GuidelineVersion.objects.get(pk=first.pk)
    dice = random.Random(6)  # noqa: S311 - a demonstration
    people = sorted(by.values(), key=lambda person: person.pk)
    for person in people:
        if person == by["jona.harms"] or dice.random() < 0.8:
            said = at + dt.timedelta(days=dice.randint(0, 90))
            acknowledgements.give(person=person, version=first, language=person.language, now=said)
    at = now - dt.timedelta(days=5)
    second = guidelines.next_draft(guideline=first.guideline, by=mirja, now=at)
    guidelines.save(draft=second, words=_WORDS["second"], seen_revision=1, by=mirja, now=at)
    guidelines.publish(draft=second, seen_revision=2, effective_at=at, by=mirja, now=at)
    second = GuidelineVersion.objects.get(pk=second.pk)
    for person in people:
        if person != by["jona.harms"] and dice.random() < 0.45:
            said = at + dt.timedelta(hours=dice.randint(1, 90))
            acknowledgements.give(person=person, version=second, language=person.language, now=said)


def _survey(by: dict[str, Person], now: dt.datetime) -> None:
    selin, today = by["selin.aydin"], Programme.the().today(now)
    dice = random.Random(7)  # noqa: S311 - a demonstration
    for back, means in ((2, (4, 3, 3, 4, 3)), (1, (4, 4, 2, 4, 4))):
        at = now - dt.timedelta(days=91 * back)
        round_ = pulse.open_round(day=today - dt.timedelta(days=91 * back), by=selin, now=at)
        said = list(_WORDS["remarks"])
        for pk in sorted(pulse.asked()):
            if dice.random() < 0.3:
                continue
            steps = [min(5, max(1, mean + dice.choice((-1, 0, 0, 1)))) for mean in means]
            pulse.answer(
                person=Person.objects.get(pk=pk),
                round_=round_,
                steps=steps,
                comment=said.pop() if said and dice.random() < 0.4 else "",
                now=at,
            )
        pulse.close_due(now=round_.closes_at)
    pulse.open_round(day=today, by=selin, now=now - dt.timedelta(days=1))
