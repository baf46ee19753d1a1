"""Erased people stay erased when an older backup is restored; nothing is sent before (G6)."""

import datetime as dt
import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.utils import timezone

from ambassadors import tombstones
from ambassadors.models import Note, Person, Tombstone
from campaigns import erasures, restores, tasks
from campaigns.models import Delivery
from integrations import instance
from integrations.models import Revocation

from .conftest import browser

pytestmark = pytest.mark.django_db
FILE = "erased.list"


@pytest.fixture
def back_again(jona, account_on, mastodon, queue, person, django_capture_on_commit_callbacks):
    """Jona was erased, and then yesterday's backup was restored: they are in it, with a post."""
    now = timezone.now()
    assert restores.may_publish(now=now)
    queue(jona, account_on(jona, mastodon), due_at=now)
    Note.objects.create(person=jona, text="My father asked me.", created_at=now)
    backup = transaction.savepoint()
    erasure = erasures.ask(person=jona, typed=jona.email, at_once=True, by=jona, now=now)
    Revocation.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        erasures.carry_out_due(now=erasure.due_at)
    assert Person.objects.get(pk=jona.pk).erased_at
    transaction.savepoint_rollback(backup)
    assert (Person.objects.get(pk=jona.pk).name, Tombstone.objects.count()) == ("Jona Harms", 0)
    return jona


def test_restored_backup_sends_nothing_and_buries_again_before_it_opens(back_again, mastodon):
    assert tasks._publish_due() == 0
    assert instance.the().stopped_why == instance.RESTORED
    out = io.StringIO()
    call_command("confirm_installation", "--yes", stdout=out)
    row = Person.objects.get(pk=back_again.pk)
    assert (row.name, Note.objects.count(), Delivery.objects.count()) == ("–", 0, 0)
    connection.check_constraints()
    assert "publishes again" in out.getvalue()
    assert restores.may_publish(now=timezone.now())
    assert tasks._publish_due() == 0
    assert mastodon.statuses == {}


def test_page_of_the_installation_buries_too(back_again, person):
    restores.may_publish(now=timezone.now())
    answer = browser(person("Ada", "administrator")).post("/system/", {"sure": "yes"})
    assert (answer.status_code, Person.objects.get(pk=back_again.pk).name) == (302, "–")


@pytest.mark.parametrize("broken", ["nonsense\n", "key 0123456789abcdef\n", "\xff"])
def test_list_that_cannot_be_read_keeps_everything_shut(back_again, tmp_path, broken, person):
    (tmp_path / FILE).write_bytes(broken.encode("latin-1"))
    assert restores.may_publish(now=timezone.now()) is False
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("confirm_installation", "--yes", stdout=io.StringIO())
    answer = browser(person("Ada", "administrator")).post("/system/", {"sure": "yes"})
    assert (answer.status_code, b"cannot be read" in answer.content) == (422, True)
    assert instance.stopped()


def test_list_names_nobody_and_another_key_reads_nothing(back_again, tmp_path, settings):
    text = (tmp_path / FILE).read_text()
    key = str(back_again.evidence_key)
    found = [hint for hint in (key, key.replace("-", ""), "Jona", back_again.email) if hint in text]
    assert (len(text.splitlines()), found) == (2, [])
    settings.TOMBSTONES_KEY = "another"
    with pytest.raises(tombstones.NotReadable):
        tombstones.sync()


def test_lost_list_is_written_again_from_the_database(tmp_path):
    now = timezone.now()
    Tombstone.objects.create(digest="a" * 64, erased_at=now)
    assert (tombstones.sync(), tombstones.behind()) == (0, False)
    text = (tmp_path / FILE).read_text()
    assert tombstones.sync() == 0
    assert text.splitlines()[1:] == [f"{'a' * 64} {now.isoformat()}"]
    assert (tmp_path / FILE).read_text() == text


def test_somebody_who_comes_back_with_the_same_address_stays(back_again, person):
    tombstones.sync()
    call_again = person("Jona Harms")
    assert [one.pk for one in tombstones.returned()] == [back_again.pk]
    assert call_again.pk != back_again.pk
    assert dt.timedelta() < timezone.now() - Tombstone.objects.get().erased_at + dt.timedelta(
        hours=1
    )
