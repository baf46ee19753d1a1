"""How networks count a text. Facts: networks/*.md and twitter-text's configuration v3."""

import re
from functools import lru_cache

import regex

from ambassadors import tidying

from .twitter_text import addresses

_URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]}'’”“»]")
_REMOTE_MENTION = re.compile(r"(?<![\w/])@([\w.-]+)@[\w.-]+\w")
SHORT_URL = 23
# Code points that weigh 1 on X; everything else weighs 2 (twitter-text config v3).
_LIGHT = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
_GRAPHEME = regex.compile(r"\X")
_EMOJI = regex.compile(r"\p{Emoji_Presentation}|\p{Extended_Pictographic}|\p{RI}|\u20E3")
# An emoji by itself or by its variation selector, a flag, a keycap: 2 on X, however long.
_WEIGHTY = regex.compile(r"\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|\p{RI}|\u20E3")


def graphemes(text: str) -> int:
    """User-perceived characters."""
    return sum(1 for _ in _GRAPHEME.finditer(text))


def links(text: str) -> list[re.Match[str]]:
    """The http(s) addresses in a text."""
    return list(_URL.finditer(text))


def mastodon(text: str) -> int:
    """Graphemes; an address counts 23, ``@a@b.c`` counts as ``@a``."""
    text = _URL.sub("x" * SHORT_URL, text)
    return graphemes(without_servers(text))


def without_servers(text: str) -> str:
    """``@a@b.c`` as ``@a``, the way Mastodon shows and counts it."""
    return _REMOTE_MENTION.sub(r"@\1", text)


@lru_cache(maxsize=4096)
def _weight(cluster: str) -> int:
    if _WEIGHTY.search(cluster):
        return 2
    return sum(
        1 if any(low <= ord(char) <= high for low, high in _LIGHT) else 2 for char in cluster
    )


def weighted(text: str) -> int:
    """X's weighted length (twitter-text v3): Latin 1, CJK and emoji 2, an address 23."""
    text = tidying.normal("NFC", text)
    total, at = 0, 0
    for start, end in addresses(text):
        total += _weights(text[at:start]) + SHORT_URL
        at = end
    return total + _weights(text[at:])


def _weights(text: str) -> int:
    return sum(_weight(match.group()) for match in _GRAPHEME.finditer(text))


def emoji_bytes(text: str) -> int:
    """Characters as Threads counts them: an emoji weighs its UTF-8 bytes, all others one each.

    ``©``, ``®`` and ``™`` are pictographs too, but only with U+FE0F behind them shown as emoji.
    """
    return sum(
        len(cluster.encode()) if _is_emoji(cluster) else len(cluster)
        for cluster in _GRAPHEME.findall(text)
    )


def _is_emoji(cluster: str) -> bool:
    plain = cluster in {"©", "®", "™"}
    return not plain and _EMOJI.search(cluster) is not None
