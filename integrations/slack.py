"""Slack's Web API as far as a bot needs it: who am I, find a person, post, change a post.

A post is answered by one of four results, like a network's. Facts (docs.slack.dev):
errors come as HTTP 200 with ``ok: false``, limits as 429 with Retry-After; one message a second to
a channel; ``users.lookupByEmail`` takes a query, not JSON; blocks of one message end at about
13,000 characters (``msg_blocks_too_long``, found by users, not documented).
"""

import datetime as dt
import json
import urllib.parse
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings

from .networks.answers import failed, object_of, printable, proof
from .networks.base import Later, Refused, Result, Unknown
from .wire import Answer, NotSent, WireError, call

MOST_CHARACTERS = 12_000  # of blocks, as JSON
SECONDS = 10.0
_BUSY = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
# Slack says of these that some of it may have happened.
_UNCLEAR = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
# The app itself is at fault; an administrator must act.
_APP = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "no_permission",
        "org_login_required",
        "ekm_access_denied",
        "access_denied",
        "not_allowed_token_type",
        "enterprise_is_restricted",
        "team_access_not_granted",
        "accesslimited",
    }
)
# The person there is gone or cannot be written to.
_NOBODY = frozenset(
    {
        "user_not_found",
        "users_not_found",
        "user_disabled",
        "cannot_dm_bot",
        "messages_tab_disabled",
        "channel_not_found",
        "user_not_visible",
        "is_archived",
    }
)


def post(token: str, channel: str, message: Mapping[str, Any], *, now: dt.datetime) -> Result:
    """Write to a channel or, by their id, to a person; ``remote_id`` is Slack's ``ts``."""
    return _write("chat.postMessage", token, {"channel": channel, **message}, now)


def change(
    token: str, channel: str, written: str, message: Mapping[str, Any], *, now: dt.datetime
) -> Result:
    """Replace a message of ours. The same twice changes nothing more."""
    return _write("chat.update", token, {"channel": channel, "ts": written, **message}, now)


def find(token: str, email: str, *, now: dt.datetime) -> Result:
    """Slack's id of the person with an address, as ``remote_id``."""
    return _ask("users.lookupByEmail", token, {"email": email}, ("user", "id"), now)


def whose(token: str, *, now: dt.datetime) -> Result:
    """Tell whether a token works; ``remote_id`` is its workspace."""
    return _ask("auth.test", token, {}, ("team_id",), now)


def nobody(result: Result) -> bool:
    """Tell whether a refusal is about the person: not there, or not to be written to."""
    return isinstance(result, Refused) and result.detail in _NOBODY


def _ask(
    method: str, token: str, query: Mapping[str, str], path: tuple[str, ...], now: dt.datetime
) -> Result:
    tail = f"?{urllib.parse.urlencode(query)}" if query else ""
    return _send("GET", method + tail, token, None, path, now)


def _write(method: str, token: str, body: Mapping[str, Any], now: dt.datetime) -> Result:
    plain = {"unfurl_links": False, "unfurl_media": False, **body}
    if method == "chat.update":
        plain = dict(body)
    return _send("POST", method, token, json.dumps(plain).encode(), ("ts",), now)


def _send(
    verb: str, method: str, token: str, body: bytes | None, path: tuple[str, ...], now: dt.datetime
) -> Result:
    headers = {"Authorization": f"Bearer {token}"}
    if body is not None:
        headers["Content-Type"] = "application/json; charset=utf-8"
    try:
        answer = call(
            verb, f"{settings.SLACK_API_URL}/{method}", headers=headers, body=body, seconds=SECONDS
        )
        return _result(answer, path, now)
    except NotSent as error:
        return Later(str(error))
    except WireError as error:
        return Unknown(str(error))


def _result(answer: Answer, path: tuple[str, ...], now: dt.datetime) -> Result:
    """Judge an answer. Raises :class:`integrations.wire.Garbled`."""
    if answer.status != HTTPStatus.OK:
        return failed(answer, now)
    said = object_of(answer.json())
    if said.get("ok") is True:
        found: Any = said
        for name in path:
            found = object_of(found).get(name)
        return proof(found, "")
    error = printable(str(said.get("error") or ""))[:60]
    if error in _BUSY:
        return Later(error, wait=60.0)
    if error in _UNCLEAR or not error:
        return Unknown(error or "no clear answer")
    if error in _APP:
        return Refused(error, permanent=False, detail=error, whose="app")
    return Refused(error, permanent=True, detail=error)
