"""What leaves to the company's chat: the day and holds to rooms, and to people who asked for it.

A room gets the day's card once, in working hours by the company's clock, and one more for a hold
of a topic or of everything and for its release. In Slack the day's card keeps showing the lights as
they are. What was claimed is never sent again; what surely did not leave is free.
"""

import contextlib
import datetime as dt
import hashlib
import json
import logging
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from ambassadors.models import Person
from integrations import chats, slack
from integrations.models import ChatRoom
from integrations.networks.base import Later, Refused, Result, Sent

from . import cards, holds, hours, reaching
from .cards import Card
from .models import Briefing, HoldRecord, Programme, RoomMessage, Topic, Way

log = logging.getLogger(__name__)
AT_ONCE = 200  # direct messages of a round; Slack takes several hundred a minute
_TO_ALL = [HoldRecord.Scope.TOPIC, HoldRecord.Scope.PROGRAMME]
Outcome = RoomMessage.Outcome


def send_due(*, now: dt.datetime) -> int:
    """Write what is due to rooms, then to people; returns how many messages left."""
    programme = Programme.the()
    count = 0
    if not hours.company(now).quiet(now):
        count += sum(_room(room, programme, now) for room in _rested(now))
    if any(room.direct for room in _rested(now)):
        count += reaching.send_due(way=Way.SLACK, deliver=_deliver, now=now, most=AT_ONCE)
    return count


def _rested(now: dt.datetime) -> list[ChatRoom]:
    """Rooms whose service did not ask us to wait."""
    return list(ChatRoom.objects.exclude(rests_until__gt=now))


def hello(room_service: str, language: str) -> Any:
    """The greeting with which a room is tried."""
    with translation.override(language):
        card = Card(
            title=_("Botschaft writes here from now on"),
            paragraphs=[
                _("Once a day: what we may talk about, and what not. And at once, when it changes.")
            ],
            link=(_("Open Today"), cards.page("today")),
        )
        return _rendered(room_service, card)


def _rendered(service: str, card: Card) -> Any:
    return cards.for_teams(card) if service == "teams" else cards.for_slack(card)


# Rooms ------------------------------------------------------------------------------------------


def _room(room: ChatRoom, programme: Programme, now: dt.datetime) -> int:
    """Bring one room up to date; ends early when its service wants us to wait."""
    if room.service == ChatRoom.Service.SLACK and not room.room:
        return 0
    day, count = programme.today(now), 0
    with (
        translation.override(room.language),
        timezone.override(programme.zone),
        contextlib.suppress(reaching.NotNow),
    ):
        for hold, released in _news(room, now):
            row = RoomMessage(room=room, day=day, hold=hold, released=released, at=now)
            count += _write(row, _news_card(hold, released=released))
        if Briefing.objects.out().filter(day=day).exists():
            card = cards.of_day(day, now, language=room.language)
            count += _write(RoomMessage(room=room, day=day, at=now), card)
            _renew(room, card, day, now)
    return count


def _news(room: ChatRoom, now: dt.datetime) -> list[tuple[HoldRecord, bool]]:
    """Holds the room has not heard of, and releases of those it has."""
    since = max(now - reaching.HOLD_TOLD, room.added_at)
    told = RoomMessage.objects.filter(room=room)
    heard = told.filter(hold__isnull=False, released=False).values("hold")
    heard_end = told.filter(released=True).values("hold")
    rows = HoldRecord.objects.filter(scope__in=_TO_ALL).order_by("held_at")
    begun = rows.filter(released_at__isnull=True, held_at__gte=since).exclude(pk__in=heard)
    ended = rows.filter(released_at__gte=since, pk__in=heard).exclude(pk__in=heard_end)
    return [(row, False) for row in begun] + [(row, True) for row in ended]


def _news_card(hold: HoldRecord, *, released: bool) -> Card:
    if not released:
        return cards.of_hold(
            hold,
            paragraphs=[
                _("Nothing on it leaves from Botschaft while the hold is on."),
                _("If you have posted about it already, Today tells you what you can do."),
            ],
        )
    topic = hold.scope == HoldRecord.Scope.TOPIC
    return cards.of_release(Topic.objects.filter(pk=hold.scope_id).first() if topic else None)


def _write(row: RoomMessage, card: Card) -> bool:
    """Claim, write, note what became of it; tells whether it left. Raises NotNow."""
    message = _rendered(row.room.service, card)
    row.shows = _hash(message)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return _settle(row, chats.post(row.room, message, now=row.at))


def _settle(row: RoomMessage, result: Result) -> bool:
    chats.note(row.room, result, row.at)
    mine = RoomMessage.objects.filter(pk=row.pk)
    match result:
        case Sent(remote_id=written):
            return bool(mine.update(outcome=Outcome.SENT, written=written))
        case Later(why=why):
            mine.delete()
            raise reaching.NotNow(why)
        case Refused():
            mine.update(outcome=Outcome.REFUSED)
        case _:
            mine.update(outcome=Outcome.UNKNOWN)
    return False


def _renew(room: ChatRoom, card: Card, day: dt.date, now: dt.datetime) -> None:
    """Show the lights as they are now in the day's card; Slack can, Teams' workflows cannot.

    The same change twice is one, so an unclear answer is simply followed by the next try.
    """
    rows = RoomMessage.objects.filter(room=room, day=day, hold__isnull=True, outcome=Outcome.SENT)
    row = rows.exclude(written="").first()
    message = _rendered(room.service, card)
    if row is None or room.service != ChatRoom.Service.SLACK or row.shows == _hash(message):
        return
    result = chats.change(room, row.written, message, now=now)
    chats.note(room, result, now)
    if isinstance(result, Sent | Refused):
        rows.filter(pk=row.pk).update(shows=_hash(message))


def _hash(message: Any) -> str:
    return hashlib.sha256(json.dumps(message, sort_keys=True).encode()).hexdigest()


# People -----------------------------------------------------------------------------------------


def _deliver(message: reaching.Message) -> None:
    """One direct message in Slack. Raises what the gate wants to know."""
    person, room = message.person, chats.direct()
    if room is None:
        raise reaching.NotNow("no Slack")
    with translation.override(person.language), timezone.override(person.zone):
        card = _card(message, person)
        result = chats.post(room, cards.for_slack(card), now=message.now, to=message.wish.address)
    match result:
        case Later(why=why):
            chats.note(room, result, message.now)
            raise reaching.NotNow(why)
        case Refused(why=why, whose="app"):
            chats.note(room, result, message.now)
            raise reaching.NotNow(why)
        case Refused(why=why) if slack.nobody(result):
            raise reaching.Gone(why)
        case Sent():
            chats.note(room, result, message.now)
        case _:
            log.warning("a direct message has no clear answer: %s", result)


def _card(message: reaching.Message, person: Person) -> Card:
    if message.hold is None:
        day = person.local(message.now).date()
        return cards.of_day(day, message.now, language=person.language, person=person)
    return cards.of_hold(message.hold, paragraphs=holds.meaning(message.hold, person))
