"""Hashtag watch: numbers per day from public APIs, no name, no text, groups of five."""

import datetime as dt
import json
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign, Post
from curation import tags
from curation.models import TagDay, TagReading, WatchedTag

from .web import Web

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 24, 3, 20, tzinfo=dt.UTC)
YESTERDAY = dt.date(2026, 11, 23)


@pytest.fixture
def mirja(person):
    return person("Mirja", "curator")


@pytest.fixture
def web(monkeypatch, settings):
    with Web() as server:
        for key, value in server.environment().items():
            monkeypatch.setenv(key, value)
        settings.HASHTAG_MASTODON_URL = settings.BLUESKY_APPVIEW_URL = server.base_url
        yield server


def history(*uses):
    """A tag as Mastodon tells it, today first."""
    days = [NOW.date() - dt.timedelta(days=n) for n in range(len(uses))]
    stamps = [dt.datetime.combine(day, dt.time(), dt.UTC).timestamp() for day in days]
    rows = [
        {"day": str(int(at)), "uses": str(n), "accounts": "1"}
        for at, n in zip(stamps, uses, strict=True)
    ]
    return json.dumps({"name": "werkstolz", "history": rows}).encode()


def search(web, tag, days):
    """Bluesky's search: per day a list of pages, each a number of posts by somebody."""
    served = web.serve

    def serve(handler, at, body):
        if "searchPosts" not in handler.path or f"tag={tag}&" not in handler.path:
            return served(handler, at, body)
        day = handler.path.split("since=")[1][:10]
        pages = days.get(day, [0])
        at_page = int(handler.path.split("cursor=")[1]) if "cursor=" in handler.path else 0
        posts = [
            {"author": {"handle": "secret.example"}, "record": {"text": "secret words"}}
        ] * pages[at_page]
        found = {"posts": posts}
        if at_page + 1 < len(pages):
            found["cursor"] = str(at_page + 1)
        web.asked.append((handler.path, {}))
        return web.answer(handler, 200, found)

    web.serve = serve


def stored():
    return sorted(TagDay.objects.values_list("network", "day", "uses", "capped"))


def test_finished_days_are_counted_and_today_is_not(web, mirja):
    tags.watch(name="#Werkstolz", by=mirja, now=NOW)
    web.put("/api/v1/tags/Werkstolz", history(99, 5, 0), kind="application/json")
    search(web, "Werkstolz", {"2026-11-23": [100, 30]})
    assert tags.count_all(now=NOW) == 2
    bluesky = [("bluesky", YESTERDAY - dt.timedelta(days=n), 0, False) for n in range(6, 0, -1)]
    assert stored() == [
        *bluesky,
        ("bluesky", YESTERDAY, 130, False),
        ("mastodon", dt.date(2026, 11, 22), 0, False),
        ("mastodon", YESTERDAY, 5, False),
    ]


def test_nothing_but_numbers_is_stored(web, mirja):
    tags.watch(name="werkstolz", by=mirja, now=NOW)
    search(web, "werkstolz", {"2026-11-23": [3]})
    tags.count_all(now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT json_agg(t)::text FROM curation_tagday t")
        assert "secret" not in cursor.fetchone()[0]


def test_busy_day_is_counted_as_at_least(web, mirja):
    tags.watch(name="werkstolz", by=mirja, now=NOW)
    search(web, "werkstolz", {"2026-11-23": [100] * 20})
    tags.count_all(now=NOW)
    assert ("bluesky", YESTERDAY, 1000, True) in stored()


def test_second_count_asks_only_for_yesterday_and_replaces_it(web, mirja):
    tags.watch(name="werkstolz", by=mirja, now=NOW)
    search(web, "werkstolz", {"2026-11-23": [3]})
    tags.count_all(now=NOW)
    web.asked.clear()
    search(web, "werkstolz", {"2026-11-23": [4]})
    tags.count_all(now=NOW)
    assert len([p for p in web.paths() if "searchPosts" in p]) == 1
    assert ("bluesky", YESTERDAY, 4, False) in stored()


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [(403, b"{}", "closed"), (401, b"{}", "closed"), (500, b"{}", "odd"), (200, b"<html>", "odd"),
     (200, b'{"history": 7}', "odd"), (200, b"[" * 100_000, "odd")],
)  # fmt: skip
def test_server_that_gives_no_number_is_said(web, mirja, status, body, why):
    tag = tags.watch(name="werkstolz", by=mirja, now=NOW)
    web.put("/api/v1/tags/werkstolz", body, status=status, kind="application/json")
    tags.count_all(now=NOW)
    assert (TagReading.objects.get(tag=tag, network="mastodon").why, stored()) == (why, [])


