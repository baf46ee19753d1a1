"""The life of an idea: handed in, answered, taken up or not. None is lost without an answer."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ambassadors import audit
from ambassadors.models import Person
from integrations import mails

from . import hours, suggestions, wording
from .models import Picture, Programme, Proposal, Suggestion, Topic, Variant
from .refusals import FieldRefused, fitting
from .states import move_proposal

LONGEST = 5_000  # characters of an idea
LONGEST_ANSWER = 2_000
_BETWEEN_REMINDERS = dt.timedelta(hours=20)  # so that a daily tick that comes early still writes


class AlreadyDecided(Exception):
    """Somebody else has answered meanwhile; ``proposal`` is what they made of it."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(str(proposal))
        self.proposal = proposal


class NotTaken(FieldRefused):
    """What was typed cannot be taken; ``field`` says where the sentence belongs."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Ideas without an answer: how many, how many for too long, and the oldest's days."""

    count: int
    late: int
    days: int


def patience() -> dt.timedelta:
    """How long an idea may wait before the curators are reminded."""
    return dt.timedelta(days=settings.IDEA_DAYS)


def _checked(field: str, text: str, most: int, empty: str) -> str:
    """The text as it may be kept. Raises :class:`NotTaken`."""
    return fitting(NotTaken, field, text, most=most, empty=empty)


@transaction.atomic
def hand_in(
    *,
    by: Person,
    text: str,
    picture: Picture | None,
    show_name: bool,
    submission: uuid.UUID,
    now: dt.datetime,
) -> Proposal:
    """Keep an idea; the same form a second time finds the first. Raises :class:`NotTaken`."""
    clean = _checked("text", text, LONGEST, _("Write one sentence; more is not needed."))
    proposal, new = Proposal.objects.get_or_create(
        person=by,
        submission=submission,
        defaults={
            "text": clean,
            "language": by.language,
            "picture": picture,
            "show_name": show_name,
            "created_at": now,
        },
    )
    if new:
        audit.record("proposal.handed_in", proposal, by=by, now=now)
    return proposal


@transaction.atomic
def withdraw(*, proposal: Proposal, by: Person, now: dt.datetime) -> bool:
    """Take one's own idea back; tells whether nobody had decided about it yet."""
    moved = move_proposal(proposal, to="withdrawn")
    if moved:
        audit.record("proposal.withdrawn", proposal, by=by, now=now)
    return moved


@transaction.atomic
def credit(*, proposal: Proposal, show_name: bool, by: Person, now: dt.datetime) -> None:
    """Let the person's name stand beside the suggestion made of the idea, or not any more."""
    changed = Proposal.objects.filter(pk=proposal.pk).exclude(show_name=show_name)
    if changed.update(show_name=show_name):
        audit.record("proposal.credit", proposal, by=by, now=now, shown=show_name)


@transaction.atomic
def answer(*, proposal: Proposal, words: str, by: Person, now: dt.datetime) -> None:
    """Answer with words and leave the idea open. Raises as :func:`decline` does."""
    clean = _checked("answer", words, LONGEST_ANSWER, _("Write an answer first."))
    _decide(proposal, "answered", answer=clean, by=by, now=now)


@transaction.atomic
def decline(*, proposal: Proposal, words: str, by: Person, now: dt.datetime) -> None:
    """Say kindly that nothing will come of it.

    Raises :class:`NotTaken` without a sentence, :class:`AlreadyDecided` when somebody was faster.
    """
    clean = _checked(
        "answer", words, LONGEST_ANSWER, _("Say why in a kind sentence; the member reads it.")
    )
    _decide(proposal, "declined", answer=clean, by=by, now=now)


@transaction.atomic
def take_up(
    *, proposal: Proposal, topic: Topic, words: str, by: Person, now: dt.datetime
) -> Suggestion:
    """Turn an idea into a draft that the curator goes on writing.

    Effects in order: draft with the member's words and picture, the idea's state, audit entries;
    all or nothing. Raises :class:`AlreadyDecided`, :class:`NotTaken` for an answer too long.
    """
    clean = wording.clean(words)
    if clean:
        clean = _checked("answer", words, LONGEST_ANSWER, "")
    first_line = proposal.text.splitlines()[0]
    draft = suggestions.save(
        suggestion=Suggestion(
            topic=topic,
            title=first_line if len(first_line) <= 120 else f"{first_line[:119].rstrip()}…",
            language=proposal.language,
            picture=proposal.picture,
            changed_at=now,
        ),
        variants=[Variant(name=_("Personal"), language=proposal.language, text=proposal.text)],
        seen_revision=0,
        by=by,
        now=now,
    )
    _decide(proposal, "taken", answer=clean, suggestion=draft, by=by, now=now)
    return draft


def _decide(proposal: Proposal, to: str, *, by: Person, now: dt.datetime, **changes: Any) -> None:
    """Move the idea from the state that was shown. Raises :class:`AlreadyDecided`."""
    if not move_proposal(proposal, to=to, answered_by=by, answered_at=now, seen_at=None, **changes):
        raise AlreadyDecided(Proposal.objects.select_related("answered_by").get(pk=proposal.pk))
    audit.record(f"proposal.{to}", proposal, by=by, now=now)


def see(*, person: Person, now: dt.datetime) -> None:
    """The person has read what was answered; Today says it no more."""
    unseen(person).update(seen_at=now)


def unseen(person: Person | int) -> "QuerySet[Proposal]":
    """Answers the person has not read yet."""
    return Proposal.objects.filter(person=person, answered_at__isnull=False, seen_at__isnull=True)


def waiting(*, now: dt.datetime) -> Waiting:
    """What the desk must know; one query."""
    found = Proposal.objects.filter(state="new").aggregate(
        count=Count("pk"),
        late=Count("pk", filter=Q(created_at__lte=now - patience())),
        oldest=Min("created_at"),
    )
    oldest = found.pop("oldest") or now
    return Waiting(**found, days=(now - oldest).days)


def remind_due(*, now: dt.datetime) -> int:
    """Write to the curators about ideas that wait too long; returns how many mails went out.

    At most once a day, and to nobody in their quiet hours. Marked before it is written: a crash
    in between costs the mail, never makes a second one.
    """
    calendar = hours.Calendar(Programme.the(), now)
    curators = [
        person
        for person in Person.objects.filter(
            role__name="curator", left_at__isnull=True, is_active=True
        )
        if not calendar.of(person).quiet(now)
    ]
    late = Proposal.objects.filter(state="new", created_at__lte=now - patience())
    lately = Proposal.objects.filter(reminded_at__gt=now - _BETWEEN_REMINDERS)
    if not curators or lately.exists():
        return 0
    with transaction.atomic():
        ideas = list(late.select_for_update().order_by("created_at", "pk"))
        if not ideas or lately.exists():
            return 0
        late.filter(pk__in=[idea.pk for idea in ideas]).update(reminded_at=now)
    return sum(_write(person, len(ideas), ideas[0], now) for person in curators)


def _write(person: Person, count: int, oldest: Proposal, now: dt.datetime) -> bool:
    """The mail: how many and since when; the ideas themselves stay here."""
    with translation.override(person.language):
        subject = ngettext(
            "An idea waits for an answer", "%(count)s ideas wait for an answer", count
        ) % {"count": count}
        body = _(
            "The oldest was handed in %(days)s days ago. A kind sentence is enough:\n\n%(page)s\n\n"
            "This reminder comes at most once a day, and only while something waits."
        ) % {
            "days": (now - oldest.created_at).days,
            "page": settings.SITE_URL + reverse("desk_ideas"),
        }
    return mails.send(person, subject, body, about="ideas that wait")
