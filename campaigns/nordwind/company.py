"""What the loading of Nordwind has made so far: one run, by the rows' natural keys."""

import datetime as dt
import json
import random
import uuid
from pathlib import Path
from typing import Any

from ambassadors.models import Person
from campaigns.models import Suggestion, Topic
from integrations.models import ConnectedAccount

HERE = Path(__file__).parent


def read(name: str) -> list[dict[str, Any]]:
    """The rows of one of the JSON files."""
    rows: list[dict[str, Any]] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return rows


class Company:
    """One run; keeps the rows it made by their natural keys."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.dice = random.Random(2711)  # noqa: S311 - equal data on every run
        self.people: dict[str, Person] = {}
        self.topics: dict[str, Topic] = {}
        self.suggestions: dict[str, Suggestion] = {}
        self.walls: dict[int, ConnectedAccount] = {}

    def ago(self, days: float, hour: int = 9) -> dt.datetime:
        """An instant some days back at an hour of the day, never in the future."""
        moment = (self.now - dt.timedelta(days=days)).replace(hour=hour, minute=12, second=0)
        return min(moment, self.now - dt.timedelta(minutes=20))

    def ahead(self, days: int, hour: int) -> dt.datetime:
        """An hour of a coming day."""
        return (self.now + dt.timedelta(days=days)).replace(hour=hour, minute=0, second=0)

    def key(self) -> uuid.UUID:
        """A key that is the same on every run."""
        return uuid.UUID(int=self.dice.getrandbits(128))

    @property
    def lawyer(self) -> Person:
        """Who gives the second look."""
        return next(p for p in self.people.values() if p.has_role("legal"))
