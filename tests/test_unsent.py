"""What is typed and not sent lies sealed in the browser, comes back, and is nobody else's (ASVS 14.3.3)."""

import json
import re
import uuid
from base64 import b64decode

import pytest
from django.test import Client
from django.urls import reverse

from curation.models import Draft

from .test_app_walk import until
from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401 - a fixture

walk = pytest.mark.django_db(transaction=True)
LIES = """async () => {
    const all = s => Object.entries(s).flat();
    return [all(localStorage), all(sessionStorage), await caches.keys(), (await indexedDB.databases()).length];
}"""
WITHOUT_WEBCRYPTO = "Object.defineProperty(crypto, 'subtle', { value: undefined })"
WORDS = "Kumquat [gap]"
DRAFTS = re.compile("/desk/drafts/|/here/")  # what an open editor tells the server by itself


def key_on(client, path):
    """The key that a page brings; None for a page that brings none."""
    found = re.search(r'data-key="([^"]*)"', client.get(path).text)
    return found and found[1]


def test_key_is_the_persons_in_each_login_and_on_no_page_that_a_device_keeps(person):
    def login(who):
        made = Client()
        made.force_login(who)
        return made

    mirja, aylin = person("Mirja Thomsen", "curator"), person("Aylin Demir", "curator")
    mine, later, other = login(mirja), login(mirja), login(aylin)
    new, ideas = reverse("suggestion_new"), reverse("ideas")
    assert key_on(mine, new) == key_on(mine, ideas) == key_on(later, ideas) != key_on(other, ideas)
    assert len(b64decode(key_on(mine, new))) == 32
    for kept in ("/", "/notebook/", "/offline/"):
        assert key_on(mine, kept) is None, kept
    assert key_on(Client(), "/accounts/login/") is None


def lies(page):
    """All that lies in the browser for this site: of localStorage and sessionStorage, as text."""
    local, session, caches, databases = page.evaluate(LIES)
    assert (caches, databases) == ([], 0)  # nobody switched this device on
    return local, session


def readable(entries):
    """Whether the word can be read there as it is, or under what is no seal."""
    return any("Kumquat" in text or b"Kumquat" in _bytes(text) for text in entries)


def _bytes(text):
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def end_login(visitor):
    """As when it expires: nobody logged out, so nothing told the browser to forget."""
    visitor.context.clear_cookies()


@pytest.fixture
def mirja(chromium, live_server, person):
    made = Visitor(chromium, live_server.url, DESKTOP)
    # a page that dies sends nothing
    made.context.add_init_script("navigator.sendBeacon = () => false")
    made.person = person("Mirja Thomsen", "curator")
    made.login(made.person)
    return made


@pytest.fixture
def editor(live_server, suggestion):
    return f"{live_server.url}{reverse('suggestion_edit', args=[suggestion.pk])}"


def type_without_network(visitor, editor, text=WORDS):
    page = visitor.page
    page.goto(editor)
    visitor.context.set_offline(True)
    page.locator("#wording-0").press_sequentially(text)
    page.get_by_text("No connection.").wait_for()


def in_a_new_tab(visitor):
    """The tab is closed before there is a network again."""
    visitor.page.close()
    visitor.context.set_offline(False)
    visitor.page = visitor.context.new_page()
    return visitor.page


@walk
def test_words_of_the_editor_lie_sealed_and_come_back_in_another_tab(mirja, editor):
    page = mirja.page
    page.goto(editor)
    whole = page.content()
    assert 'js/sealed.js"' in whole
    assert "data-key=" not in whole  # a page that is saved as a file opens nothing
    type_without_network(mirja, editor)
    local, session = lies(page)
    assert [len(local), len(session)] == [2, 0]
    assert local[0].startswith("sealed:draft:/")
    assert not readable(local)
    page = in_a_new_tab(mirja)
    page.goto(editor)
    page.get_by_role("link", name="Take it over").click()
    assert WORDS in page.locator("#wording-0").input_value()
    assert (lies(page), Draft.objects.get().person) == (([], []), mirja.person)


@walk
def test_words_are_sealed_with_the_key_and_not_until_it_is_too_late(mirja, editor):
    """No second between two keys and the end of the page is needed; the server has nothing yet."""
    page = mirja.page
    page.goto(editor)
    mirja.context.set_offline(True)
    page.locator("#wording-0").press_sequentially(WORDS)
    page = in_a_new_tab(mirja)
    assert Draft.objects.count() == 0
    page.goto(editor)
    page.get_by_role("link", name="Take it over").wait_for()
    assert "Kumquat+%5Bgap%5D" in Draft.objects.get().form


@walk
def test_copy_of_an_open_page_is_left_to_it_until_it_is_closed(mirja, editor):
    mirja.context.route(DRAFTS, lambda route: route.abort())
    mirja.page.goto(editor)
    mirja.page.locator("#wording-0").press_sequentially(WORDS)
    mirja.page.wait_for_function("() => localStorage.length === 1")
    page = mirja.context.new_page()
    page.goto(editor)
    until(page, "async () => (await navigator.locks.query()).pending.length === 1")
    assert (page.locator(".offer").count(), Draft.objects.count()) == (0, 0)
    mirja.context.unroute(DRAFTS)
    mirja.page.close()
    page.get_by_role("link", name="Take it over").wait_for()
    page.wait_for_function("() => localStorage.length === 0")


@walk
def test_login_that_ended_by_itself_takes_no_words_along(mirja, editor):
    type_without_network(mirja, editor)
    page = in_a_new_tab(mirja)
    end_login(mirja)
    mirja.login(mirja.person)
    page.goto(editor)
    page.get_by_role("link", name="Take it over").wait_for()
    assert (lies(page), Draft.objects.count()) == (([], []), 1)


