"""Lights and topics: one history, open pages that hear of it, nobody's words lost."""

import datetime as dt
import importlib
import threading
import uuid

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import InternalError, connection, transaction
from django.test import Client
from django.utils import timezone

from campaigns import holds, lights, shares, topics
from campaigns.models import Delivery, Post, Topic, Variant
from campaigns.shares import Words
from integrations import accounts

from .conftest import browser

pytestmark = pytest.mark.django_db

TEXT = "I stood below turbine 9 and heard nothing at first."


@pytest.fixture(autouse=True)
def _no_cached_version():
    cache.clear()


@pytest.fixture
def client(jona):
    return browser(jona)


def turn(topic, to, by, why="The regulator has answered.", now=None):
    topic.refresh_from_db()
    lights.change(topic=topic, to=to, seen=topic.line, why=why, by=by, now=now or timezone.now())


def rows(topic):
    return list(topic.changes.order_by("pk").values_list("before", "after", "why", "actor_id"))


def test_every_change_of_a_light_is_in_its_history(topic, mirja):
    turn(topic, "careful", mirja)
    turn(topic, "own", mirja, "No line yet.")
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=timezone.now())
    holds.hold(scope=topic, by=mirja, reason="Still wait.", now=timezone.now())
    holds.release(scope=topic, by=mirja, now=timezone.now())
    turn(topic, "share", mirja)
    assert rows(topic) == [
        ("share", "careful", "The regulator has answered.", mirja.pk),
        ("careful", "own", "No line yet.", mirja.pk),
        ("own", "hold", "Wait.", mirja.pk),
        ("hold", "hold", "Still wait.", mirja.pk),
        ("hold", "own", "", mirja.pk),
        ("own", "share", "The regulator has answered.", mirja.pk),
    ]


def test_history_refuses_every_change(topic, mirja):
    turn(topic, "careful", mirja)
    for attempt in (lambda: topic.changes.update(why="Nothing."), topic.changes.all().delete):
        with pytest.raises(InternalError), transaction.atomic():
            attempt()
    assert topic.changes.count() == 1


def test_hold_of_a_suggestion_is_no_change_of_the_topic(suggestion, topic, mirja):
    holds.hold(scope=suggestion, by=mirja, reason="Wait.", now=timezone.now())
    assert rows(topic) == []


def test_light_that_somebody_changed_meanwhile_is_refused(topic, mirja, person):
    turn(topic, "careful", person("Dilan", "curator"))
    with pytest.raises(lights.LightRefused):
        lights.change(topic=topic, to="own", seen="share", why="x", by=mirja, now=timezone.now())
    topic.refresh_from_db()
    assert (topic.line, topic.changes.count()) == ("careful", 1)


@pytest.mark.django_db(transaction=True)
def test_two_curators_switch_at_once_and_one_is_told(topic, person):
    curators = [person("Mirja", "curator"), person("Dilan", "curator")]
    start, said = threading.Barrier(2), []

    def switch(who):
        start.wait()
        try:
            turn_ = {"to": "careful", "seen": "share", "why": who.name, "by": who}
            said.append(lights.change(topic=topic, now=timezone.now(), **turn_))
        except lights.LightRefused:
            said.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=switch, args=(who,)) for who in curators]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (sorted(map(str, said)), topic.changes.count()) == (["True", "refused"], 1)


def test_light_needs_a_reason_and_keeps_what_was_chosen(desk, topic):
    address = f"/desk/topics/{topic.pk}/light/"
    asked = desk.post(address, {"light": "own"})  # from the desk's switch: asked why, not scolded
    refused = desk.post(address, {"light": "own", "seen": "share", "why": " \x00 "})
    page = refused.content.decode()
    assert (asked.status_code, 'id="why-e"' in asked.content.decode()) == (200, False)
    assert (refused.status_code, 'id="why-e"' in page, 'value="own" checked' in page) == (
        422,
        True,
        True,
    )
    assert desk.post(address, {"light": "own", "seen": "share", "why": "New."}).status_code == 302
    topic.refresh_from_db()
    assert (topic.line, topic.light) == ("own", "careful")


@pytest.mark.parametrize(
    ("light", "seen", "why"),
    [
        ("purple", "share", "x"),
        ("careful", "purple", "x"),
        ("hold", "hold", "x" * 1001),
        ("careful", "share", "x" * 100_000),
        ("share", "share", "x"),
        ("", "", ""),
    ],
)
def test_strange_light_is_answered_and_changes_nothing(desk, topic, light, seen, why):
    data = {"light": light, "seen": seen, "why": why}
    assert desk.post(f"/desk/topics/{topic.pk}/light/", data).status_code in {302, 422}
    assert rows(topic) == []


