"""Wake-ups of this floor."""

from celery import shared_task
from celery.signals import worker_ready
from django.db import close_old_connections, connection
from django.utils import timezone

from . import reconnects, tokens


@worker_ready.connect  # type: ignore[untyped-decorator]
def take_over(**_facts: object) -> None:
    """Store the token pairs that dead workers left in this machine's spool."""
    try:
        tokens.replay()
    finally:
        connection.close()


@shared_task  # type: ignore[untyped-decorator]
def renew_lapsing() -> int:
    """Renew the tokens that would end without use."""
    close_old_connections()
    return tokens.renew_lapsing(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def write_reconnects() -> int:
    """Mail those whose account must be connected again."""
    close_old_connections()
    return reconnects.write(now=timezone.now())
