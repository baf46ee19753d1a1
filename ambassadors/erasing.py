"""Empty the room of somebody: what each ``takeout.py`` declares, in one transaction.

Whoever wants to know what erasing does with a column reads it there; nothing is decided here.
"""

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.core.files.storage import Storage
from django.db import connection, models, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from . import audit, logins, tombstones
from .models import AuditEntry, Erasure, Person
from .takeout import DELETED, NAMELESS, Table, tables, untold

_SHORTEST = 4  # signs of a name that is struck: shorter ones are syllables of other words
_STRUCK = "…"
_AT_ONCE = 500

Found = list[tuple[Table, list[Any]]]


@transaction.atomic
def erase(*, erasure: Erasure, now: dt.datetime) -> dict[str, int]:
    """Do what was asked for, and write the report: how many rows went, and how many stay nameless.

    Effects in order: names in the record, while the database knows them; sessions; the tombstone;
    rows that are deleted, with their files after the commit; columns and words of rows that stay;
    the person's own row, with a new evidence key, so that no proof leads to anybody; report; audit.
    Doing it twice does nothing.
    """
    person = Person.objects.select_for_update().get(pk=erasure.person_id)
    if person.erased_at:
        return {}
    found: Found = [
        (table, list(_of(table, person).values_list("pk", flat=True))) for table in tables()
    ]
    struck = _strike(erasure, _names(found))
    logins.end(person)
    tombstones.raise_over(person, now=now)
    counts = {
        "deleted": _delete(found) + _delete_untold(person),
        "nameless": _leave_nameless(found, person) + _leave_nameless_untold(person),
        "record": struck,
    }
    _empty(person, now=now)
    Erasure.objects.filter(pk=erasure.pk).update(done_at=now, report=counts)
    audit.record("person.erased", person, by=None, now=now, rows=counts)
    transaction.on_commit(tombstones.sync)
    return counts


def _of(table: Table, person: Person) -> "models.QuerySet[Any]":
    who = person.evidence_key if table.whose.endswith("person_key") else person.pk
    rows: models.QuerySet[Any] = table.model._base_manager.filter(**{table.whose: who})  # noqa: SLF001
    return rows.order_by("pk")


def _names(found: Found) -> set[str]:
    """Everything the person is known by."""
    known: set[str] = set()
    for table, keys in found:
        if table.names:
            rows = table.model._base_manager.filter(pk__in=keys)  # noqa: SLF001
            known.update(text for row in rows.values_list(*table.names) for text in row)
    return {text for text in known if len(text) >= _SHORTEST}


def _delete(found: Found) -> int:
    """Delete what is declared so: whoever is pointed at comes after who points."""
    waiting = [(table, keys) for table, keys in found if table.erasure == DELETED and keys]
    total = 0
    while waiting:
        later: Found = []
        for table, keys in waiting:
            rows = table.model._base_manager.filter(pk__in=keys)  # noqa: SLF001
            files = _files(table, rows)
            try:
                with transaction.atomic():
                    _let_go_of_each_other(rows)
                    total += rows.delete()[0]
            except models.ProtectedError:
                later.append((table, keys))
            else:
                _delete_files(files)
        if len(later) == len(waiting):
            names = ", ".join(table.model.__name__ for table, _keys in later)
            message = f"something that stays points at rows that are to be deleted: {names}"
            raise RuntimeError(message)
        waiting = later
    return total


def _let_go_of_each_other(rows: "models.QuerySet[Any]") -> None:
    """Rows of one table that point at each other, such as the parts of a thread."""
    for field in rows.model._meta.concrete_fields:  # noqa: SLF001
        if field.related_model is rows.model and field.null:
            rows.exclude(**{field.name: None}).update(**{field.name: None})


def _files(table: Table, rows: "models.QuerySet[Any]") -> list[tuple[Storage, str]]:
    columns = [c for c in table.files if isinstance(_field(table.model, c), models.FileField)]
    kept = [getattr(row, column) for row in rows if columns for column in columns]
    return [(file.storage, file.name) for file in kept if file]


def _delete_files(files: Iterable[tuple[Storage, str]]) -> None:
    for storage, name in files:
        transaction.on_commit(lambda s=storage, n=name: s.delete(n))  # type: ignore[misc]