# -- open pages ---------------------------------------------------------------------------------


def version(client):
    page = client.get("/").content.decode()
    return page.split("/situation/?v=")[1].split('"')[0]


def test_open_page_hears_of_a_new_light_once(client, topic, mirja, a_working_day):
    known = version(client)
    quiet = client.get(f"/situation/?v={known}")
    holds.hold(scope=topic, by=mirja, reason="Figures are being checked.", now=timezone.now())
    cache.clear()  # five seconds later
    told = client.get(f"/situation/?v={known}")
    page = told.content.decode()
    again = page.split("/situation/?v=")[1].split('"')[0]
    assert (quiet.status_code, quiet.content) == (204, b"")
    assert (told.status_code, page.count("Figures are being checked."), "hx-swap-oob" in page) == (
        200,
        1,
        True,
    )
    assert client.get(f"/situation/?v={again}").status_code == 204


@pytest.mark.parametrize("v", ["", "x", "\u2028" * 500, "0" * 5000])
def test_page_with_a_strange_version_gets_the_situation(client, topic, v):
    assert client.get("/situation/", {"v": v}).status_code == 200


def test_quiet_answer_costs_no_query(client, topic, a_working_day, django_assert_num_queries):
    known = version(client)
    with django_assert_num_queries(0):
        assert client.get(f"/situation/?v={known}").status_code == 204


def test_stranger_is_told_nothing_but_that_a_version_holds(client, topic, mirja, a_working_day):
    known, stranger = version(client), Client()
    assert stranger.get(f"/situation/?v={known}").content == b""
    turn(topic, "careful", mirja)
    cache.clear()
    for v in (known, "x", ""):
        assert stranger.get(f"/situation/?v={v}").headers["Location"].startswith("/accounts/login")


def test_after_a_change_the_second_page_costs_two_queries(
    client, person, topic, mirja, a_working_day, django_assert_num_queries
):
    known, other = version(client), browser(person("Nam"))
    turn(topic, "careful", mirja)
    cache.clear()
    first = client.get(f"/situation/?v={known}")
    with django_assert_num_queries(2):  # session and person; what they read is the same
        second = other.get(f"/situation/?v={known}")
    assert (first.status_code, second.content) == (200, first.content)


def test_fragment_speaks_the_persons_language_and_clock(
    client, person, topic, mirja, a_working_day
):
    known = version(client)
    holds.hold(scope=topic, by=mirja, reason="x", now=timezone.now())
    cache.clear()
    there = person("Ana", timezone="America/Sao_Paulo")
    type(there).objects.filter(pk=there.pk).update(language="de")
    here = client.get(f"/situation/?v={known}").content.decode()
    away = browser(there).get(f"/situation/?v={known}").content.decode()
    assert ("On hold since" in here, "Angehalten seit" in away) == (True, True)
    assert here.split("On hold since ")[1][:2] != away.split("Angehalten seit ")[1][:2]


def test_without_redis_the_database_says_what_is_new(client, topic, monkeypatch, a_working_day):
    known = version(client)

    def away(*_about, **_more):
        raise ConnectionError

    monkeypatch.setattr(lights.cache, "get", away)
    monkeypatch.setattr(lights.cache, "set_many", away)
    assert client.get(f"/situation/?v={known}").status_code == 204


@pytest.mark.parametrize("change", ["rule", "light", "programme", "issue"])
def test_version_differs_when_what_is_shown_differs(topic, mirja, change):
    from campaigns.models import Briefing, Programme

    day = timezone.now().date()
    before = lights.version(day)
    cache.clear()
    same = lights.version(day)
    if change == "rule":
        topic.rule = "Tell it loudly."
        topics.save(topic=topic, deputies=[], seen_revision=1, by=mirja, now=timezone.now())
    elif change == "light":
        turn(topic, "careful", mirja)
    elif change == "programme":
        holds.hold(scope=Programme.the(), by=mirja, reason="x", now=timezone.now())
    else:
        Briefing.objects.create(day=day, published_at=timezone.now())
    cache.clear()
    assert (same, lights.version(day) == before) == (before, False)


def form(suggestion, **fields):
    return {
        "variant": suggestion.variant_set.get().pk, "text": TEXT, "submission": str(uuid.uuid4()),
        "act": "copy", "network": "linkedin", **fields,
    }  # fmt: skip


