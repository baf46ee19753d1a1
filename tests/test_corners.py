"""The rare ways of what guards the promises, one by one (G34): each branch has its answer."""

import dataclasses
import datetime as dt
import uuid
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.contrib.sessions.backends.cache import SessionStore
from django.db import DatabaseError, transaction
from django.db.models import F
from django.test import RequestFactory
from django.utils import timezone

from advocacy import second_factor, stepup
from ambassadors import anonymity, consents, roles
from ambassadors.models import AuditEntry, Consent, PublishedFigure
from ambassadors.states import NoSuchWay, move
from campaigns import claims, deliveries, endings, holds, pace, starts, unknowns
from campaigns.models import Attempt, Delivery, Post, Proposal
from campaigns.states import move_proposal
from integrations import api_tokens, limits, reconnects, rotation, sealing, spool, tokens
from integrations.models import Bucket, Circuit, Token
from integrations.networks import get
from integrations.networks.abilities import Price
from integrations.networks.base import (
    Absent,
    CannotTell,
    Later,
    NotAble,
    Refused,
    Remaining,
    Sent,
    Unknown,
)
from integrations.wire import NotSent, PerhapsSent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queued(mastodon, jona, account_on, queue):
    return queue(jona, account_on(jona, mastodon))


@pytest.fixture
def claimed(queued):
    (row,) = claims.claim(limit=1)
    return row


@pytest.fixture
def network():
    return type(get("mastodon"))


def unknown(delivery, **fields):
    """The post may be there."""
    past = timezone.now() - dt.timedelta(minutes=5)
    Delivery.objects.update(
        state="unknown", lease_until=None, first_tried_at=past, look_at=past, **fields
    )
    delivery.refresh_from_db()


def answering(result):
    def answer(*_args, **_more):
        if isinstance(result, Exception):
            raise result
        return result

    return answer


# --- before the start


@pytest.mark.parametrize(
    ("kept", "state", "reason", "blocked"),
    [
        (Later("soon"), "queued", "later", ""),
        (Later("soon", renew=True), "queued", "later", ""),
        (Refused("no", permanent=True), "failed", "refused", ""),
        (Refused("no", permanent=False, whose="app"), "queued", "operator", ""),
        (Refused("no", permanent=False), "queued", "blocked", "reconnect"),
        (NotSent("away"), "queued", "later", ""),
        (PerhapsSent("half"), "queued", "later", ""),
    ],
)
def test_whatever_preparing_answers_nothing_is_posted_and_the_row_says_why(
    kept, state, reason, blocked, mastodon, claimed, network, monkeypatch
):
    monkeypatch.setattr(network, "prepare", answering(kept))
    deliveries.deliver(claimed)
    claimed.refresh_from_db()
    assert (claimed.state, claimed.reason, claimed.blocked) == (state, reason, blocked)
    assert (mastodon.count("arrived"), claimed.lease_until) == (0, None)
    account = claimed.account
    account.refresh_from_db()
    assert bool(account.reconnect_reason) == (blocked == "reconnect")
    renewed = Token.objects.filter(account=account, expires_at__isnull=False).exists()
    assert renewed == (isinstance(kept, Later) and kept.renew)


def test_what_was_prepared_is_kept_for_the_claimant_alone(claimed, network, monkeypatch):
    monkeypatch.setattr(network, "prepare", answering({"media": "7"}))
    now = timezone.now()
    access = tokens.open_access(claimed.account, now=now)
    assert deliveries.prepare(claimed, access, now)
    assert deliveries.prepare(claimed, access, now)
    Delivery.objects.update(fence=F("fence") + 1)
    monkeypatch.setattr(network, "prepare", answering({"media": "8"}))
    assert not deliveries.prepare(claimed, access, now)
    claimed.refresh_from_db()
    assert claimed.kept == {"media": "7"}


# --- the start


def test_claim_that_somebody_else_took_over_starts_nothing(claimed):
    Delivery.objects.update(fence=F("fence") + 1)
    assert not starts.start(claimed)
    claimed.refresh_from_db()
    assert (claimed.state, Attempt.objects.count()) == ("queued", 0)


