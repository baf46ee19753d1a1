"""One second, one row or one person beside the border of what guards the promises (G34).

Each of these fails under a small change to a guard that no other test noticed.
"""

import datetime as dt
import uuid

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.cache import SessionStore
from django.db import transaction
from django.db.models import F
from django.test import RequestFactory
from django.utils import timezone

from advocacy import second_factor, stepup
from ambassadors import anonymity, audit, consents, roles
from ambassadors.models import AuditEntry, Consent, PublishedFigure, Role, TimeOff
from campaigns import claims, deliveries, endings, holds, pace, starts, unknowns
from campaigns.models import Attempt, Delivery, Programme, Proposal, Topic, Transition
from campaigns.states import move_delivery, move_proposal
from integrations import api_tokens, instance, reconnects, rotation, spool, tokens
from integrations.models import ApiToken, Bucket, Circuit, ConnectedAccount, Token
from integrations.networks.base import Absent, Later, Refused, Unknown
from integrations.wire import NotSent, PerhapsSent

from .test_corners import answering, claimed, network, queued, unknown  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def asking(who, session=None, headers=None, **posted):
    made = RequestFactory(headers=headers).post("/somewhere/", posted)
    made.user, made.session = who, SessionStore()
    made.session.update(session or {})
    return made


# --- the fresh proof


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (899, True), (900, False), (901, False)])
def test_proof_is_fresh_for_its_minutes_and_no_second_longer(age, fresh, settings):
    settings.STEPUP_MINUTES = 15
    request = asking(AnonymousUser(), {"proved_at": NOW.timestamp() - age})
    assert stepup.is_fresh(request, now=NOW) == fresh


@pytest.mark.parametrize(("demo", "button", "fresh"), [(True, True, True), (True, False, False), (False, True, False)])  # fmt: skip
def test_only_the_button_of_the_demonstration_spares_the_proof(demo, button, fresh, settings):
    settings.DEMO = demo
    request = asking(AnonymousUser(), {"demo": True} if button else {})
    assert stepup.is_fresh(request, now=NOW) == fresh


def test_part_of_a_page_is_led_to_the_proof_whole(jona):
    answer = stepup.asked(asking(jona, headers={"HX-Request": "true"}))
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/me/again/?next=%2F")


@pytest.mark.parametrize(("length", "kept"), [(200_000, True), (200_001, False)])
def test_form_is_kept_up_to_its_length_without_its_own_key(length, kept, jona):
    request = asking(jona, act="x" * (length - 4), csrfmiddlewaretoken="y")
    stepup._keep(request)
    found = stepup._kept(request)
    assert found == ({"path": "/somewhere/", "fields": [("act", "x" * (length - 4))]} if kept else None)  # fmt: skip


@pytest.mark.parametrize(("seconds", "kept"), [(3600, True), (3601, False)])
def test_form_is_kept_for_an_hour_and_no_second_longer(seconds, kept, jona, monkeypatch):
    monkeypatch.setattr(stepup.timezone, "now", lambda: NOW)
    request = asking(jona, act="give")
    stepup._keep(request)
    monkeypatch.setattr(stepup.timezone, "now", lambda: NOW + seconds * SECOND)
    assert (stepup._kept(request) is not None) == kept


def test_session_has_another_key_after_a_step(jona):
    request = asking(jona)
    request.session.save()
    before = request.session.session_key
    stepup.on_step(None, request, jona)
    assert request.session.session_key != before


@pytest.mark.parametrize(
    ("session", "roles_", "wanted"),
    [
        ({}, ["everybody"], True),
        ({"second_factor": True}, ["everybody"], False),
        ({"by_company": True}, ["everybody"], False),
        ({}, ["curator"], False),
    ],
)
def test_second_factor_is_wanted_where_nobody_else_answers_for_it(
    session, roles_, wanted, jona, settings
):
    settings.MFA_REQUIRED_ROLES = roles_
    assert second_factor.is_wanted(asking(jona, session)) == wanted
    assert not second_factor.is_wanted(asking(AnonymousUser(), session))


# --- in the record or not at all


@pytest.mark.parametrize("act", ["give", "withdraw", "role", "take", "key", "end"])
def test_what_cannot_be_recorded_did_not_happen(act, jona, mirja, monkeypatch):
    token, _key = api_tokens.make(
        person=jona, kind="personal", name="Mine", scopes=["topics:read"],
        lasts=dt.timedelta(days=1), now=NOW,
    )  # fmt: skip
    do = {
        "give": lambda: consents.give(person=jona, purpose="photo", now=NOW),
        "withdraw": lambda: consents.withdraw(person=jona, purpose="publish", now=NOW),
        "role": lambda: roles.give(person=jona, name="curator", by=None, now=NOW),
        "take": lambda: roles.take(person=mirja, name="curator", by=None, now=NOW),
        "key": lambda: api_tokens.make(
            person=jona, kind="personal", name="More", scopes=["topics:read"],
            lasts=dt.timedelta(days=1), now=NOW,
        ),
        "end": lambda: api_tokens.end(token=token, by=jona, now=NOW),
    }[act]  # fmt: skip
    monkeypatch.setattr(audit, "record", answering(OSError("no room for the record")))
    with pytest.raises(OSError, match="no room"):
        do()
    purposes = Consent.objects.given().filter(person=jona).values_list("purpose", flat=True)
    assert sorted(purposes) == ["engagement", "publish", "roster"]
    assert list(Role.objects.values_list("person", "name")) == [(mirja.pk, "curator")]
    assert list(ApiToken.objects.values_list("name", "ended_at")) == [("Mine", None)]


