"""``python -m advocacy.withservices <command>``: run it with PostgreSQL and Redis at hand.

Services of one's own (DATABASE_URL and REDIS_URL) are used as they are.
"""

import contextlib
import fcntl
import itertools
import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

from advocacy import embedded

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def _own_home() -> Iterator[Path]:
    """The first directory of this checkout that no other run holds: two may run side by side."""
    home = embedded.home_for(ROOT)
    for number in itertools.count():
        place = home.with_name(f"{home.name}-test{number or ''}")
        place.mkdir(parents=True, exist_ok=True, mode=0o711)
        with (place / "lock").open("a") as lock, contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield place
            return


def main(command: list[str]) -> int:
    """Return the command's exit code."""
    env = {
        "SECRET_KEY": "only-for-tests",
        "TOKEN_KEYS": urlsafe_b64encode(b"only-for-tests-0123456789abcdef!").decode(),
        **os.environ,
    }
    if env.get("DATABASE_URL") and env.get("REDIS_URL"):
        return subprocess.run(command, env=env, check=False).returncode
    try:
        # Emptying tables between tests would wait for the disk; no power fails here.
        fast = {"fsync": "off", "full_page_writes": "off"}
        with _own_home() as home, embedded.services(home, **fast) as found:
            env |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
            return subprocess.run(command, env=env, check=False).returncode
    except embedded.CannotStart as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's voice
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
