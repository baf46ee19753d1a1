"""When only a person can help: the account must be connected again."""

import datetime as dt
import logging

from ambassadors import audit

from .models import ConnectedAccount
from .networks.answers import printable

log = logging.getLogger(__name__)


def ask(account: ConnectedAccount, *, why: str, now: dt.datetime) -> None:
    """Note that the account's person must connect it again; the first reason stays.

    :func:`integrations.notices.tell_ended` sends the mail.
    """
    reason = printable(why)[:200] or "unknown"
    rows = ConnectedAccount.objects.filter(pk=account.pk, disconnected_at__isnull=True)
    if rows.filter(reconnect_reason="").update(reconnect_reason=reason, warned_at=None):
        audit.record("account.reconnect_needed", account, by=None, now=now, network=account.network)


def settle(account: ConnectedAccount) -> None:
    """Take the question back: working secrets were found after all."""
    account.reconnect_reason = ""
    ConnectedAccount.objects.filter(pk=account.pk).update(reconnect_reason="")


def until(account: ConnectedAccount, day: dt.datetime) -> None:
    """Note on which day the person must say yes again whatever we do."""
    rows = ConnectedAccount.objects.filter(pk=account.pk).exclude(reconnect_by=day)
    rows.update(reconnect_by=day, warned_at=None)


def expire(*, now: dt.datetime) -> int:
    """Ask wherever the day has passed on which a person had to say yes again; returns how many."""
    over = ConnectedAccount.objects.filter(
        reconnect_by__lte=now, reconnect_reason="", disconnected_at__isnull=True
    )
    for account in over:
        ask(account, why="its time is over", now=now)
    return len(over)
