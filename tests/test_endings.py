"""Disconnect, withdraw, leave: after the answer no first byte (C24), and the key goes back."""

import datetime as dt
import os
import random
import signal
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from ambassadors import consents
from ambassadors.models import AuditEntry, Person, Role
from campaigns import claims, deliveries, endings, tasks
from campaigns.models import Delivery
from campaigns.shares import Words, share
from integrations import accounts, clients, notices, reconnects, trips
from integrations.models import ConnectedAccount, Revocation, Token
from integrations.networks.base import Identity

from .conftest import FULL
from .networks.mastodon import Mastodon

pytestmark = pytest.mark.django_db(transaction=True)
ENDINGS, EACH = 200 if FULL else 60, 2  # and posts waiting for each account
LEAVINGS = 1000 if FULL else 24


def connect(server, person, number, by=None):
    access = server.access(str(number))
    return accounts.connect(
        person=person, network="mastodon", base_url=server.base_url,
        identity=Identity(str(number), f"@user{number}", "x", ""), secrets_=access.secrets,
        expires_at=None, features=access.features, now=timezone.now(), by=by,
    )  # fmt: skip


def put(suggestion, account, count=EACH):
    now = timezone.now()
    for _ in range(count):
        words = Words(
            text=f"Sentence {uuid.uuid4().hex} of mine.", variant=suggestion.variant_set.get(),
            submission=uuid.uuid4(),
        )  # fmt: skip
        share(
            by=account.person, suggestion=suggestion, words=words, accounts=[account],
            due_at=now - dt.timedelta(seconds=1), now=now,
        )  # fmt: skip


@pytest.fixture
def crowd(suggestion, person, monkeypatch):
    """So many people with an account each, on one server, with posts that are due."""
    with Mastodon(latency=0.1) as server:
        monkeypatch.setenv("LOOPBACK_HOSTS", f"127.0.0.1:{server.port}")
        monkeypatch.setattr(tasks, "THREADS", 4)
        redirect = trips.redirect_uri(trips.server_slug("mastodon", server.base_url))
        clients.ours("mastodon", server.base_url, redirect=redirect, now=timezone.now())

        def gather(size, each=EACH):
            found = []
            for number in range(size):
                who = Person.objects.create_user(f"p{number}@example.org", None, name=f"P{number}")
                consents.give(person=who, purpose="publish", now=timezone.now())
                found.append(connect(server, who, number))
                put(suggestion, found[-1], each)
            return server, found, person("Selin", "hr")

        yield gather


def disconnect(account, _hr):
    client = Client()
    client.force_login(account.person)
    return client.post(f"/me/accounts/{account.pk}/disconnect/")


def withdraw(account, _hr):
    client = Client()
    client.force_login(account.person)
    return client.post("/me/consents/", {"purpose": "publish", "answer": "no"})


def leave(account, hr):
    client = Client()
    client.force_login(hr)
    return client.post(f"/people/{account.person_id}/leave/", {"sure": "yes"})


def end_all(server, found, hr, settings, pause=0.4, acts=(disconnect, withdraw, leave)):
    """Four workers send while eight people at a time end something; late first bytes."""
    settings.DEBUG_FAILPOINTS = True
    settings.FAILPOINTS = f"in_start=pause:0.02,after_start=pause:{pause}"
    connections.close_all()
    workers = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                tasks.publish_round(seconds=600)
            finally:
                os._exit(0)
        workers.append(pid)
    while server.count("arrived") < 10:
        time.sleep(0.005)
    acts = [acts[n % len(acts)] for n in range(len(found))]
    answered = {}

    def end(account, act):
        try:
            response = act(account, hr)
            answered[account.remote_id] = time.monotonic()
            assert response.status_code == 302
        finally:
            connection.close()

    order = list(zip(found, acts, strict=True))
    random.Random(24).shuffle(order)
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(end, account, act) for account, act in order]:
            done.result()
    time.sleep(0.5)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    arrived = [row for row in server.ledger if row["kind"] == "arrived"]
    return [row for row in arrived if row["at"] > answered[row["account"]]]


