"""``python -m tests.chaos.chaos --count 10000 --spread 330 --seed 1``: a storm, then the proof.

A plan of blows is drawn from the seed and carried out while the deliveries are due; a curator
holds and releases topics through the web all along. Ends with 1 when a promise was broken.
"""

import argparse
import contextlib
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

from . import checker
from .fleet import NETWORKS, Fleet
from .seed import curator, seed

# Workers also die by themselves where it hurts most, a few in a thousand times.
SORE_POINTS = "in_start=kill:0.001,after_start=kill:0.002,after_response=kill:0.002"


@dataclass
class Plan:
    """How many of each blow fall within the run."""

    kills: int = 0
    workers: int = 0
    stops: int = 0
    redis: int = 0
    postgres: int = 0
    deploys: int = 0


class Holder(threading.Thread):
    """A curator who holds and releases topics through the web; keeps the windows."""

    def __init__(self, fleet, pause):
        super().__init__(daemon=True)
        self.site, self.sql, self.pause = fleet.env["SITE_URL"], fleet.sql, pause
        self.dice = random.Random(fleet.seed)
        self.over = threading.Event()
        self.windows, self.seconds = [], []
        self.cookies = curator()[1]
        self.topics = [row[0] for row in self.sql("SELECT id FROM campaigns_topic ORDER BY id")]

    def post(self, path, **form):
        """Press a button; tells whether the web said yes."""
        request = urllib.request.Request(
            self.site + path,
            urllib.parse.urlencode(form).encode(),
            {
                "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
                "X-CSRFToken": self.cookies["csrftoken"],
                "Origin": self.site,
            },
        )
        try:
            with _STAY.open(request, timeout=20) as answer:
                return answer.status < 400
        except urllib.error.HTTPError as error:
            # sent elsewhere first, to prove who it is, is no yes
            return error.code == 302 and not error.headers["Location"].startswith(_PROOFS)
        except OSError:
            return False

    def run(self):
        while not self.over.wait(self.dice.uniform(0, 2 * self.pause)):
            topic = self.dice.choice(self.topics)
            asked = time.monotonic()
            held = self.post(f"/desk/topics/{topic}/hold/", reason="Wait.")
            begin = time.monotonic()
            self.over.wait(self.dice.uniform(0.3, 1.5))
            end = time.monotonic()
            while not self.post(f"/desk/topics/{topic}/release/"):
                time.sleep(0.3)
            if held:  # otherwise nobody was told that it is in force
                self.windows.append(checker.Window(topic, begin, end))
                self.seconds.append(begin - asked)
            self.look_again()

    def look_again(self):
        """The people behind the held posts look and want them sent."""
        self.sql(
            "UPDATE campaigns_delivery SET blocked = '', reason = '', claims = 0, next_at = now()"
            " WHERE blocked = 'look_again' AND state = 'queued'"
        )


_PROOFS = ("/me/second/", "/me/again/", "/accounts/")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


_STAY = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))


def blows(plan, seconds, dice):
    """When each blow falls: (second, what), in order."""
    found = []
    for what, count in vars(plan).items():
        step = seconds / max(count, 1)
        found += [(step * (n + dice.random()), what) for n in range(count)]
    return sorted(found)


def storm(fleet, plan, seconds):
    """Carry out the plan within ``seconds``; returns when all are awake again."""
    dice = random.Random(fleet.seed)
    coming, asleep, leaving = blows(plan, seconds, dice), [], []
    began = time.monotonic()
    while (now := time.monotonic() - began) < seconds or asleep or leaving or coming:
        while coming and coming[0][0] <= now:
            match coming.pop(0)[1]:
                case "kills":
                    fleet.kill_child()
                case "workers":
                    fleet.kill_worker()
                case "stops":  # some longer than a lease
                    asleep.append((now + dice.choice([1, 3, 8]), fleet.freeze_child()))
                case "redis":
                    fleet.crash_redis()
                case "postgres":
                    fleet.crash_postgres(dice.uniform(0.2, 1.5))
                case "deploys":
                    leaving.append((now, fleet.replace_worker()))
        for entry in [entry for entry in asleep if entry[0] <= now]:
            entry[1]()
            asleep.remove(entry)
        for entry in [entry for entry in leaving if entry[1].poll() is not None]:
            fleet.farewells.append((now - entry[0], entry[1].returncode))
            leaving.remove(entry)
        fleet.nudge()
        fleet.supervise()
        time.sleep(0.2)


