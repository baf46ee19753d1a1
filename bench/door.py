"""The real HTTP door: a signed-in person at the web server, and how long they wait."""

import http.client
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Self

from django.test import Client

from ambassadors.models import Person

_CSRF = "x" * 32
_SECONDS = 30


class Door:
    """A browser of one person, without the browser."""

    def __init__(self, port: int, person: Person) -> None:
        self.port = port
        client = Client()
        client.force_login(person)
        session = client.cookies["sessionid"].value
        self._headers = {
            "Cookie": f"sessionid={session}; csrftoken={_CSRF}",
            "X-CSRFToken": _CSRF,
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def get(self, path: str) -> tuple[int, float]:
        """Status and seconds until the last byte."""
        return self._call("GET", path, None)

    def post(self, path: str, **form: str) -> tuple[int, float]:
        """Status and seconds until the last byte."""
        return self._call("POST", path, urllib.parse.urlencode(form))

    def _call(self, method: str, path: str, body: str | None) -> tuple[int, float]:
        began = time.monotonic()
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        try:
            link.request(method, path, body, {**self._headers, "Host": f"localhost:{self.port}"})
            answer = link.getresponse()
            answer.read()
        finally:
            link.close()
        return answer.status, time.monotonic() - began


@dataclass
class Visitors:
    """Somebody opens a page every so often, whether the last answer came or not."""

    door: Door
    path: str = "/"
    per_second: float = 7.0  # 4,000 people in ten minutes
    waits: list[float] = field(default_factory=list)
    errors: int = 0

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._come, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _come(self) -> None:
        while not self._over.wait(1 / self.per_second):
            threading.Thread(target=self._visit, daemon=True).start()

    def _visit(self) -> None:
        try:
            status, seconds = self.door.get(self.path)
        except OSError:
            status, seconds = 0, float(_SECONDS)
        self.waits.append(seconds)
        self.errors += status != http.client.OK


def quantile(values: list[float], share: float) -> float:
    """The value that ``share`` of all do not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")
