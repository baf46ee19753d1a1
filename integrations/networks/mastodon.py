"""Mastodon and servers that speak its API. Facts: networks/mastodon.md (docs 4.5 to 4.7)."""

import datetime as dt
import html
import json
import re
import secrets
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled, NotSent, PerhapsSent, WireError, call

from . import counting
from .answers import failed
from .base import (
    Abilities,
    Absent,
    Access,
    CannotTell,
    Figures,
    Later,
    Outgoing,
    Picture,
    Refused,
    Result,
    Sent,
    Unknown,
    Window,
)

# The server remembers an Idempotency-Key for an hour; we trust fifty minutes of it.
KEY_LIVES = dt.timedelta(minutes=50)
_PATIENCE = 10.0
_LOOK_BACK = dt.timedelta(minutes=5)


class Mastodon:
    """One account type; every server is its own API host with its own limits."""

    abilities = Abilities(
        name="mastodon",
        label="Mastodon",
        limit=500,
        unit="grapheme",
        url_length=counting.SHORT_URL,
        pictures=4,
        picture_bytes=16_777_216,
        alt_limit=1500,
        idempotent=True,
        can_publish=True,
        can_look=True,
        can_measure=True,
        can_remove=True,
        counts=("likes", "reposts", "replies", "quotes"),
        batch=20,
        quiet=90.0,
    )

    def length(self, text: str, *, limits: Mapping[str, int] | None = None) -> int:
        """Graphemes; links count 23, remote mentions without their server."""
        per_url = (limits or {}).get("characters_reserved_per_url", counting.SHORT_URL)
        return counting.mastodon(text, per_url)

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Upload media, then post once with the delivery's key.

        A repeat with the same key within fifty minutes answers the first post. Later, or on a
        server that is not Mastodon itself, we look before we post again.
        """
        earlier = self._earlier(post, access, window.now)
        if earlier:
            return earlier
        end = time.monotonic() + window.seconds
        media: list[str] = []
        if post.picture:
            uploaded = self._upload(post.picture, access, end, window.now)
            if not isinstance(uploaded, str):
                return uploaded
            media = [uploaded]
        body: dict[str, Any] = {
            "status": post.text,
            "visibility": post.visibility,
            "language": post.language,
        }
        if media:
            body["media_ids"] = media
        if post.content_warning:
            body |= {"spoiler_text": post.content_warning, "sensitive": True}
        try:
            answer = call(
                "POST",
                f"{access.base_url}/api/v1/statuses",
                headers={**_headers(access), "Idempotency-Key": post.key},
                body=json.dumps(body).encode(),
                seconds=max(end - time.monotonic(), 0.1),
                may_start=window.may_start,
            )
            if answer.status == HTTPStatus.OK:
                return _sent(answer.json())
        except NotSent:
            raise
        except PerhapsSent as error:
            return Unknown(str(error))
        return self._refused(answer, window.now)

    def _earlier(self, post: Outgoing, access: Access, now: dt.datetime) -> Sent | Unknown | None:
        """What an earlier try left, where the key no longer protects us; None when nothing."""
        first = post.first_tried_at
        keyed = bool(access.features.get("real_mastodon", True))
        if first is None or (keyed and now - first <= KEY_LIVES):
            return None
        seen = self.look(post, access, first)
        if isinstance(seen, CannotTell):
            return Unknown(seen.why)
        return seen if isinstance(seen, Sent) else None

    def _refused(self, answer: Answer, now: dt.datetime) -> Result:
        """What an answer other than 200 means here."""
        result = failed(answer, now)
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and b"not finished" in answer.body:
            return Later("media still in processing", wait=10)
        if answer.status == HTTPStatus.FORBIDDEN:
            return Refused(result.why if isinstance(result, Refused) else "", permanent=False)
        return result

    def _upload(
        self, picture: Picture, access: Access, end: float, now: dt.datetime
    ) -> str | Result:
        """Upload one picture with its alternative text and wait until it is ready."""
        body, content_type = _multipart(picture, self.abilities.alt_limit)
        try:
            answer = call(
                "POST",
                f"{access.base_url}/api/v2/media",
                headers={**_headers(access), "Content-Type": content_type},
                body=body,
                seconds=max(end - time.monotonic(), 0.1),
            )
            if answer.status not in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
                result = failed(answer, now)
                return Later(result.why) if isinstance(result, Unknown) else result
            media_id = str(answer.json()["id"])
            while answer.status in {HTTPStatus.ACCEPTED, HTTPStatus.PARTIAL_CONTENT}:
                if end - time.monotonic() < _PATIENCE:
                    return Later("media still in processing", wait=15)
                time.sleep(0.5)
                answer = _get(access, f"/api/v1/media/{media_id}")
            if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
                return Refused("the server could not use the picture", permanent=True)
        except (WireError, KeyError, TypeError) as error:
            return Later(f"media: {error}")  # an orphaned upload is invisible
        return media_id

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """List own statuses since the first try and compare their source text."""
        answer = _get(
            access,
            f"/api/v1/accounts/{access.remote_account_id}/statuses?limit=40&exclude_reblogs=true",
        )
        if answer.status != HTTPStatus.OK:
            return CannotTell(f"HTTP {answer.status}")
        statuses = answer.json()
        if not isinstance(statuses, list):
            return CannotTell("no list")
        wanted = _squeeze(post.text)
        for status in statuses:
            created = dt.datetime.fromisoformat(status["created_at"])
            if created < since - _LOOK_BACK:
                break
            if str(status["id"]) in post.taken:
                continue
            if _squeeze(_plain(status.get("content", ""))) == wanted or (
                self._source(access, str(status["id"])) == post.text
            ):
                return _sent(status)
        return Absent()

    def _source(self, access: Access, status_id: str) -> str | None:
        answer = _get(access, f"/api/v1/statuses/{status_id}/source")
        return str(answer.json().get("text")) if answer.status == HTTPStatus.OK else None

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read up to twenty own posts in one call (4.3 and later), one by one before."""
        query = "&".join(f"id[]={urllib.parse.quote(i)}" for i in remote_ids)
        answer = _get(access, f"/api/v1/statuses?{query}")
        if answer.status == HTTPStatus.OK:
            statuses = answer.json()
        elif answer.status == HTTPStatus.NOT_FOUND:
            statuses = []
            for remote_id in remote_ids:
                one = _get(access, f"/api/v1/statuses/{urllib.parse.quote(remote_id)}")
                if one.status == HTTPStatus.OK:
                    statuses.append(one.json())
                elif one.status != HTTPStatus.NOT_FOUND:
                    raise WireError(f"HTTP {one.status}")
        else:
            message = f"HTTP {answer.status}"
            raise WireError(message)
        return {
            str(status["id"]): Figures(
                likes=status.get("favourites_count"),
                reposts=status.get("reblogs_count"),
                replies=status.get("replies_count"),
                quotes=status.get("quotes_count"),
            )
            for status in statuses
        }

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete a status; 404 means it is gone already."""
        answer = call(
            "DELETE",
            f"{access.base_url}/api/v1/statuses/{urllib.parse.quote(remote_id)}",
            headers=_headers(access),
            seconds=15,
        )
        if answer.status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
            return Sent(remote_id, "")
        return Refused(f"HTTP {answer.status}", permanent=True)

    def refresh(self, access: Access, now: dt.datetime) -> Refused:
        """Mastodon's tokens live until they are revoked."""
        del access, now
        return Refused("reconnect", permanent=False)


