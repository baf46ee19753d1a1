"""Rich text of Bluesky: facets by UTF-8 byte offsets (app.bsky.richtext.facet)."""

import re
from collections.abc import Callable
from typing import Any

from . import counting

_TAG = re.compile(r"(?<![\w&/])[#＃]((?!\d+\b)[^\s#＃.,;:!?()\[\]{}'\"„“”’]{1,64})")
_MENTION = re.compile(r"(?<![\w/@.])@([a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+)", re.IGNORECASE)


def facets(text: str, resolve: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """Find links, tags and mentions; a mention that does not resolve stays plain text."""
    found: list[tuple[int, int, dict[str, str]]] = [
        (match.start(), match.end(), {"$type": "app.bsky.richtext.facet#link", "uri": match[0]})
        for match in counting.links(text)
    ]
    for match in _MENTION.finditer(text):
        if not _inside(match.start(), found) and (did := resolve(match[1].lower())):
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": did}
            found.append((match.start(), match.end(), feature))
    for match in _TAG.finditer(text):
        if not _inside(match.start(), found):
            feature = {"$type": "app.bsky.richtext.facet#tag", "tag": match[1]}
            found.append((match.start(), match.end(), feature))
    return [
        {
            "index": {
                "byteStart": len(text[:start].encode()),
                "byteEnd": len(text[:end].encode()),
            },
            "features": [feature],
        }
        for start, end, feature in sorted(found, key=lambda item: item[0])
    ]


def _inside(at: int, found: list[tuple[int, int, dict[str, str]]]) -> bool:
    return any(start <= at < end for start, end, _ in found)
