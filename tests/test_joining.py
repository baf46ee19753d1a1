"""Activities: asked calmly, done by hand, and counted nowhere."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from campaigns import activities, holds
from campaigns.models import Activity, ActivityAnswer, Programme

from .conftest import browser

pytestmark = pytest.mark.django_db

LINK = "https://www.linkedin.com/posts/nordwind_9"


@pytest.fixture
def mirja(person):
    return person("Mirja", "curator")


@pytest.fixture
def asked(mirja, topic):
    def make(title="Frauke on the night shift", **fields):
        now = timezone.now()
        given = {
            "kind": "comment", "topic": topic, "title": title, "why": "She wrote it on her own.",
            "link_url": LINK, "ends_at": now + dt.timedelta(days=1), "submission": uuid.uuid4(), "now": now,
        }  # fmt: skip
        return activities.make(by=mirja, **given | fields)

    return make


def form(about, **fields):
    until = timezone.localtime() + dt.timedelta(days=2)
    return {
        "kind": "comment", "topic": about.pk, "title": "Frauke wrote", "why": "It is good.",
        "link_url": LINK, "ends_at": until.strftime("%Y-%m-%dT%H:%M"),
        "submission": str(uuid.uuid4()), **fields,
    }  # fmt: skip


def titles(who, now=None):
    return [row.title for row in activities.for_today(who, now or timezone.now())]


def test_request_stands_on_today_with_the_networks_page(mirja, jona, topic, monkeypatch):
    same = form(topic)
    for _ in range(2):
        browser(mirja).post("/desk/activities/", same)
    assert Activity.objects.count() == 1
    friday = dt.datetime(2026, 11, 27, 8, tzinfo=dt.UTC)
    monkeypatch.setattr("campaigns.views.today.timezone.now", lambda: friday)
    Activity.objects.update(created_at=friday, ends_at=friday + dt.timedelta(hours=9))
    page = browser(jona).get("/").content.decode()
    part = page[page.index("join-h") :]
    assert (f'href="{LINK}"' in part, 'rel="noopener noreferrer"' in part) == (True, True)


def test_done_and_not_for_me_leave_the_same_trace(asked, jona, person):
    one, two = asked("One"), asked("Two")
    client = browser(jona)
    for activity in (one, two, one):
        client.post(f"/activities/{activity.pk}/")
    assert (titles(jona), titles(person("Nam"))) == ([], ["One", "Two"])
    columns = {field.name for field in ActivityAnswer._meta.get_fields()}
    assert (columns, ActivityAnswer.objects.count()) == ({"id", "activity", "person"}, 2)


def test_desk_counts_nobody(asked, mirja, person):
    activity = asked()
    before = browser(mirja).get("/desk/activities/").content
    for number in range(7):
        activities.put_away(activity=activity, person=person(f"P{number}"))
    after = browser(mirja).get("/desk/activities/").content

    def plain(page):
        import re

        return re.sub(rb'value="[^"]*"', b"", page)

    assert plain(before) == plain(after)


def test_at_most_two_stand_on_today_the_next_to_end_first(asked, jona):
    now = timezone.now()
    for hours, title in ((5, "Third"), (1, "First"), (3, "Second")):
        asked(title, ends_at=now + dt.timedelta(hours=hours))
    assert titles(jona) == ["First", "Second"]


def test_it_ends_by_itself_and_by_hand(asked, jona, mirja):
    activity = asked()
    assert titles(jona, timezone.now() + dt.timedelta(days=2)) == []
    client = browser(mirja)
    client.post(f"/desk/activities/{activity.pk}/end/")
    assert titles(jona) == []
    again = client.post(f"/desk/activities/{activity.pk}/end/", follow=True)
    assert "over already" in again.content.decode()


def test_hold_of_its_topic_hides_it(asked, jona, mirja, topic):
    asked()
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=timezone.now())
    assert titles(jona) == []
    assert "the topic is on hold" in browser(mirja).get("/desk/activities/").content.decode()
    holds.release(scope=topic, by=mirja, now=timezone.now())
    assert len(titles(jona)) == 1


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("link_url", "javascript:alert(1)"), ("link_url", "JaVaScRiPt://linkedin.com/%0aalert(1)"),
        ("link_url", "data:text/html,x"), ("link_url", "http://linkedin.com/a"), ("link_url", "https://"),
        ("link_url", "https://a@linkedin.com/"), ("link_url", "https://linkedin.com/\u202eabc"),
        ("link_url", "https://[::1"), ("link_url", "//linkedin.com/a"), ("link_url", "https://x.de/" + "a" * 100_000),
        ("ends_at", "2020-01-01T10:00"), ("ends_at", "9999-12-31T23:59"), ("ends_at", "2027-03-28T02:30"),
        ("ends_at", "soon"), ("title", "ㅤ"), ("title", "t" * 121), ("why", ""), ("why", "w" * 100_000),
        ("why", "\x00"), ("kind", "follow"), ("topic", "9" * 5000),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_bad_request_gets_a_sentence_and_nothing_is_lost(mirja, topic, field, typed):
    answer = browser(mirja).post("/desk/activities/", form(topic, **{field: typed}))
    page = answer.content.decode()
    assert (answer.status_code, Activity.objects.count(), 'class="error"' in page) == (422, 0, True)
    assert ("It is good." in page) == (field != "why")


def test_only_curators_ask(jona, topic, person):
    Programme.the()
    codes = [
        browser(who).post("/desk/activities/", form(topic)).status_code
        for who in (jona, person("Selin", "hr"))
    ]
    assert codes == [403, 403]


@pytest.mark.parametrize("count", [1, 3])
def test_page_asks_a_constant_number_of_queries(asked, mirja, count, django_assert_num_queries):
    for number in range(count):
        asked(f"Request {number}")
    client = browser(mirja)
    client.get("/desk/activities/")
    with django_assert_num_queries(6):
        client.get("/desk/activities/")
