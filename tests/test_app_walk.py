"""In a browser: installable; a train without network; an older version; a logout; first bytes."""

import json
import os
import re
import shutil
import time
from pathlib import Path

import pytest
from django.utils import timezone

from advocacy.views import app
from ambassadors.models import Note
from campaigns import pushes
from campaigns.models import Briefing, Post, Proposal, ReachWish, Topic
from integrations.models import PushDevice

from .conftest import _allow
from .networks.push import PushService
from .test_issues import at
from .test_loop import PHONE, Visitor, chromium  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("a_working_day")]
HELD = """async () => {
    const names = await caches.keys(), databases = await indexedDB.databases();
    const workers = await navigator.serviceWorker.getRegistrations();
    return [names.map(n => n.split('-')[0]).sort(), databases.length, workers.length];
}"""


def shot(page, name):
    if folder := os.environ.get("SHOTS"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=Path(folder) / f"{name}-{scheme}.png", full_page=True)


@pytest.fixture
def phone(chromium, live_server, person):
    """Jona on a phone, and Jona."""
    jona = person("Jona Harms")
    made = Visitor(chromium, live_server.url, PHONE)
    made.login(jona)
    made.jona = jona
    return made


def until(page, ask):
    """Wait until an async question is answered with yes; Playwright takes the promise for one."""
    end_at = time.monotonic() + 20
    while not page.evaluate(ask):
        assert time.monotonic() < end_at, (ask, page.evaluate(HELD))
        page.wait_for_timeout(50)


def switch_on(phone):
    phone.page.goto(f"{phone.base}/me/device/")
    phone.page.get_by_role("button", name=re.compile("Switch on.*Without network")).click()
    phone.page.get_by_text("On: Today and the notebook open without network.").wait_for()


class Profile:
    """A browser with a profile of its own: from a private window Chromium installs nothing."""

    def __init__(self, browser, folder):
        self.browser, self.folder = browser, folder

    def new_context(self, **wishes):
        made = self.browser.browser_type.launch_persistent_context(
            self.folder, executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu"], **wishes,
        )  # fmt: skip
        self.close = made.close
        return made


def test_chromium_installs_it(chromium, live_server, jona, tmp_path):
    profile = Profile(chromium, tmp_path / "profile")
    phone = Visitor(profile, live_server.url, PHONE)
    phone.login(jona)
    session = phone.context.new_cdp_session(phone.page)
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    told = session.send("Page.getAppManifest")
    assert (told["errors"], told["url"]) == ([], f"{phone.base}/app/en.webmanifest")
    assert phone.page.evaluate(HELD) == [[], 0, 0]  # and nothing is kept that nobody asked for
    profile.close()


def test_a_train_without_network(phone, suggestion):
    switch_on(phone)
    phone.check()
    shot(phone.page, "device-on")
    composer = f"{phone.base}/suggestions/{suggestion.pk}/"
    phone.page.goto(composer)
    phone.page.locator("[data-text]").fill("My father asked whether this is our power.")
    phone.context.set_offline(True)
    phone.page.get_by_role("button", name="Share", exact=True).click()
    phone.page.get_by_text("nothing is published by itself").wait_for()
    phone.page.goto(f"{phone.base}/")
    assert "Lights may have changed since." in phone.page.locator(".stale").inner_text()
    assert suggestion.title in phone.page.locator("main").inner_text()
    phone.check()
    shot(phone.page, "today-offline")
    phone.page.goto(f"{phone.base}/posts/")
    phone.page.get_by_role("heading", name="No network").wait_for()
    shot(phone.page, "no-network")
    phone.page.goto(f"{phone.base}/notebook/")
    phone.page.locator("#j").fill("The crane stood still at noon.")
    phone.page.get_by_role("button", name="Keep").click()
    phone.page.locator("[data-rows] li").nth(1).wait_for()
    phone.check()
    shot(phone.page, "notebook-offline")
    assert Note.objects.count() == 0
    Topic.objects.update(held_at=timezone.now(), held_reason="Being checked.")
    phone.context.set_offline(False)
    phone.page.get_by_text("is on hold").first.wait_for()
    assert set(Note.objects.values_list("person", "text")) == {
        (phone.jona.pk, "My father asked whether this is our power."),
        (phone.jona.pk, "The crane stood still at noon."),
    }
    assert Post.objects.count() == 0
    phone.page.goto(f"{phone.base}/notebook/")
    assert phone.page.locator("[data-rows] li").count() == 0
    assert "The topic is on hold." in phone.page.locator(".notes").last.inner_text()
    phone.check()
    shot(phone.page, "notebook-back")


