"""Import people from a file: upload, choose columns, look at what would happen, say yes, run.

The file is read and done in slices by a worker; where one ends, or dies, the next goes on. What
is done stays done, so nothing happens twice.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from ambassadors import audit, directory, tidying
from ambassadors.models import DirectoryRow, Person
from campaigns.refusals import FieldRefused

from . import brake, columns, csvfiles, departures, welcomes
from .csvfiles import FileRefused, Kind
from .models import ImportPiece, PeopleImport
from .states import move_import

LEASE = dt.timedelta(seconds=100)
STAGED = 5_000  # lines read at once
BATCH = 25_000  # rows of one transaction; each joins once with everybody who is here
MOST_SITES = 200
_MOST_REPORTED = 1_000
State = PeopleImport.State


class NotAgreed(FieldRefused):
    """Nothing runs; ``sentence`` says what is missing."""


@transaction.atomic
def upload(*, upload: "UploadedFile[bytes]", by: Person, now: dt.datetime) -> PeopleImport:
    """Keep a file and look how it is written. Raises :class:`FileRefused`."""
    size = upload.size or 0
    kind = csvfiles.kind_of(upload, size)
    header, samples = csvfiles.header_of(upload.chunks(csvfiles.PIECE), kind)
    row = PeopleImport.objects.create(
        filename=tidying.line(upload.name or "")[:120], size=size, encoding=kind.encoding,
        separator=kind.separator, skip=kind.skip, header=header, samples=samples,
        total=max(kind.lines - 1 - kind.skip, 0), uploaded_by=by, uploaded_at=now,
    )  # fmt: skip
    for number, chunk in enumerate(upload.chunks(csvfiles.PIECE)):
        ImportPiece.objects.create(of=row, number=number, content=chunk)
    audit.record("import.uploaded", row, by=by, now=now, size=size)
    return row


def remembered() -> dict[str, str]:
    """The columns as they were chosen last."""
    last = PeopleImport.objects.exclude(mapping={}).first()
    return dict(last.mapping) if last else {}


def choose(*, row: PeopleImport, mapping: dict[str, str], mode: str, makes_sites: bool) -> bool:
    """Let the file be read with these columns; tells whether it still waited for them."""
    return move_import(
        row, to=State.READING, mapping=mapping, mode=mode, makes_sites=makes_sites, lines=0
    )


@transaction.atomic
def choose_again(*, row: PeopleImport) -> bool:
    """Go back to the columns; what was read is forgotten."""
    moved = move_import(row, to=State.UPLOADED, counts={}, refused=[], new_sites=[])
    if moved:
        _forget_rows(row)
    return moved


@transaction.atomic
def agree(*, row: PeopleImport, typed: str, by: Person, now: dt.datetime) -> bool:
    """Somebody looked and says yes. Tells whether it runs now; else a second person is asked.

    Raises :class:`NotAgreed` when so many would leave that the number must be typed.
    """
    if needs_second(row):
        _typed(row, typed)
        moved = move_import(row, to=State.WAITING, agreed_by=by)
        act = "import.asked_second"
    else:
        moved = move_import(row, to=State.RUNNING, agreed_by=by, lines=0)
        act = "import.agreed"
    if moved:
        audit.record(act, row, by=by, now=now, leaves=row.counts.get("leaves", 0))
    return moved and act == "import.agreed"


@transaction.atomic
def agree_second(*, row: PeopleImport, typed: str, by: Person, now: dt.datetime) -> bool:
    """An administrator who did not ask says yes too. Raises :class:`NotAgreed`."""
    if row.agreed_by_id == by.pk:
        raise NotAgreed("", _("You asked. Somebody else has to say yes."))
    _typed(row, typed)
    moved = move_import(row, to=State.RUNNING, second_by=by, lines=0)
    if moved:
        audit.record("import.agreed", row, by=by, now=now, leaves=row.counts.get("leaves", 0))
    return moved


def needs_second(row: PeopleImport) -> bool:
    """Tell whether the brake holds: many would leave, or the file names nobody."""
    leaves = row.counts.get("leaves", 0)
    return leaves > row.counts.get("limit", 0) or (leaves > 0 and not row.total)


def _typed(row: PeopleImport, typed: str) -> None:
    leaves = row.counts.get("leaves", 0)
    if not brake.is_number(typed, leaves):
        raise NotAgreed("typed", brake.type_it())


@transaction.atomic
def drop(*, row: PeopleImport, by: Person | None, now: dt.datetime) -> bool:
    """Nothing of the file happens; it is deleted."""
    moved = move_import(row, to=State.DROPPED, ended_at=now, samples=[])
    if moved:
        _forget_rows(row)
        row.pieces.all().delete()
        audit.record("import.dropped", row, by=by, now=now)
    return moved


def let_go(batch: list[PeopleImport], now: dt.datetime) -> int:
    """Drop files that nobody went on with; returns how many."""
    return sum(drop(row=row, by=None, now=now) for row in batch)


def claim(*, now: dt.datetime) -> PeopleImport | None:
    """Take an import that is to be read or run and that no worker has."""
    free = PeopleImport.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now),
        state__in=[State.READING, State.RUNNING],
    )
    for row in free.order_by("pk"):
        if free.filter(pk=row.pk).update(lease_until=now + LEASE):
            return row
    return None


def work(*, row: PeopleImport, seconds: float, now: dt.datetime) -> bool:
    """Read a claimed import, or run it for some seconds; then it is free for the next.

    Tells whether it is to go on at once.
    """
    goes_on = False
    if row.state == State.READING:
        _read(row, now)
    else:
        goes_on = _run(row, seconds, now)
        if goes_on and not _left(row).exists():
            _finish(row, now)
            return False
    PeopleImport.objects.filter(pk=row.pk).update(lease_until=None)
    return goes_on


def _forget_rows(row: PeopleImport) -> None:
    DirectoryRow.objects.filter(batch=row.batch).delete()


def _kind(row: PeopleImport) -> Kind:
    return Kind(row.encoding, row.separator, row.skip)


def _pieces(row: PeopleImport) -> Iterator[bytes]:
    for piece in row.pieces.order_by("number").iterator(chunk_size=8):
        yield bytes(piece.content)


def _entries(
    row: PeopleImport, sites: directory.Sites
) -> Iterator[tuple[int, directory.Entry | directory.Refused]]:
    """Each line as an entry or a refusal. Raises :class:`FileRefused` where the file breaks."""
    found = csvfiles.rows(_pieces(row), _kind(row))
    _line, header = next(found)
    reading = columns.Reading([" ".join(cell.split())[:80] for cell in header], row.mapping)
    for line, cells in found:
        try:
            yield line, _entry(reading, cells, sites)
        except directory.Refused as refused:
            yield line, refused


def _entry(reading: columns.Reading, cells: list[str], sites: directory.Sites) -> directory.Entry:
    if len(cells) < reading.width or any(cells[reading.width :]):
        raise directory.Refused("cells", str(len(cells)))
    if reading.asks_for_rights(cells):
        raise directory.Refused("rights")
    entry = directory.read(reading.said(cells), sites)
    if len(sites.missing) > MOST_SITES:
        raise FileRefused(
            _("The column for the site names more than 200 sites. Is it the right column?")
        )
    return entry


def _read(row: PeopleImport, now: dt.datetime) -> None:
    """Stage the whole file anew and plan it; a worker before us may have come halfway."""
    _forget_rows(row)
    sites = directory.Sites(make=row.makes_sites)
    try:
        entries = _entries(row, sites)
        while chunk := list(islice(entries, STAGED)):
            with transaction.atomic():
                directory.lose_nothing_by_crash()
                directory.stage(row.batch, chunk)
                PeopleImport.objects.filter(pk=row.pk).update(lines=F("lines") + len(chunk))
    except FileRefused as refused:
        with transaction.atomic():
            move_import(row, to=State.REFUSED, why=str(refused), ended_at=now, samples=[])
            _forget_rows(row)
            row.pieces.all().delete()
        return
    with transaction.atomic():
        directory.count_staged()
        directory.refuse_twins(row.batch)
        directory.plan(row.batch, by=row.uploaded_by)
        counts = _counted(row)
        if row.mode == PeopleImport.Mode.EVERYBODY and not counts.get("refused"):
            counts["leaves"] = directory.name_absent(row.batch)
        counts["limit"] = brake.limit()
        move_import(
            row, to=State.READ, counts=counts, refused=_refused(row), new_sites=sites.missing,
            total=sum(counts.get(name, 0) for name in ("new", "changed", "same", "returns",
                                                       "refused")),
        )  # fmt: skip


def _left(row: PeopleImport) -> "QuerySet[DirectoryRow]":
    return DirectoryRow.objects.filter(batch=row.batch, done=False)


def _counted(row: PeopleImport) -> dict[str, int]:
    rows = DirectoryRow.objects.filter(batch=row.batch).order_by()
    return dict(Counter(dict(rows.values_list("outcome").annotate(n=Count("pk")))))


def _refused(row: PeopleImport) -> list[list[int | str]]:
    rows = DirectoryRow.objects.filter(batch=row.batch, outcome="refused").order_by("line")
    return [list(found) for found in rows.values_list("line", "why", "detail")[:_MOST_REPORTED]]


def _run(row: PeopleImport, seconds: float, now: dt.datetime) -> bool:
    """Do what is not done, batch by batch, then let people leave; False after a collision."""
    end = time.monotonic() + seconds
    if row.new_sites:
        with transaction.atomic():
            directory.make_sites(row.batch, row.new_sites, by=row.uploaded_by, now=now)
            PeopleImport.objects.filter(pk=row.pk).update(new_sites=[])
    rows = _left(row).order_by("pk")
    entering, last = rows.exclude(outcome="leaves"), 0
    while keys := list(entering.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        if time.monotonic() > end:
            return True
        last = keys[-1]
        try:
            with transaction.atomic():
                directory.lose_nothing_by_crash()
                directory.apply(row.batch, by=row.uploaded_by, now=now, first=keys[0], last=last)
                PeopleImport.objects.filter(pk=row.pk).update(lines=F("lines") + len(keys))
        except IntegrityError:
            return False  # somebody took an address at the same moment; the next slice sees it
    for leaver in rows.filter(outcome="leaves").iterator(chunk_size=100):
        if time.monotonic() > end:
            return True
        person = Person.objects.get(pk=leaver.person_key or 0)
        why = departures.leave(person, by=row.agreed_by, now=now)
        outcome = "refused" if why else "leaves"
        DirectoryRow.objects.filter(pk=leaver.pk).update(done=True, outcome=outcome, why=why)
    return True


@transaction.atomic
def _finish(row: PeopleImport, now: dt.datetime) -> None:
    """Write the report, forget the rows and the file."""
    counts = {**_counted(row), "limit": row.counts.get("limit", 0)}
    refused = _refused(row)
    if move_import(
        row, to=State.DONE, counts=counts, refused=refused, ended_at=now, samples=[],
        lines=row.total,
    ):  # fmt: skip
        welcomes.owe_batch(row.batch)
        audit.record("import.done", row, by=row.agreed_by, now=now, **counts)
        _forget_rows(row)
        row.pieces.all().delete()
