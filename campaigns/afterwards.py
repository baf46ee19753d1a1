"""What a person does with a post that is out: find it, change it, delete it, say what came back.

Each function speaks to the network outside of any transaction, by the person's wish only, and
writes down afterwards what the network said.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors.models import Person
from integrations import instance, tokens
from integrations.models import ConnectedAccount
from integrations.networks import get
from integrations.networks.base import (
    Absent,
    Access,
    Later,
    NotAble,
    Refused,
    Result,
    Sent,
    Unknown,
)
from integrations.wire import WireError

from . import choices, deliveries, holds, unknowns
from .models import Delivery, FormerText, HoldAnswer, Post
from .outgoings import outgoing
from .share_checks import ShareRefused
from .shares import reworded

# What a person may report; more than this no post ever had.
MOST = 1_000_000_000
REPORTED = ("likes", "reposts", "replies", "impressions")


def hosts(network: str, account: ConnectedAccount | None) -> set[str]:
    """Hosts at which a post of this network may stand; a subdomain of one is fine too."""
    known = set(get(network).abilities.hosts)
    if account:
        known |= {urlsplit(url).hostname or "" for url in (account.profile_url, account.base_url)}
    return {host.removeprefix("www.") for host in known if host}


def check_link(url: str, network: str, account: ConnectedAccount | None) -> str:
    """The link as it may be kept. Raises :class:`ShareRefused` beside the field ``url``."""
    label = get(network).abilities.label
    try:
        parts = urlsplit(url) if len(url) <= 400 else urlsplit("")
        host = (parts.hostname or "").lower()
    except ValueError:
        parts, host = urlsplit(""), ""
    plain = url.isprintable() and not any(char.isspace() for char in url)
    if parts.scheme != "https" or not host or not plain or parts.username is not None:
        raise ShareRefused("url", _("Paste the address of the post; it begins with https://."))
    known = hosts(network, account)
    if known and not any(host == name or host.endswith(f".{name}") for name in known):
        raise ShareRefused(
            "url",
            _("This address is not one of %(network)s. It should begin with https://%(host)s/.")
            % {"network": label, "host": _example(known, account)},
        )
    if len(parts.path.strip("/")) == 0:
        raise ShareRefused("url", _("That is a front page. Open your post and copy its address."))
    return url


def _example(known: set[str], account: ConnectedAccount | None) -> str:
    """The host to name in a sentence: that of the person's own profile, if we know it."""
    profile = (urlsplit(account.profile_url).hostname or "") if account else ""
    own = profile.removeprefix("www.")
    return own if own in known else min(known, key=len)


def there(*, by: Person, delivery: Delivery, url: str, now: dt.datetime) -> bool:
    """The person found an unknown post and shows its link; tells whether that was still open.

    Where the network lets us look, its own answer outweighs the link: found, we keep its id;
    absent, the person is told. Raises :class:`ShareRefused`.
    """
    link = check_link(url, delivery.account.network, delivery.account)
    network = get(delivery.account.network)
    seen: object = None
    able = network.abilities
    if able.can_look and not instance.stopped() and unknowns.paid(able, now):
        try:
            access = tokens.open_access(delivery.account, now=now)
            since = delivery.first_tried_at or now
            seen = network.look(outgoing(delivery), access, since)
        except (tokens.NoToken, WireError):
            seen = None
    if isinstance(seen, Absent):
        raise ShareRefused(
            "url",
            _("We looked just now and your account does not show this post. Is the link right?"),
        )
    if isinstance(seen, Sent) and not deliveries.proves_another(delivery, seen.remote_id):
        return deliveries.mark_sent(delivery, seen.remote_id, seen.url or link, now=now)
    return choices.say_it_is_there(by=by, delivery=delivery, url=link, now=now)


def change(*, by: Person, post: Post, text: str, now: dt.datetime) -> None:
    """Change a published post at the network; what it said before is kept as proof.

    Raises :class:`ShareRefused` with what the network said.
    """
    delivery = post.delivery
    changes = reworded(post, text, delivery.account)
    network = get(post.network)
    access = _open(delivery, by, now)
    try:
        result = network.edit(delivery.remote_id, changes["full_text"], access)
    except (WireError, NotAble) as error:
        result = Unknown(str(error))
    _must_be_done(result, network.abilities.label)
    with transaction.atomic():
        FormerText.objects.create(
            post=post, full_text=post.full_text, sha256=post.sha256, until=now
        )
        Post.objects.filter(pk=post.pk).update(**changes)
        holds.answer(by=by, post=post, how=HoldAnswer.Answer.EDITED, now=now)


