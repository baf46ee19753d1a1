"""What came of a month, for everybody who may read it: closed once, told for good.

A calendar month on the company's clock is closed a week after it ended and never counted again.
There is no filter, no running month, no quarter: whoever compares two months compares two pages
that are about different posts. Within a month no adding and subtracting of what is told leaves
fewer than five people (:func:`ambassadors.anonymity.inseparable`). ``docs/analytics.md`` argues.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from ambassadors import anonymity, consents, switches
from ambassadors.anonymity import Group
from ambassadors.memberships import later
from integrations import webhooks

from . import sameness, wording
from .models import Post, Programme

RIPE = dt.timedelta(days=7)  # what comes back in the week after a month still counts
BACK = 24  # months that are closed afterwards, on the first day or after a standstill
REST = "~"  # the cell, sorted last, of all that is told of no group of its own
PRACTICE = "wall"
ALL = "all"
GROUPINGS = ("words", "networks", "topics")
MEASURES = ("talk", "clicks")
LEAST_POSTS = 20  # on each side of a finding
_MOST = {"words": 4, "networks": 9, "topics": 16}  # cells; with the whole below MOST_CELLS
_TEXTS = 30
_NAME = "month "


@dataclass(frozen=True, slots=True)
class Row:
    """One post, as far as figures read it. ``talk`` and ``clicks`` None where not counted."""

    person: int
    words: str
    network: str
    topic: str
    own: int
    talk: int | None = None
    clicks: int | None = None

    def key(self, grouping: str) -> str:
        """Where it belongs in a grouping."""
        places = {ALL: ALL, "words": self.words, "networks": self.network, "topics": self.topic}
        return places[grouping]


@dataclass(frozen=True, slots=True)
class Cell:
    """A group as it is told. ``people`` and ``posts`` are steps: at least so many.

    ``own``: per cent of the words; ``talk``: conversations to a post; ``clicks``: to a share with
    a link. Everybody counts once in these means, and the two highest count like the third. None
    where it is not told.
    """

    key: str
    people: int
    posts: int | None
    own: int
    talk: float | None = None
    clicks: float | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """A closed month. ``whole`` is None where too few took part to tell anything.

    ``talks`` and ``clicks`` are steps that the sums reach; ``alike``: per cent of the pairs on one
    suggestion within a week that say it in nearly the same words; ``names``: of the topics told.
    """

    first: dt.date
    whole: Cell | None = None
    words: tuple[Cell, ...] = ()
    networks: tuple[Cell, ...] = ()
    topics: tuple[Cell, ...] = ()
    talks: int | None = None
    clicks: int | None = None
    alike: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def cell(self, grouping: str, key: str) -> Cell | None:
        """One cell, None where it is not told by itself; the rest is another in every month."""
        cells = (cell for cell in getattr(self, grouping) if cell.key == key != REST)
        return next(cells, None)

    @property
    def finding(self) -> tuple[Cell, Cell] | None:
        """Posts in own words and posts that kept the draft, where both are told and many."""
        own, kept = self.cell("words", "own"), self.cell("words", "kept")
        if own is None or kept is None or own.talk is None or kept.talk is None:
            return None
        enough = min(own.posts or 0, kept.posts or 0) >= LEAST_POSTS
        return (own, kept) if enough else None


@dataclass(frozen=True, slots=True)
class Value:
    """What ``clicks`` bought ones would have cost: from ``low`` to ``high``, in whole euros.

    ``prices``: of one click in cents. An estimate on an estimate.
    """

    clicks: int
    prices: tuple[int, int]

    @property
    def low(self) -> int:
        """At the least."""
        return self.clicks * self.prices[0] // 100

    @property
    def high(self) -> int:
        """At the most."""
        return self.clicks * self.prices[1] // 100

    @property
    def euros(self) -> tuple[float, float]:
        """The prices of one click in euros."""
        return self.prices[0] / 100, self.prices[1] / 100


def value(month: Month) -> Value | None:
    """None while the switch of the works agreement is off, or too few clicks are told."""
    if month.clicks is None or not switches.is_on("emv"):
        return None
    return Value(month.clicks, settings.CLICK_CENTS)


# -- closing ------------------------------------------------------------------------------------


def due(*, now: dt.datetime) -> list[dt.date]:
    """First days of the months that are ripe and not closed, the oldest first. One query."""
    last = later(Programme.the().today(now - RIPE).replace(day=1), -1)
    closed = anonymity.frozen(_NAME)
    firsts = [later(last, -back) for back in range(BACK - 1, -1, -1)]
    return [first for first in firsts if f"{_NAME}{first:%Y-%m}" not in closed]


def close(first: dt.date, *, now: dt.datetime) -> None:
    """Count a month and tell it for good; the first of two who close it counts."""
    rows, names = _rows(first)
    made = tell(first, rows, alike=_alike(first), names=names)
    content = asdict(made) | {"first": first.isoformat()}
    new = anonymity.freeze(f"{_NAME}{first:%Y-%m}", content, now=now)
    if new and made.whole is not None:
        webhooks.tell("month.closed", {"month": f"{first:%Y-%m}"}, now=now)


def closed() -> list[Month]:
    """All closed months in which something may be told, the newest first. One query."""
    found = (_read(content) for _name, content in sorted(anonymity.frozen(_NAME).items()))
    return [month for month in found if month.whole is not None][::-1]


def _read(content: dict[str, Any]) -> Month:
    cells = {name: tuple(Cell(**cell) for cell in content[name]) for name in GROUPINGS}
    whole = Cell(**content["whole"]) if content["whole"] else None
    first = dt.date.fromisoformat(content["first"])
    return Month(**{**content, **cells, "whole": whole, "first": first})


def left() -> "QuerySet[Post]":
    """Posts that left on people's own accounts; a thread is one."""
    return Post.objects.out().filter(part=0, takeover__isnull=True).order_by()


