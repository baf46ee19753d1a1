"""Connecting LinkedIn: members by their own yes, company pages by a member who administers them.

Which permissions exist depends on the products of the operator's app (networks/linkedin.md §1):
self-serve apps may only post, apps with Community Management (option ``community=1``) also read
figures and speak for pages. LinkedIn ends older tokens when another set is asked for, so members
and pages ask for the same one.
"""

import datetime as dt
import time
import urllib.parse
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled, WireError, call

from .answers import object_of, printable, proof, reason
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

API = "https://api.linkedin.com"
WWW = "https://www.linkedin.com"
_SELF_SERVE = "openid profile email w_member_social"
_COMMUNITY = (
    "r_basicprofile w_member_social r_member_postAnalytics"
    " r_organization_social w_organization_social rw_organization_admin"
)
_LIVES = dt.timedelta(days=60)
_REFRESH_LIVES = dt.timedelta(days=365)  # from the first yes; refreshing does not extend it
_SPEAKERS = {"ADMINISTRATOR", "CONTENT_ADMIN"}
_MOST_PAGES = 20
# A fresh token may be called revoked for some seconds (omniauth-linkedin-openid#6).
FALSELY_REVOKED = 65601
_PAUSES = (1.0, 2.0, 4.0, 8.0)


def version(app: App | None) -> str:
    """The API version, ``YYYYMM``; each lives for about a year."""
    return (app.options if app else {}).get("version", "202609")


def headers(token: str, app: App | None) -> dict[str, str]:
    """What every call to the versioned API carries."""
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Linkedin-Version": version(app),
        "X-Restli-Protocol-Version": "2.0.0",
    }


def depart(trip: Trip) -> Departure:
    """Where the person says yes. Raises NotConnected when the app cannot speak for pages."""
    if trip.company and not _community(trip.app):
        raise NotConnected("company pages need LinkedIn's product Community Management")
    query = {
        "response_type": "code",
        "client_id": trip.app.client_id,
        "redirect_uri": trip.redirect_uri,
        "state": trip.state,
        "scope": scopes(trip.app),
    }
    www = trip.app.host("www", WWW)
    quoted = urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
    return Departure(f"{www}/oauth/v2/authorization?{quoted}")


def scopes(app: App) -> str:
    """Everything we ask for; ``member_social=1`` where LinkedIn granted reading own posts."""
    extra = " r_member_social" if app.options.get("member_social") == "1" else ""
    return (_COMMUNITY if _community(app) else _SELF_SERVE) + extra


def _community(app: App) -> bool:
    return app.options.get("community") == "1"


