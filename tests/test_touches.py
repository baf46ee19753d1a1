"""In a browser, at human pace: how many touches and seconds a share, a copy and a first run take.

A *touch* is a press of a button, a link or a key that is no letter. Typing one's own words counts
as one touch, however many letters. *Human pace*: a second to read before each touch, a quarter of
a second for each letter.
"""

import time

import pytest
from django.utils import timezone

from campaigns.models import Post, Variant
from integrations import accounts

from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)
OWN = "I stood below it for six years."
READ, LETTER = 1.0, 0.25  # seconds


class Human:
    """Counts what the hands do, and takes the time that people take."""

    def __init__(self, page):
        self.page, self.touches, self.began = page, 0, time.monotonic()

    def touch(self, what):
        self.page.wait_for_timeout(READ * 1000)
        self.touches += 1
        what.click()

    def write(self, area, text):
        """Press into the text, which selects its gap, and type."""
        self.page.wait_for_timeout(READ * 1000)
        self.touches += 1
        area.click()
        self.page.keyboard.type(text, delay=LETTER * 1000)

    @property
    def seconds(self):
        return time.monotonic() - self.began


@pytest.fixture(params=[PHONE, DESKTOP], ids=["390", "1280"])
def hands(request, chromium, live_server, a_working_day):
    def begin(who, at="/"):
        visitor = Visitor(chromium, live_server.url, request.param)
        visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
        visitor.login(who) if at == "/" else None
        return visitor, Human(visitor.page)

    return begin


def test_three_touches_and_twenty_seconds_to_publish_in_own_words(hands, jona, suggestion, account_on, mastodon):  # fmt: skip
    account_on(jona, mastodon)
    visitor, human = hands(jona)
    page = visitor.page
    human.touch(page.get_by_role("link", name="In your words").first)
    area = page.locator("[data-text]")
    area.wait_for()
    human.write(area, OWN)
    assert area.input_value() == f"Six years of work went live. {OWN} 14 turbines."
    human.touch(page.get_by_role("button", name="Share", exact=True))
    page.wait_for_url("**/posts/*/")
    assert human.touches <= 3
    assert human.seconds <= 20
    assert Post.objects.get().how == "published"


def test_two_touches_to_copy(hands, jona, suggestion):
    Variant.objects.update(text="Six years of work went live.")
    visitor, human = hands(jona)
    human.touch(visitor.page.get_by_role("link", name="In your words").first)
    human.touch(visitor.page.get_by_role("button", name="Copy", exact=True))
    visitor.page.wait_for_url("**/posts/*/#copied")
    assert (human.touches, human.seconds <= 20) == (2, True)
    copied = visitor.page.evaluate("navigator.clipboard.readText()")
    assert (Post.objects.get().how, copied) == ("copied", Post.objects.get().full_text)


def test_nothing_lies_over_when_on_a_screen_of_900_pixels(hands, jona, suggestion, account_on, mastodon):  # fmt: skip
    account_on(jona, mastodon)
    visitor, _human = hands(jona)
    page = visitor.page
    page.goto(f"{visitor.base}/suggestions/{suggestion.pk}/")
    for name in ("Now", "At a good time", "Choose"):
        label = page.locator("fieldset label", has_text=name).first
        label.scroll_into_view_if_needed()
        assert label.evaluate(
            "l => { const r = l.getBoundingClientRect(); return l.contains(document.elementFromPoint("
            "r.left + r.width / 2, r.top + r.height / 2)); }"
        ), name


def test_first_run_to_the_first_rehearsal_within_three_minutes(hands, person, suggestion, a_working_day):  # fmt: skip
    new = person("Nele Brandt", welcome=1)
    visitor, human = hands(new, at="")
    page = visitor.page
    page.goto(f"{visitor.base}/accounts/login/")
    page.get_by_text("With a password").click()
    page.locator("#l").fill(new.email)
    page.locator("#pw").fill("moin-moin-nordwind")
    page.locator("#pw").press("Enter")
    page.wait_for_url("**/welcome/")
    human.began = time.monotonic()
    for _step in range(2):
        page.wait_for_timeout(9000)  # three sentences to read
        human.touch(page.get_by_role("button", name="Go on"))
        page.wait_for_load_state()
    human.touch(page.get_by_role("button", name="Try it there"))
    page.wait_for_url("**/suggestions/*/*")
    human.write(page.locator("[data-text]"), OWN)
    human.touch(page.get_by_role("button", name="Share", exact=True))
    page.wait_for_url("**/posts/*/")
    assert human.seconds <= 180
    assert human.touches <= 5
    assert Post.objects.get().network == "wall"
    visitor.check()


@pytest.mark.parametrize("url", ["/me/time/", "/posts/", "/people/sites/", "/people/sites/company/", "/feedback/", "/system/feedback/"])  # fmt: skip
def test_pages_of_time_and_feedback_are_accessible(hands, person, suggestion, url):
    who = person("Admin", "administrator")
    wall = accounts.connect_wall(person=who, now=timezone.now())
    visitor, _human = hands(who)
    import uuid

    from campaigns.shares import Words, share

    from .test_my_time import days_ahead

    for day in (1, 2):
        share(
            by=who, suggestion=suggestion, accounts=[wall], due_at=days_ahead(day), now=timezone.now(),
            words=Words(f"My own sentence {day}.", suggestion.variant_set.get(), uuid.uuid4()),
        )  # fmt: skip
    for scheme in ("light", "dark"):
        visitor.page.emulate_media(color_scheme=scheme)
        visitor.page.goto(visitor.base + url)
        visitor.check()
    assert visitor.trouble == []
