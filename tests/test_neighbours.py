"""Beside each row that a guard writes lies one that it must not touch (G34).

A step is done with the first of two posts that differ in their person and account alone. What
becomes of it is said word for word; whatever is not named stays as it was, and so does all of the
second.
"""

import contextlib
import dataclasses
import datetime as dt
import hashlib
import itertools
import re
import threading
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import DateTimeField, F, Func
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from ambassadors import consents, roles
from ambassadors.models import AuditEntry, Consent, Role
from campaigns import claims, deliveries, endings, pace, restores, starts, unknowns
from campaigns.models import Attempt, Delivery, Post, Suggestion, Takeover, Transition
from campaigns.states import move_delivery, move_suggestion
from integrations import api_tokens, limits, reconnects, rotation, sealing, spool, tokens
from integrations.models import ApiToken, Bucket, Circuit, ConnectedAccount, Token
from integrations.networks.base import (
    Absent,
    CannotTell,
    Later,
    Refused,
    Remaining,
    Renewed,
    Sent,
    Unknown,
)
from integrations.wire import GateClosed, NotSent, PerhapsSent, WireError

from .test_corners import answering, network, priced  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
EARLY = NOW - 300 * SECOND
LONG, KEPT = "x" * 401, "x" * 400
URL = "https://x.example/7"
_KEPT_ROWS = (Delivery, Attempt, ConnectedAccount, Token, Bucket, Circuit)


@pytest.fixture
def pair(person, account_on, mastodon, queue, monkeypatch):
    """Two posts that a worker has claimed, of two people on one server, at ``NOW``."""
    for number in ("1", "2"):
        who = person(f"P{number}")
        queue(who, account_on(who, mastodon, number=number))
    assert len(claims.claim(limit=2)) == 2
    enter = starts.barrier.enter
    monkeypatch.setattr(starts.barrier, "enter", lambda: enter() and NOW)
    monkeypatch.setattr(deliveries, "clock", lambda: NOW)
    monkeypatch.setattr(pace, "clock", lambda: NOW)
    return stand(
        reason="before", detail="before", claims=2, looks=1, next_at=EARLY, look_at=EARLY,
        written_at=EARLY, due_at=EARLY, not_after=NOW + DAY,
    )  # fmt: skip


def stand(**fields):
    """Both posts, changed alike; with tries of this and of an earlier worker where they are sent."""
    Delivery.objects.update(**fields)
    rows = list(Delivery.objects.order_by("pk"))
    if fields.get("state") == "sending":
        for row in rows:
            for fence in (row.fence, row.fence + 7):
                Attempt.objects.get_or_create(
                    delivery=row, fence=fence, defaults={"began_at": EARLY}
                )
    return rows


def _rows():
    return {
        (model.__name__, row["id"]): row for model in _KEPT_ROWS for row in model.objects.values()
    }


def changed(delivery, step):
    """What a step wrote: into the post itself, and into what is its own, by model.

    Whatever it writes into rows of others stands under their number, and what it made under "new".
    """
    before, moves = _rows(), set(Transition.objects.values_list("pk", flat=True))
    step(delivery)
    found = {}
    for (name, pk), row in _rows().items():
        old = before.get((name, pk))
        values = {key: value for key, value in row.items() if not old or old[key] != value}
        if not values:
            continue
        belongs = {
            "Delivery": pk == delivery.pk,
            "ConnectedAccount": pk == delivery.account_id,
            "Attempt": row.get("delivery_id") == delivery.pk and row.get("fence") == delivery.fence,
        }.get(name, row.get("account_id") == delivery.account_id)
        found[name if belongs and old else ("new" if belongs else "other", name)] = values
    own = found.pop("Delivery", {})
    made = Transition.objects.exclude(pk__in=moves).values_list(
        "delivery", "source", "target", "at"
    )
    state = before["Delivery", delivery.pk]["state"]
    assert list(made) == ([(delivery.pk, state, own["state"], NOW)] if "state" in own else [])
    return own, found


# --- the answer

QUEUED = {"state": "queued", "lease_until": None, "claims": 0}
LATER = QUEUED | {"reason": "later", "detail": KEPT, "look_at": None}
BLOCKED = QUEUED | {"reason": "blocked", "detail": KEPT, "blocked": "reconnect"}
UNKNOWN = {
    "state": "unknown", "reason": "ambiguous", "detail": KEPT, "lease_until": None, "claims": 0,
    "first_tried_at": NOW,
}  # fmt: skip
ASKED = {"ConnectedAccount": {"reconnect_reason": "x" * 200}}
SENT = {
    "state": "sent", "remote_id": "7", "remote_url": URL, "sent_at": NOW, "reason": "",
    "lease_until": None, "look_at": None, "measure_at": NOW + 600 * SECOND,
}  # fmt: skip


@pytest.mark.parametrize(
    ("result", "tries", "own", "others"),
    [
        (Sent("7", URL), 0, SENT, {}),
        (Later(LONG, wait=60.0, whose=""), 0, LATER | {"next_at": NOW + 60 * SECOND}, {}),
        (Later(LONG, wait=0.0, whose=""), 9, LATER | {"next_at": NOW}, {}),
        (Later(LONG, renew=True), 0, LATER | {"next_at": NOW}, {"Token": {"expires_at": NOW}}),
        (Later(LONG, renew=True), 1, BLOCKED, ASKED),
        (
            Refused(LONG, permanent=True),
            0,
            {"state": "failed", "reason": "refused", "detail": KEPT, "lease_until": None},
            {},
        ),
        (Refused(LONG, permanent=False), 0, BLOCKED, ASKED),
        (Unknown(LONG, look_after=500.0), 0, UNKNOWN | {"look_at": NOW + 500 * SECOND}, {}),
        (Unknown(LONG, look_after=5.0), 0, UNKNOWN | {"look_at": NOW + 90 * SECOND}, {}),
        (Unknown(LONG, ask=True), 0, UNKNOWN | {"reason": "ask_person", "look_at": None}, {}),
    ],
)
def test_answer_is_written_into_its_own_try(result, tries, own, others, pair):
    one, _other = stand(state="sending")
    one.tries = tries
    attempt = {"ended_at": NOW, "outcome": type(result).__name__.lower()}
    if not isinstance(result, Sent):
        attempt["detail"] = KEPT
    assert changed(one, lambda row: deliveries._settle(row, result, NOW)) == (
        own, {"Attempt": attempt, **others},
    )  # fmt: skip


@pytest.mark.parametrize("whose", ["account", "app"])
def test_limit_of_an_answer_pauses_whose_it_is(whose, pair):
    one, _other = stand(state="sending")
    result = Later(LONG, wait=60.0, whose=whose)
    own, found = changed(one, lambda row: deliveries._settle(row, result, NOW))
    bucket = found["other" if whose == "app" else "new", "Bucket"]
    assert own == LATER | {"next_at": NOW + 60 * SECOND}
    assert (bucket["left"], bucket["resets_at"]) == (0, NOW + 60 * SECOND)
    assert bucket["account_id"] == (None if whose == "app" else one.account_id)


@pytest.mark.parametrize("state", ["sending", "queued"])
def test_refusal_of_the_company_waits_a_quarter_of_an_hour(state, pair):
    one, _other = stand(state=state)
    refused = Refused(LONG, permanent=False, whose="app")
    own, found = changed(one, lambda row: deliveries._await_operator(row, refused, now=NOW))
    wanted = LATER | {"reason": "operator", "next_at": NOW + 900 * SECOND}
    assert Delivery.objects.get(pk=one.pk).reason == "operator"
    if state == "queued":
        wanted = {name: wanted[name] for name in wanted if name not in {"state", "look_at"}}
    assert own == wanted
    assert list(found) == [("other", "Bucket")]


