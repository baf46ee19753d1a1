"""``python -m advocacy.withservices <command>``: run it with PostgreSQL and Redis at hand.

Services of one's own (DATABASE_URL and REDIS_URL) are used as they are.
"""

import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

from advocacy import embedded

ROOT = Path(__file__).resolve().parent.parent


def main(command: list[str]) -> int:
    """Return the command's exit code."""
    env = {
        "SECRET_KEY": "only-for-tests",
        "TOKEN_KEYS": urlsafe_b64encode(b"only-for-tests-0123456789abcdef!").decode(),
        **os.environ,
    }
    if env.get("DATABASE_URL") and env.get("REDIS_URL"):
        return subprocess.run(command, env=env, check=False).returncode
    home = embedded.home_for(ROOT)
    try:
        with embedded.services(home.with_name(f"{home.name}-test")) as found:
            env |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
            return subprocess.run(command, env=env, check=False).returncode
    except embedded.CannotStart as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's voice
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
