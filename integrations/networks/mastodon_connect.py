"""Connecting a Mastodon account: find the server, register, let the person say yes there."""

import base64
import hashlib
import re
import urllib.parse
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from integrations.addresses import AddressRefused, parse
from integrations.wire import Garbled, WireError, call

from .answers import printable, proof, reason
from .base import Identity

CLIENT_NAME = "Botschaft"

SCOPES = "profile read:statuses write:statuses write:media"
OLD_SCOPES = "read:accounts read:statuses write:statuses write:media"  # before 4.3


class AppGone(WireError):
    """The server has forgotten our registration: register anew and begin again."""


@dataclass(frozen=True, slots=True)
class App:
    """Our registration at one server."""

    client_id: str
    client_secret: str = field(repr=False)
    scopes: str


def normalise(text: str) -> str:
    """Read ``example.social``, ``https://example.social/@a`` or ``@a@example.social``.

    One server has one spelling here, so that nobody connects an account twice. Raises ValueError
    when there is no server in it.
    """
    text = text.strip()
    if match := re.fullmatch(r"@?[^@\s/]+@([^@\s/]+)", text):
        text = match[1]
    if not re.match(r"https?://", text, re.IGNORECASE):
        text = f"https://{text}"
    try:
        target = parse(text)
    except AddressRefused:
        target = parse(re.sub("^http:", "https:", text, flags=re.IGNORECASE))
    return f"{target.scheme}://{target.authority}"


def probe(base_url: str) -> dict[str, object]:
    """What the server says it is and allows; missing keys fall back to Mastodon's defaults.

    Raises :class:`integrations.wire.WireError` when it is no such server.
    """
    answer = call("GET", f"{base_url}/api/v2/instance", seconds=10)
    if answer.status == HTTPStatus.NOT_FOUND:
        answer = call("GET", f"{base_url}/api/v1/instance", seconds=10)
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    found = _object(answer.json())
    if not isinstance(found.get("version"), str):
        message = "this is not a Mastodon server"
        raise Garbled(message)
    configuration = _object(found.get("configuration"))
    statuses = _object(configuration.get("statuses"))
    media = _object(configuration.get("media_attachments"))
    version = printable(found["version"])[:100]
    plain = re.fullmatch(r"\d+\.\d+(\.\d+)?([-+~].*)?", version) is not None
    compatible = "compatible" in version.lower()
    return {
        "version": version,
        "max_characters": _limit(statuses.get("max_characters"), 500),
        "characters_reserved_per_url": _limit(statuses.get("characters_reserved_per_url"), 23),
        "max_media_attachments": _limit(statuses.get("max_media_attachments"), 4),
        "image_size_limit": _limit(media.get("image_size_limit"), 16_777_216),
        "image_matrix_limit": _limit(media.get("image_matrix_limit"), 33_177_600),
        "description_limit": _limit(media.get("description_limit"), 1500),
        # GoToSocial calls itself 0.x and has no Idempotency-Key (GoToSocial#2723).
        "real_mastodon": plain and not compatible and _at_least(version, (3, 0)),
        "modern_scopes": _at_least(version, (4, 3)),
    }


def _object(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _limit(found: object, usual: int) -> int:
    """A number the server states, or the usual one when it is no sensible number."""
    return found if isinstance(found, int) and 1 <= found <= 1_000_000_000 else usual


def _at_least(version: str, wanted: tuple[int, int]) -> bool:
    match = re.match(r"(\d+)\.(\d+)", version)
    return bool(match) and (int(match[1]), int(match[2])) >= wanted  # type: ignore[index]


def register(base_url: str, *, redirect_uri: str, website: str, modern: bool) -> App:
    """Register Botschaft as a client of this server. Raises WireError."""
    scopes = SCOPES if modern else OLD_SCOPES
    found = _form(
        f"{base_url}/api/v1/apps",
        {
            "client_name": CLIENT_NAME,
            "redirect_uris": redirect_uri,
            "scopes": scopes,
            "website": website,
        },
    )
    return App(_text(found, "client_id"), _text(found, "client_secret"), scopes)


def authorize_url(base_url: str, app: App, *, redirect_uri: str, state: str, verifier: str) -> str:
    """Where the person says yes. PKCE is always sent; older servers ignore it."""
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": app.scopes,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{base_url}/oauth/authorize?{urllib.parse.urlencode(query)}"


def check_app(base_url: str, app: App, *, redirect_uri: str) -> None:
    """Ask whether the server still knows our registration, before a person is sent there.

    Servers purge clients that nobody used; its own page would only say "unknown client".
    Raises :class:`AppGone` when it is so; whatever else the server answers is no sign of that.
    """
    fields = {
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": redirect_uri,
        "scope": "read:statuses",
    }
    try:
        _form(f"{base_url}/oauth/token", fields)
    except AppGone:
        raise
    except WireError:
        return


def exchange(base_url: str, app: App, *, code: str, redirect_uri: str, verifier: str) -> str:
    """Trade the code for an access token. Raises :class:`AppGone` or WireError."""
    found = _form(
        f"{base_url}/oauth/token",
        {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "scope": app.scopes,
        },
    )
    granted = set(str(found.get("scope", app.scopes)).split())
    if not {"write:statuses", "write"} & granted:
        message = "the permission to post was not granted"
        raise WireError(message)
    return _text(found, "access_token")


def revoke(base_url: str, app: App, token: str) -> None:
    """Give the token back. Raises WireError."""
    _form(
        f"{base_url}/oauth/revoke",
        {"client_id": app.client_id, "client_secret": app.client_secret, "token": token},
    )


def whoami(base_url: str, token: str) -> Identity:
    """Whose token this is. Raises WireError."""
    answer = call(
        "GET",
        f"{base_url}/api/v1/accounts/verify_credentials",
        headers={"Authorization": f"Bearer {token}"},
        seconds=10,
    )
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    found = _object(answer.json())
    known = proof(found.get("id"), found.get("url"))
    name = printable(_text(found, "username"))[:100]
    return Identity(
        remote_id=known.remote_id,
        handle=f"@{name}@{urllib.parse.urlsplit(base_url).netloc}",
        display_name=printable(str(found.get("display_name") or name))[:200],
        url=known.url or base_url,
    )


def _text(found: dict[str, Any], name: str) -> str:
    """Read a field that must be there. Raises Garbled."""
    value = found.get(name)
    if not isinstance(value, str) or not value:
        message = f"{name} is missing in the answer"
        raise Garbled(message)
    return value


def _form(url: str, fields: dict[str, str]) -> dict[str, Any]:
    answer = call(
        "POST",
        url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urllib.parse.urlencode(fields).encode(),
        seconds=10,
    )
    found = _object(answer.json()) if "json" in answer.headers.get("content-type", "") else {}
    if answer.status == HTTPStatus.UNAUTHORIZED and found.get("error") == "invalid_client":
        raise AppGone(reason(answer))
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    return found
