"""Which words of a comment could say who wrote it. For the writer's own eyes; nothing is kept."""

import re

from django.utils.translation import gettext as _

from ambassadors.models import Person, Site, Team

_WORD = re.compile(r"\s+|[^\s]+")
_EDGE = re.compile(r"^\W+|\W+$")
_SHORTEST_NAME, _SHORTEST_WORD = 3, 4
_ENDINGS = ("", "s", "es", "'s", "’s", "n", "en")


def marked(text: str) -> list[tuple[str, str]]:
    """The text in pieces, each with the reason why it may tell on its writer; empty for most.

    The words of the whole directory are read here, so that no query ever holds a comment's words.
    """
    known = _known()
    return [(piece, _reason(piece, known)) for piece in _WORD.findall(text)]


def _known() -> dict[str, str]:
    """Words of names, places, teams and titles, with what they are."""
    found: dict[str, str] = {}
    for title in Person.objects.values_list("job_title", flat=True).distinct():
        _add(found, title, _SHORTEST_WORD, _("what somebody does"))
    for team in Team.objects.values_list("name", flat=True):
        _add(found, team, _SHORTEST_WORD, _("a team"))
    for site in Site.objects.values_list("name", flat=True):
        _add(found, site, _SHORTEST_NAME, _("a place"))
    for name in Person.objects.values_list("name", flat=True).iterator(chunk_size=5000):
        _add(found, name, _SHORTEST_NAME, _("a name"))
    return found


def _add(found: dict[str, str], words: str, shortest: int, reason: str) -> None:
    for word in re.findall(r"\w+", words):
        if len(word) >= shortest and not word[0].islower():
            found[word.casefold()] = reason


def _reason(piece: str, known: dict[str, str]) -> str:
    word = _EDGE.sub("", piece)
    if "@" in piece or "://" in piece or piece.lower().startswith("www."):
        return _("an address")
    if any(letter.isdigit() for letter in word):
        return _("a number")
    for part in [word, *re.findall(r"\w+", word)]:
        for ending in _ENDINGS:
            folded = part.casefold()
            if folded.endswith(ending) and (
                reason := known.get(folded.removesuffix(ending) if ending else folded)
            ):
                return reason
    if len(word) > 1 and any(letter.isupper() for letter in word[1:]):
        return _("unusual capitals")
    return ""
