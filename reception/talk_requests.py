"""The life of a talk request: asked, answered, called off, lapsed, forgotten.

Who is booked is decided by speakers, in :mod:`reception.talk_offers`.
"""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors import audit, memberships
from ambassadors.models import Person
from campaigns.refusals import FieldRefused, fitting

from . import talk_mails
from .models import Offer, Speaker, Talk, TalkRequest, TalkStep
from .states import move_talk_request

LONGEST_ANSWER = 2_000
MOST_STARS = 5
_DATELESS = dt.timedelta(days=90)  # a request without a date, before it lapses
_DATELESS_BOOKED = dt.timedelta(days=366)
_LATE = dt.timedelta(days=30)  # after a talk, before it counts as held


class NotAsked(FieldRefused):
    """What was typed cannot be taken; ``field`` says where the sentence belongs."""


class TooLate(Exception):
    """Somebody has decided, or the clock has; the page shows what stands now."""


def coordinators() -> "QuerySet[Person]":
    """Who looks after requests: leads of teams of experts; where there are none, HR."""
    here = Person.objects.filter(left_at__isnull=True, is_active=True)
    leads = here.filter(leads__kind__behaviour="expert").distinct()
    return leads if leads.exists() else here.filter(role__name="hr").distinct()


def coordinates(person: Person) -> bool:
    """Tell whether the person looks after requests: a lead of experts, or HR."""
    if person.has_role("hr"):
        return True
    return person.has_role("lead") and person.leads.filter(kind__behaviour="expert").exists()


def visible_to(person: Person, now: dt.datetime) -> "QuerySet[TalkRequest]":
    """Those the person may open: as a coordinator all, as a speaker what they were asked."""
    rows = TalkRequest.objects.told(now)
    if coordinates(person):
        return rows
    speaker = Speaker.objects.filter(person=person).first()
    return (
        rows.filter(pk__in=TalkRequest.objects.of(speaker).values("pk")) if speaker else rows.none()
    )


def gone() -> str:
    """The sentence for a profile that was withdrawn while somebody wrote to it."""
    return _("This profile is no longer there. Send it again, and we look for somebody else.")


def patience() -> dt.timedelta:
    """How long a speaker may think about an offer."""
    return dt.timedelta(days=settings.TALK_OFFER_DAYS)


@transaction.atomic
def ask(
    *,
    facts: dict[str, Any],
    asker: tuple[str, str],
    wanted: Speaker | None,
    talk: Talk | None,
    language: str,
    submission: uuid.UUID,
    by: Person | None,
    writes: bool,
    now: dt.datetime,
) -> TalkRequest:
    """Keep a request; the same form a second time finds the first.

    ``asker`` is name and address; ``writes`` says whether that address gets a first mail. Effects
    in order: the request, the question to the speaker who is wanted, history, mails to the asker
    and to whoever decides next, audit entry. Raises :class:`NotAsked` when the speaker takes no
    requests any more.
    """
    if standing := TalkRequest.objects.filter(submission=submission).first():
        return standing
    if wanted:
        _check_wanted(wanted, public=by is None, now=now)
    try:
        with transaction.atomic():
            request = TalkRequest.objects.create(
                **facts,
                asker_name=asker[0],
                asker_email=asker[1],
                asked_by=by,
                talk=talk,
                language=language,
                submission=submission,
                asked_at=now,
                changed_at=now,
            )
    except IntegrityError:  # the second click was as fast as the first
        return TalkRequest.objects.get(submission=submission)
    TalkStep.objects.create(request=request, state="requested", at=now)
    audit.record("talk_request.asked", request, by=by, now=now, outside=by is None)
    if writes:
        with translation.override(language):
            sentence = _("We have your request. You hear from us as soon as somebody can say yes.")
            talk_mails.to_asker(request, sentence, now=now)
    if wanted:
        offer_to(request, [wanted], by=None, now=now)
    else:
        tell_coordinators(request, "new", now=now)
    return request


def _check_wanted(wanted: Speaker, *, public: bool, now: dt.datetime) -> None:
    today = memberships.day_of(now)
    found = Speaker.objects.listed(public=public, on=today).told().filter(pk=wanted.pk).first()
    if found is None:
        raise NotAsked("", gone())
    if found.rests(today):
        raise NotAsked(
            "",
            _(
                "%(name)s takes no requests at present. Send it again, and we look for somebody"
                " else."
            )
            % {"name": found.person.name},
        )


