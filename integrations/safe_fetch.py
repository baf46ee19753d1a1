"""Read a page or feed that somebody else named: for link previews and feeds, never with a token.

Every hop is judged like the first, nothing is remembered between two of them (no cookies), and
time and size have an end over all hops together. Facts: OWASP ASVS 5.0.0, 1.3.6 and 15.3.2.
"""

import time
import urllib.parse
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from http import HTTPStatus

from ambassadors import security_log
from ambassadors.security_log import Event

from .addresses import AddressRefused, parse
from .wire import Answer, Blocked, NotSent, WireError, call, resolve

SECONDS = 10.0
MAX_BYTES = 2_000_000  # decoded
MAX_HOPS = 5
_MOVED = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}


class NotFetched(Exception):
    """There is no page for us; the message says why, without the page's own words.

    ``why`` is ``refused`` (an address we do not call), ``silent`` (no connection), ``broken`` (an
    answer that stops, is too long or too slow), ``moved`` (redirects that end nowhere) or
    ``status``, with the number in ``status`` and the server's wish in ``retry_after``.
    """

    def __init__(
        self, message: str, *, why: str = "broken", status: int = 0, retry_after: str = ""
    ) -> None:
        super().__init__(message)
        self.why = why
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Page:
    """What came, from where in the end. ``media_type`` is lower-case and without parameters."""

    url: str
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


def fetch(
    url: str,
    *,
    own_hosts: AbstractSet[str],
    http: bool = False,
    seconds: float = SECONDS,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    resolver: Callable[[str, int], list[str]] = resolve,
) -> Page:
    """Read ``url``, over at most five redirects.

    ``own_hosts`` are our own names, never asked (a loop). ``http`` also allows http, for feeds
    only; what began with https never goes on without. ``headers`` are sent on every hop, so they
    hold nothing secret. Raises :class:`NotFetched`.
    """
    end = time.monotonic() + seconds
    for _ in range(1 + MAX_HOPS):
        answer = _hop(
            url, own_hosts, end, http=http, headers=headers, max_bytes=max_bytes, resolver=resolver
        )
        if answer.status not in _MOVED:
            break
        if url[:6].lower() == "https:":
            http = False
        url = _next(url, answer.headers.get("location", ""))
    else:
        message = "too many redirects"
        raise NotFetched(message, why="moved")
    if answer.status != HTTPStatus.OK:
        message = f"HTTP {answer.status}"
        raise NotFetched(
            message,
            why="status",
            status=answer.status,
            retry_after=answer.headers.get("retry-after", ""),
        )
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Page(url, media_type, answer.body, answer.headers)


def _hop(
    url: str,
    own_hosts: AbstractSet[str],
    end: float,
    *,
    http: bool,
    headers: Mapping[str, str] | None,
    max_bytes: int,
    resolver: Callable[[str, int], list[str]],
) -> Answer:
    """Ask one address in the time left."""
    left = end - time.monotonic()
    if left <= 0:
        message = "it took too long"
        raise NotFetched(message)
    try:
        host = parse(url, https_only=not http).host
    except AddressRefused as error:
        security_log.tell(Event.ADDRESS_REFUSED, why=error)
        raise NotFetched(str(error), why="refused") from error
    try:
        if host in own_hosts:
            message = "this is our own address"
            raise NotFetched(message, why="refused")
        return call(
            "GET",
            url,
            headers=headers,
            seconds=left,
            max_bytes=max_bytes,
            https_only=not http,
            resolver=resolver,
        )
    except Blocked as error:
        raise NotFetched(str(error), why="refused") from error
    except NotSent as error:
        raise NotFetched(str(error), why="silent") from error
    except WireError as error:
        raise NotFetched(str(error)) from error


def _next(url: str, location: str) -> str:
    """Where a redirect leads; header bytes are UTF-8 in practice, ``http.client`` says latin-1."""
    message = "a redirect to nowhere"
    try:
        location = location.encode("latin-1").decode()
        joined = urllib.parse.urljoin(url, location)
    except ValueError as error:
        raise NotFetched(message, why="moved") from error
    if not location or not location.isprintable():  # urljoin swallows tabs and line breaks
        raise NotFetched(message, why="moved")
    return joined
