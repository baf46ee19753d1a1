"""The asker's side: ask, add, rate, take everything back."""

import datetime as dt
import re
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.memberships import day_of
from ambassadors.models import Person
from campaigns import wording
from campaigns.refusals import fitting
from integrations import mails

from . import crowds, letters, routing
from .inquiries import NotTaken, assign, stranded, welcome
from .models import Inquiry, InquiryMessage, JobArea, Widget
from .stamps import YOUNGEST, Stamp
from .states import move_inquiry

LONGEST_QUESTION = 2_000  # characters
_MOST_MESSAGES = 60
_MOST_LINKS = 2
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_SAME_WITHIN = dt.timedelta(days=7)


class SentAlready(Exception):
    """The same opened form was sent before, with another text."""


class Gone(Exception):
    """The asker deleted it, or its time is over."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody typed, and where."""

    question: str
    name: str
    email: str
    language: str
    chosen: Person | None = None
    area: JobArea | None = None
    widget: Widget | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a reply by mail brought beside its text."""

    message_id: str
    dropped: int
    was_cut: bool
    other_sender: bool


def digest(text: str) -> str:
    """What two equal texts have in common, whatever their spaces and capitals."""
    return salted_hmac("reception.digest", " ".join(text.casefold().split())).hexdigest()


def _question(text: str) -> str:
    empty = _("Write your question first.")
    return fitting(NotTaken, "question", text, most=LONGEST_QUESTION, empty=empty)


def checked(asked: Asked) -> tuple[Asked, dict[str, str]]:
    """The question as it may be kept, and what is wrong with it by field."""
    wrong: dict[str, str] = {}
    question, email = "", ""
    try:
        question = _question(asked.question)
    except NotTaken as refused:
        wrong[refused.field] = refused.sentence
    name = " ".join(wording.clean(asked.name).split())
    if len(name) > 60 or wording.is_stacked(name):
        wrong["name"] = _("A shorter name, please.")
    if asked.email.strip():
        try:
            email = mails.address(asked.email)
        except mails.NoAddress:
            wrong["email"] = _("We cannot write to this address. Is there a slip in it?")
    clean = Asked(
        question=question,
        name="" if wording.is_blank(name) else name,
        email=email,
        language=asked.language,
        chosen=asked.chosen,
        area=asked.area,
        widget=asked.widget,
    )
    return clean, wrong


def _suspicion(asked: Asked, stamp: Stamp, trap: str, crowd: crowds.Crowd, now: dt.datetime) -> str:
    """Why somebody should look first; empty for a question that goes its way."""
    if trap:
        return "trap"
    if stamp.age < YOUNGEST:
        return "fast"
    if len(_LINK.findall(asked.question)) > _MOST_LINKS:
        return "links"
    same = Inquiry.objects.filter(
        digest=digest(asked.question), received_at__gt=now - _SAME_WITHIN
    ).exclude(submission=stamp.submission)
    return "same" if same.exists() else crowd.why


def receive(
    *, asked: Asked, stamp: Stamp, trap: str, crowd: crowds.Crowd, now: dt.datetime
) -> Inquiry:
    """Take a question in. ``asked`` comes from :func:`checked`.

    Effects in order: question and text stored, by the filter's word set aside or given to
    somebody, mails put into the outbox. The same form a second time finds the first question.
    Raises :class:`SentAlready` when that one said something else.
    """
    why = _suspicion(asked, stamp, trap, crowd, now)
    try:
        with transaction.atomic():
            return _store(asked, stamp.submission, why, now)
    except IntegrityError:
        standing = Inquiry.objects.filter(submission=stamp.submission).first()
        if standing is None or standing.digest != digest(asked.question):
            raise SentAlready from None
        return standing


def _store(asked: Asked, submission: uuid.UUID, why: str, now: dt.datetime) -> Inquiry:
    team = routing.team_of(asked.chosen, day_of(now)) if asked.chosen else None
    days = routing.promised_days(asked.widget, team)
    inquiry = Inquiry.objects.create(
        submission=submission,
        state="quarantined" if why else "new",
        why=why,
        language=asked.language,
        name=asked.name,
        email=asked.email,
        digest=digest(asked.question),
        area=asked.area,
        widget=asked.widget,
        chosen=asked.chosen,
        received_at=now,
        last_at=now,
        answer_by=routing.answer_by(now, days, widget=asked.widget, person=asked.chosen),
    )
    InquiryMessage.objects.create(inquiry=inquiry, who="asker", text=asked.question, at=now)
    audit.record("inquiry.received", inquiry, by=None, now=now, why=why)
    if not why:
        welcome(inquiry, now=now)
    return inquiry


@transaction.atomic
def add(
    *, inquiry: Inquiry, text: str, now: dt.datetime, mail: Arrived | None = None
) -> InquiryMessage:
    """The asker says something more; a finished question begins anew with a new promise.

    What arrives twice counts once: the same mail, and from the page what they said last.
    Raises :class:`Gone` and :class:`NotTaken`.
    """
    locked = Inquiry.objects.select_for_update(of=("self",)).filter(pk=inquiry.pk).first()
    if locked is None:
        raise Gone
    if mail and mail.message_id:
        known = locked.messages.filter(message_id=mail.message_id).first()
        if known:
            return known
    said = text if mail else _question(text)
    if not mail:
        last = locked.messages.exclude(who="note").last()
        if last and last.who == "asker" and last.text == said:
            return last
    if locked.messages.count() >= _MOST_MESSAGES:
        raise NotTaken("question", _("This conversation is full. Please ask anew."))
    message = InquiryMessage.objects.create(
        inquiry=locked,
        who="asker",
        text=said,
        at=now,
        message_id=mail.message_id if mail else "",
        dropped=mail.dropped if mail else 0,
        was_cut=mail.was_cut if mail else False,
        other_sender=mail.other_sender if mail else False,
    )
    if locked.state in {"answered", "closed", "expired"}:
        _reopen(locked, now=now)
    else:
        Inquiry.objects.filter(pk=locked.pk).update(turn=F("turn") + 1, last_at=now)
    inquiry.refresh_from_db()
    return message


def _reopen(inquiry: Inquiry, *, now: dt.datetime) -> None:
    days = routing.promised_days(inquiry.widget, inquiry.team)
    Inquiry.objects.filter(pk=inquiry.pk).update(
        last_at=now,
        answer_by=routing.answer_by(now, days, widget=inquiry.widget, person=inquiry.owner),
        escalated_at=None,
    )
    if inquiry.owner_id is None:
        assign(inquiry=inquiry, now=now)
        return
    move_inquiry(inquiry, to="assigned", assigned_at=now)
    if stranded(day_of(now)).filter(pk=inquiry.pk).exists():
        assign(inquiry=inquiry, now=now, without=inquiry.owner_id)
    else:
        letters.due(inquiry, "yours", now=now, person_id=inquiry.owner_id)


def rate(*, inquiry: Inquiry, rating: int) -> bool:
    """What the asker makes of the answer; they may change their mind. No text, no name."""
    if rating not in Inquiry.Rating.values:
        return False
    rows = Inquiry.objects.filter(pk=inquiry.pk, answered_at__isnull=False)
    return bool(rows.update(rating=rating))


@transaction.atomic
def erase(*, inquiry: Inquiry, now: dt.datetime) -> bool:
    """The asker takes everything back; what was said is gone with the commit.

    The row is locked first, so an answer that is being given now is deleted with it, and one that
    comes later finds nothing.
    """
    locked = Inquiry.objects.select_for_update(of=("self",)).filter(pk=inquiry.pk).first()
    if locked is None:
        return False
    audit.record("inquiry.erased", locked, by=None, now=now)
    locked.delete()
    return True
