"""Keep the filters of a page under a name, and let them go."""

from django.db import transaction
from django.db.models import QuerySet

from .models import Person, SavedView

MOST = 20
_LONGEST_NAME, _LONGEST_QUERY = 40, 600


class NothingToKeep(Exception):
    """Nothing is filtered, or the name is blank."""


class TooMany(Exception):
    """The person keeps the most there may be."""


def of(person: Person, page: str) -> "QuerySet[SavedView]":
    """A person's own views of a page."""
    return SavedView.objects.filter(person=person, page=page)[:MOST]


@transaction.atomic
def keep(*, by: Person, page: str, name: str, query: str) -> SavedView:
    """Keep filters under a name; one that is there already is replaced.

    Raises :class:`NothingToKeep` and :class:`TooMany`.
    """
    name = " ".join(name.replace("\x00", "").split())[:_LONGEST_NAME]
    name = name.encode(errors="replace").decode()
    if not name or not query:
        raise NothingToKeep
    Person.objects.select_for_update().get(pk=by.pk)  # two tabs: one after the other
    mine = SavedView.objects.filter(person=by, page=page)
    if mine.exclude(name=name).count() >= MOST:
        raise TooMany
    kept, _created = SavedView.objects.update_or_create(
        person=by, page=page, name=name, defaults={"query": query[:_LONGEST_QUERY]}
    )
    return kept


def drop(*, by: Person, page: str, pk: int) -> bool:
    """Let one of the person's views go; tells whether there was one."""
    gone, _rows = SavedView.objects.filter(person=by, page=page, pk=pk).delete()
    return bool(gone)
