"""How the three Meta networks connect: a yes, a code, a token of an hour, one of sixty days.

Facts: networks/facebook_pages.md §2; instagram.md §2; threads.md §2.
"""

import datetime as dt
import urllib.parse
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from integrations.wire import Garbled, WireError, call

from . import answers, graph
from .answers import count
from .base import CLIENT_NAME, Access, NotConnected, Refused, Renewed, Trip

# Refresh: at least a day old and not ended yet.
_TOO_YOUNG = dt.timedelta(hours=24)


def authorize_url(trip: Trip, address: str, scopes: Iterable[str]) -> str:
    """Where the person says yes. Meta separates scopes by commas and knows no PKCE here."""
    query = {
        "client_id": trip.app.client_id,
        "redirect_uri": trip.redirect_uri,
        "response_type": "code",
        "scope": ",".join(scopes),
        "state": trip.state,
    }
    return f"{address}?{urllib.parse.urlencode(query)}"


def code_of(answer: Mapping[str, str], label: str) -> str:
    """The code that came back. Raises :class:`NotConnected` when the person said no."""
    if answer.get("error") or answer.get("error_code"):
        if answer.get("error_reason") == "user_denied" or answer.get("error") == "access_denied":
            message = f"you said no at {label}, nothing was connected"
        else:
            told = answers.printable(answer.get("error_description") or answer.get("error") or "")
            message = f"{label} did not let you through: {told[:200]}"
        raise NotConnected(message)
    code = answer.get("code", "").removesuffix("#_")
    if not code:
        message = f"{label} sent you back without an answer, please start again"
        raise NotConnected(message)
    return code


def trade(method: str, url: str, fields: Mapping[str, str], label: str) -> dict[str, Any]:
    """Ask a token endpoint, which takes its secrets as parameters and not as a header.

    Raises :class:`NotConnected` with the network's words, or WireError.
    """
    query = urllib.parse.urlencode(fields)
    posted = method == "POST"
    answer = call(
        method,
        url if posted else f"{url}?{query}",
        headers=graph.FORM if posted else {},
        body=query.encode() if posted else None,
        seconds=10,
    )
    if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        told = graph.problem(answer).message or f"HTTP {answer.status}"
        message = f"{label} did not accept the answer: {told}"
        raise NotConnected(message)
    return graph.read(answer)


def swap(trip: Trip, url: str, code: str, label: str) -> dict[str, Any]:
    """Trade the code for a token of an hour, where Instagram and Threads log people in."""
    fields = {
        "client_id": trip.app.client_id,
        "client_secret": trip.app.client_secret,
        "grant_type": "authorization_code",
        "redirect_uri": trip.redirect_uri,
        "code": code,
    }
    return trade("POST", url, fields, label)


def prolong(
    trip: Trip, url: str, grant_type: str, short: Mapping[str, Any], label: str
) -> dict[str, Any]:
    """Trade the token of an hour for one of sixty days."""
    fields = {
        "grant_type": grant_type,
        "client_secret": trip.app.client_secret,
        "access_token": text(short, "access_token"),
    }
    return trade("GET", url, fields, label)


def text(found: Mapping[str, Any], name: str) -> str:
    """A field that must be there; 64-bit ids may come as numbers. Raises Garbled."""
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value):
        message = f"{name} is missing in the answer"
        raise Garbled(message)
    return str(value)


def scopes_of(value: object) -> list[str]:
    """Granted scopes, as a list or as one text with commas."""
    if isinstance(value, str):
        return sorted(filter(None, value.split(",")))
    return sorted(str(scope) for scope in value) if isinstance(value, list) else []


def require(scopes: Iterable[str], needed: Mapping[str, str]) -> None:
    """Refuse a yes that is too small, naming in words what is missing.

    Raises :class:`NotConnected`.
    """
    lacking = [words for scope, words in needed.items() if scope not in set(scopes)]
    if lacking:
        message = (
            f"{CLIENT_NAME} was not allowed to {' and to '.join(lacking)}."
            " Please connect again and leave these permissions switched on"
        )
        raise NotConnected(message)


def ends(found: Mapping[str, Any], now: dt.datetime) -> dt.datetime:
    """When a long-lived token ends; sixty days where the answer does not say."""
    seconds = count(found.get("expires_in")) or 60 * 86_400
    return now + dt.timedelta(seconds=seconds)


def secrets_of(found: Mapping[str, Any], now: dt.datetime) -> dict[str, str]:
    """A long-lived token with what a later refresh must know of it. Raises Garbled."""
    return {
        "access_token": text(found, "access_token"),
        "issued_at": now.isoformat(),
        "expires_at": ends(found, now).isoformat(),
    }


def refresh(access: Access, now: dt.datetime, url: str, grant_type: str) -> Renewed | Refused:
    """Prolong a long-lived token by sixty days; there is no refresh token of its own.

    A token of less than a day is kept as it is, one that has ended needs its person.
    Raises WireError.
    """
    kept = dict(access.secrets)
    issued = graph.moment(kept.get("issued_at", now.isoformat()))
    ended = graph.moment(kept.get("expires_at", (now + _TOO_YOUNG).isoformat()))
    if ended <= now:
        return Refused(graph.ENDED[463], permanent=False)
    if now - issued < _TOO_YOUNG and "issued_at" in kept:
        return Renewed(kept, expires_at=ended, reconnect_by=ended)
    query = urllib.parse.urlencode({"grant_type": grant_type, "access_token": kept["access_token"]})
    answer = call("GET", f"{url}?{query}", seconds=5)
    if answer.status != HTTPStatus.OK:
        result = graph.failed(answer, now)
        if isinstance(result, Refused):
            return Refused(result.why, permanent=False, detail=result.detail)
        raise WireError(graph.reason(answer))
    found = graph.read(answer)
    until = ends(found, now)
    return Renewed(secrets_of(found, now), expires_at=until, reconnect_by=until)
