"""When posts leave: a good time for one, and a pile of them spread.

A person's own moment is never moved by anybody else. What was left to us may be; where a pile is
made of chosen moments, its people are asked, once. All stay outside of quiet hours on the person's
own clock and before the suggestion's end.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ambassadors import anonymity, audit
from ambassadors.models import Person

from . import habits, holds, hours, queue
from .hours import Calendar, Hours
from .models import Delivery, Programme, Spread, SpreadMove, Suggestion, TimeOffer, Topic
from .share_checks import ShareRefused

HOUR = dt.timedelta(hours=1)
UNDO = dt.timedelta(minutes=5)
PILE = 5  # more posts than this on a topic within an hour are a pile
_STEP = dt.timedelta(minutes=15)
_TOGETHER, _IN_HOUR = 2, 4  # posts on a topic within a step and an hour that nobody notices
_AHEAD = dt.timedelta(days=4)  # over a weekend
_DAY = dt.timedelta(days=1)
_REST = dt.timedelta(days=60)  # of holidays and time off that are passed over
_SOON = dt.timedelta(minutes=10)  # a worker may hold it already
_MOST = 500


class NoPile(Exception):
    """Nothing is to be spread there; the message says why."""


class Load:
    """How many posts on a topic are planned, by quarters of an hour and by hours of UTC."""

    def __init__(self, topic: int, begin: dt.datetime) -> None:
        rows = Delivery.objects.filter(
            state="queued",
            due_at__gte=_hour(begin),
            due_at__lt=begin + _AHEAD,
            post__suggestion__topic=topic,
            post__part=0,
        )
        self.steps: Counter[dt.datetime] = Counter()
        self.hours: Counter[dt.datetime] = Counter()
        for at in rows.values_list("due_at", flat=True):
            self.add(at, 1)

    def add(self, at: dt.datetime, count: int) -> None:
        """Note posts at a moment, or, with a negative count, that they are gone from it."""
        self.steps[_step(at)] += count
        self.hours[_hour(at)] += count

    def crowded(self, at: dt.datetime) -> bool:
        """Tell whether more leave then than nobody notices."""
        return self.steps[_step(at)] > _TOGETHER or self.hours[_hour(at)] > _IN_HOUR

    def has_room(self, at: dt.datetime) -> bool:
        """Tell whether one more could leave then without a crowd."""
        return self.steps[_step(at)] < _TOGETHER and self.hours[_hour(at)] < _IN_HOUR


def _step(at: dt.datetime) -> dt.datetime:
    return _hour(at) + at.minute // 15 * _STEP


def _hour(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def _steps(begin: dt.datetime, end: dt.datetime) -> Iterator[dt.datetime]:
    """Full quarters of an hour from ``begin`` on, before ``end``."""
    at = _step(begin)
    while at < end:
        if at >= begin:
            yield at
        at += _STEP


def _free(
    hours: Hours,
    load: Load,
    *,
    begin: dt.datetime,
    end: dt.datetime | None,
    habit: habits.Habit | None = None,
) -> dt.datetime | None:
    """The first quarter with room outside of quiet hours, within a ``habit`` if one is given.

    None when there is none before ``end`` and within four days, holidays and time off left out.
    """
    last = _after_rest(hours, begin) + _AHEAD
    last = min(end, last) if end else last
    steps = (at for at in _steps(begin, last) if load.has_room(at) and not hours.quiet(at))
    return next((at for at in steps if habit is None or habit.holds(at, hours.zone)), None)


def _after_rest(hours: Hours, begin: dt.datetime) -> dt.datetime:
    """``begin``, or the day after the time off or the holidays in which it lies."""
    at = begin
    while at < begin + _REST and hours.resting(at.astimezone(hours.zone).date()):
        at += _DAY
    return at


@dataclass(frozen=True, slots=True)
class GoodTime:
    """A moment, and in one sentence why it is a good one."""

    at: dt.datetime
    why: str


def good_time(*, suggestion: Suggestion, person: Person, now: dt.datetime) -> GoodTime:
    """The next moment outside quiet hours at which few others speak on the topic.

    Where the person's own posts show when talks with them begin, such a moment comes first.
    Raises :class:`ShareRefused` when the suggestion ends before there is one.
    """
    mine, load = hours.of(person, now), Load(suggestion.topic_id, now)
    begin, end = now + _SOON, suggestion.expires_at
    habit = habits.of(person, now)
    if habit and (at := _free(mine, load, begin=begin, end=end, habit=habit)):
        return GoodTime(at, habit.sentence)
    found = _free(mine, load, begin=begin, end=end)
    if found is None:
        sentence = _("There is no good time left before this suggestion ends. Choose one yourself.")
        raise ShareRefused("at", sentence)
    return GoodTime(found, _("Outside of your quiet hours, when few others speak about it."))


def pile(topic: int, hour: dt.datetime) -> "QuerySet[Delivery]":
    """First parts of posts on a topic that are planned within an hour and wait for nothing else."""
    return Delivery.objects.filter(
        state="queued",
        blocked="",
        due_at__gte=hour,
        due_at__lt=hour + HOUR,
        post__suggestion__topic=topic,
        post__part=0,
    )


@transaction.atomic
def spread(*, topic: Topic, hour: dt.datetime, by: Person, now: dt.datetime) -> Spread:
    """Draw a pile apart. Raises :class:`NoPile`.

    Effects in order: the rows that a hold would write are shared, so nothing held is moved; posts
    whose moment was left to us move to the next quarter with room; the people of those that are
    still too many are offered another moment. How many of each nobody is told: a group of fewer
    than five could stand behind it.
    """
    if holds.bars(topic.pk):
        raise NoPile(_("On hold: left as it is."))
    rows = list(
        pile(topic.pk, max(hour, now + _SOON))
        .filter(due_at__lt=hour + HOUR)
        .select_related("post__person", "post__suggestion")
        .order_by("due_at", "pk")[:_MOST]
    )
    if not anonymity.shown(len({row.post.person_id for row in rows})):
        raise NoPile(_("There is no pile any more."))
    _share_suggestions(rows)
    calendar = Calendar(Programme.the(), now, [row.post.person for row in rows])
    load = Load(topic.pk, hour)
    done = Spread.objects.create(topic=topic, by=by, at=now)
    offers, moves = [], []
    for row in sorted(rows, key=lambda row: not row.movable):
        suggestion = row.post.suggestion
        if suggestion is None or suggestion.is_held or not load.crowded(row.due_at):
            continue
        at = _free(
            calendar.of(row.post.person),
            load,
            begin=row.due_at,
            end=suggestion.expires_at,
        )
        if at is None or (row.movable and not queue.move(row, at, now)):
            continue
        if row.movable:
            moves.append(SpreadMove(spread=done, delivery=row, before=row.due_at, after=at))
        else:
            offers.append(TimeOffer(delivery=row, spread=done, at=at, made_at=now))
        load.add(row.due_at, -1)
        load.add(at, 1)
    SpreadMove.objects.bulk_create(moves)
    TimeOffer.objects.bulk_create(offers, ignore_conflicts=True)
    audit.record("spread", topic, by=by, now=now, hour=hour.isoformat())
    return done


def undoable(person: Person, now: dt.datetime) -> Spread | None:
    """The person's last spread while it can be undone."""
    fresh = Spread.objects.filter(by=person, at__gt=now - UNDO, undone_at__isnull=True)
    return fresh.select_related("topic").first()


