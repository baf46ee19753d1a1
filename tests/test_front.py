"""Everybody's part of Today: read once, and never older than the last change."""

import datetime as dt
import threading
import uuid

import pytest
from django.db import connection, transaction
from django.utils import timezone

from ambassadors.models import Site
from campaigns import front as fronts
from campaigns import holds, lights, picks
from campaigns.front import front
from campaigns.models import (
    Activity,
    Briefing,
    Campaign,
    Edition,
    Programme,
    Suggestion,
    Variant,
)

from .conftest import browser

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 25, 8, 30, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    monkeypatch.setattr(fronts, "_latest", None)


def like(suggestion, **fields):
    """One more, as the given one is."""
    values = {
        "topic": suggestion.topic, "title": "Another", "language": "en", "state": "approved",
        "author": suggestion.author, "approved_by": suggestion.approved_by,
        "approved_at": timezone.now(), "changed_at": timezone.now(),
    }  # fmt: skip
    return Suggestion.objects.create(**values | fields)


# Nothing is old ------------------------------------------------------------------------------


def hold_topic(suggestion, mirja):
    holds.hold(scope=suggestion.topic, by=mirja, reason="Wait.", now=timezone.now())


def hold_all(_suggestion, mirja):
    holds.hold(scope=Programme.the(), by=mirja, reason="Wait.", now=timezone.now())


def hold_it(suggestion, mirja):
    holds.hold(scope=suggestion, by=mirja, reason="Wait.", now=timezone.now())


def withdraw(suggestion, _mirja):
    Suggestion.objects.filter(pk=suggestion.pk).update(state="withdrawn")


def archive(suggestion, _mirja):
    type(suggestion.topic).objects.update(archived_at=timezone.now())


def no_line(suggestion, mirja):
    lights.change(
        topic=suggestion.topic, to="own", seen="share", why="?", by=mirja, now=timezone.now()
    )


def address(suggestion, _mirja):
    suggestion.sites.add(Site.objects.create(name="Elsewhere"))


def expire(suggestion, _mirja):
    Suggestion.objects.filter(pk=suggestion.pk).update(expires_at=timezone.now())


@pytest.mark.parametrize(
    "stop", [hold_topic, hold_all, hold_it, withdraw, archive, no_line, address, expire]
)
def test_what_may_not_be_shared_is_gone_at_the_next_look(
    suggestion, jona, mirja, stop, a_working_day
):
    reader = browser(jona)
    link = f'href="/suggestions/{suggestion.pk}/"'
    assert link in reader.get("/").content.decode()
    assert link in reader.get("/suggestions/").content.decode()
    stop(suggestion, mirja)
    assert link not in reader.get("/suggestions/").content.decode() or stop is hold_all
    assert link not in reader.get("/").content.decode()


def test_new_words_show_at_the_next_look(suggestion, jona, mirja, a_working_day):
    reader = browser(jona)
    reader.get("/")
    suggestion.variant_set.update(text="Completely new words.")
    type(suggestion.topic).objects.update(rule="A new rule.")
    Briefing.objects.create(day=timezone.localdate(), published_at=timezone.now(), note="An issue.")
    now = timezone.now()
    Campaign.objects.create(
        slug="wind", title="Wind", hashtag="wind", description="d", begins_on=now, ends_on=now,
        submission="7d0be4f2-2c3a-4a9e-9f0f-0d0c0f6b8b11", created_at=now, changed_at=now,
    )  # fmt: skip
    Activity.objects.create(
        kind="comment", topic=suggestion.topic, title="Say something", why="w", created_at=now,
        link_url="https://example.org/", ends_at=now + dt.timedelta(days=1),
        submission="7d0be4f2-2c3a-4a9e-9f0f-0d0c0f6b8b12",
    )  # fmt: skip
    page = reader.get("/").content.decode()
    for words in ("Completely new words.", "An issue.", "#wind", "Say something"):
        assert words in page, words


def test_what_changes_while_a_campaigns_page_is_made_stays_on_no_card(
    suggestion, jona, mirja, monkeypatch
):
    """Rows that were read before the change must not be kept under the stamp after it."""
    made = Campaign.objects.create(
        slug="c", title="C", hashtag="c", begins_on="2020-01-01", ends_on="2099-01-01",
        submission=uuid.uuid4(), created_by=mirja, created_at=AT, changed_at=AT,
    )  # fmt: skip
    Suggestion.objects.filter(pk=suggestion.pk).update(campaign=made)

    def changed_meanwhile(now):
        Suggestion.objects.filter(pk=suggestion.pk).update(title="Other words")
        return front(now)

    with monkeypatch.context() as slow:
        slow.setattr("campaigns.views.campaign.front", changed_meanwhile)
        browser(jona).get("/campaigns/c/")
    assert "Other words" in browser(jona).get("/suggestions/").content.decode()