@pytest.mark.parametrize(
    ("first", "started", "kept"),
    [(None, None, NOW), (None, EARLY, EARLY), (EARLY - DAY, EARLY, EARLY - DAY)],
)
def test_first_try_that_may_have_arrived_is_remembered(first, started, kept, pair):
    one, _other = stand(state="sending", first_tried_at=first, started_at=started)
    deliveries._settle(one, Unknown("?"), NOW)
    assert Delivery.objects.get(pk=one.pk).first_tried_at == kept


@pytest.mark.parametrize("source", ["sending", "unknown", "queued"])
def test_proof_is_written_whatever_the_try_is_doing(source, pair):
    one, _other = stand(state=source, blocked="quarantined")
    one.fence -= 1
    own, _found = changed(one, lambda row: deliveries.mark_sent(row, "7", URL, now=NOW))
    assert own == SENT | {"blocked": ""}
    assert not deliveries.mark_sent(one, "8", URL, now=NOW)


@pytest.mark.parametrize(
    ("result", "answered", "failures"),
    [
        (Sent("7", URL), True, 0),
        (Later("soon"), True, 0),
        (Later("soon"), None, 1),
        (Later("away"), False, 2),
        (Unknown("?"), None, 2),
        (Unknown("?"), False, 2),
        (Unknown("?"), True, 0),
    ],
)
def test_answer_counts_for_its_host(result, answered, failures, pair):
    one, _other = stand(state="sending")
    hosts = [one.account.base_url, "https://elsewhere.example"]
    for host in hosts:
        Circuit.objects.create(
            network=one.account.network, base_url=host, failures=1, failing_since=NOW
        )
    deliveries.settle(one, result, answered=answered, said=[Remaining("account", 3, 600.0)])
    told = dict(Circuit.objects.values_list("base_url", "failures"))
    assert [told[host] for host in hosts] == [failures, 1]
    limit = Bucket.objects.get(account=one.account, left=3)
    assert limit.resets_at == NOW + 600 * SECOND


@pytest.mark.parametrize(
    ("result", "given_back"),
    [
        (Later("soon"), [1]),
        (Refused("no", permanent=True), [1]),
        (Refused("no", permanent=False), [1]),
        (Sent("7", URL), []),
        (Unknown("?"), []),
    ],
)
def test_price_returns_where_nothing_was_posted(result, given_back, priced, pair):
    one, _other = stand(state="sending")
    deliveries.settle(one, result)
    assert priced == given_back


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Sent("7", URL), (Sent("7", URL), True)),
        (Later("soon"), (Later("soon"), True)),
        (Refused("no", permanent=True), (Refused("no", permanent=True), True)),
        (Unknown("?"), (Unknown("?"), False)),
        (GateClosed("late"), (Later("late", wait=2.0, whose=""), None)),
        (NotSent("away"), (Later("away"), False)),
        (NotSent(""), (Later("NotSent"), False)),
        (PerhapsSent("half"), (Unknown("PerhapsSent"), None)),
        (KeyError("id"), (Unknown("KeyError"), None)),
    ],
)
def test_whatever_a_network_does_is_one_of_four_results(answer, told, pair, network, monkeypatch):
    monkeypatch.setattr(network, "publish", answering(answer))
    assert deliveries._publish(pair[0], None, None, None) == told


@pytest.mark.parametrize(("waited", "closed"), [(1.99, False), (2.0, True), (2.01, True)])
def test_first_byte_leaves_within_two_seconds_of_the_start(waited, closed, monkeypatch):
    monkeypatch.setattr(deliveries.time, "monotonic", lambda: 100.0 + waited)
    may_start = deliveries.gate(100.0)
    if closed:
        with pytest.raises(GateClosed):
            may_start()
    else:
        may_start()


def test_answer_is_tried_for_three_leases_each_time_on_a_new_connection(pair, monkeypatch):
    one, _other = stand(state="sending")
    passed, open_ = [0.0], []

    def sleep(seconds):
        passed[0] += seconds
        open_.append(connection.connection is not None)

    monkeypatch.setattr(pace, "LEASE", 2 * SECOND)
    monkeypatch.setattr(deliveries.time, "monotonic", lambda: passed[0])
    monkeypatch.setattr(deliveries.time, "sleep", sleep)
    monkeypatch.setattr(deliveries, "_settle", answering(DatabaseError("away")))
    with pytest.raises(DatabaseError):
        deliveries.settle(one, Sent("7", URL))
    assert (passed, set(open_)) == ([6.5], {False})


def test_proof_on_the_disk_is_of_the_post_whose_key_it_bears(pair, settings):
    one, other = stand(state="sending")
    spool.keep("sent", str(other.key), {"remote_id": "7", "url": URL})
    own, _found = changed(other, lambda _row: deliveries.replay_spool())
    assert own == SENT
    assert Delivery.objects.get(pk=one.pk).state == "sending"


def test_address_is_written_where_its_post_is(pair, network, monkeypatch):
    monkeypatch.setattr(network, "address", answering("https://x.example/" + "y" * 800))
    one, _other = stand(state="sent", remote_id="7")
    own, _found = changed(one, lambda row: deliveries._find_address(row, "7", None))
    assert own == {"remote_url": ("https://x.example/" + "y" * 800)[:800]}
    assert changed(one, lambda row: deliveries._find_address(row, "8", None)) == ({}, {})


def test_address_that_the_answer_named_is_not_asked_for(pair, network, monkeypatch):
    monkeypatch.setattr(network, "publish", answering(Sent("7", URL)))
    monkeypatch.setattr(network, "address", answering("https://x.example/other"))
    deliveries.deliver(pair[0])
    row = Delivery.objects.get(pk=pair[0].pk)
    assert (row.state, row.remote_url) == ("sent", URL)


def test_move_that_cannot_be_written_down_breaks_what_it_is_part_of(pair, monkeypatch):
    monkeypatch.setattr(Transition.objects, "create", answering(OSError("no room")))
    with pytest.raises(TransactionManagementError), transaction.atomic():
        with contextlib.suppress(OSError):
            move_delivery(pair[0], to="cancelled", source="queued", now=NOW)
        Delivery.objects.update(detail="half of it")
    assert set(Delivery.objects.values_list("state", "detail")) == {("queued", "before")}


# --- before the start

WAITS = {"reason": "later", "detail": KEPT, "lease_until": None, "claims": 0}
PUT_OFF = {"reason": "later", "lease_until": None, "claims": 0}
STOPPED = {"reason": "blocked", "detail": KEPT, "blocked": "reconnect", "lease_until": None}


@pytest.mark.parametrize(
    ("answer", "goes_on", "own", "others"),
    [
        ({}, True, {}, {}),
        ({"media": "7"}, True, {"kept": {"media": "7"}}, {}),
        (Later(LONG, wait=60.0, whose=""), False, WAITS | {"next_at": NOW + 60 * SECOND}, {}),
        (
            Later(LONG, renew=True),
            False,
            WAITS | {"next_at": NOW},
            {"Token": {"expires_at": NOW}},
        ),
        (
            Refused(LONG, permanent=True),
            False,
            {"state": "failed", "reason": "refused", "detail": KEPT, "lease_until": None},
            {},
        ),
        (Refused(LONG, permanent=False), False, STOPPED, ASKED),
    ],
)
def test_what_preparing_answers_is_written_for_its_post(
    answer, goes_on, own, others, pair, network, monkeypatch
):  # fmt: skip
    monkeypatch.setattr(network, "prepare", answering(answer))
    access, said = tokens.open_access(pair[0].account, now=NOW), []
    found = changed(pair[0], lambda row: said.append(deliveries.prepare(row, access, NOW)))
    assert (said, found) == ([goes_on], (own, others))


@pytest.mark.parametrize(("error", "failures"), [(NotSent("away"), 2), (PerhapsSent("half"), 1)])
def test_host_that_takes_no_picture_counts_as_silent_if_it_heard_nothing(
    error, failures, pair, network, monkeypatch
):  # fmt: skip
    account = pair[0].account
    Circuit.objects.create(
        network=account.network, base_url=account.base_url, failures=1, failing_since=NOW
    )
    monkeypatch.setattr(deliveries.random, "uniform", lambda low, _high: low)
    monkeypatch.setattr(network, "prepare", answering(error))
    access = tokens.open_access(account, now=NOW)
    own, _found = changed(pair[0], lambda row: deliveries.prepare(row, access, NOW))
    assert own == PUT_OFF | {"detail": f"media: {error}", "next_at": NOW + SECOND}
    assert Circuit.objects.get().failures == failures


