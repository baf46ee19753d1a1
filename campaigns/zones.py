"""A person's clock: another time zone, and what becomes of the posts that wait."""

import datetime as dt
import zoneinfo

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ambassadors.models import Person

from . import queue, wallclock
from .refusals import FieldRefused

CLOCK, MOMENT = "clock", "moment"


class ZoneRefused(FieldRefused):
    """The clock stays as it was."""


class PostsAsked(ZoneRefused):
    """Posts wait, and the person has not said yet what becomes of them."""


@transaction.atomic
def change(*, by: Person, zone: str, posts: str, now: dt.datetime) -> int:
    """Set the person's time zone; returns how many posts moved with the clock.

    ``posts``: with ``clock`` what was planned for nine leaves at nine on the new clock, unless
    that is over; with ``moment`` it leaves when it would have left. Raises :class:`ZoneRefused`
    for a name that is none, and :class:`PostsAsked` where posts wait and nothing was said.
    """
    name = known(zone)
    if name == by.timezone:
        return 0
    old, new, moved = by.zone, zoneinfo.ZoneInfo(name), 0
    rows = list(queue.waiting(by, now).select_related("post"))
    if rows and posts not in {CLOCK, MOMENT}:
        sentence = ngettext(
            "%(n)s post waits. Say when it should leave.",
            "%(n)s posts wait. Say when they should leave.",
            len(rows),
        )
        raise PostsAsked("posts", sentence % {"n": len(rows)})
    Person.objects.filter(pk=by.pk).update(timezone=name)
    by.timezone = name
    for row in rows if posts == CLOCK else ():
        wall = row.due_at.astimezone(old).replace(tzinfo=None)
        at = wallclock.read(wall.isoformat(), new).at
        if at > now and at != row.due_at:
            moved += queue.move(row, at, now)
    return moved


def known(typed: str) -> str:
    """The name of a zone as everybody writes it. Raises :class:`ZoneRefused`."""
    folded = "_".join(typed.split()).casefold()
    name = {zone.casefold(): zone for zone in zoneinfo.available_timezones()}.get(folded)
    if name is None:
        raise ZoneRefused(
            "zone",
            _("There is no time zone “%(zone)s”. Choose one from the list, like Europe/Berlin.")
            % {"zone": typed[:40]},
        )
    return name
