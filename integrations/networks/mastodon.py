"""Mastodon and servers that speak its API. Facts: networks/mastodon.md (docs 4.5 to 4.7)."""

import datetime as dt
import html
import json
import re
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled, NotSent, PerhapsSent, WireError, call

from . import counting, mastodon_connect
from .abilities import Abilities, gettext_noop
from .answers import Reply, answered, count, failed, not_applied, proof, reason, remaining
from .base import (
    CLIENT_NAME,
    Absent,
    Access,
    App,
    CannotTell,
    Departure,
    Figures,
    Grant,
    Later,
    Network,
    Outgoing,
    Picture,
    Refused,
    Result,
    Sent,
    Trip,
    Unknown,
    Window,
)
from .multipart import multipart

# The server remembers an Idempotency-Key for an hour; we trust fifty minutes of it.
KEY_LIVES = dt.timedelta(minutes=50)
_PATIENCE = 10.0
_LOOK_BACK = dt.timedelta(minutes=5)
_LOOK_SECONDS = 20.0  # for a whole look; a server can make every page slow
_PAGES = 5  # of forty own statuses, before we say that we cannot tell


class Mastodon(Network):
    """One account type; every server is its own API host with its own limits."""

    abilities = Abilities(
        name="mastodon",
        monogram="m",
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
        can_converse=True,
        can_edit=True,
        can_remove=True,
        counts=("likes", "reposts", "replies", "quotes"),
        batch=20,
        quiet=90.0,
        threads=True,
        warnings=True,
        visibilities=("public", "unlisted", "private"),
        connect="oauth",
        for_whom=("person", "company"),
        pitch=gettext_noop("You say yes at your own server. It holds until you end it."),
        asks_for="server",
    )

    def length(self, text: str) -> int:
        """Graphemes; links count 23, remote mentions without their server."""
        return counting.mastodon(text)

    def prepare(
        self, post: Outgoing, access: Access, window: Window
    ) -> Mapping[str, Any] | Later | Refused:
        """Upload the pictures with their alternative texts and wait until they are ready.

        Servers forget unattached media after about a day, so they are uploaded anew after an hour.
        """
        obstacle = self._too_much(post, access)
        if obstacle:
            return Refused(obstacle, permanent=True)
        fresh = window.now - dt.timedelta(hours=1)
        if "media" in post.kept and dt.datetime.fromisoformat(post.kept["uploaded_at"]) > fresh:
            return post.kept
        end = time.monotonic() + window.seconds
        media: list[str] = []
        for picture in post.pictures:
            uploaded = self._upload(picture, access, end, window.now)
            if not isinstance(uploaded, str):
                return uploaded
            media.append(uploaded)
        return {"media": media, "uploaded_at": window.now.isoformat()} if media else {}

    def _too_much(self, post: Outgoing, access: Access) -> str:
        """What this server takes less of than the post has; empty when it takes everything."""
        if len(post.pictures) > _limit(access, "max_media_attachments", self.abilities.pictures):
            return "more pictures than this server takes"
        most = _limit(access, "image_size_limit", self.abilities.picture_bytes)
        pixels = _limit(access, "image_matrix_limit", 33_177_600)
        for picture in post.pictures:
            if len(picture.content) > most or picture.width * picture.height > pixels:
                return "the picture is larger than this server takes"
        return ""

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Post once with the delivery's key.

        A repeat with the same key within fifty minutes answers the first post. Later, or on a
        server that is not Mastodon itself, we look before we post again.
        """
        earlier = self._earlier(post, access, window.now)
        if earlier:
            return earlier
        body: dict[str, Any] = {
            "status": post.text,
            "visibility": post.visibility,
            "language": post.language,
        }
        if media := post.kept.get("media"):
            body["media_ids"] = media
        if post.reply_to:
            body["in_reply_to_id"] = post.reply_to
        if post.content_warning:
            body |= {"spoiler_text": post.content_warning, "sensitive": True}
        try:
            answer = call(
                "POST",
                f"{access.base_url}/api/v1/statuses",
                headers={**_headers(access), "Idempotency-Key": post.key},
                body=json.dumps(body).encode(),
                seconds=window.seconds,
                may_start=window.may_start,
            )
            window.limits.extend(remaining(answer, window.now))
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

    def _refused(self, answer: Answer, now: dt.datetime | None) -> Result:
        """What an answer other than 200 means here."""
        result = failed(answer, now)
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and b"not finished" in answer.body:
            return Later("media still in processing", wait=10)
        if answer.status == HTTPStatus.FORBIDDEN:
            return Refused(result.why if isinstance(result, Refused) else "", permanent=False)
        return result

    def _upload(
        self, picture: Picture, access: Access, end: float, now: dt.datetime
    ) -> str | Later | Refused:
        """Upload one picture with its alternative text and wait until it is ready."""
        longest = _limit(access, "description_limit", self.abilities.alt_limit)
        fields = {"description": picture.alt[:longest]}
        body, content_type = multipart(fields, "file", picture)
        try:
            answer = call(
                "POST",
                f"{access.base_url}/api/v2/media",
                headers={**_headers(access), "Content-Type": content_type},
                body=body,
                seconds=max(end - time.monotonic(), 0.1),
            )
            if answer.status not in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
                return not_applied(self._refused(answer, now))
            media_id = proof(answer.json()["id"], None).remote_id
            while answer.status in {HTTPStatus.ACCEPTED, HTTPStatus.PARTIAL_CONTENT}:
                if end - time.monotonic() < _PATIENCE:
                    return Later("media still in processing", wait=15)
                time.sleep(0.5)
                answer = _get(access, f"/api/v1/media/{urllib.parse.quote(media_id, safe='')}")
            if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
                return Refused("the server could not use the picture", permanent=True)
            if answer.status != HTTPStatus.OK:
                return Later(f"media: {reason(answer)}")
        except NotSent:
            raise
        except (WireError, KeyError, TypeError) as error:
            return Later(f"media: {error}")  # an orphaned upload is invisible
        return media_id

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """List own statuses since the first try and compare their source text.

        Absent only when every status since then was read: a page too few or a source we may not
        read would make a second post out of a guess.
        """
        unread, last, end = False, "", time.monotonic() + _LOOK_SECONDS
        for _ in range(_PAGES):
            query = f"limit=40&exclude_reblogs=true{last and f'&max_id={last}'}"
            answer = _get(access, f"/api/v1/accounts/{access.remote_account_id}/statuses?{query}")
            if answer.status != HTTPStatus.OK:
                return CannotTell(reason(answer))
            page = _statuses(answer)
            for status in page:
                if _created(status) < since - _LOOK_BACK:
                    return CannotTell("some posts cannot be read") if unread else Absent()
                if time.monotonic() > end:
                    message = "the server is too slow to look at"
                    raise WireError(message)
                ours = self._ours(status, post, access)
                if ours:
                    return _sent(status)
                unread = unread or ours is None
            if not page:
                return CannotTell("some posts cannot be read") if unread else Absent()
            last = urllib.parse.quote(page[-1]["id"], safe="")
        return CannotTell("too many posts since")

    def _ours(self, status: dict[str, Any], post: Outgoing, access: Access) -> bool | None:
        """Tell whether a status is this post; None when its text cannot be read."""
        client = status.get("application") or {}
        if status["id"] in post.taken or client.get("name", CLIENT_NAME) != CLIENT_NAME:
            return False
        wanted, shown = _squeeze(post.text), _squeeze(_plain(str(status.get("content", ""))))
        if shown == wanted:
            return True
        quoted = urllib.parse.quote(status["id"], safe="")
        answer = _get(access, f"/api/v1/statuses/{quoted}/source")
        if answer.status == HTTPStatus.OK:
            source = answer.json()
            text = source.get("text") if isinstance(source, dict) else None
            return _squeeze(text) == wanted if isinstance(text, str) else None
        if answer.status == HTTPStatus.NOT_FOUND:  # a server without sources: as it is shown
            return shown == counting.without_servers(wanted)
        return None

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read up to twenty own posts in one call (4.3 and later), one by one before."""
        query = "&".join(f"id[]={urllib.parse.quote(i, safe='')}" for i in remote_ids)
        answer = _get(access, f"/api/v1/statuses?{query}")
        if answer.status == HTTPStatus.NOT_FOUND:
            statuses = [one for i in remote_ids if (one := self._one(i, access))]
        elif answer.status == HTTPStatus.OK:
            statuses = _statuses(answer)
        else:
            raise WireError(reason(answer))
        return {
            status["id"]: Figures(
                likes=count(status.get("favourites_count")),
                reposts=count(status.get("reblogs_count")),
                replies=count(status.get("replies_count")),
                quotes=count(status.get("quotes_count")),
            )
            for status in statuses
        }

    def _one(self, remote_id: str, access: Access) -> dict[str, Any] | None:
        """Read one status; None when it is gone."""
        answer = _get(access, f"/api/v1/statuses/{urllib.parse.quote(remote_id, safe='')}")
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return None
        if answer.status != HTTPStatus.OK:
            raise WireError(reason(answer))
        return _status(answer.json())

    def conversations(self, remote_id: str, access: Access) -> int:
        """Count answered replies among what the server knows below the status."""
        answer = _get(access, f"/api/v1/statuses/{urllib.parse.quote(remote_id, safe='')}/context")
        if answer.status != HTTPStatus.OK:
            raise WireError(reason(answer))
        found = answer.json()
        below = found.get("descendants") if isinstance(found, dict) else None
        if not isinstance(below, list):
            message = "this is no context"
            raise Garbled(message)
        known = {remote_id: Reply(access.remote_account_id)}
        for status in map(_status, below):
            if status["id"] in known:  # else answers could go round in a circle
                message = "a post stands twice in one context"
                raise Garbled(message)
            author = status.get("account")
            known[status["id"]] = Reply(str(author.get("id")) if isinstance(author, dict) else "")
        for status in below:
            above = known.get(str(status.get("in_reply_to_id")))
            if above:
                above.replies.append(known[status["id"]])
        return answered(known[remote_id].replies, access.remote_account_id)

    def edit(self, remote_id: str, text: str, access: Access) -> Result:
        """Replace the text; pictures, warning and language must be sent again or they go."""
        current = self._one(remote_id, access)
        if current is None:
            return Refused("the post is gone", permanent=True)
        media = current.get("media_attachments") or []
        if not isinstance(media, list) or not all(
            isinstance(row, dict) and isinstance(row.get("id"), str) for row in media
        ):
            message = "these are no pictures of a status"
            raise Garbled(message)
        body = {
            "status": text,
            "spoiler_text": str(current.get("spoiler_text") or ""),
            "sensitive": bool(current.get("sensitive")),
            "media_ids": [row["id"] for row in media],
        }
        if isinstance(current.get("language"), str):
            body["language"] = current["language"]
        answer = call(
            "PUT",
            f"{access.base_url}/api/v1/statuses/{urllib.parse.quote(remote_id, safe='')}",
            headers=_headers(access),
            body=json.dumps(body).encode(),
            seconds=15,
        )
        if answer.status == HTTPStatus.OK:
            return _sent(answer.json())
        return self._refused(answer, None)

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete a status; 404 means it is gone already."""
        answer = call(
            "DELETE",
            f"{access.base_url}/api/v1/statuses/{urllib.parse.quote(remote_id, safe='')}",
            headers=_headers(access),
            seconds=15,
        )
        if answer.status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return Sent(remote_id, "")
        return failed(answer, None)

    def register(self, base_url: str, *, redirect_uri: str, website: str) -> App:
        """Register Botschaft at this server."""
        return mastodon_connect.register(base_url, redirect_uri=redirect_uri, website=website)

    def depart(self, trip: Trip) -> Departure:
        """Where the person says yes."""
        return mastodon_connect.depart(trip)

    def arrive(self, trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> list[Grant]:
        """Trade the code for a token that does not end."""
        del now
        return [mastodon_connect.arrive(trip, answer)]

    def revoke(self, access: Access) -> None:
        """Give the token back."""
        mastodon_connect.revoke(access)


def _limit(access: Access, name: str, usual: int) -> int:
    """A limit of the account's server as it was when the account was connected."""
    found = access.features.get(name)
    return found if isinstance(found, int) else usual


