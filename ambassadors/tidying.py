"""One line of text from elsewhere, as it may be stored, compared and seen."""

import re
import unicodedata
from typing import Literal

import idna

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MARKS = "".join(
    sign
    for sign in map(chr, range(0x300, 0x20000))
    if unicodedata.combining(unicodedata.normalize("NFKD", sign)[0])
)
_MOST = 30  # marks on one letter (UAX 15, D4); no language needs as many
_PILE = re.compile(f"([{_MARKS}]{{{_MOST}}})(?=[{_MARKS}])")


def normal(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """A text in a normal form of Unicode, in a time that grows with its length.

    Python sorts the marks on one letter in the square of their number: 100,000 take 20 seconds. So
    a grapheme joiner parts them after each ``_MOST``. A shorter text, as most names are, has none.
    """
    if len(text) > _MOST and not text.isascii():
        text = _PILE.sub("\\1\u034f", text)
    return unicodedata.normalize(form, text)


def line(text: str) -> str:
    """A text on one line: NFC, no controls, no lone surrogates, single spaces."""
    if text.isascii():
        if text.isprintable():  # nearly all: nothing to look for
            return " ".join(text.split())
    else:
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = normal("NFC", whole)
    return " ".join(_CONTROL.sub(" ", text).split())


def key(text: str) -> str:
    """A text folded for comparison: case, width and spaces do not count."""
    return " ".join(normal("NFKC", text).casefold().split())


def host(text: str) -> str:
    """A host's name in ASCII (IDNA 2008, UTS 46). Raises UnicodeError.

    Python's own codec turns ``faß.de`` into another company's ``fass.de``.
    """
    return text if text.isascii() else idna.encode(text, uts46=True).decode()


def mail_address(text: str) -> str:
    """A mail address with its domain in ASCII, as mail is sent; what has no such form stays."""
    local, at, domain = normal("NFC", text.strip()).rpartition("@")
    try:
        return f"{local}{at}{host(domain)}" if at else domain
    except UnicodeError:
        return f"{local}{at}{domain}"


def shown_mail(address: str) -> str:
    """An address as people write it: ``anna@müller.de`` where ``xn--mller-kva.de`` is stored."""
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{idna.decode(domain)}" if "xn--" in domain.lower() else address
    except UnicodeError:
        return address


def is_seen(text: str) -> bool:
    """Tell whether a reader would see a letter or a digit."""
    return any(c.isalnum() for c in text)
