"""What may be typed in, column by column, and what must go together: for docs/input.md (ASVS 2.1).

Written from the tables, which hold it in the end whatever page, program or file it came by.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.expressions import BaseExpression, CombinedExpression, F, Value

_ROOMS = ("ambassadors", "integrations", "campaigns", "curation", "people", "reception")
PAGE, MARK = "input.md", "<!-- Written by manage.py write_register from here on. -->"
_KINDS: tuple[tuple[type[Any], str], ...] = (
    (models.BooleanField, "yes or no"),
    (models.EmailField, "mail address"),
    (models.URLField, "address"),
    (models.UUIDField, "UUID"),
    (models.JSONField, "JSON"),
    (models.DateTimeField, "moment"),
    (models.DateField, "day"),
    (models.TimeField, "time"),
    (models.DurationField, "span"),
    (models.BinaryField, "bytes"),
    (models.FileField, "file"),
    (models.FloatField, "number"),
    (models.DecimalField, "number"),
    (models.IntegerField, "number"),
    (models.TextField, "text"),
    (models.CharField, "line"),
)
_SIGNS = {
    "gt": ">", "gte": "≥", "lt": "<", "lte": "≤", "in": "one of", "regex": "like", "exact": "=",
    "startswith": "begins with", "contains": "holds", "len": "long",
}  # fmt: skip


def written(page: str) -> str:
    """The page with what stands below its mark written anew."""
    head = page.partition(MARK)[0]
    rooms = "\n".join(line for room in _ROOMS for line in _room(room))
    return f"{head}{MARK}\n\n{rooms.rstrip()}\n"


def _room(room: str) -> Iterator[str]:
    yield f"## {room}\n"
    yield "| table | columns | what goes together |"
    yield "|---|---|---|"
    for model in sorted(apps.get_app_config(room).get_models(), key=lambda m: m.__name__):
        about = model._meta  # noqa: SLF001 - Django's documented name
        columns = "; ".join(_column(field) for field in about.local_fields if _told(field))
        rules = "; ".join(_rule(one) for one in about.constraints) or "–"
        yield f"| {model.__name__} | {columns} | {rules} |".replace("\n", " ")
    yield ""


def _told(field: "models.Field[Any, Any]") -> bool:
    return not isinstance(field, models.AutoField) and not isinstance(field, models.GeneratedField)


def _column(field: "models.Field[Any, Any]") -> str:
    """Name, kind, bounds; ``?`` where it may be empty."""
    name = f"`{field.name}`{'?' if field.null or field.blank else ''}"
    if field.is_relation and field.related_model:
        return f"{name} → {getattr(field.related_model, '__name__', field.related_model)}"
    if field.flatchoices and not callable(field.choices):
        found = ", ".join(str(value) or "empty" for value, _label in field.flatchoices)
        return f"{name} one of {found}"
    kind = next((word for cls, word in _KINDS if isinstance(field, cls)), type(field).__name__)
    return " ".join(filter(None, (name, kind, _bounds(field))))


def _bounds(field: "models.Field[Any, Any]") -> str:
    sized = field.max_length and not isinstance(field, models.UUIDField)
    most = f"≤ {field.max_length:,}" if sized else ""
    for one in field.validators:
        limit = getattr(one, "limit_value", None)
        if isinstance(one, MinValueValidator):
            most += f" ≥ {limit}"
        elif isinstance(one, MaxValueValidator):
            most += f" ≤ {limit}"
    return most.strip()


def _rule(constraint: models.BaseConstraint) -> str:
    if isinstance(constraint, models.CheckConstraint):
        return _said(constraint.condition)
    if isinstance(constraint, models.UniqueConstraint):
        parts = constraint.fields or [_value(one) for one in constraint.expressions]
        only = f", where {_said(constraint.condition)}" if constraint.condition else ""
        return f"one row for each {' + '.join(map(str, parts))}{only}"
    return constraint.name


def _said(found: object) -> str:
    """A condition in words: names, signs, *and*, *or*."""
    if isinstance(found, models.Q):
        parts = [_said(child) for child in found.children]
        joined = f" {found.connector.lower()} ".join(parts)
        inner = f"({joined})" if len(parts) > 1 else joined
        return f"not {inner}" if found.negated else inner
    if isinstance(found, tuple):
        path, _double, sign = str(found[0]).rpartition("__")
        if sign == "isnull":
            return f"{path} {'empty' if found[1] else 'given'}"
        if path and sign in _SIGNS:
            return f"{path} {_SIGNS[sign]} {_value(found[1])}"
        return f"{found[0]} = {_value(found[1])}"
    return _value(found)


def _value(found: object) -> str:
    match found:
        case F():
            return str(vars(found)["name"])
        case Value(value=value):
            return repr(value)
        case CombinedExpression(lhs=lhs, connector=sign, rhs=rhs):
            return f"{_value(lhs)} {sign} {_value(rhs)}"
        case BaseExpression():
            inner = ", ".join(map(_value, found.get_source_expressions()))
            return f"{type(found).__name__}({inner})"
        case str():
            return found or "empty"
        case list() | tuple() | set() | frozenset():
            return ", ".join(map(_value, found))
    return str(found)
