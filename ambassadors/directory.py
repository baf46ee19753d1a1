"""People as the company's directory has them: one way in, whether a file or a server says it.

What comes in is read into an :class:`Entry`, staged as rows, planned against the people who are
here, and applied, each for thousands at once. Nobody becomes more than they were: roles are not
part of an entry, whoever comes back begins without any, and the address of somebody with a role
is not for others to change, because whoever reads the mail could log in as them.
"""

import datetime as dt
import io
import uuid
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, validate_email
from django.db import connection, models, transaction
from django.utils.text import slugify

from . import audit, directory_sql, tidying
from .models import DirectoryRow, Person, Role, Site, normalise_email

FIELDS = ("email", "external_id", "name", "job_title", "site", "language", "timezone")
_LONGEST = {"email": 254, "external_id": 255, "name": 150, "job_title": 150, "site": 120}
_LANGUAGES = {"de": "de", "deutsch": "de", "german": "de"}
_NO_SITE = 0


class Refused(Exception):
    """An entry that cannot be taken; ``why`` is a word for :func:`people.reasons.sentence`."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.detail = why, detail[:80]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a directory says of one person, checked and as it will be stored.

    None was not said. ``site`` is a key, 0 for none, negative for one that is still to be made.
    """

    email: str
    email_normalised: str
    external_id: str = ""
    name: str | None = None
    job_title: str | None = None
    site: int | None = None
    language: str | None = None
    timezone: str | None = None


class Sites:
    """Finds a site by its name or short name; collects the ones that are not there yet."""

    def __init__(self, *, make: bool = False, known: Iterable[str] = ()) -> None:
        self.make = make
        self.missing: list[str] = list(known)
        self.zones: dict[int, str] = {}
        self._keys: dict[str, int] = {}
        for site in Site.objects.all():
            self._keys |= {tidying.key(site.name): site.pk, tidying.key(site.slug): site.pk}
            self.zones[site.pk] = site.timezone

    def key(self, text: str) -> int:
        """The key of a site. Raises :class:`Refused` for one that is not there."""
        if (known := self._keys.get(text)) is not None:  # folded, or met before
            return known
        folded = tidying.key(text)
        if (found := self._keys.get(folded)) is not None:
            self._keys[text] = found
            return found
        if not self.make:
            raise Refused("site", text)
        self.missing.append(text)
        self._keys[folded] = -len(self.missing)
        return self._keys[folded]

    def knows(self, text: str) -> bool:
        """Tell whether there is a site called so."""
        return tidying.key(text) in self._keys


@lru_cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def is_zone(text: str) -> bool:
    """Tell whether a time zone is called so."""
    return text in _zones()


def _is_mail(text: str) -> bool:
    """What Django's validator says, asked once for each domain: a company has few."""
    local, _at, domain = text.rpartition("@")
    return bool(EmailValidator.user_regex.match(local)) and _is_mail_domain(domain)


@lru_cache(1000)
def _is_mail_domain(domain: str) -> bool:
    if domain.startswith("["):  # an IP address instead of a name; Django takes it
        return False
    try:
        validate_email(f"a@{domain}")
    except ValidationError:
        return False
    return True


@lru_cache(1000)
def language_of(text: str) -> str:
    """German for every way to say so, English for whatever else: those two we speak."""
    folded = tidying.key(text)
    return _LANGUAGES.get(folded) or _LANGUAGES.get(folded[:2].strip(), "en")


def read(said: Mapping[str, str], sites: Sites) -> Entry:
    """Check what was said of a person, by the names in ``FIELDS``; a missing name was not said.

    Raises :class:`Refused` at the first thing that cannot be.
    """
    texts = {name: tidying.line(text) for name, text in said.items()}
    for name, most in _LONGEST.items():
        if len(texts.get(name, "")) > most:
            raise Refused("long", name)
    email = texts.get("email", "")
    if not email:
        raise Refused("no_mail")
    email = tidying.mail_address(email)
    if not _is_mail(email):
        raise Refused("mail")
    if len(email) > _LONGEST["email"]:  # its domain in ASCII is longer
        raise Refused("long", "email")
    if "name" in texts and not tidying.is_seen(texts["name"]):
        raise Refused("no_name")
    if (zone := texts.get("timezone", "")) and not is_zone(zone):
        raise Refused("zone", zone)
    site = None
    if "site" in texts:
        site = sites.key(texts["site"]) if texts["site"] else _NO_SITE
    language = texts.get("language", "")
    return Entry(
        email=email,
        email_normalised=normalise_email(email),
        external_id=texts.get("external_id", ""),
        name=texts.get("name"),
        job_title=texts.get("job_title"),
        site=site,
        language=language_of(language) if language else None,
        timezone=zone or None,
    )


def stage(batch: uuid.UUID, found: Iterable[tuple[int, Entry | Refused]]) -> None:
    """Copy numbered entries and refusals into the staging table."""
    text = io.StringIO()
    for line, entry in found:
        if isinstance(entry, Refused):
            said: tuple[Any, ...] = ("", "", "", None, None, None, None, None)
            end = ("refused", entry.why, entry.detail)
        else:
            said = (
                entry.external_id, entry.email, entry.email_normalised, entry.name,
                entry.job_title, entry.site, entry.language, entry.timezone,
            )  # fmt: skip
            end = ("new", "", "")  # most are; the plan writes only rows that are something else
        cells = "\t".join(map(_cell, (*said, *end)))
        text.write(f"{batch}\t{line}\t{cells}\tf\n")
    text.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(directory_sql.COPY, text)


def _cell(value: object) -> str:
    """A value in the text format of COPY; tidied texts hold no tabs and no line ends."""
    return "\\N" if value is None else str(value).replace("\\", "\\\\")


