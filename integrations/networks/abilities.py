"""What a network can and may do, as facts: its limits, its price, its words."""

from dataclasses import dataclass


def gettext_noop(text: str) -> str:
    """Mark a sentence for the catalogue; it is translated where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit that the network does not tell in its answers, so we count ourselves.

    ``whose`` as in :class:`Remaining`; ``seconds`` is the window, which begins anew at whole
    multiples of it in UTC (86,400: at midnight UTC).
    """

    whose: str
    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Price:
    """What calls cost the company, in millionths of a US dollar; ``look`` at the most."""

    post: int
    post_with_link: int
    read: int
    look: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """Pictures a network takes: width ÷ height and width in pixels, each from and to."""

    flattest: float
    tallest: float
    narrowest: int
    widest: int


@dataclass(frozen=True, slots=True)
class Abilities:
    """Facts about a network, rendered as the matrix in the UI and the docs.

    ``unit`` counts text: ``grapheme``, ``weighted`` (twitter-text), ``character`` or ``byte``
    (emoji by UTF-8 bytes, as Threads does). ``url_length`` is the fixed length of a link, None
    when it counts in full. ``idempotent`` says whether putting again is safe. ``batch`` is how
    many posts one ``measure`` call may ask for, ``public_figures`` that one call may ask for posts
    of several accounts, and ``readings`` the ages in hours at which a post is read where calls are
    scarce (empty: the usual cadence). ``quiet`` are seconds to wait after an ambiguous answer.
    ``single_use_refresh``: a refresh token that is presented twice ends the session.
    ``connect``: ``oauth``, ``password``, ``own`` or empty (by hand only); ``for_whom``: ``person``
    and ``company``. ``fetches_pictures``: the network reads pictures from our public address.
    ``app_needed``: an operator must register Botschaft there first. ``by_grant``: of
    ``look`` and ``measure``, what the network allows only some apps. ``asks_for``: what people
    name before they leave to say yes, ``server`` (each is an authorisation server of its own) or
    ``handle``. ``hosts``: where its posts stand, beside the account's own. ``activity_url``: where
    people see their own posts, when that is not their profile. ``pitch`` and ``label`` are
    message ids: one sentence for somebody who thinks about connecting.
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
    needs_picture: bool = False
    fetches_pictures: bool = False
    documents: bool = False
    threads: bool = False
    warnings: bool = False
    visibilities: tuple[str, ...] = ()
    identical_texts: bool = True
    idempotent: bool = False
    can_publish: bool = False
    can_look: bool = False
    can_measure: bool = False
    can_converse: bool = False
    can_edit: bool = False
    can_remove: bool = False
    counts: tuple[str, ...] = ()
    batch: int = 1
    public_figures: bool = False
    readings: tuple[int, ...] = ()
    quiet: float = 90.0
    quotas: tuple[Quota, ...] = ()
    price: Price | None = None
    single_use_refresh: bool = False
    connect: str = ""
    for_whom: tuple[str, ...] = ("person",)
    app_needed: bool = False
    intent_url: str = ""
    by_grant: tuple[str, ...] = ()
    asks_for: str = ""
    hosts: tuple[str, ...] = ()
    activity_url: str = ""
    frame: Frame | None = None
    monogram: str = ""
    pitch: str = gettext_noop("You say yes at the network. We never see your password.")
