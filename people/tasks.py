"""Wake-ups of this room. The rows say what is due."""

from celery import shared_task
from django.db import close_old_connections
from django.utils import timezone

from . import bookings, sessions, training_mails


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