@pytest.mark.parametrize(("claims_", "state"), [(3, "sent"), (4, "queued")])
def test_third_worker_still_sends(claims_, state, pair):
    one, other = stand(claims=claims_)
    deliveries.deliver(one)
    rows = dict(Delivery.objects.values_list("pk", "state"))
    assert rows == {one.pk: state, other.pk: "queued"}
    blocked = Delivery.objects.get(pk=one.pk).blocked
    assert blocked == ("" if state == "sent" else "quarantined")


@pytest.mark.parametrize("media", [True, False])
def test_picture_of_a_held_post_is_not_uploaded(media, pair, network, monkeypatch):
    asked = []
    monkeypatch.setattr(network, "prepare", lambda *_args: asked.append(1) or {})
    monkeypatch.setattr(type(pair[0].post), "has_media", media)
    monkeypatch.setattr(starts, "_barred", lambda *_args: "")
    monkeypatch.setattr(starts, "_obstacle", answering("held"))
    deliveries.deliver(pair[0])
    row = Delivery.objects.get(pk=pair[0].pk)
    assert (row.reason, row.next_at, len(asked)) == ("held", NOW + 20 * SECOND, 0 if media else 1)


@pytest.mark.parametrize(
    ("tries", "highest"), [(0, 30), (1, 60), (2, 120), (5, 960), (6, 1800), (20, 1800)]
)
def test_own_waiting_doubles_up_to_half_an_hour(tries, highest, pair, monkeypatch):
    asked = []
    monkeypatch.setattr(
        deliveries.random, "uniform", lambda *ends: asked.append(ends) or ends[1]
    )  # fmt: skip
    pair[0].tries = tries
    deliveries.put_back(pair[0], Later("soon", whose=""), now=NOW)
    row = Delivery.objects.get(pk=pair[0].pk)
    assert (asked, row.next_at) == ([(1, highest)], NOW + highest * SECOND)


@pytest.mark.parametrize("first", [None, EARLY])
@pytest.mark.parametrize(
    ("tries", "later", "over"),
    [
        (7, Later(LONG, wait=60.0), False),
        (8, Later(LONG, wait=60.0), True),
        (8, Later(LONG, wait=60.0, whose=""), False),
        (0, Later(LONG, wait=DAY.total_seconds() - 1), False),
        (0, Later(LONG, wait=DAY.total_seconds()), True),
        (0, Later(LONG, wait=DAY.total_seconds() + 1, whose=""), True),
    ],
)
def test_trying_ends_after_eight_or_with_the_posts_time(first, tries, later, over, pair):
    one, _other = stand(state="sending", first_tried_at=first)
    one.tries = tries
    own, _found = changed(one, lambda row: deliveries.put_back(row, later, now=NOW))
    wanted = LATER | {"next_at": NOW + later.wait * SECOND}
    if over:
        wanted |= {"state": "unknown" if first else "failed", "reason": "expired"}
        wanted |= {"look_at": NOW if first else None}
    assert own == wanted


def test_blocked_post_waits_for_its_person(pair):
    own, found = changed(
        pair[0], lambda row: deliveries.block(row, "quarantined", detail=LONG)
    )  # fmt: skip
    assert (own, found) == (STOPPED | {"blocked": "quarantined"}, {})


# --- the start


def test_start_writes_its_own_post_account_and_try(pair):
    one = pair[0]
    Delivery.objects.update(tries=1)
    one.tries = 1
    own, found = changed(one, starts.start)
    attempt = Attempt.objects.get()
    assert own == {
        "state": "sending", "reason": "", "lease_until": NOW + 60 * SECOND, "started_at": NOW,
        "tries": 2, "next_at": None,
    }  # fmt: skip
    assert found["ConnectedAccount"] == {"last_served_at": NOW}
    assert (attempt.delivery, attempt.fence, attempt.began_at) == (one, one.fence, NOW)
    assert set(found) == {("new", "Attempt"), "ConnectedAccount"}
    assert restores._read(restores._file().read_text()) == attempt.pk


def test_lease_that_was_not_used_is_given_back(pair):
    own, found = changed(pair[0], starts._give_back)
    assert (own, found) == ({"lease_until": None, "claims": 1}, {})


def test_claim_that_was_lost_meanwhile_gives_the_price_back(priced, pair):
    pair[0].fence -= 1
    assert not starts.start(pair[0])
    assert priced == [1]


@pytest.mark.parametrize("obstacle", [*starts._ENDS, *starts._BLOCKS, *starts._PASSES])
def test_obstacle_is_written_into_its_own_post(obstacle, pair):
    own, found = changed(pair[0], lambda row: starts._stop(row, obstacle, NOW))
    if end := starts._ENDS.get(obstacle):
        wanted = {"state": end, "lease_until": None, "look_at": None, "reason": obstacle}
    elif obstacle in starts._BLOCKS:
        wanted = QUEUED | {"reason": obstacle, "blocked": obstacle}
    else:
        seconds = starts._PASSES[obstacle]
        wanted = QUEUED | {"reason": obstacle, "next_at": NOW + seconds * SECOND}
    if not end:
        del wanted["state"]
    assert (own, found) == (wanted, {})


def test_look_before_the_start_stops_the_post_or_nothing(pair, mirja, monkeypatch):
    told = []
    assert changed(pair[0], lambda row: told.append(starts.clear(row))) == ({}, {})
    monkeypatch.setattr(starts, "_obstacle", answering("consent"))
    own, _found = changed(pair[0], lambda row: told.append(starts.clear(row)))
    assert (told, own["blocked"]) == ([True, False], "consent")


# --- what the locked rows say


def lent(delivery, state="released", begins=0, ends=3):
    """The account is the company's, the post of a slot on it that somebody else approved."""
    by = {
        "accepted": {"accepted_at": EARLY},
        "released": {"accepted_at": EARLY, "released_at": EARLY},
        "handed_back": {"ended_at": EARLY},
        "stopped": {"ended_at": EARLY},
    }.get(state, {})
    slot = Takeover.objects.create(
        channel=delivery.account, person=delivery.post.person, rules="Be kind.",
        submission=uuid.uuid4(), planned_at=EARLY, state=state, begins_at=NOW + begins * SECOND,
        ends_at=NOW + ends * SECOND, **by,
    )  # fmt: skip
    Post.objects.filter(pk=delivery.post_id).update(takeover=slot)


@pytest.fixture
def channels(pair, mirja):
    """The same two posts on two accounts of the company, approved by a third person."""
    ConnectedAccount.objects.update(person=None)
    return stand(approved_at=NOW, approved_by=mirja)


@pytest.mark.parametrize(
    ("state", "begins", "ends", "obstacle"),
    [
        ("released", 0, 3, ""),
        ("released", -9, 9, ""),
        ("released", 1, 9, "slot_not_open"),
        ("released", -9, 2, "takeover"),
        ("accepted", -9, 9, "slot_not_open"),
        ("planned", -9, 9, "slot_not_open"),
        ("accepted", -9, 2, "takeover"),
        ("handed_back", -9, 9, "takeover"),
        ("stopped", -9, 9, "takeover"),
    ],
)
def test_post_of_a_slot_leaves_while_its_own_is_open(state, begins, ends, obstacle, channels):
    one, other = channels
    lent(one, state, begins, ends)
    lent(other, *(("released", -9, 9) if obstacle else ("planned", 9, 99)))
    one = Delivery.objects.get(pk=one.pk)
    assert starts._obstacle(one, NOW) == obstacle
    own, found = changed(one, starts.start)
    assert own["state" if not obstacle or obstacle == "takeover" else "reason"] == (
        "sending" if not obstacle else "cancelled" if obstacle == "takeover" else obstacle
    )
    assert set(found) == (set() if obstacle else {("new", "Attempt"), "ConnectedAccount"})


