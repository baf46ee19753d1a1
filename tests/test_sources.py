"""Sources: what comes becomes drafts, once; servers are asked politely; nothing of it is sent."""

import datetime as dt
import json
import threading
import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns import suggestions
from campaigns.models import Suggestion, Topic
from curation import sources
from curation.models import Source, SourceItem, SourceRule
from integrations import feeds

from .web import item, rss

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def mirja(person):
    return person("Mirja", "curator")


@pytest.fixture
def add(topic, mirja):
    """Keep a source as the page does; ``drafts`` of what is there already."""

    def keep(url, *, drafts=0, now=NOW, **fields):
        source = Source(**{
            "name": "Hafenblatt", "topic": topic, "content_class": "employer_brand",
            "tone": "useful", "language": "en", "every_minutes": 60, **fields,
        })  # fmt: skip
        return sources.add(
            source=source, reading=sources.look(url, now=now), drafts=drafts, by=mirja, now=now
        )

    return keep


def read(source, now=NOW):
    return sources.read(sources.claim(now=now, pk=source.pk), now=now)


def titles():
    return sorted(Suggestion.objects.values_list("title", flat=True))


def test_new_entry_becomes_a_draft_with_credit_and_nothing_more(web, add, mirja):
    source = add(web.put("/feed", rss(item(1))))
    web.put("/feed", rss(item(2, "Wind &amp; Watt", summary="<b>Six</b> years."), item(1)))
    read(source)
    made = Suggestion.objects.get()
    assert (made.title, made.state, made.author, made.link_url, made.link_description) == (
        "Wind & Watt", "draft", mirja, "https://news.example/2", "Six years.",
    )  # fmt: skip
    assert made.variant_set.get().text == (
        "Wind & Watt\n\n[what you think of it]\n\nSource: Hafenblatt"
    )


def test_old_entries_become_drafts_only_as_many_as_were_asked_for(web, add):
    add(
        web.put("/feed", rss(*(item(n, at=f"{n:02} Nov 2026 08:00:00 GMT") for n in range(1, 7)))),
        drafts=2,
    )
    assert (titles(), SourceItem.objects.count()) == (["Entry 5", "Entry 6"], 6)


def test_one_reading_writes_five_drafts_at_most_and_the_others_wait(web, add):
    source = add(web.put("/feed", rss()))
    web.put("/feed", rss(*(item(n) for n in range(12))))
    read(source)
    assert (Suggestion.objects.count(), SourceItem.objects.filter(suggestion=None).count()) == (
        5,
        7,
    )


def test_waiting_entry_becomes_a_draft_by_hand_and_only_once(web, add, mirja):
    source = add(web.put("/feed", rss(item(1))))
    client = Client()
    client.force_login(mirja)
    path = f"/desk/sources/{source.pk}/items/{SourceItem.objects.get().pk}/draft/"
    first, second = client.post(path), client.post(path)
    assert (first.headers["Location"], titles()) == (second.headers["Location"], ["Entry 1"])


@pytest.mark.parametrize(
    "again",
    [
        {"guid": "other"},
        {"link": "https://news.example/1#comments", "guid": "other"},
        {"link": "http://www.news.example/1/?utm_source=rss", "guid": "other"},
        {"link": "https://news.example/moved-here"},
    ],
)
def test_same_entry_under_another_mark_comes_once(web, add, again):
    source = add(web.put("/feed", rss(item(1, summary="Words"))))
    web.put("/feed", rss(item(1, summary="Words", **again)))
    read(source)
    assert (SourceItem.objects.count(), Suggestion.objects.count()) == (1, 0)


def test_moved_entry_with_new_guid_is_known_by_its_words(web, add):
    source = add(web.put("/feed", rss(item(1, "Six years", summary="Of work."))), drafts=1)
    web.put("/feed", rss(item(9, "Six years", summary="Of work.")))
    read(source)
    assert (Suggestion.objects.get().link_url, SourceItem.objects.get().link) == (
        "https://news.example/9",
        "https://news.example/9",
    )


def test_equal_words_under_two_links_at_once_are_two_entries(web, add):
    add(web.put("/feed", rss(item(1, "Job", summary="Come."), item(2, "Job", summary="Come."))))
    assert SourceItem.objects.count() == 2


def test_entry_of_another_source_does_not_come_twice(web, add):
    add(web.put("/a", rss(item(1))), drafts=5)
    add(web.put("/b", rss(item(1), item(2))), drafts=5, name="Other")
    assert titles() == ["Entry 1", "Entry 2"]