def test_start_in_doubt_sends_nothing_and_gives_the_lease_back(claimed, monkeypatch):
    monkeypatch.setattr(starts, "_begin", answering(DatabaseError("away")))
    assert not starts.start(claimed)
    row = Delivery.objects.get()
    assert (row.state, row.lease_until, row.claims) == ("queued", None, claimed.claims - 1)


def test_start_in_doubt_waits_for_its_lease_while_the_database_is_away(claimed, monkeypatch):
    monkeypatch.setattr(starts, "_begin", answering(DatabaseError("away")))
    monkeypatch.setattr(starts, "_give_back", answering(DatabaseError("still away")))
    assert not starts.start(claimed)
    row = Delivery.objects.get()
    assert (row.state, row.lease_until, row.claims) == (
        "queued", claimed.lease_until, claimed.claims,
    )  # fmt: skip


# --- the answer


def test_answer_the_database_could_not_take_is_on_the_disk_until_it_has_it(
    mastodon, claimed, monkeypatch, settings
):
    monkeypatch.setattr(deliveries.time, "sleep", lambda _seconds: None)
    settle, found = deliveries._settle, []

    def away_twice(*args):
        found.append(len(list(settings.SPOOL_DIR.glob("sent~*"))))
        if len(found) < 3:
            raise DatabaseError("away")
        return settle(*args)

    monkeypatch.setattr(deliveries, "_settle", away_twice)
    deliveries.deliver(claimed)
    assert (Delivery.objects.get().state, found) == ("sent", [0, 1, 1])
    assert list(settings.SPOOL_DIR.glob("sent~*")) == []


@pytest.mark.parametrize(("result", "kept"), [(Sent("7", "https://x.example/7"), 1), (Unknown("?"), 0)])  # fmt: skip
def test_answer_that_is_never_taken_is_found_by_the_next_worker(
    result, kept, claimed, monkeypatch, settings
):
    assert starts.start(claimed)
    with monkeypatch.context() as patch:
        patch.setattr(pace, "LEASE", dt.timedelta(seconds=-1))
        patch.setattr(deliveries, "_settle", answering(DatabaseError("away")))
        with pytest.raises(DatabaseError):
            deliveries.settle(claimed, result)
    assert len(list(settings.SPOOL_DIR.glob("sent~*"))) == kept
    assert deliveries.replay_spool() == kept
    assert Delivery.objects.get().state == ("sent" if kept else "sending")
    assert list(settings.SPOOL_DIR.glob("sent~*")) == []


def test_proof_of_what_is_sent_or_gone_is_only_forgotten(claimed, settings):
    deliveries.deliver(claimed)
    before = Delivery.objects.get()
    answer = {"remote_id": "other", "url": "https://x.example/other"}
    spool.keep("sent", str(claimed.key), answer)
    spool.keep("sent", "nobodys", answer)
    Delivery.objects.filter(key="00000000-0000-0000-0000-000000000000").delete()
    spool.keep("sent", "00000000-0000-0000-0000-000000000000", answer)
    spool.forget(next(settings.SPOOL_DIR.glob("sent~nobodys~*")))
    assert deliveries.replay_spool() == 0
    assert Delivery.objects.get().remote_id == before.remote_id
    assert list(settings.SPOOL_DIR.glob("sent~*")) == []


def test_proof_moves_nothing_that_ended(claimed):
    Delivery.objects.update(state="failed", lease_until=None)
    assert not deliveries.mark_sent(claimed, "7", "https://x.example/7", now=timezone.now())
    assert Delivery.objects.get().state == "failed"


@pytest.mark.parametrize(("error", "state"), [(KeyError("id"), "unknown"), (NotSent(""), "queued")])
def test_only_what_proves_that_nothing_left_is_tried_again(
    error, state, claimed, network, monkeypatch
):
    monkeypatch.setattr(network, "publish", answering(error))
    deliveries.deliver(claimed)
    assert Delivery.objects.get().state == state


