"""A day and a time as a person types them."""

import datetime as dt

from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns.shares import ShareRefused
from campaigns.views.composer import on_clock

_FARTHEST = dt.timedelta(days=730)


class Unclear(Exception):
    """What was typed is no moment that can be taken; the message says why."""


def moment(text: str, person: Person, now: dt.datetime) -> dt.datetime:
    """Read a moment ahead, on the person's clock unless it names its offset.

    An hour that the clocks repeat is the first one. Raises :class:`Unclear`.
    """
    try:
        typed = dt.datetime.fromisoformat(text.strip()[:40])
        found = typed.astimezone(dt.UTC) if typed.tzinfo else on_clock(typed, person.zone)
    except ShareRefused as refused:
        raise Unclear(refused.sentence) from refused
    except (ValueError, OverflowError) as error:
        raise Unclear(_("Write a day and a time.")) from error
    if found <= now:
        raise Unclear(_("This moment is in the past."))
    if found > now + _FARTHEST:
        raise Unclear(_("That is more than two years ahead."))
    return found
