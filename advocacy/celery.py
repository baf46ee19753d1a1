"""Celery: wake-ups only. What is due stands in PostgreSQL."""

import logging
import os
import threading
from typing import Any

from celery import Celery, bootsteps, signals
from celery.schedules import crontab

from advocacy import alive

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "advocacy.settings")
log = logging.getLogger(__name__)
app = Celery("botschaft")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# In order of their period. A lost or doubled tick is harmless.
app.conf.beat_schedule = {
    "publish-due": {"task": "campaigns.tasks.publish_due", "schedule": 5.0},
    "send-webhooks": {"task": "integrations.tasks.send_webhooks", "schedule": 5.0},
    "leave-due": {"task": "campaigns.tasks.leave_due", "schedule": 60.0},
    "mail-takeouts": {"task": "integrations.tasks.mail_takeouts", "schedule": 60.0},
    "issues-due": {"task": "campaigns.tasks.issues_due", "schedule": 60.0},
    "chats-due": {"task": "campaigns.tasks.chats_due", "schedule": 60.0},
    "close-pulse": {"task": "people.tasks.close_pulse", "schedule": 60.0},
    "let-go": {"task": "campaigns.tasks.let_go", "schedule": 60.0},
    "seal-record": {"task": "integrations.tasks.seal_record", "schedule": 60.0},
    "erase-due": {"task": "campaigns.tasks.erase_due", "schedule": 300.0},
    "tell-of-switches": {"task": "integrations.tasks.tell_of_switches", "schedule": 60.0},
    # On the grid of CADENCE, so that readings that come due together share their calls.
    "measure-due": {"task": "campaigns.tasks.measure_due", "schedule": crontab(minute="*/10")},
    "look-back": {"task": "campaigns.tasks.look_back", "schedule": crontab(minute=5)},
    "forget-editions": {
        "task": "campaigns.tasks.forget_editions",
        "schedule": crontab(minute=35),
    },
    "tell-ended": {"task": "integrations.tasks.tell_ended", "schedule": 60.0},
    "renew-lapsing": {
        "task": "integrations.tasks.renew_lapsing",
        "schedule": crontab(hour=4, minute=10),
    },
    "revoke-due": {"task": "integrations.tasks.revoke_due", "schedule": 60.0},
    "pushes-due": {"task": "campaigns.tasks.pushes_due", "schedule": 60.0},
    "import-people": {"task": "people.tasks.import_people", "schedule": 60.0},
    "follow-directory": {"task": "people.tasks.follow_directory", "schedule": 60.0},
    "welcome-joiners": {"task": "people.tasks.welcome_joiners", "schedule": 300.0},
    "tend-questions": {"task": "reception.tasks.tend_questions", "schedule": 60.0},
    "read-sources": {"task": "curation.tasks.read_sources", "schedule": 60.0},
    "seats-due": {"task": "people.tasks.seats_due", "schedule": 60.0},
    "send-talk-mails": {"task": "reception.tasks.send_talk_mails", "schedule": 60.0},
    "tidy-talks": {"task": "reception.tasks.tidy_talks", "schedule": crontab(minute=35)},
    "forget-old-trips": {"task": "integrations.tasks.forget_old_trips", "schedule": 600.0},
    "count-tags": {"task": "curation.tasks.count_tags", "schedule": crontab(hour=3, minute=20)},
    "follow-clocks": {"task": "people.tasks.follow_clocks", "schedule": crontab(hour=3, minute=30)},
    "tell-head": {"task": "integrations.tasks.tell_head", "schedule": crontab(hour=0, minute=10)},
    # Early, so that whoever opens the figures in the morning finds the month.
    "close-months": {"task": "people.tasks.close_months", "schedule": crontab(hour=2, minute=10)},
    # After the months: it tells them once more before anything goes.
    "keep-retention": {
        "task": "campaigns.tasks.keep_retention",
        "schedule": crontab(hour=2, minute=40),
    },
    "look-after-teams": {"task": "people.tasks.look_after_teams", "schedule": 60.0},
    # Mails in the morning of working days, never at night (working time).
    "warn-of-ends": {
        "task": "integrations.tasks.warn_of_ends",
        "schedule": crontab(hour="7", minute="10", day_of_week="mon-fri"),
    },
    # Hourly, so that every place has its morning once; each mail is written once.
    "remind-of-courses": {
        "task": "people.tasks.remind_of_courses",
        "schedule": crontab(minute="25", day_of_week="mon-fri"),
    },
    "look-after-terms": {
        "task": "people.tasks.look_after_terms",
        "schedule": crontab(hour="7", minute="20", day_of_week="mon-fri"),
    },
    # Every ten minutes of the morning, some hundred mails at a time, by each person's own clock.
    "write-in-the-morning": {
        "task": "people.tasks.write_in_the_morning",
        "schedule": crontab(minute="*/10", day_of_week="mon-fri"),
    },
    # Hourly, so that curators of every time zone are awake once; it writes once a day at most.
    "remind-of-ideas": {
        "task": "campaigns.tasks.remind_of_ideas",
        "schedule": crontab(hour="6-16", minute="20", day_of_week="mon-fri"),
    },
}
app.conf.beat_schedule_filename = str(alive.BEAT)


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def trace(**_about: object) -> None:
    """A child was forked: from here on it may have threads of its own."""
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        from advocacy import tracing  # noqa: PLC0415 - costs memory only where it is asked for

        tracing.start("botschaft-worker")


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def drain(**_about: object) -> None:
    """SIGTERM: the children claim nothing more and finish what flies (C19)."""
    from campaigns.tasks import stopping  # noqa: PLC0415 - after Django is set up

    stopping.set()


class Heart(bootsteps.StartStopStep):  # type: ignore[misc]
    """Something a worker does every so often beside its work: without beat, or without a broker."""

    requires = frozenset({"celery.worker.components:Pool"})
    every: float  # seconds

    def __init__(self, parent: Any, **options: Any) -> None:
        self.ended = threading.Event()
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:
        """Begin to beat beside the worker's loop."""
        name = type(self).__name__.lower()
        threading.Thread(target=self._run, args=[name], daemon=True, name=name).start()

    def stop(self, parent: Any) -> None:
        """The worker ends."""
        self.ended.set()

    def _run(self, name: str) -> None:
        while not self.ended.wait(self.every):
            try:
                self.beat()
            except Exception:
                log.exception(name)

    def beat(self) -> None:
        """Do it once."""
        raise NotImplementedError


class Tick(Heart):
    """Without wake-ups, what is due still leaves."""

    every = 5.0

    def beat(self) -> None:
        """Look whether posts wait though nobody sends."""
        from campaigns.tasks import take_over  # noqa: PLC0415 - after Django is set up

        take_over()


class Tally(Heart):
    """Clicks come from Redis into rows every second, however busy the worker is with sending."""

    every = 1.0

    def beat(self) -> None:
        """Write down what was counted."""
        from campaigns.tasks import write_clicks  # noqa: PLC0415 - after Django is set up

        write_clicks()


class Alive(Heart):
    """A container's health check asks whether this was there within a minute."""

    every = 10.0

    def beat(self) -> None:
        """Touch the file."""
        alive.WORKER.touch()


app.steps["worker"].update({Tick, Tally, Alive})
