"""The questions of a merge: what both wrote, and what the person decides about each."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from campaigns import wording
from campaigns.contents import Content
from campaigns.differing import Run, words
from campaigns.merging import Clash, Merged
from campaigns.share_checks import LONGEST_TEXT

from .differences import LISTS, TEXTS, Shown, field_names, head, headed, keyed
from .forms import lines

_LONGEST = {"title": 120, "why": 240, "link_title": 200, "link_description": 400, "alt": 1500}
_LONGEST_LIST = 4000


@dataclass(slots=True)
class Choice:
    """One clash as the page asks it.

    ``mine`` and ``theirs`` read as they would be saved, with what is new against ``before``; empty
    where a side removed it. ``hand`` is the text to edit, None where typing makes no sense.
    ``value`` is the decision.
    """

    clash: Clash
    label: str
    language: str
    before: str
    mine: list[Run]
    theirs: list[Run]
    hand: str | None
    pick: str = ""
    value: Any = None
    trouble: str = ""


def choices(
    merged: Merged, *, base: Content | None, mine: Content, theirs: Content
) -> list[Choice]:
    """One question for every clash, nothing chosen beforehand."""
    common: Content = base or {"fields": {}, "wordings": []}
    shown = Shown(mine, theirs, common)
    return [_choice(clash, common, mine, shown) for clash in merged.clashes]


def answer(asked: list[Choice], form: QueryDict) -> dict[str, Any] | None:
    """Read the decisions from a form into the questions; None while one is open or wrong."""
    for choice in asked:
        key = choice.clash.key
        choice.pick = form.get(f"pick-{key}", "")
        if choice.hand is not None and f"hand-{key}" in form:
            choice.hand = form.get(f"hand-{key}", "")
        match choice.pick:
            case "mine":
                choice.value = choice.clash.mine
            case "theirs":
                choice.value = choice.clash.theirs
            case "hand" if choice.hand is not None:
                _by_hand(choice, choice.hand)
            case _:
                choice.trouble = _("Choose one, or write it by hand.")
    if any(choice.trouble for choice in asked):
        return None
    return {choice.clash.key: choice.value for choice in asked}


def _choice(clash: Clash, common: Content, mine: Content, shown: Shown) -> Choice:
    key = clash.key
    if clash.is_wording:
        side, before = clash.mine or clash.theirs, keyed(common).get(key)
        both = [s for s in (clash.mine, clash.theirs) if s]
        plain = len({head(s) for s in both}) == 1
        old, a, b = (
            "" if w is None else w["text"] if plain else headed(w)
            for w in (before, clash.mine, clash.theirs)
        )
        label, language = _("Wording “%(name)s”") % {"name": side["name"]}, side["language"]
        return Choice(clash, label, language, old, _new(old, a), _new(old, b), side["text"])
    a, b = shown.value(key, clash.mine), shown.value(key, clash.theirs)
    old = shown.value(key, common["fields"].get(key))
    label, free = field_names().get(key, key), key in TEXTS | LISTS
    if not free:
        return Choice(clash, label, "", old, _as_is(a), _as_is(b), None)
    language = mine["fields"].get("language", "")
    return Choice(clash, label, language, old, _new(old, a), _new(old, b), a or b)


def _new(old: str, text: str) -> list[Run]:
    """A text with what is new in it; what is gone would only be in the way of reading."""
    return [run for run in words(old, text) if run[0] != "gone"] if text else []


def _as_is(text: str) -> list[Run]:
    return [("same", text)] if text else []


def _by_hand(choice: Choice, typed: str) -> None:
    """Take what was typed, or say what is wrong with it."""
    key, text = choice.clash.key, wording.clean(typed)
    longest = LONGEST_TEXT if choice.clash.is_wording else _LONGEST.get(key, _LONGEST_LIST)
    if len(text) > longest:
        choice.trouble = _("Shorter please, at most %(most)s characters.") % {"most": longest}
    elif wording.is_stacked(text):
        choice.trouble = _("Too many marks stand on one letter.")
    elif wording.is_blank(text) and (choice.clash.is_wording or key == "title"):
        choice.trouble = _("Write something first.")
    elif choice.clash.is_wording:
        choice.value = {**(choice.clash.mine or choice.clash.theirs), "text": text}
    elif key in LISTS:
        choice.value = lines(text)
    else:
        choice.value = " ".join(text.split("\n"))
