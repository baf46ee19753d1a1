"""The parts of People by role: one table for the bar of a desk and the fold of a phone."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person

register = template.Library()


class Part(NamedTuple):
    """A page of People, the menu it lies in ("" for none), and the roles that may open it."""

    at: str
    url: str
    label: Promise
    menu: Promise | str
    roles: frozenset[str]


_HR, _LEADS, _CURATORS = frozenset({"hr"}), frozenset({"hr", "lead"}), frozenset({"hr", "curator"})
_BOTH, _ALL = frozenset({"hr", "administrator"}), frozenset[str]()
_FIGURES, _OUTSIDE, _MOVES, _TOGETHER = (
    _("Figures"),
    _("From outside"),
    _("Come and go"),
    _("Together"),
)
PARTS = (
    Part("roster", "roster", _("Roster"), "", _LEADS),
    Part("pipeline", "pipeline", _("The way in"), "", _LEADS),
    Part("calls", "call_list", _("Calls"), "", _LEADS),
    Part("teams", "team_list", _("Teams"), "", _LEADS),
    Part("training", "desk_training", _("Training"), "", _HR),
    Part("coverage", "coverage", _("Coverage"), _FIGURES, _HR),
    Part("figures", "figures", _("Time and reach"), _FIGURES, _HR),
    Part("talks", "talk_requests", _("Talk requests"), _OUTSIDE, _LEADS),
    Part("contacts", "widgets", _("Contacts"), _OUTSIDE, _HR),
    Part("imports", "imports", _("Import"), _MOVES, _BOTH),
    Part("leavers", "leavers", _("Leaving"), _MOVES, _BOTH),
    Part("sites", "sites", _("Sites"), _MOVES, _BOTH),
    Part("guidelines", "guideline_list", _("Guidelines"), _TOGETHER, _CURATORS),
    Part("pulse", "pulse_results", _("Pulse survey"), _TOGETHER, _ALL),
)


class Group(NamedTuple):
    """Parts that stand together, in a menu or bare."""

    menu: str
    parts: list[Part]
    is_here: bool


class Parts(NamedTuple):
    """What a person may open, flat and in menus, and the name of where they are."""

    flat: list[Part]
    groups: list[Group]
    here: Promise | str


def _groups(parts: list[Part], at: str) -> Iterator[Group]:
    for menu, inside in groupby(parts, key=lambda part: str(part.menu)):
        found = list(inside)
        yield Group(menu, found, any(part.at == at for part in found))


@register.simple_tag
def parts_of_people(user: Person, at: str) -> Parts:
    """The parts this person may open; ``at`` names the one that is open."""
    roles = set(user.role_names)
    flat = [part for part in PARTS if not part.roles or part.roles & roles]
    here = next((part.label for part in flat if part.at == at), "")
    return Parts(flat, list(_groups(flat, at)), here)
