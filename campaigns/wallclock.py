"""What a clock on the wall says, as an instant: the two nights a year when it lies included."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

EARLIEST = 1900  # earlier zones have seconds, and the first year underflows


@dataclass(frozen=True, slots=True)
class Read:
    """The instant, and a sentence for the person where the clock was ambiguous."""

    at: dt.datetime
    note: str = ""
    skipped: bool = False


def read(written: str, zone: dt.tzinfo) -> Read:
    """Read a day and time as forms and people send it. Raises ValueError for what is none.

    Without an offset it is meant on the clock of ``zone``. A time that the clocks skip becomes the
    one an hour later, as it would on a clock that was not set; of a time that comes twice the first
    is taken. Both are said.
    """
    wall = dt.datetime.fromisoformat(written.strip()[:40].upper())
    if wall.year < EARLIEST:
        raise ValueError(written)
    if wall.tzinfo:
        return Read(wall.astimezone(dt.UTC))
    moment = wall.replace(tzinfo=zone).astimezone(dt.UTC)
    back = moment.astimezone(zone)
    said = {"asked": f"{wall:%H:%M}", "got": f"{back:%H:%M}"}
    if back.replace(tzinfo=None) != wall:
        sentence = _("The clocks skip %(asked)s that night; it is %(got)s now.")
        return Read(moment, sentence % said, skipped=True)
    if wall.replace(tzinfo=zone, fold=1).astimezone(dt.UTC) != moment:
        said["zone"] = back.tzname() or ""
        return Read(
            moment,
            _("%(asked)s comes twice that night; the first is taken (%(zone)s).") % said,
        )
    return Read(moment)
