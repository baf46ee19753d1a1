"""One pretended network in a process of its own: its ledger on disk, its faults by dice.

``python -m tests.chaos.networks mastodon --home DIR --accounts 50`` writes ``DIR/mastodon.json``
(where it listens, its accounts) when it is ready, and a line for everything that happens to
``DIR/mastodon.ledger``. Times are CLOCK_MONOTONIC, which is one clock for all processes here.

Every text carries its delivery's key as 32 hex digits, the *mark*: the ledger names posts by what
arrived, whatever key our own code sends.
"""

import argparse
import collections
import json
import os
import random
import re
import signal
import threading
from pathlib import Path

from tests.networks import pretended

MARK = re.compile(rb"[0-9a-f]{32}")


def faults(patience):
    """What may go wrong: name, how, and whether the answer leaves the outcome open.

    ``patience`` is longer than our own total deadline, in seconds.
    """
    return [
        ("reset", {"applied": True}, True),
        ("reset", {}, True),
        ("silence", {"applied": True, "seconds": patience}, True),
        ("silence", {"seconds": patience}, True),
        ("loris", {"applied": True, "bytes": int(patience * 10)}, True),
        ("truncated", {"applied": True}, True),
        ("truncated", {}, True),
        ("html", {"applied": True}, True),
        ("no_id", {"applied": True}, True),
        ("status", {"status": 500, "applied": True}, True),
        ("status", {"status": 503}, True),
        ("status", {"status": 408, "applied": True}, True),
        ("status", {"status": 429, "headers": [("Retry-After", "1")]}, False),
    ]


def troubled(kind, home, rate, patience):
    """The pretended network with dice and a ledger on disk."""

    class Troubled(kind):
        def __init__(self, latency):
            self.here, self.pen = threading.local(), threading.Lock()
            self.disk = (home / f"{kind.network}.ledger").open("a", buffering=1)
            super().__init__(latency)

        @property
        def faults(self):
            return self.here.__dict__.setdefault("faults", collections.deque())

        @faults.setter
        def faults(self, value):
            pass  # each request throws its own dice

        def serve(self, handler, at, body):
            found = MARK.search(body)
            self.here.mark = found[0].decode() if found else ""
            super().serve(handler, at, body)

        def note(self, event, **facts):
            line = json.dumps({"kind": event, "mark": self.here.mark, **facts}, default=str)
            with self.pen:
                self.disk.write(line + "\n")

        def misbehave(self, handler, create):
            if random.random() < rate:
                name, facts, open_end = random.choice(faults(patience))
                shown = f"{name} {facts.get('status', '')}".strip()
                self.note("fault", name=shown, ambiguous=open_end, applied="applied" in facts)
                self.fault(name, **facts)
            return super().misbehave(handler, create)

    return Troubled


def self_serve(network, number):
    """Every other LinkedIn account is as anybody can have it: nobody may read its posts."""
    return {"can_look": False} if network == "linkedin" and number % 2 else {}


def main():
    words = argparse.ArgumentParser()
    words.add_argument("network")
    words.add_argument("--home", type=Path, required=True)
    words.add_argument("--accounts", type=int, default=10)
    words.add_argument("--latency", type=float, default=0.05)
    words.add_argument("--faults", type=float, default=0.0)
    words.add_argument("--patience", type=float, default=4.0)
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    random.seed(f"{asked.seed} {asked.network}")
    kind = troubled(pretended(asked.network), asked.home, asked.faults, asked.patience)
    os.environ["LOOPBACK_HOSTS"] = ""
    with kind(asked.latency) as server:
        server.posts_per_day = server.posts_per_window = 10**9  # where the real one has quotas
        accounts = [server.access(str(n + 1)) for n in range(asked.accounts)]
        told = {
            "base_url": accounts[0].base_url,
            "environment": server.environment(),
            "accounts": [
                {
                    "remote_id": account.remote_account_id,
                    "secrets": dict(account.secrets),
                    "features": {**account.features, **self_serve(asked.network, number)},
                }
                for number, account in enumerate(accounts)
            ],
        }
        half = asked.home / f"{asked.network}.json.half"
        half.write_text(json.dumps(told))
        half.rename(asked.home / f"{asked.network}.json")
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