# --- consents


def test_new_wording_ends_the_old_yes_of_that_person_to_that_alone(jona, mirja, monkeypatch):
    monkeypatch.setitem(consents.WORDINGS, "publish", ("9", "Newer words."))
    made = consents.give(person=jona, purpose="publish", now=NOW)
    assert (made.version, made.wording, made.given_at) == ("9", "Newer words.", NOW)
    rows = Consent.objects.filter(withdrawn_at=NOW)
    assert list(rows.values_list("person", "purpose", "version")) == [(jona.pk, "publish", "1")]
    assert list(consents.current("publish").values_list("person", flat=True)) == [jona.pk]
    assert consents.current("engagement").count() == 2
    consents.give(person=jona, purpose="publish", now=NOW)
    assert AuditEntry.objects.filter(act="consent.given").count() == 1


def test_yes_is_taken_back_by_its_person_for_its_purpose_alone(jona, mirja):
    assert consents.withdraw(person=jona, purpose="publish", now=NOW)
    rows = Consent.objects.filter(withdrawn_at__isnull=False)
    assert list(rows.values_list("person", "purpose")) == [(jona.pk, "publish")]


# --- what somebody else holds by now


def test_what_another_worker_took_over_is_changed_by_nobody_else(claimed):
    """A worker that slept through its lease writes nothing into the try of the next one."""
    Delivery.objects.update(fence=claimed.fence + 1)
    (before,) = Delivery.objects.values()
    deliveries.put_back(claimed, Later("soon"), now=NOW)
    deliveries.block(claimed, "quarantined", detail="old")
    deliveries._await_operator(claimed, Refused("ours", permanent=False, whose="app"), now=NOW)
    starts._give_back(claimed)
    for obstacle in ("held", "left", "consent", "expired"):
        starts._stop(claimed, obstacle, NOW)
    assert list(Delivery.objects.values()) == [before]
    Delivery.objects.update(state="unknown", lease_until=None)
    (before,) = Delivery.objects.values()
    unknowns._ask(claimed, "old")
    unknowns._look_again(claimed, "old", NOW)
    assert list(Delivery.objects.values()) == [before]


def test_what_is_sending_is_changed_by_no_step_before_the_start(claimed):
    assert starts.start(claimed)
    (before,) = Delivery.objects.values()
    deliveries.block(claimed, "quarantined", detail="old")
    starts._give_back(claimed)
    starts._stop(claimed, "held", NOW)
    unknowns._ask(claimed, "old")
    unknowns._look_again(claimed, "old", NOW)
    assert list(Delivery.objects.values()) == [before]


def test_move_is_of_one_post_and_is_written_down_with_who_and_when(
    jona, mirja, account_on, mastodon, queue
):
    account = account_on(jona, mastodon)
    one, other = queue(jona, account), queue(jona, account, text="Another of mine.")
    Delivery.objects.filter(pk=one.pk).update(fence=3)
    one.refresh_from_db()
    Transition.objects.all().delete()
    assert move_delivery(one, to="cancelled", source="queued", now=NOW, reason="wish", by=mirja)
    assert Delivery.objects.get(pk=other.pk).state == "queued"
    assert list(Transition.objects.values_list(
        "delivery", "source", "target", "fence", "at", "actor_id", "reason"
    )) == [(one.pk, "queued", "cancelled", 3, NOW, mirja.pk, "wish")]  # fmt: skip
    assert move_delivery(other, to="cancelled", source="queued", now=NOW)
    assert Transition.objects.get(delivery=other).actor_id is None
    assert not move_delivery(other, to="cancelled", source="queued", now=NOW)
    assert Transition.objects.count() == 2


@pytest.mark.parametrize("state", ["new", "answered"])
def test_idea_moves_alone(state, jona, mirja):
    facts = {"answered_at": NOW, "answered_by": mirja, "answer": "Soon."} if state != "new" else {}
    one, other = (
        Proposal.objects.create(
            person=jona, submission=uuid.uuid4(), text=text, language="en", created_at=NOW,
            state=state, **facts,
        )
        for text in ("Ships at night.", "Ships by day.")
    )  # fmt: skip
    assert move_proposal(one, to="withdrawn")
    assert Proposal.objects.get(pk=other.pk).state == state


# --- claims, tries, looks


def test_times_are_those_of_the_contract(settings):
    assert (pace.GATE_SECONDS, pace.SEND_SECONDS, pace.LEASE) == (2.0, 30.0, 60 * SECOND)
    assert (deliveries.MAX_CLAIMS, deliveries.MAX_TRIES, unknowns.SECOND_LOOK) == (3, 8, 270.0)
    assert (claims.MOST_PER_HOST, api_tokens.MOST, anonymity.GROUP) == (64, 20, 5)
    settings.TIME_SCALE = 0.5
    assert (pace.seconds(10), pace.span(10)) == (5.0, 5 * SECOND)


def test_eighth_try_is_the_last(claimed):
    for tries, state in ((7, "queued"), (8, "failed")):
        Delivery.objects.update(state="sending", tries=tries)
        claimed.tries = tries
        deliveries.put_back(claimed, Later("soon", whose="account"), now=timezone.now())
        assert Delivery.objects.get().state == state


def test_proof_wakes_a_blocked_post_and_names_it(claimed):
    Delivery.objects.update(blocked="quarantined", next_at=NOW, look_at=NOW)
    now = timezone.now()
    assert deliveries.mark_sent(claimed, "7", "https://x.example/7", now=now)
    row = Delivery.objects.get()
    assert (row.state, row.blocked, row.lease_until, row.look_at) == ("sent", "", None, None)
    assert (row.remote_id, row.remote_url, row.sent_at) == ("7", "https://x.example/7", now)


