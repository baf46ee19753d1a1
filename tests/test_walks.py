"""In a browser: a hold asks who posted already and reports; an unknown post has three choices."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from campaigns import shares
from campaigns.models import Delivery, HoldAnswer, HoldRecord, Post
from campaigns.shares import Words
from integrations.networks import get
from integrations.networks.base import CannotTell

from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[(PHONE, "light"), (DESKTOP, "dark")], ids=["390-light", "1280-dark"])
def visit(request, chromium, live_server):
    """Log somebody in on a screen; ``shot`` keeps a picture when SHOTS names a folder."""
    import os
    from pathlib import Path

    size, scheme = request.param

    def begin(who):
        made = Visitor(chromium, live_server.url, size)
        made.page.emulate_media(color_scheme=scheme)
        made.login(who)
        width = size["width"]

        def look(url, name):
            if url:
                made.page.goto(live_server.url + url)
            made.check()
            if folder := os.environ.get("SHOTS"):
                path = Path(folder) / f"{name}-{width}-{scheme}.png"
                made.page.screenshot(path=path, full_page=True)

        made.look = look
        return made

    return begin


def test_hold_asks_and_reports(visit, person, topic, suggestion, account_on, mastodon, queue):
    jona, mirja = person("Jona Harms"), person("Mirja Thomsen", "curator")
    now = timezone.now()
    copied = shares.hand_over(
        by=jona, suggestion=suggestion, network="linkedin", how="copied", now=now - dt.timedelta(minutes=5),
        words=Words("My father asked whether this is our power now.", suggestion.variant_set.get(), uuid.uuid4()),
    )  # fmt: skip
    waiting = queue(jona, account_on(jona, mastodon), due_at=now + dt.timedelta(days=1))
    desk = visit(mirja)
    desk.look(f"/desk/topics/{topic.pk}/hold/", "hold")
    desk.page.locator("#br-t").fill("The figures are being checked.")
    desk.page.locator("#br-p").fill("We are checking the figures. I will come back to it.")
    desk.page.get_by_role("button", name="Hold now").click()
    desk.page.wait_for_url("**/desk/holds/*/")
    record = HoldRecord.objects.get()
    desk.look("", "report")
    for url, name in ((f"/desk/suggestions/{suggestion.pk}/hold/", "hold-suggestion"), ("/desk/everything/hold/", "hold-everything"), ("/desk/holds/", "reports"), ("/desk/", "desk")):  # fmt: skip
        desk.look(url, name)
    mine = visit(jona)
    mine.look("/", "today-asked")
    mine.look(f"/posts/{waiting.post_id}/", "post-held")
    assert "Stopped: the topic is on hold" in mine.page.locator("main").inner_text()
    mine.look(f"/posts/{copied.pk}/", "post-asked")
    assert mine.page.locator("input[type=radio]:checked").count() == 0
    mine.page.get_by_role("button", name="That is my answer").click()
    assert mine.page.get_by_text("Choose one of the three.").count() == 2
    mine.look("", "post-asked-error")
    mine.page.get_by_label("I deleted it there myself").check()
    mine.page.get_by_role("button", name="That is my answer").click()
    mine.page.wait_for_url(f"**/posts/{copied.pk}/")
    mine.look("", "post-answered")
    assert HoldAnswer.objects.get().answer == "removed"
    desk.page.goto(f"{desk.base}/desk/holds/{record.pk}/")
    assert "Jona" not in desk.page.content()
    desk.page.get_by_role("button", name="Release").click()
    desk.look("", "report-released")
    assert (desk.trouble, mine.trouble) == ([], [])


def test_unknown_post_has_three_choices(visit, person, account_on, mastodon, queue, monkeypatch):
    jona = person("Jona Harms")
    account = account_on(jona, mastodon)
    type(account).objects.update(profile_url="https://mastodon.example/@jona")
    monkeypatch.setattr(type(get("mastodon")), "look", lambda *a: CannotTell("too many posts"))
    rows = [queue(jona, account) for _ in range(3)]
    tried = timezone.now() - dt.timedelta(hours=2)
    asking = {"state": "unknown", "reason": "ask_person", "first_tried_at": tried}
    Delivery.objects.update(**asking)
    there, again, leave = rows
    mine = visit(jona)
    mine.look("/", "today-unknown")
    mine.look(f"/posts/{there.post_id}/", "unknown")
    assert mine.page.locator("input[type=radio]:checked").count() == 0
    mine.page.get_by_label("It is there.").check()
    mine.page.locator("#url").fill("https://elsewhere.example/1")
    mine.page.get_by_role("button", name="That is how it is").click()
    mine.look("", "unknown-error")
    assert mine.page.locator("#url").input_value() == "https://elsewhere.example/1"
    mine.page.locator("#url").fill("https://mastodon.example/@jona/1")
    mine.page.get_by_role("button", name="That is how it is").click()
    mine.look("", "unknown-there")
    for row, label in ((again, "It is not there"), (leave, "Leave it")):
        mine.page.goto(f"{mine.base}/posts/{row.post_id}/")
        mine.page.get_by_label(label).check()
        mine.page.get_by_role("button", name="That is how it is").click()
        mine.page.wait_for_load_state()
    states = list(Delivery.objects.order_by("pk").values_list("state", "reason"))
    assert states == [
        ("sent", "person_says_there"), ("queued", "person_says_absent"), ("cancelled", "left_unknown"),
    ]  # fmt: skip
    mine.look("/posts/", "posts")
    assert mine.trouble == []


def test_thread_is_counted_while_typing_and_figures_are_written_down(
    visit, person, account_on, mastodon, suggestion
):
    jona = person("Jona Harms")
    account_on(jona, mastodon)
    mine = visit(jona)
    mine.page.goto(f"{mine.base}/suggestions/{suggestion.pk}/")
    mine.page.locator("[data-text]").fill("a" * 400 + "\n---\n" + "b" * 450)
    assert mine.page.locator("[data-count=mastodon]").inner_text() == "450"
    mine.look("", "composer-thread")
    mine.page.get_by_role("button", name="Share", exact=True).click()
    mine.page.wait_for_url("**/posts/*/")
    mine.look("", "thread")
    mine.page.get_by_text("Change the text").click()
    mine.look("", "edit")
    words = Words("I was there.", suggestion.variant_set.get(), uuid.uuid4())
    copied = shares.hand_over(by=jona, suggestion=suggestion, words=words, network="linkedin", how="copied", now=timezone.now())  # fmt: skip
    mine.page.goto(f"{mine.base}/posts/{copied.pk}/")
    mine.page.get_by_text("Write down what you see there").click()
    mine.page.locator("#r-likes").fill("many")
    mine.page.locator("#r-replies").fill("3")
    mine.page.get_by_role("button", name="Keep").click()
    mine.look("", "report-error")
    mine.page.locator("#r-likes").fill("12")
    mine.page.get_by_role("button", name="Keep").click()
    mine.page.wait_for_load_state()
    mine.look("", "reported")
    assert (Post.objects.get(pk=copied.pk).likes, mine.trouble) == (12, [])
