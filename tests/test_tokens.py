"""Refresh tokens are presented once, whoever dies in between; rows cannot be swapped."""

import datetime as dt
import os
import random
import signal
import time
from base64 import urlsafe_b64encode

import pytest
from django.core import mail
from django.db import DatabaseError, connections
from django.test import TestCase
from django.utils import timezone

from ambassadors.models import AuditEntry
from integrations import accounts, mails, notices, reconnects, rotation, sealing, spool, tokens
from integrations.models import ConnectedAccount, Token
from integrations.networks import NETWORKS
from integrations.networks.base import Identity
from integrations.wire import NotSent, WireError

from .conftest import FULL
from .rotating import AuthServer, Graceful, Rotating
from .test_publishing import in_child

pytestmark = pytest.mark.django_db
in_processes = pytest.mark.django_db(transaction=True)

GCM_KEY = "aes256gcm:" + urlsafe_b64encode(b"a-key-of-another-kind-0123456789").decode()
NEW_KEY = urlsafe_b64encode(b"a-newer-key-a-newer-key-a-newer!").decode()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setitem(NETWORKS, "rotating", Rotating())
    with AuthServer() as made:
        monkeypatch.setenv("LOOPBACK_HOSTS", f"127.0.0.1:{made.port}")
        yield made


@pytest.fixture
def account(server, person):
    return connected(person(), server, "1")


def connected(who, server, number):
    return accounts.connect(
        person=who, network="rotating", base_url=server.base_url,
        identity=Identity(number, f"@{number}", "x", "https://x.example"),
        secrets_=server.family(), expires_at=timezone.now(), features={}, now=timezone.now(),
    )  # fmt: skip