def test_no_first_byte_after_an_ending_has_answered(crowd, settings):
    server, found, hr = crowd(ENDINGS)
    late = end_all(server, found, hr, settings)
    stopped = Delivery.objects.filter(state="cancelled").count()
    print(
        f"{len(late)} first bytes after the answer of {len(found)} disconnects, withdrawals and"
        f" leavings; {server.count('arrived')} posts had begun, {stopped} were stopped"
    )
    assert late == []
    assert stopped > ENDINGS / 4  # the endings did come in the middle
    assert Delivery.objects.filter(state="queued").count() == 0
    ended = ConnectedAccount.objects.filter(disconnected_at__isnull=False)
    assert (Token.objects.filter(account__in=ended).count(), Revocation.objects.count()) == (
        0,
        ended.count(),
    )
    while accounts.revoke_due(now=timezone.now() + dt.timedelta(minutes=2)):
        pass
    assert (server.count("revoked"), Revocation.objects.count()) == (ended.count(), 0)


def test_no_first_byte_after_leaving_has_answered(crowd, settings):
    """Everybody leaves in the middle of publishing; 1,000 at full size."""
    # enough posts that some still wait when the first page of a crowded machine has answered
    server, found, hr = crowd(LEAVINGS, EACH if FULL else 8)
    late = end_all(server, found, hr, settings, acts=(leave,))
    stopped = Delivery.objects.filter(state="cancelled").count()
    print(
        f"{len(late)} requests after the answer of {len(found)} leavings;"
        f" {server.count('arrived')} posts had begun, {stopped} were stopped"
    )
    assert late == []
    assert (stopped > 0, Delivery.objects.filter(state="queued").count()) == (True, 0)
    assert Person.objects.filter(left_at__isnull=False).count() == len(found)
    assert Token.objects.count() == 0


def test_ending_that_does_not_wait_lets_posts_through(crowd, settings, monkeypatch):
    """The mutant: proof that the test above can fail."""
    server, found, hr = crowd(40)
    monkeypatch.setattr(endings, "wait_for_flights", lambda _scope: [])
    late = end_all(server, found, hr, settings, pause=1.5)
    print(f"without waiting: {len(late)} first bytes after the answer")
    assert len(late) > 0


# One by one -----------------------------------------------------------------------------------


def test_disconnect_takes_posts_back_and_says_so(mastodon, jona, suggestion):
    account = connect(mastodon, jona, 1)
    put(suggestion, account, 3)
    client = Client()
    client.force_login(jona)
    page = client.post(f"/me/accounts/{account.pk}/disconnect/", follow=True).content.decode()
    assert "3 waiting posts were taken back." in page
    assert set(Delivery.objects.values_list("state", "reason")) == {("cancelled", "disconnected")}
    assert Token.objects.count() == 0


def test_withdrawn_consent_leaves_channels_alone(mastodon, jona, person, suggestion):
    own = connect(mastodon, jona, 1)
    put(suggestion, own, 2)
    channel = connect(mastodon, None, 2, by=person("Piet", "administrator"))
    channel.editors.add(jona)
    now = timezone.now()
    words = Words(
        text="For the channel.", variant=suggestion.variant_set.get(), submission=uuid.uuid4()
    )
    share(by=jona, suggestion=suggestion, words=words, accounts=[channel], due_at=now, now=now)
    ended = endings.withdraw_consent(person=jona, purpose="publish", now=now)
    assert (ended.taken_back, ended.in_flight) == (2, [])
    assert Delivery.objects.get(account=channel).state == "queued"


def test_post_that_may_be_there_is_asked_about(mastodon, jona, suggestion):
    account = connect(mastodon, jona, 1)
    put(suggestion, account, 1)
    Delivery.objects.update(first_tried_at=timezone.now())
    endings.disconnect(account=account, by=jona, now=timezone.now())
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason, delivery.look_at) == ("unknown", "ask_person", None)


def test_post_put_back_after_a_disconnect_does_not_wait_for_ever(mastodon, jona, suggestion):
    account = connect(mastodon, jona, 1)
    put(suggestion, account, 1)
    accounts.disconnect(account=account, by=jona, now=timezone.now())
    [row] = claims.claim(limit=1)
    deliveries.deliver(row)
    row.refresh_from_db()
    assert (row.state, row.reason, mastodon.count("arrived")) == ("cancelled", "disconnected", 0)