def test_post_that_is_taken_back_is_in_no_workers_hands(claimed):
    Delivery.objects.update(look_at=NOW)
    assert Delivery.objects.get().lease_until
    assert endings.take_back(Delivery.objects.all(), "wish", None, NOW) == 1
    row = Delivery.objects.get()
    assert (row.state, row.lease_until, row.look_at) == ("cancelled", None, None)


def test_yes_to_publish_that_is_taken_back_is_gone_and_so_is_what_waited(claimed):
    author = claimed.post.person
    Delivery.objects.update(lease_until=None)
    ended = endings.withdraw_consent(person=author, purpose="publish", now=NOW)
    row = Delivery.objects.get()
    assert (ended.taken_back, ended.in_flight) == (1, [])
    assert (row.state, row.reason) == ("cancelled", "consent")
    assert not consents.current("publish").filter(person=author).exists()


def test_claim_in_between_saves_no_post_that_is_taken_back(claimed, monkeypatch):
    def claimed_meanwhile(row, **how):
        Delivery.objects.update(fence=F("fence") + 1)
        return move_delivery(row, **how)

    monkeypatch.setattr(endings, "move_delivery", claimed_meanwhile)
    assert endings.take_back(Delivery.objects.all(), "wish", None, NOW) == 1
    assert Delivery.objects.get().state == "cancelled"


def test_editor_who_is_removed_keeps_what_goes_elsewhere_and_others_keep_theirs(
    jona, mirja, account_on, mastodon, queue
):
    channel, own = account_on(jona, mastodon), account_on(jona, mastodon, number="2")
    ConnectedAccount.objects.filter(pk=channel.pk).update(person=None)
    channel.refresh_from_db()
    channel.editors.add(jona, mirja)
    posts = [queue(jona, channel), queue(jona, own), queue(mirja, channel)]
    ended = endings.remove_editor(channel=channel, editor=jona, by=mirja, now=NOW)
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert ended.taken_back == 1
    assert [states[post.pk] for post in posts] == ["cancelled", "queued", "queued"]


def test_only_who_lost_the_key_is_asked_instead_of_looked_for(person, account_on, mastodon, queue):
    accounts = [account_on(person(f"P{n}"), mastodon, number=str(n)) for n in (1, 2)]
    rows = [queue(account.person, account) for account in accounts]
    Delivery.objects.update(state="unknown", first_tried_at=NOW, look_at=NOW, reason="ambiguous")
    endings.ask_instead_of_looking(accounts[:1])
    told = Delivery.objects.order_by("pk").values_list("pk", "look_at", "reason")
    assert list(told) == [(rows[0].pk, None, "ask_person"), (rows[1].pk, NOW, "ambiguous")]
    Delivery.objects.update(state="queued", look_at=NOW, reason="")
    endings.ask_instead_of_looking(accounts)
    assert not Delivery.objects.filter(reason="ask_person").exists()


@pytest.mark.parametrize(
    ("fields", "free"),
    [
        ({}, True),
        ({"blocked": "quarantined"}, False),
        ({"due_at": "+"}, False),
        ({"next_at": "+"}, False),
        ({"next_at": "-"}, True),
        ({"lease_until": "+"}, False),
        ({"lease_until": "-"}, True),
        ({"state": "sending"}, False),
        ({"state": "cancelled"}, False),
    ],
)
def test_only_what_is_due_and_free_is_claimed(fields, free, queued):
    now = timezone.now()
    at = {"+": now + dt.timedelta(minutes=1), "-": now - dt.timedelta(minutes=1)}
    Delivery.objects.update(**{name: at.get(value, value) for name, value in fields.items()})
    before = Delivery.objects.get()
    with transaction.atomic():  # what changed between finding and locking is not taken either
        found = claims._lock("SELECT id FROM campaigns_delivery", limit=2)
    assert found == ([queued.pk] if free else [])
    rows = claims.claim(limit=2)
    after = Delivery.objects.get()
    assert len(rows) == free
    assert (after.fence - before.fence, after.claims - before.claims) == (free, free)
    if free:
        lease = after.lease_until - timezone.now()
        assert dt.timedelta(seconds=50) < lease <= pace.LEASE


@pytest.mark.parametrize("held", ["sending", "claimed"])
def test_account_that_is_busy_is_left_alone(held, queued, jona, queue):
    second = queue(jona, queued.account, text="Another sentence of mine.")
    lease = timezone.now() + dt.timedelta(minutes=1)
    state = "sending" if held == "sending" else "queued"
    Delivery.objects.filter(pk=second.pk).update(state=state, lease_until=lease)
    assert claims.claim(limit=4) == []
    over = timezone.now() - dt.timedelta(minutes=1)
    Delivery.objects.filter(pk=second.pk).update(state="queued", lease_until=over)
    assert len(claims.claim(limit=4)) == 1


