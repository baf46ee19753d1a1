"""The roster with 100,000 people beside the one with 1,000, by the product's web server."""

import statistics
import time
import urllib.request
from collections import defaultdict

from django.db import connection
from django.utils import timezone

from ambassadors import consents
from ambassadors.models import Consent, Membership, Person, Team, TeamKind
from campaigns.models import Programme, Topic
from people import roster

from . import load
from .desk import login
from .result import Result
from .stage import Stage

SMALL = 1000
PAGES_EACH, WARM = 20, 4
SEARCHED = "roster, searched"
PAGES = {
    "roster": "/roster/",
    "roster, a rare language": "/roster/?language=tr&kind=bench",
    SEARCHED: "/roster/?q=Person77",
}


def fill(first: int, last: int, team: Team) -> None:
    """People in a team who said yes to the roster."""
    now, version = timezone.now(), consents.WORDINGS[Consent.Purpose.ROSTER][0]
    people = Person.objects.bulk_create(
        (
            Person(
                email=f"{n}@roster.example",
                email_normalised=f"{n}@roster.example",
                name=f"Person{n * 7919 % 100_003}",
                languages=["de"] if n % 500 else ["tr"],
                interests=["t1"],
            )
            for n in range(first, last + 1)
        ),
        batch_size=2000,
    )
    Consent.objects.bulk_create(
        (
            Consent(person=who, purpose="roster", version=version, wording="", given_at=now)
            for who in people
        ),
        batch_size=2000,
    )
    Membership.objects.bulk_create(
        (
            Membership(
                person=who,
                team=team,
                stage="active" if who.pk % 9 else "paused",
                stage_since_on=now,
                started_on=now,
            )
            for who in people
        ),
        batch_size=2000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def fetch(made: Stage, path: str, cookie: str) -> float:
    """Milliseconds until the whole page is there, with its 25 rows."""
    asked = urllib.request.Request(
        f"http://localhost:{made.port}{path}", headers={"Cookie": cookie}
    )
    began = time.monotonic()
    with urllib.request.urlopen(asked, timeout=60) as answer:
        page = answer.read()
    took = 1000 * (time.monotonic() - began)
    assert b'class="sheet sheet--roster' in page
    return took


def scans(viewer: Person) -> list[str]:
    """Tables that a page's rows are looked for from end to end in; none of the large ones."""
    found = set()
    wanted = (roster.Wanted(), roster.Wanted(language="tr"), roster.Wanted(q="Person77"))
    for asked in wanted:
        rows = asked.rows(viewer, timezone.localdate())
        short = asked.is_short(roster.count(rows))
        plan = roster.by_name(rows, short=short)[: roster.PAGE].explain()
        found |= {
            name
            for name in ("person", "membership", "consent")
            if f"Seq Scan on ambassadors_{name}" in plan
        }
    return sorted(found)


def measure(made: Stage, *, size: int) -> list[Result]:
    """Median of each page with 1,000 and with ``size`` people, and their ratio in pairs."""
    Programme.the()
    (selin,) = load.people(1, "hr")
    Topic.objects.create(slug="t1", title="Topic", rule="Tell it.", light_since=timezone.now())
    kind = TeamKind.objects.create(slug="bench", behaviour="plain", name_de="K", name_en="K")
    team = Team.objects.create(slug="bench", name="Bench", kind=kind)
    made.start("web")
    cookie = login(selin)
    found: dict[tuple[int, str], list[float]] = defaultdict(list)
    for first, last, count in ((1, SMALL, SMALL), (SMALL + 1, size, size)):
        fill(first, last, team)
        for label, path in PAGES.items():
            took = [fetch(made, path, cookie) for _ in range(WARM + PAGES_EACH)]
            found[count, label] += took[WARM:]
    read = scans(selin)
    return [
        *(_result(label, found[SMALL, label], found[size, label], size) for label in PAGES),
        Result(
            f"tables read from end to end for a page of {size:,} people",
            ", ".join(read) or "none",
            "none",
            "EXPLAIN of three pages",
            kept=not read,
        ),
    ]


def _result(label: str, few: list[float], many: list[float], size: int) -> Result:
    small, large = statistics.median(few), statistics.median(many)
    tail = statistics.quantiles(many, n=20)[-1]
    grows = label == SEARCHED  # a hundred times the people are a hundred times the hits
    return Result(
        f"{label} with {size:,} people",
        f"median {large:.0f} ms, p95 {tail:.0f} ms",
        "p95 < 300 ms" if grows else f"≤ 1.3 × the page with {SMALL:,}",
        f"{small:.0f} ms with {SMALL:,}, ratio {large / small:.2f}",
        kept=tail < 300 if grows else large <= 1.3 * small,
    )
