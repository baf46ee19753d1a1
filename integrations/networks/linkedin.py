"""LinkedIn, through its Posts API. Facts: networks/linkedin.md; no official schema exists.

There is no key, and most apps may not read anything back: the id of a post must be kept when it
is made, and an ambiguous answer is for a person to resolve.
"""

import datetime as dt
import json
import re
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled, NotSent, PerhapsSent, WireError, call

from . import linkedin_connect
from .abilities import Abilities, Quota, gettext_noop
from .answers import count, failed, object_of, printable, proof, reason
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
    Refused,
    Renewed,
    Result,
    Sent,
    Trip,
    Unknown,
    Window,
)
from .linkedin_text import escape, unescape

_DAY = 86_400
_MEDIA_LIVE = dt.timedelta(hours=12)
_GRACE = dt.timedelta(minutes=10)
_LOOK_BACK = dt.timedelta(minutes=5)
_PAGES = 5  # of fifty own posts, before we say that we cannot tell
# LinkedIn says nothing about how long to wait: a minute, five, half an hour, then until midnight.
_THROTTLED = (60.0, 300.0, 1800.0)
_TITLE = 400
_METRICS = {
    "REACTION": "likes",
    "RESHARE": "reposts",
    "COMMENT": "replies",
    "IMPRESSION": "impressions",
}
_ORGANISATION = "urn:li:organization:"


