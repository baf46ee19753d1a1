"""``python -m tests.chaos.refresh``: many processes use the same ending tokens at once (I10).

Bluesky's access tokens here end so soon that every use refreshes; the network notes a refresh
token that is presented twice.
"""

import argparse
import multiprocessing
import sys
import time

from .fleet import Fleet
from .seed import accounts


def use(pks, seconds):
    """Open every account's access over and over."""
    from django.utils import timezone

    from integrations import tokens
    from integrations.models import ConnectedAccount

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for account in ConnectedAccount.objects.filter(pk__in=pks):
            tokens.open_access(account, now=timezone.now())


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--processes", type=int, default=8)
    words.add_argument("--accounts", type=int, default=5)
    words.add_argument("--seconds", type=float, default=5)
    asked = words.parse_args()
    with Fleet(
        networks=["bluesky"], accounts=asked.accounts, latency=0.02, web=False, short_tokens=True
    ) as fleet:
        from django.db import connections

        pks = [account.pk for account in accounts(fleet)]
        fleet.sql("UPDATE integrations_token SET expires_at = now()")
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
        kinds = [row["kind"] for row in fleet.ledger()]
    refreshed, replayed = kinds.count("refresh"), kinds.count("replay")
    failed = sum(user.exitcode != 0 for user in users)
    print(f"{refreshed} refreshes, {replayed} replays, {failed} of {len(users)} processes failed")
    return 1 if replayed or failed or not refreshed else 0


if __name__ == "__main__":
    sys.exit(main())
