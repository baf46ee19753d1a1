"""Answers that the database could not take yet: sealed files, on the disk before we go on.

A network's answer that is lost cannot be asked for again: the id of a post, a refresh token that
serves once. So it is written here first, one file each, and forgotten when the row has it. What
a dead worker left is found by the next one (PUBLISHING.md 2.3/8).

A file's name tells its kind, key and time of writing; its content is sealed for just that name,
so a file that was copied under another one opens nothing.
"""

import contextlib
import fcntl
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.conf import settings

from . import sealing

log = logging.getLogger(__name__)

_WORD = re.compile(r"[\w-]{1,100}", re.ASCII)
# A writer needs milliseconds; a half file this old has no writer any more.
_HALF_SECONDS = 60.0


def keep(kind: str, key: str, answer: Mapping[str, object]) -> Path:
    """Have an answer (JSON) on the disk when this returns; pass the path to :func:`forget`.

    ``kind`` and ``key`` are words of ours: letters, digits, ``-`` and ``_``. When the disk is
    full or cannot be written this is logged and nothing is raised: the caller still holds the
    answer in memory and goes on. The path then leads to no file.
    """
    if not (_WORD.fullmatch(kind) and _WORD.fullmatch(key)):
        message = f"no names for a file: {kind!r} {key!r}"
        raise ValueError(message)
    name = f"{kind}~{key}~{time.time_ns():020d}-{secrets.token_hex(4)}.sealed"
    path: Path = settings.SPOOL_DIR / name
    sealed, _key = sealing.seal({"answer": json.dumps(dict(answer))}, context=_context(kind, key))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, sealed)
    except OSError:
        log.exception("the spool cannot take %s %s", kind, key)
    return path


def forget(path: Path) -> None:
    """Delete an answer that the database has now; a file that is gone already is no error."""
    try:
        with _alone():
            path.unlink(missing_ok=True)
            _sync(path.parent)
    except OSError:
        log.exception("the spool cannot forget %s", path.name)


def found(kind: str, only: str = "") -> Iterator[tuple[Path, str, dict[str, object]]]:
    """Every kept answer of a kind (``only``: of one key) with its key, the oldest first.

    Another process may find the same one: do with it what may be done twice. What cannot be
    opened is set aside under the name ``….broken`` and logged; it is never deleted.
    """
    _adopt(kind)
    for path in sorted(settings.SPOOL_DIR.glob(f"{kind}~{only or '*'}~*.sealed"), key=_written):
        key = path.name.split("~")[1]
        try:
            sealed = path.read_bytes()
            answer = json.loads(sealing.unseal(sealed, context=_context(kind, key))["answer"])
        except FileNotFoundError:
            continue  # another process was faster
        except OSError:
            log.exception("the spool cannot read %s", path.name)
        except (sealing.SealBroken, KeyError, TypeError, ValueError) as error:
            log.error("the spool has a file that cannot be opened: %s (%s)", path.name, error)  # noqa: TRY400 - one line, no trace
            with contextlib.suppress(OSError):
                path.rename(path.with_suffix(".broken"))
        else:
            yield path, key, answer


def reseal() -> int:
    """Seal every file with the newest key; returns how many. Files that do not open are left."""
    _adopt("*")
    count = 0
    for path in sorted(settings.SPOOL_DIR.glob("*.sealed")):
        # Alone, so that no file comes back that is being forgotten.
        with contextlib.suppress(FileNotFoundError, sealing.SealBroken), _alone():
            sealed = path.read_bytes()
            if not sealing.is_newest(sealed):
                _write(path, sealing.reseal(sealed)[0])
                count += 1
    return count


def _context(kind: str, key: str) -> dict[str, str]:
    return {"kind": f"spool {kind}", "key": key}


def _written(path: Path) -> str:
    """When a file was written, as it sorts."""
    return path.name.rsplit("~", 1)[-1]


def _write(path: Path, content: bytes) -> None:
    """Write a whole file or none: temporary name, fsync, rename, fsync of the directory."""
    half = path.with_name(f".{path.name}.half")
    try:
        with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - with a mode
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _adopt(kind: str) -> None:
    """Give what a writer left when it died its final name; it opens or it is set aside.

    ``*`` is every kind.
    """
    for half in settings.SPOOL_DIR.glob(f".{kind}~*.half"):
        with contextlib.suppress(OSError):
            if time.time() - half.stat().st_mtime > _HALF_SECONDS:
                half.rename(half.with_name(half.name[1:].removesuffix(".half")))


def _sync(directory: Path) -> None:
    """Have the directory's entries on the disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One process at a time replaces or deletes files."""
    handle = os.open(settings.SPOOL_DIR, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