@pytest.mark.parametrize(
    ("whose", "left", "seconds", "free"),
    [
        ("account", 0, 60, False), ("account", 1, 60, True), ("account", 0, -1, True),
        ("app", 0, 60, False), ("app", 1, 60, True), ("app", 0, -1, True),
        ("elsewhere", 0, 60, True), ("other", 0, 60, True),
    ],
)  # fmt: skip
def test_limit_that_is_used_up_stops_its_own_until_it_begins_anew(
    whose, left, seconds, free, queued, person, account_on, mastodon
):
    account = queued.account
    url = "https://elsewhere.example" if whose == "elsewhere" else account.base_url
    of = {"account": account}.get(whose)
    if whose == "other":
        of = account_on(person("Wiebke"), mastodon, number="2")
    Bucket.objects.create(
        network=account.network, base_url=url, account=of, left=left,
        resets_at=timezone.now() + seconds * SECOND,
    )  # fmt: skip
    assert len(claims.claim(limit=4)) == free


def test_silent_host_keeps_its_own_waiting_and_nobody_elses(queued):
    later = timezone.now() + dt.timedelta(minutes=1)
    circuit = Circuit.objects.create(
        network=queued.account.network, base_url="https://elsewhere.example",
        opened_at=timezone.now(), probe_at=later,
    )  # fmt: skip
    Circuit.objects.create(network="bluesky", base_url=queued.account.base_url,
                           opened_at=timezone.now(), probe_at=later)  # fmt: skip
    assert len(claims.claim(limit=4)) == 1
    Delivery.objects.update(lease_until=None)
    Circuit.objects.filter(pk=circuit.pk).update(base_url=queued.account.base_url)
    assert claims.claim(limit=4) == []
    Circuit.objects.update(opened_at=None)
    assert len(claims.claim(limit=4)) == 1


def test_what_a_dead_worker_left_is_looked_for_after_the_quiet_time(claimed):
    assert starts.start(claimed)
    assert unknowns.recover() == 0
    started = Delivery.objects.get().started_at
    past = timezone.now() - SECOND
    Delivery.objects.update(lease_until=past)
    assert unknowns.recover() == 1
    row = Delivery.objects.get()
    quiet = pace.span(unknowns.get(row.account.network).abilities.quiet)
    assert (row.state, row.reason, row.lease_until) == ("unknown", "worker_lost", None)
    assert row.first_tried_at == started
    assert (quiet > dt.timedelta(seconds=10), row.look_at) == (True, started + quiet)


def test_look_is_claimed_once_and_when_it_is_time(queued):
    unknown(queued)
    Delivery.objects.update(look_at=timezone.now() + dt.timedelta(minutes=1))
    assert unknowns.look_due(limit=4) == []
    Delivery.objects.update(look_at=timezone.now() - SECOND)
    assert [row.pk for row in unknowns.look_due(limit=4)] == [queued.pk]
    assert unknowns.look_due(limit=4) == []
    ahead = Delivery.objects.get().look_at - timezone.now()
    assert 1.9 * pace.LEASE < ahead <= 2 * pace.LEASE


@pytest.mark.parametrize(("hours", "reason"), [(24, "looking"), (25, "ask_person")])
def test_look_goes_on_for_a_day(hours, reason, queued):
    unknown(queued)
    queued.first_tried_at = NOW - dt.timedelta(hours=hours)
    unknowns._look_again(queued, "?", NOW)
    row = Delivery.objects.get()
    assert (row.reason, row.detail) == (reason, "?")
    assert row.look_at == (NOW + 300 * SECOND if reason == "looking" else None)


def test_look_asks_for_what_came_since_the_first_try(queued, network, monkeypatch):
    unknown(queued)
    found = []
    monkeypatch.setattr(network, "look", lambda *args: found.append(args[-1]) or Absent())
    unknowns.look(queued)
    assert found == [queued.first_tried_at]


@pytest.mark.parametrize(("seconds", "state"), [(1, "queued"), (0, "failed")])
def test_post_that_is_not_there_is_sent_again_until_its_end(seconds, state, queued):
    now = timezone.now()
    unknown(queued, not_after=now + seconds * SECOND)
    unknowns._absent(queued, now)
    row = Delivery.objects.get()
    assert (row.state, row.looks, row.look_at) == (state, 1, None)


def test_look_at_a_server_that_does_not_listen_counts_against_it(queued, network, monkeypatch):
    unknown(queued)
    for error, failures in ((PerhapsSent("half"), 0), (NotSent("away"), 1)):
        monkeypatch.setattr(network, "look", answering(error))
        unknowns.look(queued)
        assert sum(Circuit.objects.values_list("failures", flat=True)) == failures


@pytest.mark.parametrize(("obstacle", "seconds"), sorted(starts._PASSES.items()))
def test_what_passes_by_itself_is_tried_again_soon(obstacle, seconds, claimed):
    starts._stop(claimed, obstacle, NOW)
    row = Delivery.objects.get()
    assert (row.state, row.reason, row.claims, row.lease_until) == ("queued", obstacle, 0, None)
    assert row.next_at == NOW + seconds * SECOND


@pytest.mark.parametrize("tried", [None, NOW])
@pytest.mark.parametrize(("obstacle", "state"), sorted(starts._ENDS.items()))
def test_what_ends_a_post_asks_about_it_where_it_may_stand(obstacle, state, tried, claimed):
    Delivery.objects.update(first_tried_at=tried)
    claimed.first_tried_at = tried
    starts._stop(claimed, obstacle, NOW)
    row = Delivery.objects.get()
    assert (row.state, row.reason) == ("unknown" if tried else state, obstacle)
    assert (row.look_at, row.lease_until) == (NOW if tried else None, None)


