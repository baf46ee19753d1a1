"""Wake-ups. A message may be lost, doubled or late: the rows say what is due."""

import multiprocessing
import queue
import threading
import time

from celery import shared_task
from django.db import close_old_connections, connection
from django.utils import timezone

from ambassadors import retention
from integrations.tasks import mail_takeouts, revoke_due

from . import (
    briefings,
    chat_messages,
    claims,
    clicks,
    confirming,
    deliveries,
    engagement,
    erasure_mails,
    erasures,
    front,
    issue_mails,
    leaving,
    pace,
    proposals,
    pushes,
    reminders,
    restores,
    unknowns,
    watch,
)
from .models import Delivery, Programme
from .wakeups import nudge

# Sends wait for networks, so a few threads share one process; each has its own connection.
THREADS = 16
ROUND_SECONDS = 20.0  # then the next wake-up goes on, so that a worker can be asked to stop
LOOK_SECONDS = 10.0  # for looks before each round, so that a slow network holds up no sending
# Set when the worker was asked to end: nothing more is claimed, what flies may land (C19).
stopping = multiprocessing.get_context("fork").Event()


class Crew:
    """Threads that bring deliveries to their end; each keeps one connection for the round."""

    def __init__(self, size: int) -> None:
        self.free = threading.Semaphore(size)
        self.size = size
        self.work: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(size)]
        for thread in self.threads:
            thread.start()

    def _run(self) -> None:
        try:
            while delivery := self.work.get():
                try:
                    deliveries.deliver(delivery)
                except Exception:  # noqa: BLE001 - one post must not end the thread
                    deliveries.log.exception("delivering %s", delivery.key)
                    connection.close()
                finally:
                    self.free.release()
        finally:
            connection.close()

    def wait_for_free(self) -> int:
        """Block until a thread is free; returns how many are, all taken by the caller."""
        self.free.acquire()
        count = 1
        while count < self.size and self.free.acquire(blocking=False):
            count += 1
        return count

    def give(self, claimed: list[Delivery], free: int) -> None:
        """Hand out what was claimed for ``free`` threads."""
        for delivery in claimed:
            self.work.put(delivery)
        for _ in range(free - len(claimed)):
            self.free.release()

    def all_free(self) -> bool:
        """Tell whether nothing is in the air."""
        return self.free._value == self.size  # noqa: SLF001 - the only way to read it

    def alone(self, delivery: Delivery) -> None:
        """Deliver one when nothing else is in the air: a worker has died with it before.

        So the one that kills workers reaches quarantine (I11), and those beside it do not.
        """
        while not self.all_free():
            time.sleep(0.01)
        deliveries.deliver(delivery)

    def end(self) -> None:
        """Let what flies land."""
        for _ in self.threads:
            self.work.put(None)
        for thread in self.threads:
            thread.join()


def publish_round(*, seconds: float = ROUND_SECONDS) -> int:
    """Send what is due until nothing is, or the time is over; returns how many were sent on."""
    crew, count, end = Crew(THREADS), 0, time.monotonic() + seconds
    try:
        while time.monotonic() < end and not stopping.is_set():
            free = crew.wait_for_free()
            claimed = claims.claim(limit=free)
            crew.give([row for row in claimed if row.claims == 1], free)
            for suspect in (row for row in claimed if row.claims > 1):
                crew.alone(suspect)
            count += len(claimed)
            if not claimed:
                if crew.all_free():
                    break
                time.sleep(0.05)  # an account in the air may have more that is due
    finally:
        crew.end()
    return count


def take_over() -> int:
    """Send in the calling thread when nobody else does: the broker or beat may be gone (I13)."""
    now = pace.clock()
    try:
        if stopping.is_set() or not watch.waiting(now=now, since=pace.span(15)):
            return 0
        deliveries.log.warning("no wake-up came through; sending without the broker")
        return _publish_due()
    finally:
        connection.close()


