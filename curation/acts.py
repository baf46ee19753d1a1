"""One press of a button on one suggestion or many, each with its own outcome; and its undo.

Every suggestion has a transaction of its own that locks it and shares its topic's row, so a hold
that is pressed meanwhile comes either before, and the suggestion is left as it is, or after. What
an act changed it remembers, and undoes only where nobody has changed it since.
"""

import datetime as dt
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, cast

from django.db import transaction
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from ambassadors import audit
from ambassadors.models import Person
from campaigns import holds, offers, reviews, suggestions
from campaigns.models import Programme, Suggestion, Topic
from campaigns.states import move_suggestion

from .models import Act, ActRow

UNDO = dt.timedelta(minutes=5)
_SEEN = dt.timedelta(minutes=1)
MOST = 200  # suggestions in one act
Outcome = ActRow.Outcome
What = Act.What
Value = Topic | Person | dt.datetime | None


class TooLate(Exception):
    """The act cannot be undone any more, or not by this person."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A suggestion as the person saw it."""

    pk: int
    revision: int


@dataclass(slots=True)
class _Done:
    """What became of one: the sentence, the columns as they were, what is missing."""

    outcome: ActRow.Outcome
    before: dict[str, Any]
    why: str = ""


def _left(outcome: ActRow.Outcome, why: str = "") -> _Done:
    return _Done(outcome, {}, why)


def perform(
    *, what: Act.What, chosen: Sequence[Chosen], value: Value, by: Person, now: dt.datetime
) -> Act:
    """Do one thing to every chosen suggestion; one that cannot be done stops no other.

    ``value`` is the topic, the person, or the moment of the act; None as a moment takes it away.
    """
    act = Act.objects.create(by=by, at=now, what=what)
    for one in chosen[:MOST]:
        with transaction.atomic():
            suggestion = _locked(one.pk)
            if suggestion is None:
                continue
            done = _refused(suggestion, one, what, value) or _do(suggestion, what, value, by, now)
            suggestion.refresh_from_db(fields=["revision"])
            ActRow.objects.create(
                act=act,
                suggestion=suggestion,
                outcome=done.outcome,
                before=done.before,
                revision=suggestion.revision,
                why=done.why[:300],
            )
    return act


def _locked(pk: int) -> Suggestion | None:
    return Suggestion.objects.select_for_update().filter(pk=pk).first()


def _held(suggestion: Suggestion, *topics: int) -> bool:
    """Tell whether a hold is on it or on a topic; none can begin before this transaction ends."""
    return holds.bars(suggestion.topic_id, *topics) or suggestion.is_held


def _refused(suggestion: Suggestion, one: Chosen, what: str, value: Value) -> _Done | None:
    """Why it is left as it is, None when nothing speaks against the act."""
    if _held(suggestion, *([value.pk] if isinstance(value, Topic) else [])):
        return _left(Outcome.HELD)
    if suggestion.revision != one.revision:
        return _left(Outcome.CHANGED)
    state = suggestion.state
    if what == What.WITHDRAW:
        return _left(Outcome.SAME) if state == "withdrawn" else None
    if state == "withdrawn":
        return _left(Outcome.STATE)
    if what == What.HAND_IN:
        if suggestion.pattern:
            return _left(Outcome.PATTERN)
        if state == "in_review":
            return _left(Outcome.SAME)
        return None if state == "draft" else _left(Outcome.STATE)
    return _refused_change(suggestion, what, value)


def _refused_change(suggestion: Suggestion, what: str, value: Value) -> _Done | None:
    if value == getattr(suggestion, _COLUMN[What(what)]):
        return _left(Outcome.SAME)
    if what == What.TOPIC and suggestion.state == "approved":
        return _left(Outcome.APPROVED)
    if what == What.END and (missing := _offer_ends(suggestion, value)):
        return _left(Outcome.NOT_READY, missing)
    begin = value if what == What.BEGIN else suggestion.embargo_until
    end = value if what == What.END else suggestion.expires_at
    return _left(Outcome.ORDER) if begin and end and end <= begin else None  # type: ignore[operator]


def _offer_ends(suggestion: Suggestion, end: Value) -> str:
    """Why it cannot end then: an approved one never outlives its offer."""
    if suggestion.state != "approved":
        return ""
    moved = copy(suggestion)
    moved.expires_at = cast("dt.datetime | None", end)
    return next((sentence for _field, sentence in offers.missing(moved)), "")


_COLUMN = {
    What.END: "expires_at",
    What.BEGIN: "embargo_until",
    What.TOPIC: "topic",
    What.OWNER: "owner",
}


