"""Bluesky over the AT Protocol. Facts: networks/bluesky.md (lexicons at @d6296a1c)."""

import base64
import datetime as dt
import json
import os
import re
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled, NotSent, PerhapsSent, WireError, call

from . import counting
from .answers import failed, proof, reason
from .base import (
    Abilities,
    Absent,
    Access,
    CannotTell,
    Figures,
    Identity,
    Later,
    Network,
    NotConnected,
    Outgoing,
    Picture,
    Refused,
    Renewed,
    Result,
    Sent,
    Unknown,
    Window,
)
from .bluesky_text import facets

COLLECTION = "app.bsky.feed.post"
ENTRYWAY = "https://bsky.social"
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
APP_PASSWORD = re.compile(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}")
# A repeat this long after the first try looks first: a person may have deleted the post.
_LOOK_FIRST_AFTER = dt.timedelta(minutes=10)


def make_tid(micros: int, clock_id: int) -> str:
    """A TID: 53 bits of microseconds and 10 of a clock id, in sortable base 32."""
    number = ((micros & ((1 << 53) - 1)) << 10) | (clock_id & 0x3FF)
    return "".join(_SORTABLE[(number >> shift) & 31] for shift in range(60, -1, -5))


class Bluesky(Network):
    """One account type, any PDS. The record key is ours, so putting again is safe for ever."""

    abilities = Abilities(
        name="bluesky",
        label="Bluesky",
        limit=300,
        unit="grapheme",
        url_length=None,
        byte_limit=3000,
        pictures=4,
        picture_bytes=2_000_000,
        alt_limit=2000,
        idempotent=True,
        can_publish=True,
        can_look=True,
        can_measure=True,
        can_remove=True,
        counts=("likes", "reposts", "replies", "quotes"),
        batch=25,
        quiet=5.0,
        threads=True,
        public_figures=True,
        connect="oauth",
        for_whom=("person", "company"),
        intent_url="https://bsky.app/intent/compose?text={text}",
    )

    def length(self, text: str, *, limits: Mapping[str, int] | None = None) -> int:
        """Count graphemes; links count in full."""
        del limits
        return counting.graphemes(text)

    def prepare(
        self, post: Outgoing, access: Access, window: Window
    ) -> Mapping[str, Any] | Later | Refused:
        """Upload the pictures and resolve mentions.

        Mentions are resolved once: a later answer would change the record, and putting it again
        would not be the same call. Blobs are uploaded before each try; equal bytes are equal.
        """
        end = time.monotonic() + window.seconds
        blobs: list[dict[str, Any]] = []
        for picture in post.pictures:
            uploaded = self._upload(picture, access, end, window.now)
            if not isinstance(uploaded, dict):
                return uploaded
            blobs.append(uploaded)
        found = post.kept.get("facets")
        if found is None:
            found = facets(post.text, lambda handle: self._resolve(handle, access))
        return {"facets": found, "blobs": blobs}

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Put the record under the key fixed at approval.

        ``swapRecord: null`` lets the record be made only if the key is free; an identical record
        is a no-op 200. So a repeat after an ambiguous answer is simply the same call again.
        """
        first = post.first_tried_at
        if first and window.now - first > _LOOK_FIRST_AFTER:
            seen = self.look(post, access, first)
            if isinstance(seen, Sent):
                return seen
            if isinstance(seen, CannotTell):
                return Unknown(seen.why, look_after=300)
            return Unknown("absent long after the first try", ask=True)
        body = {
            "repo": access.remote_account_id,
            "collection": COLLECTION,
            "rkey": post.rkey,
            "validate": True,
            "record": self.record(post),
            "swapRecord": None,
        }
        try:
            answer = call(
                "POST",
                f"{access.base_url}/xrpc/com.atproto.repo.putRecord",
                headers=_headers(access),
                body=json.dumps(body).encode(),
                seconds=window.seconds,
                may_start=window.may_start,
            )
            if answer.status == HTTPStatus.OK:
                return _sent(answer.json(), access)
        except NotSent:
            raise
        except PerhapsSent as error:
            return Unknown(str(error), look_after=5)
        return _not_put(answer, window.now)

    def record(self, post: Outgoing) -> dict[str, Any]:
        """The record, byte-equal on every try."""
        written = post.written_at.astimezone(dt.UTC)
        record: dict[str, Any] = {
            "$type": COLLECTION,
            "text": post.text,
            "createdAt": written.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "langs": [post.language],
        }
        if found := post.kept.get("facets"):
            record["facets"] = found
        if blobs := post.kept.get("blobs"):
            images = [
                {
                    "alt": picture.alt,
                    "image": blob,
                    "aspectRatio": {"width": picture.width, "height": picture.height},
                }
                for picture, blob in zip(post.pictures, blobs, strict=True)
            ]
            record["embed"] = {"$type": "app.bsky.embed.images", "images": images}
        elif post.link and post.link.title:
            record["embed"] = {
                "$type": "app.bsky.embed.external",
                "external": {
                    "uri": post.link.url,
                    "title": post.link.title,
                    "description": post.link.description,
                },
            }
        return record

    def _resolve(self, handle: str, access: Access) -> str | None:
        try:
            return resolve_handle(handle, access.base_url)
        except WireError:
            return None

    def _upload(
        self, picture: Picture, access: Access, end: float, now: dt.datetime
    ) -> dict[str, Any] | Later | Refused:
        """Upload a blob; the same bytes give the same reference."""
        try:
            answer = call(
                "POST",
                f"{access.base_url}/xrpc/com.atproto.repo.uploadBlob",
                headers={**_headers(access), "Content-Type": picture.media_type},
                body=picture.content,
                seconds=max(end - time.monotonic(), 0.1),
            )
            if answer.status == HTTPStatus.OK:
                blob: dict[str, Any] = answer.json()["blob"]
                return blob
        except (WireError, KeyError, TypeError) as error:
            return Later(f"picture: {error}")  # unreferenced blobs are collected by the server
        result = _not_put(answer, now)
        return result if isinstance(result, Later | Refused) else Later(reason(answer))

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """Read our own key."""
        del since
        query = urllib.parse.urlencode(
            {"repo": access.remote_account_id, "collection": COLLECTION, "rkey": post.rkey}
        )
        answer = call(
            "GET", f"{access.base_url}/xrpc/com.atproto.repo.getRecord?{query}", seconds=10
        )
        if answer.status == HTTPStatus.OK:
            return _sent(answer.json(), access)
        if answer.status == HTTPStatus.BAD_REQUEST and _error(answer) == "RecordNotFound":
            return Absent()
        return CannotTell(reason(answer))

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read up to 25 posts in one call of the public AppView, without an account."""
        del access
        base = os.environ.get("BLUESKY_APPVIEW_URL", "https://public.api.bsky.app")
        query = urllib.parse.urlencode([("uris", uri) for uri in remote_ids])
        answer = call("GET", f"{base}/xrpc/app.bsky.feed.getPosts?{query}", seconds=10)
        if answer.status != HTTPStatus.OK:
            raise WireError(reason(answer))
        return {
            post["uri"]: Figures(
                likes=post.get("likeCount", 0),
                reposts=post.get("repostCount", 0),
                replies=post.get("replyCount", 0),
                quotes=post.get("quoteCount", 0),
            )
            for post in answer.json().get("posts", [])
        }

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete the record; absent already is fine."""
        body = {
            "repo": access.remote_account_id,
            "collection": COLLECTION,
            "rkey": remote_id.rsplit("/", 1)[-1],
        }
        answer = call(
            "POST",
            f"{access.base_url}/xrpc/com.atproto.repo.deleteRecord",
            headers=_headers(access),
            body=json.dumps(body).encode(),
            seconds=15,
        )
        if answer.status == HTTPStatus.OK:
            return Sent(remote_id, "")
        return Refused(reason(answer), permanent=True)

    def refresh(self, access: Access, now: dt.datetime) -> Renewed | Refused:
        """Trade the refresh token for a new pair; it rotates, the old one lives two hours more."""
        del now
        answer = call(
            "POST",
            f"{access.base_url}/xrpc/com.atproto.server.refreshSession",
            headers={"Authorization": f"Bearer {access.secrets['refresh_token']}"},
            seconds=5,
        )
        if answer.status != HTTPStatus.OK:
            if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return Refused(reason(answer), permanent=False)
            raise WireError(reason(answer))
        return Renewed(*session_secrets(answer.json()))


# Connecting ---------------------------------------------------------------------------------


def resolve_handle(handle: str, base_url: str) -> str:
    """The DID of a handle, asked of a PDS or AppView. Raises WireError."""
    query = urllib.parse.urlencode({"handle": handle})
    answer = call("GET", f"{base_url}/xrpc/com.atproto.identity.resolveHandle?{query}", seconds=10)
    did = answer.json().get("did") if answer.status == HTTPStatus.OK else None
    if not isinstance(did, str):
        raise WireError(reason(answer))
    return did


def sign_in(
    *, handle: str, password: str, base_url: str = ENTRYWAY
) -> tuple[Identity, str, dict[str, str], dt.datetime | None]:
    """Open a session with an app password: identity, PDS address, secrets, their end.

    Raises :class:`NotConnected` or WireError.
    """
    if not APP_PASSWORD.fullmatch(password):
        message = "not an app password"
        raise NotConnected(message)
    answer = call(
        "POST",
        f"{base_url}/xrpc/com.atproto.server.createSession",
        headers={"Content-Type": "application/json"},
        body=json.dumps({"identifier": handle.lstrip("@"), "password": password}).encode(),
        seconds=10,
    )
    if answer.status != HTTPStatus.OK:
        raise NotConnected(reason(answer))
    found = answer.json()
    secrets, expires_at = session_secrets(found)
    identity = Identity(
        remote_id=str(found["did"]),
        handle=f"@{found['handle']}",
        display_name=str(found["handle"]),
        url=f"https://bsky.app/profile/{found['did']}",
    )
    return identity, _pds(found) or base_url, secrets, expires_at


def session_secrets(session: Mapping[str, Any]) -> tuple[dict[str, str], dt.datetime | None]:
    """The pair of a session and when its access token ends (read from the JWT)."""
    secrets = {
        "access_token": str(session["accessJwt"]),
        "refresh_token": str(session["refreshJwt"]),
    }
    return secrets, _expiry(secrets["access_token"])


def _expiry(jwt: str) -> dt.datetime | None:
    try:
        part = jwt.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return dt.datetime.fromtimestamp(int(claims["exp"]), dt.UTC)
    except (IndexError, ValueError, KeyError, TypeError):
        return None


def _pds(session: Mapping[str, Any]) -> str | None:
    """The account's own server, from the DID document the session carries."""
    for service in (session.get("didDoc") or {}).get("service", []):
        if str(service.get("id", "")).endswith("#atproto_pds"):
            return str(service["serviceEndpoint"]).rstrip("/")
    return None