def span(first: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """When a month begins and when it is over, on the company's clock."""
    zone = Programme.the().zone
    begin, end = (dt.datetime.combine(day, dt.time(), zone) for day in (first, later(first, 1)))
    return begin, end


def _posts(first: dt.date) -> "QuerySet[Post]":
    """Posts of a month; practice is none."""
    begin, end = span(first)
    return left().filter(created_at__gte=begin, created_at__lt=end).exclude(network=PRACTICE)


def _rows(first: dt.date) -> tuple[list[Row], dict[str, str]]:
    """The month's posts, and the names of their topics.

    What came back counts of those who said yes to the wording that speaks of groups.
    """
    yes = consents.current("engagement").filter(person=OuterRef("person"))
    found = _posts(first).annotate(yes=Exists(yes)).values_list(
        "person", "own_share", "network", "suggestion__topic", "suggestion__topic__title",
        "conversations", "link__clicks", "yes",
    )  # fmt: skip
    rows, names = [], {}
    for person, own, network, topic, title, talk, clicks, given in found.iterator(chunk_size=5000):
        names[str(topic or 0)] = title or ""
        counted = (talk, clicks) if given else (None, None)
        rows.append(Row(person, band(own), network, str(topic or 0), own, *counted))
    return rows, names


def band(own: int) -> str:
    """``own``, ``near`` or ``kept``: how much of a post is its person's."""
    if own >= wording.OWN_FROM:
        return "own"
    return "near" if own >= wording.COPIED_BELOW else "kept"


def _alike(first: dt.date) -> int | None:
    """Per cent of pairs on one suggestion within a week that sound alike; None of few people."""
    texts: dict[int, list[tuple[int, dt.datetime, frozenset[int]]]] = defaultdict(list)
    rows = _posts(first).filter(suggestion__isnull=False).order_by("-created_at", "-pk")
    columns = ("suggestion", "person", "created_at", "text")
    for suggestion, person, at, text in rows.values_list(*columns).iterator(chunk_size=5000):
        if len(texts[suggestion]) < _TEXTS:
            texts[suggestion].append((person, at, sameness.runs(text)))
    people: set[int] = set()
    pairs = alike = 0
    for posts in texts.values():
        found = sameness.alike(posts)
        people |= found[0]
        pairs, alike = pairs + found[1], alike + found[2]
    return round(100 * alike / pairs) if anonymity.told(Group.of(people)) else None


# -- telling ------------------------------------------------------------------------------------


def tell(
    first: dt.date,
    rows: Sequence[Row],
    *,
    alike: int | None = None,
    names: Mapping[str, str] | None = None,
) -> Month:
    """What may be told of a month's posts. Pure."""
    if anonymity.told(_people(rows)) is None:
        return Month(first)
    places = _places(rows)
    counted = {name: _enough(rows, name, places) for name in MEASURES}
    reach = {name: _reach(some, places) for name, some in counted.items()}

    made = {}
    for name, place in {ALL: {}, **places}.items():
        cells = _by(rows, name, place)
        some = {one: _by(counted[one], name, place) for one in MEASURES if name in reach[one]}
        made[name] = tuple(
            _cell(key, cells[key], {one: _rate(by.get(key, []), one) for one, by in some.items()})
            for key in sorted(cells)
        )
    told = {one.key for one in made.get("topics", ())}
    return Month(
        first,
        whole=made.pop(ALL)[0],
        talks=_total(counted["talk"], "talk"),
        clicks=_total(counted["clicks"], "clicks"),
        alike=alike,
        names={key: name for key, name in (names or {}).items() if key in told},
        **made,
    )


Place = dict[str, str]  # from the key of a post to the cell it is told in


def _by(rows: Iterable[Row], name: str, place: Place | None = None) -> dict[str, list[Row]]:
    """Posts by the cell they are told in, or by where they belong."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        key = row.key(name)
        found[place[key] if place else key].append(row)
    return found


def _people(rows: Iterable[Row]) -> Group:
    return Group.of(row.person for row in rows)


def _places(rows: Sequence[Row]) -> dict[str, Place]:
    """The cells of each grouping, coarser until nothing about fewer than five can be worked out."""
    places = {name: _cells(name, rows) for name in GROUPINGS}
    while places := {name: p for name, p in places.items() if len(set(p.values())) > 1}:
        if _holds(rows, places):
            break
        sizes = (
            (name == "words", len({row.person for row in some}), name, cell)
            for name, place in places.items()
            for cell, some in _by(rows, name, place).items()
            if cell != REST
        )
        _last, _size, name, smallest = min(sizes)
        places[name] = {
            key: REST if cell == smallest else cell for key, cell in places[name].items()
        }
    return places


def _cells(name: str, rows: Sequence[Row]) -> Place:
    """One grouping's cells: those with too few people are told together."""
    by = _by(rows, name)
    large = sorted(by, key=lambda key: (-len({row.person for row in by[key]}), key))[: _MOST[name]]
    alone = {key for key in large if anonymity.told(_people(by[key])) is not None}
    return {key: key if key in alone else REST for key in by}


def _enough(rows: Iterable[Row], measure: str, places: Mapping[str, Place]) -> list[Row]:
    """Posts where something was counted, without those of cells where it was of a handful only.

    They are left out of every figure of this kind, so nothing is left when others are taken away.
    """
    left = [row for row in rows if getattr(row, measure) is not None]
    before = -1
    while len(left) != before:
        before = len(left)
        for name, place in places.items():
            by = _by(left, name, place)
            left = [row for some in by.values() if anonymity.told(_people(some)) for row in some]
    return left if anonymity.told(_people(left)) else []


def _holds(rows: Sequence[Row], places: Mapping[str, Place]) -> bool:
    """Tell whether the sums over these posts' cells tell on nobody."""
    number: dict[tuple[str, str], int] = {}
    parts: dict[int, set[tuple[int, ...]]] = defaultdict(set)
    for row in rows:
        cells = [(name, place[row.key(name)]) for name, place in places.items()]
        parts[row.person].add((0, *(number.setdefault(cell, len(number) + 1) for cell in cells)))
    return not parts or anonymity.inseparable(parts)


def _reach(rows: Sequence[Row], places: Mapping[str, Place]) -> set[str]:
    """In which groupings a figure of these posts may be told; the finest is given up first."""
    for upto in range(len(places), 0, -1):
        some = dict(list(places.items())[:upto])
        if _holds(rows, some):
            return {ALL, *some}
    return {ALL} if _holds(rows, {}) else set()


def _cell(key: str, rows: Sequence[Row], rates: Mapping[str, float | None]) -> Cell:
    """A cell as it is told; of several small ones together no more than that they are five."""
    people = anonymity.told(_people(rows)) or anonymity.GROUP
    posts = Counter(row.person for row in rows)
    return Cell(
        key=key,
        people=anonymity.GROUP if key == REST else people,
        posts=anonymity.total(posts),
        own=round(sum(_means(rows, "own")) / len(posts)),
        **rates,
    )


def _means(rows: Iterable[Row], measure: str) -> list[float]:
    """Each person's own mean of what was counted."""
    found: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        if (value := getattr(row, measure)) is not None:
            found[row.person].append(value)
    return [sum(values) / len(values) for values in found.values()]


def _rate(rows: Sequence[Row], measure: str) -> float | None:
    means = _means(rows, measure)
    return round(anonymity.evened(means), 1) if anonymity.shown(len(means)) else None


def _total(rows: Iterable[Row], measure: str) -> int | None:
    """A step that the sum over people reaches."""
    values: Counter[int] = Counter()
    for row in rows:
        values[row.person] += getattr(row, measure)
    return anonymity.total(values)