def seen_of(client, suggestion):
    page = client.get(f"/suggestions/{suggestion.pk}/").content.decode()
    return page.split('name="seen" value="')[1].split('"')[0]


def test_composer_is_told_before_it_posts_and_keeps_the_text(client, suggestion, topic, mirja):
    address, seen = f"/suggestions/{suggestion.pk}/", seen_of(client, suggestion)
    turn(topic, "careful", mirja, "Only with the fact sheet.")
    told = client.post(address, form(suggestion, seen=seen))
    page = told.content.decode()
    assert (told.status_code, Post.objects.count(), TEXT in page) == (422, 0, True)
    assert "With care. Only with the fact sheet." in page
    fresh = page.split('name="seen" value="')[1].split('"')[0]
    assert client.post(address, form(suggestion, seen=fresh)).status_code == 302


def test_composer_that_fails_for_another_reason_still_does_not_know(
    client, suggestion, topic, mirja
):
    address, seen = f"/suggestions/{suggestion.pk}/", seen_of(client, suggestion)
    page = client.post(address, form(suggestion, seen=seen, text="")).content.decode()
    assert page.split('name="seen" value="')[1].split('"')[0] == seen


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 5000, "²", "\x00"])
def test_strange_seen_is_not_a_mistake_of_the_person(client, suggestion, seen):
    assert client.post(
        f"/suggestions/{suggestion.pk}/", form(suggestion, seen=seen)
    ).status_code in (
        302,
        422,
    )


def test_open_composer_hears_of_its_topic_once(client, suggestion, topic, mirja):
    told = seen_of(client, suggestion)
    quiet = client.get(f"/situation/topics/{topic.pk}/", {"told": told})
    turn(topic, "careful", mirja, "Only with the fact sheet.")
    new = client.get(f"/situation/topics/{topic.pk}/", {"told": told})
    page = new.content.decode()
    now_told = page.split('name="told" value="')[1].split('"')[0]
    assert (quiet.status_code, new.status_code, "Only with the fact sheet." in page) == (
        204,
        200,
        True,
    )
    assert client.get(f"/situation/topics/{topic.pk}/", {"told": now_told}).status_code == 204


def test_planned_post_says_on_today_that_its_light_changed(
    client, jona, suggestion, topic, mirja, a_working_day
):
    now = timezone.now()
    wall = accounts.connect_wall(person=jona, now=now)
    turn(topic, "careful", mirja, "Older than the post.", now=now - dt.timedelta(hours=1))
    shares.share(
        by=jona, suggestion=suggestion, accounts=[wall], due_at=now + dt.timedelta(days=1), now=now,
        words=Words(TEXT, suggestion.variant_set.get(), uuid.uuid4()),
    )  # fmt: skip
    before = client.get("/").content.decode()
    turn(topic, "share", mirja, "Newer than the post.", now=now + dt.timedelta(seconds=1))
    after = client.get("/").content.decode()
    assert ("queued__turn" in before, "queued__turn" in after) == (False, True)
    assert "Newer than the post." in after[after.index("queued__turn") :]


# -- own view -----------------------------------------------------------------------------------


def test_topic_without_a_line_offers_no_wording(client, suggestion, topic, mirja, a_working_day):
    wording = suggestion.variant_set.get().text
    assert wording[:20] in client.get("/").content.decode()
    turn(topic, "own", mirja, "No line yet.")
    pages = [client.get(p).content.decode() for p in ("/", "/suggestions/")]
    composer = client.get(f"/suggestions/{suggestion.pk}/").content.decode()
    assert [wording[:20] in page for page in [*pages, composer]] == [False, False, False]
    assert "The company has not said anything yet." in composer


def test_text_on_a_topic_without_a_line_is_all_the_persons(client, suggestion, topic, mirja):
    turn(topic, "own", mirja)
    own = "Six years of work went live."  # the wording's own first sentence
    client.post(f"/suggestions/{suggestion.pk}/", form(suggestion, text=own))
    post = Post.objects.get()
    assert (post.draft, post.own_share) == ("", 100)


def test_own_view_is_never_free_to_share(topic):
    from django.db import IntegrityError

    with pytest.raises(IntegrityError), transaction.atomic():
        Topic.objects.filter(pk=topic.pk).update(own_view=True, light_when_free="share")


# -- topics -------------------------------------------------------------------------------------


