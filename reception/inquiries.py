"""The life of a stranger's question inside: assigned, answered, handed over, closed, forgotten."""

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.memberships import day_of
from ambassadors.models import Absence, Person, Team, TeamKind
from campaigns import hours, wording
from campaigns.refusals import FieldRefused, fitting
from integrations import webhooks

from . import crowds, letters, routing
from .models import ContactCard, Inquiry, InquiryMessage
from .states import move_inquiry

LONGEST_ANSWER = 10_000  # characters
_LONGEST_NOTE = 1_000
_WARNS = dt.timedelta(hours=6)  # before the promise breaks
_HOUR, _LONGEST_REST = dt.timedelta(hours=1), dt.timedelta(days=10)
_GIVEN_UP = dt.timedelta(days=14)  # after it broke
_AT_ONCE = 200


class NotTaken(FieldRefused):
    """Nothing was stored; the sentence stands beside its field."""


class TooLate(Exception):
    """Something happened since the page was opened; the page shows what stands now."""


def welcome(inquiry: Inquiry, *, now: dt.datetime) -> None:
    """Give it to somebody and tell the asker, whose address nobody has confirmed yet."""
    assign(inquiry=inquiry, now=now)
    webhooks.tell("inquiry.arrived", {"language": inquiry.language}, now=now)
    if inquiry.email and crowds.may_write_to(inquiry.email, now=now):
        letters.due(inquiry, "received", now=now)


@transaction.atomic
def assign(*, inquiry: Inquiry, now: dt.datetime, without: int | None = None) -> bool:
    """Give a question to who can answer it, away from ``without``; tells whether somebody can.

    When nobody can, it waits without an owner, and the leads are told once.
    """
    on = day_of(now)
    owner = routing.choose(inquiry, on=on, without=without)
    if owner is None:
        if inquiry.state != "new" and not move_inquiry(
            inquiry, to="new", owner=None, team=None, assigned_at=None
        ):
            return False
        if not inquiry.mails.filter(kind="unowned").exists():
            for lead in _leads(inquiry):
                letters.due(inquiry, "unowned", now=now, person_id=lead.pk)
        return False
    team = routing.team_of(owner, on)
    if not move_inquiry(inquiry, to="assigned", owner=owner, team=team, assigned_at=now):
        return False
    letters.due(inquiry, "yours", now=now, person_id=owner.pk)
    audit.record("inquiry.assigned", inquiry, by=None, now=now, person=owner.pk)
    return True


def _leads(inquiry: Inquiry) -> list[Person]:
    """Who sees to it that it is answered: the team's lead, all leads of contacts, or HR."""
    here = Person.objects.filter(left_at__isnull=True, is_active=True)
    teams = Team.objects.filter(kind__behaviour=TeamKind.Behaviour.CONTACT)
    if inquiry.team_id:
        teams = teams.filter(pk=inquiry.team_id)
    found = list(here.filter(leads__in=teams).distinct())
    return found or list(here.filter(role__name="hr").distinct()[:5])


def stranded(on: dt.date) -> "QuerySet[Inquiry]":
    """Questions whose owner cannot answer: left, took the card back, term over, or away."""
    away = Absence.objects.filter(person=OuterRef("owner"), ended_at__isnull=True, until_on__gte=on)
    card = ContactCard.objects.live(on).filter(person=OuterRef("owner"))
    leads = Team.objects.filter(
        lead=OuterRef("owner"),
        lead__left_at__isnull=True,
        lead__is_active=True,
        kind__behaviour=TeamKind.Behaviour.CONTACT,
    )
    return Inquiry.objects.filter(state="assigned").filter(
        Q(owner__isnull=True) | Exists(away) | (~Exists(card) & ~Exists(leads))
    )


def settle(inquiry: Inquiry, *, now: dt.datetime) -> None:
    """Before a question is shown: if its owner cannot answer any more, somebody else gets it."""
    if stranded(day_of(now)).filter(pk=inquiry.pk).exists():
        assign(inquiry=inquiry, now=now, without=inquiry.owner_id)


def tend(*, now: dt.datetime) -> int:
    """See to all that wait: new owners, warnings before a promise breaks, honest ends.

    Returns how many questions were touched. Every step is conditional, so a second run at the
    same time does nothing twice.
    """
    on, count = day_of(now), 0
    for inquiry in stranded(on).select_related("widget")[:_AT_ONCE]:
        count += assign(inquiry=inquiry, now=now, without=inquiry.owner_id)
    if routing.able(on).exists():
        for inquiry in Inquiry.objects.filter(state="new").select_related("widget")[:_AT_ONCE]:
            count += assign(inquiry=inquiry, now=now)
    waiting = Inquiry.objects.filter(state__in=Inquiry.WAITING)
    for inquiry in waiting.filter(answer_by__lt=now - _GIVEN_UP)[:_AT_ONCE]:
        count += _expire(inquiry, now=now)
    for inquiry in waiting.filter(escalated_at=None, answer_by__lt=_warned_before(now))[:_AT_ONCE]:
        count += _warn(inquiry, now=now)
    return count


def _warned_before(now: dt.datetime) -> dt.datetime:
    """Promises that break before this are warned of now: six hours, and the quiet ones after them.

    A warning that comes in quiet hours is read after them, and that would be too late.
    """
    house, at = hours.company(now), now + _WARNS
    while house.quiet(at) and at < now + _LONGEST_REST:
        at += _HOUR
    return at


