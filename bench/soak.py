"""``python -m bench.soak``: two hours of posts and browsing people; what grows, what stays stuck.

Posts come due evenly over the time, one network goes silent now and then, topics are held and
released, people and curators open their pages. The resident memory of each process of the product is
read every minute and kept in ``soak.csv`` beside the logs (what forks share counts in each; a
proportional share would depend on what else runs on the machine). Exit code 1 when a goal is missed.
"""

import argparse
import csv
import itertools
import random
import statistics
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from .result import Result
from .stage import Missed, Stage, database_ahead, resident, stage, wait_until

READERS, CURATORS, ACCOUNTS, TOPICS = 60, 6, 300, 40
WARM = 0.25  # this share of the time fills caches and pools; growth is judged after it
SLOPE = 1.0  # MB an hour
IDLE = 10.0  # seconds that a transaction may stay open with nothing to do
SETTLED = 300.0  # seconds for the last posts after the last is due
SILENT_EVERY, SILENT = 900.0, 20.0
PAGES = (
    "/", "/suggestions/", "/posts/", "/topics/", "/guidelines/", "/issues/", "/me/effect/",
    "/notebook/", "/ideas/", "/teams/", "/calls/", "/situation/", "/me/reach/", "/me/teams/",
)  # fmt: skip
DESK = (
    "/desk/", "/desk/calendar/", "/desk/reviews/", "/desk/ideas/", "/desk/topics/",
    "/desk/pictures/", "/desk/holds/", "/analytics/", "/roster/", "/people/pipeline/",
)  # fmt: skip


@dataclass(slots=True)
class Notes:
    """What was seen while it ran; memory by name of the process in MB."""

    waits: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    idle: float = 0.0
    holds: int = 0
    withheld: int = 0


class Watch(threading.Thread):
    """Reads memory 120 times, and open transactions every few seconds."""

    def __init__(self, made: Stage, notes: Notes, over: threading.Event, *, every: float) -> None:
        super().__init__(daemon=True)
        self.made, self.notes, self.over = made, notes, over
        self.beats = max(round(every / 5), 1)

    def run(self) -> None:
        """Until it is over."""
        from django.db import connection  # noqa: PLC0415 - needs the stage's Django

        began = time.monotonic()
        with (self.made.home / "soak.csv").open("w", newline="", encoding="utf-8") as file:
            sheet = csv.writer(file)
            sheet.writerow(["seconds", "name", "pid", "mb"])
            for beat in itertools.count():
                self._transactions(connection)
                if beat % self.beats == 0:
                    seconds = time.monotonic() - began
                    for name, child in self.made.family.children.items():
                        by_pid = {pid: n / 1e6 for pid, n in resident(child.pid).items()}
                        sheet.writerows(
                            [f"{seconds:.0f}", name, pid, f"{mb:.2f}"] for pid, mb in by_pid.items()
                        )
                        series = self.notes.memory.setdefault(name, [])
                        series.append((seconds, sum(by_pid.values())))
                    file.flush()
                if self.over.wait(5):
                    break
        connection.close()

    def _transactions(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - state_change)), 0)"
                " FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
            )
            self.notes.idle = max(self.notes.idle, float(cursor.fetchone()[0]))


