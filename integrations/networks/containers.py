"""Posts in two steps: make a container, wait until it is ready, then publish it by its id.

Threads and Instagram do it alike (threads.md §3, instagram.md §3). The container is our proof: it
says PUBLISHED once it was, it can be published once only, and it ends after a day.
"""

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, NotSent, PerhapsSent, WireError

from . import answers, graph
from .base import (
    Absent,
    Access,
    CannotTell,
    Later,
    Outgoing,
    Refused,
    Remaining,
    Result,
    Sent,
    Unknown,
    Window,
)

_LIVES = dt.timedelta(hours=23)  # of twenty-four
_PAUSE = 1.0  # seconds between two looks at a container
_LONGEST = 12.0  # seconds of waiting in one prepare; then the post is put back
# Errors in processing that a new container may not have: Meta could not fetch or read it in time.
_PASSING = ("FAILED_DOWNLOADING", "FAILED_PROCESSING", "UNKNOWN", "2207003", "2207032",
            "2207052", "2207053", "2207001")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Yard:
    """Where an account of one network makes its containers, and what their state is called.

    ``listed`` searches the account's own posts since a moment for the one in hand. ``failed``
    reads refusals where the network has codes of its own; ``not_ready`` is the code of a refusal
    to publish that passes.
    """

    base: str
    account: str
    edge: str
    state: str
    why: str
    quota: str
    usage: str
    config: str
    listed: Callable[[dt.datetime], Sent | Absent | CannotTell]
    failed: Callable[[Answer, dt.datetime | None], Result] = graph.failed
    not_ready: int | None = None

    @property
    def url(self) -> str:
        """The address that makes them."""
        return f"{self.base}/{self.account}/{self.edge}"


def prepare(
    yard: Yard,
    access: Access,
    post: Outgoing,
    parts: Sequence[Mapping[str, str]],
    whole: Mapping[str, str],
    window: Window,
) -> Mapping[str, Any] | Later | Refused:
    """Make the container, or go on with the one from an earlier try.

    ``parts`` are the items of a carousel, ``whole`` the post itself. What comes back has
    ``ready`` (it may be published) and ``published`` (an earlier try did). When the container of
    an earlier try is gone, the post is made anew only if it is absent.
    """
    end = time.monotonic() + min(window.seconds, _LONGEST)
    try:
        standing = _standing(yard, access, post, window)
        if standing.get("published"):
            return standing
        if not standing:
            full = _quota(yard, access, window)
            if full:
                return full
            made = [_make(yard, access, part, window) for part in parts]
            standing = {"made_at": window.now.isoformat(), "parts": made, "container": ""}
        return _finish(yard, access, standing, whole, window, end)
    except graph.Stopped as stopped:
        return answers.not_applied(stopped.result)


def _standing(yard: Yard, access: Access, post: Outgoing, window: Window) -> dict[str, Any]:
    """What an earlier try left and still serves; empty when all is to be made anew."""
    kept = post.kept
    if "made_at" not in kept:
        return {}
    fresh = dt.datetime.fromisoformat(kept["made_at"]) > window.now - _LIVES
    if not kept["container"]:
        return dict(kept) if fresh else {}
    found = _state(yard, access, kept["container"])
    if found == "PUBLISHED" or (found == "GONE" and not _absent(yard, post)):
        return {**kept, "published": True, "ready": True}
    serves = found in {"FINISHED", "IN_PROGRESS"} and fresh
    return dict(kept) if serves else {}


def _absent(yard: Yard, post: Outgoing) -> bool:
    first = post.first_tried_at
    return first is None or isinstance(yard.listed(first), Absent)


def _finish(
    yard: Yard,
    access: Access,
    standing: dict[str, Any],
    whole: Mapping[str, str],
    window: Window,
    end: float,
) -> Mapping[str, Any] | Later | Refused:
    """Wait for the items, make the whole, wait for it."""
    for part in standing["parts"] if not standing["container"] else ():
        waited = _wait(yard, access, part, end)
        if waited is not True:
            return {**standing, "ready": False} if waited is False else waited
    if not standing["container"]:
        children = {"children": ",".join(standing["parts"])} if standing["parts"] else {}
        standing["container"] = _make(yard, access, {**whole, **children}, window)
    waited = _wait(yard, access, standing["container"], end)
    if isinstance(waited, Later | Refused):
        return waited
    return {**standing, "ready": waited}


def _make(yard: Yard, access: Access, fields: Mapping[str, str], window: Window) -> str:
    answer = graph.ask("POST", yard.url, access, fields, seconds=window.seconds)
    window.limits.extend(graph.remaining(answer))
    if answer.status != HTTPStatus.OK:
        raise graph.Stopped(yard.failed(answer, window.now))
    return graph.created(answer, window.now)


