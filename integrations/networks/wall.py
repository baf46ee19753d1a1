"""The practice wall: our own small network for rehearsal, over HTTP like every other.

API: ``POST /wall/api/posts`` with a bearer token and ``Idempotency-Key``; ``GET`` the same by
``key`` or ``ids``; ``DELETE /wall/api/posts/<id>``.
"""

import datetime as dt
import json
from collections.abc import Sequence
from http import HTTPStatus

from integrations.wire import Answer, NotSent, PerhapsSent, WireError, call

from . import counting
from .abilities import Abilities, gettext_noop
from .answers import failed, proof
from .base import (
    Absent,
    Access,
    CannotTell,
    Figures,
    Network,
    Outgoing,
    Result,
    Sent,
    Unknown,
    Window,
)


class Wall(Network):
    """The internal network every ambassador has from the first day."""

    abilities = Abilities(
        name="wall",
        monogram="P",
        label=gettext_noop("Practice wall"),
        limit=500,
        unit="grapheme",
        url_length=None,
        pictures=1,
        picture_bytes=20_000_000,
        alt_limit=1500,
        idempotent=True,
        can_publish=True,
        can_look=True,
        can_measure=True,
        can_remove=True,
        counts=("likes", "reposts", "replies"),
        batch=100,
        quiet=5.0,
        threads=True,
        connect="own",
    )

    def length(self, text: str) -> int:
        """Count graphemes."""
        return counting.graphemes(text)

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Put the post on the wall; the same key again answers the same post."""
        body = {
            "text": post.text,
            "language": post.language,
            "link": post.link.url if post.link else "",
            "alt": "\n".join(picture.alt for picture in post.pictures),
            "reply_to": post.reply_to,
        }
        try:
            answer = call(
                "POST",
                f"{access.base_url}/wall/api/posts",
                headers={**self._headers(access), "Idempotency-Key": post.key},
                body=json.dumps(body).encode(),
                seconds=window.seconds,
                may_start=window.may_start,
                https_only=False,
            )
            if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
                return self._sent(answer)
        except NotSent:
            raise
        except PerhapsSent as error:
            return Unknown(str(error))
        return failed(answer, window.now)

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """Ask the wall for the key."""
        del since
        answer = self._get(access, f"key={post.key}")
        if answer.status == HTTPStatus.NOT_FOUND:
            return Absent()
        if answer.status != HTTPStatus.OK:
            return CannotTell(f"HTTP {answer.status}")
        return self._sent(answer)

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read likes, reposts and replies of own posts in one call."""
        answer = self._get(access, f"ids={','.join(remote_ids)}")
        if answer.status != HTTPStatus.OK:
            message = f"HTTP {answer.status}"
            raise WireError(message)
        return {key: Figures(**value) for key, value in answer.json().items()}

    def remove(self, remote_id: str, access: Access) -> Result:
        """Take a post off the wall."""
        answer = call(
            "DELETE",
            f"{access.base_url}/wall/api/posts/{remote_id}",
            headers=self._headers(access),
            seconds=10,
            https_only=False,
        )
        if answer.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND}:
            return Sent(remote_id, "")
        return failed(answer, None)

    def _get(self, access: Access, query: str) -> Answer:
        return call(
            "GET",
            f"{access.base_url}/wall/api/posts?{query}",
            headers=self._headers(access),
            seconds=10,
            https_only=False,
        )

    def _headers(self, access: Access) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {access.secrets['access_token']}",
            "Content-Type": "application/json",
        }

    def _sent(self, answer: Answer) -> Sent:
        found = answer.json()
        found = found if isinstance(found, dict) else {}
        return proof(found.get("id"), found.get("url"))
