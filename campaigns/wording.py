"""Whose words are these: gaps, own words, sameness. Pure functions over text."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ambassadors import tidying

GAP = re.compile(r"\[[^\[\]\n]{1,200}\]")
PART = re.compile(r"^[ \t]*---[ \t]*$", re.MULTILINE)
_TOKEN = re.compile(r"\[[^\]]*\]|\S+")
# Everything in C0 and C1 but the tab and the line end: no network shows it.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What looks like nothing though it is no white space: fillers, joiners, marks of direction.
_UNSEEN = re.compile(
    r"[\s\u115f\u1160\u2800\u3164\uffa0\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\u034f\u00ad]+"
)
_MOST_MARKS = 30  # combining marks in a row; languages need four or five
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_STACK = re.compile(f"[{_MARKS}]{{{_MOST_MARKS + 1},}}")
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_EDGE = re.compile(r"^[^\w\[]+|[^\w\]]+$")

# Above this share of own words a text is the person's; below the first it is copied.
COPIED_BELOW = 8
OWN_FROM = 20


@dataclass(frozen=True, slots=True)
class Voice:
    """How much of a text is the writer's own. ``runs`` draws the band: kind and word count."""

    own: int
    total: int
    gaps: int
    runs: tuple[tuple[str, int], ...]

    @property
    def percent(self) -> int:
        """Own words in per cent, 0 for an empty text."""
        return round(100 * self.own / self.total) if self.total else 0

    @property
    def level(self) -> str:
        """``gap``, ``copied``, ``near`` or ``yours``."""
        if self.gaps:
            return "gap"
        if self.percent < COPIED_BELOW:
            return "copied"
        return "near" if self.percent < OWN_FROM else "yours"


def clean(text: str) -> str:
    """Make a pasted text storable: NFC, line ends, no controls or lone surrogates, trimmed."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return tidying.normal("NFC", text).strip()


def is_blank(text: str) -> bool:
    """Tell whether a reader would see nothing, whatever it is made of."""
    return not _UNSEEN.sub("", text)


def is_stacked(text: str) -> bool:
    """Tell whether more marks stand on one letter than any language puts there."""
    return bool(_STACK.search(text))


def gaps(text: str) -> list[str]:
    """The personal gaps of a draft, with their brackets."""
    return GAP.findall(text)


def open_gaps(text: str, drafts: Iterable[str]) -> list[str]:
    """The gaps of the drafts that nobody filled yet, with their brackets.

    A bracket of one's own is words. One that keeps half the words of a gap is still that gap.
    """
    asked = [_words(gap) for draft in drafts for gap in gaps(draft)]
    return [
        gap
        for gap in gaps(text)
        if any(2 * len(_words(gap) & words) >= len(words) for words in asked)
    ]


def _words(gap: str) -> set[str]:
    """The words of a gap; its signs where it has none."""
    return set(re.findall(r"\w+", gap.casefold())) or {gap}


def parts(text: str) -> list[str]:
    """Cut a text where a line holds nothing but ``---``: each piece is one part of a thread."""
    return [part.strip() for part in PART.split(text)]


def split_gaps(text: str) -> list[str]:
    """Cut a text so that every gap is a piece of its own."""
    pieces = re.split(r"(\[[^\[\]\n]{1,200}\])", text)
    return [piece for piece in pieces if piece]


def _key(word: str) -> str:
    return _EDGE.sub("", word.casefold())


def voice(draft: str, text: str) -> Voice:
    """Compare word by word: own is what is not in the longest common subsequence.

    Linear in memory; the composer refuses texts long enough to make the product hurt.
    """
    house = [_key(word) for word in _TOKEN.findall(draft)]
    words = _TOKEN.findall(text)
    keys = [_key(word) for word in words]
    shared = _common(house, keys)
    left = open_gaps(text, [draft])
    kinds = [
        "b" if word in left else "h" if index in shared else "o" for index, word in enumerate(words)
    ]
    runs: list[tuple[str, int]] = []
    for kind in kinds:
        if runs and runs[-1][0] == kind:
            runs[-1] = (kind, runs[-1][1] + 1)
        else:
            runs.append((kind, 1))
    return Voice(
        own=kinds.count("o"),
        total=len(kinds) - kinds.count("b"),
        gaps=len(left),
        runs=tuple(runs),
    )


def _common(a: list[str], b: list[str]) -> set[int]:
    """Indices of ``b`` that belong to a longest common subsequence with ``a``."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            same = a[i] and a[i] == b[j]
            table[i][j] = table[i + 1][j + 1] + 1 if same else max(table[i + 1][j], table[i][j + 1])
    found: set[int] = set()
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] and a[i] == b[j]:
            found.add(j)
            i, j = i + 1, j + 1
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    return found


def turns(text: str) -> bool:
    """Tell whether invisible signs turn the direction in which it is read."""
    return bool(TURNS.search(text))


def fingerprint(text: str) -> str:
    """SHA-256 of what leaves (I6)."""
    return hashlib.sha256(text.encode()).hexdigest()


def marked(draft: str, text: str) -> list[tuple[str, str]]:
    """Cut a text into runs to draw: ``own``, ``house`` or ``gap``, white space included."""
    house = [_key(word) for word in _TOKEN.findall(draft)]
    words = list(_TOKEN.finditer(text))
    shared = _common(house, [_key(match.group()) for match in words])
    parts: list[tuple[str, str]] = []
    end = 0
    for index, match in enumerate(words):
        word = match.group()
        kind = "gap" if GAP.fullmatch(word) else "house" if index in shared else "own"
        space = text[end : match.start()]
        if parts and parts[-1][0] == kind != "gap":
            parts[-1] = (kind, parts[-1][1] + space + word)
        else:
            parts.extend([("house", space)] if space else [])
            parts.append((kind, word))
        end = match.end()
    return parts
