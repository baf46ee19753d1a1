"""Draw what differs between two versions: fields by name, texts word by word."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ambassadors.models import Site, Team, TeamKind
from campaigns import merging
from campaigns.contents import Content, Wording
from campaigns.differing import Run, words
from campaigns.models import Document, Picture, Suggestion, Topic
from campaigns.models.programme import ContentClass
from integrations.networks import NETWORKS

TEXTS = frozenset(
    {"title", "why", "link_url", "link_title", "link_description", "alt", "content_warning"}
)
LISTS = frozenset({"prompts", "facts", "leave_out"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One field or wording that differs."""

    label: str
    runs: list[Run]
    language: str = ""


def field_names() -> dict[str, str]:
    """What the fields are called in the editor, in its order."""
    return {
        "topic_id": _("Topic"),
        "title": _("Title"),
        "why": _("Why now?"),
        "link_url": _("Link"),
        "link_title": _("Title of the link"),
        "link_description": _("Description of the link"),
        "language": _("Language"),
        "tone": _("Tone"),
        "picture_id": _("Picture"),
        "alt": _("Alternative text"),
        "more_pictures": _("Further pictures"),
        "document_id": _("Document"),
        "content_warning": _("Content warning"),
        "teams": _("Teams"),
        "kinds": _("Kinds of team"),
        "sites": _("Sites"),
        "audience_interests": _("Topics they follow"),
        "audience_languages": _("Languages of the audience"),
        "embargo_until": _("Not before"),
        "expires_at": _("Ends"),
        "content_class": _("What it is in law"),
        "offer_name": _("Legal name of the offer"),
        "offer_terms_url": _("Link to price and terms"),
        "offer_ends_on": _("Valid until"),
        "prompts": _("Questions"),
        "facts": _("Numbers that are true"),
        "leave_out": _("Leave out"),
        "order": _("Order of the wordings"),
    }


def labels(keys: Iterable[str], *sides: Content) -> list[str]:
    """The names of fields and wordings (``wording-`` and row), for a sentence."""
    names = field_names()
    names |= {
        f"wording-{wording['key']}": _("“%(name)s”") % {"name": wording["name"]}
        for side in sides
        for wording in side["wordings"]
    }
    return [names.get(key) or _("a wording, removed") for key in keys]


def between(old: Content, new: Content) -> list[Difference]:
    """Everything that differs, fields in the editor's order, then the wordings."""
    found = merging.differences(old, new)
    order = list(field_names())
    fields = sorted(
        (key for key in found if not key.startswith("wording-")),
        key=lambda key: order.index(key) if key in order else len(order),
    )
    shown = Shown(old, new)
    rows = [_field(key, old, new, shown) for key in fields]
    before, after = keyed(old), keyed(new)
    rows += [
        _wording(before.get(key), after.get(key)) for key in found if key.startswith("wording-")
    ]
    return rows


def keyed(content: Content) -> dict[str, Wording]:
    """Wordings under the names that :func:`campaigns.merging.differences` gives them."""
    found, fresh = {}, 0
    for wording in content["wordings"]:
        fresh += wording["key"] is None
        found[f"wording-{wording['key'] or f'new-{fresh}'}"] = wording
    return found


class Shown:
    """Values in words; the names of rows are read once for both sides."""

    def __init__(self, *sides: Content) -> None:
        def names(model: Any, key: str) -> dict[int, str]:
            ids: set[int] = set()
            for side in sides:
                value = side["fields"].get(key) or []
                ids |= set(value) if isinstance(value, list) else {value}
            return {row.pk: str(row) for row in model.objects.filter(pk__in=ids)} if ids else {}

        self._rows = {
            "topic_id": names(Topic, "topic_id"),
            "picture_id": names(Picture, "picture_id"),
            "more_pictures": names(Picture, "more_pictures"),
            "document_id": names(Document, "document_id"),
            "sites": names(Site, "sites"),
            "teams": names(Team, "teams"),
            "kinds": names(TeamKind, "kinds"),
        }
        self._words: dict[str, dict[str, str]] = {
            "content_class": {value: str(label) for value, label in ContentClass.choices},
            "tone": {value: str(label) for value, label in Suggestion.Tone.choices},
            "language": {"de": "Deutsch", "en": "English"},
        }

    def value(self, key: str, value: Any) -> str:
        """One field's value for reading; empty for nothing."""
        if value in (None, "", []):
            return ""
        if key in {"embargo_until", "expires_at"}:
            moment = parse_datetime(value)
            return date_format(timezone.localtime(moment), "j. F Y, H:i") if moment else str(value)
        if key in self._rows:
            ids = value if isinstance(value, list) else [value]
            gone = _("deleted meanwhile")
            return ", ".join(self._rows[key].get(pk, gone) for pk in ids)
        if isinstance(value, list):
            return "\n".join(map(str, value))
        return self._words.get(key, {}).get(value, str(value))


def _field(key: str, old: Content, new: Content, shown: Shown) -> Difference:
    label = capfirst(field_names().get(key, key.replace("_", " ")))
    a = shown.value(key, old["fields"].get(key))
    b = shown.value(key, new["fields"].get(key))
    if key in TEXTS | LISTS:
        return Difference(label, words(a, b), new["fields"].get("language", ""))
    return Difference(label, [run for run in (("gone", a), ("new", b)) if run[1]])


def _wording(old: Wording | None, new: Wording | None) -> Difference:
    name = (new or old or {"name": ""})["name"]
    language = (new or old or {"language": ""})["language"]
    runs = words(headed(old), headed(new))
    if old is None:
        label = _("New wording “%(name)s”") % {"name": name}
    elif new is None:
        label = _("Removed wording “%(name)s”") % {"name": name}
    else:
        label = _("Wording “%(name)s”") % {"name": name}
        if any(old[part] != new[part] for part in ("name", "language", "network")):
            runs = [*words(head(old), head(new)), ("same", "\n"), *words(old["text"], new["text"])]
        else:
            runs = words(old["text"], new["text"])
    return Difference(label, runs, language)


def head(wording: Wording) -> str:
    """Name, language and network of a wording in one line."""
    network = wording["network"]
    where = NETWORKS[network].abilities.label if network in NETWORKS else _("All networks")
    return f"{wording['name']}, {wording['language'].upper()}, {where}"


def headed(wording: Wording | None) -> str:
    """A whole wording as one text; empty for none."""
    return f"{head(wording)}\n{wording['text']}" if wording else ""