def opened(account):
    """The account's access, and what follows the commit."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        return tokens.open_access(account, now=timezone.now())


def version(account):
    return Token.objects.get(account=account).version


def spooled(settings):
    return sorted(path.name.split("~")[0] for path in settings.SPOOL_DIR.glob("*"))


def test_token_that_lasts_is_not_renewed(server, account):
    Token.objects.update(expires_at=timezone.now() + dt.timedelta(seconds=125))
    assert opened(account).secrets["refresh_token"] in server.current
    assert server.count("presented") == 0


def test_ended_token_is_renewed_once_and_nothing_stays_on_the_disk(server, account, settings):
    assert opened(account).secrets == opened(account).secrets
    assert opened(account).secrets["refresh_token"] in server.current
    assert (server.count("presented"), version(account)) == (1, 2)
    account.refresh_from_db()
    assert account.reconnect_by.date() == (timezone.now() + dt.timedelta(days=90)).date()
    assert spooled(settings) == []


def test_refused_token_asks_the_person_once(server, account, settings):
    server.current.clear()
    for _ in range(3):
        with pytest.raises(tokens.NoToken, match="400 invalid_grant"):
            opened(account)
    assert server.count("presented") == 1
    assert [notices.tell_ended(now=timezone.now()) for _ in range(2)] == [1, 0]
    [letter] = mail.outbox
    assert letter.to == [account.person.email]
    assert letter.subject == "Rotating must be connected again"
    assert AuditEntry.objects.filter(act="account.reconnect_needed").count() == 1
    assert spooled(settings) == []


def test_mail_server_that_is_away_is_tried_again(account, monkeypatch):
    reconnects.ask(account, why="gone", now=timezone.now())

    def away(*args):
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(mails, "send_mail", away)
        assert notices.tell_ended(now=timezone.now()) == 0
    assert (notices.tell_ended(now=timezone.now()), len(mail.outbox)) == (1, 1)


def test_reconnecting_takes_the_question_back(server, account):
    server.current.clear()
    with pytest.raises(tokens.NoToken):
        opened(account)
    connected(account.person, server, "1")
    assert opened(account).secrets["refresh_token"] in server.current


LOST = [
    ("silence", {"seconds": 3}),
    ("reset", {}),
    ("reset", {"applied": True}),
    ("truncated", {"applied": True}),
    ("html", {"applied": True}),
    ("no_id", {"applied": True}),
    ("huge", {"applied": True}),
    ("status", {"status": 503}),
]


@pytest.mark.parametrize(("name", "facts"), LOST)
def test_lost_answer_is_not_asked_for_again_where_tokens_serve_once(server, account, name, facts):
    server.fault(name, **facts)
    for _ in range(2):
        with pytest.raises(tokens.NoToken):
            opened(account)
    account.refresh_from_db()
    assert (server.count("presented"), server.count("replayed")) == (1, 0)
    assert account.reconnect_reason != ""


def test_lost_answer_is_asked_for_again_where_the_network_has_grace(server, account, monkeypatch):
    monkeypatch.setitem(NETWORKS, "rotating", Graceful())
    server.fault("reset")
    with pytest.raises(WireError):
        opened(account)
    assert opened(account).secrets["refresh_token"] in server.current
    assert server.count("presented") == 2


def test_server_that_took_nothing_is_asked_later(server, account, settings):
    server.fault("status", status=429)
    with pytest.raises(NotSent):
        opened(account)
    assert spooled(settings) == []
    assert opened(account).secrets["refresh_token"] in server.current


def kills_itself():
    os.kill(os.getpid(), signal.SIGKILL)


@in_processes
def test_worker_killed_before_the_answer_is_followed_by_a_question(server, account, monkeypatch):
    def refresh(self, access, now):
        Rotating.refresh(self, access, now)
        kills_itself()

    with monkeypatch.context() as patch:
        patch.setitem(NETWORKS, "rotating", type("Dies", (Rotating,), {"refresh": refresh})())
        assert os.WTERMSIG(in_child(lambda: opened(account))) == signal.SIGKILL
    with pytest.raises(tokens.NoToken, match="was lost"):
        opened(account)
    assert (server.count("presented"), server.count("replayed")) == (1, 0)


@in_processes
@pytest.mark.parametrize("at_start", [True, False])
def test_pair_of_a_worker_killed_before_the_commit_is_taken_over(
    server, account, monkeypatch, settings, at_start
):
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "_write", lambda *args: kills_itself())
        assert os.WTERMSIG(in_child(lambda: opened(account))) == signal.SIGKILL
    assert spooled(settings) == ["token", "token"]
    if at_start:
        assert tokens.replay() == 1
        assert spooled(settings) == []
    assert opened(account).secrets["refresh_token"] in server.current
    assert (server.count("presented"), version(account)) == (1, 2)
    assert spooled(settings) == []


def test_pair_the_database_could_not_take_is_taken_over(server, account, monkeypatch):
    def away(*args):
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(tokens, "_write", away)
        with pytest.raises(DatabaseError):
            opened(account)
    # Meanwhile another worker saw the mark alone and asked; the pair answers the question.
    reconnects.ask(account, why="the network's answer was lost", now=timezone.now())
    assert opened(account).secrets["refresh_token"] in server.current
    account.refresh_from_db()
    assert (server.count("presented"), account.reconnect_reason) == (1, "")


def test_spooled_pair_of_a_disconnected_account_is_forgotten(account, settings):
    spool.keep("token", str(account.pk), {"version": 1, "secrets": {"access_token": "x"}})
    spool.keep("token", "99999999", {"version": 1})
    accounts.disconnect(account=account, by=account.person, now=timezone.now())
    tokens.replay()
    assert spooled(settings) == []


def pair_of(version, secrets):
    return {"version": version, "secrets": secrets, "expires_at": None, "reconnect_by": None}


def test_spooled_pair_from_before_a_reconnect_is_not_used(server, account, settings):
    spool.keep("token", str(account.pk), pair_of(1, {"refresh_token": "old"}))
    connected(account.person, server, "1")
    assert opened(account).secrets["refresh_token"] in server.current
    assert spooled(settings) == []


def test_spooled_pair_is_newer_than_a_restored_backup(server, account):
    newest = server.family()
    spool.keep("token", str(account.pk), pair_of(7, newest))
    assert opened(account).secrets == newest
    assert (server.count("presented"), version(account)) == (0, 8)


def test_full_disk_does_not_stop_a_renewal(server, account, settings, tmp_path):
    (tmp_path / "file").write_text("no directory")
    settings.SPOOL_DIR = tmp_path / "file" / "spool"
    assert opened(account).secrets["refresh_token"] in server.current


def test_only_what_would_lapse_is_renewed_in_the_background(server, person):
    now = timezone.now()
    ends = {"soon": 3 * 24, "idle": -7 * 24, "far": 30 * 24, "short": 2, "fresh": -24}
    for name, hours in ends.items():
        account = connected(person(name), server, name)
        Token.objects.filter(account=account).update(expires_at=now + dt.timedelta(hours=hours))
    asked = connected(person("asked"), server, "asked")
    Token.objects.filter(account=asked).update(expires_at=now - dt.timedelta(days=8))
    reconnects.ask(asked, why="gone", now=now)
    assert tokens.renew_lapsing(now=now) == 2
    renewed = Token.objects.filter(version=2).values_list("account__remote_id", flat=True)
    assert sorted(renewed) == ["idle", "soon"]


def test_refusal_in_the_background_troubles_nobody_while_the_token_lasts(server, account):
    now = timezone.now()
    Token.objects.update(expires_at=now + dt.timedelta(days=3))
    server.current.clear()
    assert tokens.renew_lapsing(now=now) == 0
    account.refresh_from_db()
    assert (account.reconnect_reason, server.count("presented")) == ("", 1)


def test_swapped_rows_open_nothing(server, person):
    first, second = connected(person(), server, "1"), connected(person("Nam"), server, "2")
    sealed = {pk: Token.objects.get(account_id=pk).sealed for pk in (first.pk, second.pk)}
    Token.objects.filter(account=first).update(sealed=sealed[second.pk])
    Token.objects.filter(account=second).update(sealed=sealed[first.pk])
    for account in (first, second):
        with pytest.raises(tokens.NoToken, match="belongs to another row"):
            opened(account)
    assert server.count("presented") == 0


@pytest.mark.parametrize("new", [NEW_KEY, GCM_KEY], ids=["Fernet", "AES-256-GCM"])
def test_old_key_opens_nothing_after_rotation(server, account, settings, new):
    """Nor does its algorithm, when the new key is for another one."""
    Token.objects.update(expires_at=None)
    old = settings.TOKEN_KEYS
    settings.TOKEN_KEYS = [*old, new]
    assert opened(account).secrets["refresh_token"] in server.current
    settings.TOKEN_KEYS = [new, *old]
    assert (sum(rotation.rotate()), sum(rotation.rotate())) == (1, 0)
    assert Token.objects.get().key_id == sealing.key_id(new)
    settings.TOKEN_KEYS = [new]
    assert opened(account).secrets["refresh_token"] in server.current
    settings.TOKEN_KEYS = old
    with pytest.raises(tokens.NoToken, match="cannot be opened"):
        opened(account)


@pytest.mark.parametrize("length", [16, 24, 31, 33])
def test_key_that_is_shorter_than_its_name_says_is_none(length):
    with pytest.raises(ValueError, match="32"):
        sealing.box("aes256gcm:" + urlsafe_b64encode(bytes(length)).decode())


@pytest.mark.parametrize("key", [NEW_KEY, GCM_KEY], ids=["Fernet", "AES-256-GCM"])
def test_changed_seal_opens_nothing_whatever_the_algorithm(settings, key):
    settings.TOKEN_KEYS = [key]
    sealed, _name = sealing.seal({"a": "b"}, context={"row": "1"})
    assert sealing.unseal(sealed, context={"row": "1"}) == {"a": "b"}
    assert sealing.seal({"a": "b"}, context={"row": "1"})[0] != sealed
    for at in (0, 1, 20, len(sealed) // 2, len(sealed) - 8):  # the last sign has bits to spare
        changed = sealed[:at] + (b"A" if sealed[at : at + 1] != b"A" else b"B") + sealed[at + 1 :]
        with pytest.raises(sealing.SealBroken):
            sealing.unseal(changed, context={"row": "1"})
    for other in (b"", b"2", b"2AAAA", sealed[:30]):
        with pytest.raises(sealing.SealBroken):
            sealing.unseal(other, context={"row": "1"})
    with pytest.raises(sealing.SealBroken, match="another row"):
        sealing.unseal(sealed, context={"row": "2"})


# The race ------------------------------------------------------------------------------------


def rotate_for_ever(pks):
    """A worker: open any account, over and over. Tokens last a few milliseconds."""
    rows = {pk: ConnectedAccount.objects.get(pk=pk) for pk in pks}
    while True:
        account = rows[random.choice(pks)]
        try:
            tokens.open_access(account, now=timezone.now())
        except tokens.NoToken:
            pass
        except DatabaseError:
            connections.close_all()


def fork(work, *args):
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            random.seed()
            work(*args)
        finally:
            os._exit(1)
    return pid


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def harm(server):
    """Families that ended, or people who were asked."""
    asked = ConnectedAccount.objects.exclude(reconnect_reason="").count()
    return max(len(server.revoked), asked)


def race(server, person, *, processes, accounts_, rotations, kills=0, until_harm=False):
    """Let many workers renew the same accounts; returns what the server and the rows say."""
    server.latency, server.expires_in = 0.01, 120.05
    NETWORKS["rotating"].patience = 20.0  # a busy machine is no lost answer
    who = person()
    pks = [connected(who, server, str(number)).pk for number in range(accounts_)]
    pids = [fork(rotate_for_ever, pks) for _ in range(processes)]
    began, killed = time.monotonic(), 0
    try:
        while (
            server.count("rotated") < rotations
            and time.monotonic() - began < 400
            and not (until_harm and harm(server))
            and harm(server) < accounts_
        ):
            time.sleep(0.01)
            if killed < kills and server.count("rotated") > rotations * (killed + 1) / (kills + 1):
                end(pids.pop(random.randrange(len(pids))))
                pids.append(fork(rotate_for_ever, pks))
                killed += 1
    finally:
        for pid in pids:  # all stand still before the first is killed: that would be a loss, too
            os.kill(pid, signal.SIGSTOP)
        rotated, replays = server.count("rotated"), server.count("replayed")
        asked = ConnectedAccount.objects.exclude(reconnect_reason="").count()
        for pid in pids:
            end(pid)
    seconds = time.monotonic() - began
    print(
        f"{processes} processes, {accounts_} accounts: {rotated} rotations in {seconds:.1f} s,"
        f" {killed} kills, {replays} replays, {len(server.revoked)} families revoked,"
        f" {asked} asked to reconnect"
    )
    return {"enough": rotated >= rotations, "killed": killed, "replays": replays, "asked": asked}


SIZE = (
    {"processes": 16, "accounts_": 50, "rotations": 1000}
    if FULL
    else {"processes": 4, "accounts_": 6, "rotations": 60}
)
KILLS = 20 if FULL else 6


@in_processes
def test_race_for_one_token_presents_each_once(server, person):
    assert race(server, person, **SIZE) == {
        "enough": True,
        "killed": 0,
        "replays": 0,
        "asked": 0,
    }


@in_processes
def test_race_with_kills_presents_each_once_and_asks_at_most_once_a_kill(server, person):
    seen = race(server, person, **SIZE, kills=KILLS)
    assert (seen["enough"], seen["killed"], seen["replays"]) == (True, KILLS, 0)
    assert seen["asked"] <= KILLS


def unlocked(account):
    return Token.objects.select_related("account").filter(account=account).first()


@in_processes
def test_race_without_the_lock_is_seen(server, person, monkeypatch):
    """The mutant: proof that the tests above can fail."""
    monkeypatch.setattr(tokens, "_locked", unlocked)
    seen = race(server, person, **SIZE, until_harm=not FULL)
    assert seen["replays"] + seen["asked"] > 0
