"""What came back: full batches, a decaying cadence with an end, budgets, conversations."""

import datetime as dt
import itertools
import uuid
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ambassadors import consents
from campaigns import claims, deliveries, engagement, starts, unknowns
from campaigns.models import Attempt, Delivery, Reading
from integrations import accounts, limits
from integrations.models import Budget
from integrations.networks import get
from integrations.networks.abilities import Price
from integrations.networks.base import Figures, Later
from integrations.wire import WireError

from .networks.x import X

pytestmark = pytest.mark.django_db
SENT = dt.datetime(2026, 11, 24, 9, 3, tzinfo=dt.UTC)


@pytest.fixture
def out(person, account_on, queue):
    """Posts that are out and due to be read: ``per`` on each of ``people`` accounts."""

    def make(server, people, per=1, **fields):
        made = []
        for n in range(people):
            who = person(f"P{n}")
            account = account_on(who, server, uuid.uuid4().hex)
            made += [queue(who, account) for _ in range(per)]
        past = timezone.now() - dt.timedelta(hours=2)
        for row in made:
            changes = {
                "state": "sent",
                "remote_id": f"{row.pk}",
                "sent_at": past,
                "measure_at": past,
            }
            Delivery.objects.filter(pk=row.pk).update(**changes, **fields)
            row.refresh_from_db()
        return made

    return make


@pytest.fixture
def asked(monkeypatch):
    """Replace what a network measures; returns the sizes of its calls."""

    def watch(name, answer=lambda pk: Figures(likes=3, replies=1), **abilities):
        network, sizes = get(name), []
        monkeypatch.setattr(
            network, "abilities", replace(network.abilities, **abilities), raising=False
        )

        def measure(remote_ids, access):
            sizes.append(len(remote_ids))
            found = {pk: answer(pk) for pk in remote_ids}
            return {pk: figures for pk, figures in found.items() if figures}

        monkeypatch.setattr(network, "measure", measure, raising=False)
        return sizes

    return watch


def test_cadence_decays_and_ends(settings):
    settings.ENGAGEMENT_DAYS = 30
    abilities = get("mastodon").abilities
    moment, ages = SENT + dt.timedelta(minutes=10), []
    while moment:
        ages.append((moment - SENT).total_seconds() / 3600)
        moment = engagement.next_reading(abilities, SENT, moment)
    pauses = [b - a for a, b in itertools.pairwise(ages)]
    assert (len(ages) < 60, max(ages) <= 30 * 24, ages[-1] > 27 * 24) == (True, True, True)
    assert max(pauses[:4]) < 10.1 / 60
    assert max(pauses) < 48.1


@pytest.mark.parametrize("days", [3, 7, 90])
def test_duration_is_a_setting(settings, days):
    settings.ENGAGEMENT_DAYS = days
    abilities = get("mastodon").abilities
    before, after = (SENT + dt.timedelta(days=days + shift) for shift in (-2.1, 0.1))
    assert engagement.next_reading(abilities, SENT, before) is not None
    assert engagement.next_reading(abilities, SENT, after) is None


def test_network_with_scarce_calls_names_its_ages(settings):
    abilities = replace(get("mastodon").abilities, readings=(1, 24, 168))
    hours = [
        engagement.next_reading(abilities, SENT, SENT + dt.timedelta(hours=h))
        for h in (0, 1, 30, 168)
    ]
    assert [h and (h - SENT).total_seconds() / 3600 for h in hours] == [1, 24, 168, None]


def test_posts_of_one_rhythm_come_due_together():
    abilities = get("mastodon").abilities
    now = SENT + dt.timedelta(hours=3)
    moments = {
        engagement.next_reading(abilities, SENT - dt.timedelta(minutes=m), now)
        for m in range(0, 100, 7)
    }
    assert len(moments) == 1


def test_public_figures_fill_their_calls_across_accounts(out, asked, bluesky):
    sizes = asked("bluesky")
    out(bluesky, people=5, per=11)
    assert (engagement.measure_due(), sizes) == (55, [25, 25, 5])