@pytest.mark.parametrize("ask", [True, False])
def test_ambiguous_answer_is_written_down(ask, claimed):
    assert starts.start(claimed)
    began = timezone.now()
    deliveries.settle(claimed, Unknown("x" * 401, look_after=500.0, ask=ask))
    row = Delivery.objects.get()
    assert (row.state, row.reason) == ("unknown", "ask_person" if ask else "ambiguous")
    assert (row.detail, row.claims, row.lease_until) == ("x" * 400, 0, None)
    assert row.first_tried_at >= row.started_at
    assert row.look_at is None if ask else row.look_at - began > 499 * SECOND


def test_refusal_of_the_account_asks_its_person(claimed):
    assert starts.start(claimed)
    deliveries.settle(claimed, Refused("no " * 200, permanent=False))
    row = Delivery.objects.get()
    assert (row.state, row.reason, row.blocked) == ("queued", "blocked", "reconnect")
    assert (row.claims, row.lease_until, row.detail) == (0, None, ("no " * 200)[:400])
    assert row.account.reconnect_reason == ("no " * 200)[:200]


def test_blocked_post_says_why_and_is_in_no_workers_hands(claimed):
    deliveries.block(claimed, "quarantined", detail="x" * 401)
    row = Delivery.objects.get()
    assert (row.blocked, row.reason, row.lease_until) == ("quarantined", "blocked", None)
    assert row.detail == "x" * 400


def test_answer_to_come_later_is_written_down(claimed):
    assert starts.start(claimed)
    row = Delivery.objects.get()
    assert (row.tries, row.next_at, Attempt.objects.get().began_at) == (1, None, row.started_at)
    deliveries.settle(claimed, Later("x" * 401, wait=60.0))
    row, attempt = Delivery.objects.get(), Attempt.objects.get()
    assert (row.state, row.reason, row.detail) == ("queued", "later", "x" * 400)
    assert (row.claims, row.lease_until, row.next_at) == (0, None, attempt.ended_at + 60 * SECOND)
    assert (attempt.outcome, attempt.detail) == ("later", "x" * 400)


# --- what forbids a start, row by row


@pytest.mark.parametrize(
    ("what", "obstacle"),
    [
        ("nothing", ""),
        ("instance", "stopped"),
        ("programme", "held"),
        ("topic", "held"),
        ("suggestion", "held"),
        ("left_at", "left"),
        ("is_active", "left"),
        ("blocked", "blocked"),
        ("disconnected_at", "disconnected"),
        ("consent", "consent"),
        ("due_at", "early"),
    ],
)
def test_each_row_forbids_its_own_post_alone(what, obstacle, claimed, mirja, person):
    now, post = timezone.now(), claimed.post
    other = person("Wiebke", left_at=NOW, is_active=False)
    Consent.objects.filter(person=other).update(withdrawn_at=NOW)
    TimeOff.objects.create(
        person=other, posts="wait", said_at=now, from_on=now.date(), until_on=now.date()
    )
    elsewhere = Topic.objects.create(
        slug="ships", title="Ships", language="en", rule="Wait.", light_since=NOW
    )
    holds.hold(scope=elsewhere, by=mirja, reason="Wait.", now=NOW)
    scopes = {
        "programme": Programme.the(),
        "topic": post.suggestion.topic,
        "suggestion": post.suggestion,
    }
    if what in scopes:
        holds.hold(scope=scopes[what], by=mirja, reason="Wait.", now=now)
    elif what == "instance":
        instance.the()
        assert instance.stop(why="restored", now=now)
    elif what == "consent":
        consents.withdraw(person=post.person, purpose="publish", now=now)
    elif what in {"left_at", "is_active"}:
        gone = {"left_at": now} if what == "left_at" else {"is_active": False}
        type(other).objects.filter(pk=post.person_id).update(**gone)
    elif what == "blocked":
        Delivery.objects.update(blocked="quarantined")
    elif what == "due_at":
        Delivery.objects.update(due_at=now + SECOND)
    elif what == "disconnected_at":
        ConnectedAccount.objects.update(disconnected_at=now)
    assert starts._obstacle(claimed, now) == obstacle


# --- time off


@pytest.mark.parametrize(
    ("fields", "obstacle"),
    [
        ({}, "time_off"),
        ({"ended_at": "+"}, ""),
        ({"said_at": "-"}, ""),
        ({"from_on": "+"}, ""),
        ({"until_on": "-"}, ""),
        ({"from_on": "=", "until_on": "="}, "time_off"),
    ],
)
def test_time_off_stops_on_its_days_what_was_written_before_it(fields, obstacle, claimed):
    now = timezone.now()
    today, day = claimed.post.person.local(now).date(), dt.timedelta(days=1)
    days = {"+": today + day, "-": today - day, "=": today}
    times = {"+": now, "-": claimed.written_at - SECOND}
    usual = {"from_on": today - day, "until_on": today + day, "said_at": now, "ended_at": None}
    given = {n: (days if n.endswith("_on") else times)[v] for n, v in fields.items()}
    if given.get("from_on") == today + day:
        given["until_on"] = today + day
    if given.get("until_on") == today - day:
        given["from_on"] = today - day
    TimeOff.objects.create(person=claimed.post.person, posts="wait", **(usual | given))
    assert starts._obstacle(claimed, now) == obstacle


# --- figures


def test_sum_that_rests_on_two_for_exactly_half_is_told():
    assert anonymity.third({1: 7, **dict.fromkeys(range(2, 9), 1)}) == 2
    assert anonymity.third({1: 7.1, **dict.fromkeys(range(2, 9), 1)}) is None
    assert anonymity.total({1: 6, 2: 4, **dict.fromkeys(range(3, 13), 1)}) == 20
    assert anonymity.total({1: 6, 2: 5, **dict.fromkeys(range(3, 13), 1)}) is None
    assert anonymity.total(dict.fromkeys(range(12), 0.1)) is None
    assert anonymity.total({**dict.fromkeys(range(4), 5), **dict.fromkeys(range(4, 20), 0)}) is None


