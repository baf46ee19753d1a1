"""A day and a time as a person types them."""

import datetime as dt

from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns import wallclock

_FARTHEST = dt.timedelta(days=730)


class Unclear(Exception):
    """What was typed is no moment that can be taken; the message says why."""


def moment(text: str, person: Person, now: dt.datetime) -> dt.datetime:
    """Read a moment ahead, on the person's clock unless it names its offset.

    Where the clocks skip or repeat an hour: as :mod:`campaigns.wallclock`. Raises :class:`Unclear`.
    """
    try:
        read = wallclock.read(text, person.zone)
    except (ValueError, OverflowError) as error:
        raise Unclear(_("Write a day and a time.")) from error
    found = read.at
    if read.skipped:
        raise Unclear(_("The clocks skip this time. Choose another."))
    if found <= now:
        raise Unclear(_("This moment is in the past."))
    if found > now + _FARTHEST:
        raise Unclear(_("That is more than two years ahead."))
    return found
