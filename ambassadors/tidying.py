"""One line of text from elsewhere, as it may be stored, compared and seen."""

import unicodedata


def line(text: str) -> str:
    """A text on one line: NFC, no controls, no lone surrogates, single spaces."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    printable = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in whole)
    return " ".join(unicodedata.normalize("NFC", printable).split())


def key(text: str) -> str:
    """A text folded for comparison: case, width and spaces do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def is_seen(text: str) -> bool:
    """Tell whether a reader would see a letter or a digit."""
    return any(c.isalnum() for c in text)
