"""All lives of HR's rooms: the declared graphs, and the only writer of a ``state``."""

from typing import Any

from ambassadors.states import Graph, move

from .models import Application, Booking, Departure, Invitation, PeopleImport, Session

SESSION: Graph = {"called_off": ("planned",)}
BOOKING: Graph = {
    # A seat: from the line, as an answer to an offer, or because "was there" was a mistake.
    "booked": ("waiting", "asked", "attended"),
    "asked": ("waiting",),
    "given_back": ("waiting", "asked", "booked"),
    "attended": ("booked",),
}
IMPORT: Graph = {
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
APPLICATION: Graph = {
    "waiting": ("applied",),
    "invited": ("applied", "waiting"),
    "declined": ("applied", "waiting"),
}
INVITATION: Graph = {
    "sent": ("queued",),
    "delayed": ("sent",),
    "bounced": ("sent", "delayed"),
}

DEPARTURE: Graph = {
    "agreed": ("waiting",),
    "withdrawn": ("waiting", "agreed"),
    "done": ("agreed",),
}


def move_session(session: Session, *, to: str, **changes: Any) -> bool:
    """Move a session from the state it was read in; tells whether it still was in it."""
    rows = Session.objects.filter(pk=session.pk)
    return move(rows, SESSION, source=session.state, to=to, **changes)


def move_booking(booking: Booking, *, to: str, **changes: Any) -> bool:
    """Move a booking from the state it was read in; tells whether it still was in it."""
    rows = Booking.objects.filter(pk=booking.pk)
    changes = {"answer_by": None, **changes}
    return move(rows, BOOKING, source=booking.state, to=to, **changes)


def move_import(row: PeopleImport, *, to: str, **changes: Any) -> bool:
    """Move an import from the state it was read in; tells whether it still was in it."""
    rows = PeopleImport.objects.filter(pk=row.pk)
    return move(rows, IMPORT, source=row.state, to=to, lease_until=None, **changes)


def move_application(application: Application, *, to: str, **changes: Any) -> bool:
    """Move an application from the state it was read in; tells whether it still was in it."""
    rows = Application.objects.filter(pk=application.pk)
    return move(rows, APPLICATION, source=application.state, to=to, **changes)


def move_invitation(invitation: Invitation, *, to: str, **changes: Any) -> bool:
    """Move an invitation from the state it was read in; tells whether it still was in it."""
    rows = Invitation.objects.filter(pk=invitation.pk)
    return move(rows, INVITATION, source=invitation.state, to=to, **changes)


def move_departure(departure: Departure, *, to: str, **changes: Any) -> bool:
    """Move a departure from the state it was read in; tells whether it still was in it."""
    rows = Departure.objects.filter(pk=departure.pk)
    return move(rows, DEPARTURE, source=departure.state, to=to, **changes)
