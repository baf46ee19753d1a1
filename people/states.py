"""All lives of HR's rooms: the declared graphs, and the only writer of a ``state``."""

from typing import Any

from django.db import models

from .models import Application, Booking, Departure, Invitation, PeopleImport, Session

# target: the states it may be reached from.
SESSION: dict[str, tuple[str, ...]] = {"called_off": ("planned",)}
BOOKING: dict[str, tuple[str, ...]] = {
    # A seat: from the line, as an answer to an offer, or because "was there" was a mistake.
    "booked": ("waiting", "asked", "attended"),
    "asked": ("waiting",),
    "given_back": ("waiting", "asked", "booked"),
    "attended": ("booked",),
}
IMPORT: dict[str, tuple[str, ...]] = {
    "reading": ("uploaded",),
    "read": ("reading",),
    "refused": ("reading",),
    # Back to the columns, with the file still there.
    "uploaded": ("read",),
    "waiting": ("read",),
    "running": ("read", "waiting"),
    "done": ("running",),
    "dropped": ("uploaded", "read", "waiting"),
}
APPLICATION: dict[str, tuple[str, ...]] = {
    "waiting": ("applied",),
    "invited": ("applied", "waiting"),
    "declined": ("applied", "waiting"),
}
INVITATION: dict[str, tuple[str, ...]] = {
    "sent": ("queued",),
    "delayed": ("sent",),
    "bounced": ("sent", "delayed"),
}

DEPARTURE: dict[str, tuple[str, ...]] = {
    "agreed": ("waiting",),
    "withdrawn": ("waiting", "agreed"),
    "done": ("agreed",),
}


class NoSuchWay(Exception):
    """The graph has no such edge: a mistake in the code, never bad luck."""


def _move(
    rows: "models.QuerySet[Any]",
    graph: dict[str, tuple[str, ...]],
    *,
    source: str,
    to: str,
    **changes: Any,
) -> bool:
    """Do one conditional UPDATE; tells whether it happened."""
    if source not in graph[to]:
        message = f"{source} → {to}"
        raise NoSuchWay(message)
    return bool(rows.filter(state=source).update(state=to, **changes))


def move_session(session: Session, *, to: str, **changes: Any) -> bool:
    """Move a session from the state it was read in; tells whether it still was in it."""
    rows = Session.objects.filter(pk=session.pk)
    return _move(rows, SESSION, source=session.state, to=to, **changes)


def move_booking(booking: Booking, *, to: str, **changes: Any) -> bool:
    """Move a booking from the state it was read in; tells whether it still was in it."""
    rows = Booking.objects.filter(pk=booking.pk)
    changes = {"answer_by": None, **changes}
    return _move(rows, BOOKING, source=booking.state, to=to, **changes)


def move_import(row: PeopleImport, *, to: str, **changes: Any) -> bool:
    """Move an import from the state it was read in; tells whether it still was in it."""
    rows = PeopleImport.objects.filter(pk=row.pk)
    return _move(rows, IMPORT, source=row.state, to=to, lease_until=None, **changes)


def move_application(application: Application, *, to: str, **changes: Any) -> bool:
    """Move an application from the state it was read in; tells whether it still was in it."""
    rows = Application.objects.filter(pk=application.pk)
    return _move(rows, APPLICATION, source=application.state, to=to, **changes)


def move_invitation(invitation: Invitation, *, to: str, **changes: Any) -> bool:
    """Move an invitation from the state it was read in; tells whether it still was in it."""
    rows = Invitation.objects.filter(pk=invitation.pk)
    return _move(rows, INVITATION, source=invitation.state, to=to, **changes)


def move_departure(departure: Departure, *, to: str, **changes: Any) -> bool:
    """Move a departure from the state it was read in; tells whether it still was in it."""
    rows = Departure.objects.filter(pk=departure.pk)
    return _move(rows, DEPARTURE, source=departure.state, to=to, **changes)