@pytest.mark.parametrize(("asked", "url"), [("https://x.example/7", "https://x.example/7"), (NotSent("away"), "")])  # fmt: skip
def test_address_is_a_second_question_and_harmless(asked, url, claimed, network, monkeypatch):
    monkeypatch.setattr(network, "publish", answering(Sent("7", "")))
    monkeypatch.setattr(network, "address", answering(asked), raising=False)
    deliveries.deliver(claimed)
    row = Delivery.objects.get()
    assert (row.state, row.remote_url) == ("sent", url)


def test_refusal_that_is_the_companys_asks_no_person_and_waits(mastodon, claimed, network, monkeypatch):  # fmt: skip
    monkeypatch.setattr(network, "publish", answering(Refused("no", permanent=False, whose="app")))
    deliveries.deliver(claimed)
    row = Delivery.objects.get()
    row.account.refresh_from_db()
    assert (row.state, row.reason, row.account.reconnect_reason) == ("queued", "operator", "")
    assert row.next_at > timezone.now() + dt.timedelta(minutes=14)


# --- looking


@pytest.mark.parametrize(
    ("seen", "state", "reason", "again"),
    [
        (Sent("7", "https://x.example/7"), "sent", "", False),
        (Absent(), "queued", "not_there", False),
        (CannotTell("later"), "unknown", "looking", True),
        (NotAble("never"), "unknown", "looking", True),
        (NotSent("away"), "unknown", "looking", True),
        (PerhapsSent("half"), "unknown", "looking", True),
        (KeyError("odd"), "unknown", "looking", True),
    ],
)
def test_look_acts_on_proof_only(seen, state, reason, again, queued, network, monkeypatch):
    unknown(queued)
    monkeypatch.setattr(network, "look", answering(seen))
    unknowns.look(queued)
    queued.refresh_from_db()
    assert (queued.state, queued.reason) == (state, reason)
    assert bool(queued.look_at and queued.look_at > timezone.now()) == again


def test_look_that_tells_nothing_for_a_day_asks_the_person(queued, network, monkeypatch):
    unknown(queued)
    Delivery.objects.update(first_tried_at=timezone.now() - dt.timedelta(hours=25))
    queued.refresh_from_db()
    monkeypatch.setattr(network, "look", answering(CannotTell("?")))
    unknowns.look(queued)
    queued.refresh_from_db()
    assert (queued.state, queued.reason, queued.look_at) == ("unknown", "ask_person", None)


def test_look_that_the_month_cannot_pay_asks_the_person(queued, network, monkeypatch):
    unknown(queued)
    monkeypatch.setattr(unknowns, "paid", lambda *_args: False)
    monkeypatch.setattr(network, "look", answering(AssertionError("asked all the same")))
    unknowns.look(queued)
    queued.refresh_from_db()
    assert (queued.state, queued.reason) == ("unknown", "ask_person")


def test_post_that_is_not_there_after_its_end_is_not_sent_again(queued, network, monkeypatch):
    unknown(queued, due_at=timezone.now() - dt.timedelta(hours=48), not_after=timezone.now())
    monkeypatch.setattr(network, "look", answering(Absent()))
    unknowns.look(queued)
    queued.refresh_from_db()
    assert (queued.state, queued.reason) == ("failed", "expired")


# --- consents, keys, tokens


def test_yes_that_was_never_given_is_not_taken_back(jona):
    purpose = Consent.Purpose.LEADERBOARD
    assert not consents.withdraw(person=jona, purpose=purpose, now=timezone.now())
    assert not AuditEntry.objects.filter(act="consent.withdrawn").exists()


def test_yes_is_taken_back_once(jona):
    purpose, now = Consent.Purpose.PUBLISH, timezone.now()
    assert consents.withdraw(person=jona, purpose=purpose, now=now)
    assert not consents.withdraw(person=jona, purpose=purpose, now=now)
    assert AuditEntry.objects.filter(act="consent.withdrawn").count() == 1


