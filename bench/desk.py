"""The desk with 5,000 suggestions beside the desk with 50, in turns, by the product's web server."""

import datetime as dt
import statistics
import time
import urllib.request
from collections import defaultdict

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from ambassadors.models import Person
from campaigns.models import Programme, Suggestion, Topic, Variant

from . import load
from .result import Result
from .stage import Stage

SMALL = 50
ROUNDS, PAGES_EACH, WARM = 3, 12, 4
PAGES = {
    "desk": "/desk/",
    "desk, searched": "/desk/?q=Windr%C3%A4der&mine=1",
    "calendar": "/desk/calendar/",
}
_TITLES = (
    "Windrad",
    "Wärmepumpe",
    "Ausbildung",
    "Deich",
    "Netzentgelte",
    "Schicht",
    "Tarif",
    "Bus",
)
_LANES = (("draft", False), ("in_review", False), ("approved", True), ("approved", False))


def _begin(now: dt.datetime, n: int) -> dt.datetime:
    """The coming week has equally much to show on both desks; the rest spreads over a year."""
    return now + dt.timedelta(days=1 + n // 4 if n < SMALL else 14 + n % 365)


def suggestions(numbers: range, author: Person, topics: list[Topic]) -> None:
    """Suggestions in all four lanes with a wording each."""
    now = timezone.now()
    rows = []
    for n in numbers:
        state, embargo = _LANES[n % 4]
        approved = state == "approved"
        rows.append(
            Suggestion(
                topic=topics[n % len(topics)],
                title=f"{_TITLES[n % len(_TITLES)]} {n}",
                author=author,
                state=state,
                approved_by=author if approved else None,
                approved_at=now if approved else None,
                changed_at=now - dt.timedelta(minutes=n),
                embargo_until=_begin(now, n) if embargo else None,
                expires_at=None if n % 3 else now + dt.timedelta(days=400 + n % 365),
            )
        )
    made = Suggestion.objects.bulk_create(rows, batch_size=1000)
    Variant.objects.bulk_create(
        (
            Variant(
                suggestion=row, name="A", text=f"Windräder an der Küste. [dein Satz] Nummer {n}."
            )
            for n, row in enumerate(made)
        ),
        batch_size=1000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def login(person: Person) -> str:
    """A session of a person; returns its cookie."""
    client = Client()
    client.force_login(person)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


def fetch(made: Stage, path: str, cookie: str) -> float:
    """Milliseconds until the whole page is there."""
    asked = urllib.request.Request(
        f"http://localhost:{made.port}{path}", headers={"Cookie": cookie}
    )
    began = time.monotonic()
    with urllib.request.urlopen(asked, timeout=30) as answer:
        page = answer.read()
    took = 1000 * (time.monotonic() - began)
    assert b'class="ticket' in page or b'class="cal ' in page
    return took


def measure(made: Stage, *, size: int) -> list[Result]:
    """Median of each page with 50 and with ``size`` suggestions, and their ratio in pairs."""
    Programme.the()
    (curator,) = load.people(1, "curator")
    now = timezone.now()
    topics = [
        Topic.objects.create(slug=f"t{n}", title=f"Topic {n}", rule="Tell it.", light_since=now)
        for n in range(12)
    ]
    made.start("web")
    cookie = login(curator)
    found: dict[tuple[int, str], list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        Variant.objects.all().delete()
        Suggestion.objects.all().delete()
        for count, numbers in ((SMALL, range(SMALL)), (size, range(SMALL, size))):
            suggestions(numbers, curator, topics)
            for label, path in PAGES.items():
                took = [fetch(made, path, cookie) for _ in range(WARM + PAGES_EACH)]
                found[count, label] += took[WARM:]
    return [_result(label, found[SMALL, label], found[size, label], size) for label in PAGES]


def _result(label: str, few: list[float], many: list[float], size: int) -> Result:
    small, large = statistics.median(few), statistics.median(many)
    tail = statistics.quantiles(many, n=20)[-1]
    return Result(
        f"{label} with {size:,} suggestions",
        f"median {large:.0f} ms, p95 {tail:.0f} ms",
        f"≤ 1.3 × the page with {SMALL}",
        f"{small:.0f} ms with {SMALL}, ratio {large / small:.2f}",
        kept=large <= 1.3 * small,
    )
