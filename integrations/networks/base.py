"""What every network file speaks: one post in, one of four results out.

Nothing here knows Django, the database or the clock of the wall. A network file must be readable
alone: what it can do (:class:`Abilities`), and the methods of :class:`Network` it offers.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from integrations.wire import WireError

from .abilities import Abilities

CLIENT_NAME = "Botschaft"  # as networks show it to the person


@dataclass(frozen=True, slots=True)
class Picture:
    """Bytes frozen at approval, already stripped of metadata, with their alternative text.

    ``url`` is a signed public address of the same bytes, for networks that fetch pictures
    themselves; empty where this server cannot be reached from outside.
    """

    content: bytes
    media_type: str
    alt: str
    width: int
    height: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF frozen at approval, with the title a network shows for it."""

    content: bytes
    title: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its preview as it was when the person saw it.

    ``url`` is our tracked address; ``thumb`` the preview's picture where we have one.
    """

    url: str
    title: str = ""
    description: str = ""
    thumb: Picture | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One approved post on its way to one account; equal on every try.

    ``key`` is the delivery's UUID (an idempotency key where the network has one), ``rkey`` a
    Bluesky TID and ``written_at`` the creation time, all fixed at approval. ``text`` is complete:
    disclosure and link are in it. ``first_tried_at`` is when an earlier try may have reached the
    network, None on the first one. ``taken`` are remote ids on the account that are proven to be
    other posts, so that an equal text is never mistaken for this one. ``reply_to`` is the remote
    id of the part before in a thread and ``root`` that of its first part. ``kept`` is what the
    latest ``prepare`` answered (media ids, resolved mentions), JSON and the same on every try.
    """

    key: str
    rkey: str
    written_at: dt.datetime
    text: str
    language: str = "de"
    link: Link | None = None
    pictures: tuple[Picture, ...] = ()
    document: Document | None = None
    visibility: str = "public"
    content_warning: str = ""
    reply_to: str = ""
    root: str = ""
    first_tried_at: dt.datetime | None = None
    taken: frozenset[str] = frozenset()
    kept: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class App:
    """Our registration as a client at one network or server.

    ``options`` are the operator's, from the setting ``<NETWORK>_OPTIONS``: API versions, products
    granted, and ``host.<name>`` to speak to another host than the usual one (tests).
    """

    client_id: str
    client_secret: str = field(repr=False, default="")
    options: Mapping[str, str] = field(default_factory=dict)

    def host(self, name: str, usual: str) -> str:
        """The base address of one of the network's hosts."""
        return self.options.get(f"host.{name}", usual).rstrip("/")


@dataclass(frozen=True, slots=True)
class Access:
    """Where and as whom we speak. ``secrets`` never leaves memory.

    ``features`` is what the account was granted and its server can do, as ``arrive`` found it.
    ``app`` is our registration there, None where the network needs none.
    """

    base_url: str
    remote_account_id: str
    handle: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    features: Mapping[str, object] = field(default_factory=dict)
    app: App | None = None


@dataclass(frozen=True, slots=True)
class Remaining:
    """What an answer said about a limit: calls left, and seconds until it begins anew.

    ``whose``: ``account`` or ``app`` (everybody who posts through this installation).
    """

    whose: str
    left: int
    wait: float


@dataclass(frozen=True, slots=True)
class Window:
    """How long a send may take, and whether it may still begin.

    ``seconds`` is the total for all calls of one send. ``may_start`` is asked after connect and
    TLS, just before the first byte of the call that creates the post; it raises
    :class:`integrations.wire.GateClosed` when the permission is too old.
    ``now`` is the database's time at the start. A network file adds what answers say about its
    limits to ``limits``.
    """

    seconds: float
    may_start: Callable[[], None]
    now: dt.datetime
    limits: list[Remaining] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sent:
    """The post exists; both are from the network's answer."""

    remote_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Later:
    """Proven not applied. ``wait`` are seconds the network asked for, None for our own back-off.

    ``renew``: the access token had ended; refresh it once before the next try. ``whose`` says
    what must wait: this ``account`` or everybody who uses our ``app``.
    """

    why: str
    wait: float | None = None
    renew: bool = False
    whose: str = "account"