class LinkedIn(Network):
    """Members and company pages; what an account may do stands in its features."""

    abilities = Abilities(
        name="linkedin",
        monogram="in",
        label="LinkedIn",
        limit=3000,
        unit="character",
        url_length=None,
        pictures=20,
        picture_bytes=20_000_000,
        alt_limit=4086,
        documents=True,
        visibilities=("public", "connections"),
        can_publish=True,
        can_look=True,
        can_measure=True,
        can_edit=True,
        can_remove=True,
        counts=("likes", "reposts", "replies", "impressions"),
        batch=20,
        # Four calls a post, of 150 a member and day.
        readings=(1, 6, 24, 72, 168, 672),
        quotas=(Quota("account", 150, _DAY), Quota("app", 100_000, _DAY)),
        connect="oauth",
        for_whom=("person", "company"),
        app_needed=True,
        intent_url="https://www.linkedin.com/feed/?shareActive=true&text={text}",
        pitch=gettext_noop("You say yes at LinkedIn. It asks you again about every two months."),
        hosts=("linkedin.com", "lnkd.in"),
        by_grant=("look", "measure"),
        activity_url="https://www.linkedin.com/in/me/recent-activity/all/",
    )

    def __init__(self) -> None:
        self._throttled: dict[tuple[str, str], int] = {}  # 429 in a row, in this process

    def length(self, text: str) -> int:
        """UTF-16 units after escaping; the documents do not say whether before, so the larger."""
        return len(escape(text).encode("utf-16-le", "surrogatepass")) // 2

    def prepare(
        self, post: Outgoing, access: Access, window: Window
    ) -> Mapping[str, Any] | Later | Refused:
        """Upload the document, or the pictures, or the picture of the link's card."""
        thumb = post.link.thumb if post.link and post.link.title else None
        files: list[tuple[str, bytes]] = [("image", picture.content) for picture in post.pictures]
        if post.document:
            files = [("document", post.document.content)]
        elif not files and thumb:
            files = [("image", thumb.content)]
        if not files:
            return {}
        fresh = window.now - _MEDIA_LIVE
        if "media" in post.kept and dt.datetime.fromisoformat(post.kept["uploaded_at"]) > fresh:
            return post.kept
        end = time.monotonic() + window.seconds
        media: list[str] = []
        for kind, content in files:
            uploaded = self._upload(
                kind, content, access, end, window
            )  # an orphaned one is invisible
            if not isinstance(uploaded, str):
                return uploaded
            media.append(uploaded)
        return {"media": media, "uploaded_at": window.now.isoformat()}

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Post once. The id comes in a header, the body is empty."""
        try:
            answer = call(
                "POST",
                f"{access.base_url}/rest/posts",
                headers=_headers(access),
                body=json.dumps(self.body(post, access)).encode(),
                seconds=window.seconds,
                may_start=window.may_start,
            )
            if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
                self._throttled.pop((access.base_url, access.remote_account_id), None)
                return _sent(answer.headers.get("x-restli-id"))
        except NotSent:
            raise
        except PerhapsSent as error:
            return Unknown(str(error))
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and b"DUPLICATE_POST" in answer.body:
            return _duplicate(answer, post)
        return self._refused(answer, access, window.now)

    def body(self, post: Outgoing, access: Access) -> dict[str, Any]:
        """Everything LinkedIn is told about a post."""
        body: dict[str, Any] = {
            "author": access.remote_account_id,
            "commentary": escape(post.text),
            "visibility": _visibility(post, access),
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
        content = self._content(post, list(post.kept.get("media", [])))
        return {**body, "content": content} if content else body

    def _content(self, post: Outgoing, media: list[str]) -> dict[str, Any]:
        """The one attachment a post may have: document, pictures or the link's card."""
        if post.document and media:
            return {"media": {"id": media[0], "title": post.document.title[:_TITLE]}}
        limit = self.abilities.alt_limit
        pictures = [
            {"id": urn, "altText": picture.alt[:limit]}
            for urn, picture in zip(media, post.pictures, strict=False)
        ]
        if len(pictures) > 1:
            return {"multiImage": {"images": pictures}}
        if pictures:
            return {"media": pictures[0]}
        if post.link and post.link.title:  # without a title LinkedIn shows a bare card
            article = {"source": post.link.url, "title": post.link.title[:_TITLE]}
            if post.link.description:
                article["description"] = post.link.description[:4000]
            return {"article": {**article, "thumbnail": media[0]} if media else article}
        return {}

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """List the author's posts since the first try, where LinkedIn lets us read them."""
        if access.features.get("can_look") is not True:
            return CannotTell("LinkedIn does not let us read the posts of this account")
        earliest = (since - _LOOK_BACK).timestamp() * 1000
        author = urllib.parse.quote(access.remote_account_id, safe="")
        for page in range(_PAGES):
            answer = _get(
                access,
                f"/rest/posts?q=author&author={author}&count=50&start={page * 50}&sortBy=CREATED",
                method="FINDER",
            )
            rows = _elements(answer) if answer.status == HTTPStatus.OK else None
            if rows is None:
                return CannotTell(reason(answer))
            for row in rows:
                made = row.get("createdAt")
                if not isinstance(made, int):
                    return CannotTell("a post without its time")
                if made < earliest:
                    return Absent()
                same = _squeeze(unescape(str(row.get("commentary", "")))) == _squeeze(post.text)
                if same and row.get("id") not in post.taken:
                    return _sent(row.get("id"))
            if len(rows) < 50:
                return Absent()
        return CannotTell("too many posts since")

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read figures where the account's permissions allow it; nothing is not zero."""
        if access.features.get("can_measure") is not True:
            return {remote_id: Figures() for remote_id in remote_ids}
        if access.remote_account_id.startswith(_ORGANISATION):
            return _page_figures(remote_ids, access)
        found = {remote_id: _member_figures(remote_id, access) for remote_id in remote_ids}
        return {remote_id: figures for remote_id, figures in found.items() if figures}

    def edit(self, remote_id: str, text: str, access: Access) -> Result:
        """Replace the text; the attachment stays."""
        patch = {"patch": {"$set": {"commentary": escape(text)}}}
        return self._change("PARTIAL_UPDATE", remote_id, access, json.dumps(patch).encode())

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete a post; LinkedIn says the same whether it was still there."""
        return self._change("DELETE", remote_id, access, None)

    def depart(self, trip: Trip) -> Departure:
        """Where the person says yes."""
        return linkedin_connect.depart(trip)

    def arrive(self, trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> list[Grant]:
        """Trade the code for the member's account or the pages they administer."""
        return linkedin_connect.arrive(trip, answer, now)

    def refresh(self, access: Access, now: dt.datetime) -> Renewed | Refused:
        """Only apps that LinkedIn approved for it get refresh tokens."""
        return linkedin_connect.refresh(access, now)

    def revoke(self, access: Access) -> None:
        """Give the token back."""
        linkedin_connect.revoke(access)

    def _upload(
        self, kind: str, content: bytes, access: Access, end: float, window: Window
    ) -> str | Later | Refused:
        """Ask where to, then send the bytes; returns the URN. We cannot ask whether it is ready."""
        answer = call(
            "POST",
            f"{access.base_url}/rest/{kind}s?action=initializeUpload",
            headers=_headers(access),
            body=json.dumps(
                {"initializeUploadRequest": {"owner": access.remote_account_id}}
            ).encode(),
            seconds=max(end - time.monotonic(), 0.1),
        )
        if answer.status != HTTPStatus.OK:
            return self._not_prepared(answer, access, window.now)
        value = object_of(object_of(answer.json()).get("value"))
        urn, target = proof(value.get(kind), None).remote_id, str(value.get("uploadUrl", ""))
        if not _is_theirs(target, access):
            return Later("media: an upload address that is not LinkedIn's")
        answer = call(
            "PUT",
            target,
            headers={
                "Authorization": f"Bearer {access.secrets['access_token']}",
                "Content-Type": "application/octet-stream",
            },
            body=content,
            seconds=max(end - time.monotonic(), 0.1),
        )
        if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
            return urn
        return self._not_prepared(answer, access, window.now)

    def _not_prepared(self, answer: Answer, access: Access, now: dt.datetime) -> Later | Refused:
        """Before the post nothing is ambiguous: what may have happened is invisible."""
        result = self._refused(answer, access, now)
        return result if isinstance(result, Later | Refused) else Later(f"media: {reason(answer)}")

    def _change(self, method: str, remote_id: str, access: Access, body: bytes | None) -> Result:
        answer = call(
            "DELETE" if method == "DELETE" else "POST",
            f"{access.base_url}/rest/posts/{urllib.parse.quote(remote_id, safe='')}",
            headers={**_headers(access), "X-RestLi-Method": method},
            body=body,
            seconds=15,
        )
        gone = method == "DELETE" and answer.status == HTTPStatus.NOT_FOUND
        if gone or answer.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
            return Sent(remote_id, _permalink(remote_id))
        return self._refused(answer, access, None)

    def _refused(self, answer: Answer, access: Access, now: dt.datetime | None) -> Result:
        """What an answer other than success means here."""
        result = failed(answer, now)
        match answer.status:
            case HTTPStatus.UPGRADE_REQUIRED:
                used = linkedin_connect.version(access.app)
                return Refused(
                    f"LinkedIn has ended version {used} of its API; an administrator must set a"
                    " newer one. Your connection is fine.",
                    permanent=False,
                    detail=reason(answer),
                    whose="app",
                )
            case HTTPStatus.UNAUTHORIZED if _in_grace(answer, access, now):
                return Later(reason(answer), wait=60)
            case HTTPStatus.UNAUTHORIZED if access.secrets.get("refresh_token"):
                return Later(reason(answer), renew=True)
            case HTTPStatus.FORBIDDEN:
                return Refused(reason(answer), permanent=False)
            case HTTPStatus.TOO_MANY_REQUESTS if now and "retry-after" not in answer.headers:
                return self._throttle(answer, access, now, result)
        if b"MEDIA_ASSET_WAITING_UPLOAD" in answer.body:
            return Later("media still in processing", wait=10)
        if b"MEDIA_ASSET_PROCESSING_FAILED" in answer.body:
            return Refused("LinkedIn could not use the picture or document", permanent=True)
        return result

    def _throttle(self, answer: Answer, access: Access, now: dt.datetime, result: Result) -> Result:
        """Wait longer each time; a limit we have met four times in a row is the day's."""
        if any("reset" in name for name in answer.headers):  # not LinkedIn's way, but clear
            return result
        who = (access.base_url, access.remote_account_id)
        times = self._throttled.get(who, 0)
        self._throttled[who] = times + 1
        midnight = _DAY - now.timestamp() % _DAY
        wait = _THROTTLED[times] if times < len(_THROTTLED) else midnight
        return Later(reason(answer), wait=wait)