def test_drafts_disturb_nobody(suggestion, mirja):
    before = Edition.objects.count()
    draft = like(suggestion, state="draft", approved_by=None, approved_at=None)
    Variant.objects.create(suggestion=draft, name="v", text="Not yet.")
    draft.variant_set.update(text="Still not.")
    draft.sites.add(Site.objects.create(name="Somewhere"))
    Suggestion.objects.filter(pk=draft.pk).update(title="Later")
    draft.delete()
    assert Edition.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_change_that_is_committed_after_a_later_one_is_seen(suggestion, jona):
    """A counter alone would skip it: the later change has the higher number already."""
    begun, may_commit = threading.Event(), threading.Event()

    def slowly():
        try:
            with transaction.atomic():
                Suggestion.objects.filter(pk=suggestion.pk).update(title="The earlier change")
                begun.set()
                assert may_commit.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=slowly)
    thread.start()
    assert begun.wait(20)
    Programme.objects.update(greeting="The later change")
    now = timezone.now()
    assert front(now).programme.greeting == "The later change"
    may_commit.set()
    thread.join()
    assert front(now).suggestions[0].title == "The earlier change"


def test_moments_within_a_minute_are_kept(suggestion, jona):
    Suggestion.objects.filter(pk=suggestion.pk).update(
        embargo_until=AT.replace(second=20), expires_at=AT.replace(second=40)
    )
    seen = [
        bool(front(AT.replace(second=second)).live_for(jona, AT.replace(second=second)))
        for second in (10, 19, 20, 39, 40, 50)
    ]
    assert seen == [False, False, True, True, False, False]


def test_unchanged_minute_reads_nothing_but_the_stamp(suggestion, django_assert_num_queries):
    kept = front(AT)
    with django_assert_num_queries(1):
        assert front(AT.replace(second=59)) is kept
    assert front(AT + dt.timedelta(minutes=1)) is not kept


def test_first_look_of_many_threads_reads_once(suggestion, monkeypatch):
    reads = []
    real = fronts._read
    monkeypatch.setattr(fronts, "_edition", lambda: (0, 0, 0))
    monkeypatch.setattr(fronts, "_read", lambda stamp: reads.append(stamp) or kept)
    kept = real((0, 0, 0, AT))
    threads = [threading.Thread(target=front, args=[AT]) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1


# Whom it is for ---------------------------------------------------------------------------------


def test_everybody_is_shown_what_the_database_would_show_them(suggestion, person):
    """The kept part and the one rule, :meth:`visible_to`, say the same of everybody."""
    here, there = (Site.objects.create(name=name, slug=name) for name in ("Here", "There"))
    to_site, to_language, to_interest = (
        like(suggestion, title=title) for title in ("site", "language", "interest")
    )
    like(suggestion, title="all")
    to_site.sites.add(here)
    Suggestion.objects.filter(pk=to_language.pk).update(audience_languages=["de"])
    Suggestion.objects.filter(pk=to_interest.pk).update(audience_interests=["wind"])
    people = [person(f"P{number}") for number in range(5)]
    for who, fields in zip(
        people,
        [{}, {"site": here}, {"site": there}, {"languages": ["de", "en"]}, {"interests": ["wind"]}],
        strict=True,
    ):
        type(who).objects.filter(pk=who.pk).update(**fields)
        who.refresh_from_db()
        now = timezone.now()
        kept = {row.title for row in front(now).live_for(who, now)}
        assert kept == {row.title for row in picks.live_for(who, now)}
        assert ("all" in kept, len(kept)) == (
            True,
            2 + ("site" in kept) + ("language" in kept) + ("interest" in kept),
        )


def test_who_sees_none_of_the_newest_is_served_by_the_database(suggestion, jona, monkeypatch):
    site = Site.objects.create(name="Elsewhere")
    monkeypatch.setattr(fronts, "MOST", 3)
    for number in range(4):
        like(suggestion, title=f"New {number}").sites.add(site)
    now = timezone.now()
    assert (front(now).whole, front(now).live_for(jona, now)) == (False, [])
    assert picks.for_person(front(now), jona, now, 3) == [suggestion]


def test_cards_of_two_people_differ_where_they_should(suggestion, person, a_working_day):
    """A piece made for one language and clock is not shown to another."""
    Suggestion.objects.filter(pk=suggestion.pk).update(
        expires_at=timezone.now().replace(hour=23, minute=30) + dt.timedelta(days=3)
    )
    Variant.objects.create(suggestion=suggestion, name="v", text="Deutsche Worte.", language="de")
    english, german = person("Jo"), person("Jule")
    type(german).objects.filter(pk=german.pk).update(language="de", timezone="Asia/Tokyo")
    pages = []
    for who in (english, german, english):
        who.refresh_from_db()
        pages.append(browser(who).get("/").content.decode())
    assert ("In your words" in pages[0], "In your words" in pages[1]) == (True, False)
    assert pages[0].count("data-about") == pages[1].count("data-about")
    assert "Deutsche Worte." in pages[1]


# Tidying ----------------------------------------------------------------------------------------


def test_old_editions_are_forgotten(suggestion):
    now = timezone.now()
    Edition.objects.all().delete()
    Edition.objects.create(at=now - dt.timedelta(hours=2))
    young = Edition.objects.create(at=now - dt.timedelta(minutes=50))
    assert fronts.forget_editions(now=now) == 1
    assert list(Edition.objects.all()) == [young]
