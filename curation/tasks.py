"""Wake-ups of the newsroom. The rows say what is due."""

from celery import shared_task
from django.db import close_old_connections
from django.utils import timezone

from integrations import instance

from . import sources, tags


@shared_task  # type: ignore[untyped-decorator]
def read_sources() -> int:
    """Read the sources that are due; returns how many were tried."""
    close_old_connections()
    if instance.stopped():
        return 0
    return sources.read_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def count_tags() -> int:
    """Count yesterday's uses of the watched hashtags; returns how many answers had numbers."""
    close_old_connections()
    if instance.stopped():
        return 0
    return tags.count_all(now=timezone.now())
