"""Passwords of calendars: one for each person and calendar, ended by raising a number."""

import datetime as dt

from django.core.signing import Signer
from django.db import transaction
from django.db.models import F

from . import audit
from .models import Person, SecretFeed


@transaction.atomic
def make(*, by: Person, name: str, now: dt.datetime) -> SecretFeed:
    """Open a calendar to a person's program; nothing changes where it is open."""
    feed, _new = SecretFeed.objects.get_or_create(person=by, name=name)
    if SecretFeed.objects.filter(pk=feed.pk, open_since__isnull=True).update(open_since=now):
        audit.record("feed.opened", feed, by=by, now=now, calendar=name)
    feed.refresh_from_db()
    return feed


@transaction.atomic
def revoke(*, by: Person, name: str, now: dt.datetime) -> bool:
    """End a password for good; tells whether there was one."""
    mine = SecretFeed.objects.filter(person=by, name=name, open_since__isnull=False)
    feed = mine.first()
    if feed is None or not mine.update(open_since=None, number=F("number") + 1):
        return False
    audit.record("feed.revoked", feed, by=by, now=now, calendar=name)
    return True


def signed(*, person: Person, name: str) -> str:
    """What opens a person's calendar, ``number.number:signature``; empty where none is open."""
    feed = SecretFeed.objects.filter(person=person, name=name, open_since__isnull=False).first()
    return _signer(name).sign(f"{person.pk}.{feed.number}") if feed else ""


def reader(text: str, *, name: str) -> Person | None:
    """Whose open calendar it is, while they work here; None when it has ended.

    Raises BadSignature for what was never given to anybody.
    """
    person, _dot, number = _signer(name).unsign(text).partition(".")
    found = (
        SecretFeed.objects.filter(
            person=int(person),
            name=name,
            number=int(number),
            open_since__isnull=False,
            person__left_at__isnull=True,
            person__is_active=True,
        )
        .select_related("person")
        .first()
    )
    return found.person if found else None


def _signer(name: str) -> Signer:
    return Signer(salt=f"calendar {name}")
