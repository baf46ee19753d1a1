"""X, through its API v2. Facts: networks/x.md (docs at 2871328, OpenAPI 2.166 and 2.167).

Every call costs the company money, and X forbids equal texts on several accounts.
"""

import base64
import datetime as dt
import html
import json
import re
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from ambassadors import tidying
from integrations.wire import Answer, Garbled, NotSent, PerhapsSent, WireError, call

from . import counting, x_connect
from .abilities import Abilities, Price, gettext_noop
from .answers import count, failed, object_of, proof, reason
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
    Remaining,
    Renewed,
    Result,
    Sent,
    Trip,
    Unknown,
    Window,
)

_PATIENCE = 10.0
_LOOK_BACK = dt.timedelta(minutes=5)
# Every post that is read costs, so a look reads few before it says that it cannot tell.
_PAGES, _PAGE = 2, 5
_READ = 5_000
_MEDIA_LIVE = dt.timedelta(hours=12)  # X keeps them for 24 h after the upload
# Header groups that tell a limit, and whose it is.
_LIMITS = (
    ("x-rate-limit", "account"),
    ("x-user-limit-24hour", "account"),
    ("x-app-limit-24hour", "app"),
)


class X(Network):
    """Publishing costs per post: copying is the default, the API an offer with a budget."""

    abilities = Abilities(
        name="x",
        monogram="X",
        label="X",
        limit=280,
        unit="weighted",
        url_length=counting.SHORT_URL,
        pictures=4,
        picture_bytes=5_000_000,
        alt_limit=1000,
        threads=True,
        identical_texts=False,
        can_publish=True,
        can_look=True,
        can_measure=True,
        can_remove=True,
        counts=("likes", "reposts", "replies", "quotes", "impressions"),
        batch=100,
        public_figures=True,
        # A post read twice in one UTC day costs once, so it is read at most once a day.
        readings=(24, 72, 168, 336, 672),
        price=Price(post=15_000, post_with_link=200_000, read=_READ, look=_PAGES * _PAGE * _READ),
        connect="oauth",
        for_whom=("person", "company"),
        app_needed=True,
        intent_url="https://x.com/intent/post?text={text}",
        pitch=gettext_noop("Publishing there costs the company money; copying is the usual way."),
        hosts=("x.com", "twitter.com"),
    )

    def length(self, text: str) -> int:
        """Weighted characters; a link counts 23."""
        return counting.weighted(text)

    def prepare(
        self, post: Outgoing, access: Access, window: Window
    ) -> Mapping[str, Any] | Later | Refused:
        """Upload the pictures with their alternative texts and wait until they are ready."""
        if not post.pictures:
            return {}
        fresh = window.now - _MEDIA_LIVE
        if "media" in post.kept and dt.datetime.fromisoformat(post.kept["uploaded_at"]) > fresh:
            return post.kept
        end = time.monotonic() + window.seconds
        media: list[str] = []
        for picture in post.pictures:
            uploaded = self._upload(picture, access, end, window)  # an orphaned one is invisible
            if not isinstance(uploaded, str):
                return uploaded
            media.append(uploaded)
        return {"media": media, "uploaded_at": window.now.isoformat()}

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Post once. There is no key: only X's own refusal of equal texts stands behind us."""
        body: dict[str, Any] = {"text": post.text}
        if media := post.kept.get("media"):
            body["media"] = {"media_ids": media}
        if post.reply_to:
            body["reply"] = {"in_reply_to_tweet_id": post.reply_to}
        try:
            answer = call(
                "POST",
                f"{access.base_url}/2/tweets",
                headers=_headers(access),
                body=json.dumps(body).encode(),
                seconds=window.seconds,
                may_start=window.may_start,
            )
            _note_limits(answer, window)
            if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
                return _sent(_data(answer).get("id"))
        except NotSent:
            raise
        except PerhapsSent as error:
            return Unknown(str(error))
        if answer.status == HTTPStatus.FORBIDDEN and b"duplicate content" in answer.body:
            return Unknown("duplicate", look_after=5.0)
        return _refused(answer, access, window.now)

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """Read the own timeline since the first try; compare texts with t.co expanded."""
        if "tweet.read" not in str(access.features.get("scopes", "tweet.read")):
            return CannotTell("reading the timeline was not granted")
        query = {
            "max_results": str(_PAGE),
            "start_time": (since - _LOOK_BACK).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            _fields(access): "created_at,entities,attachments",
        }
        wanted = _bare(post.text)
        for _ in range(_PAGES):
            answer = _get(access, f"/2/users/{access.remote_account_id}/tweets", query)
            found = object_of(answer.json()) if answer.status == HTTPStatus.OK else {}
            rows, meta = found.get("data", []), object_of(found.get("meta"))
            if not isinstance(rows, list) or not isinstance(meta.get("result_count"), int):
                return CannotTell(reason(answer))
            for row in map(object_of, rows):
                media = object_of(row.get("attachments")).get("media_keys") or []
                same = _bare(_expanded(row)) == wanted and len(media) == len(post.pictures)
                if same and row.get("id") not in post.taken:
                    return _sent(row.get("id"))
            if not meta.get("next_token"):
                return CannotTell(reason(answer)) if found.get("errors") else Absent()
            query["pagination_token"] = str(meta["next_token"])
        return CannotTell("too many posts since")

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read public figures of up to a hundred posts in one call."""
        fields = _fields(access)
        answer = _get(access, "/2/tweets", {"ids": ",".join(remote_ids), fields: "public_metrics"})
        found = object_of(answer.json()) if answer.status == HTTPStatus.OK else {}
        rows, errors = found.get("data", []), found.get("errors", [])
        if answer.status != HTTPStatus.OK or not isinstance(rows, list):
            raise WireError(reason(answer))
        figures = {
            str(row.get("id")): _figures(object_of(row.get("public_metrics")))
            for row in map(object_of, rows)
        }
        # Only what X names as not found is gone; silence about a post says nothing.
        gone = {
            str(error.get("resource_id") or error.get("value"))
            for error in map(object_of, errors if isinstance(errors, list) else [])
            if str(error.get("type", "")).endswith("/resource-not-found")
        }
        return {i: figures.get(i, Figures()) for i in remote_ids if i in figures or i not in gone}

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete a post; one that is gone already is no error."""
        answer = call(
            "DELETE",
            f"{access.base_url}/2/tweets/{urllib.parse.quote(remote_id, safe='')}",
            headers=_headers(access),
            seconds=15,
        )
        if answer.status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
            return Sent(remote_id, "")
        return _refused(answer, access, None)

    def depart(self, trip: Trip) -> Departure:
        """Where the person says yes, with PKCE."""
        return x_connect.depart(trip)

    def arrive(self, trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> list[Grant]:
        """Trade the code, which lives 30 seconds."""
        return x_connect.arrive(trip, answer, now)

    def refresh(self, access: Access, now: dt.datetime) -> Renewed | Refused:
        """Trade the refresh token, which serves once."""
        return x_connect.refresh(access, now)

    def revoke(self, access: Access) -> None:
        """Give the tokens back."""
        x_connect.revoke(access)

    def _upload(
        self, picture: Picture, access: Access, end: float, window: Window
    ) -> str | Later | Refused:
        """Upload one picture, wait for its processing, say its alternative text."""
        content = base64.b64encode(picture.content).decode()
        category = "tweet_gif" if picture.media_type == "image/gif" else "tweet_image"
        answer = _post(
            access, "/2/media/upload", {"media": content, "media_category": category}, end
        )
        if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
            return _not_prepared(answer, access, window.now)
        found = _data(answer)
        media_id = proof(found.get("id"), None).remote_id
        state = object_of(found.get("processing_info")).get("state", "succeeded")
        while state in {"pending", "in_progress"}:
            if end - time.monotonic() < _PATIENCE:
                return Later("media still in processing", wait=15)
            time.sleep(0.5)
            answer = _get(access, "/2/media/upload", {"command": "STATUS", "media_id": media_id})
            if answer.status != HTTPStatus.OK:
                return _not_prepared(answer, access, window.now)
            state = object_of(_data(answer).get("processing_info")).get("state", "succeeded")
        if state == "failed":
            return Refused("X could not use the picture", permanent=True)
        if picture.alt:
            text = {"alt_text": {"text": picture.alt[: self.abilities.alt_limit]}}
            answer = _post(access, "/2/media/metadata", {"id": media_id, "metadata": text}, end)
            if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
                return _not_prepared(answer, access, window.now)
        return media_id


def _headers(access: Access) -> dict[str, str]:
    if "access_token" not in access.secrets:  # figures are asked for with anybody's key
        message = "no key to ask X with"
        raise NotSent(message)
    return {
        "Authorization": f"Bearer {access.secrets['access_token']}",
        "Content-Type": "application/json",
    }


def _get(access: Access, path: str, query: Mapping[str, str]) -> Answer:
    url = f"{access.base_url}{path}?{urllib.parse.urlencode(query, safe=',:')}"
    return call("GET", url, headers=_headers(access), seconds=10)


def _post(access: Access, path: str, body: Mapping[str, Any], end: float) -> Answer:
    return call(
        "POST",
        f"{access.base_url}{path}",
        headers=_headers(access),
        body=json.dumps(body).encode(),
        seconds=max(end - time.monotonic(), 0.1),
    )


def _fields(access: Access) -> str:
    """The parameter that asks for fields: the OpenAPI says ``post.fields``, the servers not yet."""
    options = access.app.options if access.app else {}
    return options.get("fields_parameter", "tweet.fields")


def _data(answer: Answer) -> dict[str, Any]:
    return object_of(object_of(answer.json()).get("data"))


def _sent(remote_id: object) -> Sent:
    """The proof of a post; its address needs no handle, which may change. Raises Garbled."""
    if not isinstance(remote_id, str) or not re.fullmatch(r"[0-9]{1,19}", remote_id):
        message = "no usable id in the answer"
        raise Garbled(message)
    return Sent(remote_id, f"https://x.com/i/web/status/{remote_id}")


def _refused(answer: Answer, access: Access, now: dt.datetime | None) -> Result:
    """What an answer other than success means here."""
    result = failed(answer, now)
    match answer.status:
        case HTTPStatus.PAYMENT_REQUIRED:
            return Refused(
                "X has no credit left from the company; nothing goes out there until an"
                " administrator tops it up. Your connection is fine.",
                permanent=False,
                detail=reason(answer),
                whose="app",
            )
        case HTTPStatus.UNAUTHORIZED if access.secrets.get("refresh_token"):
            return Later(reason(answer), renew=True)
        case HTTPStatus.TOO_MANY_REQUESTS if isinstance(result, Later):
            used_up = answer.headers.get("x-app-limit-24hour-remaining") == "0"
            return Later(result.why, result.wait, whose="app" if used_up else "account")
        case HTTPStatus.FORBIDDEN:
            ours = re.search(
                rb"client-forbidden|not-authorized-for-resource|unsupported-authentication"
                rb"|suspended|locked",
                answer.body,
            )
            return Refused(reason(answer), permanent=ours is None)
    return result


def _not_prepared(answer: Answer, access: Access, now: dt.datetime) -> Later | Refused:
    """Before the post nothing is ambiguous: what may have happened is invisible."""
    result = _refused(answer, access, now)
    return result if isinstance(result, Later | Refused) else Later(f"media: {reason(answer)}")


def _note_limits(answer: Answer, window: Window) -> None:
    """Tell the pipeline what the answer said about limits."""
    for prefix, whose in _LIMITS:
        left = answer.headers.get(f"{prefix}-remaining", "")
        reset = answer.headers.get(f"{prefix}-reset", "")
        if re.fullmatch(r"[0-9]{1,9}", left) and re.fullmatch(r"[0-9]{1,11}", reset):
            wait = min(max(int(reset) - window.now.timestamp(), 0.0), 24 * 3600.0)
            window.limits.append(Remaining(whose, int(left), wait))


def _expanded(row: Mapping[str, Any]) -> str:
    """A post's text with its own addresses instead of t.co, without those of its pictures."""
    text = str(row.get("text", ""))
    for url in map(object_of, object_of(row.get("entities")).get("urls") or []):
        short, full = str(url.get("url", "")), str(url.get("expanded_url") or url.get("url", ""))
        text = text.replace(short, "" if url.get("media_key") else full) if short else text
    return html.unescape(text)


def _bare(text: str) -> str:
    """A text as far as X keeps it: NFC, single spaces, addresses without scheme and last slash."""
    text = re.sub(r"\s+", " ", tidying.normal("NFC", text)).strip()
    return re.sub(r"/(?=\s|$)", "", re.sub(r"https?://", "", text, flags=re.IGNORECASE))


def _figures(found: Mapping[str, Any]) -> Figures:
    """Public figures; reposts are named ``retweet_count`` or, since August 2026, otherwise."""
    reposts = found.get("retweet_count", found.get("repost_count"))
    return Figures(
        likes=count(found.get("like_count")),
        reposts=count(reposts),
        replies=count(found.get("reply_count")),
        quotes=count(found.get("quote_count")),
        impressions=count(found.get("impression_count")),
    )
