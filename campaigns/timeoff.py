"""Time off: from a day to a day nothing reaches the person, and nothing of theirs leaves.

Nobody else sees it, so nothing of it stands in the record of switches.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors.models import Person, TimeOff

from . import hours, queue, wallclock
from .models import Delivery, TimeOffer
from .refusals import FieldRefused

LONGEST = 366  # days
_LOOK = dt.timedelta(days=14)  # as long a waiting post may still be sent after the return
# Nothing keeps them, or only what ends without a look at the post: a yes, or a new key.
_LEAVE_BY_THEMSELVES = {
    Delivery.Blocked.NOT,
    Delivery.Blocked.GUIDELINE,
    Delivery.Blocked.RECONNECT,
}


class TimeOffRefused(FieldRefused):
    """No time off was named; the sentence belongs beside ``field``."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The time off, and what became of the posts in it."""

    off: TimeOff
    moved: int
    waiting: int


def current(person: Person, now: dt.datetime) -> TimeOff | None:
    """The time off that stands, running or to come; None when it is over or there is none."""
    today = person.local(now).date()
    return TimeOff.objects.standing().filter(person=person, until_on__gte=today).first()


def running(person: Person, now: dt.datetime) -> TimeOff | None:
    """The time off in which the person's today lies."""
    return TimeOff.objects.on(person.local(now).date()).filter(person=person).first()


@transaction.atomic
def take(*, by: Person, from_on: dt.date, until_on: dt.date, posts: str, now: dt.datetime) -> Taken:
    """Name a time off. Raises :class:`TimeOffRefused`.

    Effects in order: the one named before ends, the new one is written, posts on the person's own
    accounts move out of it: those of each day to the next working day after it at their hour, so
    that they do not pile up on the first. Where the person wants to look first, or the suggestion
    ends before, they wait there.
    """
    today = by.local(now).date()
    if until_on < from_on:
        raise TimeOffRefused("until_on", _("The last day lies before the first."))
    if until_on < today:
        raise TimeOffRefused("until_on", _("These days are over already."))
    if (until_on - max(from_on, today)).days > LONGEST:
        raise TimeOffRefused("until_on", _("At most a year, please."))
    if posts not in TimeOff.Posts.values:
        raise TimeOffRefused("posts", _("Say what becomes of your posts."))
    Person.objects.select_for_update().get(pk=by.pk)  # two tabs: one after the other
    TimeOff.objects.standing().filter(person=by).update(ended_at=now)
    off = TimeOff.objects.create(
        person=by, from_on=from_on, until_on=until_on, posts=posts, said_at=now
    )
    moved, waits = _clear(off, by, now)
    return Taken(off, moved, waits)


def _clear(off: TimeOff, by: Person, now: dt.datetime) -> tuple[int, int]:
    """Move what would leave in the time off; returns how many moved and how many wait.

    What is due already and waits for its network counts for today.
    """
    mine, today, moved, waits = hours.of(by, now), by.local(now).date(), 0, 0
    rows = queue.unbegun(by, now).filter(account__person=by).select_related("post__suggestion")
    day, before = off.until_on, None
    for row in rows:
        on = max(by.local(row.due_at).date(), today)
        if not off.from_on <= on <= off.until_on:
            continue
        if on != before:
            before, day = on, mine.working_day_after(day)
        looks = _move(row, off, by, day, now)
        moved, waits = moved + (looks is False), waits + (looks is True)
    return moved, waits


def _move(row: Delivery, off: TimeOff, by: Person, day: dt.date, now: dt.datetime) -> bool | None:
    """Move a post to a day at its hour; tells whether it waits there, None when it had begun."""
    wall = dt.datetime.combine(day, by.local(row.due_at).time())
    at = wallclock.read(wall.isoformat(), by.zone).at
    ends = row.post.suggestion.expires_at if row.post.suggestion else None
    by_itself = row.blocked in _LEAVE_BY_THEMSELVES
    looks = by_itself and (off.posts == TimeOff.Posts.WAIT or bool(ends and at >= ends))
    if looks:
        blocked = Delivery.Blocked.TIME_OFF
        done = queue.move(row, at, now, due=True, patience=_LOOK, blocked=blocked, reason="")
    else:
        done = queue.move(row, at, now, due=True)
    if done:
        TimeOffer.objects.filter(delivery=row, answer="").delete()
    return looks if done else None


def put_off(row: Delivery, now: dt.datetime) -> None:
    """Move a post that became due in its person's time off behind it, as :func:`take` does.

    The start calls it for what :func:`take` found in flight and a network gave back later.
    """
    by = row.post.person
    if off := running(by, now):
        _move(row, off, by, hours.of(by, now).working_day_after(off.until_on), now)


@transaction.atomic
def come_back(*, by: Person, now: dt.datetime) -> bool:
    """End it early or take it back; tells whether there was one.

    What waits for a look is asked about at once; what moved keeps its new moment.
    """
    if not TimeOff.objects.standing().filter(person=by).update(ended_at=now):
        return False
    Delivery.objects.filter(
        post__person=by, state="queued", blocked=Delivery.Blocked.TIME_OFF, due_at__gt=now
    ).update(due_at=now, not_after=now + _LOOK)
    return True
