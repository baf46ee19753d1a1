"""The promises: once, never after a hold, and known or said aloud."""

import datetime as dt
import os
import signal
import threading
import time

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from ambassadors import consents, memberships
from ambassadors.models import Person, TimeOff
from campaigns import claims, deliveries, holds, hours, starts, tasks, timeoff, unknowns
from campaigns.models import Delivery, Transition
from campaigns.states import move_delivery
from integrations import accounts, barrier, spool
from integrations.models import Bucket, Circuit
from integrations.networks import get
from integrations.networks.base import CannotTell, Sent

from .conftest import FULL
from .networks.mastodon import Mastodon

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)


def drain():
    """What a worker does, in this process."""
    unknowns.recover()
    for row in unknowns.look_due(limit=50):
        unknowns.look(row)
    while claimed := claims.claim(limit=8):
        for row in claimed:
            deliveries.deliver(row)


def time_passes():
    """Let leases and quiet times be over."""
    past = timezone.now() - dt.timedelta(seconds=1)
    Delivery.objects.filter(lease_until__isnull=False).update(lease_until=past)
    Delivery.objects.filter(look_at__isnull=False).update(look_at=past)
    Delivery.objects.filter(next_at__isnull=False).update(next_at=past)
    Bucket.objects.all().delete()
    Circuit.objects.all().delete()


