"""Connecting an X account: OAuth 2 with PKCE, single-use refresh tokens."""

import base64
import datetime as dt
import urllib.parse
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled, WireError, call

from .answers import printable, proof, reason
from .base import (
    Access,
    App,
    Departure,
    Grant,
    Identity,
    NotConnected,
    Refused,
    Renewed,
    Trip,
)

API = "https://api.x.com"
SCOPES = "tweet.read tweet.write users.read media.write offline.access"


def depart(trip: Trip) -> Departure:
    """Where the person says yes."""
    query = {
        "response_type": "code",
        "client_id": trip.app.client_id,
        "redirect_uri": trip.redirect_uri,
        "scope": SCOPES,
        "state": trip.state,
        "code_challenge": trip.challenge,
        "code_challenge_method": "S256",
    }
    home = trip.app.host("www", "https://x.com")
    return Departure(f"{home}/i/oauth2/authorize?{urllib.parse.urlencode(query)}")


def arrive(trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> list[Grant]:
    """Trade the code for tokens and ask whose they are.

    Raises :class:`NotConnected` or :class:`integrations.wire.WireError`.
    """
    if not answer.get("code"):
        raise NotConnected(printable(answer.get("error", "no code"))[:200])
    api = trip.app.host("api", API)
    found, why = _token(
        api,
        trip.app,
        {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": trip.redirect_uri,
            "code_verifier": trip.verifier,
        },
    )
    if found is None:
        raise NotConnected(why)
    scopes = sorted(str(found.get("scope", SCOPES)).split())
    if "tweet.write" not in scopes:
        raise NotConnected("the permission to post was not granted")
    secrets, expires_at = _secrets(found, now)
    features = {
        "scopes": scopes,
        "can_look": "tweet.read" in scopes,
        "can_attach": "media.write" in scopes,
    }
    identity = _whoami(api, secrets["access_token"])
    return [
        Grant(
            identity,
            api,
            secrets,
            expires_at=expires_at,
            company=trip.company,
            features=features,
        )
    ]


def refresh(access: Access, now: dt.datetime) -> Renewed | Refused:
    """Present the refresh token once; it is void afterwards, whatever happens to the answer."""
    token = access.secrets.get("refresh_token")
    if not token or not access.app:
        return Refused("reconnect", permanent=False)
    found, why = _token(
        access.base_url, access.app, {"grant_type": "refresh_token", "refresh_token": token}
    )
    if found is None:
        return Refused(f"reconnect: {why}", permanent=False)
    secrets, expires_at = _secrets(found, now)
    return Renewed(secrets, expires_at)


def revoke(access: Access) -> None:
    """Give both tokens back. Raises WireError."""
    if not access.app:
        return
    for name in ("refresh_token", "access_token"):
        if token := access.secrets.get(name):
            answer = _form(
                f"{access.base_url}/2/oauth2/revoke",
                access.app,
                {"token": token, "token_type_hint": name},
            )
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise WireError(reason(answer))


def _token(api: str, app: App, fields: Mapping[str, str]) -> tuple[dict[str, Any] | None, str]:
    """Ask the token endpoint; None and the reason when it refuses what we presented."""
    answer = _form(f"{api}/2/oauth2/token", app, fields)
    if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
        return None, reason(answer)
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    found = answer.json()
    if not isinstance(found, dict) or not isinstance(found.get("access_token"), str):
        message = "no access token in the answer"
        raise Garbled(message)
    return found, ""


def _form(url: str, app: App, fields: Mapping[str, str]) -> Answer:
    """Send a form as the app: by Basic where it has a secret, else by its id in the form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if app.client_secret:
        pair = f"{urllib.parse.quote(app.client_id)}:{urllib.parse.quote(app.client_secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        fields = {**fields, "client_id": app.client_id}
    body = urllib.parse.urlencode(fields).encode()
    return call("POST", url, headers=headers, body=body, seconds=10)


def _secrets(found: Mapping[str, Any], now: dt.datetime) -> tuple[dict[str, str], dt.datetime]:
    """Both tokens and the end of the first; two hours when X does not say."""
    secrets = {"access_token": str(found["access_token"])}
    if isinstance(found.get("refresh_token"), str):
        secrets["refresh_token"] = found["refresh_token"]
    seconds = found.get("expires_in")
    seconds = seconds if isinstance(seconds, int) and 0 < seconds < 10**8 else 7200
    return secrets, now + dt.timedelta(seconds=seconds)


def _whoami(api: str, token: str) -> Identity:
    """Whose tokens these are. Raises WireError."""
    answer = call(
        "GET",
        f"{api}/2/users/me",
        headers={"Authorization": f"Bearer {token}"},
        seconds=10,
    )
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    found = answer.json()
    found = found.get("data") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("username"), str):
        message = "no user in the answer"
        raise Garbled(message)
    name = printable(found["username"])[:50]
    known = proof(found.get("id"), f"https://x.com/{urllib.parse.quote(name)}")
    shown = printable(str(found.get("name") or name))[:200]
    return Identity(known.remote_id, f"@{name}", shown, known.url)