def test_own_figures_are_asked_by_each_account_in_full_calls(out, asked, mastodon):
    sizes = asked("mastodon", batch=4)
    out(mastodon, people=3, per=5)
    assert (engagement.measure_due(), sizes) == (15, [4, 1] * 3)


def test_reading_writes_one_row_and_one_rollup_in_bulk(out, asked, bluesky):
    counts = []
    asked("bluesky")
    for per in (1, 12):
        out(bluesky, people=2, per=per)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            engagement.measure_due()
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert Reading.objects.count() == 26


def test_gone_post_is_marked_and_not_zero(out, asked, bluesky):
    [row] = out(bluesky, people=1)
    asked("bluesky", answer=lambda pk: None)
    engagement.measure_due()
    row.refresh_from_db()
    assert (row.gone_at is not None, row.measure_at, row.post.likes) == (True, None, None)


def test_strange_counts_are_no_counts(out, asked, bluesky):
    [row] = out(bluesky, people=1)
    asked("bluesky", answer=lambda pk: Figures(likes=-1, reposts=2**31, replies="7", quotes=4))
    engagement.measure_due()
    row.post.refresh_from_db()
    assert (row.post.likes, row.post.reposts, row.post.replies, row.post.quotes) == (
        None,
        None,
        None,
        4,
    )


def test_withdrawn_consent_and_removed_posts_are_not_read(out, asked, bluesky):
    first, second = out(bluesky, people=2)
    sizes = asked("bluesky")
    consents.withdraw(person=first.post.person, purpose="engagement", now=timezone.now())
    Delivery.objects.filter(pk=second.pk).update(removed_at=timezone.now())
    assert (engagement.measure_due(), sizes) == (0, [])
    first.refresh_from_db()
    assert first.measure_at is None


def test_trouble_moves_the_batch_a_little_later(out, asked, bluesky, monkeypatch):
    [row] = out(bluesky, people=1)

    def broken(remote_ids, access):
        raise WireError("HTTP 500")

    monkeypatch.setattr(get("bluesky"), "measure", broken, raising=False)
    assert engagement.measure_due() == 0
    row.refresh_from_db()
    assert 29 < (row.measure_at - timezone.now()).total_seconds() / 60 <= 30


@pytest.mark.parametrize(("dollars", "read"), [(0.00004, 4), (0.00003, 0), (0, 0)])
def test_paid_readings_respect_the_budget(out, asked, bluesky, settings, dollars, read):
    settings.MONTHLY_BUDGETS = {"bluesky": dollars}
    asked("bluesky", price=Price(post=0, post_with_link=0, read=10))
    out(bluesky, people=4)
    assert engagement.measure_due() == read
    assert Budget.objects.get().spent == read * 10


def test_conversations_are_counted_once_a_day_where_there_are_replies(
    out, asked, bluesky, monkeypatch
):
    first, _second = out(bluesky, people=2)
    asked(
        "bluesky", answer=lambda pk: Figures(replies=int(pk == first.remote_id)), can_converse=True
    )
    seen = []
    monkeypatch.setattr(
        get("bluesky"), "conversations", lambda pk, access: seen.append(pk) or 1, raising=False
    )
    engagement.measure_due()
    assert [engagement.converse_due() for _ in range(3)] == [1, 0, 0]
    first.refresh_from_db()
    first.post.refresh_from_db()
    assert (seen, first.post.conversations) == ([first.remote_id], 1)
    assert 23 < (first.converse_at - timezone.now()).total_seconds() / 3600 <= 24


@pytest.fixture
def x(monkeypatch):
    with X() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def test_paid_figures_that_nobody_s_key_can_read_cost_nothing(out, x, settings):
    settings.MONTHLY_BUDGETS = {"x": 1}
    [row] = out(x, people=1)
    accounts.disconnect(account=row.account, by=None, now=timezone.now())
    assert engagement.measure_due() == 0
    row.refresh_from_db()
    assert (Budget.objects.get().spent, row.measure_at > timezone.now()) == (0, True)


def test_paid_figures_that_were_refused_cost_nothing(out, x, settings):
    settings.MONTHLY_BUDGETS = {"x": 1}
    out(x, people=1)
    x.tokens.clear()
    assert engagement.measure_due() == 0
    assert Budget.objects.get().spent == 0


