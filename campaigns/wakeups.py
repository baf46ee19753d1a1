"""Nudge a worker after the commit. A lost nudge costs at most one tick."""

import logging

from celery.app.task import Task
from django.db import transaction

log = logging.getLogger(__name__)
_PATIENCE = 0.5  # seconds for the broker; a person waits meanwhile


def nudge(task: "Task[[], int]") -> None:
    """Send the wake-up when the transaction is done; without Redis the tick finds the row."""

    def send() -> None:
        options = {
            **task.app.conf.broker_transport_options,
            "socket_timeout": _PATIENCE,
            "socket_connect_timeout": _PATIENCE,
        }
        try:
            with task.app.connection(transport_options=options) as connection:
                task.apply_async(connection=connection, retry=False)
        except Exception:  # noqa: BLE001 - whatever the broker throws, the post is safe
            log.warning("no broker; the tick will find what is due")

    transaction.on_commit(send)
