"""``python -m bench.network NAME LEDGER LATENCY``: one pretended network in its own process.

Prints its port and the settings that lead to it, writes every arrival, creation and reading call
to LEDGER (one JSON line each, times by CLOCK_MONOTONIC, which all processes share), and obeys
lines on stdin: ``down`` (nobody listens), ``up`` (the same port listens again), ``latency
SECONDS``. Ends when stdin ends.
"""

import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

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


def serve(name: str, ledger: Path, latency: float) -> None:
    """Serve until stdin ends."""
    network = pretended(name)(latency)
    if hasattr(network, "tokens"):
        network.tokens = _AnyToken()
    with ledger.open("a", encoding="utf-8") as file:

        def note(kind: str, **facts: Any) -> None:
            with network.lock:
                file.write(json.dumps({"kind": kind, **facts}) + "\n")
                file.flush()

        answer = network.serve

        def serve_noted(handler: Any, at: float, body: bytes) -> Any:
            if handler.command == "GET":
                note("read", path=handler.path, at=at)
            return answer(handler, at, body)

        network.note, network.serve = note, serve_noted
        network.__enter__()
        print(json.dumps([network.port, network.environment()]), flush=True)
        for line in sys.stdin:
            match line.split():
                case ["down"]:
                    network.__exit__()
                case ["up"]:
                    _listen_again(network)
                case ["latency", seconds]:
                    network.latency = float(seconds)
            print("done", flush=True)


def _listen_again(network: Any) -> None:
    server = network.server
    server.socket = socket.create_server(("127.0.0.1", network.port), backlog=512)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
