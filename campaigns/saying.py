"""A post's state and an ending's effect in plain words, with what speaks against all that waits."""

import datetime as dt
from dataclasses import dataclass
from typing import Self

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations import instance, limits

from .models import Delivery, Post, Programme


@dataclass(frozen=True)
class Outlook:
    """What keeps waiting posts from leaving now, read once for a whole page.

    ``stopped``: a sentence when nothing leaves at all, else empty. ``silent``: networks' hosts
    that answer nothing, as ``(network, address)``, with the moment since when.
    """

    stopped: str
    silent: dict[tuple[str, str], dt.datetime]

    @classmethod
    def now(cls) -> Self:
        """Read it."""
        stopped = ""
        if Programme.the().is_held:
            stopped = _("Stopped: everything is on hold. Nothing leaves.")
        elif instance.stopped():
            stopped = _("Waits until an administrator has confirmed this installation.")
        return cls(stopped, limits.silent())


def plain_state(post: Post, delivery: Delivery | None, outlook: Outlook) -> tuple[str, str]:
    """A post's state as ``(ok|warn|no|wait, sentence)``."""
    if delivery is None and _is_held(post):
        return "warn", _("Handed to you. Now it is on hold: please do not post it.")
    if delivery is None:
        return "ok", _("Handed to you.")
    match delivery.state:
        case "queued":
            return _queued(post, delivery, outlook)
        case "unknown" if delivery.look_at:
            return "wait", _("We do not know yet whether it arrived. We are looking.")
        case "unknown":
            return "warn", _("We do not know whether it arrived. Please look yourself.")
        case "sent" if delivery.removed_at:
            return "ok", _("Deleted at the network, as you wished.")
        case "sent" if delivery.gone_at:
            return "no", _("Is no longer there.")
        case "cancelled":
            return _cancelled(delivery)
    sentences = {
        "sending": ("wait", _("Is on its way.")),
        "sent": ("ok", _("Is out.")),
        "failed": ("no", _("Was not published.")),
    }
    return sentences[delivery.state]


def _is_held(post: Post) -> bool:
    suggestion = post.suggestion
    return bool(suggestion and (suggestion.is_held or suggestion.topic.is_held))


def _queued(post: Post, delivery: Delivery, outlook: Outlook) -> tuple[str, str]:
    if _is_held(post):
        return "warn", _("Stopped: the topic is on hold. Nothing leaves.")
    if outlook.stopped:
        return "warn", outlook.stopped
    if delivery.blocked in {Delivery.Blocked.APPROVAL, Delivery.Blocked.BUDGET}:
        return "wait", _("Waits: %(why)s.") % {"why": delivery.get_blocked_display()}
    if delivery.blocked == Delivery.Blocked.QUARANTINED:
        return "warn", _("Waits for you: our side broke off three times.")
    if delivery.blocked:
        return "warn", _("Waits for you: %(why)s.") % {"why": delivery.get_blocked_display()}
    since = outlook.silent.get((delivery.account.network, delivery.account.base_url))
    if since:
        return "wait", _("The network answers nothing since %(at)s. It leaves when it answers.") % {
            "at": f"{timezone.localtime(since):%H:%M}"
        }
    if delivery.reason == "slot_not_open":
        return "wait", _("Waits until the takeover is released.")
    if delivery.reason == "operator":
        return "wait", _("Waits until an administrator has mended the company's access.")
    if delivery.reason == "later":
        return "wait", _("The network asked us to wait. We try again by ourselves.")
    return "wait", _("Waits for its moment.")


