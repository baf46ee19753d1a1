"""The record's chain: seal what was written, let go of what is over, and look whether it is whole.

The database does the work (migration 0018); docs/adr/0006 says why it is built so. Looking reads
the tables alone and calls none of the database's functions, which somebody could have replaced.
"""

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from .models import AuditEntry, AuditSeal

_MOST = 5_000  # entries of one seal
_SEALS = 200  # of one run
_AT_LEAST = dt.timedelta(days=365)  # the trigger keeps an entry so long
_SUBJECT = "ambassadors.auditseal"

_HASH = "encode(sha256(convert_to(jsonb_build_array({})::text, 'UTF8')), 'hex')"
_MICROS = "(extract(epoch FROM {}) * 1000000)::bigint"
_DIGEST = _HASH.format(
    f"e.id, {_MICROS.format('e.at')}, e.actor_id, e.act, e.subject, e.subject_id, e.words"
)
_WORDS = _HASH.format("e.salt, e.reason, e.facts")
_SEALED = f"""
SELECT s.number, s.head, {_MICROS.format("s.sealed_at")}, {_MICROS.format("s.last_at")},
 u.id, {_DIGEST}, e.id IS NOT NULL, e.words = {_WORDS} OR EXISTS (
  SELECT FROM ambassadors_auditentry mark WHERE mark.act = 'record.struck'
  AND mark.subject = 'ambassadors.auditentry' AND mark.subject_id = e.id::text
  AND mark.facts->>'words' = {_WORDS})
FROM ambassadors_auditseal s CROSS JOIN LATERAL unnest(s.entries) WITH ORDINALITY AS u (id, place)
LEFT JOIN ambassadors_auditentry e ON e.id = u.id ORDER BY s.number, u.place
"""  # noqa: S608 - of our own constants
_UNSEALED = f"""
SELECT e.id, w.entry_id IS NOT NULL, e.words = {_WORDS}
FROM ambassadors_auditentry e LEFT JOIN ambassadors_auditunsealed w ON w.entry_id = e.id
WHERE NOT EXISTS (SELECT FROM (SELECT unnest(entries) AS id FROM ambassadors_auditseal) s
                  WHERE s.id = e.id)
ORDER BY e.id
"""  # noqa: S608 - of our own constants


@dataclass(slots=True)
class Looked:
    """What a look at the whole record found; ``broken`` has a sentence for each thing amiss."""

    entries: int = 0
    seals: int = 0
    struck: int = 0
    waiting: int = 0
    head: str = ""
    broken: list[str] = field(default_factory=list)


def seal() -> int:
    """Seal what was committed since; returns how many entries. Nobody who writes waits for it.

    An entry whose transaction is still open is not seen, and stands in a later seal. Where another
    process seals at this moment, nothing is done.
    """
    total = 0
    with connection.cursor() as cursor:
        for _one in range(_SEALS):
            cursor.execute("SELECT audit_seal(%s)", [_MOST])
            count: int = cursor.fetchone()[0]
            total += count
            if count < _MOST:
                break
    return total


def let_go(up_to: AuditSeal) -> int:
    """Delete the entries of all seals up to this one, which is told in the record itself.

    The seal stays as the beginning of the chain. Returns how many entries went. The database
    refuses what is younger than a year.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_let_go(%s)", [up_to.number])
        count: int = cursor.fetchone()[0]
    return count


def head() -> str:
    """The newest seal as ``number:digest``; whoever keeps it can prove later what stood there."""
    newest = AuditSeal.objects.first()
    return str(newest) if newest else ""


def verify(heads: Iterable[str] = ()) -> Looked:
    """Look at every entry and every seal; ``heads`` are those that were kept elsewhere.

    Finds an entry that was changed, is missing, stands in another order or was slipped in, and,
    with a kept head, an end that was cut off or written anew. Raises ValueError for a head that is
    none.
    """
    looked, kept = Looked(), {int(one.partition(":")[0]): one.partition(":")[2] for one in heads}
    anchor = _anchor(looked)
    before, expected = "", anchor or 1
    for (number, stored, *times), rows in itertools.groupby(_rows(_SEALED), lambda row: row[:4]):
        if number != expected:
            looked.broken.append(f"seals {expected} to {number - 1} are missing")
        parts = (before, number, *times, *_entries(looked, rows, gone=number == anchor))
        told = "|".join(map(str, parts))
        fits = hashlib.sha256(told.encode()).hexdigest() == stored
        if not fits and number != anchor:
            looked.broken.append(f"something in seal {number} was changed")
        if kept.pop(number, stored) != stored:
            looked.broken.append(f"seal {number} is another one than the one that was kept")
        before, expected = stored, number + 1
        looked.seals += 1
    looked.broken += [
        f"seal {number}, which was kept, is missing" for number in kept if number >= (anchor or 1)
    ]
    _waiting(looked)
    looked.struck = AuditEntry.objects.filter(act="record.struck").count()
    looked.head = head()
    return looked


def _rows(statement: str) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        yield from cursor


def _entries(looked: Looked, rows: Iterable[tuple[Any, ...]], *, gone: bool) -> tuple[str, str]:
    """Look at the entries of one seal; returns numbers and digests as the seal took them."""
    numbers, digests = [], []
    for *_seal, pk, digest, stands, words in rows:
        numbers.append(str(pk))
        if stands:
            looked.entries += 1
            digests.append(digest)
            if not words:
                looked.broken.append(f"the words of entry {pk} were changed")
        elif not gone:
            looked.broken.append(f"entry {pk} is missing")
    return ",".join(numbers), ",".join(digests)


def _waiting(looked: Looked) -> None:
    """Look at the entries that no seal has yet."""
    for pk, waits, words in _rows(_UNSEALED):
        looked.entries += 1
        looked.waiting += waits
        if not waits:
            looked.broken.append(f"entry {pk} was slipped in")
        elif not words:
            looked.broken.append(f"the words of entry {pk} were changed")


def _anchor(looked: Looked) -> int | None:
    """The number of the seal at which the chain begins since entries went; None: with the first."""
    told = AuditEntry.objects.filter(act="record.let_go", subject=_SUBJECT).first()
    if told is None:
        return None
    number = int(told.subject_id)
    seal = AuditSeal.objects.filter(number=number).first()
    if seal and seal.last_at > told.at - _AT_LEAST:
        looked.broken.append(f"entries up to seal {number} went before their year was over")
    return number
