"""``python -m tests.chaos.failpoints``: every named crash point × {kill, pause longer than the lease}.

One fleet; for each pair all workers start anew with it, ``--each`` deliveries on every network
become due, and the same zeros are asked for as after a storm.
"""

import argparse
import signal
import sys
import time

from . import chaos, checker
from .fleet import NETWORKS, Fleet
from .seed import seed

POINTS = (
    "before_claim",
    "after_claim",
    "in_start",
    "after_start",
    "after_response",
    "after_result",
)


def acts(chance, time_scale):
    """Kill, or sleep past the end of the lease; only sometimes, so that the work gets done."""
    return [f"kill:{chance}", f"pause:{60 * time_scale + 1.5}:{chance}"]


def one(fleet, failpoint, each, tail):
    """Play one failpoint; returns how many checks failed."""
    fleet.sql(
        "TRUNCATE campaigns_delivery, campaigns_post, chaos_change, integrations_circuit,"
        " integrations_bucket CASCADE"
    )
    (fleet.home / "var/instance.mark").unlink(missing_ok=True)  # or it looks like a restored backup
    for name in fleet.networks:
        (fleet.home / f"{name}.ledger").open("r+").truncate()
    seed(fleet, each * len(fleet.networks), spread=5, lead=5)
    began = time.monotonic()
    fleet.start_workers(failpoint)
    chaos.finish(fleet, tail)
    title = f"{failpoint}: {each} deliveries on each network in {time.monotonic() - began:.0f} s"
    return checker.judge(chaos.evidence(fleet), title)


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--each", type=int, default=200)
    words.add_argument("--chance", type=float, default=0.03)
    words.add_argument("--tail", type=float, default=240)
    # One post for each: a look at X reads ten at the most (they cost), and says so beyond; the
    # pretended networks keep the posts of the points before.
    words.add_argument(
        "--accounts", type=int, default=0, help="of each network; 0: as many as posts"
    )
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--points", type=lambda text: text.split(","), default=list(POINTS))
    words.add_argument("--acts", default="kill,pause")
    words.add_argument("--networks", type=lambda text: text.split(","), default=list(NETWORKS))
    words.add_argument("--processes", type=int, default=2)
    asked = words.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    bad = []
    with Fleet(
        networks=asked.networks, accounts=asked.accounts or asked.each, seed=asked.seed,
        processes=asked.processes, web=False,
    ) as fleet:  # fmt: skip
        for point in asked.points:
            for act in acts(asked.chance, fleet.time_scale):
                if act.split(":")[0] in asked.acts and one(
                    fleet, f"{point}={act}", asked.each, asked.tail
                ):
                    bad.append(f"{point}={act}")
    print(f"\nfailpoints with violations: {bad or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
