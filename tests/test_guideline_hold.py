"""A guideline holds back publishing for somebody, and nothing else, until they say yes."""

import datetime as dt
import threading
import uuid

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from ambassadors import acknowledgements, consents, guidelines
from ambassadors.models import GuidelineVersion
from campaigns import choices, claims, confirming, pace, reminders, saying, starts
from campaigns.models import Delivery, Post
from campaigns.shares import Words, hand_over, share
from campaigns.tasks import publish_round
from integrations.models import ConnectedAccount

from .conftest import browser

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def rule(mirja):
    """A guideline that holds since so many days, with fourteen days of grace."""

    def make(days, guideline=None, **more):
        now = timezone.now()
        words = {
            "title_de": "", "title_en": "Social media", "text_de": "", "text_en": "Be yourself.",
            "quiz": [], "change_de": "", "change_en": "New.", "requires_yes": True,
            "grace_days": 14, "effective_on": None, **more,
        }  # fmt: skip
        at = now - days * DAY
        if guideline is None:
            draft = guidelines.begin(words=words, key=uuid.uuid4(), by=mirja, now=at)
        else:
            draft = guidelines.next_draft(guideline=guideline, by=mirja, now=at)
            guidelines.save(draft=draft, words=words, seen_revision=1, by=mirja, now=at)
        guidelines.publish(
            draft=draft, seen_revision=2 if guideline else 1, effective_at=at, by=mirja, now=at
        )
        return GuidelineVersion.objects.select_related("guideline").get(pk=draft.pk)

    return make


@pytest.fixture
def long_here(jona):
    """Jona, who joined a year ago."""
    type(jona).objects.filter(pk=jona.pk).update(joined_at=timezone.now() - 365 * DAY)
    jona.refresh_from_db()
    return jona


@pytest.fixture
def queued(long_here, account_on, mastodon, queue):
    """A post of Jona's that is due, on their own account."""
    return queue(long_here, account_on(long_here, mastodon))


def start(delivery):
    """Try to start a due delivery as a worker does that has claimed it; returns it as it then is.

    The claim itself reads the transaction's clock, which stands still in most of these tests.
    """
    Delivery.objects.filter(pk=delivery.pk, state="queued", blocked="").update(
        fence=F("fence") + 1, claims=1, lease_until=timezone.now() + pace.LEASE
    )
    starts.start(Delivery.objects.get(pk=delivery.pk))
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    delivery.refresh_from_db()
    return delivery


# When it holds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "holds"), [(13, False), (15, True)])
def test_it_holds_when_the_grace_time_is_over(rule, long_here, days, holds):
    rule(days)
    assert acknowledgements.holds_back(long_here, timezone.now()) is holds


def test_grace_begins_for_a_joiner_when_they_join(rule, jona):
    rule(200)
    assert not acknowledgements.holds_back(jona, timezone.now() + 13 * DAY)
    assert acknowledgements.holds_back(jona, timezone.now() + 15 * DAY)


def test_version_without_a_yes_holds_nobody(rule, long_here):
    rule(200, requires_yes=False)
    assert acknowledgements.asked(long_here, timezone.now()) == {}


def test_later_yes_covers_earlier_versions_and_not_the_other_way(rule, long_here):
    now = timezone.now()
    first = rule(100)
    second = rule(50, first.guideline)
    acknowledgements.give(person=long_here, version=first, language="en", now=now)
    assert acknowledgements.holds_back(long_here, now)
    acknowledgements.give(person=long_here, version=second, language="en", now=now)
    assert not acknowledgements.holds_back(long_here, now)


def test_yes_to_one_guideline_is_none_to_another(rule, long_here):
    first, _second = rule(100), rule(100)
    acknowledgements.give(person=long_here, version=first, language="en", now=timezone.now())
    assert acknowledgements.holds_back(long_here, timezone.now())


# The start ---------------------------------------------------------------------------------------


def test_start_waits_for_the_yes_and_sends_nothing(queued, rule, mastodon):
    rule(15)
    held = start(queued)
    assert (held.state, held.blocked, held.reason) == ("queued", "guideline", "guideline")
    assert (held.lease_until, held.tries) == (None, 0)


@pytest.mark.django_db(transaction=True)
def test_worker_sends_nothing_before_the_yes_and_all_after_it(queued, rule, long_here, mastodon):
    version = rule(15)
    assert publish_round(seconds=5) == 1
    assert (publish_round(seconds=5), mastodon.count("arrived")) == (0, 0)
    confirming.confirm(person=long_here, version=version, language="en", now=timezone.now())
    publish_round(seconds=5)
    queued.refresh_from_db()
    assert (queued.state, mastodon.count("created")) == ("sent", 1)