def _cancelled(delivery: Delivery) -> tuple[str, str]:
    match delivery.reason:
        case "left_unknown":
            return "warn", _("You left it as it is. Whether it is there we do not know.")
        case "edited":
            return "no", _("Replaced by your newer text. It never left.")
        case "declined":
            return "no", _("Given back: %(why)s") % {"why": delivery.detail}
        case "thread" | "thread_stopped":
            return "no", _("Taken back with its thread. It never left.")
        case "disconnected":
            return "no", _("Stopped, because the account was disconnected. It never left.")
        case "consent":
            return "no", _("Stopped, because you no longer let us publish. It never left.")
        case "takeover":
            return "no", _("Stopped, because the takeover is over. It never left.")
        case "not_editor":
            return "no", _("Stopped, because you no longer write for this channel. It never left.")
    return "no", _("Taken back. It never left.")


def what_now(post: Post, delivery: Delivery | None) -> str:
    """Why a post stands as it does and what happens next; empty when its state says it all."""
    if delivery is None:
        return ""
    match delivery.state:
        case "failed":
            return _why_failed(delivery)
        case "sending":
            return _("This takes a few seconds. Load the page again then.")
        case "sent" if delivery.gone_at and not delivery.removed_at:
            return _("You or the network took it away there; we cannot tell which.")
        case "queued" if _is_held(post):
            return _("After the release it leaves at its moment. If that has passed, we ask you.")
        case "queued" if delivery.blocked == Delivery.Blocked.TIME_OFF:
            return _("You wanted to look before it leaves. Look at it, then let it go.")
        case "queued":
            return _what_unblocks(delivery)
    return ""


def _what_unblocks(delivery: Delivery) -> str:
    match delivery.blocked:
        case "reconnect" if delivery.account.reconnect_reason and not delivery.account.person_id:
            return _("An administrator connects the channel again; then send it here.")
        case "reconnect" if delivery.account.reconnect_reason:
            return _("Connect the account again, then come back here and send it.")
        case "reconnect":
            return _("The account works again. Send it when you like.")
        case "consent":
            return _("Allow publishing under Accounts and consents, then come back and send it.")
        case "quarantined":
            return _("This is our fault, not yours. Try once more, or post it by hand.")
        case "budget":
            return _("It does not leave by itself. Try again next month, or post it by hand.")
        case "picture":
            return _("Take it back and share it anew, or send it once the picture is mended.")
        case "guideline":
            return _(
                "Publishing for you waits until you have read and confirmed a guideline. Then it"
                " leaves by itself, unless its time is over. Copying and opening work as always."
            )
        case "approval":
            return _("Once approved, it leaves at its moment. If not, you read here why.")
    return ""


# What networks' refusals have in common, by words in their own sentences and in ours.
_TWICE = ("duplicate", "already")
_TOO_LONG = ("character limit", "too long", "exceed", "maximum length")
_MEDIA = ("picture", "image", "media", "photo", "document")
_NOT_ALLOWED = ("403", "forbidden", "suspend", "permitted", "may not")


def _why_failed(delivery: Delivery) -> str:
    """Why a post was not published, in our words; a network's own where we have none."""
    if delivery.reason == "expired":
        return _("It could not leave before its time was over, so it was not sent.")
    if delivery.reason == "changed":
        return _("Its text was changed outside of Botschaft, so it was not sent. Tell your admins.")
    said = delivery.detail.lower()
    if any(word in said for word in _MEDIA):
        return _("The network could not use the picture or document.")
    if any(word in said for word in _TWICE):
        return _("The network has this text from you already and takes it only once.")
    if any(word in said for word in _TOO_LONG):
        return _("The network says that it is too long.")
    if any(word in said for word in _NOT_ALLOWED):
        return _("The network does not let this account post it. Look there first.")
    if said:
        return _("The network did not take it. It says: %(words)s") % {"words": delivery.detail}
    return _("The network did not take it and does not say why.")


def taken_back(count: int) -> str:
    """How many queued posts an ending took back."""
    return ngettext(
        "%(n)s waiting post was taken back.", "%(n)s waiting posts were taken back.", count
    ) % {"n": count}


def on_its_way(count: int) -> str:
    """How many posts an ending came too late for."""
    return ngettext(
        "%(count)s post was already on its way.",
        "%(count)s posts were already on their way.",
        count,
    ) % {"count": count}
