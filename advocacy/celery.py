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
    "measure-due": {"task": "campaigns.tasks.measure_due", "schedule": 60.0},
    "revoke-due": {"task": "integrations.tasks.revoke_due", "schedule": 60.0},
    "forget-old-trips": {"task": "integrations.tasks.forget_old_trips", "schedule": 600.0},
    # Mails in the morning of working days, never at night (working time).
    "warn-of-ends": {
        "task": "integrations.tasks.warn_of_ends",
        "schedule": crontab(hour="7", minute="10", day_of_week="mon-fri"),
    },
}
app.conf.beat_schedule_filename = os.environ.get("BEAT_SCHEDULE", "/tmp/botschaft-beat")  # noqa: S108 - holds only last-run times