@pytest.mark.parametrize(
    "row",
    [
        {"day": "x", "uses": "1"},
        {"day": "9" * 40, "uses": "1"},
        {"uses": "1"},
        {"day": "1763942400", "uses": "-"},
        7,
    ],
)
def test_strange_day_of_a_server_is_left_out(web, mirja, row):
    tags.watch(name="werkstolz", by=mirja, now=NOW)
    web.put(
        "/api/v1/tags/werkstolz", json.dumps({"history": [row]}).encode(), kind="application/json"
    )
    tags.count_all(now=NOW)
    assert stored() == []


@pytest.mark.parametrize(
    "name", ["", "#", "two words", "#123", "a" * 65, "a\x00b", "<b>", "../../etc", "a/b"]
)
def test_name_that_is_none_gets_a_sentence(mirja, name):
    client = Client()
    client.force_login(mirja)
    answer = client.post("/desk/tags/", {"name": name})
    assert (
        answer.status_code,
        'id="name-e"' in answer.content.decode(),
        WatchedTag.objects.count(),
    ) == (422, True, 0)


def test_two_spellings_are_one_hashtag(mirja):
    tags.watch(name="WeilJederZählt", by=mirja, now=NOW)
    with pytest.raises(tags.TagRefused):
        tags.watch(name="#weiljederzählt", by=mirja, now=NOW)


@pytest.fixture
def post(suggestion):
    def make(who, text):
        return Post.objects.create(
            person=who, suggestion=suggestion, network="wall", how="copied", submission=uuid.uuid4(), text=text,
            full_text=text, language="en", own_share=50, sha256="0" * 64, created_at=NOW,
        )  # fmt: skip

    return make


def test_what_colleagues_begin_to_use_needs_five_people(person, post, mirja):
    people = [person(f"P{n}") for n in range(5)]
    for who in people[:4]:
        post(who, "Proud today #four #five #own")
    post(people[4], "Too #Five and #own, not mail#anchor nor #7")
    tags.watch(name="own", by=mirja, now=NOW)
    assert tags.emerging(now=NOW) == [("Five", 5)]


def test_one_person_who_posts_five_times_is_one_person(person, post):
    loud = person("Loud")
    for _ in range(5):
        post(loud, "#loud")
    assert tags.emerging(now=NOW) == []


def test_page_has_constant_queries_and_a_table(web, mirja, monkeypatch):
    client = Client()
    client.force_login(mirja)

    def counted():
        with CaptureQueriesContext(connection) as caught:
            page = client.get("/desk/tags/").content.decode()
        return len(caught), page.count('class="tagplot"')

    tags.watch(name="one", by=mirja, now=NOW)
    one = counted()
    for name in ("two", "three"):
        tag = tags.watch(name=name, by=mirja, now=NOW)
        TagDay.objects.create(tag=tag, network="mastodon", day=YESTERDAY, uses=3)
    assert (one, counted()) == ((10, 1), (10, 3))


def test_hashtags_of_campaigns_that_run_are_offered_until_watched(mirja):
    def campaign(name, ends_on):
        Campaign.objects.create(
            slug=name.lower(), title=name, hashtag=name, description="-", begins_on=dt.date(2026, 11, 1), ends_on=ends_on,
            submission=uuid.uuid4(), created_by=mirja, created_at=NOW, changed_at=NOW,
        )  # fmt: skip

    campaign("WePowerment", dt.date(2026, 11, 24))
    campaign("Sommer", dt.date(2026, 11, 23))
    today = dt.date(2026, 11, 24)
    before = tags.of_campaigns(today=today)
    tags.watch(name="wepowerment", by=mirja, now=NOW)
    assert (before, tags.of_campaigns(today=today)) == (["WePowerment"], [])