def test_change_reaches_a_draft_that_nobody_touched(web, add):
    source = add(web.put("/feed", rss(item(1, "Six yeers"))), drafts=1)
    web.put("/feed", rss(item(1, "Six years")))
    read(source)
    assert (titles(), Suggestion.objects.get().revision) == (["Six years"], 2)
    web.put("/feed", rss(item(1, "Seven years")))
    read(source)
    assert titles() == ["Seven years"]


def test_change_leaves_a_touched_draft_alone(web, add, mirja):
    source = add(web.put("/feed", rss(item(1, "Six yeers"))), drafts=1)
    made = Suggestion.objects.get()
    made.title = "My own headline"
    suggestions.save(
        suggestion=made, variants=list(made.variant_set.all()), seen_revision=1, by=mirja, now=NOW
    )
    web.put("/feed", rss(item(1, "Six years")))
    read(source)
    assert (titles(), SourceItem.objects.get().title) == (["My own headline"], "Six years")


def test_change_leaves_a_draft_in_review_alone(web, add, mirja):
    source = add(web.put("/feed", rss(item(1, "Six yeers"))), drafts=1)
    Suggestion.objects.update(state="in_review")
    web.put("/feed", rss(item(1, "Six years")))
    read(source)
    assert titles() == ["Six yeers"]


def test_rules_decide_by_title_and_category_in_their_order(web, add, topic):
    other = Topic.objects.create(slug="jobs", title="Jobs", rule="-", light_since=NOW)
    source = add(web.put("/feed", rss()))
    for words, fields in (
        ("sport", {"skip": True}),
        (
            "apprentice",
            {"topic": other, "content_class": "job_ad", "tone": "human", "language": "de"},
        ),
        ("wind", {"tone": "proud"}),
    ):
        SourceRule.objects.create(source=source, words=words, **fields)
    web.put("/feed", rss(
        item(1, "Apprentices climb the wind farm"), item(2, "Nothing special", category="Windkraft"),
        item(3, "SPORT at the wind farm"), item(4, "Plain"),
    ))  # fmt: skip
    read(source)
    made = {
        s.link_url[-1]: (s.topic.slug, s.content_class, s.tone, s.language)
        for s in Suggestion.objects.select_related("topic")
    }
    assert made == {
        "1": ("jobs", "job_ad", "human", "de"),
        "2": ("wind", "employer_brand", "proud", "en"),
        "4": ("wind", "employer_brand", "useful", "en"),
    }
    assert SourceItem.objects.get(skipped=True).title == "SPORT at the wind farm"


def test_german_draft_has_a_german_gap_and_credit(web, add):
    add(web.put("/feed", rss(item(1))), drafts=1, language="de")
    assert Suggestion.objects.get().variant_set.get().text.endswith("Quelle: Hafenblatt")


def test_unchanged_feed_is_not_sent_again(web, add):
    source = add(
        web.put("/feed", rss(item(1)), etag='"7"', last_modified="Mon, 23 Nov 2026 08:00:00 GMT")
    )
    later = NOW + dt.timedelta(hours=1)
    assert read(source, later) is True
    source.refresh_from_db()
    asked = web.asked[-1][1]
    assert (asked["if-none-match"], asked["if-modified-since"]) == (
        '"7"',
        "Mon, 23 Nov 2026 08:00:00 GMT",
    )
    assert (source.read_at, source.failures, source.next_fetch_at) == (
        later,
        0,
        later + dt.timedelta(hours=1),
    )


def test_silent_server_is_asked_less_and_less_up_to_a_day(web, add):
    source = add(web.put("/feed", rss(item(1))))
    web.put("/feed", status=503)
    waits = []
    for _ in range(7):
        read(source)
        source.refresh_from_db()
        waits.append((source.next_fetch_at - NOW).total_seconds() / 3600)
    assert (waits, source.why, source.detail) == ([1, 2, 4, 8, 16, 24, 24], "status", "503")
    web.put("/feed", rss(item(1)))
    read(source)
    source.refresh_from_db()
    assert (source.why, source.failures) == ("", 0)


@pytest.mark.parametrize(
    ("wish", "hours"),
    [("7200", 2), ("Tue, 24 Nov 2026 14:00:00 GMT", 5), ("9" * 30, 168), ("soon", 1), ("-5", 1)],
)
def test_wish_of_the_server_is_kept(web, add, wish, hours):
    source = add(web.put("/feed", rss(item(1))))
    web.put("/feed", status=429, retry_after=wish)
    read(source)
    source.refresh_from_db()
    assert (source.next_fetch_at - NOW).total_seconds() == hours * 3600