def remove(*, by: Person, post: Post, now: dt.datetime) -> None:
    """Delete a published post at the network. Raises :class:`ShareRefused`."""
    delivery = post.delivery
    network = get(post.network)
    access = _open(delivery, by, now)
    try:
        result = network.remove(delivery.remote_id, access)
    except (WireError, NotAble) as error:
        result = Unknown(str(error))
    _must_be_done(result, network.abilities.label)
    removed(by=by, post=post, now=now)


@transaction.atomic
def removed(*, by: Person, post: Post, now: dt.datetime) -> None:
    """Note that a post was deleted at the network: by us, or by its person's own hand.

    No audit entry: the row tells its person, and nobody else needs to know.
    """
    Delivery.objects.filter(post=post, state="sent").update(
        removed_at=now, measure_at=None, converse_at=None
    )
    holds.answer(by=by, post=post, how=HoldAnswer.Answer.REMOVED, now=now)


def may_change(post: Post) -> bool:
    """Tell whether Botschaft changes the post there: never a channel's, two people agreed on it."""
    return get(post.network).abilities.can_edit and post.delivery.account.person_id is not None


def _open(delivery: Delivery, by: Person, now: dt.datetime) -> Access:
    """The key to change or delete a post that is out. Raises :class:`ShareRefused`."""
    if instance.stopped():
        raise ShareRefused("", _("Waits until an administrator has confirmed this installation."))
    if delivery.state != "sent":
        raise ShareRefused("", _("This is not possible any more."))
    if not ConnectedAccount.objects.usable_by(by).filter(pk=delivery.account_id).exists():
        raise ShareRefused("", _("You may not write for this account any more."))
    if delivery.remote_id.startswith("https://"):  # the link the person found, no network's id
        raise ShareRefused("", _("We know only the link you gave us. Please do it there yourself."))
    try:
        return tokens.open_access(delivery.account, now=now)
    except (tokens.NoToken, WireError) as error:
        raise ShareRefused(
            "",
            _("%(account)s must be connected again first.") % {"account": delivery.account.handle},
        ) from error


def _must_be_done(result: Result, label: str) -> None:
    """Say in a sentence what a network answered, unless it did what was asked."""
    match result:
        case Sent():
            return
        case Later():
            sentence = _("%(network)s asks us to wait. Nothing was changed; try again later.")
        case Refused():
            sentence = _("%(network)s refused. Please do it there yourself.")
        case Unknown():
            sentence = _("%(network)s gave no clear answer. Look there before you try again.")
    raise ShareRefused("", sentence % {"network": label})


@dataclass(frozen=True, slots=True)
class Report:
    """What a person read off the network themselves; None where they left a field empty."""

    figures: Mapping[str, int | None]
    url: str = ""


def read_report(form: Mapping[str, str], post: Post) -> tuple[Report, dict[str, str]]:
    """Read a typed report; returns it with one sentence for each field that cannot be used."""
    figures: dict[str, int | None] = {}
    errors: dict[str, str] = {}
    for name in REPORTED:
        typed = form.get(name, "").strip()
        if typed and not (typed.isascii() and typed.isdecimal() and len(typed) < 20):
            errors[name] = _("Write a whole number, or leave it empty.")
        elif typed and int(typed) > MOST:
            errors[name] = _("That is more than any post ever had.")
        else:
            figures[name] = int(typed) if typed else None
    url = form.get("url", "").strip()
    if url:
        account = post.delivery.account if hasattr(post, "delivery") else None
        try:
            check_link(url, post.network, account)
        except ShareRefused as refused:
            errors["url"] = refused.sentence
    if not errors and not url and all(n is None for n in figures.values()):
        errors["likes"] = _("Nothing is filled in yet.")
    return Report(figures, url), errors


def report(*, by: Person, post: Post, said: Report, now: dt.datetime) -> None:
    """Keep figures that the person typed in; only they ever see them one by one.

    An empty field keeps what was known; a network's own reading later outweighs all of it.
    """
    changes: dict[str, object] = {k: v for k, v in said.figures.items() if v is not None}
    if said.url:
        changes["reported_url"] = said.url
    Post.objects.of(by).filter(pk=post.pk, measured_at__isnull=True).update(
        reported_at=now, **changes
    )
