"""Wake-ups of this room. The rows say what is due."""

import datetime as dt

from celery import shared_task
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from campaigns import hours, pace, restores
from campaigns.wakeups import nudge
from integrations import instance

from . import (
    adoption,
    applications,
    bookings,
    departures,
    guideline_mails,
    imports,
    invitations,
    nominations,
    pulse,
    pulse_mails,
    scim_groups,
    sessions,
    terms,
    training_mails,
    welcomes,
)

_SECONDS = 60.0  # of one import; then somebody else may use the worker
_A_TURN = 200  # people of a directory at once


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
def follow_directory() -> int:
    """Let those leave who were agreed on, then give people what their groups give."""
    close_old_connections()
    now = timezone.now()
    count = departures.leave_agreed(most=_A_TURN, now=now)
    count += scim_groups.follow(most=_A_TURN, now=now)
    if count >= _A_TURN:
        nudge(follow_directory)
    return count


@shared_task  # type: ignore[untyped-decorator]
def welcome_joiners() -> int:
    """Write to people whom the directory brought; returns how many mails went out."""
    close_old_connections()
    if instance.stopped():
        return 0
    return welcomes.send_due(most=_A_TURN, now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def look_after_teams() -> int:
    """Offer places that became free, and write the mails of nominations and invitations.

    Mails leave in working hours only. Returns how many places and mails.
    """
    close_old_connections()
    now = pace.clock()
    if not restores.may_publish(now=now):
        return 0
    count = applications.move_up_due(now=now)
    if _working(now):
        count += nominations.mail_due(now=now) + invitations.send_due(now=now)
    return count


def _working(now: dt.datetime) -> bool:
    return settings.DEMO or not hours.company(now).quiet(now)


@shared_task  # type: ignore[untyped-decorator]
def look_after_terms() -> int:
    """Once a morning: pauses that are over, and terms that end."""
    close_old_connections()
    now = pace.clock()
    if not restores.may_publish(now=now):
        return 0
    return terms.resume_due(now=now) + terms.ask_due(now=now) + terms.end_due(now=now)


@shared_task  # type: ignore[untyped-decorator]
def write_in_the_morning() -> int:
    """Remind of guidelines and invite to the survey; returns how many mails left."""
    close_old_connections()
    now = timezone.now()
    if not restores.may_publish(now=now):
        return 0
    return guideline_mails.remind_due(now=now) + pulse_mails.send_due(now=now)


@shared_task  # type: ignore[untyped-decorator]
def close_pulse() -> int:
    """Count the surveys whose time is over; returns how many."""
    close_old_connections()
    return pulse.close_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def close_months() -> int:
    """Tell the months that are ripe, for good; returns how many."""
    close_old_connections()
    now = timezone.now()
    if not restores.may_publish(now=now):
        return 0
    return adoption.close_due(now=now)