def _headers(access: Access) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {access.secrets['access_token']}",
        "Content-Type": "application/json",
    }


def _get(access: Access, path: str) -> Answer:
    return call("GET", f"{access.base_url}{path}", headers=_headers(access), seconds=10)


def _status(found: Any) -> dict[str, Any]:
    """One status with the fields we rely on in their types. Raises Garbled."""
    if not (
        isinstance(found, dict)
        and isinstance(found.get("id"), str)
        and isinstance(found.get("application") or {}, dict)
    ):
        message = "this is not a status"
        raise Garbled(message)
    return found


def _statuses(answer: Answer) -> list[dict[str, Any]]:
    """Read a list of statuses. Raises Garbled."""
    found = answer.json()
    if not isinstance(found, list):
        message = "this is not a list of statuses"
        raise Garbled(message)
    return [_status(status) for status in found]


def _created(status: dict[str, Any]) -> dt.datetime:
    """When a status was made, as its server says. Raises Garbled."""
    try:
        made = dt.datetime.fromisoformat(status["created_at"])
    except (KeyError, TypeError, ValueError) as error:
        message = "a status without its time"
        raise Garbled(message) from error
    return made if made.tzinfo else made.replace(tzinfo=dt.UTC)


def _sent(status: Any) -> Sent:
    """Read id and link of a status; ``url`` may be null, then ``uri`` serves."""
    found = status if isinstance(status, dict) else {}
    return proof(found.get("id"), found.get("url") or found.get("uri"))


def _plain(content: str) -> str:
    """The text of a status' HTML, near enough to compare."""
    text = re.sub(r"<br\s*/?>|</p>\s*<p>", "\n", content)
    return html.unescape(re.sub(r"<[^<>]+>", "", text))


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