def test_key_is_ended_once(jona):
    now = timezone.now()
    token, key = api_tokens.make(
        person=jona, kind="personal", name="Mine", scopes=["topics:read"],
        lasts=dt.timedelta(days=1), now=now,
    )  # fmt: skip
    assert api_tokens.find(key, now=now) == token
    assert api_tokens.end(token=token, by=jona, now=now)
    assert not api_tokens.end(token=token, by=jona, now=now)
    assert api_tokens.find(key, now=now) is None
    assert AuditEntry.objects.filter(act="api.key_ended").count() == 1


def test_refresh_token_that_may_be_spent_is_forgotten_and_the_rest_stays(queued):
    account = queued.account
    ends = timezone.now() + dt.timedelta(hours=1)
    tokens.store(account, {"access_token": "a", "refresh_token": "r"}, expires_at=ends)
    with transaction.atomic():
        tokens.drop_refresh(account)
    token = Token.objects.get(account=account)
    context = {"provider": account.network, "account_id": str(account.pk), "kind": "token"}
    assert sealing.unseal(token.sealed, context=context) == {"access_token": "a"}
    assert token.expires_at == ends


def test_account_without_a_token_opens_nothing(queued):
    Token.objects.all().delete()
    with pytest.raises(tokens.NoToken, match="disconnected"):
        tokens.open_access(queued.account, now=timezone.now())


def test_role_that_nobody_gave_is_not_taken(jona):
    assert not roles.take(person=jona, name="curator", by=None, now=timezone.now())
    assert not AuditEntry.objects.filter(act="role.taken").exists()


def test_state_moves_along_its_graph_only(queued):
    rows = Delivery.objects.filter(pk=queued.pk)
    with pytest.raises(NoSuchWay, match="queued → sent"):
        move(rows.filter(pk=0), {"sent": ("sending",)}, source="queued", to="sent")
    assert not move(rows, {"sent": ("sending",)}, source="sending", to="sent")
    assert Delivery.objects.get().state == "queued"


@pytest.mark.parametrize("answered", [None, dt.datetime(2026, 3, 2, tzinfo=dt.UTC)])
def test_idea_moves_from_the_answer_that_was_seen(answered, jona, mirja):
    by = mirja if answered else None
    idea = Proposal.objects.create(
        person=jona, submission=uuid.uuid4(), text="Ships at night.", language="en", created_at=timezone.now(),
        state="answered" if answered else "new", answered_at=answered, answered_by=by,
        answer="Thank you." if answered else "",
    )  # fmt: skip
    old = Proposal.objects.get(pk=idea.pk)
    now = timezone.now()
    assert move_proposal(idea, to="answered", answered_at=now, answered_by=mirja, answer="Soon.")
    assert not move_proposal(old, to="withdrawn")
    assert Proposal.objects.get().state == "answered"


@pytest.mark.parametrize("reason", ["claims", "reconnect", "disconnected"])
def test_claim_that_may_not_leave_stops_before_the_network(reason, mastodon, claimed):
    now = timezone.now()
    if reason == "claims":
        claimed.claims = deliveries.MAX_CLAIMS + 1
    elif reason == "reconnect":
        claimed.account.reconnect_reason = "the password was changed"
    else:
        claimed.account.disconnected_at = now
        type(claimed.account).objects.update(disconnected_at=now)
    deliveries.deliver(claimed)
    row = Delivery.objects.get()
    assert mastodon.count("arrived") == 0
    assert (row.state, row.blocked, row.detail) == {
        "claims": ("queued", "quarantined", ""),
        "reconnect": ("queued", "reconnect", "the password was changed"),
        "disconnected": ("cancelled", "", ""),
    }[reason]


@pytest.mark.parametrize(
    ("error", "blocked", "next_at"),
    [(tokens.NoToken("gone"), "reconnect", False), (PerhapsSent("away"), "", True)],
)
def test_claim_without_a_token_waits(error, blocked, next_at, mastodon, claimed, monkeypatch):
    monkeypatch.setattr(deliveries.tokens, "open_access", answering(error))
    deliveries.deliver(claimed)
    row = Delivery.objects.get()
    assert (row.state, row.blocked, bool(row.next_at)) == ("queued", blocked, next_at)
    assert mastodon.count("arrived") == 0


