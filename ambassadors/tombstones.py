"""Who was erased, remembered without a name, in the database and beside it.

A restored backup brings erased people back. So each erasure leaves a keyed digest of the person's
evidence key, a random number that only a row of theirs holds: the list tells nobody anything, and
a restored row answers to its own digest. The file lies in the volume, which a restore of the
database leaves as it is (docs/operations.md); its first line says which key it was written with.
"""

import datetime as dt
import fcntl
import hashlib
import hmac
import os
import re
import uuid
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from .models import Person, Tombstone

_LINE = re.compile(r"([0-9a-f]{64}) (\d[\d:.T+-]+)")
_PIECE = 5000


class NotReadable(Exception):
    """The file is there and cannot be read, so nobody knows who was erased."""


def _key() -> bytes:
    return b"tombstone " + settings.TOMBSTONES_KEY.encode()


def digest(evidence_key: uuid.UUID) -> str:
    """What remembers a person: keyed, so that a backup and the list do not tell who was erased."""
    return hmac.new(_key(), evidence_key.bytes, hashlib.sha256).hexdigest()


def raise_over(person: Person, *, now: dt.datetime) -> Tombstone:
    """Remember a person who is being erased; call it inside the transaction, before the new key."""
    key = Person.objects.values_list("evidence_key", flat=True).get(pk=person.pk)
    return Tombstone.objects.get_or_create(digest=digest(key), defaults={"erased_at": now})[0]


def _file() -> Path:
    return Path(settings.TOMBSTONES_DIR or settings.VAR_DIR) / "erased.list"


def _head() -> str:
    return f"key {hmac.new(_key(), b'head', hashlib.sha256).hexdigest()[:16]}"


def _read() -> dict[str, dt.datetime]:
    """What the file remembers. Raises :class:`NotReadable`, also for digests of another key."""
    try:
        head, *lines = _file().read_text().splitlines() or [_head()]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NotReadable from error
    found = [_LINE.fullmatch(line) for line in lines]
    if head != _head() or not all(found):
        raise NotReadable
    return {one[1]: dt.datetime.fromisoformat(one[2]) for one in found if one}


def sync() -> int:
    """Let the file and the database know the same; returns how many only the file knew.

    More than none means that the database is older than the file: it was restored. On the disk
    when this returns. Raises :class:`NotReadable`, OSError.
    """
    written = _read()
    known = dict(Tombstone.objects.values_list("digest", "erased_at"))
    if missing := known.keys() - written.keys():
        _append((one, known[one]) for one in sorted(missing))
    lost = written.keys() - known.keys()
    Tombstone.objects.bulk_create(
        (Tombstone(digest=one, erased_at=written[one]) for one in lost), ignore_conflicts=True
    )
    return len(lost)


def behind() -> bool:
    """Tell whether the database knows fewer erased people than the file: it was restored.

    One small file and one query. Raises :class:`NotReadable`.
    """
    written = _read()
    if not written:
        return False
    return Tombstone.objects.filter(digest__in=written).count() < len(written)


def _append(lines: Iterable[tuple[str, dt.datetime]]) -> None:
    path = _file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not os.fstat(file.fileno()).st_size:
            file.write(f"{_head()}\n")
        file.writelines(f"{one} {at.isoformat()}\n" for one, at in lines)
        file.flush()
        os.fsync(file.fileno())


def returned() -> list[Person]:
    """People whose row a restore brought back though they were erased."""
    buried = set(Tombstone.objects.values_list("digest", flat=True))
    if not buried:
        return []
    rows = Person.objects.filter(erased_at__isnull=True).values_list("pk", "evidence_key")
    found = [pk for pk, key in rows.iterator(chunk_size=_PIECE) if digest(key) in buried]
    return list(Person.objects.filter(pk__in=found))
