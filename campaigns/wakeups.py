"""Nudge a worker after the commit. A lost nudge costs at most one tick."""

import logging

from celery.app.task import Task
from django.db import transaction

log = logging.getLogger(__name__)


def nudge(task: "Task[[], int]") -> None:
    """Send the wake-up when the transaction is done; without Redis the tick finds the row."""

    def send() -> None:
        try:
            task.apply_async(retry=False)
        except Exception:  # noqa: BLE001 - whatever the broker throws, the post is safe
            log.warning("no broker; the tick will find what is due")

    transaction.on_commit(send)
