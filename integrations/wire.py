"""One HTTP call to a foreign server, and what we know afterwards.

The error tree tells *nothing left the house* from *perhaps it did*. No redirects, no retries, no
proxies, no cookies; a total deadline over connect, write and read.
"""

import base64
import functools
import json
import re
import socket
import ssl
import time
import urllib.parse
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any

from ambassadors import security_log
from ambassadors.security_log import Event

from .addresses import AddressRefused, Target, check, parse

CONNECT_SECONDS = 5.0
_CHUNK = 65_536
_USER_AGENT = "Botschaft (self-hosted)"
# Escaped signs part words; long words may be keys, unless they are plain names or numbers.
_WORDS = re.compile(rb"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|(?!(?:[a-z_]+|[0-9]+)(?![\w-]))[\w-]{12,}")
_HEAD_AND_FORM = 65_536  # bytes of a request in which its keys stand; then come pictures


class WireError(Exception):
    """The call gave no usable answer."""


class NotSent(WireError):
    """Nothing left the house: name, connect, TLS, or our own refusal."""


class Blocked(NotSent):
    """The address is not one we may reach."""


class GateClosed(NotSent):
    """The permission to begin had grown too old before the first byte."""


class PerhapsSent(WireError):
    """Some bytes left, and the answer is missing, short, too long or not what it should be."""


class Garbled(PerhapsSent):
    """An answer came but cannot be read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by lower-case name, and the decoded body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Read the body as JSON. Raises :class:`Garbled`."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            message = "the answer is not JSON"
            raise Garbled(message) from error


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, once. Raises :class:`NotSent`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = f"{host} cannot be found"
        raise NotSent(message) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    seconds: float,
    may_start: Callable[[], None] | None = None,
    max_bytes: int = 2_000_000,
    https_only: bool = True,
    resolver: Callable[[str, int], list[str]] = resolve,
) -> Answer:
    """Send one request and read its answer within ``seconds`` in total.

    ``may_start`` runs after connect and TLS, just before the first byte. What an error repeats
    of our request is blanked. Raises :class:`NotSent` or :class:`PerhapsSent`.
    """
    end = time.monotonic() + seconds
    host = ""
    try:
        target = parse(url, https_only=https_only)
        host = target.host
        addresses = [target.literal] if target.literal else resolver(target.host, target.port)
        address = check(target, addresses)
    except AddressRefused as error:
        security_log.tell(Event.ADDRESS_REFUSED, host=host, why=error)
        message = f"this address may not be reached ({error})"
        raise Blocked(message) from error
    request = _request(target, method, headers or {}, body)
    link = _connect(target, address, end)
    try:
        if may_start:
            may_start()
        answer = _exchange(link, request, target.host, method, end, max_bytes)
    finally:
        link.close()
    if answer.status < HTTPStatus.BAD_REQUEST:
        return answer
    return replace(answer, body=_without_ours(answer.body, request))


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connect(target: Target, address: str, end: float) -> socket.socket:
    """Open the connection to the checked address; TLS is for the name."""
    try:
        link = socket.create_connection(
            (address, target.port), timeout=min(CONNECT_SECONDS, _left(end))
        )
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.scheme == "https":
            link.settimeout(min(CONNECT_SECONDS, _left(end)))
            link = _tls().wrap_socket(link, server_hostname=target.host)
    except (OSError, ValueError) as error:
        if isinstance(error, ssl.SSLError):
            security_log.tell(Event.TLS_FAILED, host=target.host, why=_why(error))
        message = f"{target.host} does not answer"
        raise NotSent(message) from error
    return link


def _why(error: ssl.SSLError) -> str:
    """What OpenSSL says, without anything that the server sent."""
    return getattr(error, "verify_message", "") or error.reason or "closed"


@functools.cache
def _tls() -> ssl.SSLContext:
    """The system's trust, read once: loading it costs more than a handshake."""
    return ssl.create_default_context()


