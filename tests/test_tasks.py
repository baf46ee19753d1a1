"""Every task of Celery twice: a doubled or late message changes nothing more (G14)."""

import datetime as dt

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from advocacy.celery import app

pytestmark = pytest.mark.django_db(transaction=True)
# Not run here, and where instead.
ELSEWHERE = {
    # its threads have connections of their own: tests/test_publishing.py, make chaos, make failpoints
    "campaigns.tasks.publish_due",
    "integrations.tasks.tell_claimed",  # of one account: tests/test_ending.py
    "curation.tasks.read_sources",  # asks other hosts: tests/test_sources.py
    "curation.tasks.count_tags",  # likewise: tests/test_tags.py
}
# These find something to do on the next working morning, whichever day the demonstration is made.
BUSY = {
    "campaigns.tasks.chats_due",
    "integrations.tasks.seal_record",
    "people.tasks.remind_of_courses",
    "people.tasks.write_in_the_morning",
    "reception.tasks.send_letters",
    "reception.tasks.send_talk_mails",
    "reception.tasks.tend_questions",
}


def morning():
    """The next working day at the time when mails are written, after the demonstration's today."""
    day = timezone.now() + dt.timedelta(days=1)
    while day.isoweekday() > 5:
        day += dt.timedelta(days=1)
    return day.replace(hour=7, minute=25, second=0, microsecond=0)


def names():
    """Our own tasks."""
    app.loader.import_default_modules()
    return sorted(name for name in app.tasks if not name.startswith("celery."))


def touched():
    """How many rows were ever written, by table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables")
        return dict(cursor.fetchall())


def test_those_that_are_tried_elsewhere_exist():
    assert set(names()) >= ELSEWHERE


def test_every_task_twice_writes_once(monkeypatch):
    call_command("prepare_demo", verbosity=0)
    then = morning()
    monkeypatch.setattr(timezone, "now", lambda: then)
    worked, again = set(), {}
    for name in names():
        if name in ELSEWHERE:
            continue
        start = touched()
        app.tasks[name].run()
        once, mails = touched(), len(mail.outbox)
        app.tasks[name].run()
        twice = touched()
        worked |= {name} if once != start else set()
        if changed := {t: n - once.get(t, 0) for t, n in twice.items() if n != once.get(t, 0)}:
            again[name] = changed
        if len(mail.outbox) != mails:
            again[name] = again.get(name, {}) | {"mails": len(mail.outbox) - mails}
    assert again == {}
    assert worked >= BUSY  # otherwise nothing was tried