def in_child(work):
    """Run ``work`` in a process of its own; returns its wait status."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


@pytest.fixture(params=["mastodon", "bluesky"])
def server(request):
    return request.getfixturevalue(request.param)


def test_post_is_published_once(server, person, account_on, queue):
    jona = person()
    delivery = queue(jona, account_on(jona, server))
    drain()
    drain()
    delivery.refresh_from_db()
    assert (delivery.state, server.count("created"), bool(delivery.remote_id)) == ("sent", 1, True)


FAULTS = [
    ("reset", {"applied": True}),
    ("reset", {}),
    ("html", {"applied": True}),
    ("no_id", {"applied": True}),
    ("truncated", {"applied": True}),
    ("truncated", {}),
    ("huge", {"applied": True}),
    ("status", {"status": 500, "applied": True}),
    ("status", {"status": 503}),
    ("status", {"status": 408, "applied": True}),
]


@pytest.mark.parametrize(("name", "facts"), FAULTS)
def test_ambiguous_answer_is_unknown_then_exactly_one_post(
    server, person, account_on, queue, name, facts
):
    jona = person()
    delivery = queue(jona, account_on(jona, server))
    server.fault(name, **facts)
    drain()
    delivery.refresh_from_db()
    assert delivery.state == "unknown"
    for _ in range(3):
        time_passes()
        drain()
    delivery.refresh_from_db()
    assert (delivery.state, server.count("created")) == ("sent", 1)


@pytest.mark.parametrize("way", ["told at once", "seen later", "found on disk"])
def test_id_of_another_post_proves_nothing(mastodon, person, account_on, queue, monkeypatch, way):
    account = account_on(person(), mastodon)
    first = queue(account.person, account)
    drain()
    first.refresh_from_db()
    theirs = {"id": first.remote_id, "url": "https://s.example/@jona/1"}
    second = queue(account.person, account)
    if way == "told at once":
        mastodon.fault("body", payload=theirs)
        drain()
    else:
        Delivery.objects.filter(pk=second.pk).update(
            state="unknown", look_at=timezone.now(), first_tried_at=timezone.now()
        )
    if way == "seen later":
        seen = Sent(first.remote_id, theirs["url"])
        monkeypatch.setattr(type(get("mastodon")), "look", lambda *_args: seen)
        unknowns.look(unknowns.look_due(limit=1)[0])
    if way == "found on disk":
        spool.keep("sent", str(second.key), {"remote_id": first.remote_id, "url": theirs["url"]})
        assert deliveries.replay_spool() == 0
    second.refresh_from_db()
    asked = "" if way == "found on disk" else "ask_person"
    assert (second.state, second.reason, second.remote_id) == ("unknown", asked, "")
    with pytest.raises(IntegrityError, match="delivery_id_proves_one"), transaction.atomic():
        Delivery.objects.filter(pk=second.pk).update(state="sent", remote_id=first.remote_id)


def test_ended_session_is_refreshed_once_then_published(bluesky, person, account_on, queue):
    jona = person()
    delivery = queue(jona, account_on(jona, bluesky))
    bluesky.fault("status", status=400, error="ExpiredToken")
    drain()
    delivery.refresh_from_db()
    assert (delivery.state, bluesky.count("created"), delivery.account.token.version) == (
        "sent",
        1,
        2,
    )


def test_session_that_stays_ended_asks_the_person(bluesky, person, account_on, queue):
    jona = person()
    delivery = queue(jona, account_on(jona, bluesky))
    for _ in range(2):
        bluesky.fault("status", status=401, error="InvalidToken")
    drain()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.blocked, bluesky.count("created")) == (
        "queued",
        "reconnect",
        0,
    )


@pytest.mark.parametrize(
    ("status", "state", "blocked"),
    [
        (302, "queued", "reconnect"),
        (404, "failed", ""),
        (422, "failed", ""),
    ],
)
def test_refusal_is_not_repeated(server, person, account_on, queue, status, state, blocked):
    jona = person()
    delivery = queue(jona, account_on(jona, server))
    server.fault("status", status=status)
    drain()
    time_passes()
    drain()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.blocked, server.count("arrived")) == (state, blocked, 1)


def test_rate_limit_waits_as_long_as_asked(server, person, account_on, queue):
    jona = person()
    delivery = queue(jona, account_on(jona, server))
    server.fault("status", status=429, headers=[("Retry-After", "600")])
    drain()
    delivery.refresh_from_db()
    assert delivery.state == "queued"
    assert 590 < (delivery.next_at - timezone.now()).total_seconds() <= 600


def test_server_that_does_not_listen_is_tried_later(person, account_on, queue, mastodon):
    jona = person()
    account = account_on(jona, mastodon)
    delivery = queue(jona, account)
    mastodon.__exit__()
    drain()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("queued", "later")
    mastodon.server = type(
        "Gone", (), {"shutdown": lambda s: None, "server_close": lambda s: None}
    )()


@pytest.mark.parametrize("point", ["after_claim", "after_start", "after_response", "after_result"])
def test_kill_at_each_point_leaves_exactly_one_post(
    server, person, account_on, queue, settings, point
):
    settings.DEBUG_FAILPOINTS = True
    jona = person()
    account = account_on(jona, server)
    for _ in range(kills := 50 if FULL else 8):
        delivery = queue(jona, account)
        settings.FAILPOINTS = f"{point}=kill:1"
        status = in_child(drain)
        assert os.WTERMSIG(status) == signal.SIGKILL
        settings.FAILPOINTS = ""
        for _ in range(3):
            time_passes()
            drain()
        delivery.refresh_from_db()
        assert delivery.state == "sent"
    assert server.count("created") == kills
    assert Delivery.objects.exclude(state="sent").count() == 0


def hold_during_drain(client, topic, server, settings):
    """Four workers drain 200 posts; hold in the middle; returns arrivals after the answer."""
    settings.DEBUG_FAILPOINTS = True
    settings.FAILPOINTS = "in_start=pause:0.5"
    connections.close_all()
    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                tasks.publish_due.run()
            finally:
                os._exit(0)
        pids.append(pid)
    before = server.count("arrived")
    while server.count("arrived") - before < 40:
        time.sleep(0.005)
    response = client.post(f"/desk/topics/{topic.pk}/hold/", {"reason": "Wait."})
    answered = time.monotonic()
    assert response.status_code == 302
    time.sleep(0.4)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return [row for row in server.ledger if row["kind"] == "arrived" and row["at"] > answered]


@pytest.fixture
def two_hundred(person, account_on, queue, monkeypatch):
    with Mastodon(latency=0.02) as server:
        monkeypatch.setenv("LOOPBACK_HOSTS", f"127.0.0.1:{server.port}")
        people = [person(f"P{n}") for n in range(40)]
        rows = [
            account_on(who, server, str(n * 5 + k))
            for n, who in enumerate(people)
            for k in range(5)
        ]
        for account in rows:
            queue(account.person, account)
        yield server


def again(topic):
    """Everything is due and free once more."""
    type(topic).objects.filter(pk=topic.pk).update(held_at=None)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE campaigns_delivery DISABLE TRIGGER delivery_final")
        cursor.execute(
            "UPDATE campaigns_delivery SET state='queued', remote_id='', lease_until=NULL, next_at=NULL,"
            " claims=0, fence=fence+1, first_tried_at=NULL, look_at=NULL, tries=0"
        )
        cursor.execute("ALTER TABLE campaigns_delivery ENABLE TRIGGER delivery_final")


def test_hold_stops_every_first_byte(two_hundred, topic, person, settings):
    client = Client()
    client.force_login(person("Mirja", "curator"))
    late, held_back = 0, 0
    for _ in range(20 if FULL else 4):
        late += len(hold_during_drain(client, topic, two_hundred, settings))
        held_back += Delivery.objects.filter(state="queued").count()
        again(topic)
    print(f"{late} first bytes after the answer of all holds, {held_back} posts held back")
    assert late == 0
    assert held_back > 20  # the hold did come in the middle


def test_hold_without_the_lock_lets_posts_through(
    two_hundred, topic, person, settings, monkeypatch
):
    """The mutant: proof that the test above can fail."""

    monkeypatch.setattr(barrier, "enter", timezone.now)
    client = Client()
    client.force_login(person("Mirja", "curator"))
    late = 0
    for _ in range(8):
        late += len(hold_during_drain(client, topic, two_hundred, settings))
        again(topic)
        if late:
            break
    print(f"without the lock: {late} first bytes after the answer of a hold")
    assert late > 0


def test_paused_worker_does_not_send_after_the_gate(mastodon, person, account_on, queue, settings):
    settings.DEBUG_FAILPOINTS, settings.FAILPOINTS = True, "after_start=pause:2.1"
    jona = person()
    delivery = queue(jona, account_on(jona, mastodon))
    [row] = claims.claim(limit=1)
    deliveries.deliver(row)
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.count("arrived")) == ("queued", 0)


def _withdraw(person, account):
    consents.withdraw(person=person, purpose="publish", now=timezone.now())


def _disconnect(person, account):
    accounts.disconnect(account=account, by=person, now=timezone.now())


def _leave(person, account):
    memberships.leave_company(person=person, by=None, now=timezone.now())


@pytest.mark.parametrize("stop", [_withdraw, _disconnect, _leave])
def test_withdrawal_disconnect_and_leaving_stop_what_has_not_started(
    mastodon, person, account_on, queue, stop
):
    jona = person()
    account = account_on(jona, mastodon)
    delivery = queue(jona, account)
    stop(jona, account)
    drain()
    delivery.refresh_from_db()
    assert mastodon.count("arrived") == 0
    assert delivery.state == "cancelled" or delivery.blocked in {"consent", "reconnect"}


def test_release_asks_to_look_again(mastodon, person, account_on, queue, topic):
    jona = person()
    delivery = queue(jona, account_on(jona, mastodon))
    holds.hold(scope=topic, by=jona, reason="Wait.", now=timezone.now())
    drain()
    holds.release(scope=topic, by=jona, now=timezone.now())
    drain()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.blocked, mastodon.count("arrived")) == (
        "queued",
        "look_again",
        0,
    )


def test_post_is_never_early_and_never_after_its_end(mastodon, person, account_on, queue):
    jona = person()
    account = account_on(jona, mastodon)
    early = queue(jona, account, due_at=timezone.now() + dt.timedelta(hours=1))
    drain()
    early.refresh_from_db()
    assert (early.state, mastodon.count("arrived")) == ("queued", 0)
    past = timezone.now() - dt.timedelta(hours=30)
    Delivery.objects.update(due_at=past, not_after=past + dt.timedelta(hours=24))
    drain()
    early.refresh_from_db()
    assert (early.state, early.reason, mastodon.count("arrived")) == ("failed", "expired", 0)


def test_poisonous_delivery_stops_itself_and_others_flow(
    mastodon, person, account_on, queue, settings
):
    settings.DEBUG_FAILPOINTS = True
    jona, nam = person(), person("Nam")
    bad = queue(jona, account_on(jona, mastodon))
    settings.FAILPOINTS = "after_claim=kill:1"
    for _ in range(3):
        in_child(drain)
        time_passes()
    settings.FAILPOINTS = ""
    good = queue(nam, account_on(nam, mastodon, "2"))
    drain()
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.blocked, good.state) == ("quarantined", "sent")


def test_every_change_of_state_has_its_transition(mastodon, person, account_on, queue):
    jona = person()
    queue(jona, account_on(jona, mastodon))
    drain()
    found = list(Transition.objects.values_list("source", "target"))
    assert found == [("queued", "sending"), ("sending", "sent")]


def test_figures_are_measured_in_one_call_and_gone_posts_noticed(
    bluesky, person, account_on, queue
):
    from campaigns import engagement

    jona = person()
    account = account_on(jona, bluesky)
    first, second = queue(jona, account), queue(jona, account, text="Another sentence of mine.")
    drain()
    first.refresh_from_db()
    second.refresh_from_db()
    bluesky.figures[first.remote_id] = (4, 2, 1)
    del bluesky.records[second.remote_id]
    Delivery.objects.update(measure_at=timezone.now())
    assert engagement.measure_due() == 2
    first.post.refresh_from_db()
    second.refresh_from_db()
    assert (first.post.likes, first.post.replies, second.gone_at is not None) == (4, 1, True)


def test_look_that_breaks_stops_no_sending(mastodon, bluesky, person, account_on, queue, monkeypatch):  # fmt: skip
    doubtful = queue(jona := person(), account_on(jona, mastodon))
    past = timezone.now() - dt.timedelta(minutes=5)
    Delivery.objects.update(state="unknown", look_at=past, first_tried_at=past)
    fine = queue(nam := person(), account_on(nam, bluesky))

    def broken(*_args):
        raise KeyError("statuses")

    monkeypatch.setattr(type(get("mastodon")), "look", broken)
    assert tasks.publish_due() == 1
    fine.refresh_from_db()
    doubtful.refresh_from_db()
    assert (fine.state, doubtful.state, doubtful.look_at > timezone.now()) == (
        "sent",
        "unknown",
        True,
    )


def test_slow_looks_hold_up_no_sending(mastodon, bluesky, person, account_on, queue, monkeypatch):
    jona = person()
    account = account_on(jona, mastodon)
    for _ in range(5):
        queue(jona, account)
    past = timezone.now() - dt.timedelta(minutes=5)
    Delivery.objects.update(state="unknown", look_at=past, first_tried_at=past)
    queue(nam := person(), account_on(nam, bluesky))
    monkeypatch.setattr(tasks, "LOOK_SECONDS", 0.2)
    looks = []

    def slow(*_args):
        looks.append(bluesky.count("created"))
        time.sleep(0.3)
        return CannotTell("slow")

    monkeypatch.setattr(type(get("mastodon")), "look", slow)
    assert tasks.publish_due() == 1
    assert looks == [0]
    tasks.publish_due()
    assert looks == [0, 1]


def off(who, posts="move", *, first=0, last=2, ago=0.0):
    """A time off around the person's today, said so many seconds ago."""
    now = timezone.now()
    today = who.local(now).date()
    return TimeOff.objects.create(
        person=who, from_on=today + first * DAY, until_on=today + last * DAY, posts=posts,
        said_at=now - dt.timedelta(seconds=ago),
    )  # fmt: skip