def _do(suggestion: Suggestion, what: str, value: Value, by: Person, now: dt.datetime) -> _Done:
    """Do what nothing speaks against."""
    before = {"state": suggestion.state, **_approval(suggestion)}
    if what == What.WITHDRAW:
        suggestions.withdraw(suggestion=suggestion, by=by, now=now)
        return _Done(Outcome.DONE, before)
    if what == What.HAND_IN:
        try:
            with transaction.atomic():
                reviews.hand_in(
                    suggestion=suggestion, seen_revision=suggestion.revision, by=by, now=now
                )
        except suggestions.NotAllowed as missing:
            return _left(Outcome.NOT_READY, str(missing))
        return _Done(Outcome.DONE, before)
    column = _COLUMN[What(what)]
    old = getattr(suggestion, column)
    was = {column: old.isoformat() if isinstance(old, dt.datetime) else old and old.pk}
    anew = _needs_new_look(suggestion, what, value)
    if anew:  # first, so that the looks given to the old moment do not count for the new one
        move_suggestion(
            suggestion,
            to="in_review",
            revision=suggestion.revision,
            approved_at=None,
            approved_by=None,
            handed_in_at=now,
        )
    Suggestion.objects.filter(pk=suggestion.pk).update(
        **{column: value}, revision=suggestion.revision + 1, changed_at=now
    )
    audit.record(f"suggestion.{what}", suggestion, by=by, now=now, before=was[column])
    return _Done(Outcome.REVIEW, {**was, **before}) if anew else _Done(Outcome.DONE, was)


def _approval(suggestion: Suggestion) -> dict[str, Any]:
    at = suggestion.approved_at
    return {"approved_at": at and at.isoformat(), "approved_by": suggestion.approved_by_id}


def _needs_new_look(suggestion: Suggestion, what: str, value: Value) -> bool:
    """Whoever approved it approved its beginning; only a later one is safe without them."""
    if what != What.BEGIN or suggestion.state != "approved" or not suggestion.embargo_until:
        return False
    earlier = value is None or value < suggestion.embargo_until  # type: ignore[operator]
    return earlier and Programme.the().two_person_review


def undoable(person: Person, now: dt.datetime) -> Act | None:
    """The person's last act while it can be undone, and a minute after its undo; with its rows."""
    fresh = Q(undone_at__isnull=True) | Q(undone_at__gt=now - _SEEN)
    acts = Act.objects.filter(fresh, by=person, at__gt=now - UNDO)
    return acts.prefetch_related("rows__suggestion").first()


def undo(*, act: Act, by: Person, now: dt.datetime) -> None:
    """Put back what an act changed, where nobody changed it since and nothing is on hold.

    Raises :class:`TooLate` after five minutes, for somebody else's, and the second time.
    """
    mine = Act.objects.filter(pk=act.pk, by=by, at__gt=now - UNDO, undone_at__isnull=True)
    if not mine.update(undone_at=now):
        raise TooLate
    for row in act.rows.filter(outcome__in=[Outcome.DONE, Outcome.REVIEW]):
        with transaction.atomic():
            suggestion = _locked(row.suggestion_id)
            assert suggestion  # noqa: S101 - the row's foreign key
            ActRow.objects.filter(pk=row.pk).update(outcome=_back(suggestion, row, act, by, now))


def _back(
    suggestion: Suggestion, row: ActRow, act: Act, by: Person, now: dt.datetime
) -> ActRow.Outcome:
    """Put one back; returns its sentence. Every verb writes ``changed_at``, so it tells."""
    topic = row.before.get("topic")
    if _held(suggestion, *([topic] if topic else [])):
        return Outcome.HELD
    if (suggestion.revision, suggestion.changed_at) != (row.revision, act.at):
        return Outcome.KEPT
    before: dict[str, Any] = dict(row.before)
    for name in ("embargo_until", "expires_at", "approved_at"):
        if before.get(name):
            before[name] = parse_datetime(before[name])
    columns: dict[str, Any] = {
        _ID.get(name, name): value for name, value in before.items() if name != "state"
    }
    state, revision = before.get("state", suggestion.state), suggestion.revision
    if state == "approved" and act.what not in {What.WITHDRAW, What.HAND_IN}:
        reviews.carry(suggestion=suggestion, source=row.revision - 1)
    if state != suggestion.state:
        move_suggestion(suggestion, to=state, revision=revision, **columns)
        columns = {}
    Suggestion.objects.filter(pk=suggestion.pk).update(
        **columns, revision=revision + 1, changed_at=now
    )
    audit.record("suggestion.undone", suggestion, by=by, now=now, undid=act.what)
    return Outcome.UNDONE


_ID: dict[str, str] = {"topic": "topic_id", "owner": "owner_id", "approved_by": "approved_by_id"}
