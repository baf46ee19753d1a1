"""Bodies are JSON objects of a size, in UTF-8, without what no database keeps."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from .problems import Problem

MOST_BYTES = 1_000_000
_DEEPEST = 20
_MOST_MEMBERS = 1_000


class StrictJSON(BaseParser):
    """The one parser of the API. Keeps the bytes beside the request, for its Idempotency-Key."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Read an object. Raises :class:`Problem`."""
        charset = (media_type or "").partition("charset=")[2].strip("\"' ").lower()
        if charset not in {"", "utf-8", "utf8"}:
            raise Problem(415, "media-type")
        content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise Problem(413, "too-large", f"At most {MOST_BYTES:,} bytes fit.")
        if parser_context:
            parser_context["request"].sent = content
        try:
            found = json.loads(
                content.decode(), object_pairs_hook=_object, parse_constant=_no_constant
            )
            _check(found, 0)
        except (ValueError, RecursionError) as error:
            raise Problem(400, "request", _why(error)) from error
        if not isinstance(found, dict):
            raise Problem(400, "request", "The body is no JSON object.")
        return found


def _why(error: Exception) -> str:
    known = isinstance(error, _Odd)
    return str(error) if known else "The body is no JSON that we can read."


class _Odd(ValueError):
    """JSON that has a form, and a meaning for nobody."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Odd("A member stands in the body twice.")
    if len(found) > _MOST_MEMBERS:
        raise _Odd("The body has too many members.")
    return found


def _no_constant(name: str) -> None:
    raise _Odd(f"{name} is no number.")


def _check(value: Any, depth: int) -> None:
    """Refuse half characters, infinite numbers and boundless nesting."""
    if depth > _DEEPEST:
        raise _Odd("The body is nested too deeply.")
    if isinstance(value, str):
        if any("\ud800" <= c <= "\udfff" for c in value):
            raise _Odd("A text holds half a character.")
    elif isinstance(value, float):
        if value in {float("inf"), float("-inf")}:
            raise _Odd("A number is too large.")
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, depth + 1)
            _check(item, depth + 1)