def test_numbers_that_guard_figures_are_those_of_the_argument():
    """``docs/programme.md``: who changes one of these reads it again."""
    assert (anonymity.GROUP, anonymity._LEFT_OUT, anonymity.BESIDE_THREE) == (5, 2, 8)
    assert (anonymity._PRIME, anonymity.MOST_CELLS) == (2305843009213693951, 32)
    assert (
        tuple(
            int(step)
            for step in [
                "5",
                "10",
                "20",
                "50",
                "100",
                "200",
                "500",
                "1000",
                "2000",
                "5000",
                "10000",
                "20000",
                "50000",
                "100000",
                "200000",
                "500000",
            ]
        )
        == anonymity.STEPS
    )


@pytest.mark.parametrize(("count", "shown", "whole"), [(0, None, 0), (4, None, 0), (5, 5, 5), (6, 6, 5), (9, 9, 5), (10, 10, 10)])  # fmt: skip
def test_count_is_told_from_five_on(count, shown, whole):
    assert (anonymity.shown(count), anonymity.at_least(count)) == (shown, whole)


@pytest.mark.parametrize(
    ("yes", "of", "least"),
    [(0, 0, 0), (5, 5, 0), (5, 9, 0), (5, 10, 5), (9, 10, 5), (10, 10, 5), (4, 99, 0), (99, 99, 90)],
)  # fmt: skip
def test_yes_is_told_so_that_five_may_have_said_no(yes, of, least):
    assert anonymity.yes_at_least(yes, of) == least


@pytest.mark.parametrize(
    ("people", "found"),
    [(0, {None}), (4, {None}), (5, {None, 5}), (6, {5}), (9, {5}), (10, {5, 10}), (11, {10}), (20, {10, 20}), (21, {20}), (50, {20, 50}), (100, {50, 100})],
)  # fmt: skip
def test_group_is_told_as_a_step_with_one_person_more_or_less(people, found):
    groups = [anonymity.Group.of(range(n, n + people)) for n in range(0, 4000, 100)]
    assert {anonymity.told(group) for group in groups} == found
    assert {anonymity.split(group, anonymity.Group.of(range(6))) for group in groups} == found
    assert {anonymity.split(group, anonymity.Group.of(range(4))) for group in groups} == {None}


def test_groups_add_up_and_are_told_apart_by_64_bits():
    of = anonymity.Group.of
    assert of([1, 2]) + of([3]) == of([3, 2, 1, 1]) != of([1, 2, 4])
    assert max(of([key]).mark for key in range(200)).bit_length() == 64
    assert anonymity.Group() == of([])


@pytest.mark.parametrize(
    ("values", "thirds"),
    [
        (dict.fromkeys(range(7), 1), None),
        (dict.fromkeys(range(8), 1), 2),
        (dict.fromkeys(range(9), 1), 2),
        (dict.fromkeys(range(10), 1), 1),
        ({**dict.fromkeys(range(7), 1), 7: 0, 8: 0}, None),
        ({0: 5, 1: 4, 2: 3, **dict.fromkeys(range(3, 8), 1)}, 3),
        ({0: 8, **dict.fromkeys(range(1, 9), 1)}, 2),
        ({0: 9, **dict.fromkeys(range(1, 9), 1)}, None),
    ],
)
def test_part_of_the_three_largest_is_told_in_thirds(values, thirds):
    assert anonymity.third(values) == thirds


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (dict.fromkeys(range(4), 9), None),
        (dict.fromkeys(range(6), 1), 5),
        (dict.fromkeys(range(4), 1) | {4: 0.5, 5: 0.5}, 5),
        (dict.fromkeys(range(6), 2), 10),
        (dict.fromkeys(range(6), 3), 10),
        (dict.fromkeys(range(6), 0.5), None),
        ({**dict.fromkeys(range(6), 2), 6: 6}, 10),
        ({**dict.fromkeys(range(6), 2), 6: 9}, None),
        ({**dict.fromkeys(range(4), 2), 4: 0, 5: 0, 6: -1}, None),
    ],
)
def test_sum_is_told_as_a_step_where_two_are_not_half_of_it(values, step):
    assert anonymity.total(values) == step


@pytest.mark.parametrize(
    ("hours", "changed", "moves"),
    [(23, 9, False), (24, 4, False), (24, 5, True), (25, 5, True), (25, 0, False)],
)
@pytest.mark.parametrize("how", ["other", "gone", "new"])
def test_figure_moves_after_its_rest_when_five_answers_are_others(how, hours, changed, moves):
    day, later = dt.timedelta(days=1), NOW + dt.timedelta(hours=hours)
    first = dict.fromkeys(range(9), "yes")
    second = {
        "other": first | dict.fromkeys(range(changed), "no"),
        "gone": dict.fromkeys(range(changed, 9), "yes"),
        "new": first | dict.fromkeys(range(9, 9 + changed), "yes"),
    }[how]
    for name in ("here", "there"):
        figure = anonymity.Figure(first, [name, 1])
        assert anonymity.settled(name, lambda f=figure: f, now=NOW, rest=day) == ([name, 1], NOW)
    figure = anonymity.Figure(second, ("here", 2))
    found = anonymity.all_settled({"here": figure}, now=later, rest=day)
    wanted = (["here", 2], later) if moves else (["here", 1], NOW)
    assert found == {"here": wanted}
    again = anonymity.settled("here", lambda: figure, now=later, rest=day)
    assert again == wanted
    rows = PublishedFigure.objects.order_by("name").values_list("name", "content", "told_at")
    assert list(rows) == [("here", *wanted), ("there", ["there", 1], NOW)]
    kept = PublishedFigure.objects.get(name="here").answers
    assert len(kept) == len(second if moves else first)
    assert {len(text) for pair in kept.items() for text in pair} == {16}