def test_start_goes_on_within_the_grace_time(queued, rule):
    rule(13)
    assert start(queued).state == "sending"


def test_start_goes_on_after_the_yes(queued, rule, long_here):
    version = rule(15)
    acknowledgements.give(person=long_here, version=version, language="en", now=timezone.now())
    assert start(queued).state == "sending"


def test_yes_lets_the_held_post_go_on(queued, rule, long_here):
    version = rule(15)
    start(queued)
    freed = confirming.confirm(person=long_here, version=version, language="en", now=timezone.now())
    assert freed == 1
    assert start(queued).state == "sending"


def test_yes_of_another_frees_nothing(queued, rule, person):
    version = rule(15)
    start(queued)
    other = person("Ole")
    freed = confirming.confirm(person=other, version=version, language="en", now=timezone.now())
    queued.refresh_from_db()
    assert (freed, queued.blocked) == (0, "guideline")


def test_yes_to_one_of_two_keeps_the_post_held(queued, rule, long_here):
    version, _other = rule(15), rule(15)
    start(queued)
    freed = confirming.confirm(person=long_here, version=version, language="en", now=timezone.now())
    assert freed == 0
    assert confirming.let_go(now=timezone.now()) == 0


def test_yes_that_met_a_start_is_found_a_minute_later(queued, rule, long_here):
    """The start read just before the yes, and wrote its hold just after the posts were freed."""
    version = rule(15)
    confirming.confirm(person=long_here, version=version, language="en", now=timezone.now())
    Delivery.objects.update(blocked="guideline")
    assert confirming.let_go(now=timezone.now()) == 1
    assert start(queued).state == "sending"


def test_held_post_whose_time_is_over_is_not_sent(queued, rule, long_here):
    version = rule(15)
    start(queued)
    Delivery.objects.update(due_at=timezone.now() - 3 * DAY, not_after=timezone.now() - DAY)
    confirming.confirm(person=long_here, version=version, language="en", now=timezone.now())
    held = start(queued)
    assert (held.state, held.reason) == ("failed", "expired")


def test_guideline_put_away_lets_go(queued, rule, desk):
    version = rule(15)
    start(queued)
    desk.post(f"/people/guidelines/{version.guideline_id}/act/", {"act": "retire"})
    assert start(queued).state == "sending"


def test_consent_is_asked_before_the_guideline(queued, rule, long_here):
    rule(15)
    consents.withdraw(person=long_here, purpose="publish", now=timezone.now())
    assert start(queued).blocked == "consent"


def test_hold_of_the_topic_outweighs(queued, rule, topic):
    rule(15)
    type(topic).objects.filter(pk=topic.pk).update(
        held_at=timezone.now(), held_reason="x", held_by=None
    )
    assert start(queued).reason == "held"


def test_channel_of_the_company_does_not_wait(long_here, account_on, mastodon, queue, rule, mirja):
    """It speaks for the company, somebody else has approved it, and it may be urgent."""
    rule(15)
    channel = account_on(long_here, mastodon)
    ConnectedAccount.objects.filter(pk=channel.pk).update(person=None)
    channel.refresh_from_db()
    channel.editors.add(long_here)
    delivery = queue(long_here, channel)
    assert delivery.blocked == "approval"
    Delivery.objects.update(blocked="", approved_by=mirja, approved_at=timezone.now())
    assert start(delivery).state == "sending"


# Sharing -----------------------------------------------------------------------------------------


def test_new_share_is_taken_and_held(rule, long_here, account_on, mastodon, queue):
    rule(15)
    delivery = queue(long_here, account_on(long_here, mastodon))
    assert (delivery.state, delivery.blocked) == ("queued", "guideline")


def test_thread_is_held_part_by_part_and_goes_on(rule, long_here, account_on, mastodon, suggestion):
    version, now = rule(15), timezone.now()
    words = Words("One.\n---\nTwo.", suggestion.variant_set.get(), uuid.uuid4())
    account = account_on(long_here, mastodon)
    share(by=long_here, suggestion=suggestion, words=words, accounts=[account], due_at=now, now=now)
    assert list(Delivery.objects.values_list("blocked", flat=True)) == ["guideline", "guideline"]
    assert confirming.confirm(person=long_here, version=version, language="en", now=now) == 2


@pytest.mark.parametrize("how", ["copied", "opened"])
def test_copying_and_opening_never_wait(rule, long_here, suggestion, how):
    rule(15)
    words = Words("My own words.", suggestion.variant_set.get(), uuid.uuid4())
    post = hand_over(
        by=long_here, suggestion=suggestion, words=words, network="linkedin", how=how,
        now=timezone.now(),
    )  # fmt: skip
    assert Post.objects.get() == post


