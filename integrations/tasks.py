"""Wake-ups of this floor. The rows say what is due."""

import logging

from celery import shared_task
from celery.signals import worker_ready
from django.db import close_old_connections, connection
from django.utils import timezone

from ambassadors import chain

from . import (
    accounts,
    heads,
    instance,
    notices,
    reconnects,
    switch_mails,
    takeouts,
    tokens,
    trips,
    webhook_sending,
)
from .models import ConnectedAccount

log = logging.getLogger(__name__)


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
    if instance.stopped():
        return 0  # the other copy's connections would end with the keys spent here
    return tokens.renew_lapsing(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def tell_ended() -> int:
    """Mail those whose account must be connected again; returns how many accounts."""
    close_old_connections()
    reconnects.expire(now=timezone.now())
    return notices.tell_ended(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def revoke_due() -> int:
    """Give keys of ended connections back; returns how many networks took theirs."""
    close_old_connections()
    if instance.stopped():
        return 0
    return accounts.revoke_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def mail_takeouts() -> int:
    """Send those who left the link to their data; returns how many mails left."""
    close_old_connections()
    if instance.stopped():
        return 0
    return takeouts.mail_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def forget_old_trips() -> int:
    """Delete round trips that are over; returns how many."""
    return trips.forget_old(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def send_webhooks() -> int:
    """Tell programs what happened; returns how many tellings arrived."""
    close_old_connections()
    if instance.stopped():
        return 0  # the other copy tells it
    return webhook_sending.send_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def warn_of_ends() -> int:
    """Mail about connections that end soon; returns how many."""
    return notices.warn_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def tell_of_switches() -> int:
    """Write to the auditors about switches that were turned; returns how many mails left."""
    close_old_connections()
    if instance.stopped():
        return 0
    return switch_mails.tell_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def seal_record() -> int:
    """Seal what was written into the record since; returns how many entries."""
    close_old_connections()
    return chain.seal()


@shared_task  # type: ignore[untyped-decorator]
def tell_head() -> int:
    """Take the day's head of the record out of the house; returns how many mails left."""
    close_old_connections()
    return heads.tell()


@shared_task  # type: ignore[untyped-decorator]
def tell_claimed(account_id: int) -> None:
    """Mail the keepers of an account that somebody else tried to connect."""
    account = ConnectedAccount.objects.filter(pk=account_id).first()
    if account:
        notices.tell_claimed(account=account)


def tell(account: ConnectedAccount) -> None:
    """Have the keepers told; without a broker the audit entry remains."""
    try:
        tell_claimed.apply_async(args=[account.pk], retry=False)
    except Exception:  # noqa: BLE001 - whatever the broker throws, the refusal stands
        log.warning("no broker; nobody was told about a second claim")
