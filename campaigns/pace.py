"""How long things may take. Chaos tests shrink everything but the gate by TIME_SCALE."""

import datetime as dt

from django.conf import settings

GATE_SECONDS = 2.0  # between the start transaction and the first byte (contract 2.6)


def seconds(number: float) -> float:
    """A duration as it passes here: itself, or shrunk in a chaos run."""
    return number * settings.TIME_SCALE


def span(number: float) -> dt.timedelta:
    """``number`` seconds as it passes here, as a difference of times."""
    return dt.timedelta(seconds=seconds(number))


LEASE = span(60)  # longer than SEND_SECONDS, so a live worker keeps its claim
SEND_SECONDS = seconds(30)  # total for all calls of one send
