"""``python -m advocacy.alive web|worker|beat``: 0 when this container's process does its work.

Small and without Django, because it is asked every minute of every container.
"""

import http.client
import os
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

# A worker touches its file every ten seconds; beat writes its schedule every three minutes.
WORKER = Path(os.environ.get("WORKER_ALIVE", "/tmp/botschaft-worker"))  # noqa: S108 - empty
BEAT = Path(os.environ.get("BEAT_SCHEDULE", "/tmp/botschaft-beat"))  # noqa: S108 - last-run times
_WORKER_SECONDS, _BEAT_SECONDS = 60, 600


def web() -> bool:
    """The web server answers, and reaches the database."""
    host = urlsplit(os.environ.get("SITE_URL", "http://localhost")).netloc
    port = int(os.environ.get("PORT", "8000"))
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
    if authority := os.environ.get("WEB_CA"):  # it talks TLS, and has a certificate for 127.0.0.1
        trust = ssl.create_default_context(cafile=authority)
        link = http.client.HTTPSConnection("127.0.0.1", port, timeout=8, context=trust)
    try:
        link.request("GET", "/healthz", headers={"Host": host})
        return link.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()


def worker() -> bool:
    """The worker's process runs, with or without its broker."""
    return _age(WORKER) < _WORKER_SECONDS


def beat() -> bool:
    """Beat has written its schedule lately."""
    # the library adds an ending of its own
    return min(map(_age, BEAT.parent.glob(f"{BEAT.name}*")), default=1e9) < _BEAT_SECONDS


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 1e9


PARTS: dict[str, Callable[[], bool]] = {"web": web, "worker": worker, "beat": beat}

if __name__ == "__main__":
    sys.exit(0 if PARTS[sys.argv[1]]() else 1)
