"""Speak to an account's server, with either kind of secrets: an OAuth session or an app password.

App passwords are the discouraged way, for servers without OAuth and for installations that the
internet cannot reach. Facts: networks/bluesky.md §2.
"""

import base64
import datetime as dt
import json
import re
import urllib.parse
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled, WireError, call

from .answers import reason
from .base import Access, Identity, NotConnected, Refused, Renewed
from .bluesky_identity import ENTRYWAY, holder
from .bluesky_proofs import proven

APP_PASSWORD = re.compile(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}")
_JSON = "application/json"


def ask(
    access: Access,
    name: str,
    *,
    body: bytes | Mapping[str, Any],
    content_type: str = _JSON,
    seconds: float,
    may_start: Callable[[], None] | None = None,
) -> Answer:
    """Call a procedure of the account's server as the account. Raises as ``wire.call``."""
    url = f"{access.base_url}/xrpc/{name}"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": content_type}
    token = access.secrets["access_token"]
    if key := access.secrets.get("dpop_key"):
        return proven(
            "POST", url, key=key, token=token, headers=headers, body=content, seconds=seconds,
            may_start=may_start,
        )  # fmt: skip
    headers["Authorization"] = f"Bearer {token}"
    return call("POST", url, headers=headers, body=content, seconds=seconds, may_start=may_start)


def read(base_url: str, name: str, query: Mapping[str, object]) -> Answer:
    """Ask a public question; needs no account. Raises as ``wire.call``."""
    encoded = urllib.parse.urlencode(query, doseq=True, safe=":/")  # addresses stay short
    return call("GET", f"{base_url}/xrpc/{name}?{encoded}", seconds=10)


def blob_limit(base_url: str) -> int | None:
    """Bytes the server takes as one picture, None when it does not say."""
    try:
        answer = read(base_url, "com.atproto.server.describeServer", {})
        found = answer.json() if answer.status == HTTPStatus.OK else {}
    except WireError:
        return None
    limit = found.get("blobUploadLimit") if isinstance(found, dict) else None
    return limit if isinstance(limit, int) and limit > 0 else None


def sign_in(
    *, handle: str, password: str, base_url: str = ENTRYWAY
) -> tuple[Identity, str, dict[str, str], dt.datetime | None]:
    """Open a session with an app password: identity, PDS address, secrets, their end.

    Whose it is tells the account's own document, not the server somebody typed.
    Raises :class:`NotConnected` or WireError.
    """
    if not APP_PASSWORD.fullmatch(password):
        message = "not an app password"
        raise NotConnected(message)
    answer = call(
        "POST",
        f"{base_url}/xrpc/com.atproto.server.createSession",
        headers={"Content-Type": _JSON},
        body=json.dumps({"identifier": handle.lstrip("@"), "password": password}).encode(),
        seconds=10,
    )
    if answer.status != HTTPStatus.OK:
        raise NotConnected(reason(answer))
    found = answer.json()
    secrets, expires_at = session_secrets(found)
    known = holder(str(found.get("did")), base_url)
    if base_url not in {known.pds, ENTRYWAY}:
        message = "this server may not speak for that account"
        raise NotConnected(message)
    return known.identity(), known.pds, secrets, expires_at


def refresh(access: Access) -> Renewed | Refused:
    """Trade the refresh token for a new pair; it rotates, the old one lives two hours more."""
    answer = call(
        "POST",
        f"{access.base_url}/xrpc/com.atproto.server.refreshSession",
        headers={"Authorization": f"Bearer {access.secrets['refresh_token']}"},
        seconds=5,
    )
    if answer.status != HTTPStatus.OK:
        if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Refused(reason(answer), permanent=False)
        raise WireError(reason(answer))
    return Renewed(*session_secrets(answer.json()))


def sign_out(access: Access) -> None:
    """End the session of an app password. Raises WireError."""
    answer = call(
        "POST",
        f"{access.base_url}/xrpc/com.atproto.server.deleteSession",
        headers={"Authorization": f"Bearer {access.secrets['refresh_token']}"},
        seconds=10,
    )
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise WireError(reason(answer))


def session_secrets(session: Mapping[str, Any]) -> tuple[dict[str, str], dt.datetime | None]:
    """The pair of a session and when its access token ends (read from the JWT).

    Raises :class:`integrations.wire.Garbled`.
    """
    try:
        secrets = {
            "access_token": str(session["accessJwt"]),
            "refresh_token": str(session["refreshJwt"]),
        }
    except (KeyError, TypeError) as error:
        message = "this is no session"
        raise Garbled(message) from error
    return secrets, _expiry(secrets["access_token"])


def _expiry(jwt: str) -> dt.datetime | None:
    try:
        part = jwt.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return dt.datetime.fromtimestamp(int(claims["exp"]), dt.UTC)
    except (IndexError, ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