def _headers(access: Access) -> dict[str, str]:
    return linkedin_connect.headers(access.secrets["access_token"], access.app)


def _get(access: Access, path: str, method: str = "") -> Answer:
    extra = {"X-RestLi-Method": method} if method else {}
    return call(
        "GET", f"{access.base_url}{path}", headers={**_headers(access), **extra}, seconds=10
    )


def _elements(answer: Answer) -> list[dict[str, Any]] | None:
    """The rows of a finder's answer, None when it has none. Raises Garbled."""
    rows = object_of(answer.json()).get("elements")
    return [object_of(row) for row in rows] if isinstance(rows, list) else None


def _permalink(urn: str) -> str:
    return f"https://www.linkedin.com/feed/update/{urn}/"


def _sent(urn: object) -> Sent:
    """The proof of a post. Raises Garbled when it is no URN of one."""
    if not isinstance(urn, str) or not re.fullmatch(
        r"urn:li:(share|ugcPost):[A-Za-z0-9_-]{1,100}", urn
    ):
        message = "no usable id in the answer"
        raise Garbled(message)
    return Sent(urn, _permalink(urn))


def _duplicate(answer: Answer, post: Outgoing) -> Result:
    """LinkedIn has this text from this author; evidence only together with an earlier try.

    The URN may also be a ghost, deleted up to two days ago (composio#2710), so it is shown to the
    person and not taken for proof.
    """
    match = re.search(rb"duplicate of (urn:li:\w+:\w+)", answer.body)
    urn = printable(match[1].decode()) if match else ""
    if post.first_tried_at and urn not in post.taken:
        return Unknown(f"duplicate of {urn}: {_permalink(urn)}" if urn else "duplicate")
    return Refused("you already posted this", permanent=True, detail=urn)