@transaction.atomic
def gather(*, done: Spread, by: Person, now: dt.datetime) -> None:
    """Undo a spread: what still waits where it put it goes back, and nobody is asked any more.

    What would go back into quiet hours or a time off that its person has set since stays.
    Raises :class:`NoPile` after five minutes, for somebody else's, the second time, and on hold.
    """
    mine = Spread.objects.filter(pk=done.pk, by=by, at__gt=now - UNDO, undone_at__isnull=True)
    if not mine.update(undone_at=now):
        raise NoPile(_("This cannot be undone any more: five minutes have passed."))
    if holds.bars(done.topic_id):
        raise NoPile(_("On hold: left as it is."))
    moves = done.moves.select_related("delivery__post__person")
    calendar = Calendar(Programme.the(), now, [move.delivery.post.person for move in moves])
    for move in moves:
        if (move.delivery.due_at, move.delivery.blocked) != (move.after, ""):
            continue
        quiet = calendar.of(move.delivery.post.person).quiet(move.before)
        if move.before > now + _SOON and not quiet:
            queue.move(move.delivery, move.before, now)
    TimeOffer.objects.filter(spread=done, answer="").delete()
    audit.record("spread.undone", done.topic, by=by, now=now)


def _share_suggestions(rows: Sequence[Delivery]) -> None:
    """Lock the suggestions against a hold and read what one has written meanwhile."""
    ids = sorted({row.post.suggestion_id for row in rows if row.post.suggestion_id})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, held_at FROM campaigns_suggestion WHERE id = ANY(%s) ORDER BY id FOR SHARE",
            [ids],
        )
        held = dict(cursor.fetchall())
    for row in rows:
        if row.post.suggestion:
            row.post.suggestion.held_at = held[row.post.suggestion.pk]


@transaction.atomic
def answer(*, delivery: Delivery, take: bool, by: Person, now: dt.datetime) -> bool:
    """What the person says to another moment; tells whether it was still in time."""
    open_offer = TimeOffer.objects.filter(
        delivery=delivery, delivery__post__person=by, answer="", at__gt=now
    )
    offer = open_offer.first()
    if offer is None or not open_offer.update(answer="taken" if take else "kept"):
        return False
    moved = not take or queue.move(delivery, offer.at, now)
    if not moved:
        transaction.set_rollback(True)
    return moved
