"""All lives on one page: the declared graphs, and the only writer of a ``state``."""

import datetime as dt
from typing import Any

from django.db import transaction

from ambassadors.models import Person
from ambassadors.states import Graph, move

from .models import Delivery, Proposal, Suggestion, Takeover, Transition

DELIVERY: Graph = {
    "queued": ("sending", "unknown"),
    "sending": ("queued",),
    # I4: positive evidence is never dropped, whichever try brings it.
    "sent": ("sending", "unknown", "queued"),
    "failed": ("sending", "queued", "unknown"),
    "unknown": ("sending", "queued"),
    "cancelled": ("queued", "unknown"),
}
SUGGESTION: Graph = {
    "draft": ("in_review", "approved", "withdrawn"),
    # Out of *withdrawn* and *approved* only the desk leads: an undo within minutes by whoever did
    # it, and a beginning that moved ahead of what was approved.
    "in_review": ("draft", "approved", "withdrawn"),
    "approved": ("in_review", "withdrawn"),
    "withdrawn": ("draft", "in_review", "approved"),
}
PROPOSAL: Graph = {
    "answered": ("new", "answered"),
    "taken": ("new", "answered"),
    "declined": ("new", "answered"),
    "withdrawn": ("new", "answered"),
}
TAKEOVER: Graph = {
    "accepted": ("planned",),
    "released": ("accepted",),
    "handed_back": ("planned", "accepted", "released"),
    "stopped": ("planned", "accepted", "released"),
}


def move_suggestion(suggestion: Suggestion, *, to: str, revision: int, **changes: Any) -> bool:
    """Move a suggestion if state and revision are still those the person saw."""
    rows = Suggestion.objects.filter(pk=suggestion.pk, revision=revision)
    return move(rows, SUGGESTION, source=suggestion.state, to=to, **changes)


def move_proposal(proposal: Proposal, *, to: str, **changes: Any) -> bool:
    """Move an idea if its state and its answer are still those the person saw."""
    rows = Proposal.objects.filter(pk=proposal.pk, answered_at=proposal.answered_at)
    return move(rows, PROPOSAL, source=proposal.state, to=to, **changes)


def move_takeover(takeover: Takeover, *, to: str, **changes: Any) -> bool:
    """Move a takeover from the state it was read in; tells whether it still was in it."""
    rows = Takeover.objects.filter(pk=takeover.pk)
    return move(rows, TAKEOVER, source=takeover.state, to=to, **changes)


def move_delivery(
    delivery: Delivery,
    *,
    to: str,
    source: str,
    now: dt.datetime,
    reason: str = "",
    by: Person | None = None,
    any_fence: bool = False,
    **changes: Any,
) -> bool:
    """Move a delivery if state and fence are still those of this try.

    ``any_fence`` is for proof that the post exists (I4) and for a person's decision.
    Writes the transition in the same transaction; what breaks it, breaks the caller's.
    """
    rows = Delivery.objects.filter(pk=delivery.pk)
    if not any_fence:
        rows = rows.filter(fence=delivery.fence)
    with transaction.atomic(savepoint=False):
        if not move(rows, DELIVERY, source=source, to=to, reason=reason, **changes):
            return False
        Transition.objects.create(
            delivery=delivery,
            source=source,
            target=to,
            fence=delivery.fence,
            at=now,
            actor_id=by.pk if by else None,
            reason=reason,
        )
    return True
