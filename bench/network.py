"""``python -m bench.network NAME LEDGER LATENCY``: one pretended network in its own process.

Prints its port and the settings that lead to it, writes every arrival, creation and reading call
to LEDGER (one JSON line each, times by CLOCK_MONOTONIC, which all processes share), and obeys
lines on stdin: ``down`` (nobody listens), ``up`` (the same port listens again), ``allow COUNT
SECONDS`` (so many posts of an account in a window; one more is noted as ``over`` and answered
429). Ends when stdin ends.
"""

import datetime as dt
import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from integrations.networks import NETWORKS
from tests.networks import pretended

# Posts one call can ask for by the networks' own documentation, whoever wrote them.
PER_CALL = {"bluesky": 25, "mastodon": 20, "x": 100}


def readable() -> tuple[str, ...]:
    """Networks of this version whose figures we read in batches."""
    known = (name for name in PER_CALL if name in NETWORKS)
    return tuple(name for name in known if NETWORKS[name].abilities.can_measure)


class _AnyToken(dict[str, str]):
    """Tokens tell their account themselves (``token-7-…``), so none has to be registered."""

    def get(self, key: str, default: Any = None) -> Any:
        parts = key.split("-")
        return parts[1] if parts[0] == "token" and len(parts) > 1 else default


class Allowance:
    """A limit per account that answers tell in their headers, as Mastodon does."""

    def __init__(self) -> None:
        self.count, self.seconds = 300, 300.0
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, account: str, now: float) -> tuple[int, float]:
        """Count one post; returns what is left (negative: one too many) and seconds to wait."""
        began, used = self._windows.get(account, (now, 0))
        if now - began >= self.seconds:
            began, used = now, 0
        self._windows[account] = began, used + 1
        return self.count - used - 1, began + self.seconds - now

    @staticmethod
    def headers(left: int, wait: float) -> list[tuple[str, str]]:
        """As in docs.joinmastodon.org/api/rate-limits."""
        resets = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wait)
        return [
            ("X-RateLimit-Remaining", str(max(left, 0))),
            ("X-RateLimit-Reset", resets.isoformat(timespec="milliseconds").replace("+00:00", "Z")),
        ]


def watch(network: Any, file: TextIO, allowance: Allowance) -> None:
    """Put ledger and allowance around a pretended network."""
    serve, answer = network.serve, network.answer
    told = threading.local()

    def note(kind: str, **facts: Any) -> None:
        with network.lock:
            file.write(json.dumps({"kind": kind, **facts}) + "\n")
            file.flush()

    def watched(handler: Any, at: float, body: bytes) -> Any:
        told.headers = []
        if handler.command == "GET":
            note("read", path=handler.path, at=at)
        elif handler.path == "/api/v1/statuses":
            account = handler.headers.get("Authorization", "").split("-")[1]
            left, wait = allowance.take(account, at)
            told.headers = allowance.headers(left, wait)
            if left < 0:
                note("over", account=account, at=at)
                return answer(handler, 429, {"error": "Too many requests"}, told.headers)
        return serve(handler, at, body)

    def answered(handler: Any, status: int, payload: Any, headers: Any = ()) -> Any:
        return answer(handler, status, payload, told.headers or headers)

    network.note, network.serve, network.answer = note, watched, answered


def serve(name: str, ledger: Path, latency: float) -> None:
    """Serve until stdin ends."""
    network, allowance = pretended(name)(latency), Allowance()
    if hasattr(network, "tokens"):
        network.tokens = _AnyToken()
    with ledger.open("a", encoding="utf-8") as file:
        watch(network, file, allowance)
        network.__enter__()
        print(json.dumps([network.port, network.environment()]), flush=True)
        for line in sys.stdin:
            match line.split():
                case ["down"]:
                    network.__exit__()
                case ["up"]:
                    _listen_again(network)
                case ["allow", count, seconds]:
                    allowance.count, allowance.seconds = int(count), float(seconds)
            print("done", flush=True)


def _listen_again(network: Any) -> None:
    server = network.server
    server.socket = socket.create_server(("127.0.0.1", network.port), backlog=512)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
