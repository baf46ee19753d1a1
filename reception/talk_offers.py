"""What speakers decide: yes, no, not after all; and what is prepared and said afterwards.

The first yes books: one conditional UPDATE, whoever presses in the same second.
"""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors import audit, memberships
from ambassadors.models import Person
from campaigns import proposals
from campaigns.models import Proposal

from . import talk_mails
from .models import Offer, Speaker, TalkRequest
from .speakers import ChangedMeanwhile
from .states import move_talk_request
from .talk_requests import NotAsked, TooLate, close_offers, offer_to, tell_coordinators

_IDEAS = uuid.UUID("6b0f3c2e-5a0c-4a59-9c0e-1f6d1c9d2b74")  # namespace of the ideas made of talks


class Taken(TooLate):
    """Another speaker's yes was a moment faster."""


@transaction.atomic
def offer(*, request: TalkRequest, speakers: list[int], by: Person, now: dt.datetime) -> int:
    """A coordinator asks one or several speakers at once; returns how many.

    Raises :class:`NotAsked` when none of them can be asked, :class:`TooLate`.
    """
    today = memberships.day_of(now)
    able = Speaker.objects.listed(public=False, on=today).told().filter(pk__in=speakers)
    found = [speaker for speaker in able if not speaker.rests(today)]
    if not found:
        raise NotAsked("speakers", _("Choose at least one speaker who can be asked now."))
    asked = offer_to(request, found, by=by, now=now)
    if not asked:
        raise NotAsked("speakers", _("They were asked already. Choose somebody else."))
    return asked


def _mine(request: TalkRequest, by: Person, now: dt.datetime) -> Offer:
    """The person's open question. Raises :class:`Taken`, :class:`TooLate`."""
    offer_ = Offer.objects.waiting(now).filter(request=request, speaker__person=by).first()
    if offer_ is None:
        request.refresh_from_db(fields=["state", "speaker"])
        if request.state == "booked":
            raise Taken
        raise TooLate
    return offer_


@transaction.atomic
def agree(*, request: TalkRequest, wall: str, by: Person, now: dt.datetime) -> None:
    """Say yes to one of the proposed dates, or to a date that comes later.

    Effects in order: the booking, if nobody was faster; the other questions end kindly; mails to
    the organiser (with a calendar file), to the coordinator; audit entry. Raises
    :class:`NotAsked`, :class:`Taken`, :class:`TooLate`.
    """
    offer_ = _mine(request, by, now)
    if request.walls and wall not in request.walls:
        raise NotAsked("wall", _("Choose one of the dates."))
    begins_at = request.read(wall).at if request.walls else None
    if begins_at and begins_at <= now:
        raise NotAsked("wall", _("This moment is in the past."))
    if not move_talk_request(
        request,
        to="booked",
        source="offered",
        now=now,
        speaker=offer_.speaker,
        booked_at=now,
        wall=wall if request.walls else "",
        begins_at=begins_at,
    ):
        raise Taken
    Offer.objects.filter(pk=offer_.pk).update(closed_at=now)
    request.refresh_from_db()
    close_offers(request, booked=True, now=now)
    with translation.override(request.language):
        sentence = _("%(name)s comes.") % {"name": by.name}
        if not request.wall:
            sentence += " " + _("The date is still to be found; we write again.")
        talk_mails.to_asker(request, sentence, now=now, with_calendar=True)
    tell_coordinators(request, "booked", now=now)
    audit.record("talk_request.booked", request, by=by, now=now)


@transaction.atomic
def refuse(*, request: TalkRequest, by: Person, now: dt.datetime) -> None:
    """Say no. Nobody is told whose it was; after the last one others are looked for.

    Raises :class:`TooLate`.
    """
    held = TalkRequest.objects.select_for_update().get(pk=request.pk)  # two last ones: in turn
    mine = _mine(held, by, now)
    Offer.objects.filter(pk=mine.pk).update(over_at=now)
    if Offer.objects.waiting(now).filter(request=held).exists():
        return
    if move_talk_request(held, to="requested", source="offered", now=now):
        tell_coordinators(held, "free", now=now)


def free_due(*, now: dt.datetime) -> int:
    """Requests nobody thinks about any more go back to the coordinator; returns how many."""
    rows = TalkRequest.objects.told(now).filter(state="offered")
    rows = rows.exclude(pk__in=Offer.objects.waiting(now).values("request"))
    count = 0
    for request in rows:
        with transaction.atomic():
            if move_talk_request(request, to="requested", source="offered", now=now):
                tell_coordinators(request, "free", now=now)
                count += 1
    return count


