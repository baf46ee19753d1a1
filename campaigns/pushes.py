"""Notifications on devices as one of the ways of the gate. The lock screen learns nothing private.

The text names neither a topic nor a person: whoever sees the phone on the table reads that today's
situation is out, or that something they wrote about is on hold, and no more.
"""

import datetime as dt
import time

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors.models import Person
from integrations import push
from integrations.models import PushDevice
from integrations.push import Push

from . import reaching
from .models import ReachWish, Way

ROUND = 80.0  # seconds; a task may last for two minutes, and the next minute goes on
_FOR_A_DAY = dt.timedelta(hours=8)  # a phone that was off gets no situation of yesterday
_FOR_A_HOLD = dt.timedelta(hours=24)
_ROUND_LASTS = dt.timedelta(minutes=2)  # the service counts from when it gets the message


def has_device(person: Person) -> bool:
    """Tell whether there is a device to notify."""
    return PushDevice.objects.filter(person=person).exists()


def switch_on(*, by: Person, endpoint: str, p256dh: str, auth: str, now: dt.datetime) -> PushDevice:
    """Register a device. The first one tells of holds; the day's situation is chosen beside it.

    Raises NotADevice of :mod:`integrations.push`.
    """
    device = push.register(by=by, endpoint=endpoint, p256dh=p256dh, auth=auth, now=now)
    if not ReachWish.objects.on().filter(person=by, way=Way.PUSH).exists():
        reaching.wish(by=by, way=Way.PUSH, at=None, now=now)
    return device


def switch_off(*, by: Person, endpoint: str) -> bool:
    """Forget a device; with the last one the way ends. Tells whether it was known."""
    known = push.unregister(by=by, endpoint=endpoint)
    if not has_device(by):
        reaching.stop(person=by, way=Way.PUSH)
    return known


def send_due(*, now: dt.datetime) -> int:
    """Notify whom it is due to; returns how many persons were."""
    end = time.monotonic() + ROUND

    def deliver(message: reaching.Message) -> None:
        if time.monotonic() > end:
            why = "the round is over, the next minute goes on"
            raise reaching.NotNow(why)
        _deliver(message)

    return reaching.send_due(way=Way.PUSH, deliver=deliver, now=now)


def _deliver(message: reaching.Message) -> None:
    told = push.send(to=message.person, push=_push(message), now=message.now)
    if told.reached:
        return
    if told.waiting:
        raise reaching.Later
    with translation.override(message.person.language):
        raise reaching.Gone(_("no device takes notifications any more"))


def _kept(message: reaching.Message, most: dt.timedelta) -> dt.timedelta:
    """How long the service keeps it for a phone that is off: until the next quiet hour at most.

    The phone that is on gets it at once, also where that is no time at all.
    """
    if message.until is None:
        return most
    return max(dt.timedelta(), min(most, message.until - message.now - _ROUND_LASTS))


def _push(message: reaching.Message) -> Push:
    with translation.override(message.person.language):
        if message.hold:
            return Push(
                title="Botschaft",
                body=_("A topic you wrote about is on hold."),
                url=reverse("posts"),
                topic=f"hold-{message.hold.pk}",
                ttl=_kept(message, _FOR_A_HOLD),
                urgent=True,
            )
        return Push(
            title="Botschaft",
            body=_("Today’s situation is out."),
            url=reverse("today"),
            topic="day",
            ttl=_kept(message, _FOR_A_DAY),
            urgent=False,
        )
