"""Figures about others exist for groups of at least five. The one place that decides.

Two numbers that may each be told can tell on one person when they are subtracted. So a figure here
is a step, not a count; it leaves up to one person out by a number that only this server can work
out; cells too small are told together and no sum is counted for itself; and a figure that is told
stays as it is until enough people's answers have changed. ``docs/programme.md`` says why.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, F, Sum, TextField, Value
from django.db.models.expressions import Func
from django.db.models.functions import Cast

from .models import PublishedFigure

GROUP = 5
STEPS: tuple[int, ...] = tuple(step * 10**power for power in range(6) for step in (1, 2, 5))[2:]
_LEFT_OUT = 2  # nobody or one
_THREE = 3
BESIDE_THREE = _THREE + GROUP  # people among whom three are not to be told apart
# Elimination modulo this prime finds the true rank of zeros and ones up to 32 columns: a minor of
# them is at most 33**16.5 / 2**32 (Hadamard), far below it.
_PRIME, MOST_CELLS = 2**61 - 1, 32


def shown(count: int) -> int | None:
    """The count if enough people stand behind it, else None: too few to tell."""
    return count if count >= GROUP else None


def at_least(count: int) -> int:
    """The count in whole groups, for figures that stand still while somebody could watch them."""
    return count - count % GROUP


def yes_at_least(yes: int, of: int) -> int:
    """How many of a group said yes at the least, in whole groups; 0 for fewer than five.

    Never so many that fewer than five are left: if all did, it would be known of each of them.
    """
    return at_least(max(min(yes, of - GROUP), 0))


def apart(counts: Mapping[str, int]) -> set[str]:
    """Which of the groups that make up a whole may be shown beside it.

    Each has five or more, and so has what is left when all shown ones are taken from the whole,
    unless nothing is left: else the groups that are not shown would show by subtraction.
    """
    found = {key for key, count in counts.items() if count >= GROUP}
    left = sum(count for key, count in counts.items() if key not in found)
    for key in sorted(found, key=lambda one: counts[one]):
        if left == 0 or left >= GROUP:
            break
        found.discard(key)
        left += counts[key]
    return found


@dataclass(frozen=True, slots=True)
class Group:
    """How many people, and a sum over their keys that tells one group from another."""

    people: int = 0
    mark: int = 0

    def __add__(self, other: "Group") -> "Group":
        return Group(self.people + other.people, self.mark + other.mark)

    @classmethod
    def of(cls, keys: Iterable[int]) -> "Group":
        """The group of people with these keys."""
        digests = [hashlib.sha256(str(key).encode()).digest() for key in set(keys)]
        return cls(len(digests), sum(int.from_bytes(digest[:8]) for digest in digests))


def mark(key: str, *, distinct: bool = False) -> Sum:
    """The sum of a :class:`Group` as the database works it out over a column of people's keys.

    ``distinct`` where somebody may stand in several rows.
    """
    return Sum(
        Func(
            Cast(F(key), TextField()), Value(0), function="hashtextextended",
            output_field=BigIntegerField(),
        ),
        distinct=distinct,
    )  # fmt: skip


def told(group: Group) -> int | None:
    """How many people at the least, as a step of 1-2-5; None for a handful.

    The same people give the same answer however they were asked for, one person more or less may
    give another: who sees a step change cannot say that it was for one person.
    """
    secret = settings.SECRET_KEY.encode()
    text = f"group {group.people} {group.mark}".encode()
    left_out = hmac.new(secret, text, hashlib.sha256).digest()[0] % _LEFT_OUT
    reached = group.people - left_out
    if shown(reached) is None:
        return None
    return max(step for step in STEPS if step <= reached)


def split(yes: Group, no: Group) -> int | None:
    """How many said yes, where enough did and enough did not; None else.

    Where all of a group say yes it would be known of each of them, so that is not told either.
    """
    return told(yes) if told(no) is not None else None


def total(values: Mapping[int, float]) -> int | None:
    """A sum over people as a step that it reaches, where nobody's value can be read from it.

    None where fewer than five people have one, or where the two largest are more than half of all:
    either of the two could work the other's out.
    """
    contributing = {key: value for key, value in values.items() if value > 0}
    if told(Group.of(contributing)) is None:
        return None
    whole = sum(contributing.values())
    largest = sum(sorted(contributing.values())[-2:])
    if largest * 2 > whole or whole < STEPS[0]:
        return None
    return max(step for step in STEPS if step <= whole)


@dataclass(frozen=True, slots=True)
class Block:
    """Cells told as one. ``people`` is a step; None where all of them together are a handful."""

    cells: tuple[Any, ...]
    people: int | None

    @property
    def merged(self) -> bool:
        """Tell whether it stands for several cells."""
        return len(self.cells) > 1


def blocks(cells: Mapping[Any, Group]) -> list[Block]:
    """Cells that share nobody, each with enough people or told together with the other small ones.

    Small ones together are told as "five or more" at the most: with a larger step one could work
    out what a single one must at least hold. Nothing is counted over all of them, so nothing is
    left when the told ones are taken away.
    """
    alone = [Block((key,), told(group)) for key, group in cells.items()]
    found = [block for block in alone if block.people is not None]
    small = [block.cells[0] for block in alone if block.people is None]
    together = sum((cells[key] for key in small), Group())
    if len(small) > 1 and told(together) is not None:
        return [*found, Block(tuple(small), GROUP)]
    return found + [Block((key,), None) for key in small]


def third(values: Mapping[int, float]) -> int | None:
    """How many thirds of a sum rest on the three largest together: 1, 2 or 3; None untold.

    It needs five others beside the three who have a part in it, and a largest that does not hold
    more than half alone. In three words (up to one third, up to two, more) and blind to who is who.
    """
    contributing = sorted((value for value in values.values() if value > 0), reverse=True)
    if len(contributing) < BESIDE_THREE or 2 * contributing[0] > sum(contributing):
        return None
    part = sum(contributing[:_THREE]) / sum(contributing)
    return min(int(part * 3) + 1, 3)


def evened(values: Iterable[float]) -> float:
    """The mean over people where the two highest count like the third.

    So no figure rests on one or two, and nobody can be worked out by who knows the others.
    """
    high = sorted(values, reverse=True)
    return sum([*high[2:3] * 2, *high[2:]]) / len(high) if high else 0.0


class _Span:
    """What follows from some cells by adding and subtracting."""

    def __init__(self, base: "Mapping[int, list[int]] | None" = None) -> None:
        self.base = dict(base or {})

    def plus(self, width: int, parts: Iterable[tuple[int, ...]]) -> "_Span":
        """Both what follows already and more cells."""
        more = _Span(self.base)
        for cells in parts:
            more._take([int(n in cells) for n in range(width)])
        return more

    def _take(self, row: list[int]) -> None:
        for at in range(len(row)):
            if not (value := row[at]):
                continue
            if at not in self.base:
                back = pow(value, -1, _PRIME)
                self.base[at] = [one * back % _PRIME for one in row]
                return
            row = [(a - value * b) % _PRIME for a, b in zip(row, self.base[at], strict=True)]


def inseparable(parts: Mapping[int, Collection[tuple[int, ...]]]) -> bool:
    """Tell whether no adding and subtracting of told cells leaves a sum over fewer than five.

    ``parts``: of each person in which cells what they added stands, each piece as the numbers of
    its cells (of all, of its topic, of its network ...), below :data:`MOST_CELLS`.

    It is enough that the people can be shared out into five circles of whom each spans alone what
    all span together. Take any four away and one circle is whole: a combination that is nothing
    for everybody else is nothing at all.
    """
    width = 1 + max((n for mine in parts.values() for cells in mine for n in cells), default=-1)
    if width > MOST_CELLS:
        return False
    often = Counter(n for mine in parts.values() for n in {n for cells in mine for n in cells})
    goal = len(_Span().plus(width, {cells for mine in parts.values() for cells in mine}).base)
    circles = [_Span() for _ in range(GROUP)]

    def rarest(key: int) -> tuple[int, int]:
        return min((often[n] for cells in parts[key] for n in cells), default=0), key

    # Whoever stands in a rare cell goes first, to the circle that gains most by them.
    for key in sorted(parts, key=rarest):
        grown = [one.plus(width, parts[key]) if len(one.base) < goal else one for one in circles]
        gains = [len(new.base) - len(old.base) for new, old in zip(grown, circles, strict=True)]
        best = max(range(GROUP), key=lambda n: (gains[n], -len(circles[n].base)))
        circles[best] = grown[best]
        if all(len(one.base) == goal for one in circles):
            return True
    return False


def frozen(prefix: str) -> dict[str, Any]:
    """What was told for good under names that begin so, by name."""
    rows = PublishedFigure.objects.filter(name__startswith=prefix)
    return dict(rows.values_list("name", "content"))


def freeze(name: str, content: Any, *, now: dt.datetime) -> bool:
    """Tell something for good; tells whether it is the first under its name.

    Whoever leaves or deletes later changes nothing that stands here, so no difference tells on
    them. ``content`` must survive JSON and hold figures of groups only.
    """
    return PublishedFigure.objects.get_or_create(
        name=name, defaults={"told_at": now, "content": content}
    )[1]


@dataclass(frozen=True, slots=True)
class Figure:
    """What would be told now. ``answers`` is what each person adds to ``content``.

    An answer is compared as text; ``content`` must survive JSON.
    """

    answers: Mapping[int, object]
    content: Any


def settled(
    name: str, make: Callable[[], Figure], *, now: dt.datetime, rest: dt.timedelta
) -> tuple[Any, dt.datetime]:
    """What is told under a name, and since when; ``make`` is asked only when it may change.

    What is told stays for ``rest`` at least, and then until the answers of five people differ from
    those it was made of: between any two pages that follow each other in time, five people changed.
    """
    return _settle(PublishedFigure.objects.filter(name=name).first(), name, make, now, rest)


def all_settled(
    figures: Mapping[str, Figure], *, now: dt.datetime, rest: dt.timedelta
) -> dict[str, tuple[Any, dt.datetime]]:
    """The same for several names, each for itself; one query where nothing is told anew."""
    rows = PublishedFigure.objects.in_bulk(list(figures), field_name="name")
    return {
        name: _settle(rows.get(name), name, partial(figures.__getitem__, name), now, rest)
        for name in figures
    }


def _settle(
    row: PublishedFigure | None,
    name: str,
    make: Callable[[], Figure],
    now: dt.datetime,
    rest: dt.timedelta,
) -> tuple[Any, dt.datetime]:
    if row and now - row.told_at < rest:
        return row.content, row.told_at
    figure = make()
    content = figure.content
    fresh = {
        _sealed(name, key, ""): _sealed(name, key, answer) for key, answer in figure.answers.items()
    }
    if row is None:
        try:
            with transaction.atomic():
                row = PublishedFigure.objects.create(
                    name=name, told_at=now, content=content, answers=fresh
                )
        except IntegrityError:  # somebody else opened the page for the first time, too
            row = PublishedFigure.objects.get(name=name)
        return json.loads(json.dumps(row.content)), row.told_at
    changed = sum(
        row.answers.get(key) != fresh.get(key) for key in row.answers.keys() | fresh.keys()
    )
    if changed >= GROUP:
        moved = PublishedFigure.objects.filter(name=name, told_at=row.told_at).update(
            told_at=now, content=content, answers=fresh
        )
        if moved:
            return json.loads(json.dumps(content)), now
        row.refresh_from_db()
    return row.content, row.told_at


def _sealed(name: str, key: int, answer: object) -> str:
    """An answer as it may be kept for comparison: nobody reads it back without the secret."""
    secret = settings.SECRET_KEY.encode()
    text = f"{name} {key} {answer}".encode()
    return hmac.new(secret, text, hashlib.sha256).hexdigest()[:16]