@pytest.mark.parametrize(
    ("editors", "obstacle"),
    [([], "disconnected"), ([(0, 0)], ""), ([(0, 1), (1, 0)], "disconnected")],
)
def test_post_of_a_channel_leaves_while_its_person_edits_it(editors, obstacle, channels):
    for account, who in editors:
        channels[account].account.editors.add(channels[who].post.person)
    assert starts._obstacle(channels[0], NOW) == obstacle


@pytest.mark.parametrize(
    ("state", "obstacle"),
    [("queued", "part_before"), ("sent", ""), ("failed", "thread_stopped"), ("cancelled", "thread_stopped"), ("unknown", "part_before")],
)  # fmt: skip
def test_part_of_a_thread_waits_for_the_part_before_it(state, obstacle, pair):
    one, other = pair
    Post.objects.filter(pk=one.post_id).update(before=other.post_id)
    remote = {"remote_id": "7"} if state == "sent" else {}
    Delivery.objects.filter(pk=other.pk).update(state=state, **remote)
    assert starts._obstacle(Delivery.objects.get(pk=one.pk), NOW) == obstacle
    assert starts._obstacle(Delivery.objects.get(pk=other.pk), NOW) == ""


@pytest.mark.parametrize(
    ("media", "picture", "more", "barred", "obstacle"),
    [
        (False, "a", [], ["a"], ""),
        (True, None, [], [None], ""),
        (True, "a", [], [], ""),
        (True, "a", ["b"], ["c"], ""),
        (True, "a", ["b"], ["a"], "picture"),
        (True, "a", ["b"], ["b"], "picture"),
        (True, None, ["b"], ["b"], "picture"),
    ],
)
def test_each_picture_of_a_post_may_bar_it(media, picture, more, barred, obstacle, monkeypatch):
    post = SimpleNamespace(
        has_media=media, picture=picture, more_pictures=SimpleNamespace(all=lambda: more)
    )
    monkeypatch.setattr(
        starts.pictures, "barred", lambda found, on: on == NOW.date() and set(found) & set(barred)
    )
    assert starts._barred(post, NOW) == obstacle


@pytest.mark.parametrize(
    ("purpose", "withdrawn", "obstacle"),
    [("publish", None, ""), ("publish", EARLY, "consent"), ("roster", None, "consent")],
)
def test_only_the_standing_yes_to_publish_lets_a_post_leave(purpose, withdrawn, obstacle, pair):
    mine = Consent.objects.filter(person=pair[0].post.person)
    mine.exclude(purpose="publish").delete()
    mine.update(purpose=purpose, withdrawn_at=withdrawn)
    assert [starts._obstacle(row, NOW) for row in pair] == [obstacle, ""]


# --- what stayed unclear


@pytest.mark.parametrize(
    ("state", "lease", "found"),
    [
        ("sending", NOW - SECOND, True),
        ("sending", NOW, False),
        ("sending", None, False),
        ("queued", NOW - SECOND, False),
        ("unknown", NOW - SECOND, False),
    ],
)
def test_only_a_send_whose_worker_is_gone_is_taken_up(state, lease, found, pair):
    one, other = stand(state=state, lease_until=lease, started_at=EARLY)
    Delivery.objects.filter(pk=other.pk).update(lease_until=NOW + SECOND)
    told = []
    own, _others = changed(one, lambda _row: told.append(unknowns.recover()))
    wanted = {
        "state": "unknown", "reason": "worker_lost", "lease_until": None, "look_at": NOW,
        "first_tried_at": EARLY,
    }  # fmt: skip
    assert (told, own) == ([int(found)], wanted if found else {})


def test_every_send_whose_worker_is_gone_is_taken_up(pair):
    stand(state="sending", lease_until=EARLY, started_at=NOW, first_tried_at=EARLY)
    assert unknowns.recover() == 2
    rows = Delivery.objects.values_list("state", "look_at", "first_tried_at")
    assert set(rows) == {("unknown", NOW + 90 * SECOND, EARLY)}
    stand(state="sending", lease_until=EARLY, started_at=None, first_tried_at=None)
    assert unknowns.recover() == 2
    assert set(Delivery.objects.values_list("look_at", flat=True)) == {NOW + 90 * SECOND}


@pytest.mark.parametrize(
    ("state", "look_at", "found"),
    [
        ("unknown", NOW, True),
        ("unknown", NOW + SECOND, False),
        ("unknown", None, False),
        ("queued", NOW, False),
    ],
)
def test_look_that_is_due_is_claimed_by_moving_it_ahead(state, look_at, found, pair):
    one, other = stand(state=state, look_at=look_at)
    Delivery.objects.filter(pk=other.pk).update(look_at=NOW + SECOND)
    told = []
    own, others = changed(one, lambda _row: told.extend(unknowns.look_due(limit=5)))
    assert (told, others) == ([one] if found else [], {})
    assert own == ({"look_at": NOW + 120 * SECOND} if found else {})


def test_looks_are_claimed_the_longest_due_first(pair):
    one, other = stand(state="unknown", look_at=EARLY)
    Delivery.objects.filter(pk=one.pk).update(look_at=NOW)
    assert unknowns.look_due(limit=1) == [other]
    assert unknowns.look_due(limit=5) == [one]


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, 0),
        ({"network": "bluesky"}, 2),
        ({"base_url": "https://elsewhere.example"}, 2),
        ({"opened_at": None}, 2),
        ({"probe_at": NOW}, 2),
        ({"probe_at": NOW + SECOND}, 0),
    ],
)
def test_nobody_looks_at_a_host_that_is_silent(fields, asked, pair):
    account = pair[0].account
    stand(state="unknown", look_at=EARLY)
    usual = {"network": account.network, "base_url": account.base_url}
    Circuit.objects.create(**usual | {"opened_at": EARLY, "probe_at": NOW + 60 * SECOND} | fields)
    assert len(unknowns.look_due(limit=5)) == asked


