"""Connecting a Mastodon account: find the server, register, let the person say yes there."""

import contextlib
import re
import urllib.parse
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from integrations.addresses import AddressRefused, parse
from integrations.wire import Garbled, WireError, call

from .answers import object_of, printable, proof, reason, text_of
from .base import CLIENT_NAME, Access, App, AppGone, Departure, Grant, Identity, NotConnected, Trip

SCOPES = "profile read:statuses write:statuses write:media"
OLD_SCOPES = "read:accounts read:statuses write:statuses write:media"  # before 4.3


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
    found = object_of(answer.json())
    if not isinstance(found.get("version"), str):
        message = "this is not a Mastodon server"
        raise Garbled(message)
    configuration = object_of(found.get("configuration"))
    statuses = object_of(configuration.get("statuses"))
    media = object_of(configuration.get("media_attachments"))
    version = printable(found["version"])[:100]
    plain = re.fullmatch(r"\d+\.\d+(\.\d+)?([-+~].*)?", version) is not None
    compatible = "compatible" in version.lower()
    return {
        "version": version,
        "max_characters": _limit(statuses.get("max_characters"), 500),
        "max_media_attachments": _limit(statuses.get("max_media_attachments"), 4),
        "image_size_limit": _limit(media.get("image_size_limit"), 16_777_216),
        "image_matrix_limit": _limit(media.get("image_matrix_limit"), 33_177_600),
        "description_limit": _limit(media.get("description_limit"), 1500),
        # GoToSocial calls itself 0.x and has no Idempotency-Key (GoToSocial#2723).
        "real_mastodon": plain and not compatible and _at_least(version, (3, 0)),
        "modern_scopes": _at_least(version, (4, 3)),
    }


def _limit(found: object, usual: int) -> int:
    """A number the server states, or the usual one when it is no sensible number."""
    return found if isinstance(found, int) and 1 <= found <= 1_000_000_000 else usual


def _at_least(version: str, wanted: tuple[int, int]) -> bool:
    match = re.match(r"(\d+)\.(\d+)", version)
    return bool(match) and (int(match[1]), int(match[2])) >= wanted  # type: ignore[index]


def register(base_url: str, *, redirect_uri: str, website: str) -> App:
    """Register Botschaft as a client, with the scopes the server's version knows.

    Raises WireError.
    """
    scopes = SCOPES if probe(base_url)["modern_scopes"] else OLD_SCOPES
    found = _form(
        f"{base_url}/api/v1/apps",
        {
            "client_name": CLIENT_NAME,
            "redirect_uris": redirect_uri,
            "scopes": scopes,
            "website": website,
        },
    )
    return App(text_of(found, "client_id"), text_of(found, "client_secret"), {"scopes": scopes})


def depart(trip: Trip) -> Departure:
    """Where the person says yes. PKCE is always sent; older servers ignore it.

    Raises :class:`AppGone` or WireError.
    """
    _check_app(trip)
    query = {
        "response_type": "code",
        "client_id": trip.app.client_id,
        "redirect_uri": trip.redirect_uri,
        "scope": _scopes(trip.app),
        "state": trip.state,
        "code_challenge": trip.challenge,
        "code_challenge_method": "S256",
    }
    return Departure(f"{trip.base_url}/oauth/authorize?{urllib.parse.urlencode(query)}")


def _scopes(app: App) -> str:
    return app.options.get("scopes", SCOPES)


def _check_app(trip: Trip) -> None:
    """Ask whether the server still knows our registration, before a person is sent there.

    Servers purge clients that nobody used; its own page would only say "unknown client".
    Raises :class:`AppGone` when it is so; whatever else the server answers is no sign of that.
    """
    fields = {
        "grant_type": "client_credentials",
        "client_id": trip.app.client_id,
        "client_secret": trip.app.client_secret,
        "redirect_uri": trip.redirect_uri,
        "scope": "read:statuses",
    }
    try:
        _form(f"{trip.base_url}/oauth/token", fields)
    except AppGone:
        raise
    except WireError:
        return


def arrive(trip: Trip, answer: Mapping[str, str]) -> Grant:
    """Trade the code for a token that does not end; learn whose it is and the server's limits.

    Raises :class:`AppGone`, NotConnected or WireError.
    """
    if "code" not in answer:
        raise NotConnected(answer.get("error", "no code"))
    features = probe(trip.base_url)
    found = _form(
        f"{trip.base_url}/oauth/token",
        {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "client_id": trip.app.client_id,
            "client_secret": trip.app.client_secret,
            "redirect_uri": trip.redirect_uri,
            "code_verifier": trip.verifier,
            "scope": _scopes(trip.app),
        },
    )
    granted = set(str(found.get("scope", _scopes(trip.app))).split())
    if not {"write:statuses", "write"} & granted:
        message = "the permission to post was not granted"
        raise WireError(message)
    token = text_of(found, "access_token")
    return Grant(
        identity=_whoami(trip.base_url, token),
        base_url=trip.base_url,
        secrets={"access_token": token},
        company=trip.company,
        features=features,
    )


def revoke(access: Access) -> None:
    """Give the token back; a server that forgot our registration forgot its tokens too.

    Raises WireError.
    """
    if access.app is None:
        return
    fields = {
        "client_id": access.app.client_id,
        "client_secret": access.app.client_secret,
        "token": access.secrets["access_token"],
    }
    with contextlib.suppress(AppGone):
        _form(f"{access.base_url}/oauth/revoke", fields)


def _whoami(base_url: str, token: str) -> Identity:
    """Whose token this is. Raises WireError."""
    answer = call(
        "GET",
        f"{base_url}/api/v1/accounts/verify_credentials",
        headers={"Authorization": f"Bearer {token}"},
        seconds=10,
    )
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    found = object_of(answer.json())
    known = proof(found.get("id"), found.get("url"))
    name = printable(text_of(found, "username"))[:100]
    return Identity(
        remote_id=known.remote_id,
        handle=f"@{name}@{urllib.parse.urlsplit(base_url).netloc}",
        display_name=printable(str(found.get("display_name") or name))[:200],
        url=known.url or base_url,
    )


def _form(url: str, fields: dict[str, str]) -> dict[str, Any]:
    answer = call(
        "POST",
        url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urllib.parse.urlencode(fields).encode(),
        seconds=10,
    )
    found = object_of(answer.json()) if "json" in answer.headers.get("content-type", "") else {}
    if answer.status == HTTPStatus.UNAUTHORIZED and found.get("error") == "invalid_client":
        raise AppGone(reason(answer))
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    return found
