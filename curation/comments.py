"""What curators say to each other about a suggestion: say, answer, settle, open again."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from campaigns import wording
from campaigns.models import Suggestion

from .models import Comment

LONGEST = 2000  # characters


class NotSaid(Exception):
    """The remark cannot be taken; the message says why."""


def cleaned(text: str) -> str:
    """The text of a remark as it is stored. Raises :class:`NotSaid`."""
    text = wording.clean(text)
    if wording.is_blank(text):
        raise NotSaid(_("Write something first."))
    if len(text) > LONGEST:
        raise NotSaid(_("Shorter please, at most %(most)s characters.") % {"most": LONGEST})
    if wording.is_stacked(text):
        raise NotSaid(_("Too many marks stand on one letter."))
    return text


@transaction.atomic
def say(
    *, suggestion: Suggestion, text: str, thread: Comment | None, by: Person, now: dt.datetime
) -> Comment:
    """Write a remark, or answer one; an answer opens a settled one again.

    Raises :class:`NotSaid`.
    """
    text = cleaned(text)
    if thread is not None:
        reopen(comment=thread, by=by, now=now)
    made = Comment.objects.create(suggestion=suggestion, thread=thread, by=by, at=now, text=text)
    audit.record("comment.said", made, by=by, now=now, suggestion=suggestion.pk)
    return made


def say_typed(
    *, suggestion: Suggestion, typed: dict[str, str], by: Person, now: dt.datetime
) -> int:
    """Say remarks that stood typed beside a save, so that it takes none along; tells how many.

    ``typed``: text by the number of the thread it answers, ``new`` for none.
    Raises :class:`NotSaid`.
    """
    said = 0
    for place, text in typed.items():
        thread = None
        if place != "new":
            thread = suggestion.comments.filter(thread=None, pk=int(place)).first()
        if thread or place == "new":
            say(suggestion=suggestion, text=text, thread=thread, by=by, now=now)
            said += 1
    return said


@transaction.atomic
def settle(*, comment: Comment, by: Person, now: dt.datetime) -> None:
    """Mark a remark as dealt with; the second of two does nothing."""
    rows = Comment.objects.filter(pk=comment.pk, thread=None, settled_at=None)
    if rows.update(settled_at=now, settled_by=by):
        audit.record("comment.settled", comment, by=by, now=now)


@transaction.atomic
def reopen(*, comment: Comment, by: Person, now: dt.datetime) -> None:
    """Take a settled remark up again."""
    rows = Comment.objects.filter(pk=comment.pk, thread=None, settled_at__isnull=False)
    if rows.update(settled_at=None, settled_by=None):
        audit.record("comment.reopened", comment, by=by, now=now)


def threads(suggestion: Suggestion) -> list[Comment]:
    """All remarks with their answers: the open ones first, in two queries."""
    found = (
        suggestion.comments.filter(thread=None)
        .select_related("by", "settled_by")
        .prefetch_related("answers__by")
    )
    return sorted(found, key=lambda comment: comment.settled_at is not None)
