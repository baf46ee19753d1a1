"""Fields of bodies that take exactly what the schema says: no number for a text, nothing unknown.

What has the right form and cannot be meant (a day in the year 9999) is refused as 422, with a
sentence at its field.
"""

import datetime as dt
import re
from typing import Any

from rest_framework import serializers

from .problems import Problem

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEARS = range(2000, 2100)
MOST = 2**63 - 1


class Body(serializers.Serializer[Any]):
    """A JSON object whose members are all declared."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse members that nobody declared, then read the others."""
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))[:10]
            if unknown:
                raise serializers.ValidationError(
                    {name[:60]: ["There is no such field."] for name in unknown}
                )
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A text of at most ``most`` characters; ``least`` is 1 where it must not be empty."""

    def __init__(self, most: int, *, least: int = 0, **options: Any) -> None:
        bounds: dict[str, Any] = {"min_length": least} if least else {}
        super().__init__(
            max_length=most, trim_whitespace=False, allow_blank=not least, **bounds, **options
        )

    def to_internal_value(self, data: Any) -> str:
        """Take texts only, without what no database keeps."""
        if not isinstance(data, str):
            self.fail("invalid")
        if "\x00" in data:
            raise Problem(422, "refused", wrong=[(_place(self), "It holds a zero byte.")])
        return str(data)


def _place(field: serializers.Field[Any, Any, Any, Any]) -> str:
    """The name of a field, of the list it stands in where it has none."""
    while not field.field_name and field.parent:
        field = field.parent
    return str(field.field_name or "")


class Word(serializers.ChoiceField):
    """One of some words."""

    def to_internal_value(self, data: Any) -> Any:
        """Take texts only."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=str(data)[:40])
        return super().to_internal_value(data)


class Key(serializers.IntegerField):
    """The number of something of ours."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MOST, **options)

    def to_internal_value(self, data: Any) -> int:
        """Take whole numbers only; JSON does not tell 1.0 from 1."""
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return int(data)


class YesNo(serializers.BooleanField):
    """True or false."""

    def to_internal_value(self, data: Any) -> bool:
        """Take the two words of JSON only."""
        if not isinstance(data, bool):
            self.fail("invalid", input=str(data)[:40])
        return bool(data)


class Instant(serializers.DateTimeField):
    """An instant with its offset, as RFC 3339 writes it."""

    def to_internal_value(self, value: Any) -> dt.datetime:
        """Read an instant of this century."""
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            self.fail("invalid", format="RFC 3339")
        try:
            found = dt.datetime.fromisoformat(value.upper()).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            found = None
        if found is None or found.year not in _YEARS:
            raise Problem(422, "refused", wrong=[(_place(self), "No such instant.")])
        return found


class Day(serializers.DateField):
    """A day, as 2026-11-30."""

    def to_internal_value(self, value: Any) -> dt.date:
        """Read a day of this century."""
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        try:
            found = dt.date.fromisoformat(value)
        except ValueError:
            found = None
        if found is None or found.year not in _YEARS:
            raise Problem(422, "refused", wrong=[(_place(self), "No such day.")])
        return found