def test_feed_that_has_ended_is_paused(web, add):
    source = add(web.put("/feed", rss(item(1))))
    web.put("/feed", status=410)
    read(source)
    source.refresh_from_db()
    assert (source.why, source.paused_at) == ("gone", NOW)
    assert sources.claim(now=NOW + dt.timedelta(days=9)) is None


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.9/feed",
        "http://169.254.169.254/latest",
        "https://localhost/feed",
        "file:///etc/passwd",
    ],
)
def test_redirect_to_a_private_address_is_refused(web, add, target):
    source = add(web.put("/feed", rss(item(1))))
    web.put("/feed", status=302, location=target)
    assert read(source) is False
    source.refresh_from_db()
    assert source.why == "refused"


def test_server_that_hangs_meets_the_deadline(web, add, monkeypatch):
    source = add(web.put("/feed", rss(item(1))))
    monkeypatch.setattr(feeds, "SECONDS", 0.2)
    web.put("/feed", rss(item(2)), hang=1.5)
    began = timezone.now()
    assert read(source) is False
    source.refresh_from_db()
    assert (source.why, timezone.now() - began < dt.timedelta(seconds=1)) == ("broken", True)


def test_two_workers_never_claim_the_same_source(web, add):
    source = add(web.put("/feed", rss(item(1))))
    later = NOW + dt.timedelta(hours=2)
    first, second = sources.claim(now=later), sources.claim(now=later)
    assert (first.pk, second) == (source.pk, None)
    assert sources.claim(now=later + sources.LEASE).attempt == first.attempt + 1


@pytest.mark.django_db(transaction=True)
def test_sources_are_claimed_at_once_by_many_workers_each_once(web, add):
    for number in range(6):
        add(web.put(f"/{number}", rss(item(number))), name=str(number))
    later, claimed, gate = NOW + dt.timedelta(hours=2), [], threading.Barrier(6)

    def work():
        gate.wait()
        found = sources.claim(now=later)
        claimed.append(found.pk if found else None)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [pk for pk in claimed if pk]
    assert (len(set(found)), len(found) >= 1) == (len(found), True)
    rest = list(iter(lambda: sources.claim(now=later), None))
    every = sorted(Source.objects.values_list("pk", flat=True))
    assert sorted([*found, *(source.pk for source in rest)]) == every


def test_slow_worker_writes_nothing_after_another_took_over(web, add):
    source = add(web.put("/feed", rss()))
    slow = sources.claim(now=NOW, pk=source.pk)
    quick = sources.claim(now=NOW + sources.LEASE, pk=source.pk)
    web.put("/feed", rss(item(1, "From the slow one")))
    assert sources.read(slow, now=NOW) is False
    assert SourceItem.objects.count() == 0
    assert sources.read(quick, now=NOW) is True


def test_dates_that_nobody_meant_count_as_none(web, add):
    add(web.put("/feed", rss(
        item(1, at="Thu, 01 Jan 1970 00:00:00 GMT"), item(2, at="Fri, 31 Dec 9999 23:59:59 GMT"),
        item(3, at="Mon, 23 Nov 2026 08:00:00 GMT"), item(4, at="rubbish"), item(5, at="2026-11-20"),
    )))  # fmt: skip
    found = dict(SourceItem.objects.values_list("title", "at"))
    assert {title: at and at.date() for title, at in found.items()} == {
        "Entry 1": None, "Entry 2": None, "Entry 3": dt.date(2026, 11, 23), "Entry 4": None,
        "Entry 5": dt.date(2026, 11, 20),
    }  # fmt: skip


def test_newest_hundred_are_kept_by_date_wherever_they_stand(web, add):
    old = [item(n, at="01 Jan 2020 08:00:00 GMT") for n in range(150)]
    source = add(web.put("/feed", rss(*old, item(999, "New", at="23 Nov 2026 08:00:00 GMT"))))
    assert (SourceItem.objects.count(), source.older) == (100, 51)
    assert SourceItem.objects.filter(title="New").count() == 1


