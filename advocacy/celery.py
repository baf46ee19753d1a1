"""Celery: wake-ups only. What is due stands in PostgreSQL."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "advocacy.settings")
app = Celery("botschaft")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# In order of their period. A lost or doubled tick is harmless.
app.conf.beat_schedule = {
    "publish-due": {"task": "campaigns.tasks.publish_due", "schedule": 5.0},
    # On the grid of CADENCE, so that readings that come due together share their calls.
    "measure-due": {"task": "campaigns.tasks.measure_due", "schedule": crontab(minute="*/10")},
    "look-back": {"task": "campaigns.tasks.look_back", "schedule": crontab(minute=5)},
}
app.conf.beat_schedule_filename = os.environ.get("BEAT_SCHEDULE", "/tmp/botschaft-beat")  # noqa: S108 - holds only last-run times
