"""The whole loop in a browser, with a real worker process, against pretended networks."""

import contextlib
import re
import shutil
import time
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.models import Delivery, Suggestion
from integrations import accounts

from . import processes
from .processes import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture
def chromium(monkeypatch):
    path = shutil.which("chromium")
    if not path:
        pytest.skip("chromium is not installed; install the package chromium")
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield made
        made.close()


@pytest.fixture
def worker(live_server, settings, tmp_path):
    """A real Celery worker on the test's database."""
    with contextlib.ExitStack() as stack:

        def start(*hosts):
            (ROOT / "var").mkdir(exist_ok=True)
            log = ROOT / f"var/{connection.settings_dict['NAME']}-worker.log"
            reached = ",".join([*hosts, urlsplit(live_server.url).netloc])
            env = {"PRACTICE_WALL_URL": live_server.url, "LOOPBACK_HOSTS": reached}
            stack.enter_context(processes.worker(settings.VAR_DIR, tmp_path / "beat", log, **env))

        yield start


class Visitor:
    """A person's browser that notes foreign requests and console errors."""

    def __init__(self, chromium, base, size):
        self.context = chromium.new_context(viewport=size, locale="en-GB")
        self.page = self.context.new_page()
        self.base, self.trouble = base, []
        self.page.on(
            "request",
            lambda r: None if r.url.startswith((base, "data:")) else self.trouble.append(r.url),
        )
        self.page.on(
            "console",
            lambda m: (
                self.trouble.append(m.text) if m.type == "error" and "422" not in m.text else None
            ),
        )
        self.page.on("pageerror", lambda e: self.trouble.append(str(e)))
        self.page.on("dialog", lambda d: d.accept())

    def login(self, person):
        self.page.goto(f"{self.base}/accounts/login/")
        self.page.get_by_text("With a password").click()
        self.page.locator("#l").fill(person.email)
        self.page.locator("#pw").fill("moin-moin-nordwind")
        self.page.locator("#pw").press("Enter")
        self.page.wait_for_url(f"{self.base}/")

    def check(self):
        """No horizontal scrolling, no accessibility violation."""
        from axe_playwright_python.sync_playwright import Axe

        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            self.page.url
        )
        found = Axe().run(self.page).response["violations"]
        assert [(v["id"], [n["html"] for n in v["nodes"]][:2]) for v in found] == [], self.page.url


