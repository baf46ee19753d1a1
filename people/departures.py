"""People whom the directory says have left."""

import contextlib
import datetime as dt

from ambassadors.memberships import LastAdministrator, LeftAlready
from ambassadors.models import Person
from campaigns import leaving


def leave(person: Person, *, by: Person | None, now: dt.datetime) -> str:
    """Let somebody leave in full; returns why not, empty when they have left.

    The last administrator stays, whoever says otherwise.
    """
    try:
        with contextlib.suppress(LeftAlready):
            leaving.leave(person=person, by=by, now=now)
    except LastAdministrator:
        return "last"
    return ""