def _ask_state(yard: Yard, access: Access, container: str) -> tuple[str, str]:
    fields = {"fields": f"{yard.state},{yard.why}"}
    answer = graph.ask("GET", graph.node(yard.base, container), access, fields)
    if answer.status != HTTPStatus.OK and graph.missing(answer):
        return "GONE", ""
    found = graph.read(answer)
    return str(found.get(yard.state)), str(found.get(yard.why, ""))


def _state(yard: Yard, access: Access, container: str) -> str:
    """IN_PROGRESS, FINISHED, PUBLISHED, ERROR, EXPIRED, or GONE when there is none.

    Raises WireError.
    """
    return _ask_state(yard, access, container)[0]


def _published(yard: Yard, access: Access, container: str) -> bool:
    """Tell whether a container was published; in doubt it was not seen to be."""
    try:
        return _state(yard, access, container) == "PUBLISHED"
    except WireError:
        return False


def _wait(yard: Yard, access: Access, container: str, end: float) -> bool | Later | Refused:
    """Wait until a container is ready: True, or False when the time is over before."""
    while True:
        found, why = _ask_state(yard, access, container)
        if found == "FINISHED":
            return True
        if found != "IN_PROGRESS":
            told = answers.printable(why)[:200]
            if found == "ERROR" and not any(word in why for word in _PASSING):
                return Refused(f"the picture was not accepted: {told}", permanent=True)
            return Later(f"the picture could not be taken: {told or found}")
        if time.monotonic() + _PAUSE > end:
            return False
        time.sleep(_PAUSE)


def _quota(yard: Yard, access: Access, window: Window) -> Later | None:
    """Read how many posts the account has left; Later when it has none.

    The window slides over 24 hours, so an hour later there may be room.
    """
    fields = {"fields": f"{yard.usage},{yard.config}"}
    answer = graph.ask("GET", f"{yard.base}/{yard.account}/{yard.quota}", access, fields)
    found = graph.rows(graph.read(answer, window.now))
    row = found[0] if found else {}
    config = row.get(yard.config)
    total = answers.count(config.get("quota_total")) if isinstance(config, dict) else None
    used = answers.count(row.get(yard.usage))
    if total is None or used is None:
        return None
    window.limits.append(Remaining("account", max(total - used, 0), 3600.0))
    if used >= total:
        return Later(f"{used} posts in 24 hours are all this account may make", wait=3600.0)
    return None


# Publishing and looking ---------------------------------------------------------------------


def unreachable(post: Outgoing, label: str) -> str:
    """Say why the network cannot fetch the pictures; empty when it can."""
    if all(picture.url for picture in post.pictures):
        return ""
    return (
        f"{label} fetches pictures itself, and this installation has no public https address"
        " (SITE_URL). Copy the text and add the picture by hand."
    )


def publish(yard: Yard, access: Access, post: Outgoing, window: Window) -> Result:
    """Publish the container. It can be published once only, so a repeat cannot double it."""
    if post.kept.get("published"):
        return _found(yard, post.first_tried_at or window.now)
    if not post.kept.get("ready"):
        return Later("the picture is still in processing")
    container = post.kept["container"]
    try:
        answer = graph.ask(
            "POST",
            f"{yard.url}_publish",
            access,
            {"creation_id": container},
            seconds=window.seconds,
            may_start=window.may_start,
        )
        window.limits.extend(graph.remaining(answer))
        if answer.status == HTTPStatus.OK:
            return Sent(graph.created(answer, window.now), "")
    except NotSent:
        raise
    except PerhapsSent as error:
        return Unknown(str(error))
    result = yard.failed(answer, window.now)
    if graph.problem(answer).code == yard.not_ready:
        result = Later(graph.reason(answer))
    again = post.first_tried_at and isinstance(result, Later | Refused)
    if again and _published(yard, access, container):
        return Unknown("an earlier try has published it", look_after=5)
    return result


def _found(yard: Yard, since: dt.datetime) -> Sent | Unknown:
    """Find what an earlier try has published, as its container says."""
    try:
        seen = yard.listed(since)
    except WireError as error:
        return Unknown(str(error))
    return seen if isinstance(seen, Sent) else Unknown("it is published, but not listed yet")


def look(
    yard: Yard, access: Access, post: Outgoing, since: dt.datetime
) -> Sent | Absent | CannotTell:
    """Ask the container whether it was published, and the list only for which post it became.

    Without a container only the list can say. Raises WireError.
    """
    container = post.kept.get("container")
    found = _state(yard, access, container) if container else ""
    if found in {"FINISHED", "EXPIRED", "ERROR"}:
        return Absent()
    seen = yard.listed(since)
    if found == "PUBLISHED" and not isinstance(seen, Sent):
        message = "it is published, but not listed yet"  # so look again later
        raise WireError(message)
    return seen