def test_old_version_goes_and_logout_leaves_nothing(phone, monkeypatch):
    old = """async () => {
        await (await caches.open('shell-of-an-older-version')).put('/old', new Response('old'));
        await (await caches.open('something-else')).put('/old', new Response('old'));
    }"""
    phone.page.evaluate(old)
    switch_on(phone)
    phone.page.goto(f"{phone.base}/")
    assert phone.page.evaluate(HELD) == [["pages", "shell"], 1, 1]
    before, text = phone.page.evaluate("caches.keys()"), app.worker_text()
    newer = re.sub(r'VERSION = "\w+"', 'VERSION = "newer"', text)
    monkeypatch.setattr(app, "worker_text", lambda: newer)
    phone.context.new_cdp_session(phone.page).send("Network.clearBrowserCache")
    phone.page.evaluate("async () => (await navigator.serviceWorker.getRegistration()).update()")
    until(
        phone.page,
        """async () => {
        const pages = await caches.open('pages'), names = await caches.keys();
        return names.sort().join() === 'pages,shell-newer' && !!(await pages.match('/'));
    }""",
    )
    assert "shell-newer" not in before
    phone.page.get_by_label("Account: Jona Harms").click()
    phone.page.get_by_role("button", name="Log out").click()
    phone.page.wait_for_url("**/accounts/login/**")
    assert phone.page.evaluate(HELD) == [[], 0, 0]
    phone.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        phone.page.goto(f"{phone.base}/")


def test_photo_from_the_phone_becomes_an_idea(phone):
    """Shared while logged out: it waits on the device, and stands in the form after the login."""
    switch_on(phone)
    phone.page.goto(f"{phone.base}/")
    phone.context.clear_cookies()
    share(phone.page)
    phone.page.wait_for_url("**/accounts/login/?next=**")
    log_in(phone)
    offer = phone.page.get_by_role("region", name="Shared with Botschaft")
    offer.get_by_text("crane.png").wait_for()
    assert phone.page.locator("#idea").input_value() == ""
    phone.check()
    shot(phone.page, "shared-offer")
    offer.get_by_role("button", name="Into the form").click()
    phone.page.get_by_text("only on this device until you hand it in").wait_for()
    assert phone.page.locator("#idea").input_value() == "The crane at noon"
    phone.check()
    shot(phone.page, "shared")
    assert (Proposal.objects.count(), waits(phone)) == (0, False)
    phone.page.get_by_role("button", name="Hand in").click()
    phone.page.get_by_text("Your idea is with the curators.").wait_for()
    idea = Proposal.objects.get()
    assert (idea.person, idea.text, idea.picture.width) == (phone.jona, "The crane at noon", 192)
    assert phone.trouble == []


def test_what_a_phone_shared_is_dropped_or_waits_for_its_person_and_an_hour(phone, person):
    """The installed app without the switch: the worker asks the server whose it is."""
    phone.page.evaluate("async () => { await navigator.serviceWorker.register('/sw.js'); await navigator.serviceWorker.ready; }")  # fmt: skip
    phone.page.goto(f"{phone.base}/")
    phone.page.wait_for_function("() => navigator.serviceWorker.controller")
    share(phone.page)
    phone.page.get_by_role("button", name="Drop it").click()
    until(phone.page, "async () => !(await kept.get('settings', 'shared'))")
    share(phone.page)
    phone.page.get_by_role("button", name="Into the form").wait_for()
    age = "async () => { const s = await kept.get('settings', 'shared'); s.at -= 36e5; await kept.put('settings', 'shared', s); }"
    phone.page.evaluate(age)
    phone.page.goto(f"{phone.base}/posts/")
    until(phone.page, "async () => !(await kept.get('settings', 'shared'))")
    share(phone.page)
    phone.page.get_by_role("button", name="Into the form").wait_for()
    phone.context.clear_cookies()
    phone.login(person("Mirja Thomsen"))
    until(phone.page, "async () => !(await kept.get('settings', 'shared'))")
    phone.context.clear_cookies()
    share(phone.page)
    phone.page.wait_for_url("**/accounts/login/?next=/ideas/%3Flost")
    log_in(phone)
    phone.page.get_by_text("and where nobody is logged in").wait_for()
    assert not waits(phone)


@pytest.mark.parametrize("hidden", [False, True])
def test_form_of_another_site_fills_in_nothing(phone, hidden):
    """Named it is dropped; hidden it looks like the phone's share sheet, and a person is asked."""
    switch_on(phone)
    meta = '<meta name="referrer" content="no-referrer">' if hidden else ""
    form = f"""{meta}<form method="post" enctype="multipart/form-data" action="{phone.base}/ideas/shared/">
        <input name="text" value="Buy at evil.example"></form>"""
    phone.context.route(
        "http://evil.localhost/", lambda route: route.fulfill(body=form, content_type="text/html")
    )
    phone.page.goto("http://evil.localhost/")
    phone.page.evaluate("document.forms[0].submit()")
    phone.page.wait_for_url("**/ideas/**")
    offers = phone.page.get_by_role("button", name="Into the form")
    if hidden:
        offers.wait_for()
    assert (offers.count(), waits(phone)) == (int(hidden), hidden)
    assert phone.page.locator("#idea").input_value() == ""


def waits(phone):
    return phone.page.evaluate("async () => !!(await kept.get('settings', 'shared'))")