@dataclass(frozen=True, slots=True)
class Refused:
    """Proven not applied and repeating will not help.

    ``permanent`` ends the delivery; otherwise a person must act first (reconnect, account
    suspended, server moved) and the delivery waits blocked. With ``whose`` ``app`` that person is
    the operator: nobody's own connection is at fault.
    """

    why: str
    permanent: bool
    detail: str = ""
    whose: str = "account"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Perhaps applied. ``look_after`` seconds until looking or putting again makes sense.

    ``ask``: looking cannot settle it, the person must say.
    """

    why: str
    look_after: float = 90.0
    ask: bool = False


Result = Sent | Later | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Absent:
    """We looked with a working eye and the post is not there."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """The network gave no usable view; only a person can say."""

    why: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What the network counted; None where it does not count this at all."""

    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    quotes: int | None = None
    impressions: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an access belongs to, as the network says. ``remote_id`` is stable, ``handle`` is not."""

    remote_id: str
    handle: str
    display_name: str
    url: str


# Connecting ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trip:
    """One round trip to a network and back, where the person says yes.

    ``state`` and ``verifier`` (PKCE) are ours, one use, ten minutes. ``kept`` is what the network
    file asked to be remembered when it left, sealed meanwhile. ``company``: somebody connects the
    company's account, not their own.
    """

    app: App
    base_url: str
    redirect_uri: str
    state: str
    verifier: str = field(repr=False)
    company: bool = False
    hint: str = ""
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def challenge(self) -> str:
        """What PKCE shows of the verifier beforehand, by the method S256 (RFC 7636)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the person goes, and what to remember until they come back."""

    url: str
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """One account that a yes opened. A yes may open several company accounts.

    ``expires_at`` is the access token's end, ``reconnect_by`` the day on which the person must
    say yes again whatever we do; None when there is no such day.
    """

    identity: Identity
    base_url: str
    secrets: Mapping[str, str] = field(repr=False)
    expires_at: dt.datetime | None = None
    reconnect_by: dt.datetime | None = None
    company: bool = False
    features: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Renewed:
    """New secrets after a refresh."""

    secrets: Mapping[str, str] = field(repr=False)
    expires_at: dt.datetime | None = None
    reconnect_by: dt.datetime | None = None


class NotAble(Exception):
    """The network does not offer this; the message names what."""


class NotConnected(Exception):
    """The connecting did not work; the message is the network's reason."""


class AppGone(WireError):
    """The server has forgotten our registration: register anew and begin again."""


class Network:
    """The shape of a network file's class. What it does not define, it cannot do and says so."""

    abilities: Abilities

    def length(self, text: str) -> int:
        """Count ``text`` as the network counts."""
        raise NotImplementedError

    def prepare(
        self, post: Outgoing, access: Access, window: Window
    ) -> Mapping[str, Any] | Later | Refused:
        """Do what must be done before the post itself: upload media, resolve mentions.

        Returns JSON that becomes ``post.kept`` on this and every later try; the earlier one is in
        ``post.kept``, so a network reuses what still serves. Nothing visible is made here, so
        whatever goes wrong is *not applied*. May raise :class:`integrations.wire.WireError`.
        """
        return {}

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Send once. Never retries by itself, never raises for what a network can do."""
        self._unable("publish")

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """Search the account for the post of an ambiguous try that began at ``since``."""
        self._unable("look")

    def address(self, remote_id: str, access: Access) -> str:
        """The public address of an own post whose publishing answer named none, or empty.

        Asked after the result is written, because nothing may stand between answer and commit.
        Raises :class:`integrations.wire.WireError`.
        """
        return ""

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read figures of own posts; ids absent in the answer are absent at the network.

        Raises :class:`integrations.wire.WireError` when the network cannot be read.
        """
        self._unable("measure")

    def conversations(self, remote_id: str, access: Access) -> int:
        """Count replies of others under a post that its author answered; keeps nothing of them.

        Raises :class:`integrations.wire.WireError` when the network cannot be read.
        """
        self._unable("conversations")

    def edit(self, remote_id: str, text: str, access: Access) -> Result:
        """Replace the text of a post, by the person's wish; ``Sent`` means it is changed."""
        self._unable("edit")

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete the post at the network, by the person's wish; ``Sent`` means it is gone."""
        self._unable("remove")

    def register(self, base_url: str, *, redirect_uri: str, website: str) -> App:
        """Register us as a client of a server, where every server has a registry of its own.

        Raises :class:`integrations.wire.WireError`.
        """
        self._unable("register")

    def depart(self, trip: Trip) -> Departure:
        """Where the person says yes.

        Raises :class:`NotConnected`, :class:`AppGone` or WireError.
        """
        self._unable("depart")

    def arrive(self, trip: Trip, answer: Mapping[str, str], now: dt.datetime) -> list[Grant]:
        """Trade the answer (the callback's query) for accounts with their secrets.

        Raises :class:`NotConnected` (the person said no, or too little), :class:`AppGone` or
        WireError.
        """
        self._unable("arrive")

    def refresh(self, access: Access, now: dt.datetime) -> Renewed | Refused:
        """Trade the refresh token for new secrets; called under a row lock.

        Networks whose tokens do not end answer ``Refused`` ("reconnect"). Raises
        :class:`integrations.wire.NotSent` where the token was certainly not taken (no connection,
        429), any other :class:`integrations.wire.WireError` where it may have been.
        """
        return Refused("reconnect", permanent=False)

    def refreshes_again(self, access: Access) -> bool:
        """Whether the same refresh token may be presented twice: it does not rotate, or has grace.

        Without that, a lost answer means that the person must say yes again.
        """
        return False

    def revoke(self, access: Access) -> None:
        """Give the token back at the network. Raises WireError; nothing to do is no error."""

    def _unable(self, what: str) -> NoReturn:
        message = f"{self.abilities.name}: {what}"
        raise NotAble(message)
