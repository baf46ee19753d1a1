"""The pulse survey: opened, answered without a name, counted at its end.

No answer is a row and no row says who answered. :class:`PulseBox` is one row that each answer
writes anew, so neither keys nor the order of rows nor PostgreSQL's own columns (``ctid``, ``xmin``)
tell one answer from another. docs/programme.md says what that leaves to somebody who watches the
server while people answer.
"""

import datetime as dt
import hashlib
import hmac
import random
import secrets
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from ambassadors import anonymity, audit, switches
from ambassadors.composed import composed
from ambassadors.models import Person

from .models import PulseBox, PulseMail, PulseRound, PulseTicket
from .questions import QUESTIONS, STEPS

DAYS_OPEN = 14
DAYS_ON_TODAY = 7
LONGEST_COMMENT = 1000
OWN_GROUP = 2 * anonymity.GROUP  # people at a site, from which on it is counted by itself
REST, WHOLE = "rest", "all"  # the smaller sites together, and everybody
_CELLS = len(QUESTIONS) * len(STEPS)
_dice = random.SystemRandom()

Tallies = dict[str, list[int]]


class NotOpened(Exception):
    """There is a round in this quarter, fewer than five to ask, or the agreement has none."""


class NotInvited(Exception):
    """The person takes part in no team, or joined after the round began."""


class Answered(Exception):
    """The person's one answer is in the box."""


class Closed(Exception):
    """The round is over."""


def quarter_of(day: dt.date) -> str:
    """A day's quarter, as rounds are called."""
    return f"{day.year}-{(day.month + 2) // 3}"


def asked() -> dict[int, str]:
    """Whom a round asks, by key, and the group they count in: everybody in a team."""
    people = Person.objects.filter(
        left_at__isnull=True,
        is_active=True,
        membership__ended_on__isnull=True,
        membership__stage__in=("in_training", "active", "paused"),
    ).distinct()
    sites = dict(people.values_list("pk", "site"))
    sizes: dict[int, int] = {}
    for site in filter(None, sites.values()):
        sizes[site] = sizes.get(site, 0) + 1
    return {
        pk: str(site) if site and sizes[site] >= OWN_GROUP else REST for pk, site in sites.items()
    }


