"""Somebody leaves the company: at once, or at the end of a planned day on their own clock."""

import contextlib
import datetime as dt
import logging
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors import audit, memberships
from ambassadors.memberships import LastAdministrator, LeftAlready
from ambassadors.models import Membership, Person, Team
from integrations import accounts, api_tokens, channels, push, takeouts
from integrations.models import ApiToken, ConnectedAccount

from . import endings, takeovers
from .endings import Ended
from .holds import wait_for_flights
from .models import Delivery, Takeover, Topic
from .refusals import FieldRefused

log = logging.getLogger(__name__)

FARTHEST = dt.timedelta(days=2 * 366)
_EASTERNMOST = dt.timedelta(hours=14)  # where a day ends first


class NotPlanned(FieldRefused):
    """The day stays as it was; ``field`` says where the sentence belongs."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What ends or needs somebody else. What waits in the queue is the person's own: not here."""

    terms: list[Membership]
    leads: list[Team]
    channels: list[ConnectedAccount]
    takeovers: list[Takeover]
    topics: list[Topic]
    keys: list[ApiToken]
    takes_data: bool


def consequences(person: Person, *, now: dt.datetime) -> Consequences:
    """What HR may know of what ends, before they press the button."""
    open_terms = Membership.objects.filter(person=person, ended_on__isnull=True)
    slots = Takeover.objects.standing(now).filter(person=person)
    return Consequences(
        terms=list(open_terms.select_related("team")),
        leads=list(Team.objects.filter(lead=person)),
        channels=list(ConnectedAccount.objects.company().filter(editors=person)),
        takeovers=list(slots.select_related("channel").order_by("begins_at")),
        topics=list(Topic.objects.current().filter(owner=person)),
        keys=list(api_tokens.of_installation(person, now=now)),
        takes_data=takeouts.address_of(person) is not None,
    )


def leave(
    *, person: Person, by: Person | None, now: dt.datetime, planned_on: dt.date | None = None
) -> Ended:
    """End logins, keys, terms, rights, connections, notifications, slots on channels, queued posts.

    Effects in order: ``left_at`` and all low facts in one transaction, so that from its commit on
    no start passes; a link to their data, if they named an address; commit; wait until nothing of
    the person is in flight; take back what is queued; end their slots on channels.
    Raises :class:`LastAdministrator`, :class:`LeftAlready`.
    """
    with transaction.atomic():
        memberships.leave_company(person=person, by=by, now=now, planned_on=planned_on)
        for channel in ConnectedAccount.objects.company().filter(editors=person):
            channels.remove_editor(channel=channel, editor=person, by=by, now=now)
        mine = list(ConnectedAccount.objects.of(person))
        for account in mine:
            accounts.disconnect(account=account, by=by, now=now)
        push.forget(person=person)
        api_tokens.end_all(person=person, by=by, now=now)
        takeouts.make(person=person, now=now)
    in_flight = wait_for_flights(person)
    taken_back = endings.take_back(Delivery.objects.filter(post__person=person), "left", by, now)
    endings.ask_instead_of_looking(mine)
    for takeover in Takeover.objects.standing(now).filter(person=person):
        with contextlib.suppress(takeovers.TooLate):
            takeovers.end_of_leaver(takeover=takeover, by=by, now=now)
    return Ended(taken_back, in_flight)


@transaction.atomic
def plan(*, person: Person, typed: str, by: Person, now: dt.datetime) -> dt.date:
    """Plan the person's last day; another day replaces the one before.

    Raises :class:`NotPlanned`, :class:`LeftAlready`, :class:`LastAdministrator`.
    """
    memberships.keep_an_administrator(person)
    try:
        day = dt.date.fromisoformat(typed.strip()[:10])
    except ValueError as error:
        raise NotPlanned("day", _("Write a day.")) from error
    today = person.local(now).date()
    if day < today:
        raise NotPlanned("day", _("This day is over. To end it at once, use the button below."))
    if day > today + FARTHEST:
        raise NotPlanned("day", _("That is more than two years ahead."))
    if not Person.objects.filter(pk=person.pk, left_at__isnull=True).update(leaves_on=day):
        raise LeftAlready
    audit.record("person.leave_planned", person, by=by, now=now, day=day.isoformat())
    return day


@transaction.atomic
def cancel(*, person: Person, by: Person, now: dt.datetime) -> bool:
    """The person stays; tells whether a day was planned and had not come."""
    planned = Person.objects.filter(
        pk=person.pk, left_at__isnull=True, leaves_on__isnull=False
    ).update(leaves_on=None)
    if planned:
        audit.record("person.leave_cancelled", person, by=by, now=now)
    return bool(planned)


def ends_at(person: Person, day: dt.date) -> dt.datetime:
    """The moment at which a day is over on the person's clock."""
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), person.zone)
    return midnight.astimezone(dt.UTC)


def leave_due(*, now: dt.datetime) -> int:
    """Let those leave whose last day is over; returns how many did.

    A day that was taken back or moved meanwhile counts.
    """
    planned = Person.objects.filter(
        left_at__isnull=True, leaves_on__lte=(now + _EASTERNMOST).date()
    )
    count = 0
    for person in planned:
        if person.leaves_on is None or ends_at(person, person.leaves_on) > now:
            continue
        try:
            leave(person=person, by=None, now=now, planned_on=person.leaves_on)
        except LeftAlready:
            continue
        except LastAdministrator:
            log.warning("the last administrator's last day is over; somebody must follow first")
            continue
        count += 1
    return count
