"""What a person says about themselves: languages, topics, hours, and that it is too much."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors import audit, languages
from ambassadors.models import Person
from campaigns.models import Topic
from campaigns.refusals import FieldRefused

MOST_HOURS = 80


class AboutRefused(FieldRefused):
    """Something the person wrote about themselves cannot be kept."""


def hours(text: str) -> Decimal | None:
    """Hours per month as people write them, in halves at the finest; None for an empty field.

    Raises :class:`AboutRefused`.
    """
    typed = text.strip().removesuffix("h").strip()[:20].replace(",", ".")
    if not typed:
        return None
    try:
        value = Decimal(typed)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value <= MOST_HOURS:
        raise AboutRefused(
            "hours",
            _("Write a number of hours between 0 and %(most)s, or leave it empty.")
            % {"most": MOST_HOURS},
        )
    return (value * 2).to_integral_value() / 2


@transaction.atomic
def describe(
    *,
    by: Person,
    spoken: Collection[str],
    interests: Collection[str],
    hours_per_month: Decimal | None,
    hours_shown: bool,
    now: dt.datetime,
) -> None:
    """Keep what the person says. What we do not know of is left out. Effect: audit entry."""
    known = set(Topic.objects.current().values_list("slug", flat=True))
    Person.objects.filter(pk=by.pk).update(
        languages=[code for code in languages.CODES if code in spoken],
        interests=sorted(known.intersection(interests)),
        hours_per_month=hours_per_month,
        hours_shown=hours_shown,
    )
    audit.record("person.described", by, by=by, now=now)


@transaction.atomic
def say_too_much(*, by: Person, shown: bool, now: dt.datetime) -> None:
    """Keep that it is too much for the person, and whether their row may say so.

    Said again, it counts from the first time. No audit entry: who reads the record must not learn
    what the person keeps to themselves.
    """
    Person.objects.filter(pk=by.pk).update(too_much_shown=shown)
    Person.objects.filter(pk=by.pk, too_much_since__isnull=True).update(too_much_since=now)


@transaction.atomic
def take_back_too_much(*, by: Person) -> None:
    """It is all right again; nothing stays of it."""
    Person.objects.filter(pk=by.pk).update(too_much_since=None, too_much_shown=False)