@pytest.fixture
def priced(network, monkeypatch):
    """The network costs a millionth for each post; tells what was given back."""
    listed = dataclasses.replace(
        network.abilities, price=Price(post=1, post_with_link=2, read=1, look=1)
    )
    monkeypatch.setattr(network, "abilities", listed)
    spent = []
    monkeypatch.setattr(limits, "spend", lambda _name, cost, **_: spent.append(-cost) or False)
    monkeypatch.setattr(limits, "give_back", lambda _name, cost, **_: spent.append(cost))
    return spent


def test_held_post_is_not_paid_for(priced, claimed, topic, mirja):
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=timezone.now())
    deliveries.deliver(claimed)
    assert (Delivery.objects.get().reason, priced) == ("held", [])


def test_start_that_is_refused_gives_the_price_back(priced, claimed, topic, mirja):
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=timezone.now())
    assert not starts.start(claimed)
    assert priced == [1]


def test_result_that_posted_nothing_gives_the_price_back_once(priced, claimed):
    assert starts.start(claimed)
    for _ in range(2):
        deliveries.settle(claimed, Later("soon"))
    assert priced == [1]


def test_month_that_is_spent_blocks_the_post(priced, mastodon, claimed):
    deliveries.deliver(claimed)
    row = Delivery.objects.get()
    assert (row.state, row.blocked, priced, mastodon.count("arrived")) == (
        "queued", "budget", [-1], 0,
    )  # fmt: skip


def fact(**changes):
    """What the locked rows say when nothing speaks against the start."""
    usual = starts.Facts(
        stopped=False, held=False, left=False, blocked=False, owner=1, connected=True,
        editor=False, consent=True, guideline=False, slot=None, part=None,
        due_at=dt.datetime(2026, 3, 2, tzinfo=dt.UTC), timezone="", off_from=None, off_until=None,
    )  # fmt: skip
    return usual._replace(**changes)


@pytest.mark.parametrize(
    ("changes", "takeover", "approved_by", "obstacle"),
    [
        ({}, None, None, ""),
        ({"connected": False}, None, None, "disconnected"),
        ({"owner": 2}, None, None, "disconnected"),
        ({"consent": False}, None, None, "consent"),
        ({"guideline": True}, None, None, "guideline"),
        ({"owner": None, "editor": True}, None, 2, ""),
        ({"owner": None, "editor": True}, None, 1, "approval"),
        ({"owner": None, "editor": True}, None, None, "approval"),
        ({"owner": None}, None, 2, "disconnected"),
        ({"owner": None, "slot": "open"}, 5, 2, ""),
        ({"owner": None, "slot": "not_yet"}, 5, 2, "slot_not_open"),
        ({"owner": None, "slot": "over"}, 5, 2, "takeover"),
        ({"owner": None, "slot": None}, 5, 2, "takeover"),
    ],
)
def test_only_who_may_write_there_starts(changes, takeover, approved_by, obstacle):
    at = timezone.now() if approved_by else None
    delivery = Delivery(
        post=Post(person_id=1, takeover_id=takeover), approved_at=at, approved_by_id=approved_by
    )
    assert starts._not_theirs(delivery, fact(**changes)) == obstacle


@pytest.mark.parametrize(
    ("changes", "before", "seconds_left", "obstacle"),
    [
        ({}, None, 3, ""),
        ({}, None, 2, "expired"),
        ({"due_at": None}, None, 3, "early"),
        ({"due_at": dt.datetime(2026, 3, 2, 9, 0, 1, tzinfo=dt.UTC)}, None, 3, "early"),
        ({"due_at": dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)}, None, 3, ""),
        ({"part": "cancelled"}, 4, 3, "thread_stopped"),
        ({"part": "failed"}, 4, 3, "thread_stopped"),
        ({"part": "queued"}, 4, 3, "part_before"),
        ({"part": "sent"}, 4, 3, ""),
    ],
)
def test_only_its_time_starts(changes, before, seconds_left, obstacle):
    now = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    ends = now + dt.timedelta(seconds=seconds_left)
    delivery = Delivery(post=Post(person_id=1, before_id=before), not_after=ends)
    assert starts._not_now(delivery, fact(**changes), now) == obstacle


