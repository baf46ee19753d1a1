"""How long the rows of this room are kept (:mod:`ambassadors.retention`)."""

import datetime as dt
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_noop

from ambassadors.memberships import LastAdministrator
from ambassadors.models import Erasure, Person
from ambassadors.retention import Kept

from . import erasures
from .models import BriefingRead, Evidence, Reached, Reading, Version


def _left(before: dt.datetime) -> "QuerySet[Person]":
    asked = Erasure.objects.open().filter(person=OuterRef("pk"))
    return Person.objects.filter(~Exists(asked), left_at__lt=before, erased_at__isnull=True)


def _erase(people: list[Any], now: dt.datetime) -> int:
    count = 0
    for person in people:
        try:
            erasures.ask_for_leaver(person=person, now=now)
        except LastAdministrator:
            continue
        count += 1
    return count


def _older_versions(before: dt.datetime) -> "QuerySet[Version]":
    newer = Version.objects.filter(
        suggestion=OuterRef("suggestion"), revision__gt=OuterRef("revision")
    )
    return Version.objects.filter(Exists(newer), at__lt=before)


KEPT = (
    Kept(
        name="left",
        title=gettext_noop("Everything about people who have left"),
        why=gettext_noop(
            "So that somebody who returns finds their terms again, and questions can be answered."
            " Then they are erased, as if they had asked for it."
        ),
        days=365,
        least=30,
        most=1095,
        rows=_left,
        let_go=_erase,
    ),
    Kept(
        name="evidence",
        title=gettext_noop("The proof of what left, after its three years"),
        why=gettext_noop(
            "Claims about a missing label lapse after three full years; each proof names its day."
        ),
        days=0,
        least=0,
        most=0,
        rows=lambda before: Evidence.objects.filter(keep_until__lte=before.date()),
    ),
    Kept(
        name="readings",
        title=gettext_noop("Single readings of figures"),
        why=gettext_noop("For a curve over a year. A post’s last figures stay with the post."),
        days=400,
        least=30,
        most=730,
        rows=lambda before: Reading.objects.filter(read_at__lt=before),
    ),
    Kept(
        name="versions",
        title=gettext_noop("Older versions of suggestions"),
        why=gettext_noop("So that a text can be brought back. The newest one always stays."),
        days=730,
        least=90,
        most=1095,
        rows=_older_versions,
    ),
    Kept(
        name="ticks",
        title=gettext_noop("One’s own ticks on issues that were read"),
        why=gettext_noop("So that a read issue is not offered again. Nobody else sees them."),
        days=30,
        least=7,
        most=90,
        rows=lambda before: BriefingRead.objects.filter(read_at__lt=before),
    ),
    Kept(
        name="reached",
        title=gettext_noop("Which messages went to whom"),
        why=gettext_noop("So that nobody is written to twice. What stood in them is kept nowhere."),
        days=30,
        least=7,
        most=90,
        rows=lambda before: Reached.objects.filter(at__lt=before),
    ),
)
