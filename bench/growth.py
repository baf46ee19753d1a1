"""What a page, a post and a hold cost with a tenth of three years of history, and with all of it."""

import statistics
import time
from collections import defaultdict

from django.db import connection
from django.utils import timezone

from ambassadors.models import Person
from campaigns.models import Delivery, Suggestion

from . import load, seed
from .door import Door, quantile
from .drain import drained, rate
from .result import Result
from .stage import Stage
from .stops import hold

PEOPLE_PER_POST = 50  # 100,000 people wrote 5,000,000 posts
WARM, PAGES_EACH = 5, 30
SENT, HELD = 200, 12
HISTORY = {
    "campaigns_post", "campaigns_reading", "campaigns_clickday", "campaigns_delivery",
    "campaigns_shortlink", "campaigns_evidence", "campaigns_attempt", "campaigns_transition",
    "campaigns_suggestion", "campaigns_variant",
}  # fmt: skip


def pages() -> dict[str, tuple[str, str]]:
    """Paths and who opens them, by their names; the suggestion and the topic are live."""
    live = Suggestion.objects.live(timezone.now()).order_by("-pk")[0]
    a_person = {
        "Today": "/", "suggestions": "/suggestions/", "a suggestion": f"/suggestions/{live.pk}/",
        "my posts": "/posts/", "my effect": "/me/effect/", "topics": "/topics/",
        "a topic": f"/topics/{live.topic_id}/",
    }  # fmt: skip
    curator = {
        "desk": "/desk/", "desk, searched": "/desk/?q=Suggestion+77",
        "calendar": "/desk/calendar/", "a suggestion's editor": f"/desk/suggestions/{live.pk}/",
        "figures of a month": "/analytics/",
    }  # fmt: skip
    hr = {
        "roster": "/roster/", "HR's figures": "/roster/figures/", "coverage": "/roster/coverage/",
    }  # fmt: skip
    by = {"a person": a_person, "curator": curator, "hr": hr}
    return {name: (path, who) for who, paths in by.items() for name, path in paths.items()}


def opened(door: Door, path: str) -> float:
    """Milliseconds until the whole page is there."""
    status, seconds = door.get(path)
    assert status == 200, (path, status)
    return 1000 * seconds


def read_in_sequence() -> dict[str, int]:
    """Rows of history that were read from end to end so far, by table."""
    time.sleep(12)  # idle connections tell their figures after ten seconds
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE relname = ANY(%s)",
            [sorted(HISTORY)],
        )
        return dict(cursor.fetchall())


class Look:
    """One measurement of everything."""

    def __init__(self, made: Stage, house: seed.Company, chief: Person) -> None:
        self.made, self.chief = made, chief
        self.pages: dict[str, list[float]] = defaultdict(list)
        self.sequential: dict[str, int] = {}
        doors = self._doors(house)
        paths = pages()
        before = read_in_sequence()
        for name, (path, who) in paths.items():
            mine = doors[who]
            times = [opened(mine[n % len(mine)], path) for n in range(WARM + PAGES_EACH)]
            self.pages[name] = times[WARM:]
        after = read_in_sequence()
        self.sequential = {t: after[t] - before[t] for t in after if after[t] > before[t]}

    def _doors(self, house: seed.Company) -> dict[str, list[Door]]:
        """Sessions: people from the busiest to the quietest, a curator, HR."""
        step = max(len(house.ambassadors) // 20, 1)
        some = Person.objects.filter(pk__in=house.ambassadors[::step])
        who = {"a person": some, "curator": [house.curator], "hr": load.people(1, "hr")}
        return {kind: [Door(self.made.port, one) for one in rows] for kind, rows in who.items()}

    def send(self) -> None:
        """Posts a second, and how long a hold takes with so much waiting as there is."""
        (host,) = self.made.hosts
        topics = load.suggestions(5)
        among = load.accounts(load.people(SENT), host)
        self.rate = rate(drained(self.made, load.posts(among, topics), seconds=120))
        waits = [
            hold(Door(self.made.port, self.chief), topics[n % 5], seconds=0.05).seconds
            for n in range(HELD)
        ]
        self.hold = 1000 * statistics.median(waits)


def measure(made: Stage, *, size: int) -> list[Result]:
    """Look with a tenth of the history, add the rest, look again."""
    began = time.monotonic()
    (chief,) = load.people(1, "curator")
    house = seed.company(max(size // PEOPLE_PER_POST, 1000))
    seed.history(house, size // 10)
    made.start()
    few = Look(made, house, chief)
    few.send()
    load.posts(  # what waits for later must cost a hold nothing
        load.accounts(load.people(500), made.hosts[0]), load.suggestions(1), count=size // 100
    )
    loading = time.monotonic()
    seed.history(house, size - size // 10)
    took = time.monotonic() - loading
    many = Look(made, house, chief)
    many.send()
    waiting = Delivery.objects.filter(state="queued").count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        bytes_there = str(cursor.fetchone()[0])
    rows = size * (seed.READINGS + seed.CLICK_DAYS + 5)
    return [
        Result(
            f"seed of {len(house.people):,} people and {size:,} posts ({rows:,} rows of history)",
            f"{took:.0f} s for nine tenths, {bytes_there}; {time.monotonic() - began:.0f} s with all",
        ),
        *(_page(name, few.pages[name], many.pages[name]) for name in many.pages),
        Result(
            "history read from end to end by these pages",
            ", ".join(f"{table} {count:,}" for table, count in many.sequential.items()) or "0 rows",
            "0 rows",
            kept=not many.sequential,
        ),
        Result(
            "posts a second", f"{many.rate:.0f}/s", "≥ 0.87 × that with a tenth",
            f"{few.rate:.0f}/s with a tenth, ratio {many.rate / few.rate:.2f}",
            many.rate >= 0.87 * few.rate,
        ),
        Result(
            f"hold with {waiting:,} posts waiting", f"median {many.hold:.0f} ms",
            "≤ 1.3 × that with none", f"{few.hold:.0f} ms, ratio {many.hold / few.hold:.2f}",
            many.hold <= 1.3 * few.hold,
        ),
    ]  # fmt: skip


def _page(name: str, few: list[float], many: list[float]) -> Result:
    before, after = statistics.median(few), statistics.median(many)
    return Result(
        f"growth: {name}",
        f"median {after:.0f} ms, p95 {quantile(many, 0.95):.0f} ms",
        "≤ 1.3 × that with a tenth, p95 < 300 ms",
        f"{before:.0f} ms with a tenth, ratio {after / before:.2f}",
        kept=after <= 1.3 * before and quantile(many, 0.95) < 300,
    )
