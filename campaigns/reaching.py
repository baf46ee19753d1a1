"""The one gate for everything that reaches people outside of Botschaft: mail, Slack, push.

Nobody is written to who did not ask for it. One message a day at most, by one way, when today's
issue is out and the person's time has come; beyond that only a hold that concerns a post of
theirs. Quiet hours, free days, time off and absence are respected by both.

A way plugs in with one function and one line in a task::

    def deliver(message: reaching.Message) -> None:
        ...  # message.person, message.wish, and message.issue or message.hold

    reaching.send_due(way=Way.PUSH, deliver=deliver, now=now)

The gate finds whom it is due to, claims each message in the database before it leaves, and asks
once more, with the rows locked, whether it is still wanted. ``deliver`` returns when the message
left or perhaps left. It raises :class:`NotNow` only when surely nothing did (:class:`Later`: to
this one person), :class:`Gone` when that address is no more. Settings: :func:`wish`, :func:`stop`.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef

from ambassadors.models import Absence, Person

from . import holds, hours
from .hours import Calendar
from .models import Briefing, HoldRecord, Programme, Reached, ReachWish

log = logging.getLogger(__name__)
AT_ONCE = 1000  # messages of one round by one way; the next minute brings the next
HOLD_TOLD = dt.timedelta(days=3)  # an older hold is on Today, and is no news
_DAY = dt.timedelta(days=1)
# People alike in these have the same hours.
_ALIKE = ("timezone", "site_id", "quiet_from_hour", "quiet_until_hour", "quiet_free_days")
_STILL_WANTED = """
SELECT 1 FROM campaigns_reachwish w JOIN ambassadors_person p ON p.id = w.person_id
WHERE w.person_id = %s AND w.way = %s AND w.off_at IS NULL AND (w.at IS NOT NULL OR %s)
  AND p.left_at IS NULL AND p.is_active FOR SHARE OF w
"""
_STILL_OUT = "SELECT 1 FROM campaigns_briefing WHERE id = %s AND published_at IS NOT NULL FOR SHARE"
_STILL_HELD = "SELECT 1 FROM campaigns_holdrecord WHERE id = %s AND released_at IS NULL"


class NotNow(Exception):
    """Surely nothing left; the message is free again, and nobody else is tried in this round."""


class Later(Exception):
    """Surely nothing left to this one person yet; the message is free again, the others go on."""


class Gone(Exception):
    """Nothing arrives at this address any more; the message says why, for the person."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is due to one person by one way: the day's issue, or a hold that concerns them.

    ``until`` is the person's next quiet moment, a day ahead at most: what a service keeps for a
    device that is off must be gone by then.
    """

    person: Person
    wish: ReachWish
    now: dt.datetime
    issue: Briefing | None = None
    hold: HoldRecord | None = None
    until: dt.datetime | None = None


Deliver = Callable[[Message], None]


@transaction.atomic
def wish(
    *, by: Person, way: str, at: dt.time | None, now: dt.datetime, address: str = ""
) -> ReachWish:
    """Let us write by a way: daily, not before ``at`` on the person's clock, or only of holds.

    The day's message comes by one way; the one before keeps the holds only. What we had turned off
    is on again.
    """
    Person.objects.select_for_update().get(pk=by.pk)  # two tabs: one after the other
    mine = ReachWish.objects.filter(person=by)
    if at is not None:
        mine.exclude(way=way).update(at=None)
    fields = {"at": at, "address": address, "off_at": None, "off_why": ""}
    row, _made = mine.update_or_create(
        person=by, way=way, defaults=fields, create_defaults={**fields, "since": now}
    )
    return row


def stop(*, person: Person, way: str) -> bool:
    """Nothing more by a way; False when nothing came by it. Needs no reason."""
    return bool(ReachWish.objects.filter(person=person, way=way).delete()[0])


def turn_off(*, person: Person, way: str, why: str, now: dt.datetime) -> bool:
    """Write no more by a way because nothing arrives there; the person's page says ``why``."""
    rows = ReachWish.objects.on().filter(person=person, way=way)
    return bool(rows.update(off_at=now, off_why=why[:200]))


def wishes(person: Person) -> dict[str, ReachWish]:
    """All that a person let us do, by way; those we turned off, too. Only they may ask."""
    return {row.way: row for row in ReachWish.objects.filter(person=person)}


