"""Instagram for professional accounts. Facts: networks/instagram.md (codegen @ad2b0b6f).

Connected by Instagram Login (path A), without a Facebook Page.
"""

import datetime as dt
import functools
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from integrations.wire import Answer

from . import answers, containers, graph, graph_connect
from .abilities import Abilities, Frame, gettext_noop
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
    Renewed,
    Result,
    Sent,
    Trip,
    Unknown,
    Window,
)

HOST = "https://graph.instagram.com"
TOKENS = "https://api.instagram.com"
PAGES = "https://www.instagram.com"
_HASHTAGS = 30
_MENTIONS = 20
_NO_METRIC = 100
# Error subcodes (instagram.md §6): what a new try may cure, and what only a person can.
_CONTAINER_TROUBLE = {
    2207003, 2207006, 2207008, 2207020, 2207027, 2207032, 2207052, 2207053,
}  # fmt: skip
_SERVER_TROUBLE = 2207001
_DAILY_LIMIT = 2207042
_ACCOUNT_TROUBLE = {2207050, 2207051}  # restricted, blocked as spam
_PROFESSIONAL = {"BUSINESS", "MEDIA_CREATOR", "CREATOR"}
_INSIGHTS = "instagram_business_manage_insights"
_NEEDED = {
    "instagram_business_basic": "see your account",
    "instagram_business_content_publish": "publish posts",
}
# Of feed posts, the only type made here; one metric too many fails the whole call.
_FEED_METRICS = "views,likes,comments,shares"
_NAMES = graph.Names("caption", "timestamp", "permalink")


class Instagram(Network):
    """Business and creator accounts, personal or the company's. Always with a picture."""

    abilities = Abilities(
        name="instagram",
        monogram="ig",
        label="Instagram",
        limit=2200,
        unit="character",
        url_length=None,
        pictures=10,
        picture_bytes=8_000_000,
        alt_limit=1000,
        needs_picture=True,
        fetches_pictures=True,
        can_publish=True,
        can_look=True,
        can_measure=True,
        can_remove=True,
        counts=("likes", "reposts", "replies", "impressions"),
        connect="oauth",
        for_whom=("person", "company"),
        app_needed=True,
        pitch=gettext_noop("Works with professional accounts; every post needs a picture."),
        hosts=("instagram.com",),
        frame=Frame(flattest=1.91, tallest=0.8, narrowest=320, widest=1440),
    )

    def length(self, text: str) -> int:
        """UTF-16 units."""
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def prepare(
        self, post: Outgoing, access: Access, window: Window
    ) -> Mapping[str, Any] | Later | Refused:
        """Make the container (``kept``: its id, when it was made, whether it is ready)."""
        wrong = self._unfit(post)
        if wrong:
            return Refused(wrong, permanent=True)
        parts, whole = _fields(post, self.abilities.alt_limit)
        return containers.prepare(_yard(post, access), access, post, parts, whole, window)

    def _unfit(self, post: Outgoing) -> str:
        """Say what Instagram would refuse, before anything is sent."""
        if not post.pictures:
            return "Instagram takes no text without a picture"
        if len(post.pictures) > self.abilities.pictures:
            return f"Instagram takes {self.abilities.pictures} pictures at most"
        length = self.length(post.text)
        if length > self.abilities.limit:
            return f"Instagram takes {self.abilities.limit} characters, this text has {length}"
        hashtags = len(re.findall(r"(?<![\w&])#\w+", post.text))
        if hashtags > _HASHTAGS:
            return f"Instagram takes {_HASHTAGS} hashtags at most, this text has {hashtags}"
        mentions = len(re.findall(r"(?<![\w.])@\w+", post.text))
        if mentions > _MENTIONS:
            return f"Instagram takes {_MENTIONS} mentions at most, this text has {mentions}"
        return containers.unreachable(post, "Instagram")

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Publish the container."""
        return containers.publish(_yard(post, access), access, post, window)

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """Ask the container, then search the own posts for the caption."""
        return containers.look(_yard(post, access), access, post, since)

    def address(self, remote_id: str, access: Access) -> str:
        """The permalink; it cannot be built from the id."""
        fields = {"fields": "permalink"}
        answer = graph.ask("GET", graph.node(graph.base(access), remote_id), access, fields)
        return answers.proof(remote_id, graph.read(answer).get("permalink")).url

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read one post after the other; views and shares where insights were granted."""
        return {one: row for one in remote_ids if (row := self._one(one, access))}

    def _one(self, remote_id: str, access: Access) -> Figures | None:
        """The figures of one post, None when it is gone."""
        media = graph.node(graph.base(access), remote_id)
        if graph.granted(access, _INSIGHTS):
            answer = graph.ask("GET", f"{media}/insights", access, {"metric": _FEED_METRICS})
            if answer.status == HTTPStatus.OK:
                metrics = graph.insights(graph.read(answer))
                return Figures(
                    likes=metrics.get("likes"),
                    reposts=metrics.get("shares"),
                    replies=metrics.get("comments"),
                    impressions=metrics.get("views"),
                )
            if graph.problem(answer).code != _NO_METRIC:
                raise graph.Stopped(graph.failed(answer, None))
        answer = graph.ask("GET", media, access, {"fields": "like_count,comments_count"})
        if answer.status != HTTPStatus.OK and graph.missing(answer):
            return None
        found = graph.read(answer)
        likes, replies = found.get("like_count"), found.get("comments_count")
        return Figures(likes=answers.count(likes), replies=answers.count(replies))

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete a post, where Instagram lets us; one that is gone already is fine."""
        result = graph.delete(graph.node(graph.base(access), remote_id), access, {}, remote_id)
        if isinstance(result, Refused):
            return Refused("Delete this post in Instagram itself", True, detail=result.why)
        return result

    def depart(self, trip: Trip) -> Departure:
        """Instagram shows what Botschaft asks for, each permission with a switch."""
        host = trip.app.host("authorize", PAGES)
        scopes = [*_NEEDED, _INSIGHTS]
        return Departure(graph_connect.authorize_url(trip, f"{host}/oauth/authorize", scopes))

    def arrive(self, trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> list[Grant]:
        """Code, token for an hour, token for sixty days; then which account it is."""
        code = graph_connect.code_of(answer, "Instagram")
        host = trip.app.host("graph", HOST)
        tokens = f"{trip.app.host('tokens', TOKENS)}/oauth/access_token"
        short = _opened(graph_connect.swap(trip, tokens, code, "Instagram"))
        scopes = graph_connect.scopes_of(short.get("permissions"))
        graph_connect.require(scopes, _NEEDED)
        url = f"{host}/access_token"
        long = graph_connect.prolong(trip, url, "ig_exchange_token", short, "Instagram")
        secrets = graph_connect.secrets_of(long, now)
        until = graph_connect.ends(long, now)
        grant = Grant(
            identity=_whoami(Access(host, "", "", secrets, app=trip.app)),
            base_url=host,
            secrets=secrets,
            expires_at=until,
            reconnect_by=until,
            company=trip.company,
            features={"scopes": scopes},
        )
        return [grant]

    def refresh(self, access: Access, now: dt.datetime) -> Renewed | Refused:
        """Prolong by sixty days; needs the token itself, a day old and not ended."""
        url = f"{access.base_url}/refresh_access_token"
        return graph_connect.refresh(access, now, url, "ig_refresh_token")


def _failed(answer: Answer, now: dt.datetime | None) -> Result:
    """What an answer other than 200 means, by Instagram's own subcodes first."""
    subcode, why = graph.problem(answer).subcode, graph.reason(answer)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or subcode == _SERVER_TROUBLE:
        return Unknown(why)
    if subcode in _CONTAINER_TROUBLE:
        return Later(why)
    if subcode == _DAILY_LIMIT:
        return Later(why, wait=3600.0)  # the day slides
    if subcode in _ACCOUNT_TROUBLE:
        return Refused(why, permanent=False)
    return graph.failed(answer, now)


