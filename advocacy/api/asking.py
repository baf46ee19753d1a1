"""What an address may ask of a list: declared words with declared values, and nothing else."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request

from .problems import Problem

USUAL, MOST = 50, 200  # rows of a page
_CURSOR = re.compile(r"[0-9A-Za-z_.:=-]{1,400}", re.ASCII)
_WHOLE = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Filter:
    """One word that an address may hold; ``read`` raises ValueError for a value it does not know.

    ``schema`` says the same in JSON Schema.
    """

    says: str
    schema: dict[str, Any]
    read: Callable[[str], Any]


def key(says: str) -> Filter:
    """The number of something of ours."""
    return Filter(says, {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}, _whole)


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError
    return int(text)


def word(says: str, words: Iterable[str]) -> Filter:
    """One of some words."""
    known = list(words)

    def read(text: str) -> str:
        if text not in known:
            raise ValueError
        return text

    return Filter(says, {"type": "string", "enum": known}, read)


def day(says: str) -> Filter:
    """A day, as 2026-11-30."""

    def read(text: str) -> dt.date:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return dt.date.fromisoformat(text)

    return Filter(says, {"type": "string", "format": "date"}, read)


def _limit(text: str) -> int:
    if (found := _whole(text)) > MOST:
        raise ValueError
    return found


def _cursor(text: str) -> str:
    if not _CURSOR.fullmatch(text):
        raise ValueError
    return text


PAGING = {
    "limit": Filter(
        f"How many, {USUAL} without it.",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
        _limit,
    ),
    "cursor": Filter(
        "Where to go on: what the page before said in `next`.",
        {"type": "string", "pattern": "^[0-9A-Za-z_.:=-]{1,400}$"},
        _cursor,
    ),
}


def read(request: Request, filters: Mapping[str, Filter]) -> dict[str, Any]:
    """The values of the address. Raises :class:`Problem` for what nobody declared."""
    found, wrong = {}, []
    for name, values in request.query_params.lists():
        if name not in filters:
            wrong.append((name[:60], "There is no such word."))
        elif len(values) != 1:
            wrong.append((name, "It stands in the address twice."))
        else:
            try:
                found[name] = filters[name].read(values[0])
            except ValueError:
                wrong.append((name, "We do not know this value."))
    if wrong:
        raise Problem(400, "query", wrong=wrong[:10])
    return found


def page(
    rows: "QuerySet[Any]", *, order: tuple[str, ...], asked: dict[str, Any], place: str
) -> tuple[list[Any], str | None]:
    """One page in a fixed order, and the cursor of the next one; one query.

    ``order`` names columns that are never empty, all up or all down, the last one unique.
    ``place`` says what list it is: a cursor leads on there, and with the same filters, only.
    """
    limit = asked.get("limit", USUAL)
    filters = sorted((name, str(v)) for name, v in asked.items() if name not in PAGING)
    salt = f"api {place} {filters}"
    if "cursor" in asked:
        try:
            values = signing.loads(asked["cursor"], salt=salt)
        except signing.BadSignature as error:
            raise Problem(404, "not-found", "This cursor leads nowhere.") from error
        rows = rows.filter(_after(order, values))
    found = list(rows.order_by(*order)[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], signing.dumps(_position(found[limit - 1], order), salt=salt)


def _after(order: tuple[str, ...], values: list[Any]) -> Q:
    """Rows that stand behind a position."""
    found, same = Q(), Q()
    for column, value in zip(order, values, strict=True):
        name = column.removeprefix("-")
        beyond = "lt" if column.startswith("-") else "gt"
        found |= same & Q(**{f"{name}__{beyond}": value})
        same &= Q(**{name: value})
    return found


def _position(row: Model, order: tuple[str, ...]) -> list[Any]:
    values = [getattr(row, column.removeprefix("-")) for column in order]
    return [v.isoformat() if isinstance(v, dt.date) else v for v in values]
