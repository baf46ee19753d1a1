"""Named places where a test may kill or pause a worker. Off unless DEBUG_FAILPOINTS is on.

``FAILPOINTS="after_start=kill:0.05,after_claim=pause:4"``: name, act, and a probability for kill
or seconds for pause.
"""

import os
import random
import signal
import time

from django.conf import settings


def _plan() -> dict[str, tuple[str, float]]:
    plan = {}
    for part in filter(None, settings.FAILPOINTS.split(",")):
        name, act = part.split("=", 1)
        kind, _, number = act.partition(":")
        plan[name] = (kind, float(number or 1))
    return plan


def failpoint(name: str) -> None:
    """Do what FAILPOINTS says at this place."""
    if not settings.DEBUG_FAILPOINTS or not settings.FAILPOINTS:
        return
    kind, number = _plan().get(name, ("", 0.0))
    if kind == "kill" and random.random() < number:  # noqa: S311 - a test's dice
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "pause":
        time.sleep(number)
