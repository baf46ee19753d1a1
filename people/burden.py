"""Hours that people have, and how many say that it is too much: sums of what no row tells.

Who lets their row say it is in the list and not in here, so that nobody can take the list away from
a sum. Everybody stands in one group: the kind of their only team, or *in several kinds*.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from django.db.models import Exists, OuterRef

from ambassadors import anonymity
from ambassadors.anonymity import Group
from ambassadors.models import Consent, Membership

REST = dt.timedelta(days=7)
SEVERAL = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said and keeps to themselves; hours None where they named none."""

    kind: str
    hours: float | None
    too_much: bool | None


@dataclass(frozen=True, slots=True)
class Told:
    """A group as it is told; every number is a step, None where too few stand behind it."""

    kinds: tuple[str, ...]
    people: int | None
    hours: int | None
    hours_people: int | None
    too_much: int | None


@dataclass(frozen=True, slots=True)
class Burden:
    """All groups, and since when they are told so."""

    groups: list[Told]
    since: dt.datetime


def said() -> dict[int, Said]:
    """What everybody in a team said and lets no row tell, by the person's key. One query."""
    listed = Consent.objects.given().filter(purpose="roster", person=OuterRef("person"))
    terms = Membership.objects.open().filter(stage__in=Membership.HOLDS_PLACE)
    rows = terms.annotate(listed=Exists(listed)).values_list(
        "person", "team__kind__slug", "listed", "person__hours_per_month", "person__hours_shown",
        "person__too_much_since", "person__too_much_shown",
    )  # fmt: skip
    found: dict[int, Said] = {}
    for person, kind, in_list, hours, hours_shown, since, since_shown in rows.order_by():
        before = found.get(person)
        found[person] = Said(
            kind=kind if before is None or before.kind == kind else SEVERAL,
            hours=None if hours is None or (in_list and hours_shown) else float(hours),
            too_much=None if in_list and since_shown else since is not None,
        )
    return found


def tell(said: Mapping[int, Said]) -> list[Told]:
    """Groups with enough people, small ones together."""
    members: dict[str, list[int]] = defaultdict(list)
    for person, row in said.items():
        members[row.kind].append(person)
    blocks = anonymity.blocks({kind: Group.of(people) for kind, people in members.items()})
    return [_group(block.cells, block.people, said, members) for block in blocks]


def _group(
    kinds: tuple[str, ...],
    people: int | None,
    said: Mapping[int, Said],
    members: Mapping[str, Iterable[int]],
) -> Told:
    if people is None:
        return Told(tuple(sorted(kinds)), None, None, None, None)
    rows = {person: said[person] for kind in kinds for person in members[kind]}
    hours = {person: row.hours for person, row in rows.items() if row.hours is not None}
    return Told(
        kinds=tuple(sorted(kinds)),
        people=people,
        hours=anonymity.total(hours),
        hours_people=anonymity.told(Group.of(hours)),
        too_much=anonymity.split(
            Group.of(person for person, row in rows.items() if row.too_much),
            Group.of(person for person, row in rows.items() if row.too_much is False),
        ),
    )


def burden(*, now: dt.datetime) -> Burden:
    """What is told at present: it moves on after a week, and when five people's words changed."""

    def make() -> anonymity.Figure:
        everybody = said()
        answers = {person: tuple(asdict(row).values()) for person, row in everybody.items()}
        return anonymity.Figure(answers, [asdict(group) for group in tell(everybody)])

    kept, since = anonymity.settled("burden", make, now=now, rest=REST)
    return Burden([Told(**{**row, "kinds": tuple(row["kinds"])}) for row in kept], since)