def evidence(fleet, holder=None):
    """Everything the checker may see."""
    return checker.Evidence(
        sql=fleet.sql,
        ledger=fleet.ledger(),
        offset=fleet.clock_offset(),
        time_scale=fleet.time_scale,
        holds=holder.windows if holder else [],
        trouble=bool({"kills", "stops"} & set(fleet.spoilt)) or bool(fleet.failpoints),
        kills=fleet.spoilt.get("kills", 0),
    )


def finish(fleet, seconds, holder=None):
    """Wait until everything is over, end the workers, and let late answers be late no more."""
    left = fleet.settle(seconds)
    if holder:
        holder.over.set()
        holder.join(60)
        left = fleet.settle(30)
    time.sleep(1)
    fleet.stop_workers()
    if left:
        print(f"{left} are still open; some of them:")
        for row in fleet.sql(_STILL_OPEN):
            print(f"  {row}")
    return left


_STILL_OPEN = """
SELECT d.id, a.network, d.state, d.blocked, d.reason, d.detail, d.tries, d.claims, d.fence,
       d.lease_until - now(), d.next_at - now(), d.look_at - now(), a.paused_until - now()
  FROM campaigns_delivery d JOIN integrations_connectedaccount a ON a.id = d.account_id
 WHERE state = 'sending' OR (state = 'queued' AND blocked = '')
    OR (state = 'unknown' AND look_at IS NOT NULL) ORDER BY d.due_at LIMIT 12"""


def run(asked, plan):
    """One run; returns how many checks failed."""
    began = time.monotonic()
    with Fleet(
        networks=asked.networks,
        accounts=asked.accounts or max(asked.count // 40, 5),
        latency=asked.latency,
        faults=asked.faults,
        seed=asked.seed,
        processes=asked.processes,
        children=asked.children,
    ) as fleet:
        seed(fleet, asked.count, spread=asked.spread, lead=8, hasty=asked.hasty)
        fleet.start_workers(asked.failpoints)
        holder = None
        if asked.holds:
            holder = Holder(fleet, asked.spread / asked.holds / 2)
            holder.start()
        time.sleep(5)
        storm(fleet, plan, asked.spread)
        finish(fleet, asked.tail, holder)
        took = time.monotonic() - began
        seen = evidence(fleet, holder)
        bad = checker.judge(seen, f"seed {asked.seed}: {asked.count} deliveries in {took:.0f} s")
        print(f"  done to them: {fleet.spoilt}")
        if holder and holder.seconds:
            waits = sorted(holder.seconds)
            print(
                f"  {len(waits)} holds through the web, median {waits[len(waits) // 2]:.3f} s,"
                f" longest {waits[-1]:.3f} s"
            )
        if fleet.farewells:
            slow = max(seconds for seconds, _code in fleet.farewells)
            unknown = fleet.sql("SELECT count(*) FROM campaigns_transition WHERE target='unknown'")
            print(
                f"  {len(fleet.farewells)} deploys, the slowest {slow:.1f} s, {unknown[0][0]} unknown"
            )
            if not asked.faults and not plan.kills:
                bad += bool(unknown[0][0])
        if bad and asked.words:
            for name in [*fleet.workers(), "web"]:
                print(f"--- {name}\n{fleet.log(name)}")
    return bad


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--count", type=int, default=400)
    words.add_argument("--spread", type=float, default=30, help="seconds over which they are due")
    words.add_argument("--tail", type=float, default=240, help="seconds to wait for the last")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--accounts", type=int, default=0, help="of each network; 0: by count")
    words.add_argument("--latency", type=float, default=0.08)
    words.add_argument("--faults", type=float, default=0.1)
    words.add_argument("--hasty", type=float, default=0.02, help="share that ends after 4 s")
    words.add_argument("--processes", type=int, default=4)
    words.add_argument("--children", type=int, default=4)
    words.add_argument("--failpoints", default=SORE_POINTS)
    words.add_argument("--holds", type=int, default=8)
    words.add_argument("--networks", type=lambda text: text.split(","), default=list(NETWORKS))
    words.add_argument("--words", action="store_true", help="show the logs after a violation")
    for name in vars(Plan()):
        words.add_argument(f"--{name}", type=int, default=0)
    asked = words.parse_args()
    plan = Plan(**{name: getattr(asked, name) for name in vars(Plan())})
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with contextlib.suppress(KeyboardInterrupt):
        return 1 if run(asked, plan) else 0
    return 130


if __name__ == "__main__":
    sys.exit(main())