@pytest.mark.parametrize(
    ("idempotent", "looks", "own"),
    [
        (True, 0, {"state": "queued", "reason": "not_there", "look_at": None, "looks": 1}),
        (False, 0, {"reason": "looking", "looks": 1, "look_at": NOW + 270 * SECOND}),
        (False, 1, {"state": "queued", "reason": "not_there", "look_at": None, "looks": 2}),
        (False, 2, {"reason": "looking", "looks": 3, "look_at": NOW + 270 * SECOND}),
        (
            False,
            3,
            {
                "reason": "ask_person", "look_at": None,
                "detail": "sent twice without an answer, and not to be seen",
            },
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("over", [False, True])
def test_post_that_is_not_there_is_looked_for_twice_where_there_is_no_key(
    over, idempotent, looks, own, pair, network, monkeypatch
):  # fmt: skip
    listed = dataclasses.replace(network.abilities, idempotent=idempotent)
    monkeypatch.setattr(network, "abilities", listed)
    ends = NOW if over else NOW + SECOND
    one, _other = stand(state="unknown", looks=looks, next_at=EARLY, not_after=ends)
    if "state" in own:
        own = own | {"next_at": NOW}
        if over:
            own |= {"state": "failed", "reason": "expired"}
    assert changed(one, lambda row: unknowns._absent(row, NOW)) == (own, {})


def test_post_of_an_ended_connection_is_not_sent_again(pair):
    one, _other = stand(state="unknown")
    ConnectedAccount.objects.update(disconnected_at=NOW)
    unknowns._absent(Delivery.objects.get(pk=one.pk), NOW)
    row = Delivery.objects.get(pk=one.pk)
    assert (row.state, row.reason) == ("failed", "expired")


LOOKS = {"reason": "looking", "look_at": NOW + 300 * SECOND}
ASKS = {"reason": "ask_person", "look_at": None}


@pytest.mark.parametrize(
    ("first", "own"),
    [(None, LOOKS), (NOW - DAY, LOOKS), (NOW - DAY - SECOND, ASKS), (NOW - 2 * DAY, ASKS)],
)
def test_look_that_tells_nothing_is_repeated_for_a_day(first, own, pair):
    one, _other = stand(state="unknown", first_tried_at=first)
    found = changed(one, lambda row: unknowns._look_again(row, LONG, NOW))
    assert found == (own | {"detail": KEPT}, {})


@pytest.mark.parametrize(
    ("seen", "idempotent", "own"),
    [
        (Sent("7", URL), True, SENT),
        (CannotTell("hidden"), True, LOOKS | {"detail": "hidden"}),
        (CannotTell("hidden"), False, ASKS | {"detail": "hidden"}),
        (NotSent("away"), False, LOOKS | {"detail": "away"}),
        (PerhapsSent("half"), False, LOOKS | {"detail": "half"}),
        (tokens.NoToken("gone"), False, LOOKS | {"detail": "gone"}),
        (KeyError("odd"), False, LOOKS | {"detail": "KeyError"}),
    ],
)
def test_look_changes_the_post_that_was_looked_for(
    seen, idempotent, own, pair, network, monkeypatch
):  # fmt: skip
    listed = dataclasses.replace(network.abilities, idempotent=idempotent)
    monkeypatch.setattr(network, "abilities", listed)
    monkeypatch.setattr(network, "look", answering(seen))
    one, other = stand(state="unknown", first_tried_at=EARLY)
    Circuit.objects.create(
        network=one.account.network, base_url=one.account.base_url, failures=1, failing_since=NOW
    )
    found, _others = changed(one, unknowns.look)
    answered = isinstance(seen, Sent | CannotTell)
    assert found == own | ({"lease_until": None} if isinstance(seen, Sent) else {})
    failures = 0 if answered else 2 if isinstance(seen, NotSent) else 1
    assert Circuit.objects.get().failures == failures
    assert Delivery.objects.get(pk=other.pk).state == "unknown"


@pytest.mark.parametrize(
    ("price", "spent", "answer"),
    [(None, [], True), (0, [], True), (3, [3], True), (3, [3], False)],
)
def test_look_is_paid_for_where_it_costs(price, spent, answer, network, monkeypatch):
    listed = price if price is None else starts.get("x").abilities.price
    listed = listed and dataclasses.replace(listed, look=price)
    abilities, asked = dataclasses.replace(network.abilities, price=listed), []
    monkeypatch.setattr(limits, "spend", lambda _name, cost, **_: asked.append(cost) or answer)
    assert unknowns.paid(abilities, NOW) == answer
    assert asked == spent


def test_look_that_is_not_paid_asks_nobody_but_its_person(pair, network, monkeypatch):
    monkeypatch.setattr(unknowns, "paid", lambda *_args: False)
    monkeypatch.setattr(network, "look", answering(Absent()))
    one, _other = stand(state="unknown")
    own, _found = changed(one, unknowns.look)
    assert own == ASKS | {"detail": "this month's budget for the network is used up"}


# --- who comes next


@pytest.fixture
def many(person, account_on, mastodon, queue):
    """Nine people's posts that are due, the first the longest."""
    people = [person(f"P{number}") for number in range(9)]
    return [queue(who, account_on(who, mastodon, number=str(at))) for at, who in enumerate(people)]


def test_account_that_waited_longest_comes_first(many):
    for at, row in enumerate(many[:3]):
        served = timezone.now() - at * SECOND
        ConnectedAccount.objects.filter(pk=row.account_id).update(last_served_at=served)
    order = [*many[3:], many[2], many[1], many[0]]
    found = [claims.claim(limit=1)[0].pk for _row in many]
    assert found == [row.pk for row in order]


def test_first_post_of_an_account_comes_first(jona, account_on, mastodon, queue):
    account = account_on(jona, mastodon)
    later, first = queue(jona, account), queue(jona, account)
    Delivery.objects.filter(pk=first.pk).update(due_at=F("due_at") - SECOND)
    assert claims.claim(limit=9) == [first]
    assert claims.claim(limit=9) == []
    Delivery.objects.filter(pk=first.pk).update(state="cancelled")
    assert claims.claim(limit=9) == [later]


@pytest.mark.parametrize(
    "fields",
    [{"blocked": "quarantined"}, {"next_at": "+"}, {"state": "cancelled"}, {"state": "unknown"}],
)
def test_post_that_waits_hides_no_other_of_its_account(fields, jona, account_on, mastodon, queue):
    account = account_on(jona, mastodon)
    first, later = queue(jona, account), queue(jona, account)
    at = {"+": timezone.now() + 30 * SECOND}
    fields = {name: at.get(value, value) for name, value in fields.items()}
    Delivery.objects.filter(pk=first.pk).update(**fields)
    assert claims.claim(limit=9) == [later]


@pytest.mark.parametrize(
    ("field", "found"), [("due_at", 1), ("next_at", 1), ("lease_until", 0), ("resets_at", 1)]
)
def test_moment_itself_counts(field, found, jona, account_on, mastodon, queue):
    """Due and asked again from that moment on, leased up to it and with it."""
    account = account_on(jona, mastodon)
    queue(jona, account)
    moment = Func(function="transaction_timestamp", output_field=DateTimeField())
    with transaction.atomic():  # one transaction has one time
        if field == "resets_at":
            Bucket.objects.create(
                network=account.network, base_url=account.base_url, account=account, left=0,
                resets_at=moment,
            )  # fmt: skip
        else:
            Delivery.objects.update(**{field: moment})
        assert len(claims.claim(limit=9)) == found


@pytest.mark.parametrize(("state", "host", "room"), [
    ("sending", "", 2), ("queued", "", 2), ("sending", "https://elsewhere.example", 4),
    ("queued", "https://elsewhere.example", 4), ("failed", "", 4),
])  # fmt: skip
def test_host_has_room_for_so_many_at_once(state, host, room, many, monkeypatch):
    monkeypatch.setattr(claims, "MOST_PER_HOST", 4)
    lease = timezone.now() + 60 * SECOND
    for row in many[:2]:
        Delivery.objects.filter(pk=row.pk).update(state=state, lease_until=lease)
        if host:
            ConnectedAccount.objects.filter(pk=row.account_id).update(base_url=host)
    found = claims.claim(limit=9)
    assert [row.pk for row in found] == [row.pk for row in many[2 : 2 + room]]


def test_limit_of_the_company_leaves_room_for_what_is_left(many):
    account = many[0].account
    usual = {"network": account.network, "resets_at": timezone.now() + 60 * SECOND}
    Bucket.objects.create(**usual, base_url=account.base_url, left=3)
    Bucket.objects.create(**usual, base_url="https://elsewhere.example", left=1)
    assert claims.claim(limit=9) == many[:3]
    told = dict(Bucket.objects.values_list("base_url", "left"))
    assert told == {account.base_url: 0, "https://elsewhere.example": 1}
    assert claims.claim(limit=9) == []


def test_silent_host_is_tried_with_one_post_though_many_wait(many):
    account = many[0].account
    Circuit.objects.create(
        network=account.network, base_url=account.base_url,
        opened_at=timezone.now() - 60 * SECOND, probe_at=timezone.now() - SECOND,
    )  # fmt: skip
    elsewhere = "https://elsewhere.example"
    ConnectedAccount.objects.filter(pk=many[8].account_id).update(base_url=elsewhere)
    assert set(claims.claim(limit=8)) == {many[0], many[8]}
    assert claims.claim(limit=8) == []


@contextlib.contextmanager
def held_by_another(rows):
    """Somebody else's transaction holds these posts meanwhile."""
    locked, done = threading.Event(), threading.Event()

    def other():
        with transaction.atomic():
            list(Delivery.objects.select_for_update().filter(pk__in=[row.pk for row in rows]))
            locked.set()
            done.wait(20)
        connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    try:
        assert locked.wait(20)
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize(("held", "found"), [(6, 2), (7, 1), (8, 0)])
def test_what_others_claim_at_the_same_moment_is_stepped_over(held, found, many):
    """Four times as many are looked at as are taken."""
    with held_by_another(many[:held]):
        assert claims.claim(limit=2) == many[held : held + found]


def test_look_that_another_claims_at_the_same_moment_is_stepped_over(pair):
    one, other = stand(state="unknown", look_at=EARLY)
    with held_by_another([one]):
        assert unknowns.look_due(limit=5) == [other]
    assert unknowns.look_due(limit=5) == [one]


@pytest.mark.parametrize("what", ["renewal", "key"])
def test_row_that_is_held_may_still_be_pointed_to(what, jona, account_on, mastodon):
    """Whoever queues a post or says yes meanwhile waits for nobody."""
    account, failed = account_on(jona, mastodon), []

    def other():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '3s'")
                Bucket.objects.create(
                    network="x", base_url="x", account=account, left=1, resets_at=NOW
                )
                Role.objects.create(person=jona, name="hr")
        except DatabaseError as error:
            failed.append(error)
        connection.close()

    with transaction.atomic():
        tokens._locked(account) if what == "renewal" else key(jona)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert failed == []


# --- tokens

IN_AN_HOUR = NOW + 3600 * SECOND


@pytest.fixture
def accounts_(person, account_on, mastodon):
    """Two accounts whose keys are told apart; their tokens stand at the fifth version."""
    found = []
    for number in ("1", "2"):
        account = account_on(person(f"P{number}"), mastodon, number=number)
        tokens.store(account, {"access_token": number}, expires_at=IN_AN_HOUR)
        found.append(account)
    Token.objects.update(version=5)
    return found


def files(settings):
    return len(list(settings.SPOOL_DIR.glob("token~*")))


def secret_of(account):
    return tokens._unseal(Token.objects.get(account=account))["access_token"]


def test_new_secrets_are_stored_for_their_account_and_counted(accounts_):
    one, other = accounts_
    tokens.store(one, {"access_token": "new"}, expires_at=None)
    assert (secret_of(one), secret_of(other)) == ("new", "2")
    rows = Token.objects.order_by("account").values_list("version", "expires_at")
    assert list(rows) == [(6, None), (5, IN_AN_HOUR)]


@pytest.mark.parametrize(("seconds", "renewed"), [(119, True), (120, True), (121, False)])
def test_key_is_opened_for_its_account_and_renewed_when_it_ends_in_two_minutes(
    seconds, renewed, accounts_, network, monkeypatch
):  # fmt: skip
    asked = []
    monkeypatch.setattr(network, "refreshes_again", lambda *_args: False)
    monkeypatch.setattr(
        network, "refresh",
        lambda _self, access, _now: asked.append(access.secrets) or Renewed({"access_token": "new"}),
    )  # fmt: skip
    Token.objects.update(expires_at=NOW + seconds * SECOND)
    access = tokens.open_access(accounts_[1], now=NOW)
    assert access.secrets == {"access_token": "new" if renewed else "2"}
    assert access.remote_account_id == accounts_[1].remote_id
    assert asked == ([{"access_token": "2"}] if renewed else [])
    assert secret_of(accounts_[0]) == "1"


@pytest.mark.parametrize(
    ("found", "unanswered", "version", "left"),
    [
        ([], False, 5, 0),
        ([(4, False)], False, 5, 0),
        ([(5, False)], True, 5, 1),
        ([(7, False)], True, 5, 1),
        ([(4, True)], False, 5, 0),
        ([(5, True)], False, 6, 0),
        ([(6, True)], False, 7, 0),
        ([(5, False), (5, True)], False, 6, 0),
        ([(4, False), (5, False)], True, 5, 1),
    ],
)
def test_what_a_dead_worker_left_is_taken_over(
    found, unanswered, version, left, accounts_, settings
):
    one, other = accounts_
    ConnectedAccount.objects.update(reconnect_reason="gone")
    for number, has_answer in found:
        pair = {
            "secrets": {"access_token": "left"},
            "expires_at": NOW.isoformat(),
            "reconnect_by": None,
        }
        spool.keep("token", str(one.pk), {"version": number} | (pair if has_answer else {}))
    token = Token.objects.select_related("account").get(account=one)
    with transaction.atomic():
        assert tokens._take_over(token) == unanswered
        assert files(settings) == len(found)
    stored = version > 5
    assert (token.version, Token.objects.get(account=one).version) == (version, version)
    assert (secret_of(one), files(settings)) == ("left" if stored else "1", left)
    assert Token.objects.get(account=one).expires_at == (NOW if stored else IN_AN_HOUR)
    reasons = dict(ConnectedAccount.objects.values_list("pk", "reconnect_reason"))
    assert reasons == {one.pk: "" if stored else "gone", other.pk: "gone"}
    assert secret_of(other) == "2"


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    ("answer", "lasts", "told", "asked"),
    [
        (NotSent("away"), 0, NotSent, (False, False)),
        (PerhapsSent("half"), 0, (tokens.NoToken, PerhapsSent), (True, False)),
        (KeyError("odd"), 0, (tokens.NoToken, WireError), (True, False)),
        (Refused("no", permanent=False), 0, tokens.NoToken, (True, True)),
        (Refused("no", permanent=False), 120, tokens.NoToken, (True, True)),
        (Refused("no", permanent=False), 121, tokens.NoToken, (False, False)),
    ],
)
def test_renewal_that_failed_asks_the_person_where_only_they_can_help(
    answer, lasts, told, asked, again, accounts_, network, monkeypatch, settings
):  # fmt: skip
    one, marks = accounts_[0], []

    def refresh(_self, _access, _now):
        marks.append(files(settings))
        return answering(answer)()

    monkeypatch.setattr(network, "refresh", refresh)
    Token.objects.update(expires_at=NOW + lasts * SECOND)
    token = Token.objects.select_related("account").get(account=one)
    with transaction.atomic():
        found = tokens._refresh(token, tokens.access(one, {}), NOW, again=again)
    assert type(found) is (told[again] if isinstance(told, tuple) else told)
    assert (marks, files(settings)) == ([0 if again else 1], 0)
    reasons = dict(ConnectedAccount.objects.values_list("pk", "reconnect_reason"))
    assert [bool(reasons[account.pk]) for account in accounts_] == [asked[again], False]
    assert (secret_of(one), Token.objects.get(account=one).version) == ("1", 5)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("day", [None, NOW + DAY])
def test_renewed_pair_is_on_the_disk_until_the_database_has_it(
    day, again, accounts_, network, monkeypatch, settings
):  # fmt: skip
    one, other = accounts_
    renewed = Renewed({"access_token": "new"}, NOW + 60 * SECOND, day)
    monkeypatch.setattr(network, "refresh", answering(renewed))
    token = Token.objects.select_related("account").get(account=one)
    with transaction.atomic():
        found = tokens._refresh(token, tokens.access(one, {}), NOW, again=again)
        assert files(settings) == (1 if again else 2)
        left = [answer for _path, _key, answer in spool.found("token") if "secrets" in answer]
    assert (found.secrets, secret_of(one), files(settings)) == (renewed.secrets, "new", 0)
    assert left == [
        {
            "version": 5, "secrets": renewed.secrets,
            "expires_at": (NOW + 60 * SECOND).isoformat(),
            "reconnect_by": day.isoformat() if day else None,
        }
    ]  # fmt: skip
    rows = Token.objects.order_by("account").values_list("version", "expires_at")
    assert list(rows) == [(6, NOW + 60 * SECOND), (5, IN_AN_HOUR)]
    days = dict(ConnectedAccount.objects.values_list("pk", "reconnect_by"))
    assert days == {one.pk: day, other.pk: None}


def test_keys_that_cannot_be_renewed_today_stop_no_other(accounts_, monkeypatch):
    def open_access(account, **_how):
        if account == accounts_[0]:
            raise tokens.NoToken

    monkeypatch.setattr(tokens, "open_access", open_access)
    Token.objects.update(expires_at=NOW + 4 * 3600 * SECOND)
    assert tokens.renew_lapsing(now=NOW) == 1


def test_spent_refresh_token_is_forgotten_for_its_account_alone(accounts_):
    for account in accounts_:
        tokens.store(account, {"access_token": "a", "refresh_token": "r"}, expires_at=None)
    with transaction.atomic():
        tokens.drop_refresh(accounts_[1])
    rows = Token.objects.select_related("account").order_by("account")
    assert [sorted(tokens._unseal(row)) for row in rows] == [
        ["access_token", "refresh_token"], ["access_token"],
    ]  # fmt: skip


# --- keys of programs


def key(person, kind="personal", name="Mine", scopes=("topics:read",), lasts=DAY, now=NOW):
    return api_tokens.make(
        person=person, kind=kind, name=name, scopes=list(scopes), lasts=lasts, now=now
    )


def test_key_is_kept_with_all_that_was_said_and_recorded(person):
    boss = person("Selin Aydın", "administrator")
    token, text = key(
        boss, "installation", "Board", ["topics:read", "guidelines:read", "x"], 2 * DAY
    )
    (row,) = ApiToken.objects.values()
    del row["id"]
    assert row == {
        "person_id": boss.pk, "kind": "installation", "name": "Board", "shown": text[:10],
        "digest": hashlib.sha256(text.encode()).hexdigest(), "made_at": NOW, "ended_at": None,
        "scopes": ["guidelines:read", "topics:read"], "expires_at": NOW + 2 * DAY, "used_on": None,
    }  # fmt: skip
    told = AuditEntry.objects.get(act="api.key_made")
    assert (told.actor_id, told.at, told.facts["kind"], told.facts["scopes"]) == (
        boss.pk, NOW, "installation", row["scopes"],
    )  # fmt: skip
    assert re.fullmatch("bot_[0-9A-Za-z]{42}", text)
    assert api_tokens.find(text, now=NOW) == token
    for place in (4, 20, 39, 40, 45):
        other = "0" if text[place] != "0" else "1"
        assert not api_tokens.is_key(text[:place] + other + text[place + 1 :])
    assert not api_tokens.is_key(text + "0")
    assert not api_tokens.is_key(text[:-1])


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": " \u200b"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "x" * 80}, ""),
        ({"kind": "installation"}, "kind"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["lights:write"]}, "scopes"),
        ({"scopes": ["lights:write", "topics:read"]}, ""),
        ({"scopes": ["posts:read"]}, ""),
    ],
)
def test_key_that_makes_no_sense_is_not_made(said, field, jona):
    if not field:
        assert key(jona, **said)
        return
    with pytest.raises(api_tokens.TokenRefused) as refused:
        key(jona, **said)
    assert (refused.value.field, str(refused.value)) == (field, refused.value.sentence)
    assert refused.value.sentence
    assert not ApiToken.objects.exists()


