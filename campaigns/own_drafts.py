"""Texts that a device kept without network: they go into the notebook, and nowhere else.

A hold, the end of a suggestion or another device may have come first, so nothing is published of
them; the person looks at the text again and decides.
"""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors import notes
from ambassadors.models import Note, Person

from . import share_checks
from .models import OwnDraft, Programme, Suggestion


class NotTakenIn(Exception):
    """The text cannot be kept; ``sentence`` says why. It stays on the device."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@transaction.atomic
def take_in(
    *, by: Person, text: str, suggestion_pk: int | None, key: uuid.UUID, now: dt.datetime
) -> Note:
    """Keep a device's text in the notebook; the same one a second time finds the first.

    ``suggestion_pk`` names what it was written for; one that the person may not see, or that is
    gone, costs the link and never the text. Raises :class:`NotTakenIn`.
    """
    if not text.strip():
        raise NotTakenIn(_("There is no text yet."))
    if len(text) > share_checks.LONGEST_TEXT:
        raise NotTakenIn(
            _("This text has %(count)s characters; that is too long to keep.")
            % {"count": len(text)}
        )
    note = notes.keep(by=by, text=text, key=key, now=now)
    if suggestion_pk:
        meant = Suggestion.objects.visible_to(by).exclude(state__in=["draft", "in_review"])
        if suggestion := meant.filter(pk=suggestion_pk).first():
            OwnDraft.objects.get_or_create(note=note, defaults={"suggestion": suggestion})
    return note


def notes_of(person: Person, *, limit: int, now: dt.datetime) -> list[dict[str, Any]]:
    """The newest notes, each with what it was written for and how that stands at this moment."""
    rows = Note.objects.filter(person=person).select_related("owndraft__suggestion__topic")
    found = []
    for note in rows[:limit]:
        draft = getattr(note, "owndraft", None)
        suggestion = draft.suggestion if draft else None
        found.append(
            {
                "note": note,
                "suggestion": suggestion,
                "held": bool(suggestion and (suggestion.is_held or suggestion.topic.is_held)),
                "live": bool(suggestion and suggestion.is_live(now)),
            }
        )
    return found


def said(note: Note, *, now: dt.datetime) -> str:
    """What the person is told when a text has arrived."""
    draft = OwnDraft.objects.select_related("suggestion__topic").filter(note=note).first()
    if draft is None:
        return _("Your note has arrived in the notebook.")
    suggestion = draft.suggestion
    if suggestion.is_held or suggestion.topic.is_held or Programme.the().is_held:
        return _(
            "The topic “%(topic)s” is on hold. Your draft stays in the notebook; nothing is"
            " published by itself."
        ) % {"topic": suggestion.topic.title}
    if not suggestion.is_live(now):
        return _("The suggestion “%(title)s” has ended. Your draft stays in the notebook.") % {
            "title": suggestion.title
        }
    return _(
        "Your draft for “%(title)s” lies in the notebook. Look at it and share it from there."
    ) % {"title": suggestion.title}


def text_of(note_pk: int, *, person: Person, suggestion: Suggestion) -> str:
    """The text of one's own draft for this suggestion, empty when there is none."""
    mine = OwnDraft.objects.filter(note__person=person, suggestion=suggestion)
    return mine.filter(note_id=note_pk).values_list("note__text", flat=True).first() or ""
