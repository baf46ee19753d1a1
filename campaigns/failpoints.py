"""Named places where a test may kill or pause a worker. Off unless DEBUG_FAILPOINTS is on.

``FAILPOINTS="after_start=kill:0.05,after_claim=pause:4:0.1"``: name and act, then a probability
for kill, or seconds and a probability for pause.
"""

import os
import random
import signal
import time

from django.conf import settings


def _plan() -> dict[str, tuple[str, list[float]]]:
    plan = {}
    for part in filter(None, settings.FAILPOINTS.split(",")):
        name, act = part.split("=", 1)
        kind, *numbers = act.split(":")
        plan[name] = (kind, [float(number) for number in numbers])
    return plan


def failpoint(name: str) -> None:
    """Do what FAILPOINTS says at this place."""
    if not settings.DEBUG_FAILPOINTS or not settings.FAILPOINTS:
        return
    kind, numbers = _plan().get(name, ("", []))
    seconds = numbers.pop(0) if kind == "pause" else 0.0
    if not kind or random.random() >= (numbers or [1.0])[0]:  # noqa: S311 - a test's dice
        return
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(seconds)
