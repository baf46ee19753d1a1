"""Who could speak where, on what, in which language: by groups, and never on fewer than five.

Only people are counted whose roster row tells their languages and topics; so a figure taken from
the rows, or the rows from a figure, leaves nothing. Every cell of topic, language and site stands
for itself: nothing is counted across them, so no sum gives a small cell away.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.utils.translation import gettext as _

from ambassadors import anonymity, consents, languages
from ambassadors.anonymity import Group
from ambassadors.models import Consent, Person, Site
from campaigns.models import Topic

_LARGE, _KEPT = 2000, 300  # speakers from which counts are kept, and for how many seconds
_SPEAKERS = """
    WITH speaker AS (
      SELECT id, site_id, interests,
        CASE WHEN languages = '[]' THEN jsonb_build_array(language) ELSE languages END AS languages
      FROM ambassadors_person p
      WHERE left_at IS NULL AND is_active
        AND jsonb_typeof(interests) = 'array' AND jsonb_typeof(languages) = 'array'
        AND EXISTS (SELECT FROM ambassadors_membership m WHERE m.person_id = p.id
                    AND m.stage = 'active' AND m.ended_on IS NULL)
        AND EXISTS (SELECT FROM ambassadors_consent c WHERE c.person_id = p.id
                    AND c.purpose = %s AND c.version = %s AND c.withdrawn_at IS NULL)
    )
"""
# Of each site and language those who follow a topic, and (without a topic) all of them.
_COUNTS = """
    SELECT topic, language, site_id, count(*), sum(hashtextextended(id::text, 0))
    FROM speaker, LATERAL (SELECT DISTINCT jsonb_array_elements_text(languages) AS language) l,
      LATERAL (SELECT DISTINCT jsonb_array_elements_text(interests) AS topic
               UNION SELECT '') t
    GROUP BY topic, language, site_id
"""

Place = int | None  # a site's number; None for people without one


@dataclass(frozen=True, slots=True)
class Cell:
    """What is told of a topic in a language at a site.

    ``people`` is a step, None for fewer than five. ``together`` names the other sites that are told
    with this one.
    """

    site: Place
    people: int | None
    together: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A topic with its cells, in the order of the sites."""

    topic: Topic
    cells: tuple[Cell, ...]

    @property
    def gaps(self) -> list[Cell]:
        """Cells where fewer than five could speak, as far as anybody may tell."""
        return [cell for cell in self.cells if cell.people is None or cell.together]


@dataclass(frozen=True, slots=True)
class Table:
    """The slice of one language."""

    language: str
    sites: tuple[tuple[Place, str], ...]
    lines: tuple[Line, ...]
    write: tuple[Cell, ...]

    def could(self, line: Line, gap: Cell) -> tuple[int | None, list[tuple[str, int]]]:
        """Who could fill a gap: how many write the language there, and where the topic is at home.

        Both are cells of the table; nothing is counted anew.
        """
        names = dict(self.sites)
        here = next((cell.people for cell in self.write if cell.site == gap.site
                     and not cell.together), None)  # fmt: skip
        elsewhere = [
            (names[cell.site], cell.people)
            for cell in line.cells
            if cell.people is not None and not cell.together
        ]
        return here, sorted(elsewhere, key=lambda found: -found[1])[:2]


Counts = Mapping[tuple[str, str], Mapping[Place, Group]]


def counts() -> Counts:
    """Groups by topic and language, and in them by site. The topic '' stands for whichever."""
    if (kept := cache.get("coverage.counts")) is not None:
        return _grouped(kept)
    version = consents.WORDINGS[Consent.Purpose.ROSTER][0]
    with connection.cursor() as cursor:
        cursor.execute(_SPEAKERS + _COUNTS, [Consent.Purpose.ROSTER.value, version])
        rows = [(*row, int(mark)) for *row, mark in cursor.fetchall()]
    if sum(people for topic, _language, _site, people, _mark in rows if not topic) >= _LARGE:
        cache.set("coverage.counts", rows, _KEPT)
    return _grouped(rows)


def _grouped(rows: Iterable[Sequence[Any]]) -> Counts:
    found: dict[tuple[str, str], dict[Place, Group]] = defaultdict(dict)
    for topic, language, site, people, mark in rows:
        found[topic, language][site] = Group(people, mark)
    return dict(found)


def _cells(row: Mapping[Place, Group], places: list[Place]) -> tuple[Cell, ...]:
    """One row of the table: what is told of each site."""
    blocks = anonymity.blocks({place: row.get(place, Group()) for place in places})
    told = {
        place: Cell(place, block.people, block.cells if block.merged else ())
        for block in blocks
        for place in block.cells
    }
    return tuple(told[place] for place in places)


def sites() -> tuple[tuple[Place, str], ...]:
    """All sites, and a column for people without one where the company has such people."""
    found: list[tuple[Place, str]] = list(Site.objects.values_list("pk", "name"))
    if Person.objects.filter(left_at__isnull=True, site__isnull=True).exists():
        found.append((None, _("without a site")))
    return tuple(found)


def table(language: str, found: Counts) -> Table:
    """What is told in one language of all topics and sites. Three queries with :func:`counts`."""
    columns = sites()
    places = [place for place, _name in columns]
    lines = tuple(
        Line(topic, _cells(found.get((topic.slug, language), {}), places))
        for topic in Topic.objects.current()
    )
    return Table(language, columns, lines, _cells(found.get(("", language), {}), places))


def spoken(found: Counts) -> list[tuple[str, str]]:
    """Languages in which anything can be told, with their names."""
    told = {
        language
        for (topic, language), row in found.items()
        if not topic and any(anonymity.told(group) is not None for group in row.values())
    }
    chosen = told & set(languages.CODES) or {Person.Language.GERMAN.value}
    return [(code, name) for code, name in languages.choices() if code in chosen]


def export(found: Counts) -> Iterator[list[str]]:
    """All slices as lines for a spreadsheet: what the pages tell, nothing more."""
    yield [_("Language"), _("Topic"), _("Sites"), _("Could speak, at least")]
    for code, name in spoken(found):
        slice_ = table(code, found)
        names = dict(slice_.sites)
        for line in slice_.lines:
            done: set[Place] = set()
            for cell in line.cells:
                if cell.site in done:
                    continue
                together = cell.together or (cell.site,)
                done |= set(together)
                told = _("fewer than five") if cell.people is None else str(cell.people)
                yield [name, line.topic.title, " + ".join(names[p] for p in together), told]