@transaction.atomic
def open_round(*, day: dt.date, by: Person, now: dt.datetime) -> PulseRound:
    """Begin the survey of a day's quarter. Raises :class:`NotOpened`.

    Effects in order: the round, a ticket for each person asked, the empty box, audit entry. Who
    joins later is asked in the next quarter.
    """
    people = asked()
    if len(people) < anonymity.GROUP or not switches.is_on("pulse"):
        raise NotOpened
    try:
        with transaction.atomic():
            round_ = PulseRound.objects.create(
                quarter=quarter_of(day),
                opens_at=now,
                closes_at=now + dt.timedelta(days=DAYS_OPEN),
                salt=secrets.token_hex(32),
            )
    except IntegrityError as error:
        raise NotOpened from error
    digests = sorted(_digest(round_, pk) for pk in people)
    PulseTicket.objects.bulk_create(
        (
            PulseTicket(round=round_, digest=digest, place=place)
            for place, digest in enumerate(digests)
        ),
        batch_size=5000,
    )
    PulseBox.objects.create(
        round=round_,
        spent=bytes(len(digests) // 8 + 1),
        tallies={group: [0] * _CELLS for group in {REST, *people.values()}},
    )
    audit.record("pulse.opened", round_, by=by, now=now, quarter=round_.quarter)
    return round_


def _digest(round_: PulseRound, person: int) -> str:
    """Whose ticket it is, for who has the installation's secret and the round's salt only."""
    key = hashlib.sha256(f"pulse {round_.salt} {settings.SECRET_KEY}".encode()).digest()
    return hmac.new(key, str(person).encode(), hashlib.sha256).hexdigest()


def current(now: dt.datetime) -> PulseRound | None:
    """The round that may be answered now."""
    rows = PulseRound.objects.filter(closed_at__isnull=True)
    return rows.filter(opens_at__lte=now, closes_at__gt=now).first()


def place_of(round_: PulseRound, person: Person) -> int:
    """Which bit is the person's. Raises :class:`NotInvited`."""
    tickets = PulseTicket.objects.filter(round=round_, digest=_digest(round_, person.pk))
    place = tickets.values_list("place", flat=True).first()
    if place is None:
        raise NotInvited
    return place


def has_answered(round_: PulseRound, person: Person) -> bool:
    """Tell the person, and nobody else, whether their answer is in. Raises :class:`NotInvited`."""
    return _is_spent(PulseBox.objects.get(round=round_), place_of(round_, person))


@composed
def _invites(now: dt.datetime, since: dt.datetime) -> "QuerySet[PulseRound, Any]":
    """The round that may be answered and was opened since."""
    rows = PulseRound.objects.filter(closed_at__isnull=True, closes_at__gt=now)
    return rows.filter(opens_at__lte=now, opens_at__gt=since).values_list("pk")[:1]


def waits_for(person: Person, now: dt.datetime) -> bool:
    """Tell whether Today shows the invitation: in the round's first week, until it is answered."""
    invites = _invites(now=now, since=now - dt.timedelta(days=DAYS_ON_TODAY))
    box = invites and PulseBox.objects.filter(round=invites[0][0]).select_related("round").first()
    if not box:
        return False
    try:
        return not _is_spent(box, place_of(box.round, person))
    except NotInvited:
        return False


def _is_spent(box: PulseBox, place: int) -> bool:
    return bool(bytes(box.spent)[place // 8] >> place % 8 & 1)


@transaction.atomic
def answer(
    *, person: Person, round_: PulseRound, steps: Sequence[int], comment: str, now: dt.datetime
) -> None:
    """Put an answer into the box: one step, 1 to 5, for each question, and perhaps a comment.

    One UPDATE of one row: the person's bit, one counter for each question, the comments shaken.
    There is no audit entry, and nothing else is written. Raises :class:`Answered`,
    :class:`Closed`, :class:`NotInvited`.
    """
    place = place_of(round_, person)
    box = PulseBox.objects.select_for_update().get(round=round_)
    if not PulseRound.objects.filter(
        pk=round_.pk, closed_at__isnull=True, closes_at__gt=now
    ).exists():
        raise Closed
    if _is_spent(box, place):
        raise Answered
    spent = bytearray(box.spent)
    spent[place // 8] |= 1 << place % 8
    group = str(person.site_id) if str(person.site_id) in box.tallies else REST
    for question, step in enumerate(steps):
        box.tallies[group][question * len(STEPS) + step - 1] += 1
    if comment:
        box.comments.append(comment)
        _dice.shuffle(box.comments)
    PulseBox.objects.filter(pk=box.pk).update(
        spent=bytes(spent), tallies=box.tallies, comments=box.comments
    )


def close_due(*, now: dt.datetime) -> int:
    """Count the rounds whose time is over; returns how many.

    What may be shown stays. Everything else goes for good: tickets, bits, the salt, groups of
    fewer than five and those that would show by subtraction, comments of fewer than five.
    """
    due = PulseRound.objects.filter(closed_at__isnull=True, closes_at__lte=now)
    return sum(_close(round_, now) for round_ in due)


@transaction.atomic
def _close(round_: PulseRound, now: dt.datetime) -> bool:
    box = PulseBox.objects.select_for_update().get(round=round_)
    if not PulseRound.objects.filter(pk=round_.pk, closed_at__isnull=True).update(
        closed_at=now, salt=""
    ):
        return False
    enough = anonymity.shown(len(box.comments)) is not None
    _dice.shuffle(box.comments)
    PulseBox.objects.filter(pk=box.pk).update(
        spent=b"", tallies=showable(box.tallies), comments=box.comments if enough else []
    )
    PulseTicket.objects.filter(round=round_).delete()
    PulseMail.objects.filter(round=round_).delete()
    audit.record("pulse.closed", round_, by=None, now=now, quarter=round_.quarter)
    return True


def showable(tallies: Tallies) -> Tallies:
    """The whole, and the groups that may stand beside it; nothing when fewer than five answered."""
    whole = [sum(cells) for cells in zip(*tallies.values(), strict=True)]
    if anonymity.shown(answers(whole)) is None:
        return {}
    counted = {group: answers(cells) for group, cells in tallies.items() if answers(cells)}
    apart = anonymity.apart(counted)
    if len(apart) == 1 and len(counted) == 1:
        apart = set()  # it is the whole
    return {WHOLE: whole, **{group: tallies[group] for group in apart}}


def answers(cells: Sequence[int]) -> int:
    """How many people stand behind a group's counters: all answered the first question."""
    return sum(cells[: len(STEPS)])
