"""Foreign words and links, made harmless: plain text without tags, links we may show."""

import datetime as dt
import email.utils
import html
import re
import unicodedata
import urllib.parse

import nh3

from ambassadors import tidying

from .addresses import AddressRefused, allowed_private, parse

# Controls that turn the direction of the line; a stranger's title must not reorder ours.
_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])
_ENTITY = re.compile(r"&(#\w{1,10}|\w{2,32});")
_TAG = re.compile(r"<[a-zA-Z/!?]")
_BREAKS = re.compile(r"</(p|div|li|h\d|td)>|<br\b[^>]*>", re.IGNORECASE)
_COUNTING = re.compile(r"(utm_\w+|fbclid|gclid|mc_[ce]id|mtm_\w+|pk_\w+)", re.IGNORECASE)
_EARLIEST = 1995  # earlier dates are a machine's zero, not somebody's


def text(markup: object, most: int) -> str:
    """Turn HTML or text of a stranger into at most ``most`` characters of one line, no tags."""
    words = str(markup or "")[: 20 * most]
    for _ in range(2):  # feeds escape their HTML once more
        if _TAG.search(words):
            words = nh3.clean(_BREAKS.sub(" ", words), tags=set())
        if not _ENTITY.search(words):
            break
        words = html.unescape(words)
    if _TAG.search(words):
        words = html.unescape(nh3.clean(words, tags=set()))
    words = words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    words = tidying.normal("NFC", words.translate(_TURNS))
    words = "".join(" " if unicodedata.category(c) == "Cc" else c for c in words)
    words = " ".join(words.split())
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def link(address: object, base: str = "") -> str:
    """Return an address that may stand on a page, https and without counters; empty if none may."""
    try:
        joined = urllib.parse.urljoin(base, str(address or "").strip())
        parts = urllib.parse.urlsplit(joined)
        query = "&".join(
            pair for pair in parts.query.split("&") if not _COUNTING.fullmatch(pair.split("=")[0])
        )
        if parts.scheme not in {"http", "https"}:
            return ""
        inside = allowed_private(parts.hostname or "", parts.port or 80)  # named by who runs this
        whole = parts._replace(
            scheme=parts.scheme if inside else "https",
            netloc=parts.netloc.lower(),
            query=query,
            fragment="",
        ).geturl()
        if len(whole) > 1000:
            return ""
        parse(whole)
    except (ValueError, AddressRefused):
        return ""
    return whole


def moment(written: object, *, now: dt.datetime) -> dt.datetime | None:
    """Read a date as feeds write it; None for what nobody can have meant (1970, 9999)."""
    words = str(written or "").strip()[:64]
    found: dt.datetime | None = None
    try:
        if words.isdecimal() and words.isascii():  # Unix time, in seconds or milliseconds
            seconds = int(words)
            found = dt.datetime.fromtimestamp(seconds / (1000 if seconds > 1e11 else 1), dt.UTC)
        elif re.match(r"\d{4}-\d\d", words):
            found = dt.datetime.fromisoformat(words)
        elif words:
            found = email.utils.parsedate_to_datetime(words)
        if found:
            found = (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None
    if found is None or not found.year >= _EARLIEST or found > now + dt.timedelta(days=2):
        return None
    return found
