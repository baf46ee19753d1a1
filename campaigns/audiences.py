"""For whom a suggestion is meant, and how many that are, without telling who.

The number is told as :mod:`ambassadors.anonymity` tells all of them, so two cannot be subtracted.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from ambassadors import anonymity
from ambassadors.models import Membership, Person

from .models import Suggestion


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
    totals = people(audience).aggregate(n=Count("pk"), mark=anonymity.mark("pk"))
    return anonymity.told(anonymity.Group(totals["n"], totals["mark"] or 0))