def offer_to(
    request: TalkRequest, speakers: list[Speaker], *, by: Person | None, now: dt.datetime
) -> int:
    """Ask speakers within the caller's transaction; returns how many were not asked before.

    Who was asked and did not say yes is not asked a second time, unless another's yes had closed
    the question. Raises :class:`TooLate`.
    """
    source = request.state
    if source not in {"requested", "offered"}:
        raise TooLate
    changes = {"coordinator": by} if by and request.coordinator_id is None else {}
    if not move_talk_request(request, to="offered", source=source, now=now, **changes):
        raise TooLate
    until, asked = now + patience(), 0
    for speaker in speakers:
        offer, new = Offer.objects.get_or_create(
            request=request,
            speaker=speaker,
            defaults={"offered_at": now, "until_at": until},
        )
        again = Offer.objects.filter(pk=offer.pk, closed_at__isnull=False, over_at__isnull=True)
        if not new and not again.update(closed_at=None, offered_at=now, until_at=until):
            continue
        asked += 1
        with translation.override(speaker.person.language):
            subject = _("Would you speak? %(event)s") % {"event": request.event}
            sentence = _(
                "Somebody asks whether you would speak. Have a look, and say yes or no until"
                " %(day)s. A no needs no reason, and nobody is told whose it was."
            ) % {"day": talk_mails.day(speaker.person.local(until))}
            talk_mails.to_person(request, speaker.person, subject, sentence, now=now)
    audit.record("talk_request.offered", request, by=by, now=now, speakers=asked)
    return asked


def tell_coordinators(request: TalkRequest, what: str, *, now: dt.datetime) -> None:
    """Write to who looks after a request: its coordinator, or all of them."""
    helper = request.coordinator
    here = helper is not None and helper.left_at is None and helper.is_active
    for person in [helper] if here and helper else coordinators():
        with translation.override(person.language):
            subject, sentence = {
                "new": (
                    _("A talk request: %(event)s"),
                    _("It names nobody. Ask one or several speakers; the first yes books."),
                ),
                "free": (
                    _("Needs other speakers: %(event)s"),
                    _("Nobody who was asked could say yes. Ask others, or answer the organiser."),
                ),
                "given_back": (
                    _("Needs a new speaker: %(event)s"),
                    _("The booked speaker cannot come after all. The date stands; ask others."),
                ),
                "booked": (
                    _("Booked: %(event)s"),
                    _("A speaker has said yes. Travel and technology can be prepared."),
                ),
                "called_off": (
                    _("Called off: %(event)s"),
                    _("The organiser has called it off. Nothing is left to do."),
                ),
            }[what]
            talk_mails.to_person(
                request, person, subject % {"event": request.event}, sentence, now=now
            )


def close_offers(request: TalkRequest, *, booked: bool, now: dt.datetime) -> None:
    """End the questions that still wait, and tell their speakers kindly why."""
    waiting = Offer.objects.filter(request=request, over_at__isnull=True, closed_at__isnull=True)
    rows = list(waiting.filter(until_at__gt=now).select_related("speaker__person"))
    waiting.update(closed_at=now)
    for row in rows:
        person = row.speaker.person
        with translation.override(person.language):
            thanks = _("Nothing is asked of you any more. Thank you for thinking about it.")
            if booked:
                subject = _("Another speaker was faster: %(event)s")
            else:
                subject = _("No longer needed: %(event)s")
            subject %= {"event": request.event}
            talk_mails.to_person(request, person, subject, thanks, now=now)


@transaction.atomic
def decline(*, request: TalkRequest, words: str, by: Person, now: dt.datetime) -> None:
    """A coordinator tells the organiser that nothing comes of it, with a kind sentence.

    Raises :class:`NotAsked` without one, :class:`TooLate`.
    """
    empty = _("Write a kind sentence; the organiser reads it.")
    answer = fitting(NotAsked, "answer", words, most=LONGEST_ANSWER, empty=empty)
    _end(request, "declined", by=by, now=now, answer=answer)
    with translation.override(request.language):
        talk_mails.to_asker(request, answer, now=now, with_calendar=bool(request.wall))


