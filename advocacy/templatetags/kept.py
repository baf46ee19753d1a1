"""Pieces of pages that say the same to many people, rendered once by each process."""

import datetime as dt
import functools
import re
import secrets
from typing import Any

from django import template
from django.template import Context, Template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language

register = template.Library()

_MOST = 1000
_SIGN = secrets.token_hex(8)  # nobody can have written it into a text
_PLACE = re.compile(f"{_SIGN}-([a-z_]+)-")
_PLAIN = (str, int, bool, dt.date, type(None), tuple)


@register.simple_tag(takes_context=True)
def kept(context: Context, name: str, **values: Any) -> SafeString:
    """Include a template that sees ``values`` and nothing else of the page, rendered once for them.

    So what is kept says nothing of a person that is not among the values, and a page with other
    values has another piece. What differs from person to person is named ``own_…``: the template
    can only print it, as text or in an attribute's quotes, and it is put in each time, as is the
    ``csrf_token``. Raises TypeError for rows: they stay equal when they change.
    """
    own = {key: values.pop(key) for key in [*values] if key.startswith("own_")}
    own["csrf_token"] = context.get("csrf_token", "")
    found = context.template.engine.get_template(name)  # type: ignore[union-attr]
    pieces = list(
        _rendered(
            found, get_language(), get_current_timezone_name(), tuple(own), tuple(values.items())
        )
    )
    pieces[1::2] = [conditional_escape(own[place]) for place in pieces[1::2]]
    return mark_safe("".join(pieces))  # noqa: S308 - a template's output, and what was escaped


@functools.lru_cache(_MOST)
def _rendered(
    found: Template, language: str, zone: str, own: tuple[str, ...], values: tuple[Any, ...]
) -> tuple[str, ...]:
    """Text and names of places in turns, in a language and a time zone, which are active."""
    del language, zone
    for key, value in values:
        if type(value) not in _PLAIN:
            message = f"{key}={value!r} is not plain; a kept piece would not see it change."
            raise TypeError(message)
    places = {key: f"{_SIGN}-{key}-" for key in own}
    return tuple(_PLACE.split(found.render(Context({**dict(values), **places}))))
