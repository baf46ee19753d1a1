"""Threads by Meta. Facts: networks/threads.md (Postman collection @44df04d4)."""

import datetime as dt
import functools
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from integrations.wire import WireError

from . import answers, containers, counting, graph, graph_connect
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
    Outgoing,
    Picture,
    Refused,
    Renewed,
    Result,
    Sent,
    Trip,
    Window,
)

HOST = "https://graph.threads.net"
PAGES = "https://threads.com"
_LINKS = 5
_TOPIC = re.compile(r"(?<![\w&/])#(\w{1,50})(?!\w|[.&]\w)")
_NOT_READY = 24  # "media not found": published too early, or the container has ended
_REPLIES = "threads_read_replies"
_DELETE = "threads_delete"
_NEEDED = {
    "threads_basic": "see your profile",
    "threads_content_publish": "publish posts",
}
_WISHED = ("threads_manage_insights", _REPLIES, _DELETE)
_NAMES = graph.Names("text", "timestamp", "permalink")


class Threads(Network):
    """Any profile, personal or the company's. Always in two steps.

    A text alone could go in one call (``auto_publish_text``), but then an answer that is lost
    leaves nothing to ask about. The container of the first step says afterwards whether it was
    published, so one call more turns nearly every *unknown* into a *known*.
    """

    abilities = Abilities(
        name="threads",
        monogram="@",
        label="Threads",
        limit=500,
        unit="byte",
        url_length=None,
        pictures=20,
        picture_bytes=8_000_000,
        alt_limit=1000,
        fetches_pictures=True,
        threads=True,
        can_publish=True,
        can_look=True,
        can_measure=True,
        can_converse=True,
        can_remove=True,
        counts=("likes", "reposts", "replies", "quotes", "impressions"),
        connect="oauth",
        for_whom=("person", "company"),
        app_needed=True,
        intent_url="https://www.threads.com/intent/post?text={text}",
        pitch=gettext_noop("You say yes at Threads. It asks you again about every two months."),
        hosts=("threads.com", "threads.net"),
        frame=Frame(flattest=10.0, tallest=0.1, narrowest=320, widest=1440),
    )

    def length(self, text: str) -> int:
        """Characters, an emoji by its UTF-8 bytes; links count in full."""
        return counting.emoji_bytes(text)

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
        """Say what Threads would refuse, before anything is sent."""
        links = {match.group() for match in counting.links(post.text)}
        if post.link:
            links.add(post.link.url)
        if len(links) > _LINKS:
            return f"Threads takes {_LINKS} links at most, this text has {len(links)}"
        length = self.length(post.text)
        if length > self.abilities.limit:
            return f"Threads takes {self.abilities.limit} characters, this text has {length}"
        if len(post.pictures) > self.abilities.pictures:
            return f"Threads takes {self.abilities.pictures} pictures at most"
        return containers.unreachable(post, "Threads")

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Publish the container."""
        return containers.publish(_yard(post, access), access, post, window)

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """Ask the container, then search the own posts for the text."""
        return containers.look(_yard(post, access), access, post, since)

    def address(self, remote_id: str, access: Access) -> str:
        """The permalink; it cannot be built from the id."""
        fields = {"fields": "permalink"}
        answer = graph.ask("GET", graph.node(_base(access), remote_id), access, fields)
        return answers.proof(remote_id, graph.read(answer).get("permalink")).url

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read one post after the other; Threads has no call for several."""
        found = {}
        for remote_id in remote_ids:
            metrics = self._insights(remote_id, access)
            if metrics is not None:
                found[remote_id] = Figures(
                    likes=metrics.get("likes"),
                    reposts=metrics.get("reposts"),
                    replies=metrics.get("replies"),
                    quotes=metrics.get("quotes"),
                    impressions=metrics.get("views"),
                )
        return found

    def _insights(self, remote_id: str, access: Access) -> dict[str, int | None] | None:
        """All metrics of a post, None when it is gone."""
        answer = graph.ask(
            "GET",
            f"{graph.node(_base(access), remote_id)}/insights",
            access,
            {"metric": "views,likes,replies,reposts,quotes"},
        )
        if answer.status != HTTPStatus.OK and graph.missing(answer):
            return None
        return graph.insights(graph.read(answer))

    def conversations(self, remote_id: str, access: Access) -> int:
        """Count others' replies under a post that its author answered."""
        if not graph.granted(access, _REPLIES):
            message = "Botschaft may not read replies to this account"
            raise WireError(message)
        answer = graph.ask(
            "GET",
            f"{graph.node(_base(access), remote_id)}/conversation",
            access,
            {"fields": "id,is_reply_owned_by_me,replied_to", "reverse": "false"},
        )
        rows = graph.rows(graph.read(answer))
        others = {row.get("id") for row in rows if row.get("is_reply_owned_by_me") is False}
        own = [row.get("replied_to") for row in rows if row.get("is_reply_owned_by_me") is True]
        return len(others & {to.get("id") for to in own if isinstance(to, dict)})

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete a post, where that was granted; one that is gone already is fine."""
        if not graph.granted(access, _DELETE):
            return Refused("Botschaft may not delete on this account", permanent=True)
        return graph.delete(graph.node(_base(access), remote_id), access, {}, remote_id)

    def depart(self, trip: Trip) -> Departure:
        """Threads shows what Botschaft asks for, each permission with a switch."""
        host = trip.app.host("authorize", PAGES)
        scopes = [*_NEEDED, *_WISHED]
        return Departure(graph_connect.authorize_url(trip, f"{host}/oauth/authorize", scopes))

    def arrive(self, trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> list[Grant]:
        """Code, token for an hour, token for sixty days; then who it is and what was granted."""
        code = graph_connect.code_of(answer, "Threads")
        host = trip.app.host("graph", HOST)
        short = graph_connect.swap(trip, f"{host}/oauth/access_token", code, "Threads")
        url = f"{host}/access_token"
        long = graph_connect.prolong(trip, url, "th_exchange_token", short, "Threads")
        secrets = graph_connect.secrets_of(long, now)
        access = Access(host, graph_connect.text(short, "user_id"), "", secrets, app=trip.app)
        scopes = _scopes(access)
        graph_connect.require(scopes, _NEEDED)
        until = graph_connect.ends(long, now)
        grant = Grant(
            identity=_whoami(access),
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
        return graph_connect.refresh(access, now, url, "th_refresh_token")


def _base(access: Access) -> str:
    return f"{access.base_url}/v1.0"


def _yard(post: Outgoing, access: Access) -> containers.Yard:
    """Replies have a quota of their own."""
    reply = "reply_" if post.reply_to else ""
    return containers.Yard(
        base=_base(access),
        account="me",
        edge="threads",
        state="status",
        why="error_message",
        quota="threads_publishing_limit",
        usage=f"{reply}quota_usage",
        config=f"{reply}config",
        listed=functools.partial(_listed, post, access),
        not_ready=_NOT_READY,
    )


def _listed(post: Outgoing, access: Access, since: dt.datetime) -> Sent | Absent | CannotTell:
    """Search own posts, or own replies where this is a part of a thread."""
    if post.reply_to and not graph.granted(access, _REPLIES):
        return CannotTell("Botschaft may not read the account's replies")
    edge = "replies" if post.reply_to else "threads"
    return graph.seek(f"{_base(access)}/me/{edge}", access, _NAMES, post, since)


def _fields(post: Outgoing, alt_limit: int) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The items of a carousel, and the post itself.

    The first hashtag becomes the topic; said aloud, so that none is guessed from the text.
    """
    whole = {"text": post.text}
    if topic := _TOPIC.search(post.text):
        whole["topic_tag"] = topic[1]
    if post.reply_to:
        whole["reply_to_id"] = post.reply_to
    if not post.pictures:
        link = {"link_attachment": post.link.url} if post.link else {}
        return [], {"media_type": "TEXT", **whole, **link}
    if len(post.pictures) == 1:
        return [], {**_image(post.pictures[0], alt_limit), **whole}
    items = [
        {**_image(picture, alt_limit), "is_carousel_item": "true"} for picture in post.pictures
    ]
    return items, {"media_type": "CAROUSEL", **whole}


def _image(picture: Picture, alt_limit: int) -> dict[str, str]:
    alt = {"alt_text": picture.alt[:alt_limit]} if picture.alt else {}
    return {"media_type": "IMAGE", "image_url": picture.url, **alt}


def _scopes(access: Access) -> list[str]:
    """What the person really granted. Raises WireError."""
    answer = graph.ask(
        "GET",
        f"{_base(access)}/debug_token",
        access,
        {"input_token": access.secrets["access_token"]},
    )
    found = graph.read(answer).get("data")
    return graph_connect.scopes_of(found.get("scopes") if isinstance(found, dict) else None)


def _whoami(access: Access) -> Identity:
    """Whose token this is. Raises WireError."""
    answer = graph.ask("GET", f"{_base(access)}/me", access, {"fields": "id,username,name"})
    found = graph.read(answer)
    name = answers.printable(graph_connect.text(found, "username"))[:100]
    return Identity(
        remote_id=answers.proof(graph_connect.text(found, "id"), None).remote_id,
        handle=f"@{name}",
        display_name=answers.printable(str(found.get("name") or name))[:200],
        url=f"https://www.threads.com/@{name}",
    )
