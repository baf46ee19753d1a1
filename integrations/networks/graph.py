"""What the three Meta networks share: one kind of answer, of limit and of permission.

Facts: networks/facebook_pages.md §2, §5, §6; instagram.md §6; threads.md §2, §7.
"""

import datetime as dt
import json
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled, WireError, call

from . import answers
from .answers import count
from .base import (
    Absent,
    Access,
    App,
    CannotTell,
    Later,
    Outgoing,
    Refused,
    Remaining,
    Result,
    Sent,
    Unknown,
)

VERSION = "v25.0"  # of the Graph API, for Facebook and Instagram
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_LOOK_BACK = dt.timedelta(minutes=5)
_PAGES = 5  # of fifty own posts, before we say that we cannot tell
_PAUSE_AT = 80  # per cent of a limit; at 100 Meta refuses
_THROTTLED = {4, 17, 32, 341, 613, 1349125, *range(80000, 80015)}
_OF_THE_APP = 4
_TOKEN_ENDED = {102, 190}
_BLOCKED = 368
_NOT_FETCHED = 9004  # Meta could not get the picture from our address
_MISSING = (100, 33)  # code and subcode: no such object, or not for this token
# Why a token ended, in words for its person.
ENDED = {
    458: "Botschaft was removed in the account's settings there",
    459: "the network wants the person to sign in there first",
    460: "the password was changed",
    463: "the permission has run out",
    464: "the account is not confirmed there",
    467: "the permission was withdrawn",
}


class Stopped(WireError):
    """A step was not answered with what it is for; ``result`` says what that means."""

    def __init__(self, result: Result) -> None:
        super().__init__("" if isinstance(result, Sent) else result.why)
        self.result = result


# Asking and reading -------------------------------------------------------------------------


def ask(
    method: str,
    url: str,
    access: Access,
    fields: Mapping[str, str] | None = None,
    *,
    seconds: float = 10.0,
    may_start: Callable[[], None] | None = None,
) -> Answer:
    """Send one call; the fields go into the form of a POST and into the query otherwise.

    The token travels as a header, so that it is in no log of addresses.
    """
    query = urllib.parse.urlencode(fields or {})
    posted = method == "POST"
    headers = {"Authorization": f"Bearer {access.secrets['access_token']}"}
    return call(
        method,
        f"{url}?{query}" if query and not posted else url,
        headers=headers | (FORM if posted else {}),
        body=query.encode() if posted else None,
        seconds=seconds,
        may_start=may_start,
    )


def version(app: App | None) -> str:
    """The pinned version of the API; an older one than the oldest living is served silently."""
    return app.options.get("version", VERSION) if app else VERSION


def base(access: Access) -> str:
    """Where the versioned API begins."""
    return f"{access.base_url}/{version(access.app)}"


def node(base: str, remote_id: str) -> str:
    """The address of one object."""
    return f"{base}/{urllib.parse.quote(remote_id, safe='')}"


def read(answer: Answer, now: dt.datetime | None = None) -> dict[str, Any]:
    """The object of a successful answer. Raises :class:`Stopped` or Garbled."""
    if answer.status != HTTPStatus.OK:
        raise Stopped(failed(answer, now))
    found = answer.json()
    if not isinstance(found, dict):
        message = "this is not an object"
        raise Garbled(message)
    return found


def rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ``data`` of a list. Raises Garbled."""
    data = found.get("data")
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        message = "this is not a list"
        raise Garbled(message)
    return data


def created(answer: Answer, now: dt.datetime | None) -> str:
    """The id of what a call made. Raises :class:`Stopped` or Garbled."""
    return answers.proof(read(answer, now).get("id"), None).remote_id


def insights(found: Mapping[str, Any]) -> dict[str, int | None]:
    """Name and value of every metric in an insights answer. Raises Garbled."""
    metrics: dict[str, int | None] = {}
    for row in rows(found):
        values = row.get("values")
        first = values[0] if isinstance(values, list) and values else {}
        total = row.get("total_value")
        shown = first.get("value") if isinstance(first, dict) else None
        if shown is None and isinstance(total, dict):
            shown = total.get("value")
        metrics[str(row.get("name"))] = count(shown)
    return metrics


def granted(access: Access, scope: str) -> bool:
    """Tell whether the person granted a scope when they connected the account."""
    scopes = access.features.get("scopes")
    return isinstance(scopes, list | tuple) and scope in scopes


# What went wrong ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """Meta's own description of an error; code 0 when it gave none."""

    code: int
    subcode: int
    message: str
    transient: bool
    trace: str


def problem(answer: Answer) -> Problem:
    """Read the error of an answer, from the Graph envelope or the one of the token endpoints."""
    try:
        found = answer.json()
    except Garbled:
        found = None
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict):
        flat = found if isinstance(found, dict) else {}
        error = {"message": flat.get("error_message"), "code": flat.get("code")}
    message = error.get("error_user_msg") or error.get("message") or ""
    return Problem(
        code=count(error.get("code")) or 0,
        subcode=count(error.get("error_subcode")) or 0,
        message=answers.printable(str(message))[:250],
        transient=error.get("is_transient") is True,
        trace=answers.printable(str(error.get("fbtrace_id", "")))[:40],
    )


def reason(answer: Answer) -> str:
    """The network's own words, short."""
    message = problem(answer).message
    return f"{answer.status} {message}" if message else f"HTTP {answer.status}"


def missing(answer: Answer) -> bool:
    """Tell whether the answer says that there is no such object."""
    found = problem(answer)
    return (found.code, found.subcode) == _MISSING


def failed(answer: Answer, now: dt.datetime | None) -> Result:
    """The result of an answer that is not the success its caller knows.

    Meta answers 400 to nearly everything; the code decides (facebook_pages.md §6).
    """
    found, status, why = problem(answer), answer.status, reason(answer)
    detail = f"code {found.code}/{found.subcode} {found.trace}".strip() if found.code else ""
    if status < HTTPStatus.BAD_REQUEST or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answers.failed(answer, now)
    if status == HTTPStatus.REQUEST_TIMEOUT or found.code in {1, 2} or found.transient:
        return Unknown(why)
    asked_to_wait = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.TOO_EARLY}
    if asked_to_wait or found.code in _THROTTLED:
        usual = answers.wait_of(answer, now) if asked_to_wait and now else 900.0
        whose = "app" if found.code == _OF_THE_APP else "account"
        return Later(why, wait=regained(answer) or usual, whose=whose)
    if found.code in _TOKEN_ENDED or status == HTTPStatus.UNAUTHORIZED:
        return Refused(ENDED.get(found.subcode, why), permanent=False, detail=detail)
    if found.code == 10 or 200 <= found.code < 300 or found.code == _BLOCKED:
        return Refused(why, permanent=False, detail=detail)
    if found.code == _NOT_FETCHED:
        return Later(f"the picture could not be fetched from this server: {found.message}")
    return Refused(why, permanent=True, detail=detail)


def delete(url: str, access: Access, fields: Mapping[str, str], remote_id: str) -> Result:
    """Delete an object; one that is gone already is fine.

    "No such object" is also the answer to somebody who may not delete it, so then we read it.
    """
    answer = ask("DELETE", url, access, fields, seconds=15)
    if answer.status == HTTPStatus.OK:
        return Sent(remote_id, "")
    if missing(answer):
        still = ask("GET", url, access, {**fields, "fields": "id"})
        if still.status != HTTPStatus.OK and missing(still):
            return Sent(remote_id, "")
    return failed(answer, None)


# Limits -------------------------------------------------------------------------------------


