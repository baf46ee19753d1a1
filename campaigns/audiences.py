"""For whom a suggestion is meant, and how many that are, without telling who.

Three things keep two answers from being subtracted. The number is a step of 1-2-5, not a count.
Below the first step, 5, there is only "a handful". And before the step is chosen, up to two people
are left out, by a number that only this server can compute from the group itself: the same people
always give the same answer, one person more or less gives an unrelated one.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, TextField, Value
from django.db.models.expressions import Func
from django.db.models.fields import BigIntegerField
from django.db.models.functions import Cast

from ambassadors.models import Membership, Person

from . import anonymity
from .models import Suggestion

STEPS: tuple[int, ...] = tuple(step * 10**power for power in range(6) for step in (1, 2, 5))[2:]
_LEFT_OUT = 3  # 0, 1 or 2 people


@dataclass(frozen=True, slots=True)
class Audience:
    """What was ticked; an empty collection leaves nobody out."""

    teams: Collection[int] = ()
    kinds: Collection[int] = ()
    sites: Collection[int] = ()
    languages: Collection[str] = ()
    interests: Collection[str] = ()

    @property
    def everybody(self) -> bool:
        """Tell whether nothing was ticked."""
        return not any((self.teams, self.kinds, self.sites, self.languages, self.interests))


def of(suggestion: Suggestion) -> Audience:
    """For whom a stored suggestion is meant."""
    return Audience(
        teams=[row.pk for row in suggestion.teams.all()],
        kinds=[row.pk for row in suggestion.kinds.all()],
        sites=[row.pk for row in suggestion.sites.all()],
        languages=suggestion.audience_languages,
        interests=suggestion.audience_interests,
    )


def people(audience: Audience) -> "QuerySet[Person]":
    """Who is meant: the same rule as ``Suggestion.objects.visible_to``, seen from the people."""
    found = Person.objects.filter(left_at__isnull=True, is_active=True)
    terms = Membership.objects.filter(person=OuterRef("pk"), ended_on__isnull=True)
    if audience.teams:
        found = found.filter(Exists(terms.filter(team__in=audience.teams)))
    if audience.kinds:
        found = found.filter(Exists(terms.filter(team__kind__in=audience.kinds)))
    if audience.sites:
        found = found.filter(site__in=audience.sites)
    if audience.languages:
        own = Q(languages=[], language__in=audience.languages)
        found = found.filter(own | _names_one("languages", audience.languages))
    if audience.interests:
        found = found.filter(_names_one("interests", audience.interests))
    return found


def _names_one(column: str, words: Iterable[str]) -> Q:
    found = Q(pk__in=[])
    for word in words:
        found |= Q(**{f"{column}__contains": [word]})
    return found


def reach(audience: Audience) -> int | None:
    """How many are meant at the least, as a step of 1-2-5; None for a handful. One query."""
    mark = Func(
        Cast(F("pk"), TextField()), Value(0), function="hashtextextended",
        output_field=BigIntegerField(),
    )  # fmt: skip
    totals = people(audience).aggregate(n=Count("pk"), mark=Sum(mark))
    count: int = totals["n"]
    secret = settings.SECRET_KEY.encode()
    group = hmac.new(secret, f"audience {count} {totals['mark']}".encode(), hashlib.sha256)
    told = count - group.digest()[0] % _LEFT_OUT
    if anonymity.shown(told) is None:
        return None
    return max(step for step in STEPS if step <= told)
