"""Everything that must stop posts at once, through its real door, and what escaped (I5).

A stop is a race: it aims at what is claimed or in flight right now. Its posts must not put a
first byte after the answer.
"""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import close_old_connections
from django.utils import timezone

from ambassadors import memberships
from ambassadors.models import Person
from campaigns.models import Delivery, Suggestion

from .door import Door


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop: its kind, how long the answer took, and its posts' keys while it holds.

    Times by CLOCK_MONOTONIC; ``until`` is when it was lifted again, if it was.
    """

    kind: str
    seconds: float
    answered: float
    until: float
    keys: frozenset[str]

    def escaped(self, arrivals: Iterable[dict[str, Any]]) -> int:
        """Count first bytes of its posts after the answer."""
        return sum(
            1
            for row in arrivals
            if row["key"] in self.keys and self.answered < row["at"] < self.until
        )


class Refusal(Exception):
    """A door did not do what it is for; the message is its status."""


def _done(kind: str, answer: tuple[int, float]) -> tuple[float, float]:
    """Seconds and moment of an answer. Raises :class:`Refusal`."""
    answered = time.monotonic()
    if answer[0] not in {200, 302}:
        raise Refusal(f"{kind}: HTTP {answer[0]}")
    return answer[1], answered


def keys_of(rows: Iterable[Delivery]) -> frozenset[str]:
    """How the networks' ledgers name these posts."""
    return frozenset(key for row in rows for key in (str(row.key), row.rkey))


def hold(port: int, curator: Door, suggestion: Suggestion, *, seconds: float = 0.4) -> Stop:
    """Hold the suggestion's topic for a moment, release it, and play the people who look again."""
    del port
    rows = Delivery.objects.filter(post__suggestion__topic=suggestion.topic_id)
    keys = keys_of(rows.filter(state__in=["queued", "sending"]))
    path = f"/desk/topics/{suggestion.topic_id}"
    took, answered = _done("hold", curator.post(f"{path}/hold/", reason="Wait a moment."))
    time.sleep(seconds)
    until = time.monotonic()
    _done("release", curator.post(f"{path}/release/"))
    rows.filter(state="queued").update(blocked="", next_at=None)
    return Stop("hold", took, answered, until, keys)


def withdraw(port: int, target: Delivery) -> Stop:
    """The person takes back the consent to publish."""
    door = Door(port, target.post.person)
    return _personal(
        "withdraw", target, lambda: door.post("/me/consents/", purpose="publish", answer="no")
    )


def disconnect(port: int, target: Delivery) -> Stop:
    """The person ends the connection of the account."""
    door = Door(port, target.post.person)
    path = f"/me/accounts/{target.account_id}/disconnect/"
    return _personal("disconnect", target, lambda: door.post(path))


def leave(port: int, target: Delivery) -> Stop:
    """The person leaves the company; the directory says so without a browser."""
    del port

    def left() -> tuple[int, float]:
        began = time.monotonic()
        memberships.leave_company(person=target.post.person, by=None, now=timezone.now())
        return 200, time.monotonic() - began

    return _personal("leave", target, left)


def _personal(kind: str, target: Delivery, act: Callable[[], tuple[int, float]]) -> Stop:
    keys = keys_of(Delivery.objects.filter(account=target.account_id))
    took, answered = _done(kind, act())
    return Stop(kind, took, answered, float("inf"), keys)


PERSONAL: dict[str, Callable[[int, Delivery], Stop]] = {
    "withdraw": withdraw,
    "disconnect": disconnect,
    "leave": leave,
}


def aim(avoid: set[int]) -> Delivery | None:
    """A delivery that a worker has in its hands, of an account nobody stopped yet."""
    flying = Delivery.objects.select_related("post__person").exclude(account__in=avoid)
    found = list(flying.filter(state="queued", lease_until__gt=timezone.now())[:30])
    found = found or list(flying.filter(state="sending")[:30])
    return random.choice(found) if found else None  # noqa: S311 - any will do


class Stopping(threading.Thread):
    """Stops one thing after the other until told to end, or until ``count`` are done."""

    def __init__(
        self,
        port: int,
        curator: Person,
        topics: Sequence[Suggestion],
        *,
        kinds: Sequence[str] = ("hold",),
        count: int = 10**9,
        pause: float = 0.2,
    ) -> None:
        super().__init__(daemon=True)
        self.port, self.topics, self.count, self.pause = port, topics, count, pause
        self.curator = Door(port, curator)
        self.kinds = itertools.cycle(kinds)
        self.done: list[Stop] = []
        self.refusals: list[str] = []
        self._over = threading.Event()

    def run(self) -> None:
        """Stop, wait, stop."""
        avoid: set[int] = set()
        topics = itertools.cycle(self.topics)
        while len(self.done) < self.count and not self._over.wait(self.pause):
            kind = next(self.kinds)
            try:
                if kind == "hold":
                    self.done.append(hold(self.port, self.curator, next(topics)))
                elif target := aim(avoid):
                    avoid.add(target.account_id)
                    self.done.append(PERSONAL[kind](self.port, target))
            except (Refusal, OSError) as error:
                self.refusals.append(str(error))
        close_old_connections()

    def end(self) -> list[Stop]:
        """Finish the one at hand; returns all."""
        self._over.set()
        self.join(60)
        return self.done