def topic_form(topic, **fields):
    return {
        "title": "Wind farm", "language": "en", "rule": "Tell it.", "say": "", "if_asked": "",
        "leave_out_text": "Prices\n\n Names ", "revision": topic.revision if topic else "",
        "glossary_say": ["feeds in", ""], "glossary_instead_of": ["runs", ""],
        "facts_fact": ["14 turbines", ""], "facts_source": ["https://example.org/wind", ""],
        "links_title": ["Guideline"], "links_url": ["https://example.org/g"], **fields,
    }  # fmt: skip


def test_topic_is_made_with_its_light_and_edited(desk, mirja, person):
    deputy = person("Dilan", "curator")
    made = desk.post("/desk/topics/new/", topic_form(None, light="own", owner=mirja.pk))
    topic = Topic.objects.get()
    assert (made.status_code, topic.line, rows(topic)) == (302, "own", [("", "own", "", mirja.pk)])
    desk.post(f"/desk/topics/{topic.pk}/", topic_form(topic, title="Wind", deputies=[deputy.pk]))
    topic.refresh_from_db()
    assert (topic.title, topic.revision, topic.leave_out, topic.own_view) == (
        "Wind",
        2,
        ["Prices", "Names"],
        True,
    )
    assert (topic.facts, topic.glossary, list(topic.deputies.all()), topic.owner) == (
        [{"fact": "14 turbines", "source": "https://example.org/wind"}],
        [{"say": "feeds in", "instead_of": "runs"}],
        [deputy],
        None,
    )


def test_second_save_of_a_topic_shows_both_texts(desk, topic):
    address = f"/desk/topics/{topic.pk}/"
    stale = topic_form(topic, rule="The second rule.")
    desk.post(address, topic_form(topic, rule="The first rule."))
    response = desk.post(address, stale)
    page = response.content.decode()
    assert (response.status_code, "The first rule." in page, "The second rule." in page) == (
        409,
        True,
        True,
    )
    topic.refresh_from_db()
    assert topic.rule == "The first rule."


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"title": ""}, 'id="title-e"'),
        ({"title": "x" * 121}, 'id="title-e"'),
        ({"rule": "a\x00b"}, 'id="rule-e"'),
        ({"links_url": ["javascript:alert(1)"]}, "javascript:alert(1)"),
        ({"links_url": ["http://example.org"]}, "is no link that begins with https://"),
        ({"facts_source": ["javascript:alert(1)", ""]}, "is no link that begins with https://"),
        ({"facts_fact": ["", ""]}, "Write the fact beside its source."),
        ({"say": "ä" * 100_000}, 'class="error"'),
        ({"glossary_say": ["x" * 501, ""]}, "at most 500 characters"),
        ({"facts_fact": ["x"] * 40, "facts_source": [""] * 40}, "At most 30 rows."),
        ({"owner": "9" * 5000}, 'class="error"'),
        ({"deputies": ["1e9", "x"]}, 'class="error"'),
    ],
)  # fmt: skip
def test_bad_topic_gets_a_sentence_and_keeps_what_was_typed(desk, topic, fields, word):
    data = topic_form(topic, **{"if_asked": "Kept text.", **fields})
    response = desk.post(f"/desk/topics/{topic.pk}/", data)
    page = response.content.decode()
    assert (response.status_code, word in page, "Kept text." in page) == (422, True, True)
    topic.refresh_from_db()
    assert topic.revision == 1


def test_more_rows_lose_nothing(desk, topic):
    page = desk.post(
        f"/desk/topics/{topic.pk}/", topic_form(topic, act="rows", say="Half a sentence")
    ).content.decode()
    assert ("Half a sentence" in page, page.count('name="facts_fact"')) == (True, 6)


def test_topic_goes_to_the_archive_only_when_nothing_of_it_is_out(
    desk, client, suggestion, topic, mirja
):
    address = f"/desk/topics/{topic.pk}/archive/"
    refused = desk.post(address, {"act": "away"}, follow=True).content.decode()
    assert "1 suggestion on it is still out." in refused
    suggestion.topic = topic
    from campaigns import suggestions

    suggestions.withdraw(suggestion=suggestion, by=mirja, now=timezone.now())
    desk.post(address, {"act": "away"})
    pages = [desk.get("/desk/"), desk.get("/desk/suggestions/new/"), client.get("/topics/")]
    assert [topic.title in page.content.decode() for page in pages] == [False] * 3
    assert client.get(f"/topics/{topic.pk}/").status_code == 200
    desk.post(address, {"act": "back"})
    assert topic.title in desk.get("/desk/").content.decode()


