"""What every network file speaks: one post in, one of four results out.

Nothing here knows Django, the database or the clock of the wall. A network file must be readable
alone: what it can do (:class:`Abilities`), how a text is counted, and ``publish``/``look``/
``measure``/``remove``/``whoami``.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Picture:
    """Bytes frozen at approval, already stripped of metadata, with their alternative text."""

    content: bytes
    media_type: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its preview as it was when the person saw it."""

    url: str
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One approved post on its way to one account; equal on every try.

    ``key`` is the delivery's UUID (an idempotency key where the network has one), ``rkey`` a
    Bluesky TID and ``written_at`` the creation time, all fixed at approval. ``text`` is complete:
    disclosure and link are in it. ``first_tried_at`` is when an earlier try may have reached the
    network, None on the first one. ``taken`` are remote ids on the account that are proven to be
    other posts, so that an equal text is never mistaken for this one.
    """

    key: str
    rkey: str
    written_at: dt.datetime
    text: str
    language: str = "de"
    link: Link | None = None
    picture: Picture | None = None
    visibility: str = "public"
    content_warning: str = ""
    first_tried_at: dt.datetime | None = None
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Access:
    """Where and as whom we speak. ``secrets`` never leaves memory."""

    base_url: str
    remote_account_id: str
    handle: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    features: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """How long a send may take, and whether it may still begin.

    ``seconds`` is the total for all calls of one send. ``may_start`` is asked after connect and
    TLS, just before the first byte of the call that creates the post; it raises
    :class:`integrations.wire.GateClosed` when the permission is too old.
    ``now`` is the database's time at the start.
    """

    seconds: float
    may_start: Callable[[], None]
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """The post exists; both are from the network's answer."""

    remote_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Later:
    """Proven not applied. ``wait`` are seconds the network asked for, None for our own back-off.

    ``renew``: the access token had ended; refresh it once before the next try.
    """

    why: str
    wait: float | None = None
    renew: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Proven not applied and repeating will not help.

    ``permanent`` ends the delivery; otherwise a person must act first (reconnect, account
    suspended, server moved) and the delivery waits blocked.
    """

    why: str
    permanent: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Perhaps applied. ``look_after`` seconds until looking or putting again makes sense."""

    why: str
    look_after: float = 90.0


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


@dataclass(frozen=True, slots=True)
class Abilities:
    """Facts about a network, rendered as the matrix in the UI and the docs.

    ``unit`` counts text: ``grapheme``, ``weighted`` (twitter-text) or ``character``. ``url_length``
    is the fixed length of a link, None when it counts in full. ``idempotent`` says whether putting
    again is safe. ``batch`` is how many posts one ``measure`` call may ask for. ``quiet`` are
    seconds to wait after an ambiguous answer.
    """

    name: str
    label: str
    limit: int
    unit: str
    url_length: int | None
    byte_limit: int | None = None
    pictures: int = 0
    picture_bytes: int = 0
    alt_limit: int = 0
    idempotent: bool = False
    can_publish: bool = False
    can_look: bool = False
    can_measure: bool = False
    can_remove: bool = False
    counts: tuple[str, ...] = ()
    batch: int = 1
    quiet: float = 90.0
    intent_url: str = ""


class Network(Protocol):
    """The shape of a network file's class."""

    abilities: Abilities

    def length(self, text: str, *, limits: Mapping[str, int] | None = None) -> int:
        """Count ``text`` as the network counts."""
        ...

    def publish(self, post: Outgoing, access: Access, window: Window) -> Result:
        """Send once. Never retries by itself, never raises for what a network can do."""
        ...

    def look(
        self, post: Outgoing, access: Access, since: dt.datetime
    ) -> Sent | Absent | CannotTell:
        """Search the account for the post of an ambiguous try that began at ``since``."""
        ...

    def measure(self, remote_ids: Sequence[str], access: Access) -> dict[str, Figures]:
        """Read figures of own posts; ids absent in the answer are absent at the network.

        Raises :class:`integrations.wire.WireError` when the network cannot be read.
        """
        ...

    def refresh(
        self, access: Access, now: dt.datetime
    ) -> tuple[dict[str, str], dt.datetime | None] | Refused:
        """Trade the refresh token for new secrets and their end; called under a row lock.

        Networks whose tokens do not end answer ``Refused`` ("reconnect").
        Raises :class:`integrations.wire.WireError` when the network cannot be reached.
        """
        ...

    def remove(self, remote_id: str, access: Access) -> Result:
        """Delete the post at the network, by the person's wish; ``Sent`` means it is gone."""
        ...


class NotAble(Exception):
    """The network does not offer this; the message names what."""