def wait_for(question, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if question():
            return
        time.sleep(0.2)
    states = list(Delivery.objects.values_list("account__network", "state", "reason", "detail"))
    raise AssertionError(
        states, (ROOT / f"var/{connection.settings_dict['NAME']}-worker.log").read_text()[-1500:]
    )


def test_loop_from_draft_to_engagement(
    chromium,
    live_server,
    worker,
    person,
    topic,
    suggestion,
    account_on,
    mastodon,
    bluesky,
    settings,
):
    settings.PRACTICE_WALL_URL = live_server.url
    jona, mirja, dilan, selin = (
        person("Jona Harms"),
        person("Mirja", "curator"),
        person("Dilan", "curator"),
        person("Selin", "hr"),
    )
    account_on(jona, mastodon)
    account_on(jona, bluesky, "jona")
    accounts.connect_wall(person=jona, now=timezone.now())
    worker(f"127.0.0.1:{mastodon.port}", f"127.0.0.1:{bluesky.port}")
    walk(chromium, live_server, (jona, mirja, dilan, selin))
    wait_for(lambda: Delivery.objects.filter(state="sent").count() == 3)
    assert (mastodon.count("created"), bluesky.count("created")) == (1, 1)
    figures = Delivery.objects.get(account__network="bluesky")
    bluesky.figures[figures.remote_id] = (7, 2, 3)
    come_back(chromium, live_server, jona, selin)


def walk(chromium, live_server, people):
    """A curator writes, another approves, an employee on a phone copies one and publishes one."""
    jona, mirja, dilan, _selin = people
    desk = Visitor(chromium, live_server.url, DESKTOP)
    desk.login(mirja)
    desk.page.goto(f"{live_server.url}/desk/suggestions/new/")
    desk.page.locator("#title").fill("Turbine 9 turns")
    desk.page.locator("textarea[name=v_text]").first.fill(
        "Turbine 9 turns since yesterday. [what you heard] It took six years."
    )
    desk.check()
    desk.page.get_by_role("button", name="Send to review").click()
    desk.page.wait_for_url("**/desk/")
    desk.check()
    review = Visitor(chromium, live_server.url, DESKTOP)
    review.login(dilan)
    review.page.goto(f"{live_server.url}/desk/")
    review.page.get_by_role("link", name=re.compile("Look at it.*Turbine 9")).click()
    review.check()
    review.page.get_by_role("button", name="Approve").click()
    review.page.wait_for_url("**/desk/reviews/")
    review.check()
    made = Suggestion.objects.get(title="Turbine 9 turns")
    assert made.state == "approved"
    phone = Visitor(chromium, live_server.url, PHONE)
    phone.login(jona)
    phone.check()
    phone.page.get_by_role("link", name="Turbine 9 turns", exact=True).click()
    phone.check()
    area = phone.page.locator("[data-text]")
    area.fill(
        "Turbine 9 turns since yesterday. First I heard nothing, then a hum. It took six years."
    )
    assert phone.page.locator("[data-pct]").inner_text() != "0"
    phone.page.locator("#by-hand").select_option("linkedin")
    phone.page.get_by_role("button", name="Copy", exact=True).click()
    phone.page.wait_for_url(re.compile(r"/posts/\d+/"))
    phone.page.wait_for_timeout(400)  # the words "Copied." come in slowly
    phone.check()
    phone.page.goto(f"{live_server.url}/suggestions/{made.pk}/")
    area.fill("My father asked whether this is our power now. Yes, Dad. Turbine 9 turns.")
    for box in phone.page.locator("[name=to]").all():
        box.check()
    phone.page.get_by_role("button", name="Share", exact=True).click()
    phone.page.wait_for_url("**/posts/")
    phone.check()
    assert (desk.trouble, review.trouble, phone.trouble) == ([], [], [])


def come_back(chromium, live_server, jona, selin):
    """Engagement comes back to its owner; HR sees the roster and no figure."""
    from campaigns import engagement

    Delivery.objects.update(measure_at=timezone.now())
    Delivery.objects.filter(account__network="wall").update(measure_at=None)
    engagement.measure_due()
    phone = Visitor(chromium, live_server.url, PHONE)
    phone.login(jona)
    assert "9" in phone.page.locator(".figures").inner_text()
    hr = Visitor(chromium, live_server.url, DESKTOP)
    hr.login(selin)
    hr.page.goto(f"{live_server.url}/roster/")
    hr.check()
    assert "My father" not in hr.page.content()
    assert (phone.trouble, hr.trouble) == ([], [])


def test_composer_works_without_javascript(chromium, live_server, person, suggestion):
    jona = person("Jona Harms")
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_text("With a password").click()
    page.locator("#l").fill(jona.email)
    page.locator("#pw").fill("moin-moin-nordwind")
    page.locator("#pw").press("Enter")
    page.goto(f"{live_server.url}/suggestions/{suggestion.pk}/")
    page.locator("[data-text]").fill("I was there.")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.wait_for_url("**/posts/*/")
    page.go_back()
    page.get_by_role("button", name="Copy", exact=True).click()
    page.wait_for_url("**/posts/*/")
    from campaigns.models import Post

    assert Post.objects.count() == 1  # back and again finds the first


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["390", "1280"])
def test_pages_are_accessible(chromium, live_server, person, suggestion, topic, size, scheme):
    everyone = person("Mirja Thomsen", "curator", "hr", "auditor")
    visitor = Visitor(chromium, live_server.url, size)
    visitor.page.emulate_media(color_scheme=scheme)
    visitor.page.goto(f"{live_server.url}/accounts/login/")
    visitor.check()
    visitor.login(everyone)
    urls = [
        "/",
        "/suggestions/",
        f"/suggestions/{suggestion.pk}/",
        "/posts/",
        "/notebook/",
        "/desk/",
        f"/desk/topics/{topic.pk}/hold/",
        f"/desk/suggestions/{suggestion.pk}/",
        f"/desk/suggestions/{suggestion.pk}/review/",
        "/desk/reviews/",
        "/desk/disclosure/",
        "/desk/disclosure/propose/",
        "/evidence/",
        "/roster/",
        "/record/",
        "/me/accounts/",
        "/me/accounts/networks/",
        "/wall/",
    ]
    for url in urls:
        visitor.page.goto(live_server.url + url)
        visitor.check()
    assert visitor.trouble == []