def _leave_nameless(found: Found, person: Person) -> int:
    """Take the person, and their words, out of rows that stay."""
    total = 0
    for table, keys in found:
        if table.erasure != NAMELESS or not keys:
            continue
        rows = table.model._base_manager.filter(pk__in=keys)  # noqa: SLF001
        if table.words:
            rows.update(**dict.fromkeys(table.words, ""))
        if "__" not in table.whose:
            _take_out(_field(table.model, table.whose), person)
        total += len(keys)
    return total


def _untold(person: Person, erasure: str) -> "Iterable[tuple[Any, models.QuerySet[Any]]]":
    for name, declared in untold().items():
        if declared.erasure != erasure:
            continue
        label, column = name.rsplit(".", 1)
        model = apps.get_model(label)
        rows: models.QuerySet[Any] = model._base_manager.filter(**{column: person.pk})  # noqa: SLF001
        yield _field(model, column), rows


def _delete_untold(person: Person) -> int:
    total = 0
    for field, rows in _untold(person, DELETED):
        if field.many_to_many:
            total += _take_out(field, person)
        else:
            total += rows.delete()[0]
    return total


def _leave_nameless_untold(person: Person) -> int:
    total = 0
    for field, rows in _untold(person, NAMELESS):
        count = rows.count()
        if count:
            _take_out(field, person)
        total += count
    return total


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)  # noqa: SLF001


def _take_out(field: Any, person: Person) -> int:
    """A column no more points at the person; where it must, it leads to their emptied row."""
    if field.many_to_many:
        through = field.remote_field.through
        count: int = through._base_manager.filter(  # noqa: SLF001
            **{field.m2m_reverse_field_name(): person.pk}
        ).delete()[0]
        return count
    if not field.null:
        return 0
    rows = field.model._base_manager.filter(**{field.name: person.pk})  # noqa: SLF001
    return int(rows.update(**{field.name: None}))


def _strike(erasure: Erasure, known: Iterable[str]) -> int:
    """Strike names from reasons and facts of the record; the database lets nothing else pass.

    Only whole words go, and in facts only texts: no key and no number of an entry changes. A name
    of digits alone (a personnel number) goes where it is the whole text; in a sentence it may be a
    year. Each entry that changes is told in the record's chain, with its new digest.
    """
    names = set(known)
    words = sorted((n for n in names if not n.isdecimal()), key=len, reverse=True)
    word = re.compile("|".join(rf"(?<!\w){re.escape(n)}(?!\w)" for n in words) or r"(?!)")

    def struck(value: Any) -> Any:
        match value:
            case str():
                return _STRUCK if value in names else word.sub(_STRUCK, value)
            case dict():
                return {key: struck(inner) for key, inner in value.items()}
            case list():
                return [struck(inner) for inner in value]
        return value

    about = Q(pk__in=[])
    for name in names:
        inside = json.dumps(name, ensure_ascii=False)[1:-1]
        about |= Q(reason__contains=name) | Q(told__contains=inside)
    total = 0
    rows = AuditEntry.objects.alias(told=Cast("facts", TextField())).filter(about)
    with connection.cursor() as cursor:
        for pk, reason, facts in rows.values_list("pk", "reason", "facts"):
            clean = struck(reason), struck(facts)
            if clean != (reason, facts):
                cursor.execute(
                    "SELECT audit_strike(%s, %s, %s, %s)",
                    [erasure.pk, pk, clean[0], json.dumps(clean[1])],
                )
                total += 1
    return total


def _empty(person: Person, *, now: dt.datetime) -> None:
    """The row itself: everything as a new one has it, nobody's name, a new evidence key."""
    kept = {"id", "erased_at", "last_login"}
    blank = Person(name="–", email=f"{uuid.uuid4().hex}@erased.invalid")
    for field in Person._meta.concrete_fields:  # noqa: SLF001
        if field.name not in kept:
            setattr(person, field.attname, getattr(blank, field.attname))
    person.password = make_password(None)
    person.evidence_key = uuid.uuid4()
    person.is_active = False
    person.joined_at = person.left_at = person.erased_at = now
    person.last_login = None
    person.welcome = 0
    person.save()
