"""Connections in plain words: what Botschaft may and never does, and why a connection ended."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from . import clients
from .models import ConnectedAccount
from .networks import get
from .networks.base import Network
from .notices import WARNED_BEFORE
from .wire import Blocked, Garbled


@dataclass(frozen=True, slots=True)
class Plain:
    """One connection as its person reads it."""

    account: ConnectedAccount
    may: list[str]
    never: list[str]
    ends_at: dt.datetime | None
    ends_soon: bool
    why_ended: str


def plain(
    account: ConnectedAccount, *, counts: bool, now: dt.datetime, publishes: bool = True
) -> Plain:
    """Say a connection. ``counts``: the person allowed to read the figures of their posts.

    ``publishes``: they allowed to publish for them; a channel needs no such yes.
    """
    ends_at = account.reconnect_by
    return Plain(
        account=account,
        may=_may(account, counts=counts, publishes=publishes),
        never=_never(account, counts=counts, publishes=publishes),
        ends_at=ends_at,
        ends_soon=bool(ends_at and now < ends_at <= now + WARNED_BEFORE),
        why_ended=why_ended(account, now),
    )


def _may(account: ConnectedAccount, *, counts: bool, publishes: bool) -> list[str]:
    """What Botschaft may do there, by the network's abilities and what was granted."""
    able = get(account.network).abilities
    found = []
    if able.can_publish and publishes:
        found.append(
            _("Publish what you share here, when you press the button or at the time you choose.")
            if account.person_id
            else _("Publish what an editor wrote here and somebody else approved.")
        )
    if counts and _granted(account, "can_measure", usual=able.can_measure):
        found.append(_("Count reactions to the posts you made here."))
    if _granted(account, "can_look", usual=able.can_look):
        found.append(_("Look whether your post arrived, when the line broke while sending."))
    if able.can_remove:
        found.append(_("Delete a post you made here, when you ask for it."))
    return found


def _granted(account: ConnectedAccount, name: str, *, usual: bool) -> bool:
    """Tell whether an ability was granted, where a network grants it one by one."""
    said = account.features.get(name)
    return said if isinstance(said, bool) else usual


def _never(account: ConnectedAccount, *, counts: bool, publishes: bool) -> list[str]:
    """What Botschaft does not do there, whatever the network would allow; unallowed first."""
    if account.person_id is None:
        return [
            _("Publish what nobody but its author has seen."),
            _("Like, follow or comment."),
            _("Read messages."),
        ]
    unallowed = []
    if not publishes:
        unallowed.append(_("Publish for you, as long as you have not allowed it."))
    if not counts:
        unallowed.append(_("Count reactions, as long as you have not allowed it."))
    return [
        *unallowed,
        _("Read your timeline or your messages."),
        _("Like, follow or comment."),
        _("See who liked your posts."),
        _("Publish anything you did not share here."),
    ]


def why_ended(account: ConnectedAccount, now: dt.datetime) -> str:
    """Why an account must be connected again, in our words; empty when it works."""
    said = account.reconnect_reason.lower()
    if not said:
        over = account.reconnect_by is not None and account.reconnect_by <= now
        return _("The permission has run out, as this network's permissions do.") if over else ""
    if "moved" in said:
        return _("The server answers from another address. Perhaps it has moved.")
    if any(word in said for word in ("403", "suspend", "disabled", "forbidden", "locked")):
        return _("The network does not let this account post now. Look there first.")
    if any(word in said for word in ("401", "expired", "invalid", "revoked", "reconnect", "grant")):
        return _(
            "The network no longer accepts our key: it ran out, you took it back there, or you"
            " changed your password."
        )
    return _("Botschaft can no longer speak for this account.")


def why_not(error: Exception) -> str:
    """Why connecting did not work, in our words; empty where only the network's own say it."""
    said = str(error)
    sentences = {
        "this is no handle": _("That is no handle. It looks like you.bsky.social."),
        "was not found": _(
            "We could not find this handle. Check how it is written, or try again later."
        ),
        "cannot be found": _(
            "The server was not found. Check how it is written, or try again later."
        ),
        "not an app password": _("That is no app password. One looks like abcd-efgh-2345-ijkl."),
        "permission to post": _("You did not allow posting there, so nothing was connected."),
        "another account": _("That was another account than the one you named."),
        "administer no page": _("You administer no page there, so nothing was connected."),
        "does not exist any more": _("This account is no longer there."),
    }
    found = next((ours for theirs, ours in sentences.items() if theirs in said), "")
    if found:
        return found
    match error:
        case Blocked():
            return _("This address cannot be a server. Write its public name.")
        case Garbled():
            return _("This server answers, but not as one of this network. Check its name.")
    if any(words in said for words in ("does not answer", "did not answer", "broke off")):
        return _("The server does not answer. Nothing was connected; try again later.")
    return ""


def state_of(network: Network) -> str:
    """Whether people can connect there: ``ready``, ``not_set_up`` or ``by_hand``."""
    able = network.abilities
    if able.connect != "oauth":
        return "by_hand"
    if able.app_needed and clients.configured(able.name) is None:
        return "not_set_up"
    return "ready"
