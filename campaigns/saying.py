"""A post's state in plain words, with what speaks against everything that waits."""

import datetime as dt
from dataclasses import dataclass
from typing import Self

from django.utils import timezone
from django.utils.translation import gettext as _

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
            return "no", _("Is no longer there; somebody deleted it at the network.")
        case "cancelled":
            return _cancelled(delivery)
    sentences = {
        "sending": ("wait", _("Is on its way.")),
        "sent": ("ok", _("Is out.")),
        "failed": ("no", _("Was not published. Your text is safe.")),
    }
    return sentences[delivery.state]


def _queued(post: Post, delivery: Delivery, outlook: Outlook) -> tuple[str, str]:
    suggestion = post.suggestion
    if suggestion and (suggestion.is_held or suggestion.topic.is_held):
        return "warn", _("Stopped: the topic is on hold. Nothing leaves.")
    if outlook.stopped:
        return "warn", outlook.stopped
    if delivery.blocked in {Delivery.Blocked.APPROVAL, Delivery.Blocked.BUDGET}:
        return "wait", _("Waits: %(why)s.") % {"why": delivery.get_blocked_display()}
    if delivery.blocked:
        return "warn", _("Waits for you: %(why)s.") % {"why": delivery.get_blocked_display()}
    since = outlook.silent.get((delivery.account.network, delivery.account.base_url))
    if since:
        return "wait", _("The network answers nothing since %(at)s. It leaves when it answers.") % {
            "at": f"{timezone.localtime(since):%H:%M}"
        }
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
    return "no", _("Taken back. It never left.")