@pytest.mark.parametrize(("posts", "blocked"), [("move", ""), ("wait", "time_off")])
def test_post_given_back_by_its_network_does_not_leave_in_its_persons_time_off(
    server, person, account_on, queue, posts, blocked
):
    """The time off was named while it was in flight, so nothing could move it then."""
    jona = person()
    delivery = queue(jona, account_on(jona, server))
    server.fault("status", status=429, headers=[("Retry-After", "600")])
    drain()
    away = off(jona, posts)
    for _ in range(2):
        time_passes()
        drain()
    delivery.refresh_from_db()
    day = hours.of(jona, timezone.now()).working_day_after(away.until_on)
    assert (delivery.state, delivery.blocked, server.count("arrived")) == ("queued", blocked, 1)
    assert (jona.local(delivery.due_at).date(), delivery.reason) == (day, "")
    assert delivery.not_after > delivery.due_at


def test_time_off_ends_and_the_later_word_of_its_person_counts(mastodon, person, account_on, queue):
    over, to_come, far, itself, back = (person(f"P{n}") for n in range(5))
    off(over, first=-3, last=-1)
    off(to_come, first=1)
    Person.objects.filter(pk=far.pk).update(timezone="Pacific/Kiritimati")
    far.refresh_from_db()
    yesterday = (timezone.now() - DAY).astimezone(far.zone).date()
    TimeOff.objects.create(
        person=far, from_on=yesterday, until_on=yesterday, posts="move", said_at=timezone.now()
    )
    off(itself, ago=60)
    off(back)
    timeoff.come_back(by=back, now=timezone.now())
    for who in (over, to_come, far, itself, back):
        queue(who, account_on(who, mastodon, who.name))
    TimeOff.objects.exclude(person=itself).update(said_at=timezone.now())
    drain()
    assert mastodon.count("created") == 5