@transaction.atomic
def _warn(inquiry: Inquiry, *, now: dt.datetime) -> bool:
    rows = Inquiry.objects.filter(pk=inquiry.pk, escalated_at=None, state__in=Inquiry.WAITING)
    if not rows.update(escalated_at=now):
        return False
    told = {lead.pk for lead in _leads(inquiry)} | {inquiry.owner_id}
    for pk in sorted(pk for pk in told if pk):
        letters.due(inquiry, "due", now=now, person_id=pk)
    return True


@transaction.atomic
def _expire(inquiry: Inquiry, *, now: dt.datetime) -> bool:
    if not move_inquiry(inquiry, to="expired", last_at=now):
        return False
    letters.due(inquiry, "expired", now=now)
    audit.record("inquiry.expired", inquiry, by=None, now=now)
    return True


def visible_to(person: Person) -> "QuerySet[Inquiry]":
    """What somebody may open: their own; as a lead also what has nobody or is about to be late."""
    led = routing.led_by(person)
    late = Q(state="new") | Q(state="assigned", escalated_at__isnull=False)
    mine = Q(owner=person)
    if led:
        mine |= late & (Q(team__in=led) | Q(team__isnull=True))
    rows = Inquiry.objects.filter(mine)
    return rows.select_related("owner", "area", "widget", "chosen", "team")


def first_words(rows: list[Inquiry]) -> dict[int, str]:
    """How each question begins, by its number. One query."""
    said = InquiryMessage.objects.filter(inquiry__in=rows, who="asker")
    first = said.order_by("inquiry", "at", "pk").distinct("inquiry")
    return dict(first.values_list("inquiry", "text"))


def _text(text: str) -> str:
    empty = _("Write your answer first.")
    return fitting(NotTaken, "text", text, most=LONGEST_ANSWER, empty=empty)


def _as_seen(inquiry: Inquiry, seen: int) -> None:
    if inquiry.turn != seen:
        raise TooLate


@transaction.atomic
def answer(
    *, inquiry: Inquiry, text: str, seen: int, by: Person, now: dt.datetime
) -> InquiryMessage:
    """Answer. Who answers owns it from now on.

    ``seen`` is the turn the page showed. Raises :class:`TooLate` when something happened since,
    :class:`NotTaken` beside the field.
    """
    clean = _text(text)
    _as_seen(inquiry, seen)
    changes: dict[str, object] = {"last_at": now, "owner": by}
    if inquiry.owner_id != by.pk:
        changes["team"] = routing.team_of(by, day_of(now))
    if inquiry.answered_at is None:
        changes |= {"answered_at": now, "in_time": now <= inquiry.answer_by}
    if inquiry.state == "new" and not move_inquiry(
        inquiry, to="assigned", owner=by, assigned_at=now
    ):
        raise TooLate
    if inquiry.state not in {"assigned", "answered"} or not move_inquiry(
        inquiry, to="answered", **changes
    ):
        raise TooLate
    message = InquiryMessage.objects.create(
        inquiry=inquiry, who="contact", author=by, text=clean, at=now
    )
    letters.due(inquiry, "answer", now=now, message=message)
    audit.record("inquiry.answered", inquiry, by=by, now=now)
    return message


@transaction.atomic
def hand_over(
    *, inquiry: Inquiry, to: Person, note: str, seen: int, by: Person, now: dt.datetime
) -> None:
    """Give it to a colleague who takes questions, with a word that the asker does not see.

    Raises :class:`TooLate`, and :class:`NotTaken` when the colleague cannot take it now.
    """
    _as_seen(inquiry, seen)
    on = day_of(now)
    leads_it = to == by and routing.led_by(by).exists()
    if not leads_it and not routing.able(on).filter(person=to).exists():
        raise NotTaken("to", _("%(name)s takes no questions now.") % {"name": to.name})
    clean = wording.clean(note)[:_LONGEST_NOTE]
    if inquiry.state not in {"new", "assigned", "answered"} or not move_inquiry(
        inquiry, to="assigned", owner=to, team=routing.team_of(to, on), assigned_at=now
    ):
        raise TooLate
    if not wording.is_blank(clean):
        InquiryMessage.objects.create(inquiry=inquiry, who="note", author=by, text=clean, at=now)
    if to != by:
        letters.due(inquiry, "yours", now=now, person_id=to.pk)
    audit.record("inquiry.handed_over", inquiry, by=by, now=now, person=to.pk)


@transaction.atomic
def close(*, inquiry: Inquiry, seen: int, by: Person, now: dt.datetime) -> None:
    """End it. Another word of the asker opens it again. Raises :class:`TooLate`."""
    _as_seen(inquiry, seen)
    if inquiry.state not in {"new", "assigned", "answered"} or not move_inquiry(
        inquiry, to="closed", owner=by if inquiry.state == "new" else inquiry.owner
    ):
        raise TooLate
    audit.record("inquiry.closed", inquiry, by=by, now=now)


def let_go(batch: list[Inquiry], now: dt.datetime) -> int:
    """Delete questions whose time is over, but those somebody is at; one audit entry for all."""
    rows = Inquiry.objects.select_for_update(skip_locked=True, of=("self",))
    free = list(rows.filter(pk__in=[row.pk for row in batch]))
    if free:
        Inquiry.objects.filter(pk__in=[row.pk for row in free]).delete()
        audit.record("inquiries.forgotten", free[0], by=None, now=now, count=len(free))
    return len(free)