def test_figure_told_for_good_stands_with_its_moment():
    assert anonymity.freeze("month/1", {"n": 5}, now=NOW)
    assert anonymity.freeze("month/2", {"n": 10}, now=NOW)
    assert not anonymity.freeze("month/1", {"n": 6}, now=NOW + SECOND)
    rows = PublishedFigure.objects.order_by("name").values_list("name", "content", "told_at")
    assert list(rows) == [("month/1", {"n": 5}, NOW), ("month/2", {"n": 10}, NOW)]
    assert anonymity.frozen("month/1") == {"month/1": {"n": 5}}


@pytest.mark.parametrize(
    ("parts", "safe"),
    [
        ({n: [(0,)] for n in range(4)}, False),
        ({n: [(0,)] for n in range(5)}, True),
        ({n: [(0, 1)] for n in range(4)} | {4: [(0,)]}, False),
        ({n: [(0, 1), (0,)] for n in range(5)}, True),
        ({n: [(0, 1 + n % 2)] for n in range(9)}, False),
        ({n: [(0, 1 + n % 2)] for n in range(10)}, True),
        # Cells that follow from each other need no people of their own.
        ({n: [(0, 1), (1, 2), (0, 2)][n % 3 : n % 3 + 1] for n in range(15)}, True),
        ({n: [(0, 1), (1, 2), (0, 2)][n % 3 : n % 3 + 1] for n in range(14)}, False),
        ({n: [(0,), (1,), (0, 1)][n % 3 : n % 3 + 1] for n in range(12)}, True),
        ({n: [(0, 1), (2,), (0, 1, 2)][n % 3 : n % 3 + 1] for n in range(12)}, True),
        ({n: [(n % 3,)] for n in range(14)}, False),
        ({n: [(n % 3,)] for n in range(15)}, True),
    ],
)
def test_five_circles_span_what_all_span(parts, safe):
    assert anonymity.inseparable(parts) == safe


def test_steps_and_blocks_are_told_as_they_are():
    assert anonymity.STEPS[:6] == (5, 10, 20, 50, 100, 200)
    assert anonymity.STEPS[-2:] == (200_000, 500_000)
    large, small, other = (
        anonymity.Group.of(range(*ends)) for ends in ((0, 40), (40, 43), (43, 47))
    )
    block = anonymity.Block
    assert anonymity.blocks({}) == []
    assert anonymity.blocks({"a": large}) == [block(("a",), 20)]
    assert anonymity.blocks({"b": small, "a": large}) == [block(("a",), 20), block(("b",), None)]
    assert anonymity.blocks({"a": large, "b": small, "c": other}) == [
        block(("a",), 20), block(("b", "c"), 5),
    ]  # fmt: skip
    assert [one.merged for one in anonymity.blocks({"b": small, "c": other})] == [True]
    assert anonymity.blocks({"b": anonymity.Group.of([1]), "c": anonymity.Group.of([2])}) == [
        block(("b",), None), block(("c",), None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "mean"),
    [([], 0.0), ([7], 0.0), ([7, 5], 0.0), ([1, 2, 3], 1.0), ([9, 1, 8, 2, 3], 12 / 5)],
)
def test_two_highest_count_like_the_third(values, mean):
    assert anonymity.evened(values) == mean


# --- keys and accounts


def test_key_is_shown_by_its_beginning_and_its_day_is_kept_once(jona, mirja):
    token, key = api_tokens.make(
        person=jona, kind="personal", name="Mine", scopes=["topics:read"],
        lasts=dt.timedelta(days=900), now=NOW,
    )  # fmt: skip
    other, _key = api_tokens.make(
        person=mirja, kind="personal", name="Hers", scopes=["topics:read"],
        lasts=dt.timedelta(days=1), now=NOW,
    )  # fmt: skip
    assert (token.shown, token.expires_at) == (key[:10], NOW + dt.timedelta(days=365))
    assert api_tokens.find(key, now=token.expires_at) is None
    assert api_tokens.find(key, now=token.expires_at - SECOND) == token
    assert ApiToken.objects.get(pk=token.pk).used_on == (token.expires_at - SECOND).date()
    assert ApiToken.objects.get(pk=other.pk).used_on is None
    assert api_tokens.end(token=token, by=jona, now=NOW)
    assert ApiToken.objects.get(pk=other.pk).ended_at is None


def test_keys_of_programs_are_those_of_the_installation(person):
    boss = person("Selin Aydın", "administrator")
    for kind in ("personal", "installation"):
        api_tokens.make(
            person=boss, kind=kind, name=kind, scopes=["topics:read"],
            lasts=dt.timedelta(days=1), now=NOW,
        )  # fmt: skip
    found = api_tokens.of_installation(boss, now=NOW).values_list("name", flat=True)
    assert list(found) == ["installation"]
    assert not api_tokens.of_installation(boss, now=NOW + dt.timedelta(days=1))
    with pytest.raises(api_tokens.TokenRefused, match="Choose what the key opens"):
        api_tokens.make(
            person=boss, kind="personal", name="None", scopes=[], lasts=dt.timedelta(days=1),
            now=NOW,
        )  # fmt: skip


