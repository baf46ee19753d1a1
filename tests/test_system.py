"""A restored backup or a copy publishes nothing until a person says yes; and who sees what waits."""

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from ambassadors.models import AuditEntry
from campaigns import restores, saying, watch
from campaigns.models import Attempt, Delivery
from campaigns.tasks import publish_due
from integrations import accounts, instance, tasks
from integrations.models import Circuit, Instance, Revocation, Token

from .test_publishing import time_passes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(person):
    client = Client()
    client.force_login(person("Petra", "administrator"))
    return client


@pytest.fixture
def waiting(person, account_on, mastodon, queue):
    """One post that is due."""
    jona = person("Jona Harms")
    return queue(jona, account_on(jona, mastodon))


def stop(settings, mastodon):
    """Another address: a copy of production."""
    assert restores.may_publish(now=timezone.now())
    settings.SITE_URL = "https://copy.nordwind.example"
    assert publish_due() == 0
    assert mastodon.count("arrived") == 0


def test_copy_under_another_address_waits_for_a_yes(settings, mastodon, waiting, admin):
    stop(settings, mastodon)
    assert publish_due() == 0
    assert Instance.objects.get().stopped_why == instance.CLONE
    assert 'href="/system/"' in admin.get("/").content.decode()
    page = admin.get("/system/").content.decode()
    assert "Nothing is published from here" in page and "It looks like a copy" in page
    refused = admin.post("/system/")
    assert (refused.status_code, "Tick the box first" in refused.content.decode()) == (422, True)
    assert Instance.objects.get().stopped_at
    assert admin.post("/system/", {"sure": "yes"}, follow=True).status_code == 200
    assert AuditEntry.objects.filter(act="instance.confirmed").count() == 1
    # What was due may have been sent by the other copy: it is looked for before it is sent.
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("unknown", "restored")
    for _ in range(2):
        time_passes()
        publish_due()
    waiting.refresh_from_db()
    assert (waiting.state, mastodon.count("created")) == ("sent", 1)


def test_yes_is_taken_though_a_key_cannot_be_opened(settings, mastodon, bluesky, waiting, admin, person, account_on):  # fmt: skip
    account = account_on(person("Nam"), bluesky)
    stop(settings, mastodon)
    Token.objects.filter(account=account).update(sealed=b"sealed with a key that was lost")
    assert admin.post("/system/", {"sure": "yes"}).status_code == 302
    account.refresh_from_db()
    assert (instance.stopped(), account.reconnect_reason != "") == (False, True)


def test_what_fell_due_while_stopped_is_looked_for_before_it_is_sent(
    settings, mastodon, waiting, admin
):
    Delivery.objects.update(due_at=timezone.now() + dt.timedelta(hours=1))
    stop(settings, mastodon)
    Delivery.objects.update(due_at=timezone.now() - dt.timedelta(seconds=1))
    admin.post("/system/", {"sure": "yes"})
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("unknown", "restored")


def test_restored_post_that_waits_for_its_person_still_does(settings, mastodon, waiting, admin):
    Delivery.objects.update(blocked=Delivery.Blocked.LOOK_AGAIN)
    stop(settings, mastodon)
    admin.post("/system/", {"sure": "yes"})
    for _ in range(3):
        time_passes()
        publish_due()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.blocked, mastodon.count("arrived")) == ("queued", "look_again", 0)  # fmt: skip


def test_copy_asks_the_networks_nothing_by_a_person_s_hand_either(
    settings, mastodon, waiting, person
):
    assert publish_due() == 1
    settings.SITE_URL = "https://copy.nordwind.example"
    assert publish_due() == 0
    author = Client()
    author.force_login(waiting.post.person)
    answer = author.post(f"/posts/{waiting.post_id}/", {"choice": "remove"})
    assert (answer.status_code, len(mastodon.statuses)) == (422, 1)


def test_copy_spends_no_refresh_token_and_gives_no_key_back(
    settings, bluesky, mastodon, waiting, person, account_on
):
    account = account_on(person("Nam"), bluesky)
    ended = account_on(person("Lea"), bluesky, "7")
    stop(settings, mastodon)
    Token.objects.filter(account=account).update(expires_at=timezone.now() - dt.timedelta(days=8))
    accounts.disconnect(account=ended, by=None, now=timezone.now())
    Revocation.objects.update(due_at=timezone.now())
    assert (tasks.renew_lapsing(), tasks.revoke_due(), Revocation.objects.count()) == (0, 0, 1)
    assert restores.confirm(by=None, now=timezone.now())
    assert tasks.revoke_due() == 1


def test_older_backup_waits_for_a_yes(mastodon, waiting, settings):
    assert publish_due() == 1
    known = Attempt.objects.latest("pk").pk
    Instance.objects.update(confirmed_at=timezone.now())
    restores.mark(known + 5)
    assert not restores.may_publish(now=timezone.now())
    assert Instance.objects.get().stopped_why == instance.RESTORED
    assert restores.confirm(by=None, now=timezone.now())
    assert not restores.confirm(by=None, now=timezone.now())
    assert restores.may_publish(now=timezone.now())


@pytest.mark.parametrize("cut", ["", "{", '{"attempt": "x"}', "[]"])
def test_broken_mark_stops_nothing(mastodon, waiting, settings, cut):
    assert restores.may_publish(now=timezone.now())
    (settings.VAR_DIR / "instance.mark").write_text(cut)
    assert restores.may_publish(now=timezone.now())


def test_author_reads_what_their_post_waits_for(settings, mastodon, waiting, admin):
    client = Client()
    client.force_login(waiting.post.person)
    stop(settings, mastodon)
    Delivery.objects.update(state="queued")
    url = f"/posts/{waiting.post_id}/"
    assert "Waits until an administrator has confirmed" in client.get(url).content.decode()
    assert client.get("/system/").status_code == 403
    assert 'href="/system/"' not in client.get("/").content.decode()


def test_author_reads_since_when_a_network_is_silent(mastodon, waiting, admin):
    since = timezone.now() - dt.timedelta(minutes=10)
    Circuit.objects.create(
        network="mastodon", base_url=mastodon.base_url, failures=9, failing_since=since,
        opened_at=since, probe_at=timezone.now(),
    )  # fmt: skip
    _kind, sentence = saying.plain_state(waiting.post, waiting, saying.Outlook.now())
    assert sentence.startswith(
        f"The network answers nothing since {timezone.localtime(since):%H:%M}"
    )
    page = admin.get("/system/").content.decode()
    assert mastodon.base_url in page and "Posts wait and leave when it answers." in page


def test_command_confirms_only_with_yes(settings, mastodon, waiting, capsys):
    call_command("confirm_installation")
    stop(settings, mastodon)
    call_command("confirm_installation")
    assert instance.stopped()
    call_command("confirm_installation", "--yes")
    assert not instance.stopped()
    said = capsys.readouterr().out
    assert "nothing to confirm" in said and "repeat this with --yes" in said


def test_readiness_tells_of_a_standstill(mastodon, waiting, admin, client):
    assert client.get("/readyz").status_code == 200
    Delivery.objects.update(due_at=timezone.now() - watch.STANDSTILL - dt.timedelta(seconds=1))
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"missing": "workers"})
    assert "no worker takes them" in admin.get("/system/").content.decode()
    Instance.objects.update_or_create(pk=1, defaults={"stopped_at": timezone.now()})
    assert client.get("/readyz").status_code == 200  # it waits for a person, not for a worker


def test_readiness_tells_of_a_lost_database(client, monkeypatch):
    def gone(**_):
        raise DatabaseError

    monkeypatch.setattr(watch, "waiting", gone)
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"missing": "database"})