def share(page):
    """What the phone's share sheet sends."""
    page.evaluate("""async () => {
        const form = document.createElement('form'), box = new DataTransfer(), file = document.createElement('input');
        Object.assign(form, {method: 'post', action: '/ideas/shared/', enctype: 'multipart/form-data'});
        const photo = await (await fetch('/static/img/app-192.png')).blob();
        box.items.add(new File([photo], 'crane.png', {type: 'image/png'}));
        Object.assign(file, {type: 'file', name: 'picture'}); file.files = box.files;
        form.append(file, Object.assign(document.createElement('input'), {name: 'text', value: 'The crane at noon'}));
        document.body.append(form); form.submit();
    }""")


def log_in(phone):
    phone.page.get_by_text("With a password").click()
    phone.page.locator("#l").fill(phone.jona.email)
    phone.page.locator("#pw").fill("moin-moin-nordwind")
    phone.page.locator("#pw").press("Enter")


def test_notification_is_switched_on_and_says_nothing_private(phone, monkeypatch):
    """The browser's own push service is played by ours; what it gets is shown by the worker."""
    with PushService() as service:
        _allow(monkeypatch, service)
        browser = service.subscribe()
        phone.context.grant_permissions(["notifications"])
        phone.page.add_init_script(f"""(() => {{
            const told = {json.dumps(browser.form)}, bytes = s => Uint8Array.from(atob(s.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0)).buffer;
            let now = null;
            const made = {{ endpoint: told.endpoint, getKey: name => bytes(told[name]), unsubscribe: async () => {{ now = null; return true; }} }};
            PushManager.prototype.subscribe = async () => (now = made);
            PushManager.prototype.getSubscription = async () => now;
        }})()""")
        phone.page.goto(f"{phone.base}/me/device/")
        phone.page.get_by_role("button", name=re.compile("Switch on.*Notifications")).click()
        phone.page.get_by_text("On: it tells you when a hold concerns").wait_for()
        phone.check()
        shot(phone.page, "device-push")
        wish = ReachWish.objects.get()
        assert (wish.person, wish.way, wish.at) == (phone.jona, "push", None)
        phone.page.goto(f"{phone.base}/me/reach/")
        phone.page.get_by_label("Notification on a device").first.check()
        phone.page.get_by_role("button", name="Save").click()
        phone.page.get_by_text("Nobody else sees what you chose.").wait_for()
        phone.check()
        shot(phone.page, "reach")
        day = at(8)
        Briefing.objects.create(day=day.date(), published_at=day)
        assert pushes.send_due(now=day) == 1
        [(_path, told, _headers)] = service.got
        assert shown(phone, told) == [["Botschaft", "Today’s situation is out.", "/"]]
        phone.page.goto(f"{phone.base}/me/device/")
        phone.page.get_by_role("button", name=re.compile("Switch off.*Notifications")).click()
        phone.page.get_by_text("Off: nothing rings here.").wait_for()
        assert (PushDevice.objects.count(), ReachWish.objects.count()) == (0, 0)


def shown(phone, told):
    """Hand the opened text to the worker, as the browser does, and read what it shows."""
    session, seen = phone.context.new_cdp_session(phone.page), []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda e: seen.extend(e["registrations"]))
    session.send("ServiceWorker.enable")
    phone.page.wait_for_function("() => navigator.serviceWorker.controller")
    session.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": phone.base, "registrationId": seen[-1]["registrationId"], "data": json.dumps(told)},
    )  # fmt: skip
    ask = """async () => (await (await navigator.serviceWorker.ready).getNotifications()).map(n => [n.title, n.body, n.data])"""
    until(phone.page, f"async () => (await ({ask})()).length")
    return phone.page.evaluate(ask)


def test_somebody_else_on_the_device_finds_nothing(phone, person, suggestion):
    """Jona's session ended without a logout; Mirja logs in in the same browser."""
    switch_on(phone)
    phone.page.goto(f"{phone.base}/suggestions/{suggestion.pk}/")
    phone.page.locator("[data-text]").fill("My father asked whether this is our power.")
    until(phone.page, "async () => (await kept.all('drafts')).length")
    phone.page.goto(f"{phone.base}/")
    phone.page.goto(f"{phone.base}/suggestions/{suggestion.pk}/")
    phone.page.get_by_role("button", name="Go on with it").click()
    assert "My father asked" in phone.page.locator("[data-text]").input_value()
    shot(phone.page, "composer-offer")
    phone.context.clear_cookies()
    phone.page.goto(f"{phone.base}/posts/")
    until(phone.page, "async () => !(await caches.has('pages'))")
    phone.login(person("Mirja Thomsen"))
    until(phone.page, f"async () => JSON.stringify(await ({HELD})()) === '[[],1,0]'")
    found = phone.page.evaluate(
        "async () => [await kept.all('drafts'), await kept.all('waiting'), await kept.all('settings')]"
    )
    assert found == [[], [], []]