def _usages(answer: Answer) -> Iterable[tuple[str, dict[str, Any]]]:
    """Every usage the headers tell, with whose it is. Garbage tells nothing."""
    for name, whose in (("x-app-usage", "app"), ("x-business-use-case-usage", "account")):
        try:
            found = json.loads(answer.headers.get(name, "null"))
        except (ValueError, RecursionError):
            continue
        if whose == "app":
            found = {"app": [found]}
        for used in found.values() if isinstance(found, dict) else ():
            for row in used if isinstance(used, list) else ():
                if isinstance(row, dict):
                    yield whose, row


def remaining(answer: Answer) -> list[Remaining]:
    """What the usage headers say, as calls left.

    They are percentages; we take one per cent for one call and stop at eighty, so that the rest
    is there for looking and measuring. The next answer says it anew, hence the short wait.
    """
    left: dict[str, Remaining] = {}
    for whose, row in _usages(answer):
        parts = [count(row.get(name)) for name in ("call_count", "total_time", "total_cputime")]
        used = max((part for part in parts if part is not None), default=0)
        over = used >= _PAUSE_AT
        wait = (count(row.get("estimated_time_to_regain_access")) or 5) * 60.0 if over else 60.0
        found = Remaining(whose, max(_PAUSE_AT - used, 0), min(wait, 86_400.0))
        known = left.get(whose)
        if known is None or (found.left, -found.wait) < (known.left, -known.wait):
            left[whose] = found
    return list(left.values())


def regained(answer: Answer) -> float | None:
    """Seconds until a throttled account may go on, where the headers say it (in minutes)."""
    minutes = [
        count(row.get("estimated_time_to_regain_access")) or 0 for _whose, row in _usages(answer)
    ]
    longest = max(minutes, default=0)
    return min(longest * 60.0, 86_400.0) if longest else None


# Looking ------------------------------------------------------------------------------------


def squeeze(text: object) -> str:
    """A text as it is compared: one blank for all white space, hashtags without their sign.

    Threads takes the sign off the first hashtag when it becomes the topic.
    """
    return " ".join(str(text or "").replace("#", "").split())


@dataclass(frozen=True, slots=True)
class Names:
    """What a network calls the text, time and address of a post in its lists."""

    text: str
    time: str
    link: str


def seek(
    url: str,
    access: Access,
    names: Names,
    post: Outgoing,
    since: dt.datetime,
    extra: Mapping[str, str] | None = None,
) -> Sent | Absent | CannotTell:
    """Search a list of own posts, newest first, for one with the same text.

    Absent only when every post since then was read. Raises WireError.
    """
    listed = f"id,{names.text},{names.time},{names.link}"
    fields = {"fields": listed, "limit": "50", **(extra or {})}
    wanted = squeeze(post.text)
    for _ in range(_PAGES):
        answer = ask("GET", url, access, fields)
        if answer.status != HTTPStatus.OK:
            return CannotTell(reason(answer))
        found = read(answer)
        page = rows(found)
        times = [moment(row.get(names.time)) for row in page]
        for row, made in zip(page, times, strict=True):
            recent = made >= since - _LOOK_BACK
            if (
                recent
                and row.get("id") not in post.taken
                and squeeze(row.get(names.text)) == wanted
            ):
                return answers.proof(row.get("id"), row.get(names.link))
        paging = found.get("paging")
        paging = paging if isinstance(paging, dict) else {}
        # A pinned post may stand first, so only a page of nothing but older ones is the end.
        if all(made < since - _LOOK_BACK for made in times) or "next" not in paging:
            return Absent()
        fields["after"] = str((paging.get("cursors") or {}).get("after", ""))
    return CannotTell("too many posts since")


def moment(text: object) -> dt.datetime:
    """A time like 2024-09-12T23:17:39+0000. Raises Garbled."""
    try:
        made = dt.datetime.fromisoformat(str(text))
    except ValueError as error:
        message = "a post without its time"
        raise Garbled(message) from error
    return made if made.tzinfo else made.replace(tzinfo=dt.UTC)
