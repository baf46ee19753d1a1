"""Keep what is typed and not saved yet, offer it again, forget it with the save."""

import datetime as dt
import uuid

from django.db.models import Exists, OuterRef
from django.http import QueryDict

from ambassadors.models import Person
from campaigns.models import Suggestion, Version

from .models import Draft

MOST_CHARACTERS = 3_000_000  # of one form, encoded
_OFFERED = 5
_NOT_KEPT = ("csrfmiddlewaretoken", "act", "remove", "draft")


class TooLarge(Exception):
    """The form is larger than what is kept by itself."""


def keep(
    *, key: uuid.UUID, suggestion: Suggestion | None, form: QueryDict, by: Person, now: dt.datetime
) -> bool:
    """Keep the form's last state; False when its own save came first and the history has it.

    No audit row: nothing is said to anybody yet. Raises :class:`TooLarge`.
    """
    typed = form.copy()
    for name in _NOT_KEPT:
        typed.pop(name, None)
    encoded = typed.urlencode()
    if len(encoded) > MOST_CHARACTERS:
        raise TooLarge
    if Version.objects.filter(submission=key, by=by).exists():
        return False
    Draft.objects.bulk_create(
        [Draft(person=by, key=key, suggestion=suggestion, form=encoded, at=now)],
        update_conflicts=True,
        unique_fields=["person", "key"],
        update_fields=["suggestion", "form", "at"],
    )
    return True


def find(*, key: uuid.UUID, by: Person) -> Draft | None:
    """The person's own draft."""
    return Draft.objects.filter(person=by, key=key).first()


def offered(*, suggestion: Suggestion | None, to: Person) -> list[Draft]:
    """The person's unsaved texts on a suggestion (None: new ones), newest first.

    One whose save came a moment before it has a version and is none.
    """
    saved = Version.objects.filter(submission=OuterRef("key"))
    rows = Draft.objects.filter(~Exists(saved), person=to, suggestion=suggestion)
    return list(rows[:_OFFERED])


def forget(*, key: uuid.UUID, by: Person) -> None:
    """Let a draft go: it was saved, or its person discards it."""
    Draft.objects.filter(person=by, key=key).delete()
