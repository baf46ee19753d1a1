"""Bluesky over the AT Protocol. Facts: networks/bluesky.md (lexicons at @d6296a1c)."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled, NotSent, PerhapsSent, WireError

from . import bluesky_oauth, bluesky_session, counting
from .abilities import Abilities, gettext_noop
from .answers import Reply, answered, failed, not_applied, proof, reason, remaining
from .base import (
    Absent,
    Access,
    CannotTell,
    Departure,
    Figures,
    Grant,
    Later,
    Network,
    Outgoing,
    Picture,
    Refused,
    Renewed,
    Result,
    Sent,
    Trip,
    Unknown,
    Window,
)
from .bluesky_identity import ENTRYWAY, appview, resolve_handle
from .bluesky_proofs import error_of, wants_nonce
from .bluesky_session import ask, blob_limit, read, sign_in
from .bluesky_text import facets

__all__ = ["ENTRYWAY", "Bluesky", "blob_limit", "make_tid", "sign_in"]

COLLECTION = "app.bsky.feed.post"
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
_PUT_POINTS = 2  # of the account's 5,000 an hour
_THUMB_BYTES = 1_000_000
_DEPTH = 100  # of replies under a post
_LONGEST_QUESTION = 1900  # characters of addresses in one call; 25 of did:plc: have 1,900
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
        monogram="b",
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
        can_converse=True,
        can_remove=True,
        counts=("likes", "reposts", "replies", "quotes"),
        batch=25,
        quiet=5.0,
        single_use_refresh=True,
        threads=True,
        public_figures=True,
        connect="oauth",
        for_whom=("person", "company"),
        intent_url="https://bsky.app/intent/compose?text={text}",
        pitch=gettext_noop("You say yes at Bluesky. We never see your password."),
        asks_for="handle",
        hosts=("bsky.app",),
    )

    def length(self, text: str) -> int:
        """Count graphemes; links count in full."""
        return counting.graphemes(text)

    def prepare(
        self, post: Outgoing, access: Access, window: Window
    ) -> Mapping[str, Any] | Later | Refused:
        """Upload the pictures, resolve mentions, name the part before.

        Mentions and the part before are looked up once: a later answer would change the record,
        and putting it again would not be the same call. Blobs are uploaded before each try, the
        server forgets unused ones; equal bytes are equal.
        """
        end = time.monotonic() + window.seconds
        kept: dict[str, Any] = {"blobs": []}
        for picture in post.pictures:
            uploaded = self._upload(picture, access, end, window.now)
            if not isinstance(uploaded, dict):
                return uploaded
            kept["blobs"].append(uploaded)
        thumb = post.link.thumb if post.link and not post.pictures else None
        if thumb and len(thumb.content) <= _most_bytes(access, _THUMB_BYTES):
            uploaded = self._upload(thumb, access, end, window.now)
            if not isinstance(uploaded, dict):
                return uploaded
            kept["thumb"] = uploaded
        if post.reply_to:
            reply = post.kept.get("reply") or self._reply(post, access, window.now)
            if not isinstance(reply, dict):
                return reply
            kept["reply"] = reply
        found = post.kept.get("facets")
        if found is None:
            found = facets(post.text, lambda handle: self._resolve(handle, access))
        return {**kept, "facets": found}

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
            answer = ask(
                access,
                "com.atproto.repo.putRecord",
                body=body,
                seconds=window.seconds,
                may_start=window.may_start,
            )
            window.limits.extend(remaining(answer, window.now, points=_PUT_POINTS))
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
        if reply := post.kept.get("reply"):
            record["reply"] = reply
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
            external: dict[str, Any] = {
                "uri": post.link.url,
                "title": post.link.title,
                "description": post.link.description,
            }
            if thumb := post.kept.get("thumb"):
                external["thumb"] = thumb
            record["embed"] = {"$type": "app.bsky.embed.external", "external": external}
        return record

    def _resolve(self, handle: str, access: Access) -> str | None:
        try:
            return resolve_handle(handle, access.base_url)
        except WireError:
            return None

    def _reply(
        self, post: Outgoing, access: Access, now: dt.datetime
    ) -> dict[str, Any] | Later | Refused:
        """Address and content hash of a thread's first part and of the part before."""
        refs: dict[str, Any] = {}
        for name, uri in (("root", post.root or post.reply_to), ("parent", post.reply_to)):
            answer = _record(access, uri)
            if answer.status == HTTPStatus.BAD_REQUEST and error_of(answer) == "RecordNotFound":
                return Refused("the part before is gone", permanent=True)
            if answer.status != HTTPStatus.OK:
                return not_applied(_not_put(answer, now))
            found = answer.json()
            cid = found.get("cid") if isinstance(found, dict) else None
            if not isinstance(cid, str):
                return Later("the part before cannot be read")
            refs[name] = {"uri": uri, "cid": cid}
        return refs

    def _upload(
        self, picture: Picture, access: Access, end: float, now: dt.datetime
    ) -> dict[str, Any] | Later | Refused:
        """Upload a blob; the same bytes give the same reference."""
        if len(picture.content) > _most_bytes(access, self.abilities.picture_bytes):
            return Refused("the picture is larger than this server takes", permanent=True)
        try:
            answer = ask(
                access,
                "com.atproto.repo.uploadBlob",
                body=picture.content,
                content_type=picture.media_type,
                seconds=max(end - time.monotonic(), 0.1),
            )
            if answer.status == HTTPStatus.OK:
                blob: dict[str, Any] = answer.json()["blob"]
                return blob
        except (WireError, KeyError, TypeError) as error:
            return Later(f"picture: {error}")  # unreferenced blobs are collected by the server
        return not_applied(_not_put(answer, now))

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """Read our own key."""
        del since
        answer = _record(access, f"at://{access.remote_account_id}/{COLLECTION}/{post.rkey}")
        if answer.status == HTTPStatus.OK:
            return _sent(answer.json(), access)
        if answer.status == HTTPStatus.BAD_REQUEST and error_of(answer) == "RecordNotFound":
            return Absent()
        return CannotTell(reason(answer))

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read up to 25 posts in one call of the public AppView, without an account."""
        if len(remote_ids) > 1 and sum(len(uri) + 6 for uri in remote_ids) > _LONGEST_QUESTION:
            half = len(remote_ids) // 2  # accounts of did:web: may have long addresses
            return {
                **self.measure(remote_ids[:half], access),
                **self.measure(remote_ids[half:], access),
            }
        answer = read(appview(), "app.bsky.feed.getPosts", {"uris": list(remote_ids)})
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

    def conversations(self, remote_id: str, access: Access) -> int:
        """Count answered replies in the public thread; hidden and deleted ones do not count."""
        query = {"uri": remote_id, "depth": _DEPTH, "parentHeight": 0}
        answer = read(appview(), "app.bsky.feed.getPostThread", query)
        if answer.status != HTTPStatus.OK:
            raise WireError(reason(answer))
        found = answer.json()
        root = found.get("thread") if isinstance(found, dict) else None
        return answered(_replies(root), access.remote_account_id)

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete the record; absent already is fine."""
        body = {
            "repo": access.remote_account_id,
            "collection": COLLECTION,
            "rkey": remote_id.rsplit("/", 1)[-1],
        }
        answer = ask(access, "com.atproto.repo.deleteRecord", body=body, seconds=15)
        if answer.status == HTTPStatus.OK:
            return Sent(remote_id, "")
        return _not_put(answer, None)

    def depart(self, trip: Trip) -> Departure:
        """Send the person to their server; ``trip.hint`` is their handle."""
        return bluesky_oauth.depart(trip)

    def arrive(self, trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> list[Grant]:
        """Trade the answer for a session, and learn how large a picture the server takes."""
        grant = bluesky_oauth.arrive(trip, answer, now)
        limit = blob_limit(grant.base_url)
        return [replace(grant, features={**grant.features, "blob_limit": limit})]

    def refresh(self, access: Access, now: dt.datetime) -> Renewed | Refused:
        """Trade the refresh token for a new pair, by the kind of session."""
        if "dpop_key" in access.secrets:
            return bluesky_oauth.refresh(access, now)
        return bluesky_session.refresh(access)

    def revoke(self, access: Access) -> None:
        """End the session at the server."""
        if "dpop_key" in access.secrets:
            bluesky_oauth.revoke(access)
        else:
            bluesky_session.sign_out(access)

    def refreshes_again(self, access: Access) -> bool:
        """Tell that an app password's old refresh token has two hours of grace, OAuth's none."""
        return "dpop_key" not in access.secrets


def _record(access: Access, uri: str) -> Answer:
    """Ask the account's server for a record by its address."""
    repo, collection, rkey = uri.removeprefix("at://").split("/", 2)
    query = {"repo": repo, "collection": collection, "rkey": rkey}
    return read(access.base_url, "com.atproto.repo.getRecord", query)


def _most_bytes(access: Access, network: int) -> int:
    """The network's limit, or the account's server's where that is lower."""
    limit = access.features.get("blob_limit")
    return min(network, limit) if isinstance(limit, int) else network


def _replies(root: object) -> list[Reply]:
    """The replies in a threadViewPost, whatever is blocked or gone left out."""
    top = Reply("")
    open_ = [(top, root)]
    while open_:
        above, node = open_.pop()
        children = node.get("replies") if isinstance(node, dict) else None
        for child in children if isinstance(children, list) else []:
            post = child.get("post") if isinstance(child, dict) else None
            if isinstance(post, dict) and isinstance(post.get("author"), dict):
                reply = Reply(str(post["author"].get("did")))
                above.replies.append(reply)
                open_.append((reply, child))
    return top.replies


def _not_put(answer: Answer, now: dt.datetime | None) -> Result:
    """What an answer other than 200 means here: an expired token is a 400."""
    error = error_of(answer)
    if wants_nonce(answer):
        return Later("the server asked for another nonce twice")
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
