"""LinkedIn's "little text": reserved characters must be escaped or the post is cut silently.

Facts: networks/linkedin.md (Microsoft Learn, little-text-format).
"""

import re

RESERVED = r"\|{}@[]()<>#*_~"
_LITERAL = re.compile(rf"[{re.escape(RESERVED)}]")
# A hashtag stays one: "#" at the start of a word, letters and digits behind it, not digits only.
_HASHTAG = re.compile(r"(?<![\w#&/])#(?=\d*[^\W\d_])[^\W_]+")
_TEMPLATE = re.compile(r"\{hashtag\|\\?#\|([^{}|]+)\}")


def escape(text: str) -> str:
    """Write a text so that LinkedIn shows it as it is; hashtags stay links, mentions stay text."""
    parts, at = [], 0
    for tag in _HASHTAG.finditer(text):
        parts += [_literal(text[at : tag.start()]), tag.group()]
        at = tag.end()
    return "".join([*parts, _literal(text[at:])])


def unescape(commentary: str) -> str:
    """The text a reader sees."""
    return re.sub(rf"\\({_LITERAL.pattern})", r"\1", _TEMPLATE.sub(r"#\1", commentary))


def _literal(text: str) -> str:
    return _LITERAL.sub(r"\\\g<0>", text)  # one pass, so a backslash is escaped once