def test_changed_text_and_barred_picture_start_nothing(claimed, monkeypatch):
    now = timezone.now()
    assert starts._obstacle(claimed, now) == ""
    claimed.post.sha256 = "0" * 64
    assert starts._obstacle(claimed, now) == "changed"
    shown = object()
    post = SimpleNamespace(
        has_media=True, picture=shown, more_pictures=SimpleNamespace(all=lambda: [None])
    )
    monkeypatch.setattr(starts.pictures, "barred", lambda found, **_: found == [shown])
    assert starts._barred(post, now) == "picture"


@pytest.mark.parametrize("obstacle", ["blocked", "left"])
def test_blocked_post_and_one_of_a_leaver_do_not_start(obstacle, claimed):
    Delivery.objects.update(blocked="quarantined" if obstacle == "blocked" else "")
    if obstacle == "left":
        type(claimed.post.person).objects.update(left_at=timezone.now(), is_active=False)
    assert not starts.start(claimed)
    row = Delivery.objects.get()
    assert (row.state, row.reason) == ("queued" if obstacle == "blocked" else "cancelled", obstacle)


def test_two_of_one_account_start_one_after_the_other(priced, claimed, jona, queue):
    second = queue(jona, claimed.account, text="Another sentence of mine.")
    Delivery.objects.filter(pk=second.pk).update(claims=1)
    second.refresh_from_db()
    assert starts.start(claimed)
    assert (starts.start(second), priced) == (False, [1])
    row = Delivery.objects.get(pk=second.pk)
    assert (row.state, row.claims, row.lease_until) == ("queued", 0, None)


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_network_without_a_key_is_asked_twice_and_sent_to_once_more(
    looks, queued, network, monkeypatch
):
    monkeypatch.setattr(
        network, "abilities", dataclasses.replace(network.abilities, idempotent=False)
    )
    unknown(queued, looks=looks)
    monkeypatch.setattr(network, "look", answering(Absent()))
    unknowns.look(queued)
    row = Delivery.objects.get()
    assert (row.state, row.reason, row.looks) == [
        ("unknown", "looking", 1),
        ("queued", "not_there", 2),
        ("unknown", "looking", 3),
    ][looks]
    if looks == 2:
        unknowns.look(row)
        row.refresh_from_db()
        assert (row.state, row.reason, row.look_at) == ("unknown", "ask_person", None)
        unknown(queued, reason="looking")
        monkeypatch.setattr(network, "look", answering(CannotTell("hidden")))
        unknowns.look(queued)
        assert Delivery.objects.get().reason == "ask_person"


def test_right_to_a_channel_that_ends_takes_back_what_was_queued(mastodon, mirja, claimed):
    now = timezone.now()
    Delivery.objects.update(lease_until=None)
    claimed.account.editors.add(claimed.post.person)
    ended = endings.remove_editor(
        channel=claimed.account, editor=claimed.post.person, by=mirja, now=now
    )
    row = Delivery.objects.get()
    assert (ended.taken_back, row.state, row.reason) == (1, "cancelled", "not_editor")
    assert not row.account.editors.exists()


def test_yes_to_something_else_that_ends_stops_no_post(claimed):
    ended = endings.withdraw_consent(
        person=claimed.post.person, purpose="engagement", now=timezone.now()
    )
    assert (ended.taken_back, Delivery.objects.get().state) == (0, "queued")


def test_claimed_host_that_is_silent_gets_one_probe(queued):
    Circuit.objects.create(
        network=queued.account.network, base_url=queued.account.base_url,
        opened_at=timezone.now(), probe_at=timezone.now() - dt.timedelta(seconds=1),
    )  # fmt: skip
    assert [row.pk for row in claims.claim(limit=8)] == [queued.pk]
    assert claims.claim(limit=8) == []


# --- seals


def test_rotation_leaves_what_no_key_opens_and_says_so(queued, settings, caplog):
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    before = bytes(Token.objects.get().sealed)
    assert rotation.waits()
    assert sum(rotation.rotate()) == 0
    assert bytes(Token.objects.get().sealed) == before
    assert f"integrations.Token {Token.objects.get().pk}" in caplog.text


