"""Which hints a person switched on. No audit entry: its readers would learn who wanted them."""

from collections.abc import Collection

from ambassadors.models import Person

from .hints import Kind
from .models import Hinting


def chosen(person: Person) -> list[str]:
    """The kinds that are on, none for almost everybody."""
    return list(Hinting.objects.filter(person=person).values_list("kinds", flat=True).first() or [])


def choose(*, by: Person, kinds: Collection[str]) -> list[str]:
    """Switch on exactly these; what we do not know of is left out. Returns what is on."""
    known = [kind for kind in Kind.values if kind in kinds]
    if known:
        Hinting.objects.update_or_create(person=by, defaults={"kinds": known})
    else:
        Hinting.objects.filter(person=by).delete()
    return known