def test_nobody_has_more_than_twenty_open_keys(jona, mirja):
    for number in range(3):
        key(mirja, name=f"Hers {number}")
    key(jona, name="over", now=NOW - 2 * DAY)
    ended, _text = key(jona, name="ended")
    api_tokens.end(token=ended, by=jona, now=NOW)
    for number in range(20):
        key(jona, name=f"Mine {number}")
    with pytest.raises(api_tokens.TokenRefused):
        key(jona)
    assert api_tokens.open_of(jona, now=NOW).count() == 20
    assert api_tokens.open_of(jona, now=NOW + DAY).count() == 0
    assert key(mirja)


def test_keys_of_a_leaver_end_all_at_once_and_each_is_recorded(jona, mirja):
    before, _text = key(jona, name="ended before")
    api_tokens.end(token=before, by=jona, now=NOW)
    keys = [key(jona, name=name)[0] for name in ("one", "two")]
    key(mirja)
    later = NOW + SECOND
    assert api_tokens.end_all(person=jona, by=mirja, now=later) == 2
    ends = dict(ApiToken.objects.values_list("name", "ended_at"))
    assert ends == {"ended before": NOW, "one": later, "two": later, "Mine": None}
    told = AuditEntry.objects.filter(act="api.key_ended", at=later).order_by("subject_id")
    assert [(one.subject_id, one.actor_id, one.facts) for one in told] == [
        (str(row.pk), mirja.pk, {"left": True}) for row in keys
    ]
    assert api_tokens.end_all(person=jona, by=mirja, now=later) == 0


