"""Celery: wake-ups only. What is due stands in PostgreSQL."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "advocacy.settings")
app = Celery("botschaft")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
_AT_NIGHT = crontab(hour=4, minute=10)
# In order of their period. A lost or doubled tick is harmless.
app.conf.beat_schedule = {
    "publish-due": {"task": "campaigns.tasks.publish_due", "schedule": 5.0},
    "measure-due": {"task": "campaigns.tasks.measure_due", "schedule": 60.0},
    "write-reconnects": {"task": "integrations.tasks.write_reconnects", "schedule": 60.0},
    "renew-lapsing": {
        "task": "integrations.tasks.renew_lapsing",
        "schedule": crontab(hour=4, minute=10),
    },
}
app.conf.beat_schedule_filename = os.environ.get("BEAT_SCHEDULE", "/tmp/botschaft-beat")  # noqa: S108 - holds only last-run times