@transaction.atomic
def cancel(*, request: TalkRequest, now: dt.datetime) -> None:
    """The organiser calls it off. Raises :class:`TooLate`."""
    was_open = request.state != "requested"
    _end(request, "cancelled", by=None, now=now)
    with translation.override(request.language):
        sentence = _("You have called it off. Everybody who was asked knows.")
        talk_mails.to_asker(request, sentence, now=now, with_calendar=bool(request.wall))
    if was_open or request.coordinator:
        tell_coordinators(request, "called_off", now=now)


def _end(
    request: TalkRequest, to: str, *, by: Person | None, now: dt.datetime, **changes: Any
) -> None:
    """Effects in order: state, history, mails to a booked speaker and to those asked, audit."""
    if request.state not in TalkRequest.OPEN:
        raise TooLate
    if not move_talk_request(request, to=to, source=request.state, now=now, **changes):
        raise TooLate
    if speaks := request.speaks:
        with translation.override(speaks.language):
            subject = _("Called off: %(event)s") % {"event": request.event}
            sentence = _("The talk does not take place. It is marked so in your calendar.")
            talk_mails.to_person(request, speaks, subject, sentence, now=now)
    close_offers(request, booked=False, now=now)
    audit.record(f"talk_request.{to}", request, by=by, now=now)
    request.refresh_from_db(fields=["state", "ended_at", "changed_at"])


@transaction.atomic
def take_over(*, request: TalkRequest, by: Person, now: dt.datetime) -> None:
    """Become the one coordinator of a request."""
    if TalkRequest.objects.filter(pk=request.pk).exclude(coordinator=by).update(coordinator=by):
        audit.record("talk_request.taken_over", request, by=by, now=now)


@transaction.atomic
def rate(*, request: TalkRequest, stars: int, words: str, now: dt.datetime) -> None:
    """The organiser says how it was, once. Raises :class:`NotAsked`, :class:`TooLate`."""
    if not 1 <= stars <= MOST_STARS:
        raise NotAsked("rating", _("Choose one of the five."))
    clean = ""
    if words.strip():
        clean = fitting(NotAsked, "feedback", words, most=LONGEST_ANSWER, empty="")
    held = TalkRequest.objects.filter(pk=request.pk, state="held", rated_at__isnull=True)
    if not held.update(rating=stars, feedback=clean, rated_at=now):
        raise TooLate
    audit.record("talk_request.rated", request, by=None, now=now)


def lapse_due(*, now: dt.datetime) -> int:
    """Requests whose last date passed without a speaker lapse; returns how many."""
    rows = TalkRequest.objects.open().select_related("coordinator", "talk", "speaker__person")
    count = 0
    for request in rows:
        if request.speaks and request.wall:
            continue
        since = request.booked_at + _DATELESS_BOOKED if request.booked_at else None
        latest = request.latest() or since or request.asked_at + _DATELESS
        if latest > now:
            continue
        with transaction.atomic():
            try:
                _end(request, "lapsed", by=None, now=now)
            except TooLate:
                continue
            with translation.override(request.language):
                sentence = _("The time for this request is over, and nobody could say yes. Sorry.")
                talk_mails.to_asker(request, sentence, now=now)
            count += 1
    return count


def hold_due(*, now: dt.datetime) -> int:
    """A booked talk whose day passed a month ago, and of which nobody said anything, was held."""
    rows = TalkRequest.objects.filter(
        state="booked", begins_at__lt=now - _LATE, speaker__person__left_at__isnull=True
    )
    count = 0
    for request in rows:
        with transaction.atomic():
            if move_talk_request(request, to="held", source="booked", now=now):
                audit.record("talk_request.held", request, by=None, now=now)
                count += 1
    return count


def let_go(batch: list[TalkRequest], now: dt.datetime) -> int:
    """Delete requests whose time is over, with mails and offers; each stands in the record."""
    for request in batch:
        audit.record("talk_request.forgotten", request, by=None, now=now)
    TalkRequest.objects.filter(pk__in=[row.pk for row in batch]).delete()
    return len(batch)
