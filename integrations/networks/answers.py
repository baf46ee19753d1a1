"""From an HTTP answer to one of the four results (PUBLISHING.md 2.4)."""

import contextlib
import datetime as dt
import email.utils
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled

from .base import Later, Refused, Remaining, Result, Sent, Unknown

_LONGEST_WAIT = 24 * 3600.0
_WAITING = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.TOO_EARLY}


def wait_of(answer: Answer, now: dt.datetime) -> float:
    """Seconds a network asks us to wait, between 1 s and 24 h; 60 s when it does not say.

    Reads Retry-After (seconds or date), RateLimit-Reset (epoch), X-RateLimit-Reset (epoch or
    ISO 8601, as Mastodon sends it) and x-rate-limit-reset (epoch, as X sends it).
    """
    headers = answer.headers
    for name in ("retry-after", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"):
        seconds = _seconds(headers.get(name, ""), now, relative=name == "retry-after")
        if seconds is not None:
            return min(max(seconds, 1.0), _LONGEST_WAIT)
    return 60.0


def _seconds(text: str, now: dt.datetime, *, relative: bool) -> float | None:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 12:
        return float(text) if relative else int(text) - now.timestamp()
    for read in (dt.datetime.fromisoformat, email.utils.parsedate_to_datetime):
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            moment = read(text)
            if moment.tzinfo:
                return (moment - now).total_seconds()
    return None


def remaining(
    answer: Answer, now: dt.datetime, *, whose: str = "account", points: int = 1
) -> list[Remaining]:
    """What an answer says of its limit in RateLimit-* or X-RateLimit-*; nothing when it is silent.

    ``points`` is what one call costs where the network counts points instead of calls.
    """
    for name in ("ratelimit-remaining", "x-ratelimit-remaining"):
        text = answer.headers.get(name, "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            return [Remaining(whose, int(text) // points, wait_of(answer, now))]
    return []


@dataclass(frozen=True, slots=True)
class Reply:
    """One post under another: who wrote it, and what is under it. Kept no longer than a count."""

    author: str
    replies: list["Reply"] = field(default_factory=list)


def answered(replies: Iterable[Reply], author: str) -> int:
    """Count others' replies to a post that its author answered.

    The author's own replies to the post are further parts of a thread; what is under them
    belongs to those parts.
    """
    count, open_ = 0, [reply for reply in replies if reply.author != author]
    while open_:
        reply = open_.pop()
        open_ += reply.replies
        count += reply.author != author and any(r.author == author for r in reply.replies)
    return count


def reason(answer: Answer) -> str:
    """The server's own words, short; never HTML, nothing a database refuses."""
    if "json" not in answer.headers.get("content-type", ""):
        return f"HTTP {answer.status}"
    with contextlib.suppress(Exception):
        found = answer.json()
        named = ("message", "error_description", "detail", "error")  # detail: RFC 9457
        text = next((found[name] for name in named if found.get(name)), None)
        return printable(f"{answer.status} {text}")[:300]
    return f"HTTP {answer.status}"


def object_of(value: object) -> dict[str, Any]:
    """A JSON object; an empty one where there is something else."""
    return value if isinstance(value, dict) else {}


def text_of(found: object, name: str) -> str:
    """A text that must be there. Raises :class:`Garbled`."""
    value = object_of(found).get(name)
    if not isinstance(value, str) or not value:
        message = f"{name} is missing in the answer"
        raise Garbled(message)
    return value


def count(value: object) -> int | None:
    """A figure that a column can hold, None for anything else."""
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return int(value) if usable else None  # type: ignore[call-overload]


def printable(text: str) -> str:
    """A foreign text without NUL, half surrogates and control characters."""
    return "".join(char if char.isprintable() else " " for char in text)


def proof(remote_id: object, url: object) -> Sent:
    """The evidence that a post exists, if it can be kept. Raises :class:`Garbled`.

    An id is visible ASCII of at most 300 characters (numbers, ULIDs and at:// addresses are); an
    address that is no http(s) address or path is left out, it would be shown as a link.
    """
    if not isinstance(remote_id, str) or not re.fullmatch(r"[!-~]{1,300}", remote_id):
        message = "no usable id in the answer"
        raise Garbled(message)
    shown = isinstance(url, str) and re.fullmatch(r"(https?://|/(?!/))\S{1,700}", url)
    return Sent(remote_id, str(url) if shown and printable(str(url)) == url else "")


def failed(answer: Answer, now: dt.datetime | None) -> Result:
    """The result of any answer that is not the success its caller knows.

    Without ``now`` how long to wait is left to the caller's own back-off.
    """
    status = answer.status
    if status in _WAITING:
        return Later(reason(answer), wait=wait_of(answer, now) if now else None)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return Unknown(reason(answer))
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Refused("server moved", permanent=False)
    if status == HTTPStatus.UNAUTHORIZED:
        return Refused(reason(answer), permanent=False)
    if status >= HTTPStatus.BAD_REQUEST:
        return Refused(reason(answer), permanent=True)
    return Unknown(f"HTTP {status} without an id")


def not_applied(result: Result) -> Later | Refused:
    """What a result means for a step that makes nothing visible."""
    if isinstance(result, Later | Refused):
        return result
    return Later("" if isinstance(result, Sent) else result.why)
