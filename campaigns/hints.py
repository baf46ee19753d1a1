"""Hints for the writer alone, and only if they asked for them: made of the text at the moment.

Nothing of a hint is stored, logged or counted, and nobody else is told that there was one. The word
lists are small and ours (``hints.json``); a hint says what it saw, bars nothing, and may be wrong.
"""

import datetime as dt
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from . import sameness

LISTS: dict[str, Any] = json.loads(Path(__file__).with_name("hints.json").read_text())
_LATE_FROM, _LATE_UNTIL = 22, 5  # hours on the writer's clock
_MOST = 3  # words named in one hint
_LONG = 5  # letters from which a word of a list of ours is found with other endings
_LINK = re.compile(r"https?://\S+")
_QUOTED = re.compile(r"[„“\"«»‚‘']([^„“”\"«»‚‘’']+)[“”\"«»‘’']")
_EITHER = re.compile(r"\s*(?:,|;|/|\bund\b|\boder\b|\band\b|\bor\b)\s*")
_SHOUT = re.compile(r"!{2,}|(?:\b[A-ZÄÖÜ]{3,}\b[ ,.!]*){3,}")


class Kind(models.TextChoices):
    """What a person may ask to be hinted at; each off until they do."""

    POLITICS = "politics", _("Politics or religion")
    ANGER = "anger", _("Anger")
    SECRETS = "secrets", _("What the topic leaves out")
    LATE = "late", _("Late at night")


@dataclass(frozen=True, slots=True)
class Hint:
    """What was seen: the writer's words, and for a topic's rule what it asks for."""

    kind: str
    words: str = ""
    leave_out: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a topic and a suggestion ask to leave out, and words with better ones."""

    leave_out: Sequence[str] = ()
    glossary: Sequence[dict[str, str]] = ()


class _Words:
    """A text's words as they stand, and folded as :mod:`campaigns.sameness` folds them."""

    def __init__(self, text: str) -> None:
        self.plain = re.findall(r"\w+", _LINK.sub(" ", text))
        self.folded = [sameness.core(word) for word in self.plain]

    def find(self, pattern: str) -> list[str]:
        """Where words in a row are a pattern's; a star at its end stands for any ending."""
        wanted = [sameness.core(word) for word in re.findall(r"\w+", pattern)]
        *first, last = wanted or [""]
        found = []
        for start in range(len(self.folded) - len(wanted) + 1):
            *here, end = self.folded[start : start + len(wanted)]
            ends = end.startswith(last) if pattern.endswith("*") else end == last
            if last and here == first and ends:
                found.append(" ".join(self.plain[start : start + len(wanted)]))
        return found

    def without(self, patterns: Iterable[str]) -> "_Words":
        """The same without words in a row that are meant otherwise."""
        left = " ".join(self.plain)
        for pattern in patterns:
            for found in self.find(pattern):
                left = left.replace(found, " ")
        return _Words(left)


def hints(
    text: str, kinds: Collection[str], *, language: str, rules: Rules, local: dt.datetime
) -> list[Hint]:
    """What of the chosen kinds is there to hint at. ``local`` is the moment on their clock."""
    if not kinds:
        return []
    words = _Words(text)
    meant = words.without(LISTS["meant otherwise"])
    found = []
    for kind in (Kind.POLITICS, Kind.ANGER):
        lists = LISTS[kind]
        ours = lists.get(language) or [word for one in lists.values() for word in one]
        seen = [hit for pattern in ours for hit in meant.find(pattern)] if kind in kinds else []
        if kind == Kind.ANGER and kind in kinds and (shout := _SHOUT.search(text)):
            seen.append(shout.group().strip())
        if seen:
            in_order = sorted(dict.fromkeys(seen), key=text.find)
            found.append(Hint(kind, words=", ".join(in_order[:_MOST])))
    if Kind.SECRETS in kinds:
        found += _secrets(words, rules)
    if Kind.LATE in kinds and not _LATE_UNTIL <= local.hour < _LATE_FROM:
        found.append(Hint(Kind.LATE))
    return found


def morning(local: dt.datetime) -> dt.datetime:
    """When the coming night is over, on the same clock; after midnight it is today's."""
    day = local.date() + dt.timedelta(days=local.hour >= _LATE_UNTIL)
    return dt.datetime.combine(day, dt.time(_LATE_UNTIL), local.tzinfo)


def _secrets(words: _Words, rules: Rules) -> list[Hint]:
    """What the topic asks to leave out or to say otherwise, each line once."""
    found = [
        Hint(Kind.SECRETS, words=seen, leave_out=line)
        for line in dict.fromkeys(rules.leave_out)
        if (seen := next((hit for part in _parts(line) if (hit := _said(words, part))), ""))
    ]
    for row in rules.glossary:
        for part in _EITHER.split(row["instead_of"]):
            if seen := next(iter(words.find(_star(part))), ""):
                found.append(Hint(Kind.SECRETS, words=seen, instead=row["say"]))
                break
    return found


def _parts(line: str) -> list[str]:
    """The things that a line asks to leave out: what it quotes, or each of what it lists.

    Names and pictures are not to be seen in words; such a line gives nothing.
    """
    if quoted := _QUOTED.findall(line):
        return [str(one) for one in quoted]
    first = sameness.core(line).partition(" ")[0]
    unseen = {sameness.core(word) for word in LISTS["not to be seen in words"]}
    return [] if first in unseen else [part for part in _EITHER.split(line) if part]


def _said(words: _Words, part: str) -> str:
    """The writer's word for a thing: a phrase as it stands, or half of its long words."""
    if whole := words.find(_star(part)):
        return whole[0]
    long = [word for word in re.findall(r"\w+", part) if len(word) > _LONG]
    hits = [hit[0] for word in long if (hit := words.find(_star(word)))]
    return ", ".join(hits) if hits and 2 * len(hits) > len(long) else ""


def _star(phrase: str) -> str:
    """A phrase whose last word may end otherwise if it is long: *Strompreise*, *Strompreis*."""
    phrase = phrase.strip(" .*")
    return f"{phrase[:-1]}*" if len(phrase.split(" ")[-1]) > _LONG else phrase