def test_leaving_ends_login_accounts_channels_and_terms(mastodon, jona, person, suggestion):
    hr, admin = person("Selin", "hr"), person("Piet", "administrator")
    account = connect(mastodon, jona, 1)
    channel = connect(mastodon, None, 2, by=admin)
    channel.editors.add(jona)
    put(suggestion, account, 1)
    theirs, client = Client(), Client()
    theirs.force_login(jona)
    client.force_login(hr)
    assert client.post(f"/people/{jona.pk}/leave/", {}).status_code == 422  # the box first
    assert client.post(f"/people/{jona.pk}/leave/", {"sure": "yes"}).status_code == 302
    account.refresh_from_db()
    assert (account.disconnected_at is None, channel.editors.count()) == (False, 0)
    assert theirs.get("/").status_code == 302  # logged out
    assert Delivery.objects.get().state == "cancelled"
    assert client.get(f"/people/{jona.pk}/leave/").status_code == 404  # only once


def test_leaving_is_ended_by_hr_only(jona, person):
    client = Client()
    client.force_login(jona)
    assert client.post(f"/people/{person('Nam').pk}/leave/", {"sure": "yes"}).status_code == 403


def test_network_that_is_away_gets_its_key_later_and_not_for_ever(mastodon, jona):
    redirect = trips.redirect_uri(trips.server_slug("mastodon", mastodon.base_url))
    clients.ours("mastodon", mastodon.base_url, redirect=redirect, now=timezone.now())
    account = connect(mastodon, jona, 1)
    kept = mastodon.serve
    mastodon.serve = lambda handler, at, body: mastodon.answer(handler, 503, {"error": "away"})
    now = timezone.now()
    accounts.disconnect(account=account, by=jona, now=now)
    assert accounts.revoke_due(now=now) == 0  # what flies may land first
    assert (accounts.revoke_due(now=now + dt.timedelta(minutes=1)), Revocation.objects.get().tries) == (0, 1)  # fmt: skip
    mastodon.serve = kept
    assert accounts.revoke_due(now=now + dt.timedelta(minutes=3)) == 1
    assert (mastodon.count("revoked"), Revocation.objects.count()) == (1, 0)
    again = connect(mastodon, jona, 1)
    mastodon.serve = lambda handler, at, body: mastodon.answer(handler, 503, {"error": "away"})
    accounts.disconnect(account=again, by=jona, now=now)
    for hours in range(1, 40):
        accounts.revoke_due(now=now + dt.timedelta(hours=hours))
    assert Revocation.objects.count() == 0
    assert AuditEntry.objects.filter(act="account.key_not_taken_back").count() == 1


def test_end_of_a_connection_is_mailed_once(mastodon, jona, mailoutbox):
    now = timezone.now()
    account = connect(mastodon, jona, 1)
    for days, mails in ((15, 0), (14, 1), (13, 1), (1, 1)):
        ConnectedAccount.objects.update(reconnect_by=now + dt.timedelta(days=days))
        notices.warn_due(now=now)
        assert len(mailoutbox) == mails
    assert ("say yes again by" in mailoutbox[0].subject, mailoutbox[0].to) == (True, [jona.email])
    ConnectedAccount.objects.update(reconnect_by=now)
    assert [reconnects.expire(now=now) for _ in range(2)] == [1, 0]
    assert [notices.tell_ended(now=now) for _ in range(2)] == [1, 0]
    assert mailoutbox[1].subject == "Mastodon must be connected again"
    connect(mastodon, jona, 1)  # says yes again: the next end is another event
    account.refresh_from_db()
    assert (account.warned_at, account.reconnect_by) == (None, None)


def test_end_of_a_channel_is_mailed_to_who_connected_it(mastodon, person, mailoutbox):
    admin = person("Piet", "administrator")
    person("Other", "administrator")
    connect(mastodon, None, 1, by=admin)
    now = timezone.now()
    ConnectedAccount.objects.update(reconnect_by=now + dt.timedelta(days=3))
    assert (notices.warn_due(now=now), [mail.to for mail in mailoutbox]) == (1, [[admin.email]])
    Role.objects.filter(person=admin).delete()
    ConnectedAccount.objects.update(warned_at=None)
    notices.warn_due(now=now)
    assert mailoutbox[-1].to != [admin.email]