def test_ambiguous_try_goes_on_in_time_off(mastodon, person, account_on, queue):
    """Not to know for two weeks whether a post is there would help nobody."""
    jona = person()
    delivery = queue(jona, account_on(jona, mastodon))
    mastodon.fault("reset")
    drain()
    off(jona)
    for _ in range(3):
        time_passes()
        drain()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.count("created")) == ("sent", 1)


def test_start_and_whoever_moves_posts_do_not_wait_for_each_other(
    mastodon, person, account_on, queue
):
    """Time off and another clock take the person first and their posts after it."""
    jona = person()
    delivery = queue(jona, account_on(jona, mastodon))
    (claimed,) = claims.claim(limit=1)
    begun = []

    def start():
        begun.append(starts.start(claimed))
        connections.close_all()

    worker = threading.Thread(target=start)
    with transaction.atomic(), connection.cursor() as cursor:
        Person.objects.select_for_update().get(pk=jona.pk)
        worker.start()
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        for _look in range(200):
            cursor.execute(waits)
            if cursor.fetchone()[0]:
                break
            time.sleep(0.01)
        cursor.execute("SET LOCAL lock_timeout = '100ms'")
        Delivery.objects.filter(pk=delivery.pk).update(movable=True)
    worker.join()
    assert begun == [True]