def test_edited_post_stays_held(queued, rule, long_here):
    rule(15)
    start(queued)
    new = choices.edit(
        by=long_here, delivery=queued, text="Other words of mine.", now=timezone.now()
    )
    assert new.delivery.blocked == "guideline"


def test_person_cannot_press_it_free(queued, rule, long_here):
    rule(15)
    start(queued)
    assert not choices.look_again(by=long_here, delivery=queued, now=timezone.now())
    queued.refresh_from_db()
    assert queued.blocked == "guideline"


def test_person_may_take_it_back(queued, rule, long_here):
    rule(15)
    start(queued)
    assert choices.withdraw(by=long_here, delivery=queued, now=timezone.now())
    queued.refresh_from_db()
    assert queued.state == "cancelled"


# What the person reads ---------------------------------------------------------------------------


def test_pages_say_why_it_waits_and_where_to_go(queued, rule, long_here, suggestion, a_working_day):
    version = rule(15)
    start(queued)
    visitor = browser(long_here)
    page = visitor.get(f"/posts/{queued.post_id}/").content.decode()
    assert "Publishing for you waits until you have read and confirmed a guideline." in page
    assert 'href="/guidelines/"' in page and "Send it now" not in page
    composer = visitor.get(f"/suggestions/{suggestion.pk}/").content.decode()
    assert "Botschaft waits until you have said yes" in composer
    today = visitor.get("/").content.decode()
    assert "Publishing for you waits for your yes." in today
    assert f'href="/guidelines/{version.guideline.slug}/"' in today
    assert "Waits for you, Mastodon" in today
    visitor.post(f"/guidelines/{version.guideline.slug}/versions/1/yes/", {"language": "en"})
    queued.refresh_from_db()
    assert queued.blocked == ""
    assert "waits for your yes" not in visitor.get("/").content.decode()
    assert "waits until you have said yes" not in visitor.get(f"/suggestions/{suggestion.pk}/").content.decode()  # fmt: skip


def test_state_is_said_in_words(queued, rule, long_here):
    rule(15)
    held = start(queued)
    outlook = saying.Outlook("", {})
    assert saying.plain_state(held.post, held, outlook) == (
        "warn",
        "Waits for you: a guideline waits for your yes.",
    )
    assert held in reminders.on_today(long_here, timezone.now())[0]


def test_topic_and_composer_link_what_holds(rule, long_here, topic, suggestion):
    version = rule(1)
    address = f'href="/guidelines/{version.guideline.slug}/"'
    visitor = browser(long_here)
    assert visitor.get(f"/topics/{topic.pk}/").content.decode().count(address) == 1
    assert visitor.get(f"/suggestions/{suggestion.pk}/").content.decode().count(address) == 1
    own = f"/guidelines/{version.guideline.slug}/"
    type(topic).objects.filter(pk=topic.pk).update(links=[{"title": "Rules", "url": own}])
    assert visitor.get(f"/topics/{topic.pk}/").content.decode().count(address) == 1


def test_topic_may_link_to_a_guideline_of_ours_only(rule, desk, topic):
    version = rule(1)
    own = f"/guidelines/{version.guideline.slug}/"
    page = f"/desk/topics/{topic.pk}/"
    assert f'<option value="{own}">' in desk.get(page).content.decode()
    typed = {
        "title": "Wind", "rule": "Tell it.", "language": "en", "revision": "1", "act": "save",
        "links_title": "Rules", "links_url": own,
    }  # fmt: skip
    assert desk.post(page, typed).status_code == 302
    topic.refresh_from_db()
    assert topic.links == [{"title": "Rules", "url": own}]
    typed |= {"links_url": "/guidelines/none/", "revision": str(topic.revision)}
    assert desk.post(page, typed).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_yes_and_start_at_once_never_leave_a_post_held(queued, rule, long_here):
    version = rule(15)
    for _round in range(15):
        Delivery.objects.update(blocked="", state="queued", lease_until=None, next_at=None)
        (claimed,) = claims.claim(limit=1)
        barrier = threading.Barrier(2)

        def begin(claimed=claimed, barrier=barrier):
            barrier.wait()
            starts.start(claimed)
            connection.close()

        def agree(barrier=barrier):
            barrier.wait()
            confirming.confirm(person=long_here, version=version, language="en", now=timezone.now())
            connection.close()

        both = [threading.Thread(target=begin), threading.Thread(target=agree)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        confirming.let_go(now=timezone.now())
        queued.refresh_from_db()
        assert queued.blocked == ""
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE ambassadors_acknowledgement")
            cursor.execute("DELETE FROM campaigns_attempt")
