"""Facebook Pages over the Graph API. Facts: networks/facebook_pages.md (codegen @ad2b0b6f).

Only Pages: no API publishes to a personal profile, there the share page of :attr:`intent_url`
takes the link and the text travels by clipboard.
"""

import datetime as dt
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer, Garbled, NotSent, PerhapsSent, WireError, call

from . import answers, graph, graph_connect
from .abilities import Abilities, gettext_noop
from .base import (
    Absent,
    Access,
    CannotTell,
    Departure,
    Figures,
    Grant,
    Identity,
    Later,
    Network,
    NotConnected,
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

HOST = "https://graph.facebook.com"
PAGES = "https://www.facebook.com"
_UNUSED_LIVES = dt.timedelta(hours=20)  # an unpublished photo is kept about a day
_DATA_ACCESS = dt.timedelta(days=90)  # after it the person must say yes again
_DUPLICATE = 506
_NO_METRIC = 100
_UNKNOWN_ALIAS = 803
_READ = "pages_read_engagement"
_INSIGHTS = "read_insights"
_NEEDED = {
    "pages_show_list": "see your Pages",
    "pages_manage_posts": "publish on your Page",
}
_WISHED = (_READ, _INSIGHTS)
_TASK = "CREATE_CONTENT"
_COUNTS = "shares,comments.limit(0).summary(true),reactions.limit(0).summary(total_count)"
_NAMES = graph.Names("message", "created_time", "permalink_url")


class Facebook(Network):
    """The company's Pages. Pictures go up as bytes, so no public address is needed."""

    abilities = Abilities(
        name="facebook",
        monogram="f",
        label="Facebook",
        limit=63_206,
        unit="character",
        url_length=None,
        pictures=10,
        picture_bytes=10_000_000,
        alt_limit=1000,
        can_publish=True,
        can_look=True,
        can_measure=True,
        can_edit=True,
        can_remove=True,
        counts=("likes", "reposts", "replies", "impressions"),
        batch=25,
        connect="oauth",
        for_whom=("company",),
        app_needed=True,
        intent_url="https://www.facebook.com/sharer/sharer.php?u={url}",
        pitch=gettext_noop("Facebook lets programs post on pages only, not on personal profiles."),
        hosts=("facebook.com", "fb.com", "fb.me"),
    )

    def length(self, text: str) -> int:
        """UTF-16 units."""
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def prepare(
        self, post: Outgoing, access: Access, window: Window
    ) -> Mapping[str, Any] | Later | Refused:
        """Upload the photos unpublished, with their alternative texts; nobody sees them yet."""
        kept_at = post.kept.get("uploaded_at")
        if kept_at and dt.datetime.fromisoformat(kept_at) > window.now - _UNUSED_LIVES:
            return post.kept
        if len(post.pictures) > self.abilities.pictures:
            return Refused(f"Facebook takes {self.abilities.pictures} pictures", permanent=True)
        end = time.monotonic() + window.seconds
        try:
            photos = [self._upload(picture, access, window, end) for picture in post.pictures]
        except graph.Stopped as stopped:
            return answers.not_applied(stopped.result)
        return {"photos": photos, "uploaded_at": window.now.isoformat()} if photos else {}

    def _upload(self, picture: Picture, access: Access, window: Window, end: float) -> str:
        fields = {"published": "false", **_proof(access)}
        if picture.alt:
            fields["alt_text_custom"] = picture.alt[: self.abilities.alt_limit]
        body, content_type = multipart(fields, "source", picture)
        answer = call(
            "POST",
            f"{_object(access, access.remote_account_id)}/photos",
            headers={
                "Authorization": f"Bearer {access.secrets['access_token']}",
                "Content-Type": content_type,
            },
            body=body,
            seconds=max(end - time.monotonic(), 0.1),
        )
        window.limits.extend(graph.remaining(answer))
        return graph.created(answer, window.now)

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Post to the Page's feed, once. There is no key; a repeat makes a second post."""
        fields = {"message": post.text, **_proof(access)}
        if photos := post.kept.get("photos"):
            fields["attached_media"] = json.dumps([{"media_fbid": photo} for photo in photos])
        elif post.link:
            fields["link"] = post.link.url
        try:
            answer = graph.ask(
                "POST",
                f"{_object(access, access.remote_account_id)}/feed",
                access,
                fields,
                seconds=window.seconds,
                may_start=window.may_start,
            )
            window.limits.extend(graph.remaining(answer))
            if answer.status == HTTPStatus.OK:
                remote_id = graph.created(answer, window.now)
                return Sent(remote_id, self._address(remote_id))
        except NotSent:
            raise
        except PerhapsSent as error:
            return Unknown(str(error))
        return self._refused(answer, post, window)

    def _refused(self, answer: Answer, post: Outgoing, window: Window) -> Result:
        """What an answer other than 200 means; "duplicate" after a try of ours may be that try."""
        if graph.problem(answer).code == _DUPLICATE and post.first_tried_at:
            return Unknown("Facebook says that this text is there already", look_after=5)
        return graph.failed(answer, window.now)

    def _address(self, remote_id: str) -> str:
        """The id leads there: Facebook redirects ``/{page}_{post}`` to the permalink."""
        return answers.proof(remote_id, f"{PAGES}/{remote_id}").url

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """Search the Page's feed for the text, where reading it was granted."""
        if not graph.granted(access, _READ):
            return CannotTell("Botschaft may not read the Page's posts")
        feed = f"{_object(access, access.remote_account_id)}/feed"
        seen = graph.seek(feed, access, _NAMES, post, since, _proof(access))
        if isinstance(seen, Sent):
            return Sent(seen.remote_id, self._address(seen.remote_id))
        return seen

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read reactions, comments and shares in one call, the views of each post in another.

        One bad id or metric fails a whole call (code 100), so then they are read one by one.
        """
        answer = graph.ask(
            "GET",
            f"{graph.base(access)}/",
            access,
            {"ids": ",".join(remote_ids), "fields": _COUNTS, **_proof(access)},
        )
        if graph.problem(answer).code in {_NO_METRIC, _UNKNOWN_ALIAS}:
            posts = {one: row for one in remote_ids if (row := self._one(one, access))}
        else:
            posts = graph.read(answer)
        return {
            remote_id: _figures(posts[remote_id], self._views(remote_id, access))
            for remote_id in remote_ids
            if isinstance(posts.get(remote_id), dict)
        }

    def _one(self, remote_id: str, access: Access) -> dict[str, Any] | None:
        """The counts of one post, None when it is gone."""
        fields = {"fields": f"id,{_COUNTS}", **_proof(access)}
        answer = graph.ask("GET", _object(access, remote_id), access, fields)
        if answer.status != HTTPStatus.OK and graph.missing(answer):
            return None
        return graph.read(answer)

    def _views(self, remote_id: str, access: Access) -> int | None:
        """How often a post was shown, None where Facebook does not count it for this Page."""
        if not graph.granted(access, _INSIGHTS):
            return None
        fields = {"metric": "post_media_view", "period": "lifetime", **_proof(access)}
        answer = graph.ask("GET", f"{_object(access, remote_id)}/insights", access, fields)
        if graph.problem(answer).code == _NO_METRIC:
            return None
        return graph.insights(graph.read(answer)).get("post_media_view")

    def edit(self, remote_id: str, text: str, access: Access) -> Result:
        """Replace the message; only posts that Botschaft made can be changed."""
        fields = {"message": text, **_proof(access)}
        answer = graph.ask("POST", _object(access, remote_id), access, fields, seconds=15)
        if answer.status != HTTPStatus.OK:
            return graph.failed(answer, None)
        return Sent(remote_id, self._address(remote_id))

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete a post; one that is gone already is fine."""
        return graph.delete(_object(access, remote_id), access, _proof(access), remote_id)

    def depart(self, trip: Trip) -> Departure:
        """Only for the company: nobody's profile can be published to."""
        if not trip.company:
            message = "Facebook lets no tool publish on a personal profile. Copy the text instead"
            raise NotConnected(message)
        host = trip.app.host("authorize", PAGES)
        address = f"{host}/{graph.version(trip.app)}/dialog/oauth"
        return Departure(graph_connect.authorize_url(trip, address, [*_NEEDED, *_WISHED]))

    def arrive(self, trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> list[Grant]:
        """Code, token, token for sixty days; then the Pages with a token each that does not end.

        One grant for every Page on which the person may create posts.
        """
        code = graph_connect.code_of(answer, "Facebook")
        host, app = trip.app.host("graph", HOST), trip.app
        endpoint = f"{host}/{graph.version(app)}/oauth/access_token"
        ours = {"client_id": app.client_id, "client_secret": app.client_secret}
        came = {**ours, "redirect_uri": trip.redirect_uri, "code": code}
        traded = graph_connect.trade("GET", endpoint, came, "Facebook")
        short = graph_connect.text(traded, "access_token")
        swap = {**ours, "grant_type": "fb_exchange_token", "fb_exchange_token": short}
        traded = graph_connect.trade("GET", endpoint, swap, "Facebook")
        long = graph_connect.text(traded, "access_token")
        access = Access(host, "", "", {"access_token": long}, app=app)
        scopes, until = _debugged(access, now)
        graph_connect.require(scopes, _NEEDED)
        pages = [page for page in _pages(access) if _TASK in (page.get("tasks") or ())]
        if not pages:
            message = (
                "Facebook showed no Page on which you may create posts."
                " Ask for the task “Create content”, or choose the Page when Facebook asks"
            )
            raise NotConnected(message)
        # Taking back the yes ends all Pages of this person, so only a single Page keeps the key.
        key = {"user_token": long} if len(pages) == 1 else {}
        return [
            Grant(
                identity=_identity(page),
                base_url=host,
                secrets={"access_token": graph_connect.text(page, "access_token"), **key},
                reconnect_by=until,
                company=True,
                features={"scopes": scopes, "tasks": [str(task) for task in page["tasks"]]},
            )
            for page in pages
        ]

    def revoke(self, access: Access) -> None:
        """Take the person's yes back, where it was for this Page alone.

        Otherwise the Page's token is forgotten, and the person ends the rest in their settings.
        """
        if not (token := access.secrets.get("user_token")):
            return
        person = Access(access.base_url, "", "", {"access_token": token}, app=access.app)
        url = f"{graph.base(person)}/me/permissions"
        answer = graph.ask("DELETE", url, person, _proof(person))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise WireError(graph.reason(answer))


def _object(access: Access, remote_id: str) -> str:
    return graph.node(graph.base(access), remote_id)


def _proof(access: Access) -> dict[str, str]:
    """A token that leaks is useless without the app's secret, where the app demands the proof."""
    if access.app is None or not access.app.client_secret:
        return {}
    token = access.secrets["access_token"].encode()
    digest = hmac.new(access.app.client_secret.encode(), token, hashlib.sha256)
    return {"appsecret_proof": digest.hexdigest()}


def _figures(row: Mapping[str, Any], views: int | None) -> Figures:
    """Counts of a post; ``shares`` is left out where there are none."""

    def total(name: str, field: str) -> int | None:
        part = row.get(name)
        part = part.get("summary", part) if isinstance(part, dict) else {}
        return answers.count(part.get(field)) if isinstance(part, dict) else None

    return Figures(
        likes=total("reactions", "total_count"),
        reposts=total("shares", "count") if "shares" in row else 0,
        replies=total("comments", "total_count"),
        impressions=views,
    )


def _debugged(access: Access, now: dt.datetime) -> tuple[list[str], dt.datetime]:
    """What the person granted, and until when their data may be read. Raises WireError."""
    app = access.app
    ours = f"{app.client_id}|{app.client_secret}" if app else ""
    as_app = Access(access.base_url, "", "", {"access_token": ours}, app=app)
    fields = {"input_token": access.secrets["access_token"]}
    answer = graph.ask("GET", f"{graph.base(access)}/debug_token", as_app, fields)
    found = graph.read(answer).get("data")
    if not isinstance(found, dict):
        message = "this says nothing about a token"
        raise Garbled(message)
    ends = found.get("data_access_expires_at")
    known = isinstance(ends, int) and 0 < ends < 2**40
    until = dt.datetime.fromtimestamp(int(ends), dt.UTC) if known else now + _DATA_ACCESS  # type: ignore[arg-type]
    return graph_connect.scopes_of(found.get("scopes")), until


def _pages(access: Access) -> list[dict[str, Any]]:
    """All Pages the person opened for us. Raises WireError."""
    fields = {"fields": "id,name,access_token,tasks,link", "limit": "100", **_proof(access)}
    pages: list[dict[str, Any]] = []
    for _ in range(10):
        found = graph.read(graph.ask("GET", f"{graph.base(access)}/me/accounts", access, fields))
        pages += graph.rows(found)
        paging = found.get("paging")
        if not isinstance(paging, dict) or "next" not in paging:
            break
        fields["after"] = str((paging.get("cursors") or {}).get("after", ""))
    return pages


def _identity(page: Mapping[str, Any]) -> Identity:
    found = answers.proof(graph_connect.text(page, "id"), page.get("link"))
    name = answers.printable(graph_connect.text(page, "name"))[:200]
    return Identity(found.remote_id, name, name, found.url or f"{PAGES}/{found.remote_id}")
