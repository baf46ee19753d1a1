"""P7: people from a file, beside a raw COPY and upsert of as many rows in the same run."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Self

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import connection, models, transaction
from django.utils import timezone

from ambassadors.models import Person
from people import columns, imports
from people.models import PeopleImport

from . import load
from .result import Result
from .stage import Missed, Stage

PAIRS = 3
_HEADER = "E-Mail;Vorname;Nachname;Personalnummer;Position;Standort;Sprache"
_FIRST = ("Änne", "Jörg", "Łukasz", "Mirja", "Zoë", "Tarek", "Frauke", "Nils")
_LAST = ("Müßig", "Yılmaz", "Thomsen", "Petersen", "Brandt", "Kaya", "Ørsted", "Lund")
_SITES = ("Lohe", "Süderkoog", "Altmühle", "Hamburg")
_BARE = {
    "email": "bare.email",
    "email_normalised": "folded",
    "name": "bare.name",
    "external_id": "number",
    "job_title": "title",
    "language": "bare.language",
    "site_id": "site.id",
    "timezone": "coalesce(site.timezone, 'Europe/Berlin')",
    "password": "'!' || gen_random_uuid()::text",
    "joined_at": "now()",
}

_UPSERT = """
WITH made AS (
  INSERT INTO ambassadors_person (COLUMNS) SELECT VALUES FROM bare
    LEFT JOIN ambassadors_site site ON site.name = bare.site
  ON CONFLICT (email_normalised) DO UPDATE SET name = excluded.name,
    job_title = excluded.job_title, external_id = excluded.external_id
  RETURNING id, email)
INSERT INTO account_emailaddress (email, verified, "primary", user_id)
SELECT lower(email), true, true, id FROM made
"""


def rows(numbers: range) -> Iterator[tuple[str, ...]]:
    """People as a company has them."""
    for n in numbers:
        yield (
            f"P{n}@nordwind-energie.example", _FIRST[n % 8], f"{_LAST[n // 8 % 8]}-{n}", str(n),
            f"Monteurin {n % 50}", _SITES[n % 4], "de",
        )  # fmt: skip


def csv_file(numbers: range) -> TemporaryUploadedFile:
    """The file as a browser would have sent it."""
    upload = TemporaryUploadedFile("people.csv", "text/csv", 0, "utf-8")
    for text in (_HEADER, *(";".join(row) for row in rows(numbers))):
        upload.write(f"{text}\r\n".encode())
    upload.size = upload.tell()
    upload.seek(0)
    return upload


def _upsert() -> tuple[str, dict[str, Any]]:
    """The statement of the raw run: the rows the product writes, nothing checked."""
    values, defaults = dict(_BARE), {}
    for field in Person._meta.concrete_fields:  # noqa: SLF001 - Django's documented name
        if not field.primary_key and field.db_default is models.NOT_PROVIDED:
            defaults[str(field.column)] = field.get_db_prep_save(field.get_default(), connection)
            values.setdefault(str(field.column), f"%({field.column})s")
    names = ", ".join(f'"{name}"' for name in values)
    statement = _UPSERT.replace("COLUMNS", names).replace("VALUES", ", ".join(values.values()))
    return statement, defaults


def raw(path: Path, numbers: range) -> float:
    """Seconds of a COPY into a temporary table and an upsert of people and their addresses."""
    with path.open("w", encoding="utf-8") as file:
        for mail, first, last, number, title, site, language in rows(numbers):
            cells = (mail, mail.casefold(), f"{first} {last}", number, title, site, language)
            file.write("\t".join(cells) + "\n")
    statement, defaults = _upsert()
    began = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor, path.open(encoding="utf-8") as file:
        cursor.execute(
            "CREATE TEMP TABLE bare (email text, folded text, name text, number text, title text,"
            " site text, language text) ON COMMIT DROP"
        )
        cursor.copy_expert("COPY bare FROM STDIN", file)
        cursor.execute(statement, defaults)
    return time.monotonic() - began


class Memory:
    """The most memory of this process while it lasts, in bytes above the beginning (Linux)."""

    def __enter__(self) -> Self:
        self._over, self._first = threading.Event(), self._now()
        self.most = self._first
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_about: object) -> None:
        self._over.set()
        self._thread.join()
        self.grown = self.most - self._first

    @staticmethod
    def _now() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, self._now())


def product(numbers: range, by: Person) -> tuple[float, float, PeopleImport]:
    """Seconds until the dry run stands, and from the yes until all is done."""
    upload = csv_file(numbers)
    began = time.monotonic()
    row = imports.upload(upload=upload, by=by, now=timezone.now())
    chosen = columns.checked(columns.guess(row.header, {}), row.header)
    imports.choose(row=row, mapping=chosen, mode="add", makes_sites=True)
    _work()
    read = time.monotonic()
    row.refresh_from_db()
    imports.agree(row=row, typed="", by=by, now=timezone.now())
    while _work():
        pass
    ended = time.monotonic()
    row.refresh_from_db()
    if row.state != PeopleImport.State.DONE:
        message = f"the import is {row.state}: {row.why}"
        raise Missed(message)
    return read - began, ended - read, row


def _work() -> bool:
    row = imports.claim(now=timezone.now())
    return row is not None and imports.work(row=row, seconds=3600, now=timezone.now())


def measure(made: Stage, *, size: int) -> list[Result]:
    """Alternate raw and product on people of their own, then the last file once more."""
    (by,) = load.people(1, "hr")
    place = made.home / "bare.txt"
    product(range(1000), by)
    raws, reads, runs, ratios = [], [], [], []
    first = 1000
    for _ in range(PAIRS):
        raws.append(raw(place, range(first, first + size)))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE ambassadors_person")
        first += size
        with Memory() as memory:
            read, run, _row = product(range(first, first + size), by)
        reads.append(read)
        runs.append(run)
        ratios.append((read + run) / raws[-1])
        last = range(first, first + size)
        first += size
    with Memory() as small:
        product(range(first, first + size // 10), by)
    again_read, again_run, row = product(last, by)
    ratio, bare = median(ratios), median(raws)
    return [
        Result(
            f"P7 import of {size:,} people, upload to report",
            f"{median(reads) + median(runs):.1f} s ({median(reads):.1f} s until the dry run,"
            f" {median(runs):.1f} s after the yes)",
            "≤ 2 × COPY + upsert",
            f"{bare:.1f} s raw, ratio {ratio:.2f} (median of {PAIRS} pairs)",
            ratio <= 2,
        ),
        Result(
            "P7 growth of memory meanwhile",
            f"{memory.grown / 1e6:.0f} MB",
            "flat",
            f"{small.grown / 1e6:.0f} MB for {size // 10:,}",
            memory.grown < small.grown + 30e6,
        ),
        Result(
            "P7 the same file again",
            f"{again_read + again_run:.1f} s, {row.counts.get('changed', 0)} rows written",
            "0 rows",
            kept=row.counts == {"same": size, "limit": row.counts["limit"]},
        ),
    ]