def _request(target: Target, method: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Write the request down before the first byte leaves. Raises :class:`NotSent`."""
    fields = {
        "Host": target.authority,
        "User-Agent": _USER_AGENT,
        "Accept-Encoding": "identity, gzip",
        "Connection": "close",
        **headers,
    }
    if body is not None:
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {target.path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
    if any(re.search(r"[\r\n\0]", line) for line in lines):
        message = "a header has a line break"
        raise NotSent(message)
    try:
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    except UnicodeError:  # it holds the whole head
        message = "a header cannot be written"
        raise NotSent(message) from None
    return head + (body or b"")


def _write(link: socket.socket, request: bytes, end: float) -> None:
    """Send in pieces; ``sendall`` over TLS would grant every piece the full time again."""
    rest = memoryview(request)
    while rest:
        link.settimeout(_left(end))
        rest = rest[link.send(rest[:_CHUNK]) :]


def _exchange(
    link: socket.socket, request: bytes, host: str, method: str, end: float, max_bytes: int
) -> Answer:
    """Write the request, read the answer; every failure from here on is *perhaps*."""
    try:
        _write(link, request, end)
        response = HTTPResponse(_Deadlined(link, end), method=method)  # type: ignore[arg-type]
        response.begin()
        content = _read(response, max_bytes)
    except TimeoutError as error:
        message = f"{host} did not answer in time"
        raise PerhapsSent(message) from error
    except (OSError, HTTPException, ValueError, zlib.error) as error:
        message = f"{host} broke off ({type(error).__name__})"
        raise PerhapsSent(message) from None  # it may quote the server, and the server us
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, found, content)


def _without_ours(content: bytes, request: bytes) -> bytes:
    """Blank the words that an error repeats of our request: its reason is shown, kept and logged.

    Keys travel in the address, in headers and in forms; a proxy or a debugging server quotes them.
    """
    ours = request[:_HEAD_AND_FORM]
    if basic := re.search(rb"^Authorization: Basic (\S+)\r$", ours, re.MULTILINE):
        ours += b"\r\n" + base64.b64decode(basic[1])
    ours += b"\r\n" + urllib.parse.unquote_to_bytes(ours)

    def blank(word: re.Match[bytes]) -> bytes:
        return "…".encode() if word[0][:1] not in b"%\\" and word[0] in ours else word[0]

    return _WORDS.sub(blank, content)


class _Deadlined:
    """A socket whose every read ends at the total deadline, against a slow loris."""

    def __init__(self, link: socket.socket, end: float) -> None:
        self.link = link
        self.end = end

    def makefile(self, _mode: str) -> "_DeadlinedFile":
        """What ``http.client`` reads from."""
        return _DeadlinedFile(self.link, self.end)


class _DeadlinedFile:
    """A buffered reader over ``recv`` that recomputes the time left for every read."""

    def __init__(self, link: socket.socket, end: float) -> None:
        self.link = link
        self.end = end
        self.kept = b""

    def _more(self) -> bool:
        self.link.settimeout(_left(self.end))
        piece = self.link.recv(_CHUNK)
        self.kept += piece
        return bool(piece)

    def _take(self, count: int) -> bytes:
        piece, self.kept = self.kept[:count], self.kept[count:]
        return piece

    def read(self, count: int = -1) -> bytes:
        """Read ``count`` bytes, or all there are."""
        while (count < 0 or len(self.kept) < count) and self._more():
            pass
        return self._take(len(self.kept) if count < 0 else count)

    def readline(self, limit: int = -1) -> bytes:
        """Read one line of at most ``limit`` bytes."""
        cap = limit if limit >= 0 else _CHUNK
        while b"\n" not in self.kept and len(self.kept) < cap and self._more():
            pass
        at = self.kept.find(b"\n")
        return self._take(min(at + 1 if at >= 0 else len(self.kept), cap))

    def flush(self) -> None:
        """Nothing is written here."""

    def close(self) -> None:
        """The connection closes the socket."""


def _read(response: HTTPResponse, max_bytes: int) -> bytes:
    """Read the body up to ``max_bytes`` decoded; one content encoding at most."""
    encoding = (response.getheader("Content-Encoding") or "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        message = "content encoding"
        raise ValueError(message)
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in encoding else None
    content = b""
    while piece := response.read(_CHUNK):
        content += unpack.decompress(piece, max_bytes + 1 - len(content)) if unpack else piece
        if len(content) > max_bytes:
            message = "too long"
            raise ValueError(message)
    if response.length or (unpack and content and not unpack.eof):
        message = "short answer"
        raise ValueError(message)
    return content
