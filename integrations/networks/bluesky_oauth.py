"""Connect a Bluesky account by OAuth (AT Protocol profile). Facts: networks/bluesky.md §3.

Handle → DID → server → authorisation server; the request is pushed there first (PAR), the person
says yes, and what comes back is believed only if the DID's own server names the same issuer.
``App.client_id`` is the address of our client metadata, or ``http://localhost`` in development;
``App.client_secret`` the secrets our keys are made of (:func:`bluesky_proofs.client_keys`).
"""

import contextlib
import datetime as dt
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from integrations.addresses import AddressRefused, parse
from integrations.wire import Answer, Garbled, NotSent, WireError, call

from .answers import object_of, printable, reason, text_of
from .base import Access, App, Departure, Grant, NotConnected, Refused, Renewed, Trip
from .bluesky_identity import ENTRYWAY, NO_HANDLE, Holder, find, holder
from .bluesky_proofs import assertion, client_keys, new_key, proven, public_jwk, wants_nonce

POSTS, PICTURES = "repo:app.bsky.feed.post", "blob:image/*"
# Posts (put, which is create and update, and delete) and pictures. Figures are public.
SCOPE = f"atproto {POSTS} {PICTURES}"
_LOCAL = "http://localhost"
_PUBLIC_LIVES = dt.timedelta(days=14)  # a client without a key: two weeks in all
_KEYED_LIVES = dt.timedelta(days=730)  # with a key: two years, refreshed every three months


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authorisation server by its own metadata (RFC 8414)."""

    name: str
    authorize: str
    push: str
    token: str
    revoke: str


def client_metadata(app: App, *, name: str, site_url: str, redirect_uri: str) -> dict[str, Any]:
    """What our public address says about us; its URL is our client id."""
    return {
        "client_id": app.client_id,
        "application_type": "web",
        "client_name": name,
        "client_uri": site_url,
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": SCOPE,
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks_uri": urllib.parse.urljoin(app.client_id, "jwks.json"),
        "dpop_bound_access_tokens": True,
    }


def jwks(app: App) -> dict[str, Any]:
    """The public halves of our keys, the newest first."""
    return {
        "keys": [
            {**public_jwk(key), "kid": kid, "use": "sig", "alg": "ES256"}
            for kid, key in client_keys(app).items()
        ]
    }


def depart(trip: Trip) -> Departure:
    """Push the request to the account's authorisation server. Raises NotConnected or WireError.

    Without a hint the person chooses their account at ``trip.base_url``.
    """
    base_url = trip.base_url or ENTRYWAY
    named = trip.hint not in {"", NO_HANDLE}
    known = find(trip.hint, base_url) if named else None
    issuer = discover(known.pds if known else base_url)
    redirect_uri = _redirect_uri(trip)
    kept = {
        "issuer": issuer.name,
        "did": known.did if known else "",
        "base_url": base_url,
        "client_id": _client_id(trip.app, redirect_uri),
        "client_key": next(iter(client_keys(trip.app)), "") if not _local(trip.app) else "",
        "dpop_key": new_key(),
    }
    fields = {
        "response_type": "code",
        "code_challenge": trip.challenge,
        "code_challenge_method": "S256",
        "state": trip.state,
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
    }
    if known:
        fields["login_hint"] = known.did if known.handle == NO_HANDLE else known.handle
    answer = _post(issuer.push, fields, trip.app, kept)
    if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
        raise NotConnected(reason(answer))
    query = {"client_id": kept["client_id"], "request_uri": text_of(answer.json(), "request_uri")}
    return Departure(f"{issuer.authorize}?{urllib.parse.urlencode(query)}", kept)


def arrive(trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> Grant:
    """Trade the code for a session. Raises NotConnected or WireError.

    ``iss`` must be the issuer we sent the person to, ``sub`` an account whose own server names
    that issuer, and the account they had typed; otherwise the session is given back at once.
    """
    kept = trip.kept
    if answer.get("iss") != kept["issuer"]:
        message = "another server answered than the one that was asked"
        raise NotConnected(message)
    if "code" not in answer:
        raise NotConnected(printable(answer.get("error_description") or answer.get("error", "")))
    issuer = _issuer(kept["issuer"])
    fields = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": _redirect_uri(trip),
        "code_verifier": trip.verifier,
    }
    traded = _post(issuer.token, fields, trip.app, kept)
    if traded.status != HTTPStatus.OK:
        raise NotConnected(reason(traded))
    found = object_of(traded.json())
    session = {name: kept[name] for name in ("issuer", "client_id", "client_key", "dpop_key")}
    ends = now + (_KEYED_LIVES if kept["client_key"] else _PUBLIC_LIVES)
    session |= {"reconnect_by": ends.isoformat(), **_tokens(found)}
    try:
        known = _verified(found, kept)
    except (NotConnected, WireError):
        with contextlib.suppress(WireError):
            _give_back(issuer, trip.app, session)
        raise
    return Grant(
        identity=known.identity(),
        base_url=known.pds,
        secrets=session,
        expires_at=_end(found, now),
        reconnect_by=ends,
        company=trip.company,
        features={"auth": "oauth", "scope": found["scope"]},
    )


def refresh(access: Access, now: dt.datetime) -> Renewed | Refused:
    """Trade the refresh token, which serves once, for a new pair.

    Raises :class:`integrations.wire.NotSent` when it was not presented, else WireError.
    """
    session = dict(access.secrets)
    if session["client_key"] and session["client_key"] not in client_keys(_app(access)):
        return Refused("this installation's key is another one now", permanent=False)
    try:
        issuer = _issuer(session["issuer"])
    except (NotConnected, WireError) as error:
        raise NotSent(str(error)) from error
    fields = {"grant_type": "refresh_token", "refresh_token": session["refresh_token"]}
    answer = _post(issuer.token, fields, _app(access), session)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or wants_nonce(answer):
        raise NotSent(reason(answer))
    if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Refused(reason(answer), permanent=False)
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    found = object_of(answer.json())
    if found.get("sub") != access.remote_account_id:
        return Refused("the server answered for another account", permanent=False)
    ends = dt.datetime.fromisoformat(session["reconnect_by"])
    return Renewed({**session, **_tokens(found)}, _end(found, now), ends)


def revoke(access: Access) -> None:
    """Give the session back. Raises WireError."""
    _give_back(_issuer(access.secrets["issuer"]), _app(access), access.secrets)


def discover(pds: str) -> Issuer:
    """The authorisation server of an account's server; some servers are both.

    Raises :class:`NotConnected` or WireError.
    """
    answer = call("GET", f"{pds}/.well-known/oauth-protected-resource", seconds=10)
    if answer.status == HTTPStatus.NOT_FOUND:
        return _issuer(pds)
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    found = object_of(answer.json())
    servers = found.get("authorization_servers")
    if found.get("resource") != pds or not isinstance(servers, list) or len(servers) != 1:
        message = "the server does not name who may say yes for it"
        raise NotConnected(message)
    return _issuer(str(servers[0]))


def _issuer(name: str) -> Issuer:
    """Read an authorisation server's metadata; it must be able to do what we rely on."""
    answer = call("GET", f"{name}/.well-known/oauth-authorization-server", seconds=10)
    if answer.status == HTTPStatus.NOT_FOUND:
        message = "the server has no OAuth"
        raise NotConnected(message)
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    found = object_of(answer.json())
    able = (
        found.get("issuer") == name
        and found.get("authorization_response_iss_parameter_supported") is True
        and found.get("client_id_metadata_document_supported") is True
        and "ES256" in (found.get("dpop_signing_alg_values_supported") or [])
    )
    if not able:
        message = "the server's OAuth is not that of the AT Protocol"
        raise NotConnected(message)
    return Issuer(
        name,
        _address(found, "authorization_endpoint"),
        _address(found, "pushed_authorization_request_endpoint"),
        _address(found, "token_endpoint"),
        _address(found, "revocation_endpoint") if "revocation_endpoint" in found else "",
    )