def test_topic_on_hold_or_with_planned_posts_is_not_archived(topic, suggestion, jona, mirja):
    now = timezone.now()
    wall = accounts.connect_wall(person=jona, now=now)
    shares.share(
        by=jona, suggestion=suggestion, accounts=[wall], due_at=now + dt.timedelta(days=1), now=now,
        words=Words(TEXT, suggestion.variant_set.get(), uuid.uuid4()),
    )  # fmt: skip
    type(suggestion).objects.update(expires_at=now - dt.timedelta(minutes=1))
    with pytest.raises(topics.TopicRefused):
        topics.archive(topic=topic, by=mirja, now=now)
    Delivery.objects.all().delete()
    holds.hold(scope=topic, by=mirja, reason="x", now=now)
    with pytest.raises(topics.TopicRefused):
        topics.archive(topic=topic, by=mirja, now=now)
    holds.release(scope=topic, by=mirja, now=now)
    assert topics.archive(topic=topic, by=mirja, now=now) is True
    assert topics.archive(topic=topic, by=mirja, now=now) is False


def test_readers_history_names_no_people(client, desk, topic, mirja):
    turn(topic, "careful", mirja, "The regulator has answered.")
    page = client.get(f"/topics/{topic.pk}/").content.decode()
    assert ("The regulator has answered." in page, "Mirja Thomsen" in page) == (True, False)
    assert "Mirja Thomsen" in desk.get(f"/desk/topics/{topic.pk}/").content.decode()


PAGES = {"/desk/topics/": 4, "/topics/": 4}


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("page", PAGES)
def test_lists_of_topics_ask_a_constant_number_of_queries(
    desk, topic, mirja, page, count, django_assert_num_queries
):
    for n in range(count - 1):
        Topic.objects.create(slug=f"t{n}", title=f"T{n}", light_since=timezone.now(), owner=mirja)
    desk.get(page)
    with django_assert_num_queries(PAGES[page]):
        assert desk.get(page).status_code == 200


def test_curators_pages_open_for_curators_only(client, topic):
    for page in (
        "/desk/topics/",
        "/desk/topics/new/",
        f"/desk/topics/{topic.pk}/",
        f"/desk/topics/{topic.pk}/light/",
        "/desk/issues/",
        "/desk/issues/2026-11-25/",
    ):
        assert client.get(page).status_code == 403
    assert client.post(f"/desk/topics/{topic.pk}/archive/").status_code == 403


def test_facts_of_old_topics_get_room_for_a_source(topic):
    migration = importlib.import_module("campaigns.migrations.0008_facts_have_sources")
    Topic.objects.filter(pk=topic.pk).update(facts=["14 turbines", {"fact": "b", "source": "c"}])
    migration.add_sources(apps, None)
    topic.refresh_from_db()
    assert topic.facts == [{"fact": "14 turbines", "source": ""}, {"fact": "b", "source": "c"}]
    migration.drop_sources(apps, None)
    topic.refresh_from_db()
    assert topic.facts == ["14 turbines", "b"]


def test_new_wording_on_a_topic_without_a_line_is_warned_about(suggestion, topic, mirja):
    from campaigns import suggestions

    turn(topic, "own", mirja)
    suggestion.refresh_from_db()
    found = suggestions.checks(suggestion, list(Variant.objects.all()))
    assert [kind for kind, field, _sentence in found if field == "topic"] == ["warn"]


@pytest.mark.parametrize("count", [1, 3])
def test_today_with_an_issue_asks_a_constant_number_of_queries(
    client, jona, suggestion, topic, mirja, count, a_working_day, django_assert_num_queries
):
    from campaigns.models import Briefing, BriefingItem

    now = timezone.now()
    wall = accounts.connect_wall(person=jona, now=now)
    issue = Briefing.objects.create(day=now.date(), published_at=now, contact=mirja)
    BriefingItem.objects.create(briefing=issue, topic=topic, position=0)
    for n in range(count):
        other = Topic.objects.create(slug=f"t{n}", title=f"T{n}", light_since=now)
        BriefingItem.objects.create(briefing=issue, topic=other, position=n + 1)
        shares.share(
            by=jona, suggestion=suggestion, accounts=[wall], due_at=now + dt.timedelta(days=n + 1),
            words=Words(f"{TEXT} {n}", suggestion.variant_set.get(), uuid.uuid4()), now=now,
        )  # fmt: skip
        turn(topic, "careful" if n % 2 == 0 else "share", mirja, now=now + dt.timedelta(seconds=1))
    client.get("/")
    with django_assert_num_queries(10):
        page = client.get("/").content.decode()
    assert page.count('class="queued"') == count
