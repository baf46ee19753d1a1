"""The lives of what strangers ask for: the declared graphs, and the only writer of a ``state``."""

import datetime as dt
from typing import Any

from django.db.models import F

from ambassadors.states import Graph, move

from .models import Inquiry, TalkRequest, TalkStep

TALK_REQUEST: Graph = {
    # Back from *booked* when its speaker cannot come after all.
    "requested": ("offered", "booked"),
    "offered": ("requested", "offered"),
    "booked": ("offered",),
    "held": ("booked",),
    "declined": ("requested", "offered", "booked"),
    "cancelled": ("requested", "offered", "booked"),
    "lapsed": ("requested", "offered", "booked"),
}
INQUIRY: Graph = {
    "new": ("quarantined", "assigned", "answered", "closed", "expired"),
    # Another owner is a move from *assigned* to itself: the turn tells the two apart.
    "assigned": ("quarantined", "new", "assigned", "answered", "closed", "expired"),
    "answered": ("assigned", "answered"),
    "closed": ("new", "assigned", "answered"),
    "expired": ("new", "assigned"),
    "discarded": ("quarantined",),
    "quarantined": ("discarded",),
}


def move_talk_request(
    request: TalkRequest, *, to: str, source: str, now: dt.datetime, **changes: Any
) -> bool:
    """Move a request if it still is in ``source`` and has the speaker that was read.

    Writes the history in the caller's transaction; an end gets its time.
    """
    if to in TalkRequest.ENDED:
        changes["ended_at"] = now
    rows = TalkRequest.objects.filter(pk=request.pk, speaker=request.speaker_id)
    if request.speaker_id is None:
        rows = TalkRequest.objects.filter(pk=request.pk, speaker__isnull=True)
    if not move(rows, TALK_REQUEST, source=source, to=to, changed_at=now, **changes):
        return False
    if source != to:
        TalkStep.objects.create(request=request, state=to, at=now)
    return True


def move_inquiry(inquiry: Inquiry, *, to: str, **changes: Any) -> bool:
    """Move a question if its state and turn are still those that were read.

    Of two people who answer at once one moves it, the other is told. The row in hand is read again.
    """
    rows = Inquiry.objects.filter(pk=inquiry.pk, turn=inquiry.turn)
    if not move(rows, INQUIRY, source=inquiry.state, to=to, turn=F("turn") + 1, **changes):
        return False
    inquiry.refresh_from_db()
    return True
