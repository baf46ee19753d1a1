"""What may be evaluated only while the works agreement says so: one list of switches.

**To add a switch**, for example one for a figure called EMV:

1. Put ``"emv": Switch(title=…, about=…)`` into ``SWITCHES``. It is off from the start; say
   ``from_start=True`` only for what everybody was promised anyway.
2. Where the figure is *read* (not in its template) ask ``switches.is_on("emv")`` and answer as if
   the figure did not exist while it is off. One query; ask once in a request.
3. Test both ways with ``switches.turn(name="emv", on=True, paragraph="§ 4 (2)", by=…, now=…)``.

Nothing else: the works-agreement record lists it with everything that happened to it, an
administrator turns it there with the paragraph, and each turn is audited and mailed to the
auditors.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from . import audit
from .models import Person, SwitchTurn

LONGEST = 400  # characters of a paragraph
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Switch:
    """``title`` and ``about`` are for people: what is seen by whom while it is on."""

    title: str
    about: str
    from_start: bool = False


SWITCHES: dict[str, Switch] = {
    "pulse": Switch(
        title=gettext_noop("Pulse survey"),
        about=gettext_noop(
            "HR may open the anonymous survey once a quarter. Everybody sees its results, for "
            "groups of at least ten people at a site."
        ),
        from_start=True,
    ),
    "emv": Switch(
        title=gettext_noop("Value in money"),
        about=gettext_noop(
            "Whoever reads the months' figures also sees what as many bought clicks would have "
            "cost, as a range with its formula. Of the whole programme, never of a group."
        ),
    ),
}


class NotTurned(Exception):
    """The switch stays as it is; the argument is a sentence."""


def is_on(name: str) -> bool:
    """Tell whether what a switch unlocks exists now. One query. Raises KeyError for no switch."""
    known = SWITCHES[name]
    newest = SwitchTurn.objects.filter(name=name).values_list("on", flat=True).first()
    return known.from_start if newest is None else newest


@transaction.atomic
def turn(*, name: str, on: bool, paragraph: str, by: Person, now: dt.datetime) -> SwitchTurn:
    """Turn a switch, on the paragraph of the agreement that says so.

    Effects in order: one who turns at the same time waits; the turn; audit entry. A worker then
    writes to the auditors. Raises :class:`NotTurned`, and KeyError for no switch.
    """
    known, paragraph = SWITCHES[name], " ".join(paragraph.split())
    if len(paragraph) < _SHORTEST:
        raise NotTurned(_("Name the section of the agreement, such as “§ 4 (2)”."))
    if len(paragraph) > LONGEST:
        raise NotTurned(_("That is longer than 400 characters. The section is enough."))
    rows = SwitchTurn.objects.select_for_update().filter(name=name)
    newest = rows.first()
    if (newest.on if newest else known.from_start) == on:
        raise NotTurned(_("It stands so already; somebody was faster."))
    made = SwitchTurn.objects.create(name=name, on=on, paragraph=paragraph, at=now, by=by)
    audit.record("switch.turned", made, by=by, now=now, name=name, on=on)
    return made