@walk
def test_somebody_else_in_the_same_browser_opens_nothing_and_it_goes(mirja, person, editor):
    ideas = f"{mirja.base}{reverse('ideas')}"
    type_without_network(mirja, editor)
    mirja.page.close()
    mirja.context.set_offline(False)
    page = mirja.page = mirja.context.new_page()
    page.goto(ideas)
    page.locator("#idea").press_sequentially(WORDS)
    page.wait_for_function("() => sessionStorage.length === 1")
    end_login(mirja)
    mirja.login(person("Aylin Demir", "curator"))
    assert [len(entries) for entries in lies(page)] == [2, 2]
    page.goto(ideas)
    page.wait_for_function("() => localStorage.length + sessionStorage.length === 0")
    assert page.locator("#idea").input_value() == ""
    page.goto(editor)
    page.wait_for_load_state("networkidle")
    assert (Draft.objects.count(), page.locator(".offer").count()) == (0, 0)


@walk
def test_open_page_gives_its_words_to_nobody_who_logs_in_beside_it(mirja, person, editor):
    open_page = mirja.page
    mirja.context.route(DRAFTS, lambda route: route.abort())
    open_page.goto(editor)
    open_page.locator("#wording-0").press_sequentially(WORDS)
    end_login(mirja)
    mirja.page = mirja.context.new_page()
    mirja.login(person("Aylin Demir", "curator"))
    mirja.context.unroute(DRAFTS)
    open_page.locator("#wording-0").press_sequentially("More.")
    open_page.get_by_text("You are signed out.").wait_for()
    assert Draft.objects.count() == 0
    assert not readable(lies(open_page)[0])


@walk
def test_words_of_other_forms_lie_sealed_come_back_and_go_when_taken(mirja):
    page, ideas = mirja.page, f"{mirja.base}{reverse('ideas')}"
    page.goto(ideas)
    page.locator("#idea").press_sequentially(WORDS)
    page.wait_for_function("() => sessionStorage.length === 1")
    local, session = lies(page)
    assert (local, session[0]) == ([], "sealed:keep:idea:text")
    assert not readable(session)
    page.goto(mirja.base)
    page.goto(ideas)
    page.wait_for_function("() => document.querySelector('#idea').value")
    assert page.locator("#idea").input_value() == WORDS
    page.get_by_role("button", name="Hand in").click()
    page.locator(".flash--success").wait_for()
    page.wait_for_function("() => sessionStorage.length === 0")
    assert page.locator("#idea").input_value() == ""
    assert mirja.trouble == []


@walk
def test_readable_entries_of_an_earlier_version_go_and_ones_own_is_sent(mirja, editor, suggestion):
    page, body = mirja.page, f"suggestion={suggestion.pk}&title=Kumquat"
    theirs, mine = (
        f"draft:{pk}:{reverse('draft', args=[uuid.uuid4()])}"
        for pk in (mirja.person.pk + 1, mirja.person.pk)
    )
    for name, words in ((theirs, json.dumps({"body": body})), (mine, json.dumps({"body": body, "at": 1})), ("draft:", "{")):  # fmt: skip
        page.evaluate("([name, words]) => localStorage.setItem(name, words)", [name, words])
    page.evaluate("sessionStorage.setItem('keep:idea:text', 'Kumquat')")
    page.goto(editor)
    page.get_by_role("link", name="Take it over").wait_for()
    page.wait_for_function("() => localStorage.length === 0")
    assert Draft.objects.get().form == body
    page.goto(f"{mirja.base}{reverse('ideas')}")
    page.wait_for_function("() => sessionStorage.length === 0")


@walk
def test_without_webcrypto_nothing_is_kept_here_and_the_server_keeps_it(mirja, editor):
    mirja.context.add_init_script(WITHOUT_WEBCRYPTO)
    page = mirja.page
    page.goto(editor)
    page.locator("#wording-0").press_sequentially(WORDS)
    page.get_by_text("Kept at").wait_for()
    assert "Kumquat" in Draft.objects.get().form
    page.goto(f"{mirja.base}{reverse('ideas')}")
    page.locator("#idea").press_sequentially(WORDS)
    assert (lies(page), mirja.trouble) == (([], []), [])


@walk
def test_composer_keeps_nothing_on_a_device_that_nobody_switched_on(
    chromium, live_server, person, suggestion
):
    visitor = Visitor(chromium, live_server.url, PHONE)
    visitor.login(person("Jona Harms"))
    page = visitor.page
    page.goto(f"{live_server.url}/suggestions/{suggestion.pk}/")
    page.locator("[data-text]").fill(WORDS)
    visitor.context.set_offline(True)
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_text("your text stays on this page").wait_for()
    page.wait_for_timeout(600)  # the pause after which a device that is switched on keeps it
    assert lies(page) == ([], [])
    assert page.locator("[data-text]").input_value() == WORDS


@walk
def test_search_for_a_name_is_noted_nowhere(chromium, live_server, person):
    """htmx would note the address of the page in sessionStorage."""
    visitor = Visitor(chromium, live_server.url, DESKTOP)
    visitor.login(person("Selin", "hr"))
    page, roster = visitor.page, f"{live_server.url}{reverse('roster')}"
    page.goto(roster)
    page.locator("#q").fill("Kumquat")
    page.locator("#q").press("Enter")
    page.wait_for_url("**q=Kumquat**")
    page.wait_for_load_state("networkidle")
    assert lies(page) == ([], [])
    page.go_back()
    page.wait_for_load_state("networkidle")
    assert (lies(page), visitor.trouble) == (([], []), [])
