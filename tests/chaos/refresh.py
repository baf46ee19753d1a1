"""``python -m tests.chaos.refresh``: many processes find the same tokens at their end (I10).

X's refresh tokens are good for one use: whoever presents one twice loses the account.
"""

import argparse
import multiprocessing
import sys
import time

from .fleet import Fleet
from .seed import accounts


def use(pks, seconds):
    """Open every account's access over and over, each time at its end."""
    from django.utils import timezone

    from integrations import tokens
    from integrations.models import ConnectedAccount

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for account in ConnectedAccount.objects.filter(pk__in=pks):
            now = timezone.now()
            tokens.expire(account, now=now)
            tokens.open_access(account, now=now)


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--processes", type=int, default=8)
    words.add_argument("--accounts", type=int, default=5)
    words.add_argument("--seconds", type=float, default=5)
    asked = words.parse_args()
    with Fleet(networks=["x"], accounts=asked.accounts, web=False) as fleet:
        from django.db import connections

        pks = [account.pk for account in accounts(fleet)]
        connections.close_all()
        fork = multiprocessing.get_context("fork")
        users = [
            fork.Process(target=use, args=(pks, asked.seconds)) for _ in range(asked.processes)
        ]
        for user in users:
            user.start()
        for user in users:
            user.join(asked.seconds + 30)
            user.kill()
        replayed = sum(row["kind"] == "replayed" for row in fleet.ledger())
        refreshed = fleet.sql("SELECT sum(version - 1) FROM integrations_token")[0][0]
    failed = sum(user.exitcode != 0 for user in users)
    print(f"{refreshed} refreshes, {replayed} replays, {failed} of {len(users)} processes failed")
    return 1 if replayed or failed or not refreshed else 0


if __name__ == "__main__":
    sys.exit(main())