@pytest.mark.parametrize(
    ("scope", "kind", "carried", "roles_", "allowed"),
    [
        ("topics:read", "personal", ["topics:read"], [], True),
        ("topics:read", "personal", ["guidelines:read"], [], False),
        ("topics:read", "installation", ["topics:read"], [], False),
        ("topics:read", "installation", ["topics:read"], ["administrator"], True),
        ("posts:read", "installation", ["posts:read"], ["administrator"], False),
        ("posts:read", "personal", ["posts:read"], [], True),
        ("lights:write", "personal", ["lights:write"], [], False),
        ("lights:write", "personal", ["lights:write"], ["curator"], True),
        ("lights:write", "installation", ["lights:write"], ["administrator"], False),
        ("lights:write", "installation", ["lights:write"], ["administrator", "curator"], True),
        ("figures:read", "personal", ["figures:read"], ["auditor"], True),
    ],
)
def test_key_opens_what_it_carries_and_its_person_may(
    scope, kind, carried, roles_, allowed, person
):
    who = person("Somebody", *roles_)
    token = ApiToken(person=who, kind=kind, scopes=carried)
    assert api_tokens.allows(token, scope) is allowed
    if kind == "personal" and scope in carried:
        assert (scope in api_tokens.offered(who, kind)) is allowed


# --- consents, roles, endings


def test_roles_are_given_and_taken_one_by_one(jona, mirja):
    for who in (jona, mirja):
        roles.give(person=who, name="curator", by=mirja, now=NOW)
        roles.give(person=who, name="hr", by=None, now=NOW)
    assert roles.take(person=jona, name="curator", by=mirja, now=NOW)
    held = set(Role.objects.values_list("person", "name", "by_group"))
    assert held == {(jona.pk, "hr", False), (mirja.pk, "curator", False), (mirja.pk, "hr", False)}
    assert not roles.give(person=jona, name="hr", by=None, now=NOW)
    Role.objects.update(by_group=True)
    assert roles.give(person=jona, name="hr", by=None, now=NOW)
    assert list(Role.objects.filter(by_group=False).values_list("person", "name")) == [
        (jona.pk, "hr")
    ]
    with pytest.raises(roles.FromGroup):
        roles.take(person=mirja, name="hr", by=None, now=NOW)
    assert not roles.take(person=jona, name="curator", by=None, now=NOW)
    assert Role.objects.filter(person=mirja).count() == 2


def test_yes_is_of_one_person_and_to_one_purpose(jona, mirja, monkeypatch):
    before = list(Consent.objects.order_by("pk").values())
    assert consents.give(person=jona, purpose="publish", now=NOW) in Consent.objects.filter(
        person=jona, purpose="publish"
    )
    assert list(Consent.objects.order_by("pk").values()) == before
    assert consents.withdraw(person=jona, purpose="engagement", now=NOW)
    assert not consents.withdraw(person=jona, purpose="engagement", now=NOW)
    gone = Consent.objects.filter(withdrawn_at__isnull=False)
    assert list(gone.values_list("person", "purpose", "withdrawn_at")) == [
        (jona.pk, "engagement", NOW)
    ]
    assert set(consents.current("engagement").values_list("person", flat=True)) == {mirja.pk}
    monkeypatch.setitem(consents.WORDINGS, "publish", ("9", "Newer words."))
    assert not consents.current("publish")
    new = consents.give(person=mirja, purpose="publish", now=NOW)
    assert list(consents.current("publish")) == [new]
    assert gone.count() == 2
    told = AuditEntry.objects.order_by("pk").values_list("act", "actor_id", "at")
    assert list(told) == [("consent.withdrawn", jona.pk, NOW), ("consent.given", mirja.pk, NOW)]