def test_worker_that_stood_still_sends_nothing_that_was_moved_meanwhile(
    mastodon, person, account_on, queue
):
    """The lease is over and nobody else claimed it, so only the row tells that it moved."""
    jona = person()
    delivery = queue(jona, account_on(jona, mastodon))
    (claimed,) = claims.claim(limit=1)
    later = timezone.now() + DAY
    Delivery.objects.filter(pk=delivery.pk).update(due_at=later, not_after=later + DAY)
    deliveries.deliver(claimed)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.due_at, mastodon.count("arrived")) == ("queued", later, 0)


def test_frozen_start_does_not_keep_a_hold_waiting(
    person, account_on, queue, mastodon, topic, settings
):
    """The database cuts it off after two seconds, and it never sends."""
    settings.DEBUG_FAILPOINTS, settings.FAILPOINTS = True, "in_start=pause:6"
    jona = person()
    delivery = queue(jona, account_on(jona, mastodon))
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            drain()
        finally:
            os._exit(0)
    time.sleep(1)
    began = time.monotonic()
    holds.hold(scope=topic, by=jona, reason="Wait.", now=timezone.now())
    assert time.monotonic() - began < 3
    os.waitpid(pid, 0)
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.count("arrived")) == ("queued", 0)


@pytest.mark.parametrize(("age", "waits"), [(0.0, True), (30.0, False)])
def test_hold_waits_for_what_may_still_leave_and_for_nothing_else(
    person, account_on, queue, mastodon, topic, age, waits
):
    """A dead worker's attempt is in flight until its lease ends, but its gate has long shut."""
    jona = person()
    delivery = queue(jona, account_on(jona, mastodon))
    began = timezone.now() - dt.timedelta(seconds=age)
    lease = timezone.now() + dt.timedelta(seconds=60)
    assert move_delivery(
        delivery, to="sending", source="queued", now=began, started_at=began, lease_until=lease
    )
    since = time.monotonic()
    held = holds.hold(scope=topic, by=jona, reason="Wait.", now=timezone.now())
    assert held.in_flight == [delivery.pk]
    assert (time.monotonic() - since > 2) == waits
