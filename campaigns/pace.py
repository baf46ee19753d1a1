"""What time it is, and how long things may take.

Chaos tests shrink everything but the gate by TIME_SCALE.
"""

import datetime as dt

from django.conf import settings
from django.db import connection

GATE_SECONDS = 2.0  # between the start transaction and the first byte (contract 2.6)


def clock() -> dt.datetime:
    """The database's time: the only clock that decides when something is due (I7)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    return now


def seconds(number: float) -> float:
    """A duration as it passes here: itself, or shrunk in a chaos run."""
    return number * settings.TIME_SCALE


def span(number: float) -> dt.timedelta:
    """``number`` seconds as it passes here, as a difference of times."""
    return dt.timedelta(seconds=seconds(number))


LEASE = span(60)  # longer than SEND_SECONDS, so a live worker keeps its claim
SEND_SECONDS = seconds(30)  # total for all calls of one send