class Crowd(threading.Thread):
    """People who open one page after the other, at a steady pace, each with their own session."""

    def __init__(
        self, doors: list[Any], pages: list[str], pace: float, notes: Notes, over: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self.doors, self.pages, self.pace, self.notes, self.over = doors, pages, pace, notes, over
        self.cards = {page for page in pages if page.startswith("/suggestions/") and page[13:]}
        self.dice = random.Random(len(pages))  # noqa: S311 - the same in every run

    def run(self) -> None:
        """Until it is over."""
        while not self.over.wait(self.dice.expovariate(self.pace)):
            page = self.dice.choice(self.pages)
            try:
                status, seconds = self.dice.choice(self.doors).get(page)
            except OSError as error:
                self.notes.wrong[f"{page}: {type(error).__name__}"] += 1
                continue
            self.notes.waits.append(seconds)
            if status == HTTPStatus.GONE and page in self.cards:
                self.notes.withheld += 1  # its topic was on hold just then, and the page said so
            elif status != HTTPStatus.OK:
                self.notes.wrong[f"{page}: {status}"] += 1


class Trouble(threading.Thread):
    """A topic on hold every other minute; a network that nobody reaches every quarter of an hour."""

    def __init__(
        self, made: Stage, chief: Any, topics: list[Any], notes: Notes, over: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self.made, self.chief, self.topics = made, chief, topics
        self.notes, self.over = notes, over

    def run(self) -> None:
        """Until it is over."""
        from django.db import close_old_connections  # noqa: PLC0415

        from .door import Door  # noqa: PLC0415
        from .stops import Refusal, hold  # noqa: PLC0415

        silent_at = time.monotonic() + SILENT_EVERY / 2
        for topic in itertools.cycle(self.topics):
            if self.over.wait(120):
                break
            try:
                # A new login each time: who lifts a hold shows a fresh proof.
                hold(Door(self.made.port, self.chief), topic, seconds=3)
                self.notes.holds += 1
            except (Refusal, OSError) as error:
                self.notes.wrong[f"hold: {error}"] += 1
            if time.monotonic() > silent_at:
                silent_at += SILENT_EVERY
                host = random.choice(self.made.hosts)  # noqa: S311 - any
                host.tell("down")
                self.over.wait(SILENT)
                host.tell("up")
        close_old_connections()


def slope(series: list[tuple[float, float]]) -> float:
    """MB an hour after the warm-up, over the highest value of each of eight parts of the time.

    The median of all slopes between two of them (Theil-Sen). The highest, because Celery replaces
    a child after so many tasks: a leak would lift the peaks, a fresh child only the troughs.
    """
    first, last = series[-1][0] * WARM, series[-1][0]
    parts: dict[int, list[float]] = {}
    for seconds, mb in series:
        if seconds >= first:
            parts.setdefault(min(int(8 * (seconds - first) / (last - first)), 7), []).append(mb)
    peaks = [(part * (last - first) / 8, max(found)) for part, found in sorted(parts.items())]
    pairs = itertools.combinations(peaks, 2)
    return 3600 * statistics.median((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs)


def stuck() -> dict[str, int]:
    """Rows that wait for something that will not come, by their kind; and tasks nobody took."""
    from django.conf import settings  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415
    from redis import Redis  # noqa: PLC0415

    from ambassadors.models import AuditUnsealed  # noqa: PLC0415
    from campaigns.models import Delivery  # noqa: PLC0415
    from integrations.models import ConnectedAccount, Revocation  # noqa: PLC0415

    spool = settings.SPOOL_DIR
    found = {
        "posts queued": Delivery.objects.filter(state="queued").count(),
        "posts under way": Delivery.objects.filter(state="sending").count(),
        "posts unknown": Delivery.objects.filter(state="unknown").count(),
        "entries unsealed": AuditUnsealed.objects.count(),
        "keys to return": Revocation.objects.filter(due_at__lt=timezone.now()).count(),
        "accounts to reconnect": ConnectedAccount.objects.exclude(reconnect_reason="").count(),
        "answers spooled": sum(1 for _ in spool.iterdir()) if spool.is_dir() else 0,
        "tasks in Redis": int(Redis.from_url(settings.REDIS_URL).llen("celery")),  # type: ignore[arg-type]
    }
    return {kind: count for kind, count in found.items() if count}


def prepare(made: Stage, *, count: int, seconds: float) -> tuple[list[Any], list[Any]]:
    """People, accounts and posts due evenly from in half a minute on; topics and deliveries."""
    import datetime as dt  # noqa: PLC0415

    from django.utils import timezone  # noqa: PLC0415

    from . import load  # noqa: PLC0415

    topics = load.suggestions(TOPICS)
    begin = timezone.now() + dt.timedelta(seconds=30)
    rows = []
    for host in made.hosts:
        among = load.accounts(load.people(ACCOUNTS), host)
        each = count // len(made.hosts)
        due = [begin + dt.timedelta(seconds=seconds * n / each) for n in range(each)]
        rows += load.posts(among, topics, count=each, due_at=due)
    return topics, rows


def play(made: Stage, *, count: int, seconds: float, pace: float) -> list[Result]:
    """Prepare, let everything run for its time, settle, and count."""
    from campaigns.models import Delivery  # noqa: PLC0415

    from . import load  # noqa: PLC0415
    from .door import Door, quantile  # noqa: PLC0415

    topics, rows = prepare(made, count=count, seconds=seconds)
    readers = load.people(READERS)
    curators = load.people(CURATORS, "curator", "hr")
    made.start()
    notes, over = Notes(), threading.Event()
    cards = [f"/suggestions/{topic.pk}/" for topic in topics]
    crew: list[threading.Thread] = [
        Crowd([Door(made.port, who) for who in readers], [*PAGES * 3, *cards], pace * 0.8, notes, over),
        Crowd([Door(made.port, who) for who in curators], list(DESK), pace * 0.2, notes, over),
        Trouble(made, curators[0], topics, notes, over),
        Watch(made, notes, over, every=seconds / 120),
    ]  # fmt: skip
    for one in crew:
        one.start()
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        print(_standing(notes, passed), file=sys.stderr, flush=True)
        time.sleep(min(600, seconds - passed + 1))
    left = Delivery.objects.exclude(state="sent")
    try:
        settled = f"{wait_until('the last post', lambda: not left.exists(), SETTLED):.0f} s"
        wait_until("the rest", lambda: not stuck(), 150)
    except Missed as error:
        settled = str(error)
    over.set()
    for one in crew:
        one.join(60)
    still = stuck()
    sent = Delivery.objects.filter(state="sent").count()
    created = [row["key"] for host in made.hosts for row in host.read("created")]
    ahead = database_ahead()
    due = {key: row.due_at.timestamp() for row in rows for key in (str(row.key), row.rkey)}
    late = [row["at"] + ahead - due[row["key"]] for row in made.arrivals() if row["key"] in due]
    slopes = {name: slope(series) for name, series in notes.memory.items()}
    return [
        Result(
            f"posts due over {seconds / 60:.0f} minutes, with {notes.holds} holds",
            f"{len(rows)}; sent {sent}, created at the networks {len(created)},"
            f" twice {len(created) - len(set(created))}",
            "all once",
            f"due to first byte p95 {quantile(late, 0.95):.1f} s; the last settled after {settled}",
            sent == len(rows) == len(created) == len(set(created)),
        ),
        Result("rows stuck at the end", str(still or 0), "0", kept=not still),
        Result(
            "pages opened meanwhile",
            f"{len(notes.waits)}, p95 {1000 * quantile(notes.waits, 0.95):.0f} ms,"
            f" {notes.withheld} told that the suggestion is on hold, wrong {dict(notes.wrong) or 0}",
            "0 wrong",
            kept=not notes.wrong and bool(notes.waits),
        ),
        *(
            Result(
                f"memory of {name}",
                f"{series[0][1]:.0f} MB at the start, {series[-1][1]:.0f} MB at the end;"
                f" {slopes[name]:+.2f} MB/h after {WARM:.0%} of the time",
                f"< {SLOPE:.0f} MB/h",
                kept=slopes[name] < SLOPE,
            )
            for name, series in notes.memory.items()
        ),
        Result(
            "longest transaction with nothing to do",
            f"{notes.idle:.1f} s", f"≤ {IDLE:.0f} s", kept=notes.idle <= IDLE,
        ),
    ]  # fmt: skip


def _standing(notes: Notes, passed: float) -> str:
    memory = ", ".join(f"{name} {series[-1][1]:.0f}" for name, series in notes.memory.items())
    return f"{passed:.0f} s: {len(notes.waits)} pages, wrong {dict(notes.wrong)}; MB: {memory}"


def main() -> int:
    """Soak; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--count", type=int, default=20_000, help="posts that come due")
    parser.add_argument("--pace", type=float, default=2.0, help="pages opened a second")
    asked = parser.parse_args()
    with stage("mastodon", "bluesky") as made:
        results = play(made, count=asked.count, seconds=asked.minutes * 60, pace=asked.pace)
    for result in results:
        print(result.row(), flush=True)
    return int(any(result.kept is False for result in results))


if __name__ == "__main__":
    sys.exit(main())
