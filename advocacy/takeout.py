"""A person's data as one ZIP: JSON and CSV for machines, one page for people, their own files.

What belongs into it is declared in each app's ``takeout.py`` (:mod:`ambassadors.takeout`).
"""

import csv
import datetime as dt
import json
import tempfile
import zipfile
from collections.abc import Iterator
from html import escape
from typing import IO, Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ambassadors.models import Person
from ambassadors.sheets import cell
from ambassadors.takeout import DELETED, Table, Untold, columns, tables

TABLES = (
    Table(
        EmailAddress, "user", gettext_noop("Mail addresses for the login"), DELETED,
        names=("email",),
    ),
    Table(SocialAccount, "user", gettext_noop("Company login"), DELETED, names=("uid",)),
    # Its data are the secrets of apps and security keys.
    Table(
        Authenticator, "user", gettext_noop("Second factors of the login"), DELETED,
        left_out=("data",),
    ),
)  # fmt: skip
UNTOLD: dict[str, Untold] = {}
_ROWS = 100  # read at once, so that years of posts stay flat in memory
_PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src 'self'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>
:root {{ color-scheme: light dark }} img {{ max-width: 100% }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
 padding: 0 1rem }}
article {{ border-top: 1px solid #8888; padding: .6rem 0 }}
dl {{ display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: .1rem 1rem; margin: 0 }}
dt {{ opacity: .75 }} dd {{ margin: 0; overflow-wrap: anywhere; white-space: pre-wrap }}
</style></head><body><h1>{title}</h1>
"""


def write(*, person: Person, to: IO[bytes], now: dt.datetime) -> dict[str, int]:
    """Write the person's ZIP into a file; returns how many rows of each table it holds.

    One snapshot for all tables. Rows are read and written in pieces, whatever their number.
    """
    counted: dict[str, int] = {}
    with (
        translation.override(person.language),
        timezone.override(person.zone),
        transaction.atomic(),
        zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.TemporaryFile("w+", encoding="utf-8") as page,
    ):
        if not connection.savepoint_ids:  # not inside somebody's transaction
            _one_snapshot()
        title = _("The data of %(name)s at %(company)s") % {
            "name": person.name,
            "company": settings.ORGANISATION,
        }
        page.write(_PAGE.format(lang=person.language, title=escape(title)))
        page.write(f"<p>{escape(_explained(now))}</p>")
        for table in tables():
            name = _name(table)
            counted[name] = _tell(table, name, person, archive, page)
        page.write("</body></html>\n")
        _pour(archive, "index.html", page)
    return counted


def _one_snapshot() -> None:
    """All tables as they were at one moment, though somebody goes on writing."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _explained(now: dt.datetime) -> str:
    when = formats.date_format(timezone.localtime(now), "j. F Y, H:i")
    return _(
        "Everything Botschaft knows about you, as it was on %(when)s. The same stands in json/ for"
        " programs and in csv/ for spreadsheets. Secrets of your logins and keys of your accounts"
        " are left out, and so is what belongs to colleagues."
    ) % {"when": when}


def _name(table: Table) -> str:
    """How the files of a table are called."""
    whose = table.whose.partition("__")[0]
    name = table.model._meta.label_lower.replace(".", "-")  # noqa: SLF001 - a documented name
    twice = sum(other.model is table.model for other in tables()) > 1
    return f"{name}-{whose}" if twice else name


def _rows(table: Table, person: Person) -> Iterator[models.Model]:
    joined = [f.name for f in columns(table) if f.is_relation]
    who = person.evidence_key if table.whose.endswith("person_key") else person.pk
    rows = table.model._default_manager.filter(**{table.whose: who})  # noqa: SLF001
    return rows.select_related(*joined).order_by("pk").iterator(chunk_size=_ROWS)


def _tell(table: Table, name: str, person: Person, archive: zipfile.ZipFile, page: IO[str]) -> int:
    """Write one table in three forms, row by row; an empty one is only named."""
    told, count = columns(table), 0
    title = escape(_(table.title))
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as as_json,
        tempfile.TemporaryFile("w+", encoding="utf-8-sig", newline="") as as_csv,
    ):
        sheet = csv.writer(as_csv, quoting=csv.QUOTE_ALL)
        sheet.writerow([field.name for field in told])
        as_json.write("[")
        page.write(f"<h2>{title}</h2>")
        for row in _rows(table, person):
            values = {field.name: _value(row, field) for field in told}
            for column in table.files:
                values[column] = _keep_file(archive, getattr(row, column), row.pk)
            as_json.write(",\n" if count else "\n")
            json.dump(values, as_json, ensure_ascii=False, cls=DjangoJSONEncoder)
            sheet.writerow([cell(_flat(value)) for value in values.values()])
            page.write(_article(told, values, table))
            count += 1
        as_json.write("\n]\n")
        if not count:
            page.write(f"<p>{escape(_('Nothing is kept here.'))}</p>")
            return 0
        _pour(archive, f"json/{name}.json", as_json)
        _pour(archive, f"csv/{name}.csv", as_csv)
    return count


def _value(row: models.Model, field: "models.Field[Any, Any]") -> object:
    """What is told of a column: for a reference, what it is called."""
    if field.is_relation:
        other = getattr(row, field.name)
        return None if other is None else str(other)
    value = getattr(row, field.attname)
    if isinstance(value, bytes | memoryview):
        return None
    return str(value) if isinstance(value, models.fields.files.FieldFile) else value


def _flat(value: object) -> str:
    """A value as text in one cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dict | list | bool):
        return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
    return str(value)


def _article(told: list["models.Field[Any, Any]"], values: dict[str, object], table: Table) -> str:
    """One row for reading; empty columns are left out."""
    lines = []
    for field in told:
        text = _flat(values[field.name])
        if text in {"", "[]", "{}", "false"}:
            continue
        if field.choices:
            text = str(dict(field.flatchoices).get(values[field.name], text))
        shown = escape(text)
        if field.name in table.files:
            shown = f'<a href="{shown}">{shown}</a>'
        lines.append(f"<dt>{escape(str(field.verbose_name))}</dt><dd>{shown}</dd>")
    return f"<article><dl>{''.join(lines)}</dl></article>\n"


def _keep_file(archive: zipfile.ZipFile, file: Any, key: object) -> str:
    """Put a file of a row into the archive; its name there, empty when the file is gone.

    Pictures that lie in the database are JPEG.
    """
    if not file:
        return ""
    if isinstance(file, bytes | memoryview):
        archive.writestr(f"files/{key}.jpg", bytes(file))
        return f"files/{key}.jpg"
    name = f"files/{key}-{file.name.rpartition('/')[2]}"
    try:
        with file.storage.open(file.name) as source, archive.open(name, "w") as target:
            while piece := source.read(1 << 16):
                target.write(piece)
    except FileNotFoundError:
        return ""
    return name


def _pour(archive: zipfile.ZipFile, name: str, text: Any) -> None:
    """Move what was written aside into the archive, in pieces."""
    text.flush()
    raw = text.buffer
    raw.seek(0)
    with archive.open(name, "w") as target:
        while piece := raw.read(1 << 16):
            target.write(piece)
