"""What a closed round says: means of groups, a finding in words, and what changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from ambassadors import anonymity
from ambassadors.models import Site

from .models import PulseRound
from .pulse import REST, WHOLE, answers
from .questions import QUESTIONS, STEPS

# One person can move a sum by four steps; what fewer than five could have moved is no change.
_MOVED = (len(STEPS) - 1) * anonymity.GROUP


@dataclass(frozen=True, slots=True)
class Mean:
    """How far a group agrees with a statement, from 1 to 5; ``turn`` is up, down, same or none."""

    text: Promise
    good: bool
    value: float
    turn: str

    @property
    def wished(self) -> float:
        """The same, so that more is better."""
        return self.value if self.good else len(STEPS) + 1 - self.value

    @property
    def width(self) -> int:
        """How much of the line is filled, in tenths."""
        return round((self.value - 1) * 10 / (len(STEPS) - 1))


@dataclass(frozen=True, slots=True)
class Group:
    """A group's five means, and how many answered at least: a multiple of five."""

    site: Site | None
    is_rest: bool
    at_least: int
    means: list[Mean]


@dataclass(frozen=True, slots=True)
class Results:
    """A round as everybody may read it. ``whole`` is None when fewer than five answered."""

    whole: Group | None
    groups: list[Group]
    comments: list[str]
    most: Mean | None
    least: Mean | None


def read(round_: PulseRound, before: PulseRound | None) -> Results:
    """The results of a closed round, beside those of the one before."""
    tallies, then = round_.box.tallies, before.box.tallies if before else {}
    if WHOLE not in tallies:
        return Results(None, [], [], None, None)
    at_sites = [key for key in tallies if key.isdecimal()]
    sites = Site.objects.in_bulk([int(key) for key in at_sites])
    whole = _group(tallies[WHOLE], then.get(WHOLE), None)
    groups = [_group(tallies[key], then.get(key), sites.get(int(key))) for key in at_sites]
    groups.sort(key=lambda group: str(group.site))
    if REST in tallies:
        groups.append(_group(tallies[REST], then.get(REST), None, is_rest=True))
    ranked = sorted(whole.means, key=lambda mean: mean.wished)
    return Results(whole, groups, round_.box.comments, ranked[-1], ranked[0])


def _group(
    cells: Sequence[int], then: Sequence[int] | None, site: Site | None, *, is_rest: bool = False
) -> Group:
    means = [
        Mean(question.text, question.good, round(mean(cells, n), 1), turn(cells, then, n))
        for n, question in enumerate(QUESTIONS)
    ]
    return Group(site, is_rest, anonymity.at_least(answers(cells)), means)


def mean(cells: Sequence[int], question: int) -> float:
    """The mean step of a question, from 1 to 5."""
    mine = cells[question * len(STEPS) : (question + 1) * len(STEPS)]
    return sum(step * count for step, count in enumerate(mine, 1)) / sum(mine)


def turn(cells: Sequence[int], then: Sequence[int] | None, question: int) -> str:
    """``up``, ``down`` or ``same`` against the round before; empty where that cannot be said.

    A change that fewer than five people alone could have made is none.
    """
    if then is None:
        return ""
    moved = mean(cells, question) - mean(then, question)
    if abs(moved) * min(answers(cells), answers(then)) < _MOVED:
        return "same"
    return "up" if moved > 0 else "down"