def lose_nothing_by_crash() -> None:
    """Do not wait for the disk at the end of this transaction.

    For steps whose own progress is written in them: what a crash takes is done again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def count_staged() -> None:
    """Let the database count what was staged.

    Before, it believes that the rows are few and compares each with each: minutes for 20,000.
    """
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ambassadors_directoryrow")


FIRST, LAST = 0, 2**62  # all rows of a batch


def guarded_roles(by: Person | None) -> list[str]:
    """Whose address an entry must not change: the administrators', and for HR all with a role."""
    if by is None or by.has_role(Role.Name.ADMINISTRATOR):
        return [Role.Name.ADMINISTRATOR]
    return [name for name in Role.Name.values if name != Role.Name.AMBASSADOR]


def plan(
    batch: uuid.UUID,
    *,
    by: Person | None,
    first: int = FIRST,
    last: int = LAST,
    fixed: bool = False,
    returns: bool = True,
) -> None:
    """Say of each staged row what it would do, changing nobody.

    ``fixed``: the rows name their person by key, whatever their address. ``returns``: who left is
    back by standing in a row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            directory_sql.PLAN,
            {"batch": batch, "first": first, "last": last, "fixed": fixed,
             "returns": returns, "guarded": guarded_roles(by)},
        )  # fmt: skip


def refuse_twins(batch: uuid.UUID) -> None:
    """Refuse rows that share an address or an id; which of them is right nobody can tell."""
    with connection.cursor() as cursor:
        for statement in directory_sql.TWINS:
            cursor.execute(statement, {"batch": batch})


def name_absent(batch: uuid.UUID) -> int:
    """Add a row for everybody who is here and not among the staged; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(directory_sql.ABSENT, {"batch": batch})
        return int(cursor.rowcount)


_VALUES = {
    "email": "row.email",
    "email_normalised": "row.email_normalised",
    "external_id": "row.external_id",
    "name": "row.name",
    "job_title": "coalesce(row.job_title, '')",
    "site_id": "nullif(row.site_key, 0)",
    "language": "coalesce(row.language, %(language)s)",
    "timezone": "coalesce(row.timezone, site.timezone, %(timezone)s)",
    # No password opens it, and it differs for everybody: sessions and links hang on it.
    "password": "'!' || replace(gen_random_uuid()::text, '-', '')",
    "joined_at": "%(now)s",
}


@lru_cache
def _new() -> tuple[str, dict[str, Any]]:
    """The statement that makes people, and the values of the columns no directory speaks of."""
    values, defaults = dict(_VALUES), {}
    for field in Person._meta.concrete_fields:  # noqa: SLF001 - Django's documented name
        column = str(field.column)
        defaults[column] = field.get_db_prep_save(field.get_default(), connection)
        if not field.primary_key and field.db_default is models.NOT_PROVIDED:
            values.setdefault(column, f"%({column})s")
    statement = directory_sql.NEW.replace("COLUMNS", ", ".join(f'"{name}"' for name in values))
    return statement.replace("VALUES", ", ".join(values.values())), defaults


@transaction.atomic
def apply(
    batch: uuid.UUID,
    *,
    by: Person | None,
    now: dt.datetime,
    first: int = FIRST,
    last: int = LAST,
    fixed: bool = False,
    returns: bool = True,
) -> None:
    """Plan a range of staged rows anew and do it; rows that are done stay done.

    Effects in order: new people with a confirmed address and no password; changed people, with
    an audit entry and a new address to log in where it moved; returned people, without the roles
    they had. Unchanged people are not written. Raises IntegrityError when somebody else took an
    address or an id at the same moment: try again.
    """
    plan(batch, by=by, first=first, last=last, fixed=fixed, returns=returns)
    statement, defaults = _new()
    facts = {**defaults, "batch": batch, "first": first, "last": last, "now": now,
             "fixed": fixed, "by": by.pk if by else None}  # fmt: skip
    with connection.cursor() as cursor:
        for step in (statement, *directory_sql.CHANGES):
            cursor.execute(step, facts)


def make_sites(batch: uuid.UUID, names: list[str], *, by: Person | None, now: dt.datetime) -> None:
    """Make the sites that a batch named first, in the order of their negative keys."""
    for number, name in enumerate(names, 1):
        slug = slugify(name)[:44] or "site"
        slug = f"{slug}-{number}" if Site.objects.filter(slug=slug).exists() else slug
        found = Site.objects.filter(name=name).first()
        site = found or Site.objects.create(slug=slug, name=name)
        if not found:
            audit.record("site.made", site, by=by, now=now)
        DirectoryRow.objects.filter(batch=batch, site_key=-number).update(site_key=site.pk)


@transaction.atomic
def enter(
    entry: Entry, *, person: Person | None, returns: bool, now: dt.datetime, **about: Any
) -> Person:
    """Take one entry in at once, for ``person`` or whom it names.

    ``returns``: who left is back. ``about`` goes into the audit entry. Raises :class:`Refused`.
    """
    batch, fixed = uuid.uuid4(), person is not None
    row = DirectoryRow.objects.create(
        batch=batch, line=0, person_key=person.pk if person else None,
        external_id=entry.external_id, email=entry.email,
        email_normalised=entry.email_normalised, name=entry.name, job_title=entry.job_title,
        site_key=entry.site, language=entry.language, timezone=entry.timezone,
    )  # fmt: skip
    apply(batch, by=None, now=now, fixed=fixed, returns=returns)
    row.refresh_from_db()
    row.delete()
    if row.why:
        raise Refused(row.why)
    entered = Person.objects.get(pk=row.person_key or 0)
    if row.outcome != "same":
        audit.record(f"directory.{row.outcome}", entered, by=None, now=now, **about)
    return entered