def write_clicks() -> int:
    """Move clicks from Redis into rows in the calling thread, which keeps its connection."""
    close_old_connections()
    return clicks.drain(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def publish_due() -> int:
    """Recover, look, then send what is due; returns how many were sent on."""
    close_old_connections()
    return _publish_due()


def _publish_due() -> int:
    if stopping.is_set() or not restores.may_publish(now=pace.clock()):
        return 0
    deliveries.replay_spool()
    unknowns.recover()
    end = time.monotonic() + LOOK_SECONDS
    while (
        time.monotonic() < end and not stopping.is_set() and (found := unknowns.look_due(limit=1))
    ):
        unknowns.look(found[0])
    return publish_round()


@shared_task  # type: ignore[untyped-decorator]
def measure_due() -> int:
    """Read the figures that are due; returns how many posts were read."""
    close_old_connections()
    if not restores.may_publish(now=pace.clock()):
        return 0
    return engagement.measure_due()


@shared_task  # type: ignore[untyped-decorator]
def look_back() -> int:
    """Count answered replies once a day, and remind people of posts only they can tell about."""
    close_old_connections()
    if not restores.may_publish(now=pace.clock()):
        return 0
    return engagement.converse_due() + reminders.remind_due()


@shared_task  # type: ignore[untyped-decorator]
def issues_due() -> int:
    """Let out the issues whose moment has come, then mail to those who asked for it."""
    close_old_connections()
    now = pace.clock()
    if not restores.may_publish(now=now):
        return 0
    return briefings.publish_due(now=now) + issue_mails.send_due(now=now)


@shared_task  # type: ignore[untyped-decorator]
def pushes_due() -> int:
    """Notify devices of what is due; returns how many persons were told."""
    close_old_connections()
    now = pace.clock()
    return pushes.send_due(now=now) if restores.may_publish(now=now) else 0


@shared_task  # type: ignore[untyped-decorator]
def chats_due() -> int:
    """Write to the company's chat what is due; returns how many messages left."""
    close_old_connections()
    now = pace.clock()
    return chat_messages.send_due(now=now) if restores.may_publish(now=now) else 0


@shared_task  # type: ignore[untyped-decorator]
def leave_due() -> int:
    """Let those leave whose planned last day is over; returns how many did."""
    close_old_connections()
    left = leaving.leave_due(now=pace.clock())
    if left:
        nudge(revoke_due)
        nudge(mail_takeouts)
    return left


@shared_task  # type: ignore[untyped-decorator]
def erase_due() -> int:
    """Erase those whose days to think are over, and write to those whose erasure has begun.

    Returns how many were erased.
    """
    close_old_connections()
    now = pace.clock()
    if not restores.may_publish(now=now):
        return 0  # first it must be clear which installation this is
    erased = erasures.carry_out_due(now=now)
    erasure_mails.tell_begun(now=now)
    return erased


@shared_task  # type: ignore[untyped-decorator]
def keep_retention() -> int:
    """Let go of what is over, class by class; returns how many rows went."""
    close_old_connections()
    now = pace.clock()
    if not restores.may_publish(now=now):
        return 0
    return retention.run(now=now, on=Programme.the().today(now))


@shared_task  # type: ignore[untyped-decorator]
def let_go() -> int:
    """Let posts go on that no guideline holds any more; returns how many."""
    close_old_connections()
    return confirming.let_go(now=pace.clock())


@shared_task  # type: ignore[untyped-decorator]
def forget_editions() -> int:
    """Delete what told processes that Today had changed; returns how many rows."""
    close_old_connections()
    return front.forget_editions(now=pace.clock())


@shared_task  # type: ignore[untyped-decorator]
def remind_of_ideas() -> int:
    """Remind curators of ideas that wait too long; returns how many mails went out."""
    close_old_connections()
    if not restores.may_publish(now=pace.clock()):
        return 0
    return proposals.remind_due(now=pace.clock())
