"""In a browser: an open page hears of a light, an issue is ordered by keys, and all can be read."""

import os
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone

from campaigns import briefings, holds, lights
from campaigns.briefings import Draft
from campaigns.models import Briefing, BriefingItem, Topic

from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def walk(chromium, live_server, a_working_day):
    cache.clear()

    def begin(who, size):
        made = Visitor(chromium, live_server.url, size)
        made.login(who)

        def look(url, name):
            if url:
                made.page.goto(live_server.url + url)
            made.check()
            if folder := os.environ.get("SHOTS"):
                path = Path(folder) / f"{name}-{size['width']}.png"
                made.page.screenshot(path=path, full_page=True)

        made.look = look
        return made

    return begin


@pytest.fixture
def issue(person, topic):
    now, mirja = timezone.now(), person("Mirja Thomsen", "curator")
    other = Topic.objects.create(
        slug="fees", title="Grid fees", language="en", rule="Only with the fact sheet.",
        if_asked="The sheet says it.", light_since=now, owner=mirja,
    )  # fmt: skip
    items = [BriefingItem(topic=topic, note="New."), BriefingItem(topic=other)]
    draft = Draft(
        day=briefings.today(now), note="Two topics.", items=items, contact=mirja, starts_at=now,
        dial_in="https://example.org/call",
    )  # fmt: skip
    saved = briefings.save(draft=draft, seen_revision=0, by=mirja, now=now)
    briefings.publish(briefing=saved, seen_revision=1, by=mirja, now=now)
    return saved


def test_open_page_and_open_composer_hear_of_a_light(walk, issue, suggestion, topic, person):
    jona, mirja = person("Jona Harms"), issue.contact
    today, composer = walk(jona, DESKTOP), walk(jona, PHONE)
    today.look("/", "today")
    composer.page.goto(f"{composer.base}/suggestions/{suggestion.pk}/")
    fees = Topic.objects.get(slug="fees")
    today.page.locator(f"#more-{fees.pk}-s").click()
    holds.hold(scope=topic, by=mirja, reason="Figures are being checked.", now=timezone.now())
    lights.change(
        topic=fees, to="own", seen="share", why="No line yet.", by=mirja, now=timezone.now()
    )
    cache.clear()
    for visitor in (today, composer):
        visitor.page.evaluate("document.body.dispatchEvent(new Event('look'))")
    news = today.page.locator("#news")
    news.get_by_text("Grid fees").wait_for()
    today.look("", "today-changed")
    assert news.get_attribute("role") == "status"
    assert today.page.get_by_role("heading", name=suggestion.title).count() == 0
    assert today.page.locator(f"#more-{fees.pk}").get_attribute("open") is not None
    line = composer.page.locator("#turn").get_by_text("Figures are being checked.")
    line.wait_for()
    composer.look("", "composer-changed")
    assert (today.trouble, composer.trouble) == ([], [])


def test_issue_is_ordered_by_keys_ticked_and_taken_back(walk, issue, topic, person):
    desk = walk(issue.contact, PHONE)
    address = f"/desk/issues/{issue.day}/"
    desk.look(address, "issue-edit")
    down = desk.page.get_by_role("button", name="Down: Wind farm")
    down.focus()
    desk.page.keyboard.press("Enter")
    assert desk.page.locator("[data-said]").text_content() == "Wind farm is now 2 of 2."
    assert desk.page.evaluate("document.activeElement.dataset.move") == "1"
    desk.page.get_by_role("button", name="Save the change").first.click()
    desk.page.wait_for_url("**" + address)
    stored = issue.briefingitem_set.values_list("topic__title", flat=True)
    assert list(stored) == ["Grid fees", "Wind farm"]
    for page, name in (
        ("/desk/issues/", "issues"),
        ("/desk/topics/", "topic-list"),
        (f"/desk/topics/{topic.pk}/", "topic-edit"),
        (f"/desk/topics/{topic.pk}/light/", "light"),
        (f"/topics/{topic.pk}/", "topic"),
        ("/topics/", "topics"),
        ("/issues/", "issues-past"),
        (f"/issues/{issue.day}/", "issue"),
        ("/me/reach/", "reach"),
    ):
        desk.look(page, name)
    desk.page.goto(f"{desk.base}/")
    desk.page.get_by_role("button", name="I have read it").click()
    back = desk.page.get_by_role("button", name="Take back")
    back.wait_for()
    desk.page.get_by_role("button", name="Take back", exact=True).and_(
        desk.page.locator(":focus")
    ).wait_for()
    assert (Briefing.objects.get().briefingread_set.count(), desk.trouble) == (1, [])
