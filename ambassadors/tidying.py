"""One line of text from elsewhere, as it may be stored, compared and seen."""

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def line(text: str) -> str:
    """A text on one line: NFC, no controls, no lone surrogates, single spaces."""
    if text.isascii():
        if text.isprintable():  # nearly all: nothing to look for
            return " ".join(text.split())
    else:
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = unicodedata.normalize("NFC", whole)
    return " ".join(_CONTROL.sub(" ", text).split())


def key(text: str) -> str:
    """A text folded for comparison: case, width and spaces do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def is_seen(text: str) -> bool:
    """Tell whether a reader would see a letter or a digit."""
    return any(c.isalnum() for c in text)
