"""Notice an older backup: what we have sent is also written beside the database.

A mark in the volume holds the newest attempt. A database that knows fewer attempts than the mark
has been restored, and everything due since then may be at the networks already (C25).
"""

import datetime as dt
import fcntl
import json
import logging
from pathlib import Path

from django.conf import settings
from django.db.models import Max

from ambassadors.models import Person
from integrations import instance
from integrations.models import Instance

from . import pace
from .models import Attempt, Delivery
from .states import move_delivery

log = logging.getLogger(__name__)


def _file() -> Path:
    path: Path = settings.VAR_DIR / "instance.mark"
    return path


def mark(attempt: int) -> None:
    """Remember the newest attempt beside the database, before its first byte leaves."""
    _write(attempt, keep_larger=True)


def _write(attempt: int, *, keep_larger: bool) -> None:
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            known = _read(file.read())
            if keep_larger and known >= attempt:
                return
            file.truncate(0)
            file.write(json.dumps({"attempt": attempt}))
    except OSError:
        log.exception("the mark beside the database cannot be written")


def _read(text: str) -> int:
    try:
        return int(json.loads(text)["attempt"])
    except (ValueError, KeyError, TypeError):
        return 0


def may_publish(*, now: dt.datetime) -> bool:
    """Tell whether this installation may speak to networks; stops it when it was restored."""
    # The mark before the database: it is written after the commit, so it can only be behind.
    known = _read(_file().read_text()) if _file().exists() else 0
    before = Instance.objects.filter(pk=1).values_list("fingerprint", flat=True).first()
    row, why = instance.identify(now=now)
    newest = Attempt.objects.aggregate(newest=Max("pk"))["newest"] or 0
    if not before:
        _write(newest, keep_larger=False)  # a new database: the mark of an older one is not ours
        known = newest
    if row.stopped_at:
        return False
    if not why and known > newest:
        why = instance.RESTORED
    if why and instance.stop(why, now=now):
        log.error("publishing is stopped (%s) until an administrator confirms", why)
        doubt(now=now)
    return not why


def doubt(*, now: dt.datetime) -> int:
    """What is due may have been sent by the other copy: unknown, to be looked for after the yes.

    What waits for a person or an approval waits for them still when it proves to be absent.
    """
    count = 0
    for delivery in Delivery.objects.filter(state="queued", due_at__lte=now):
        count += move_delivery(
            delivery,
            to="unknown",
            source="queued",
            now=now,
            reason="restored",
            any_fence=True,
            lease_until=None,
            first_tried_at=delivery.first_tried_at or delivery.due_at,
            look_at=now + pace.span(1),
        )
    return count


def confirm(*, by: Person | None, now: dt.datetime) -> bool:
    """A person says that this installation publishes; False when it was not stopped.

    What fell due meanwhile is in doubt like what was due before. Afterwards the mark follows this
    database; dying in between only asks once more.
    """
    if not instance.stopped():
        return False
    doubt(now=now)
    if not instance.confirm(by=by, now=now):
        return False
    _write(Attempt.objects.aggregate(newest=Max("pk"))["newest"] or 0, keep_larger=False)
    return True