def arrive(trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> list[Grant]:
    """Trade the code for a token; the member's account, or the pages they administer.

    Raises :class:`NotConnected` or :class:`integrations.wire.WireError`.
    """
    if not answer.get("code"):
        raise NotConnected(printable(answer.get("error", "no code"))[:200])
    found, why = _token(
        trip.app,
        {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": trip.redirect_uri,
        },
    )
    if found is None:
        raise NotConnected(why)
    granted = str(found.get("scope") or scopes(trip.app)).replace(",", " ").split()
    needed = "w_organization_social" if trip.company else "w_member_social"
    if needed not in granted:
        raise NotConnected("the permission to post was not granted")
    secrets, expires_at, reconnect_by = _secrets(found, now)
    token = secrets["access_token"]
    people = _pages(trip.app, token) if trip.company else [_member(trip.app, token)]
    if not people:
        raise NotConnected("you administer no page there")
    return [
        Grant(
            identity,
            trip.app.host("api", API),
            secrets,
            expires_at=expires_at,
            reconnect_by=reconnect_by,
            company=trip.company,
            features=features(granted, company=trip.company, now=now),
        )
        for identity in people
    ]


def features(granted: list[str], *, company: bool, now: dt.datetime) -> dict[str, object]:
    """What an account may do: permission facts that differ by the app's products."""
    if company:
        looks, measures = "r_organization_social", "rw_organization_admin"
    else:
        looks, measures = "r_member_social", "r_member_postAnalytics"
    return {
        "scopes": sorted(granted),
        "can_look": looks in granted,
        "can_measure": measures in granted,
        "granted_at": now.isoformat(),
    }


def refresh(access: Access, now: dt.datetime) -> Renewed | Refused:
    """New access token where LinkedIn approved the app for it; else the person says yes again."""
    token = access.secrets.get("refresh_token")
    if not token or not access.app:
        return Refused("reconnect", permanent=False)
    found, why = _token(access.app, {"grant_type": "refresh_token", "refresh_token": token})
    if found is None:
        return Refused(f"reconnect: {why}", permanent=False)
    first = access.secrets.get("refresh_ends", "")
    secrets, expires_at, reconnect_by = _secrets({"refresh_token": token, **found}, now)
    if first:
        secrets["refresh_ends"], reconnect_by = first, dt.datetime.fromisoformat(first)
    return Renewed(secrets, expires_at, reconnect_by)


def revoke(access: Access) -> None:
    """Give the token back. Raises WireError."""
    if access.app:
        answer = _form(access.app, "revoke", {"token": access.secrets["access_token"]})
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise WireError(reason(answer))


def _secrets(
    found: Mapping[str, Any], now: dt.datetime
) -> tuple[dict[str, str], dt.datetime, dt.datetime]:
    """Secrets, the access token's end, and the day on which only a person can renew."""
    seconds = found.get("expires_in")
    usable = isinstance(seconds, int) and 0 < seconds < 10**8
    expires_at = now + (dt.timedelta(seconds=seconds or 0) if usable else _LIVES)
    secrets = {"access_token": str(found["access_token"])}
    if not isinstance(found.get("refresh_token"), str):
        return secrets, expires_at, expires_at
    # LinkedIn's own example states nonsense for refresh_token_expires_in; the prose says a year.
    ends = now + _REFRESH_LIVES
    secrets |= {"refresh_token": found["refresh_token"], "refresh_ends": ends.isoformat()}
    return secrets, expires_at, ends


def _token(app: App, fields: Mapping[str, str]) -> tuple[dict[str, Any] | None, str]:
    """Ask the token endpoint; None and the reason when it refuses what we presented."""
    answer = _form(app, "accessToken", fields)
    if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
        return None, reason(answer)
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    found = object_of(answer.json())
    if not isinstance(found.get("access_token"), str):
        message = "no access token in the answer"
        raise Garbled(message)
    return found, ""


def _form(app: App, name: str, fields: Mapping[str, str]) -> Answer:
    known = {"client_id": app.client_id, "client_secret": app.client_secret}
    return call(
        "POST",
        f"{app.host('www', WWW)}/oauth/v2/{name}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urllib.parse.urlencode({**fields, **known}).encode(),
        seconds=10,
    )


def _read(app: App, token: str, path: str) -> dict[str, Any]:
    """Read with a fresh token, patient with its false revocation. Raises WireError."""
    for pause in (*_PAUSES, None):
        answer = call(
            "GET", f"{app.host('api', API)}{path}", headers=headers(token, app), seconds=10
        )
        if answer.status == HTTPStatus.OK:
            return object_of(answer.json())
        if not falsely_revoked(answer) or pause is None:
            break
        time.sleep(pause)
    raise WireError(reason(answer))


def falsely_revoked(answer: Answer) -> bool:
    """Tell whether an answer is the 401 that LinkedIn gives fresh tokens by mistake, too."""
    if answer.status != HTTPStatus.UNAUTHORIZED:
        return False
    try:
        return object_of(answer.json()).get("serviceErrorCode") == FALSELY_REVOKED
    except Garbled:
        return False


def _member(app: App, token: str) -> Identity:
    """Whose token this is. Ids belong to our app: another app sees other ones."""
    if _community(app):
        found = _read(app, token, "/v2/me")
        remote_id = found.get("id")
        name = f"{found.get('localizedFirstName', '')} {found.get('localizedLastName', '')}"
    else:
        found = _read(app, token, "/v2/userinfo")
        remote_id, name = found.get("sub"), str(found.get("name") or "")
    known = proof(remote_id, None)
    shown = printable(name).strip()[:200] or "LinkedIn"
    vanity = found.get("vanityName")
    url = f"{WWW}/in/{urllib.parse.quote(vanity)}" if isinstance(vanity, str) else ""
    return Identity(f"urn:li:person:{known.remote_id}", shown, shown, url)


def _pages(app: App, token: str) -> list[Identity]:
    """The pages the member may speak for."""
    found = _read(app, token, "/rest/organizationAcls?q=roleAssignee&count=100")
    rows = found.get("elements")
    urns = {
        str(row.get("organization"))
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
        and row.get("role") in _SPEAKERS
        and row.get("state", "APPROVED") == "APPROVED"
    }
    pages = []
    for urn in sorted(urns)[:_MOST_PAGES]:
        number = urn.removeprefix("urn:li:organization:")
        if not number.isdigit():
            continue
        page = _read(app, token, f"/rest/organizations/{number}")
        name = printable(str(page.get("localizedName") or f"LinkedIn {number}"))[:200]
        pages.append(Identity(urn, name, name, f"{WWW}/company/{number}/"))
    return pages
