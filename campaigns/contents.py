"""All that a suggestion says, as one value: to be kept, compared, merged and brought back.

A column that curators write belongs into ``COLUMNS``, a many-to-many into ``SETS``: then the
history, the merge view and the diff know it.
"""

import copy
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, cast

from django.db import models

from .models import Suggestion, Variant

COLUMNS = (
    "topic_id", "title", "why", "language", "content_class", "tone", "link_url", "link_title",
    "link_description", "picture_id", "document_id", "content_warning", "prompts", "facts",
    "leave_out", "audience_languages", "audience_interests", "embargo_until", "expires_at",
    "offer_name", "offer_terms_url", "offer_ends_on",
)  # fmt: skip
SETS = ("sites", "teams", "kinds", "more_pictures")


class Wording(TypedDict):
    """One wording; ``key`` is its row, None while it has none."""

    key: int | None
    name: str
    language: str
    network: str
    text: str


class Content(TypedDict):
    """``fields``: columns, sets as sorted ids, ``alt``; JSON throughout."""

    fields: dict[str, Any]
    wordings: list[Wording]


def gather(
    suggestion: Suggestion,
    variants: Iterable[Variant],
    *,
    sets: Mapping[str, Iterable[int]],
    alt: str,
) -> Content:
    """Put together what stands in an object and beside it; nothing is read but from them."""
    fields: dict[str, Any] = {name: _plain(getattr(suggestion, name)) for name in COLUMNS}
    fields |= {name: sorted(sets.get(name, ())) for name in SETS}
    fields["alt"] = alt.strip()
    return {"fields": fields, "wordings": [wording(variant) for variant in variants]}


def stored(suggestion: Suggestion) -> Content:
    """Read what the database says beside the object's own columns: four queries."""
    picture = suggestion.picture
    return gather(
        suggestion,
        suggestion.variant_set.all(),
        sets=sets_of(suggestion),
        alt=picture.alt(suggestion.language) if picture else "",
    )


def sets_of(suggestion: Suggestion, names: Iterable[str] = SETS) -> dict[str, list[int]]:
    """The stored ids of sets; empty for a suggestion that is not stored."""
    if suggestion.pk is None:
        return {}
    return {
        name: list(getattr(suggestion, name).order_by().values_list("pk", flat=True))
        for name in names
    }


def columns(content: Content) -> dict[str, Any]:
    """The columns as Django wants them."""
    found = {}
    for name in COLUMNS:
        field = Suggestion._meta.get_field(name)  # noqa: SLF001 - documented
        known = name in content["fields"]  # an older version may lack a column
        value = content["fields"][name] if known else cast("Any", field).get_default()
        found[name] = copy.copy(value)
        if isinstance(field, models.DateField) and value:
            found[name] = field.to_python(value)
    return found


def variants(content: Content) -> list[Variant]:
    """Unsaved rows for the wordings, with their keys."""
    return [
        Variant(
            pk=wording["key"],
            name=wording["name"],
            language=wording["language"],
            network=wording["network"],
            text=wording["text"],
        )
        for wording in content["wordings"]
    ]


def existing(content: Content, instead: Content) -> Content:
    """Replace what was deleted meanwhile (topic, picture, sets) by what stands there now.

    So for fields that there were none of when the content was written.
    """
    found = copy.deepcopy(content)
    fields = found["fields"] = {**instead["fields"], **found["fields"]}
    for name in (*SETS, *(name for name in COLUMNS if name.endswith("_id"))):
        rows: models.Manager[Any] = _related(name)
        if name in SETS:
            there = rows.filter(pk__in=fields.get(name, ()))
            fields[name] = sorted(there.values_list("pk", flat=True))
        elif fields.get(name) and not rows.filter(pk=fields[name]).exists():
            fields[name] = instead["fields"].get(name)
    return found


def _related(name: str) -> Any:
    """The manager of the rows that a column or a set points at."""
    field = Suggestion._meta.get_field(name)  # noqa: SLF001 - documented
    return cast("Any", field.related_model)._default_manager  # noqa: SLF001 - documented


def wording(variant: Variant) -> Wording:
    """One row as a value."""
    return {
        "key": variant.pk,
        "name": variant.name,
        "language": variant.language,
        "network": variant.network,
        "text": variant.text,
    }


def _plain(value: object) -> object:
    """JSON of a column; instants to the minute, as the form writes them."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(second=0, microsecond=0).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
