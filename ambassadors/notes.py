"""Keep and drop sentences of one's own."""

import datetime as dt

from .models import Note, Person


def keep(*, by: Person, text: str, now: dt.datetime) -> Note:
    """Put a sentence into the person's notebook."""
    return Note.objects.create(person=by, text=text.strip(), created_at=now)
