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
from django.db import transaction
from django.db.models import F, Max, Value
from django.db.models.functions import Greatest

from ambassadors import erasing, tombstones
from ambassadors.models import Erasure, Person
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
    newest = max(_newest(), row.erased_attempt)
    if not before:
        _write(newest, keep_larger=False)  # a new database: the mark of an older one is not ours
        known = newest
    if row.stopped_at:
        return False
    if not why and (known > newest or _erased_are_back()):
        why = instance.RESTORED
    if why and instance.stop(why, now=now):
        log.error("publishing is stopped (%s) until an administrator confirms", why)
        doubt(now=now)
    return not why


def _newest() -> int:
    return Attempt.objects.aggregate(newest=Max("pk"))["newest"] or 0


def remember_attempts(person: Person) -> None:
    """The person's attempts are about to be deleted: what was sent counts as sent all the same."""
    mine = Attempt.objects.filter(delivery__post__person=person)
    if newest := mine.aggregate(newest=Max("pk"))["newest"]:
        instance.the()
        Instance.objects.filter(pk=1).update(
            erased_attempt=Greatest(F("erased_attempt"), Value(newest))
        )


def _erased_are_back() -> bool:
    """Tell whether the list beside the database knows of erasures that the database does not."""
    try:
        return tombstones.behind()
    except tombstones.NotReadable:
        log.exception("the list of erased people cannot be read; nothing is published")
        return True


def bury_again(*, now: dt.datetime) -> int:
    """Erase people again whom a restore brought back; returns how many.

    Their keys at networks were given back when they were erased, so nobody is called. Raises
    :class:`ambassadors.tombstones.NotReadable`.
    """
    tombstones.sync()
    returned = tombstones.returned()
    for person in returned:
        with transaction.atomic():
            erasure, _new = Erasure.objects.open().get_or_create(
                person=person, defaults={"asked_at": now, "due_at": now}
            )
            remember_attempts(person)
            erasing.erase(erasure=erasure, now=now)
    return len(returned)


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
    database; dying in between only asks once more. Before anything, people who were erased
    and came back with the backup are erased again; while the list of them cannot be read, nothing
    opens: raises :class:`ambassadors.tombstones.NotReadable`.
    """
    if not instance.stopped():
        return False
    bury_again(now=now)
    doubt(now=now)
    if not instance.confirm(by=by, now=now):
        return False
    _write(max(_newest(), instance.the().erased_attempt), keep_larger=False)
    return True