def send_due(*, way: str, deliver: Deliver, now: dt.datetime, most: int = AT_ONCE) -> int:
    """Send what is due by one way, holds first; returns how many messages left.

    Each is claimed before it leaves: a crash in between costs the message and never makes a second
    one. An error of one message does not stop the others.
    """
    count = 0
    for message in _due(way, now):
        try:
            count += _once(message, deliver)
        except NotNow as reason:
            log.warning("nothing leaves by %s: %s", way, reason)
            break
        if count >= most:
            break
    return count


def _due(way: str, now: dt.datetime) -> Iterator[Message]:
    programme = Programme.the()
    calendar = Calendar(programme, now)
    away = Absence.objects.filter(
        person=OuterRef("person"), ended_at__isnull=True, until_on__gte=programme.today(now)
    )
    asked = (
        ReachWish.objects.on()
        .filter(~Exists(away), way=way, person__left_at__isnull=True, person__is_active=True)
        .select_related("person")
    )
    for hold in HoldRecord.objects.filter(released_at__isnull=True, held_at__gte=now - HOLD_TOLD):
        told = Reached.objects.filter(person=OuterRef("person"), way=way, hold=hold)
        rows = asked.filter(~Exists(told), Exists(holds.concerned(hold, OuterRef("person"))))
        for row in rows.exclude(person=hold.held_by_id).order_by("pk"):
            if not calendar.of(row.person).quiet(now):
                yield Message(row.person, row, now, hold=hold)
    around = now.date() - _DAY, now.date() + _DAY
    issues = {issue.day: issue for issue in Briefing.objects.out().filter(day__range=around)}
    alike = asked.filter(at__isnull=False).order_by()
    for like in list(alike.values(*(f"person__{field}" for field in _ALIKE)).distinct()):
        someone = Person(**{field.removeprefix("person__"): like[field] for field in like})
        local = someone.local(now)
        issue = issues.get(local.date())
        if issue is None or calendar.of(someone).quiet(now):
            continue
        reached = Reached.objects.filter(
            person=OuterRef("person"), day=local.date(), hold__isnull=True
        )
        rows = asked.filter(~Exists(reached), **like, at__lte=local.time())
        for row in rows.order_by("at", "pk").iterator(chunk_size=AT_ONCE):
            if not calendar.of(row.person).quiet(now):
                yield Message(row.person, row, now, issue=issue)


def _once(message: Message, deliver: Deliver) -> bool:
    """Claim, ask once more, deliver; tells whether the message left. Raises NotNow.

    The issue and the wish are locked FOR SHARE while the message leaves: a withdrawal or a stop
    that has answered is not followed by one. A release does not wait for it.
    """
    reached = claim(message)
    if reached is None:
        return False
    said: Exception | None = None
    try:
        with transaction.atomic():
            until = _wanted_until(message)
            if until is None:
                return False
            try:
                deliver(replace(message, until=until))
            except (NotNow, Later, Gone) as reason:  # what the way noted about itself is kept
                said = reason
    except Exception:
        log.exception("a message by %s", message.wish.way)
        return False
    match said:
        case NotNow():
            reached.delete()
            raise said
        case Later():
            reached.delete()
        case Gone():
            turn_off(person=message.person, way=message.wish.way, why=str(said), now=message.now)
    return said is None


def claim(message: Message) -> Reached | None:
    """Take the right to send one message; None when another worker or another way had it first."""
    try:
        with transaction.atomic():
            return Reached.objects.create(
                person=message.person,
                way=message.wish.way,
                day=message.person.local(message.now).date(),
                hold=message.hold,
                at=message.now,
            )
    except IntegrityError:
        return None


def _wanted_until(message: Message) -> dt.datetime | None:
    """The person's next quiet moment; None when the message is not wanted any more."""
    with connection.cursor() as cursor:
        if message.hold:
            cursor.execute(_STILL_HELD, [message.hold.pk])
        elif message.issue:
            cursor.execute(_STILL_OUT, [message.issue.pk])
        if cursor.fetchone() is None:
            return None
        cursor.execute(
            _STILL_WANTED,
            [message.person.pk, message.wish.way, message.hold is not None],
        )
        if cursor.fetchone() is None:
            return None
    # a round lasts a while: quiet hours and time off that were set meanwhile count
    person = Person.objects.get(pk=message.person.pk)
    mine = hours.of(person, message.now)
    return None if mine.quiet(message.now) else mine.next_quiet(message.now, _DAY)
