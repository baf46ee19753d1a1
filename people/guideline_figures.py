"""How many said yes to a guideline: for groups only, in steps of five, as of the morning.

Nobody can be picked out: a group has five people or more, a figure moves by five, and it does not
move while somebody could watch it.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from ambassadors import anonymity
from ambassadors.models import Site

_COUNTED = """
WITH wanted AS (
  SELECT v.guideline_id, max(v.number) AS number
    FROM ambassadors_guidelineversion v JOIN ambassadors_guideline g ON g.id = v.guideline_id
   WHERE v.requires_yes AND v.effective_at <= %(now)s AND g.retired_at IS NULL
   GROUP BY v.guideline_id)
SELECT wanted.guideline_id, p.site_id, count(*),
       count(*) FILTER (WHERE EXISTS (
         SELECT FROM ambassadors_acknowledgement a
           JOIN ambassadors_guidelineversion v ON v.id = a.version_id
          WHERE a.person_key = p.evidence_key AND a.at < %(until)s
            AND v.guideline_id = wanted.guideline_id AND v.number >= wanted.number))
  FROM ambassadors_person p CROSS JOIN wanted
 WHERE p.is_active AND p.left_at IS NULL
 GROUP BY wanted.guideline_id, p.site_id
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """A group, its size, and how many of it said yes at least: a multiple of five."""

    site: Site | None
    people: int
    at_least: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A guideline's: everybody, None while there are fewer than five, and site by site."""

    everybody: Figure | None
    sites: list[Figure]


def figures(*, until: dt.datetime, now: dt.datetime) -> dict[int, Figures]:
    """Yeses given before ``until`` by guideline; sites with fewer than five count in the whole."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"now": now, "until": until})
        rows = cursor.fetchall()
    sites = Site.objects.in_bulk()
    found: dict[int, Figures] = {}
    for guideline in {row[0] for row in rows}:
        mine = [row for row in rows if row[0] == guideline]
        shown = [
            Figure(sites[site], people, anonymity.yes_at_least(yes, people))
            for _g, site, people, yes in mine
            if site and anonymity.shown(people) is not None
        ]
        # The whole is made of what is told, so that it gives away nothing about the rest.
        rest = [row for row in mine if not row[1] or anonymity.shown(row[2]) is None]
        others = anonymity.yes_at_least(sum(row[3] for row in rest), sum(row[2] for row in rest))
        told = others + sum(figure.at_least for figure in shown)
        whole = Figure(None, sum(row[2] for row in mine), told)
        shown.sort(key=lambda figure: str(figure.site))
        everybody = whole if anonymity.shown(whole.people) is not None else None
        found[guideline] = Figures(everybody, shown if everybody else [])
    return found
