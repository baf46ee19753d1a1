"""Keep and drop sentences of one's own."""

import datetime as dt
import uuid

from .models import Note, Person


def keep(*, by: Person, text: str, key: uuid.UUID | None, now: dt.datetime) -> Note:
    """Put a sentence into the person's notebook.

    With a ``key`` the same text arrives once, however often a device sends it. Another text under
    a key that is taken becomes a note beside the first: two devices never write over each other.
    """
    clean = text.strip()
    if key is None:
        return Note.objects.create(person=by, text=clean, created_at=now)
    there, new = _under(by, key, clean, now)
    if not new and there.text != clean:
        there, _new = _under(by, uuid.uuid5(key, clean), clean, now)
    return there


def _under(by: Person, key: uuid.UUID, text: str, now: dt.datetime) -> tuple[Note, bool]:
    return Note.objects.get_or_create(
        person=by, key=key, defaults={"text": text, "created_at": now}
    )