def _headers(access: Access) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {access.secrets['access_token']}",
        "Content-Type": "application/json",
    }


def _error(answer: Answer) -> str:
    try:
        found = answer.json()
    except Garbled:
        return ""
    return str(found.get("error", "")) if isinstance(found, dict) else ""


def _not_put(answer: Answer, now: dt.datetime) -> Result:
    """What an answer other than 200 means here: an expired token is a 400."""
    error = _error(answer)
    if error in {"ExpiredToken", "InvalidToken"} or answer.status == HTTPStatus.UNAUTHORIZED:
        return Later(reason(answer), renew=True)
    if error in {"AccountTakedown", "AccountDeactivated", "RepoDeactivated"}:
        return Refused(reason(answer), permanent=False)
    if error == "InvalidSwap":
        return Unknown("the key is taken", look_after=5)
    if answer.status == HTTPStatus.FORBIDDEN and "scope" in reason(answer):
        return Refused(reason(answer), permanent=False)
    result = failed(answer, now)
    return Unknown(result.why, look_after=5) if isinstance(result, Unknown) else result


def _sent(found: Any, access: Access) -> Sent:
    """Read the address of a record; its web page is derived from it."""
    uri = found.get("uri") if isinstance(found, dict) else None
    if not isinstance(uri, str) or not uri.startswith("at://"):
        message = "no uri in the answer"
        raise Garbled(message)
    rkey = uri.rsplit("/", 1)[-1]
    return proof(uri, f"https://bsky.app/profile/{access.remote_account_id}/post/{rkey}")
