"""One fair lock between what starts and what stops.

PostgreSQL grants a shared row lock past a waiting writer, so a hold could wait for ever behind an
endless row of starts. Advisory locks are granted in their order: a stop waits for the starts
before it and for none after it. Whoever freezes with the lock is cut off by the database after
``_FROZEN``, and what they had begun never was.
"""

import datetime as dt

from django.db import connection

_KEY = 0x426F7473
_FROZEN = "2s"


def enter() -> dt.datetime:
    """A start: beside others, but not beside a stop, until the transaction ends.

    Returns the database's time, once inside.
    """
    return _lock("pg_advisory_xact_lock_shared")


def close() -> None:
    """A stop: alone, until the transaction ends. Every later start sees what was committed.

    The commit waits for the disk, whatever the server is set to: a stop that answered is kept.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO on")
    _lock("pg_advisory_xact_lock")


def _lock(function: str) -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET LOCAL idle_in_transaction_session_timeout = '{_FROZEN}';"
            f" SELECT {function}({_KEY}); SELECT clock_timestamp()"
        )
        now: dt.datetime = cursor.fetchone()[0]
    return now
