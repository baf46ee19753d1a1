"""P8: the months' figures and one's own effect, with a year of posts and with a tenth of it."""

import datetime as dt
import random
import statistics
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.utils import timezone

from ambassadors.models import Person, PublishedFigure
from campaigns import effect, months
from campaigns.models import Post, Programme, Reading, ShortLink, Suggestion, Topic
from people import adoption

from . import load
from .desk import login
from .result import Result
from .stage import Stage

PAGES_EACH, WARM, LIMIT = 40, 4, 300
PEOPLE, TOPICS, DAYS, READINGS = 2000, 12, 420, 3
BUSY = 5000  # posts of one very active person
HISTORY = ("campaigns_post", "campaigns_reading", "campaigns_clickday")
PAGES = {"figures of a month": "/analytics/", "my effect of 5,000 posts": "/me/effect/"}
_NETWORKS = ("linkedin", "linkedin", "mastodon", "bluesky", "x")


def fill(people: list[Person], suggestions: list[Suggestion], count: int) -> None:
    """Posts over more than a year, each with a link and some readings."""
    dice, now = random.Random(count), timezone.now()  # noqa: S311 - equal data on every run
    for begin in range(0, count, 10_000):
        size = min(10_000, count - begin)
        links = ShortLink.objects.bulk_create(
            (
                ShortLink(
                    code=uuid.uuid4().hex[:12],
                    target="https://example.org/",
                    clicks=dice.randrange(20),
                )
                for _ in range(size)
            ),
            batch_size=2000,
        )
        posts = Post.objects.bulk_create(
            (
                _post(dice, dice.choice(people), dice.choice(suggestions), link, now)
                for link in links
            ),
            batch_size=2000,
        )
        Reading.objects.bulk_create(
            (
                Reading(post=post, read_at=post.created_at, likes=1)
                for post in posts
                for _ in range(READINGS)
            ),
            batch_size=5000,
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _post(
    dice: random.Random, who: Person, about: Suggestion, link: ShortLink, now: dt.datetime
) -> Post:
    words = " ".join(dice.choices(("wind", "turns", "I", "saw", "rain", "we", "and"), k=20))
    return Post(
        person=who, suggestion=about, network=dice.choice(_NETWORKS), how="copied",
        submission=uuid.uuid4(), text=words, full_text=words, language="en", sha256="x",
        own_share=dice.choice((0, 10, 60)), link=link, conversations=dice.randrange(3),
        replies=dice.randrange(4), measured_at=now,
        created_at=now - dt.timedelta(days=dice.randrange(1, DAYS), seconds=dice.randrange(9999)),
    )  # fmt: skip


def fetch(made: Stage, path: str, cookie: str) -> float:
    """Milliseconds until the whole page is there, with its figures."""
    asked = urllib.request.Request(
        f"http://localhost:{made.port}{path}", headers={"Cookie": cookie}
    )
    began = time.monotonic()
    with urllib.request.urlopen(asked, timeout=60) as answer:
        page = answer.read()
    took = 1000 * (time.monotonic() - began)
    assert b'class="sheet sheet--figures' in page
    return took


@contextmanager
def plans() -> Iterator[list[str]]:
    """The plan of every query that is asked meanwhile."""
    found: list[tuple[str, Any]] = []

    def note(
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,  # noqa: FBT001 - as Django calls it
        context: Any,
    ) -> Any:
        found.append((sql, params))
        return execute(sql, params, many, context)

    told: list[str] = []
    with connection.execute_wrapper(note):
        yield told
    with connection.cursor() as cursor:
        for sql, params in found:
            if sql.lstrip().upper().startswith("SELECT"):
                cursor.execute(f"EXPLAIN {sql}", params)
                told.append("\n".join(row[0] for row in cursor.fetchall()))


def scans(told: list[str], tables: tuple[str, ...]) -> list[str]:
    """Tables that are read from end to end."""
    return [table for table in tables if any(f"Seq Scan on {table}" in plan for plan in told)]


def close(now: dt.datetime) -> float:
    """Close all months anew; seconds for each that has posts."""
    PublishedFigure.objects.all().delete()
    began = time.monotonic()
    adoption.close_due(now=now)
    return (time.monotonic() - began) / len(months.closed())


def measure(made: Stage, *, size: int) -> list[Result]:
    """Pages with a tenth of the posts and with all; the closing; what is read from end to end."""
    Programme.the()
    (mirja,), people, now = load.people(1, "curator"), load.people(PEOPLE), timezone.now()
    topics = [
        Topic.objects.create(slug=f"t{n}", title=f"Topic {n}", rule="Tell it.", light_since=now)
        for n in range(TOPICS)
    ]
    suggestions = Suggestion.objects.bulk_create(
        Suggestion(topic=topics[n % TOPICS], title="S", language="en", author=mirja, changed_at=now)
        for n in range(size // 50)
    )
    fill([mirja], suggestions, BUSY)
    made.start("web")
    cookie = login(mirja)
    found: dict[tuple[str, int], list[float]] = {}
    took = 0.0
    for before, count in ((0, size // 10), (size // 10, size)):
        fill(people, suggestions, count - before)
        took = close(now)
        for label, path in PAGES.items():
            times = [fetch(made, path, cookie) for _ in range(WARM + PAGES_EACH)]
            found[label, count] = times[WARM:]
    with plans() as pages:
        months.closed()
        adoption.of(months.closed()[0].first)
        effect.of(mirja, now=now)
    first = months.closed()[0].first
    with plans() as closing:
        months.close(first, now=now)
    read = [*scans(pages, HISTORY), *scans(closing, HISTORY[1:])]
    return [
        *(_result(label, found[label, size // 10], found[label, size], size) for label in PAGES),
        Result(
            "tables read from end to end for these pages and for closing a month",
            ", ".join(read) or "none",
            "none",
            f"EXPLAIN of every query; {size * (READINGS + 1):,} rows of history",
            kept=not read,
        ),
        Result(
            f"closing a month of {size * 30 // DAYS:,} posts", f"{took:.1f} s", "", "once a month"
        ),
    ]


def _result(label: str, few: list[float], many: list[float], size: int) -> Result:
    tail = statistics.quantiles(many, n=20)[-1]
    return Result(
        f"{label} with {size:,} posts in the history",
        f"median {statistics.median(many):.0f} ms, p95 {tail:.0f} ms",
        f"p95 < {LIMIT} ms",
        f"{statistics.median(few):.0f} ms with a tenth",
        kept=tail < LIMIT,
    )