@transaction.atomic
def give_back(*, request: TalkRequest, by: Person, now: dt.datetime) -> None:
    """A booked talk needs another speaker: its own cannot come, or has left.

    The organiser is told that the speaker changes; an agreed date stays as the only one proposed.
    Raises :class:`TooLate`.
    """
    speaks = request.speaker.person if request.speaker else None
    walls = [request.wall] if request.wall else request.walls
    if request.state != "booked" or not move_talk_request(
        request,
        to="requested",
        source="booked",
        now=now,
        speaker=None,
        booked_at=None,
        wall="",
        begins_at=None,
        walls=walls,
    ):
        raise TooLate
    Offer.objects.filter(request=request, speaker=request.speaker).update(over_at=now)
    request.refresh_from_db()
    with translation.override(request.language):
        sentence = _("The speaker changes. We look for somebody else and write again.")
        talk_mails.to_asker(request, sentence, now=now)
    if speaks == by:
        tell_coordinators(request, "given_back", now=now)
    elif speaks and speaks.left_at is None:
        with translation.override(speaks.language):
            subject = _("You no longer speak here: %(event)s") % {"event": request.event}
            sentence = _("The coordinator has given the talk to somebody else.")
            talk_mails.to_person(request, speaks, subject, sentence, now=now)
    audit.record("talk_request.given_back", request, by=by, now=now)


@transaction.atomic
def set_date(*, request: TalkRequest, wall: str, zone: str, by: Person, now: dt.datetime) -> None:
    """Settle or move the date of a booked talk; ``wall`` is a checked one of ``zone``.

    Organiser and speaker are told, each with the new date for their calendar. Raises
    :class:`TooLate`.
    """
    request.wall, request.zone = wall, zone
    begins_at = request.read(wall).at
    booked = TalkRequest.objects.filter(pk=request.pk, state="booked").exclude(wall=wall, zone=zone)
    if not booked.update(wall=wall, zone=zone, begins_at=begins_at, changed_at=now):
        if TalkRequest.objects.filter(pk=request.pk, state="booked").exists():
            return  # a second click
        raise TooLate
    with translation.override(request.language):
        talk_mails.to_asker(request, _("The date is settled."), now=now, with_calendar=True)
    speaks = request.speaks
    if speaks and speaks != by:
        with translation.override(speaks.language):
            subject = _("The date of your talk: %(event)s") % {"event": request.event}
            talk_mails.to_person(request, speaks, subject, _("The date is settled."), now=now)
    audit.record("talk_request.dated", request, by=by, now=now)


@transaction.atomic
def prepare(
    *, request: TalkRequest, seen: int, facts: dict[str, Any], by: Person, now: dt.datetime
) -> None:
    """Store what is settled for the talk. Raises :class:`ChangedMeanwhile`, :class:`TooLate`."""
    rows = TalkRequest.objects.filter(pk=request.pk, state__in=["booked", "held"])
    if not rows.filter(prepared=seen).update(**facts, prepared=F("prepared") + 1):
        if rows.exists():
            raise ChangedMeanwhile
        raise TooLate
    audit.record("talk_request.prepared", request, by=by, now=now)


@transaction.atomic
def hold(*, request: TalkRequest, by: Person, now: dt.datetime) -> None:
    """The talk took place; the organiser is asked how it was. Raises :class:`TooLate`."""
    begins = request.begins
    if begins is None or begins > now:
        raise TooLate
    if request.state != "booked" or not move_talk_request(
        request, to="held", source="booked", now=now
    ):
        raise TooLate
    with translation.override(request.language):
        sentence = _("Thank you for having us. If you like, tell us on your page how it was.")
        talk_mails.to_asker(request, sentence, now=now)
    audit.record("talk_request.held", request, by=by, now=now)


@transaction.atomic
def tell(*, request: TalkRequest, text: str, by: Person, now: dt.datetime) -> Proposal:
    """Make an idea for the newsroom of a held talk, in the speaker's own name and words.

    A second click finds the first idea. Raises :class:`campaigns.proposals.NotTaken`,
    :class:`TooLate`.
    """
    if request.state != "held" or request.speaker is None or request.speaker.person_id != by.pk:
        raise TooLate
    idea = proposals.hand_in(
        by=by,
        text=text,
        picture=None,
        show_name=True,
        submission=uuid.uuid5(_IDEAS, str(request.pk)),
        now=now,
    )
    TalkRequest.objects.filter(pk=request.pk, told_at__isnull=True).update(told_at=now)
    return idea