@pytest.mark.parametrize("gone", [{"left_at": NOW}, {"is_active": False}])
def test_key_of_somebody_who_is_gone_opens_nothing(gone, jona):
    _token, key = api_tokens.make(
        person=jona, kind="personal", name="Mine", scopes=["topics:read"],
        lasts=dt.timedelta(days=1), now=NOW,
    )  # fmt: skip
    assert api_tokens.find(key, now=NOW)
    type(jona).objects.filter(pk=jona.pk).update(**gone)
    assert api_tokens.find(key, now=NOW) is None


def test_account_is_asked_about_alone_and_mailed_about_anew(person, account_on, mastodon):
    one, other = (account_on(person(f"P{n}"), mastodon, number=str(n)) for n in (1, 2))
    ConnectedAccount.objects.update(warned_at=NOW)
    reconnects.ask(one, why="gone", now=NOW)
    rows = ConnectedAccount.objects.order_by("pk").values_list("reconnect_reason", "warned_at")
    assert list(rows) == [("gone", None), ("", NOW)]
    ConnectedAccount.objects.update(reconnect_reason="gone")
    reconnects.settle(one)
    assert list(rows.values_list("reconnect_reason", flat=True)) == ["", "gone"]
    ConnectedAccount.objects.update(disconnected_at=NOW, reconnect_reason="")
    reconnects.ask(other, why="gone", now=NOW)
    assert ConnectedAccount.objects.get(pk=other.pk).reconnect_reason == ""


def test_day_of_the_next_yes_is_of_one_account_and_mailed_about_once(person, account_on, mastodon):
    one, _other = (account_on(person(f"P{n}"), mastodon, number=str(n)) for n in (1, 2))
    reconnects.until(one, NOW)
    ConnectedAccount.objects.update(warned_at=NOW)
    reconnects.until(one, NOW)
    rows = ConnectedAccount.objects.order_by("pk")
    assert list(rows.values_list("reconnect_by", "warned_at")) == [(NOW, NOW), (None, NOW)]
    reconnects.until(one, NOW + SECOND)
    assert list(rows.values_list("reconnect_by", "warned_at")) == [
        (NOW + SECOND, None), (None, NOW),
    ]  # fmt: skip
    ConnectedAccount.objects.filter(pk=one.pk).update(disconnected_at=NOW)
    assert reconnects.expire(now=NOW + SECOND) == 0
    ConnectedAccount.objects.update(disconnected_at=None, reconnect_reason="before")
    assert reconnects.expire(now=NOW + SECOND) == 0


def test_ended_token_is_that_of_one_account(person, account_on, mastodon):
    one, other = (account_on(person(f"P{n}"), mastodon, number=str(n)) for n in (1, 2))
    tokens.expire(one, now=NOW)
    rows = Token.objects.order_by("account").values_list("account", "expires_at")
    assert list(rows) == [(one.pk, NOW), (other.pk, None)]


def test_what_would_lapse_in_a_week_or_lay_idle_for_six_days_is_renewed(
    person, account_on, mastodon, monkeypatch
):
    day, hour = dt.timedelta(days=1), dt.timedelta(hours=1)
    ends = {
        "1": (NOW + 7 * day, False), "2": (NOW + 7 * day - SECOND, True),
        "3": (NOW + 3 * hour, False), "4": (NOW + 3 * hour + SECOND, True),
        "5": (NOW - 6 * day, False), "6": (NOW - 6 * day - SECOND, True), "7": (None, False),
    }  # fmt: skip
    wanted, found = set(), []
    for number, (expires_at, renewed) in ends.items():
        account = account_on(person(f"P{number}"), mastodon, number=number)
        Token.objects.filter(account=account).update(expires_at=expires_at)
        wanted |= {account.pk} if renewed else set()
    monkeypatch.setattr(tokens, "open_access", lambda account, **_how: found.append(account.pk))
    assert (tokens.renew_lapsing(now=NOW), set(found)) == (3, wanted)
    ConnectedAccount.objects.update(reconnect_reason="gone")
    assert tokens.renew_lapsing(now=NOW) == 0


def test_pair_that_a_dead_worker_left_is_stored_with_its_times(queued):
    token, ends, again = Token.objects.get(), NOW + 60 * SECOND, NOW + dt.timedelta(days=60)
    spool.keep(
        "token",
        str(queued.account_id),
        {
            "version": token.version,
            "secrets": {"access_token": "new"},
            "expires_at": ends.isoformat(),
            "reconnect_by": again.isoformat(),
        },
    )
    assert tokens.replay() == 1
    after = Token.objects.get()
    assert (after.version, after.expires_at) == (token.version + 1, ends)
    assert after.account.reconnect_by == again
    assert tokens.open_access(queued.account, now=NOW - 61 * SECOND).secrets == {
        "access_token": "new"
    }


def test_rotation_goes_batch_by_batch_to_the_end(person, account_on, mastodon, settings):
    for number in range(3):
        account_on(person(f"P{number}"), mastodon, number=str(number))
    assert not rotation.waits()
    settings.TOKEN_KEYS = ["b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMDA=", *settings.TOKEN_KEYS]
    assert rotation.waits()
    done = list(rotation.rotate(batch=2))
    assert (done[:2], sum(done)) == ([2, 1], 3)
    assert (rotation.waits(), sum(rotation.rotate())) == (False, 0)
    Token.objects.update(key_id="old", sealed=b"")
    assert (rotation.waits(), sum(rotation.rotate())) == (False, 0)