def test_what_no_key_opens_is_not_sealed_anew(settings):
    sealed, _key = sealing.seal({"a": "b"}, context={})
    assert sealing.is_newest(sealed)
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    assert not sealing.is_newest(sealed)
    with pytest.raises(sealing.SealBroken):
        sealing.reseal(sealed)


def test_first_reason_to_connect_again_stays(queued):
    now = timezone.now()
    reconnects.ask(queued.account, why="the first", now=now)
    reconnects.ask(queued.account, why="the second", now=now)
    queued.account.refresh_from_db()
    assert queued.account.reconnect_reason == "the first"
    assert AuditEntry.objects.filter(act="account.reconnect_needed").count() == 1


def test_server_that_took_nothing_is_asked_later_where_the_network_has_grace(
    queued, network, monkeypatch, settings
):
    tokens.expire(queued.account, now=timezone.now())
    monkeypatch.setattr(network, "refreshes_again", lambda *_args: True)
    monkeypatch.setattr(network, "refresh", answering(NotSent("away")))
    with pytest.raises(NotSent):
        tokens.open_access(queued.account, now=timezone.now())
    assert list(settings.SPOOL_DIR.glob("token~*")) == []


# --- sessions


@pytest.mark.parametrize("kept", [True, False])
def test_who_logs_in_again_takes_along_what_was_kept_and_nothing_else(kept, jona, client):
    client.force_login(jona)
    session = client.session
    session["proved_at"] = 0
    if kept:
        session["stepup"] = "sealed"
    session.save()
    answer = client.post("/me/again/")
    assert answer.headers["Location"] == "/accounts/login/?next=%2Fme%2Fagain%2F"
    assert dict(client.session) == ({"stepup": "sealed"} if kept else {})


@pytest.mark.parametrize(("method", "status"), [("get", "next=%2Fme%2F"), ("post", "next=%2F")])
def test_proof_leads_back_to_a_page(method, status, jona):
    request = asking(jona)
    request.method, request.path = method.upper(), "/me/"
    request.get_full_path = lambda: "/me/"
    assert stepup.asked(request).headers["Location"] == f"/me/again/?{status}"


def asking(who, session=None, **posted):
    made = RequestFactory().post("/somewhere/", posted)
    made.user, made.session = who, SessionStore()
    made.session.update(session or {})
    return made


def test_step_of_somebody_else_is_no_proof(jona, mirja):
    request = asking(jona)
    stepup.on_step(None, request, mirja)
    assert "proved_at" not in request.session
    stepup.on_step(None, request, jona)
    assert stepup.is_fresh(request, now=timezone.now())


@pytest.mark.parametrize(("hours", "kept"), [(0, True), (2, False)])
def test_form_is_kept_for_an_hour(hours, kept, jona, monkeypatch):
    request = asking(jona, act="give")
    stepup._keep(request)
    later = timezone.now() + dt.timedelta(hours=hours)
    monkeypatch.setattr(stepup.timezone, "now", lambda: later)
    assert (stepup._kept(request) is not None) == kept


def test_form_that_is_too_large_is_not_kept(jona):
    request = asking(jona, act="x" * 200_001)
    stepup._keep(request)
    assert "stepup" not in request.session


@pytest.mark.parametrize("left", [True, False])
def test_second_factor_goes_with_the_last_device(left, jona, monkeypatch):
    request = asking(jona, {"second_factor": True})
    monkeypatch.setattr(second_factor, "is_mfa_enabled", lambda *_args, **_more: left)
    second_factor.on_removed(None, request, jona)
    assert second_factor.is_given(request) == left


def test_only_a_second_factor_counts_as_one(jona):
    request = asking(jona)
    second_factor.on_step(None, request, "password")
    codes = SimpleNamespace(type=Authenticator.Type.RECOVERY_CODES)
    second_factor.on_added(None, request, codes)
    assert not second_factor.is_given(request)