def test_ten_thousand_entries_take_less_than_two_seconds(web, add):
    url = web.put("/feed", rss(*(item(n) for n in range(10_000))))
    began = time.process_time()
    source = add(url)
    assert (time.process_time() - began < 2, source.older) == (True, 9_900)


ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><entry><id>urn:1</id>
<title type="html">&lt;b&gt;Bold&lt;/b&gt; words</title><link rel="alternate" href="/posts/1"/>
<updated>2026-11-20T08:00:00Z</updated><summary>Short</summary></entry></feed>"""
JOBS_XML = b"""<workzag-jobs><position><id>77</id><name>Elektroniker (m/w/d)</name><office>Lohe</office>
<joburl>https://jobs.example/77</joburl><createdAt>2026-11-20T08:00:00+01:00</createdAt></position>
<position><id>78</id><name>Elektroniker (m/w/d)</name><office>Husum</office>
<joburl>https://jobs.example/78</joburl></position></workzag-jobs>"""
GREENHOUSE = {"jobs": [{
    "id": 5, "title": "Lineworker", "absolute_url": "https://jobs.example/5",
    "updated_at": "2026-11-20T08:00:00-05:00", "location": {"name": "Lohe"},
}]}  # fmt: skip
LEVER = [{"id": "a-1", "text": "Planner", "hostedUrl": "https://jobs.example/a-1", "createdAt": 1763625600000,
          "categories": {"location": "Husum", "team": "Grid"}}]  # fmt: skip
JSON_FEED = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [
    {"id": "1", "url": "https://news.example/j1", "title": "J one", "content_text": "T", "tags": ["wind"]}
]}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "kind", "found"),
    [
        (ATOM, "feed", [("Bold words", "/posts/1", [])]),
        (JOBS_XML, "jobs", [("Elektroniker (m/w/d)", "https://jobs.example/77", ["Lohe"]),
                            ("Elektroniker (m/w/d)", "https://jobs.example/78", ["Husum"])]),
        (json.dumps(GREENHOUSE).encode(), "jobs", [("Lineworker", "https://jobs.example/5", ["Lohe"])]),
        (json.dumps(LEVER).encode(), "jobs", [("Planner", "https://jobs.example/a-1", ["Husum", "Grid"])]),
        (json.dumps(JSON_FEED).encode(), "feed", [("J one", "https://news.example/j1", ["wind"])]),
    ],
)  # fmt: skip
def test_other_formats_are_read(web, add, content, kind, found):
    source = add(web.put("/feed", content, kind="application/octet-stream"))
    rows = source.items.order_by("link").values_list("title", "link", "categories")
    got = [(title, link.replace(web.base_url, ""), words) for title, link, words in rows]
    assert (source.kind, got) == (kind, found)


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a":' * 9000, b"{}", b"[1,2]", b"null", b"\xff\xfe<", b""]
)
def test_json_and_rubbish_get_a_sentence(web, mirja, content):
    client = Client()
    client.force_login(mirja)
    answer = client.get("/desk/sources/new/", {"url": web.put("/feed", content)})
    assert (answer.status_code, 'id="url-e"' in answer.content.decode()) == (422, True)


@pytest.fixture
def sitemap(web):
    def made(*numbers):
        rows = "".join(
            f"<url><loc>{web.base_url}/p/{n}</loc><lastmod>2026-11-{n:02}</lastmod></url>"
            for n in numbers
        )
        return (
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'.encode()
        )

    return made


def test_more_new_pages_than_one_go_takes_come_next_time(web, add, sitemap):
    source = add(web.put("/sitemap.xml", sitemap(1), kind="text/xml"))
    for number in range(2, 9):
        web.put(f"/p/{number}", f"<title>Page {number}</title>".encode(), kind="text/html")
    web.put("/sitemap.xml", sitemap(*range(1, 9)), kind="text/xml", etag='"8"')
    read(source)
    some = len(titles())
    read(source, NOW + dt.timedelta(hours=3))
    assert (some, sorted(titles())) == (5, [f"Page {number}" for number in range(2, 9)])


def test_new_page_of_a_sitemap_is_read_for_its_title(web, add, sitemap):
    source = add(web.put("/sitemap.xml", sitemap(1, 2), kind="text/xml"))
    web.put(
        "/p/3",
        b'<meta property="og:title" content="Third &amp; new"><title>x</title>',
        kind="text/html",
    )
    web.put("/sitemap.xml", sitemap(1, 2, 3), kind="text/xml")
    read(source)
    assert (titles(), [p for p in web.paths() if p.startswith("/p/")]) == (
        ["Third & new"],
        ["/p/3"],
    )


def test_page_that_lists_news_is_a_source(web, add):
    body = b"""<html><head><title>News</title></head><a href="/news/one-long">A headline of today</a>
    <a href="/news/two">short</a><a href="https://other.example/news/x">A headline elsewhere</a>
    <a href="/imprint/">Imprint and privacy</a><a href="/news/">All of the news here</a></html>"""
    source = add(web.put("/news/", body, kind="text/html"))
    assert (source.kind, [i.title for i in source.items.all()]) == (
        "pages",
        ["A headline of today"],
    )