def _headers(access: Access) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {access.secrets['access_token']}",
        "Content-Type": "application/json",
    }


def _get(access: Access, path: str) -> Answer:
    return call("GET", f"{access.base_url}{path}", headers=_headers(access), seconds=10)


def _sent(status: Any) -> Sent:
    """Read id and link of a status; ``url`` may be null, then ``uri`` serves."""
    if not isinstance(status, dict) or not isinstance(status.get("id"), str) or not status["id"]:
        message = "no id in the answer"
        raise Garbled(message)
    return Sent(status["id"], str(status.get("url") or status.get("uri") or ""))


def _plain(content: str) -> str:
    """The text of a status' HTML, near enough to compare."""
    text = re.sub(r"<br\s*/?>|</p>\s*<p>", "\n", content)
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _multipart(picture: Picture, alt_limit: int) -> tuple[bytes, str]:
    """Encode one file and its description as multipart/form-data."""
    border = secrets.token_hex(16)
    parts = [
        (
            f'--{border}\r\nContent-Disposition: form-data; name="description"\r\n\r\n'
            f"{picture.alt[:alt_limit]}\r\n"
        ),
        (
            f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="picture"\r\n'
            f"Content-Type: {picture.media_type}\r\n\r\n"
        ),
    ]
    body = "".join(parts).encode() + picture.content + f"\r\n--{border}--\r\n".encode()
    return body, f"multipart/form-data; boundary={border}"
