"""What differs between two texts, word by word: pure functions."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher

Run = tuple[str, str]  # ``same``, ``gone`` or ``new``, and the text
_WORD = re.compile(r"\S+\s*|\s+")
_LINE = re.compile(r"[^\n]*\n+|[^\n]+")
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?]+\s*|\n+|$)")
_MOST_PAIRS = 250_000  # of tokens compared with each other: some tens of milliseconds
_MOST_LONG, _FEW_ALIKE = 5_000, 20_000  # tokens of both sides where few pairs of them are equal


@dataclass(slots=True)
class _Budget:
    """How many pairs of tokens may still be compared: two long texts must not take a minute."""

    pairs: int = field(default=4 * _MOST_PAIRS)

    def takes(self, a: list[str], b: list[str]) -> bool:
        """Tell whether two lists are worth their time, and spend it."""
        pairs = len(a) * len(b)
        if pairs > _MOST_PAIRS and len(a) + len(b) <= _MOST_LONG:
            theirs = Counter(b)
            alike = sum(count * theirs[token] for token, count in Counter(a).items())
            pairs = min(pairs, _MOST_PAIRS) if alike <= _FEW_ALIKE else pairs
        if pairs > min(_MOST_PAIRS, self.pairs):
            return False
        self.pairs -= pairs
        return True


def words(old: str, new: str) -> list[Run]:
    """Compare two texts word by word.

    Long ones line by line first, then the words of the lines that changed, or their sentences;
    what is too much even so stands as a whole, gone and new.
    """
    runs = _words(old, new, _Budget(), (_WORD, _LINE, _SENTENCE))
    return [(kind, text) for kind, text in runs if text]


def _words(
    old: str, new: str, budget: _Budget, patterns: tuple[re.Pattern[str], ...]
) -> Iterator[Run]:
    for pattern in patterns:
        a, b = pattern.findall(old), pattern.findall(new)
        first = _alike(a, b)
        last = _alike(a[first:][::-1], b[first:][::-1])
        middle_a, middle_b = a[first : len(a) - last], b[first : len(b) - last]
        if budget.takes(middle_a, middle_b):
            yield "same", "".join(a[:first])
            for kind, text, other in _compared(middle_a, middle_b):
                if pattern is _LINE and kind == "changed":
                    yield from _words(text, other, budget, (_WORD, _SENTENCE))
                elif kind == "changed":
                    yield from (("gone", text), ("new", other))
                else:
                    yield kind, text
            yield "same", "".join(a[len(a) - last :])
            return
    yield from (("gone", old), ("new", new))


def _compared(a: list[str], b: list[str]) -> Iterator[tuple[str, str, str]]:
    """``same`` with its text, or ``changed`` with both."""
    keys_a, keys_b = [x.strip() for x in a], [x.strip() for x in b]
    for kind, i, j, m, n in SequenceMatcher(None, keys_a, keys_b, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "same", "".join(b[m:n]), ""
        else:
            yield "changed", "".join(a[i:j]), "".join(b[m:n])


def _alike(a: list[str], b: list[str]) -> int:
    """How many tokens are the same from the beginning."""
    count = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        count += 1
    return count


def passages(runs: list[Run]) -> list[list[Run]]:
    """The lines in which something changed, each with its runs; lines that say the same fall away.

    Lines that follow each other stay together. Empty where nothing changed.
    """
    lines: list[list[Run]] = [[]]
    for kind, text in runs:
        for number, piece in enumerate(text.split("\n")):
            if number:
                lines.append([])
            if piece:
                lines[-1].append((kind, piece))
    return [line for line in lines if any(kind != "same" for kind, _text in line)]