def test_yes_that_ends_takes_back_what_its_person_queued_on_their_own_accounts(
    jona, mirja, account_on, mastodon, queue
):
    own, hers = account_on(jona, mastodon), account_on(mirja, mastodon, number="2")
    channel = account_on(jona, mastodon, number="3")
    ConnectedAccount.objects.filter(pk=channel.pk).update(person=None)
    channel.refresh_from_db()
    channel.editors.add(jona)
    posts = [queue(jona, own), queue(jona, channel), queue(mirja, hers)]
    ended = endings.withdraw_consent(person=jona, purpose="publish", now=NOW)
    assert ended == endings.Ended(1, [])
    rows = dict(Delivery.objects.values_list("pk", "state"))
    assert [rows[post.pk] for post in posts] == ["cancelled", "queued", "queued"]
    moves = Transition.objects.filter(target="cancelled").values_list("delivery", "actor_id", "at")
    assert list(moves) == [(posts[0].pk, jona.pk, NOW)]


def test_connection_that_ends_takes_back_its_own_and_asks_about_the_rest(pair):
    one, other = stand(state="queued")
    ended = endings.disconnect(account=one.account, by=one.post.person, now=NOW)
    assert ended == endings.Ended(1, [])
    assert dict(Delivery.objects.values_list("pk", "state")) == {
        one.pk: "cancelled", other.pk: "queued",
    }  # fmt: skip
    dates = dict(ConnectedAccount.objects.values_list("pk", "disconnected_at"))
    assert dates == {one.account_id: NOW, other.account_id: None}
    assert list(Token.objects.values_list("account", flat=True)) == [other.account_id]


def test_post_that_may_stand_is_asked_about_when_its_connection_ends(pair):
    one, _other = stand(state="queued", first_tried_at=EARLY)
    own, _found = changed(
        one, lambda row: endings.disconnect(account=row.account, by=row.post.person, now=NOW)
    )
    assert (own["state"], own["reason"], own["look_at"]) == ("unknown", "ask_person", None)


def test_suggestion_moves_alone_and_from_what_was_seen(suggestion):
    other = Suggestion.objects.create(
        topic=suggestion.topic, title="Other", language="en", author=suggestion.author,
        state="approved", approved_by=suggestion.approved_by, approved_at=NOW, changed_at=NOW,
    )  # fmt: skip
    seen = suggestion.revision
    assert not move_suggestion(suggestion, to="withdrawn", revision=seen + 1)
    assert move_suggestion(suggestion, to="withdrawn", revision=seen)
    states = dict(Suggestion.objects.values_list("pk", "state"))
    assert states == {suggestion.pk: "withdrawn", other.pk: "approved"}
    assert not move_suggestion(suggestion, to="withdrawn", revision=seen)


@pytest.mark.parametrize("why", ["the password was changed", "x" * 201, ""])
def test_question_to_connect_again_is_of_its_account(why, accounts_):
    one, _other = accounts_
    ConnectedAccount.objects.update(warned_at=NOW)
    reconnects.ask(one, why=why, now=NOW)
    rows = ConnectedAccount.objects.order_by("pk").values_list("reconnect_reason", "warned_at")
    assert list(rows) == [(why[:200] or "unknown", None), ("", NOW)]
    assert AuditEntry.objects.filter(act="account.reconnect_needed", at=NOW).count() == 1
    one.refresh_from_db()
    reconnects.settle(one)
    assert one.reconnect_reason == ""


def test_those_whose_day_has_passed_are_counted(accounts_):
    ConnectedAccount.objects.update(reconnect_by=NOW)
    assert reconnects.expire(now=NOW - SECOND) == 0
    assert reconnects.expire(now=NOW) == 2
    assert reconnects.expire(now=NOW) == 0


# --- seals


@pytest.mark.parametrize(
    ("key_", "name", "begins"),
    [
        ("b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMDA=", "19e3fb20", b"g"),
        ("aes256gcm:b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMDA=", "3f26740d", b"2"),
    ],
)
def test_seal_names_its_key_and_opens_in_its_own_place_alone(key_, name, begins, settings):
    old = settings.TOKEN_KEYS
    settings.TOKEN_KEYS = [key_, *old]
    sealed, named = sealing.seal({"a": "b"}, context={"row": "1"})
    assert (named, sealing.key_id(key_), sealed[:1]) == (name, name, begins)
    assert sealing.unseal(sealed, context={"row": "1"}) == {"a": "b"}
    assert sealing.is_newest(sealed)
    other, _named = sealing.seal({"a": "b"}, context={"row": "1"})
    assert other != sealed
    if begins == b"2":
        raw = urlsafe_b64decode(sealed[1:])
        plain = b'{"context": {"row": "1"}, "secrets": {"a": "b"}}'
        assert len(raw) == 12 + len(plain) + 16
    with pytest.raises(sealing.SealBroken, match="another row"):
        sealing.unseal(sealed, context={"row": "2"})
    for broken in (sealed[:-8], b"", b"2", b"2AAAA", sealed[:9] + b"!!" + sealed[11:]):
        with pytest.raises(sealing.SealBroken, match="cannot be opened"):
            sealing.unseal(broken, context={"row": "1"})
        with pytest.raises(sealing.SealBroken, match="cannot be opened"):
            sealing.reseal(broken)
        assert not sealing.is_newest(broken)
    settings.TOKEN_KEYS = [*old, key_]
    assert not sealing.is_newest(sealed)
    assert sealing.unseal(sealed, context={"row": "1"}) == {"a": "b"}
    anew, named = sealing.reseal(sealed)
    assert (sealing.is_newest(anew), named) == (True, sealing.key_id(old[0]))
    settings.TOKEN_KEYS = old
    assert sealing.unseal(anew, context={"row": "1"}) == {"a": "b"}
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(sealed, context={"row": "1"})


@pytest.mark.parametrize(("length", "good"), [(16, False), (31, False), (32, True), (33, False)])
def test_key_has_32_bytes(length, good):
    key_ = "aes256gcm:" + urlsafe_b64encode(b"x" * length).decode()
    if good:
        assert sealing.box(key_)
        return
    with pytest.raises(ValueError, match="32 bytes"):
        sealing.box(key_)


def test_what_no_key_opens_is_named_once_however_small_the_batches(accounts_, settings, caplog):
    settings.TOKEN_KEYS = ["b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMDA="]
    before = list(Token.objects.order_by("pk").values())
    assert sum(itertools.islice(rotation.rotate(batch=2), 99)) == 0  # it comes to an end
    assert list(Token.objects.order_by("pk").values()) == before
    assert [f"Token {row['id']}:" in caplog.text for row in before] == [True, True]
    assert caplog.text.count("integrations.Token") == 2


# --- an id proves one post


@pytest.mark.parametrize(
    ("whose", "number", "another"),
    [("mine", "7", True), ("mine", "8", False), ("other", "7", False), ("self", "7", False),
     ("mine", "https://x.example/7", False)],
)  # fmt: skip
def test_id_of_another_post_of_the_account_is_no_proof(
    whose, number, another, pair, queue, network, monkeypatch
):
    one, other = pair
    if whose == "mine":
        other = queue(one.post.person, one.account)
    row = one if whose == "self" else other
    Delivery.objects.filter(pk=row.pk).update(
        state="sent", remote_id="7" if number == "8" else number
    )
    assert deliveries.proves_another(one, number) is another
    if whose == "self":
        return
    Delivery.objects.filter(pk=one.pk).update(state="unknown", lease_until=None)
    monkeypatch.setattr(network, "look", answering(Sent(number, URL)))
    unknowns.look(Delivery.objects.get(pk=one.pk))
    state = "unknown" if another else "sent"
    assert Delivery.objects.get(pk=one.pk).state == state
    assert Delivery.objects.get(pk=row.pk).state == "sent"
