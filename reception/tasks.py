"""Wake-ups of the reception. The rows say what is due."""

from celery import shared_task
from django.db import close_old_connections
from django.utils import timezone

from integrations import instance

from . import (
    inquiries,
    letters,
    quarantine,
    talk_mails,
    talk_offers,
    talk_requests,
)


@shared_task  # type: ignore[untyped-decorator]
def send_talk_mails() -> int:
    """Send mails about talks that wait; returns how many left."""
    close_old_connections()
    if instance.stopped():
        return 0
    return talk_mails.send_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def tidy_talks() -> int:
    """What ran out goes back or lapses; returns how many changed."""
    close_old_connections()
    now = timezone.now()
    changed = talk_offers.free_due(now=now) + talk_requests.lapse_due(now=now)
    return changed + talk_requests.hold_due(now=now)


@shared_task  # type: ignore[untyped-decorator]
def send_letters() -> int:
    """Write the mails about questions that wait; returns how many left."""
    close_old_connections()
    if instance.stopped():
        return 0
    return letters.send_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def tend_questions() -> int:
    """New owners, warnings, honest ends, and the mails of all that; returns how many questions."""
    close_old_connections()
    if instance.stopped():
        return 0
    now = timezone.now()
    count = inquiries.tend(now=now)
    quarantine.ask_to_look(now=now)
    letters.send_due(now=now)
    return count