def _listed(post: Outgoing, access: Access, since: dt.datetime) -> Sent | Absent | CannotTell:
    """Search own posts; they stand under ``user_id``, not under the app's own id for the person."""
    account = graph.node(graph.base(access), access.remote_account_id)
    return graph.seek(f"{account}/media", access, _NAMES, post, since)


def _yard(post: Outgoing, access: Access) -> containers.Yard:
    return containers.Yard(
        base=graph.base(access),
        account=access.remote_account_id,
        edge="media",
        state="status_code",
        why="status",
        quota="content_publishing_limit",
        usage="quota_usage",
        config="config",
        listed=functools.partial(_listed, post, access),
        failed=_failed,
    )


def _fields(post: Outgoing, alt_limit: int) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The items of a carousel, and the post itself."""
    if len(post.pictures) == 1:
        return [], {**_image(post.pictures[0], alt_limit), "caption": post.text}
    items = [
        {**_image(picture, alt_limit), "is_carousel_item": "true"} for picture in post.pictures
    ]
    return items, {"media_type": "CAROUSEL", "caption": post.text}


def _image(picture: Picture, alt_limit: int) -> dict[str, str]:
    alt = {"alt_text": picture.alt[:alt_limit]} if picture.alt else {}
    return {"image_url": picture.url, **alt}


def _opened(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first token's answer: plain, or in the older shape as a list of one."""
    return graph.rows(found)[0] if found.get("data") else found


def _whoami(access: Access) -> Identity:
    """Whose token this is. Raises :class:`NotConnected` for private accounts, or WireError."""
    fields = {"fields": "user_id,username,name,account_type"}
    found = graph.read(graph.ask("GET", f"{graph.base(access)}/me", access, fields))
    kind = str(found.get("account_type", "")).upper()
    if kind not in _PROFESSIONAL:
        message = (
            "Instagram publishes only for professional accounts. Switch yours to a free creator"
            " account in Instagram, then connect again"
        )
        raise NotConnected(message)
    name = answers.printable(graph_connect.text(found, "username"))[:100]
    return Identity(
        remote_id=answers.proof(graph_connect.text(found, "user_id"), None).remote_id,
        handle=f"@{name}",
        display_name=answers.printable(str(found.get("name") or name))[:200],
        url=f"{PAGES}/{name}/",
    )
