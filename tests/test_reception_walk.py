"""In a browser: a stranger finds a contact on another site, asks, and reads the answer."""

import contextlib
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from ambassadors.models import Takeout
from campaigns import leaving
from integrations import takeouts
from reception import letters, tokens, widgets
from reception.models import ContactCard, Inquiry

from .conftest import browser
from .test_cards import areas, contact, desk_of_contacts  # noqa: F401 - fixtures
from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)


@contextlib.contextmanager
def careers_site(content):
    """Somebody else's site: a job ad with what HR pasted into it."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"<!doctype html><html lang=en><title>Job</title><h1>Electrician</h1>{content['html']}"
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def shoot(page, name):
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_stranger_asks_on_another_site_and_reads_the_answer(
    chromium, live_server, settings, contact, areas, person
):
    cache.clear()
    settings.SITE_URL, settings.MAIL_DOMAIN = live_server.url, "ask.example.com"
    lukasz = contact(areas=[areas[0]], extension="0000 241")
    samira = contact("Samira Haddad", areas=[areas[0]])
    content = {"html": ""}
    with careers_site(content) as allowed, careers_site(content) as other:
        wanted = widgets.Wanted(
            title="Electrician", areas=[areas[0]], sites=[], cards=[], origins=[allowed],
            theme="auto", language="en", answer_days=3,
        )  # fmt: skip
        widget = widgets.save(
            widget=None, wanted=wanted, by=person("Selin", "hr"), now=timezone.now()
        )
        content["html"] = widgets.snippets(widget).both
        stranger = chromium.new_context(java_script_enabled=False, viewport=PHONE, locale="en-GB")
        popup = _through_the_frame(stranger, allowed, live_server.url)
        _not_elsewhere(chromium, other)
    page = _ask(popup)
    inquiry = Inquiry.objects.get()
    assert (inquiry.owner, inquiry.widget, stranger.cookies()) == (lukasz, widget, [])
    _answer(chromium, live_server, lukasz)
    _come_back_without_script(page, settings.SITE_URL)
    assert page.get_by_text("Eighty metres, and I still look up.").count() == 1
    shoot(page, "question-page-390")
    page.get_by_role("button", name="That helped").click()
    assert Inquiry.objects.get().rating == 3
    letters.send_due(now=timezone.now())
    assert any("Eighty metres" in letter.body for letter in mail.outbox)
    _leave_in_the_middle(page, live_server.url, lukasz, samira, widget)
    _look_at_everything(chromium, live_server.url, samira, widget, person)
    page.get_by_label("Yes, delete everything").check()
    page.get_by_role("button", name="Delete now").click()
    assert (Inquiry.objects.count(), stranger.cookies()) == (0, [])
    stranger.close()


def _through_the_frame(stranger, site, base):
    """The allowed site shows the frame: small, no cookie, nothing foreign, no script."""
    page, weights, hosts = stranger.new_page(), [], set()

    def weigh(response):
        if response.url.startswith(base):
            sizes = response.request.sizes()
            weights.append(sizes["responseBodySize"] + sizes["responseHeadersSize"])
        hosts.add(response.url.split("/")[2])

    page.on("requestfinished", lambda request: weigh(request.response()))
    page.goto(site)
    frame = page.frame_locator("iframe")
    frame.get_by_text("Extension 0000 241").wait_for()
    page.wait_for_load_state("networkidle")
    shoot(page, "widget-390")
    print("widget", len(weights), "answers,", sum(weights), "bytes with headers, uncompressed")
    assert sum(weights) < 15_000
    assert hosts == {site.split("/")[2], base.split("/")[2]}
    with stranger.expect_page() as opened:
        frame.get_by_role("link", name="Ask Łukasz").click()
    assert stranger.cookies() == []
    return opened.value


def _not_elsewhere(chromium, site):
    """Any other site: the browser refuses the frame, and the link under it still leads here."""
    context = chromium.new_context(viewport=PHONE, locale="en-GB")
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.goto(site)
    page.wait_for_load_state("networkidle")
    assert any("frame-ancestors" in text for text in said), said
    assert page.frame_locator("iframe").get_by_text("Extension").count() == 0
    shoot(page, "widget-refused-390")
    page.get_by_role("link", name="Questions?").click()
    page.get_by_role("heading", name="Ask somebody who does the job.").wait_for()
    assert page.get_by_text("You come from: Electrician.").count() == 1
    context.close()


def _ask(page):
    page.get_by_label("What would you like to know?").fill("How high is it?")
    page.get_by_label("What may we call you?").fill("Kim")
    page.get_by_label("E-mail for the answer").fill("kim@example.org")
    time.sleep(3.1)  # nobody writes a question faster
    page.get_by_role("button", name="Send the question").click()
    page.get_by_role("heading", name="We received it.").wait_for()
    assert page.get_by_text("Łukasz Wrona has it.").count() == 1
    return page


def _come_back_without_script(page, base):
    """The link of the mail asks for the code, which is pasted; a wrong one first."""
    link = tokens.page(Inquiry.objects.get())
    page.goto(link)
    field = page.get_by_label("Your code")
    shoot(page, "code-390")
    field.fill("nothing")
    page.get_by_role("button", name="Open").click()
    page.get_by_text("This code opens nothing").wait_for()
    assert field.input_value() == "nothing"
    shoot(page, "code-wrong-390")
    field.fill(link)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("heading", name="Your question").wait_for()
    assert page.url == f"{base}/ask/question/?lang=en"


def _come_back(visitor):
    """With script the link alone opens the page, and nothing that was sent had the code in it."""
    page, sent = visitor.page, []
    page.on("request", lambda request: sent.append(request.url))
    link = tokens.page(Inquiry.objects.get())
    page.goto(link)
    page.get_by_role("button", name="Delete now").wait_for()
    here = f"{visitor.base}/ask/question/?lang=en"
    assert (page.url, page.evaluate("location.hash")) == (here, "")
    page.locator(".langs button[lang=de]").click()
    page.get_by_role("button", name="Jetzt löschen").wait_for()
    page.locator(".langs button[lang=en]").click()
    page.get_by_role("button", name="Delete now").wait_for()
    assert sent == [url for url in sent if link.partition("#")[2] not in url.partition("#")[0]]


def _answer(chromium, live_server, lukasz):
    desk = Visitor(chromium, live_server.url, DESKTOP)
    desk.login(lukasz)
    desk.page.get_by_role("link", name="Questions").first.click()
    shoot(desk.page, "questions-1280")
    desk.check()
    desk.page.get_by_role("link", name="How high is it?").click()
    desk.page.get_by_label("Your answer").fill("Eighty metres, and I still look up.")
    shoot(desk.page, "question-1280")
    desk.check()
    desk.page.get_by_role("button", name="Answer", exact=True).click()
    desk.page.get_by_text("Your answer is on its way.").wait_for()
    for path, name in (("/me/card/", "my-card-1280"),):
        desk.page.goto(live_server.url + path)
        shoot(desk.page, name)
        desk.check()
    assert desk.trouble == []
    desk.context.close()


def _leave_in_the_middle(page, base, lukasz, samira, widget):
    """A second question is on its way when its owner leaves: no trace of them at the first look."""
    page.get_by_label("What you want to add").fill("And in winter?")
    page.get_by_role("button", name="Send", exact=True).click()
    assert Inquiry.objects.get().owner == lukasz
    code = tokens.token(Inquiry.objects.get(), "page")
    key = ContactCard.objects.get(person=lukasz).key
    leaving.leave(person=lukasz, by=None, now=timezone.now())
    began = time.monotonic()
    paths = ("/ask/", f"/ask/?w={widget.key}", f"/ask/card/{key}/", f"/ask/widget/{widget.key}/")
    texts = [page.request.get(base + path).text() for path in paths]
    texts.append(page.request.post(f"{base}/ask/question/", form={"code": code}).text())
    took = time.monotonic() - began
    print(f"traces gone, five pages looked at after {took:.2f} s")
    assert [("Łukasz" in text, "Wrona" in text) for text in texts] == [(False, False)] * 5
    assert Inquiry.objects.get().owner == samira


def _look_at_everything(chromium, base, samira, widget, person):
    """Every page of the reception can be read by everybody, on a phone and on a desk."""
    selin = person("Selin Aydın", "hr")
    for size in (PHONE, DESKTOP):
        visitor = Visitor(chromium, base, size)
        key = ContactCard.objects.get(person=samira).key
        public = ("/ask/", f"/ask/card/{key}/", f"/ask/widget/{widget.key}/", "/ask/privacy/")
        for path in (*public, "/ask/question/"):
            visitor.page.goto(base + path)
            shoot(visitor.page, f"public{path.split('/')[2]}-{size['width']}")
            visitor.check()
        _come_back(visitor)
        shoot(visitor.page, f"question-page-{size['width']}")
        visitor.check()
        assert visitor.context.cookies() == []
        who = samira if size == PHONE else selin
        visitor.context.add_cookies(
            [{"name": "sessionid", "value": browser(who).cookies["sessionid"].value, "url": base}]
        )
        inside = ("/questions/", f"/questions/{Inquiry.objects.get().pk}/", "/me/card/")
        office = (
            "/reception/widgets/", f"/reception/widgets/{widget.pk}/", "/reception/quarantine/",
            "/reception/answers/",
        )  # fmt: skip
        for path in inside if size == PHONE else office:
            visitor.page.goto(base + path)
            shoot(visitor.page, f"{path.strip('/').replace('/', '-')}-{size['width']}")
            visitor.check()
        assert visitor.trouble == []
        visitor.context.close()


def test_leaver_takes_their_data_by_the_link_alone(chromium, live_server, settings, jona):
    """The same door in the frame of the house: a script puts the code into the form."""
    cache.clear()
    settings.SITE_URL, now = live_server.url, timezone.now()
    kept = takeouts.name_address(person=jona, typed="jona@private.example", now=now)
    takeouts.confirm(kept=kept, now=now)
    leaving.leave(person=jona, by=None, now=now)
    link = takeouts.page_of(Takeout.objects.get())
    for size in (PHONE, DESKTOP):
        visitor = Visitor(chromium, live_server.url, size)
        visitor.page.goto(f"{live_server.url}/takeout/")
        shoot(visitor.page, f"takeout-code-{size['width']}")
        visitor.check()
        visitor.page.goto(link)
        visitor.page.get_by_role("button", name="Take my data").wait_for()
        assert visitor.page.url == f"{live_server.url}/takeout/"
        shoot(visitor.page, f"takeout-{size['width']}")
        visitor.check()
        assert visitor.trouble == []
        if size == PHONE:
            visitor.context.close()
    with visitor.page.expect_download() as file:
        visitor.page.get_by_role("button", name="Take my data").click()
    assert file.value.suggested_filename.endswith(".zip")
    visitor.context.close()