def _verified(found: dict[str, Any], kept: Mapping[str, str]) -> Holder:
    """Whose session this is, by the account's own document. Raises NotConnected or WireError."""
    granted = set(str(found.get("scope", "")).split())
    if "atproto" not in granted or not (
        {POSTS, PICTURES} <= granted or "transition:generic" in granted
    ):
        message = "the permission to post was not granted"
        raise NotConnected(message)
    did = text_of(found, "sub")
    if kept["did"] not in {"", did}:
        message = "another account said yes than the one you named"
        raise NotConnected(message)
    known = holder(did, kept["base_url"])
    if discover(known.pds).name != kept["issuer"]:
        message = "this server may not speak for that account"
        raise NotConnected(message)
    return known


def _tokens(found: dict[str, Any]) -> dict[str, str]:
    if str(found.get("token_type", "")).lower() != "dpop":
        message = "the token is not bound to our key"
        raise Garbled(message)
    return {name: text_of(found, name) for name in ("access_token", "refresh_token")}


def _end(found: dict[str, Any], now: dt.datetime) -> dt.datetime:
    """When the access token ends; a server that does not say it is believed five minutes."""
    seconds = found.get("expires_in")
    if not isinstance(seconds, int) or not 0 < seconds < 366 * 86_400:
        seconds = 300
    return now + dt.timedelta(seconds=seconds)


def _give_back(issuer: Issuer, app: App, session: Mapping[str, str]) -> None:
    if not issuer.revoke:
        return
    answer = _post(issuer.revoke, {"token": session["refresh_token"]}, app, session)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise WireError(reason(answer))


def _post(url: str, fields: dict[str, str], app: App, session: Mapping[str, str]) -> Answer:
    """Ask the authorisation server as this client, with the session's proof."""
    issuer, client_id = session["issuer"], session["client_id"]
    fields = {**fields, "client_id": client_id}
    if kid := session["client_key"]:
        fields |= {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion(app, client_id, issuer, kid),
        }
    return proven(
        "POST",
        url,
        key=session["dpop_key"],
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urllib.parse.urlencode(fields).encode(),
        seconds=10,
    )


def _local(app: App) -> bool:
    return app.client_id == _LOCAL


def _client_id(app: App, redirect_uri: str) -> str:
    """Our id; in development it carries what would stand in the metadata."""
    if not _local(app):
        if not app.client_id.startswith("https://"):
            message = "Bluesky sends people back to an https address only"
            raise NotConnected(message)
        return app.client_id
    return f"{_LOCAL}?{urllib.parse.urlencode({'redirect_uri': redirect_uri, 'scope': SCOPE})}"


def _redirect_uri(trip: Trip) -> str:
    """The way back; in development a detour, the protocol refuses the name localhost."""
    return trip.app.options.get("redirect_uri", trip.redirect_uri)


def _app(access: Access) -> App:
    if access.app is None:
        message = "Botschaft has no client key for Bluesky"
        raise NotSent(message)
    return access.app


def _address(found: dict[str, Any], name: str) -> str:
    """An endpoint; a person's browser goes there too, so it must be a sound address."""
    url = text_of(found, name)
    try:
        parse(url)
    except AddressRefused as error:
        message = f"{name} is no usable address"
        raise Garbled(message) from error
    return url