def _in_grace(answer: Answer, access: Access, now: dt.datetime | None) -> bool:
    """Tell whether a revoked token is so fresh that LinkedIn may be wrong about it."""
    if now is None or not linkedin_connect.falsely_revoked(answer):
        return False
    try:
        granted_at = dt.datetime.fromisoformat(str(access.features.get("granted_at")))
        return now - granted_at < _GRACE
    except (ValueError, TypeError):
        return False


def _visibility(post: Outgoing, access: Access) -> str:
    """Whatever is not public stays among contacts; a page has none, there it is its members."""
    if post.visibility == "public":
        return "PUBLIC"
    return "LOGGED_IN" if access.remote_account_id.startswith(_ORGANISATION) else "CONNECTIONS"


def _is_theirs(url: str, access: Access) -> bool:
    """Tell whether an upload address belongs to LinkedIn, so that our token may go there."""
    parts = urllib.parse.urlsplit(url)
    if parts.netloc == urllib.parse.urlsplit(access.base_url).netloc:
        return True
    return parts.scheme == "https" and (parts.hostname or "").endswith(".linkedin.com")


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _member_figures(remote_id: str, access: Access) -> Figures | None:
    """One post of a member: a call for each metric. None when the post is gone."""
    kind = "share" if ":share:" in remote_id else "ugc"
    quoted = urllib.parse.quote(remote_id, safe="")
    found: dict[str, int | None] = {}
    for metric, name in _METRICS.items():
        answer = _get(
            access,
            f"/rest/memberCreatorPostAnalytics?q=entity&entity=({kind}:{quoted})"
            f"&queryType={metric}&aggregation=TOTAL",
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        rows = _elements(answer) if answer.status == HTTPStatus.OK else None
        if rows is None:
            raise WireError(reason(answer))
        found[name] = next((count(row.get("count")) for row in rows if _is(row, metric)), None)
    return Figures(**found)


def _is(row: Mapping[str, Any], metric: str) -> bool:
    """Tell whether a row is of a metric, named plainly or, before 202605, inside an object."""
    kind = row.get("metricType")
    return metric in kind.values() if isinstance(kind, dict) else kind == metric


def _page_figures(remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
    """Posts of a page in at most two calls. LinkedIn leaves out posts nobody reacted to."""
    found = {remote_id: Figures() for remote_id in remote_ids}
    page = urllib.parse.quote(access.remote_account_id, safe="")
    for kind, name in (("share", "shares"), ("ugcPost", "ugcPosts")):
        urns = [urn for urn in remote_ids if f":{kind}:" in urn]
        if not urns:
            continue
        wanted = ",".join(urllib.parse.quote(urn, safe="") for urn in urns)
        answer = _get(
            access,
            "/rest/organizationalEntityShareStatistics?q=organizationalEntity"
            f"&organizationalEntity={page}&{name}=List({wanted})",
        )
        rows = _elements(answer) if answer.status == HTTPStatus.OK else None
        if rows is None:
            raise WireError(reason(answer))
        for row in rows:
            counts = object_of(row.get("totalShareStatistics"))
            if row.get(kind) in found:
                found[row[kind]] = Figures(
                    likes=count(counts.get("likeCount")),
                    reposts=count(counts.get("shareCount")),
                    replies=count(counts.get("commentCount")),
                    impressions=count(counts.get("impressionCount")),
                )
    return found