def test_lowered_budget_holds_from_the_next_cent(settings, db):
    settings.MONTHLY_BUDGETS = {"x": 1}
    assert limits.spend("x", 600_000, now=SENT)
    settings.MONTHLY_BUDGETS = {"x": 0.5}
    assert not limits.spend("x", 5_000, now=SENT)
    settings.MONTHLY_BUDGETS = {"x": 0.7}
    assert [limits.spend("x", 100_000, now=SENT) for _ in range(2)] == [True, False]


def test_price_returns_once_and_to_the_month_it_was_taken_from(
    person, account_on, queue, x, settings
):
    settings.MONTHLY_BUDGETS = {"x": 1}
    jona, now = person(), timezone.now()
    delivery = queue(jona, account_on(jona, x))
    Delivery.objects.update(due_at=now - dt.timedelta(hours=1))
    [claimed] = claims.claim(limit=1)
    assert starts.pay(claimed, now)
    assert starts.start(claimed)
    taken = Budget.objects.get()
    earlier = taken.month - dt.timedelta(days=1)
    Budget.objects.update(month=earlier.replace(day=1), spent=500_000)
    Attempt.objects.update(began_at=now - dt.timedelta(days=now.day))
    assert limits.spend("x", 100_000, now=now)
    for _ in range(2):  # the second time because the commit's answer was lost
        deliveries.settle(claimed, Later("busy", wait=1.0))
    delivery.refresh_from_db()
    spent = list(Budget.objects.order_by("month").values_list("spent", flat=True))
    assert (delivery.state, spent) == ("queued", [500_000 - starts.price(delivery), 100_000])


def test_start_refused_after_paying_returns_the_price(
    person, account_on, queue, x, topic, settings
):
    settings.MONTHLY_BUDGETS = {"x": 1}
    jona, now = person(), timezone.now()
    queue(jona, account_on(jona, x))
    Delivery.objects.update(due_at=now - dt.timedelta(hours=1))
    [claimed] = claims.claim(limit=1)
    assert starts.pay(claimed, now)
    assert Budget.objects.get().spent == starts.price(claimed)
    type(topic).objects.update(held_at=now)
    assert not starts.start(claimed)
    assert Budget.objects.get().spent == 0


@pytest.mark.parametrize("reading", ["measure", "conversations"])
def test_answer_nobody_thought_of_stops_no_other_reading(
    out, asked, bluesky, mastodon, monkeypatch, reading
):
    def broken(*_args):
        raise KeyError("posts")

    asked("bluesky", can_converse=True)
    asked("mastodon", can_converse=True)
    monkeypatch.setattr(get("bluesky"), reading, broken, raising=False)
    monkeypatch.setattr(get("mastodon"), "conversations", lambda pk, access: 1, raising=False)
    bad, good = out(bluesky, people=1) + out(mastodon, people=1)
    Delivery.objects.update(converse_at=timezone.now() - dt.timedelta(hours=1))
    type(bad.post).objects.update(replies=1)
    read = engagement.measure_due() if reading == "measure" else engagement.converse_due()
    bad.refresh_from_db()
    good.refresh_from_db()
    later = bad.measure_at if reading == "measure" else bad.converse_at
    assert (read, later > timezone.now()) == (1, True)


def test_look_that_costs_money_is_taken_from_the_budget_or_not_done(
    person, account_on, queue, x, settings
):
    settings.MONTHLY_BUDGETS = {"x": 0.055}
    jona = person()
    delivery = queue(jona, account_on(jona, x))
    past = timezone.now() - dt.timedelta(hours=1)
    Delivery.objects.update(state="unknown", look_at=past, first_tried_at=past)
    delivery.refresh_from_db()
    unknowns.look(delivery)
    assert (Budget.objects.get().spent, x.count("looked")) == (50_000, 1)
    delivery.refresh_from_db()
    unknowns.look(delivery)
    delivery.refresh_from_db()
    assert (delivery.reason, Budget.objects.get().spent, x.count("looked")) == (
        "ask_person",
        50_000,
        1,
    )
