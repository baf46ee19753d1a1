"""Sessions in the database that say whose they are, so that they can be listed and ended.

Django asks for a module with a ``SessionStore`` (SESSION_ENGINE). allauth's list of sessions would
keep addresses and the whole User-Agent; this one keeps two names.
"""

import datetime as dt
import re
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db.models import QuerySet

from .models import LoginSession, Person

# A User-Agent names its ancestors, too: the first that fits is meant.
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"), ("Opera", r"OPR/"), ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"(?:Firefox|FxiOS)/"), ("Chrome", r"(?:Chrome|CriOS|Chromium)/"),
    ("Safari", r"Safari/"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", r"iPhone"), ("iPad", r"iPad"), ("Android", r"Android"), ("Windows", r"Windows"),
    ("Mac", r"Mac OS X|Macintosh"), ("ChromeOS", r"CrOS"), ("Linux", r"Linux|X11"),
)  # fmt: skip


def device(user_agent: str) -> str:
    """Name the browser and the system in a User-Agent, as far as they are known; no versions."""
    return ", ".join(
        next(name for name, sign in signs if re.search(sign, user_agent))
        for signs in (_BROWSERS, _SYSTEMS)
        if any(re.search(sign, user_agent) for _name, sign in signs)
    )


class SessionStore(DatabaseStore):
    """Django's own, with the columns of :class:`LoginSession` filled from the session."""

    @classmethod
    def get_model_class(cls) -> type[LoginSession]:  # type: ignore[override]
        """The row that a session is."""
        return LoginSession

    def cycle_key(self) -> None:
        """Give it another key, in one statement: whoever ends it meanwhile ends it under both.

        Django's own writes a new row and deletes the old one, which may have been ended between
        the two. Raises SessionInterrupted where it was ended since it was read.
        """
        if not (self.keys() and self.session_key):
            super().cycle_key()
            return
        key = self._get_new_session_key()  # type: ignore[attr-defined]
        if not LoginSession.objects.filter(pk=self.session_key).update(session_key=key):
            raise SessionInterrupted
        self._session_key = key
        self.modified = True

    def create_model_instance(self, data: dict[str, Any]) -> LoginSession:  # type: ignore[override]
        """Fill the row."""
        row: LoginSession = super().create_model_instance(data)  # type: ignore[assignment]
        row.person_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.device = data.get("device", "")
        row.began_at, seen = _instant(data.get("began_at")), _instant(data.get("seen_at"))
        row.seen_at = seen and seen.replace(minute=0, second=0, microsecond=0)
        return row


def _instant(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)


def of(person: Person, *, now: dt.datetime) -> "QuerySet[LoginSession]":
    """The person's sessions that are still good, the newest first."""
    return LoginSession.objects.filter(person=person, expire_date__gt=now)


def end(person: Person, *, but: str | None = None) -> int:
    """End all sessions of somebody, at once and for good; returns how many.

    ``but`` is the key of one that goes on.
    """
    return LoginSession.objects.filter(person=person).exclude(pk=but or "").delete()[0]


def end_one(session: LoginSession) -> None:
    """End one by whose it is and when it began: its key may just have become another one."""
    LoginSession.objects.filter(person=session.person_id, began_at=session.began_at).delete()
