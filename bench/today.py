"""P1 and P2: Today beside an empty view, with a history ten times as long; 300 suggestions."""

import datetime as dt
import http.client
import statistics
import threading
import time
import uuid
from dataclasses import dataclass, field

from django.db import connection
from django.utils import timezone

from ambassadors.models import Person
from campaigns.models import (
    Briefing,
    BriefingItem,
    Post,
    Programme,
    ShortLink,
    Suggestion,
    Topic,
    Variant,
)

from . import load
from .clicks import bare
from .desk import login
from .result import Result
from .stage import Stage

READERS, CLIENTS = 60, 4
ROUNDS, SECONDS, WARM = 5, 4.0, 2.0
FEED = 300
KIB = 1024
_NETWORKS = ("linkedin", "mastodon", "bluesky", "x")
_TEXT = "A sentence of the usual length about work, and [your part in it] as a gap. " * 3


@dataclass(slots=True)
class Reading:
    """Milliseconds of each page, in one run of some clients."""

    seconds: float
    took: list[float] = field(default_factory=list)
    size: int = 0  # bytes of the largest page, unpacked

    @property
    def per_second(self) -> float:
        """Pages per second."""
        return len(self.took) / self.seconds

    @property
    def p95(self) -> float:
        """Milliseconds that 95 of 100 pages stayed below."""
        return statistics.quantiles(self.took, n=20)[-1]


def read(port: int, path: str, cookies: list[str], seconds: float = SECONDS) -> Reading:
    """Some clients open a page again and again, each as other people in turn."""
    found, began = Reading(seconds), time.monotonic()

    def client(number: int) -> None:
        line = http.client.HTTPConnection("localhost", port, timeout=60)
        turn = number
        while time.monotonic() < began + seconds:
            start = time.monotonic()
            line.request("GET", path, headers={"Cookie": cookies[turn % len(cookies)]})
            answer = line.getresponse()
            page = answer.read()
            found.took.append(1000 * (time.monotonic() - start))
            assert answer.status == 200, (answer.status, page[:200])
            found.size = max(found.size, len(page))
            turn += CLIENTS
        line.close()

    threads = [threading.Thread(target=client, args=[n]) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def programme(author: Person, count: int) -> list[Suggestion]:
    """Topics, today's issue, and live suggestions with three wordings each."""
    Programme.the()
    now = timezone.now()
    topics = [
        Topic.objects.create(slug=f"t{n}", title=f"Topic {n}", rule="Tell it.", light_since=now)
        for n in range(12)
    ]
    issue = Briefing.objects.create(
        day=timezone.localdate(), published_at=now, note="Good morning.", contact=author
    )
    BriefingItem.objects.bulk_create(
        BriefingItem(briefing=issue, topic=topic, position=n) for n, topic in enumerate(topics[:5])
    )
    made = Suggestion.objects.bulk_create(
        Suggestion(
            topic=topics[n % len(topics)], title=f"Suggestion {n}", author=author, language="en",
            state="approved", approved_by=author, changed_at=now,
            approved_at=now - dt.timedelta(minutes=n),
        )
        for n in range(count)
    )  # fmt: skip
    Variant.objects.bulk_create(
        Variant(suggestion=row, name=name, language="en", text=f"{name} {row.title}. {_TEXT}")
        for row in made
        for name in ("Personal", "Short", "Question")
    )
    return made


def history(people: list[Person], suggestions: list[Suggestion], days: range) -> None:
    """A post of everybody on each of the days before today, with a link."""
    now = timezone.now()
    variants = {row.pk: row.variant_set.first() for row in suggestions}
    for day in days:
        links = ShortLink.objects.bulk_create(
            ShortLink(
                code=uuid.uuid4().hex[:10], target="https://nordwind.example/", clicks=day % 7
            )
            for _ in people
        )
        Post.objects.bulk_create(
            Post(
                person=who, suggestion=suggestions[(n + day) % len(suggestions)],
                variant=variants[suggestions[(n + day) % len(suggestions)].pk],
                network=_NETWORKS[day % 4], how="copied", submission=uuid.uuid4(), link=link,
                text=_TEXT, full_text=_TEXT, draft=_TEXT, language="en", own_share=day % 60,
                sha256="x", likes=day % 9, replies=day % 3,
                created_at=now - dt.timedelta(days=day, minutes=n),
            )
            for n, (who, link) in enumerate(zip(people, links, strict=True))
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def measure(made: Stage, *, size: int) -> list[Result]:
    """Today in pairs with the empty view, then with ten times the history; the feed."""
    people = load.people(READERS)
    (author,) = load.people(1, "curator")
    suggestions = programme(author, FEED)
    days = max(size // 100, 20)
    history(people, suggestions, range(1, days + 1))
    made.start("web")
    cookies = [login(who) for who in people]
    ours, theirs = [], []
    with bare(made, "bench.empty_view") as port:
        for place in (port, made.port):
            read(place, "/", cookies, WARM)
        for _ in range(ROUNDS):
            theirs.append(read(port, "/", cookies))
            ours.append(read(made.port, "/", cookies))
    before = made.processor()
    alone = read(made.port, "/", cookies)
    spent = made.spent(before, len(alone.took))
    feed = read(made.port, "/suggestions/", cookies)
    history(people, suggestions, range(days + 1, 10 * days + 1))
    long = [read(made.port, "/", cookies) for _ in range(ROUNDS)]
    price = Result(
        "processor time of a Today",
        f"web {spent['web']:.1f} ms, PostgreSQL {spent['PostgreSQL']:.1f} ms",
    )
    return [_beside(ours, theirs), price, _grown(ours, long, days), _weight(ours), _feed(feed)]


def _beside(ours: list[Reading], theirs: list[Reading]) -> Result:
    pairs = zip(ours, theirs, strict=True)
    ratio = statistics.median(own.per_second / other.per_second for own, other in pairs)
    own, other = (statistics.median(row.per_second for row in rows) for rows in (ours, theirs))
    return Result(
        "Today, signed in, full programme",
        f"{own:.0f}/s",
        "≥ 35 % of an empty view with session and person",
        f"{other:.0f}/s, ratio {ratio:.2f}",
        kept=ratio >= 0.35,
    )


def _grown(few: list[Reading], many: list[Reading], days: int) -> Result:
    before, after = (statistics.median(row.p95 for row in rows) for rows in (few, many))
    return Result(
        f"Today with {10 * days} posts of each person",
        f"p95 {after:.0f} ms",
        f"≤ 1.15 × that with {days}",
        f"{before:.0f} ms, ratio {after / before:.2f}",
        kept=after <= 1.15 * before,
    )


def _weight(ours: list[Reading]) -> Result:
    size = max(row.size for row in ours)
    return Result("Today, HTML", f"{size / KIB:.0f} kB", "≤ 60 kB", kept=size <= 60 * KIB)


def _feed(feed: Reading) -> Result:
    return Result(
        f"all suggestions, {FEED} live, {CLIENTS} clients",
        f"{feed.per_second:.0f}/s, p95 {feed.p95:.0f} ms, {feed.size / KIB:.0f} kB",
        "> 50/s, p95 < 150 ms",
        kept=feed.per_second > 50 and feed.p95 < 150,
    )
