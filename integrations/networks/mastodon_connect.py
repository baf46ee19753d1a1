"""Connecting a Mastodon account: find the server, register, let the person say yes there."""

import base64
import hashlib
import re
import urllib.parse
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from integrations.wire import Garbled, WireError, call

from .base import Identity

SCOPES = "profile read:statuses write:statuses write:media"
OLD_SCOPES = "read:accounts read:statuses write:statuses write:media"  # before 4.3


@dataclass(frozen=True, slots=True)
class App:
    """Our registration at one server."""

    client_id: str
    client_secret: str
    scopes: str


def normalise(text: str) -> str:
    """Read ``example.social``, ``https://example.social/@a`` or ``@a@example.social``.

    Raises ValueError when there is no server in it.
    """
    text = text.strip()
    if match := re.fullmatch(r"@?[^@\s/]+@([^@\s/]+)", text):
        text = match[1]
    if not re.match(r"https?://", text):
        text = f"https://{text}"
    parts = urllib.parse.urlsplit(text)
    if not parts.hostname or ("." not in parts.hostname and parts.hostname != "localhost"):
        message = "no server"
        raise ValueError(message)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def probe(base_url: str) -> dict[str, object]:
    """What the server says it is and allows; missing keys fall back to Mastodon's defaults.

    Raises :class:`integrations.wire.WireError` when it is no such server.
    """
    answer = call("GET", f"{base_url}/api/v2/instance", seconds=10)
    if answer.status == HTTPStatus.NOT_FOUND:
        answer = call("GET", f"{base_url}/api/v1/instance", seconds=10)
    if answer.status != HTTPStatus.OK:
        message = f"HTTP {answer.status}"
        raise WireError(message)
    found = answer.json()
    if not isinstance(found, dict) or "version" not in found:
        message = "this is not a Mastodon server"
        raise Garbled(message)
    statuses = (found.get("configuration") or {}).get("statuses") or {}
    version = str(found["version"])
    plain = re.fullmatch(r"\d+\.\d+(\.\d+)?([-+~].*)?", version) is not None
    compatible = "compatible" in version.lower()
    return {
        "version": version,
        "domain": str(found.get("domain") or urllib.parse.urlsplit(base_url).hostname),
        "max_characters": int(statuses.get("max_characters", 500)),
        "characters_reserved_per_url": int(statuses.get("characters_reserved_per_url", 23)),
        "real_mastodon": plain and not compatible,
        "modern_scopes": _at_least(version, (4, 3)),
    }


def _at_least(version: str, wanted: tuple[int, int]) -> bool:
    match = re.match(r"(\d+)\.(\d+)", version)
    return bool(match) and (int(match[1]), int(match[2])) >= wanted  # type: ignore[index]


def register(base_url: str, *, redirect_uri: str, website: str, modern: bool) -> App:
    """Register Botschaft as a client of this server. Raises WireError."""
    scopes = SCOPES if modern else OLD_SCOPES
    found = _form(
        f"{base_url}/api/v1/apps",
        {
            "client_name": "Botschaft",
            "redirect_uris": redirect_uri,
            "scopes": scopes,
            "website": website,
        },
    )
    return App(str(found["client_id"]), str(found["client_secret"]), scopes)


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


def exchange(base_url: str, app: App, *, code: str, redirect_uri: str, verifier: str) -> str:
    """Trade the code for an access token. Raises WireError."""
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
    return str(found["access_token"])


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
        message = f"HTTP {answer.status}"
        raise WireError(message)
    found = answer.json()
    host = urllib.parse.urlsplit(base_url).netloc
    return Identity(
        remote_id=str(found["id"]),
        handle=f"@{found['username']}@{host}",
        display_name=str(found.get("display_name") or found["username"]),
        url=str(found.get("url") or base_url),
    )


def _form(url: str, fields: dict[str, str]) -> dict[str, Any]:
    answer = call(
        "POST",
        url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urllib.parse.urlencode(fields).encode(),
        seconds=10,
    )
    found = answer.json() if "json" in answer.headers.get("content-type", "") else None
    if answer.status != HTTPStatus.OK or not isinstance(found, dict):
        message = f"HTTP {answer.status}"
        raise WireError(message)
    return found
