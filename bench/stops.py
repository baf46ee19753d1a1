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
from http import HTTPStatus
from typing import Any

from django.db import close_old_connections
from django.utils import timezone

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

    def escaped(self, arrivals: Iterable[dict[str, Any]]) -> list[str]:
        """First bytes of its posts after the answer, each in words."""
        return [
            f"{self.kind} {(row['at'] - self.answered) * 1000:.0f} ms"
            for row in arrivals
            if row["key"] in self.keys and self.answered < row["at"] < self.until
        ]


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


def hold(chief: Door, suggestion: Suggestion, *, seconds: float = 0.3) -> Stop:
    """Hold the suggestion's topic for a moment, release it, and play the people who look again."""
    rows = Delivery.objects.filter(post__suggestion__topic=suggestion.topic_id)
    keys = keys_of(rows.filter(state__in=["queued", "sending"]))
    path = f"/desk/topics/{suggestion.topic_id}"
    took, answered = _done("hold", chief.post(f"{path}/hold/", reason="Wait a moment."))
    time.sleep(seconds)
    until = time.monotonic()
    _done("release", chief.post(f"{path}/release/"))
    rows.filter(state="queued").update(blocked="", next_at=None)
    return Stop("hold", took, answered, until, keys)


def withdraw(own: Door, chief: Door, target: Delivery) -> tuple[int, float]:
    """The person takes back the consent to publish."""
    del chief, target
    return own.post("/me/consents/", purpose="publish", answer="no")


def disconnect(own: Door, chief: Door, target: Delivery) -> tuple[int, float]:
    """The person ends the connection of the account."""
    del chief
    return own.post(f"/me/accounts/{target.account_id}/disconnect/")


def leave(own: Door, chief: Door, target: Delivery) -> tuple[int, float]:
    """The person leaves the company."""
    del own
    return chief.post(f"/people/{target.post.person_id}/leave/", sure="yes")


def edit(own: Door, chief: Door, target: Delivery) -> tuple[int, float]:
    """The person changes the text: the old one must not leave any more (C23)."""
    del chief
    text = f"{target.post.text} Changed."
    return own.post(f"/posts/{target.post_id}/", choice="edit", text=text)


PERSONAL: dict[str, Callable[[Door, Door, Delivery], tuple[int, float]]] = {
    "withdraw": withdraw,
    "disconnect": disconnect,
    "leave": leave,
    "edit": edit,
}


def personal(kind: str, port: int, chief: Door, target: Delivery) -> Stop | None:
    """One person's stop; None when a changed text came too late and the page says so."""
    rows = Delivery.objects.filter(account=target.account_id)
    keys = keys_of([target] if kind == "edit" else rows)
    answer = PERSONAL[kind](Door(port, target.post.person), chief, target)
    if kind == "edit" and answer[0] == HTTPStatus.UNPROCESSABLE_ENTITY:
        return None
    return Stop(kind, *_done(kind, answer), float("inf"), keys)


def aim(kind: str, avoid: set[int]) -> Delivery | None:
    """A delivery that a worker has in its hands, of an account nobody stopped yet.

    For an edit one that comes next, because a text that flies cannot be changed.
    """
    rows = Delivery.objects.select_related("post__person").exclude(account__in=avoid)
    queued = rows.filter(state="queued", blocked="", due_at__lte=timezone.now())
    if kind == "edit":
        found = list(queued.order_by("account__last_served_at", "due_at")[:60])
    else:
        found = list(queued.filter(lease_until__gt=timezone.now())[:30])
        found = found or list(rows.filter(state="sending")[:30])
    return random.choice(found) if found else None  # noqa: S311 - any will do


class Stopping(threading.Thread):
    """Stops one thing after the other until told to end, or until ``count`` are done."""

    def __init__(
        self,
        port: int,
        chief: Person,
        topics: Sequence[Suggestion],
        *,
        kinds: Sequence[str] = ("hold",),
        count: int = 10**9,
        pause: float = 0.2,
    ) -> None:
        super().__init__(daemon=True)
        self.port, self.topics, self.count, self.pause = port, topics, count, pause
        self.chief = Door(port, chief)
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
                    self.done.append(hold(self.chief, next(topics)))
                elif target := aim(kind, avoid):
                    avoid.add(target.account_id)
                    if stop := personal(kind, self.port, self.chief, target):
                        self.done.append(stop)
            except (Refusal, OSError) as error:
                self.refusals.append(str(error))
        close_old_connections()

    def end(self) -> list[Stop]:
        """Finish the one at hand; returns all."""
        self._over.set()
        self.join(60)
        return self.done
