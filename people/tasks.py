"""Wake-ups of this room. The rows say what is due."""

from celery import shared_task
from django.db import close_old_connections
from django.utils import timezone

from campaigns.wakeups import nudge

from . import bookings, imports, sessions, training_mails

_SECONDS = 60.0  # of one import; then somebody else may use the worker


@shared_task  # type: ignore[untyped-decorator]
def seats_due() -> int:
    """Pass on offers nobody answered and seats of people who left, then write what is owed."""
    close_old_connections()
    now = timezone.now()
    return bookings.pass_on_due(now=now) + training_mails.tell_due(now=now)


@shared_task  # type: ignore[untyped-decorator]
def remind_of_courses() -> int:
    """Mails on the working day before a date, and before a completion ends."""
    close_old_connections()
    now = timezone.now()
    return training_mails.remind_due(now=now) + training_mails.warn_of_expiry(now=now)


@shared_task  # type: ignore[untyped-decorator]
def follow_clocks() -> int:
    """Dates keep what the wall says when a country's clocks change their rules."""
    close_old_connections()
    return sessions.follow_clocks(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def import_people() -> int:
    """Read or run the next import for a while; returns how many were worked at."""
    close_old_connections()
    row = imports.claim(now=timezone.now())
    if row is None:
        return 0
    if imports.work(row=row, seconds=_SECONDS, now=timezone.now()):
        nudge(import_people)
    return 1


@shared_task  # type: ignore[untyped-decorator]
def forget_old_imports() -> int:
    """Drop files that nobody went on with; returns how many."""
    close_old_connections()
    return imports.forget_old(now=timezone.now())