# --- figures


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({}, set()),
        ({"a": 5, "b": 5}, {"a", "b"}),
        ({"a": 6, "b": 5, "c": 1}, {"a"}),
        ({"a": 6, "c": 5, "d": 4, "e": 1}, {"a", "c"}),
        ({"a": 5, "b": 4}, set()),
    ],
)
def test_no_group_shows_by_subtraction(counts, shown):
    assert anonymity.apart(counts) == shown


def test_what_is_told_for_good_stays(db):
    now = timezone.now()
    assert anonymity.freeze("month/1", {"n": 5}, now=now)
    assert not anonymity.freeze("month/1", {"n": 6}, now=now)
    anonymity.freeze("other/1", {"n": 7}, now=now)
    assert anonymity.frozen("month/") == {"month/1": {"n": 5}}


def test_figure_that_two_tell_at_once_is_told_once(db):
    now, figure = timezone.now(), anonymity.Figure({1: "yes"}, {"n": 5})
    for name, content in (("other", {}), ("once", {"n": 10})):
        PublishedFigure.objects.create(name=name, told_at=now, content=content, answers={})
    later = now + dt.timedelta(days=9)
    found = anonymity._settle(None, "once", lambda: figure, later, dt.timedelta(days=1))
    assert found == ({"n": 10}, now)


def test_figure_that_two_move_at_once_moves_once(db):
    now, later = timezone.now(), timezone.now() + dt.timedelta(days=9)
    row = PublishedFigure.objects.create(name="once", told_at=now, content={"n": 5}, answers={})
    PublishedFigure.objects.update(told_at=later, content={"n": 10})
    figure = anonymity.Figure(dict.fromkeys(range(5), "yes"), {"n": 20})
    found = anonymity._settle(row, "once", lambda: figure, later, dt.timedelta(days=1))
    assert found == ({"n": 10}, later)


def test_figure_moves_when_five_answers_changed(db):
    now, later = timezone.now(), timezone.now() + dt.timedelta(days=9)
    row = PublishedFigure.objects.create(name="once", told_at=now, content={"n": 5}, answers={})
    figure = anonymity.Figure(dict.fromkeys(range(5), "yes"), {"n": 20})
    assert anonymity._settle(row, "once", lambda: figure, later, dt.timedelta(days=1)) == (
        {"n": 20},
        later,
    )


def test_more_cells_than_can_be_reckoned_are_not_told():
    everybody = {key: [(anonymity.MOST_CELLS,)] for key in range(9)}
    assert not anonymity.inseparable(everybody)
    fewer = {key: [(anonymity.MOST_CELLS - 1,)] for key in range(9)}
    assert anonymity.inseparable(fewer)


def test_yes_that_stands_is_kept_as_it_is(jona):
    before = Consent.objects.get(person=jona, purpose="publish")
    later = timezone.now() + dt.timedelta(days=1)
    assert consents.give(person=jona, purpose="publish", now=later) == before
    assert Consent.objects.get(person=jona, purpose="publish").given_at == before.given_at


def test_connection_whose_day_has_passed_is_asked_about(queued):
    now = timezone.now()
    reconnects.until(queued.account, now + dt.timedelta(days=1))
    assert reconnects.expire(now=now) == 0
    assert reconnects.expire(now=now + dt.timedelta(days=1)) == 1
    queued.account.refresh_from_db()
    assert queued.account.reconnect_reason == "its time is over"


def test_key_of_an_ended_connection_opens_for_its_account_alone(queued):
    sealed = Token.objects.get(account=queued.account).sealed
    assert "access_token" in tokens.open_ended(queued.account, sealed)
    queued.account.pk += 1
    with pytest.raises(sealing.SealBroken):
        tokens.open_ended(queued.account, sealed)


def test_limit_told_while_preparing_is_remembered(claimed, network, monkeypatch):
    def prepare(_self, _post, _access, window):
        window.limits.append(Remaining("account", 0, 600.0))
        return {}

    monkeypatch.setattr(network, "prepare", prepare)
    now = timezone.now()
    assert deliveries.prepare(claimed, tokens.open_access(claimed.account, now=now), now)
    assert Bucket.objects.get(account=claimed.account, left=0).resets_at > now