def test_page_that_names_its_feed_leads_there(web, add):
    feed = web.put("/feed", rss(item(1)))
    body = f'<html><link rel="alternate" type="application/rss+xml" href="{feed}"></html>'
    source = add(web.put("/", body.encode(), kind="text/html"))
    assert (source.kind, source.url) == ("feed", feed)


def test_robots_keep_us_off_pages_but_not_off_feeds(web, mirja, add):
    web.put("/robots.txt", b"User-agent: *\nDisallow: /", kind="text/plain")
    page = web.put(
        "/news/", b'<html><a href="/news/one">A headline of today</a></html>', kind="text/html"
    )
    client = Client()
    client.force_login(mirja)
    answer = client.get("/desk/sources/new/", {"url": page}).content.decode()
    assert "robots.txt asks us to stay away" in answer
    assert add(web.put("/feed", rss(item(1)))).kind == "feed"


def test_brackets_in_a_headline_are_no_gap(web, add):
    add(web.put("/feed", rss(item(1, "[Update] Grid"))), drafts=1)
    assert Suggestion.objects.get().variant_set.get().text.startswith("(Update) Grid\n\n[what")


def test_direction_of_the_line_is_not_the_feeds_to_turn(web, add):
    add(web.put("/feed", rss(item(1, "Rechnung \u202egpj.exe \u2067abc"))))
    assert SourceItem.objects.get().title == "Rechnung gpj.exe abc"


def test_nobody_but_curators_opens_sources(person, web):
    for role in ("hr", "auditor", "administrator"):
        client = Client()
        client.force_login(person("A", role))
        assert client.get("/desk/sources/").status_code == 403


def test_same_address_is_kept_once_and_what_was_typed_stays(web, mirja, topic, add):
    url = web.put("/feed", rss(item(1)))
    client = Client()
    client.force_login(mirja)
    form = {"url": url, "name": "", "topic": topic.pk, "content_class": "job_ad", "tone": "human",
            "language": "de", "every_minutes": 60, "drafts": 3}  # fmt: skip
    refused = client.post("/desk/sources/new/", form)
    assert (refused.status_code, 'value="human" selected' in refused.content.decode()) == (
        422,
        True,
    )
    client.post("/desk/sources/new/", {**form, "name": "Blatt"})
    again = client.post("/desk/sources/new/", {**form, "name": "Blatt"})
    assert (Source.objects.count(), again.status_code) == (1, 302)


@pytest.mark.parametrize(
    "address",
    ["", "\x00", "javascript:alert(1)", "http://10.0.0.1/feed", "https://[::1/", "ftp://a.example/", "x" * 5000,
     "https://a.example/" + "ä" * 100_000, "http://localhost/feed"],
)  # fmt: skip
def test_bad_address_gets_a_sentence_at_the_field(mirja, address):
    client = Client()
    client.force_login(mirja)
    answer = client.post("/desk/sources/new/", {"url": address})
    assert (answer.status_code, 'id="url-e"' in answer.content.decode()) == (422, True)


def test_pressing_read_now_again_and_again_asks_once_a_minute(web, mirja, add):
    source = add(web.put("/feed", rss(item(1))), now=timezone.now() - 2 * MINUTE)
    client = Client()
    client.force_login(mirja)
    before = len(web.asked)
    for _ in range(3):
        client.post(f"/desk/sources/{source.pk}/act/", {"act": "read"})
    assert len(web.asked) - before == 1


def test_source_whose_keeper_left_writes_no_draft_until_somebody_takes_it(web, add, mirja, person):
    source = add(web.put("/feed", rss()))
    mirja.left_at = NOW
    mirja.save(update_fields=["left_at"])
    web.put("/feed", rss(item(1)))
    read(source)
    assert titles() == []
    dilan = person("Dilan", "curator")
    source.refresh_from_db()
    sources.change(source=source, by=dilan, now=NOW)
    web.put("/feed", rss(item(1), item(2)))
    read(source)
    assert (titles(), Suggestion.objects.get().author) == (["Entry 2"], dilan)


def test_list_and_page_have_constant_queries(web, add, mirja):
    client = Client()
    client.force_login(mirja)

    def counted(path):
        with CaptureQueriesContext(
            connection,
        ) as caught:
            client.get(path)
        return len(caught)

    first = add(web.put("/1", rss(item(1))), drafts=1)
    one = counted("/desk/sources/"), counted(f"/desk/sources/{first.pk}/")
    add(web.put("/2", rss(item(2), item(3))), name="B", drafts=2)
    third = add(web.put("/3", rss(item(4), item(5), item(6))), name="C", drafts=3)
    three = counted("/desk/sources/"), counted(f"/desk/sources/{third.pk}/")
    assert (one, three) == ((5, 9), (5, 9))
