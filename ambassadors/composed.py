"""Statements that Django composes once for each process; only their values come with each call.

Composing a statement costs more of the web server than its answer costs the database. Where a page
of everybody asks the same small question each time, the question stays written as a queryset, in
its one place, and is put into SQL once.
"""

import datetime as dt
import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import BooleanField, F, Func

P = ParamSpec("P")
_FIELDS: dict[Any, Callable[[], "models.Field[Any, Any]"]] = {
    int: models.BigIntegerField,
    dt.date: models.DateField,
    dt.datetime: models.DateTimeField,
    list[int]: lambda: ArrayField(models.BigIntegerField()),
}


class _Given(models.Expression):
    """The place of a value."""

    def __init__(self, name: str, field: "models.Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, *_how: object) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Leave the place among the values."""
        return "%s", [self]


def composed(
    ask: Callable[P, "models.QuerySet[Any, Any]"],
) -> Callable[P, list[tuple[Any, ...]]]:
    """Make of a function that writes a query one that runs it, composed at the first call.

    The function is called once, with a place for each value in place of it: it may compare and
    reckon in the query only, and what it is given decides nothing else. Places are of the
    annotated kinds in ``_FIELDS``. The answer is plain rows, without a model's conversions.
    """
    places = inspect.signature(ask).parameters

    @functools.cache
    def statement() -> tuple[str, list[Any]]:
        given = {name: _Given(name, _FIELDS[at.annotation]()) for name, at in places.items()}
        sql, values = ask(**given).query.sql_with_params()  # type: ignore[call-arg, arg-type]
        return sql, list(values)

    @functools.wraps(ask)
    def rows(*args: P.args, **kwargs: P.kwargs) -> list[tuple[Any, ...]]:
        sql, values = statement()
        given: dict[str, Any] = dict(zip(places, args, strict=False), **kwargs)
        with connection.cursor() as cursor:
            cursor.execute(sql, [given[v.name] if isinstance(v, _Given) else v for v in values])
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    return rows


def among(column: str, numbers: list[int]) -> Func:
    """Whether a column is one of some numbers: an ``in`` for a place that holds them all."""
    return Func(
        F(column), numbers, template="%(expressions)s)", arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )  # fmt: skip
