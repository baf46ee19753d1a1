"""The whole demonstration with scripts for names, titles and texts, in a browser (G19)."""

import datetime as dt
import itertools
import re
import time
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.http import Http404
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from advocacy.policies import POLICIES
from ambassadors.models import Person
from campaigns import issue_mails, reaching
from campaigns.models import HoldRecord, ReachWish, Topic

from .corpus import cases, value
from .foreign import nordwind, poison
from .test_loop import DESKTOP, chromium  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)

OWN = [
    '"><img src=x onerror=window.__xss=1>', "' onfocus=window.__xss=1 autofocus x='", "<xss-canary>",
    "</script><script>window.__xss=1</script>", "</textarea><script>window.__xss=1</script>",
    "</title><svg onload=window.__xss=1>", "--><script>window.__xss=1</script>", "{{7*7}}{% debug %}",
    "[x](javascript:window.__xss=1)", "javascript:window.__xss=1",
]  # fmt: skip
# What no page of ours has: an element or attribute that acts, or an address that is a script.
ALIEN = """() => {
  const alien = [];
  for (const one of document.querySelectorAll('*')) {
    if (/^(xss|base|object|embed|applet|math|animate|xss-canary)$/i.test(one.localName)) alien.push(one.outerHTML.slice(0, 200));
    for (const {name, value} of one.attributes)
      if (/^on/i.test(name) || name === 'srcdoc' || /^\\s*(javascript|vbscript|data:text)/i.test(value) && /^(href|src|action|formaction|xlink:href)$/.test(name))
        alien.push(one.outerHTML.slice(0, 200));
  }
  return {alien, ran: window.__xss || 0, links: [...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href')),
          shown: document.documentElement.innerHTML.includes('&lt;')};
}"""
LISTEN = """document.addEventListener('securitypolicyviolation', e => (window.__csp = window.__csp || []).push(e.violatedDirective + ' ' + e.blockedURI))"""


def vectors():
    """The corpus' scripts and ours. U+0000 is none: PostgreSQL keeps no text with it."""
    found = [value(p.values[0]) for p in cases("html_feed", "text", "name") if p.values[0] and p.values[0]["expect"] == "escape"]  # fmt: skip
    return [*OWN, *(text for text in found if "<" in text or "script" in text.lower())]


class Walk:
    """Goes from link to link, each kind of page ``most`` times, and notes what ran."""

    def __init__(self, browser, base, *, policy):
        self.browser, self.base, self.policy = browser, base, policy
        self.pages, self.trouble, self.shown = {}, [], 0

    def go(self, who, ways, *, most=1):
        context = self.browser.new_context(
            viewport=DESKTOP, locale="en-GB", bypass_csp=not self.policy
        )
        context.set_default_timeout(15_000)
        if who:
            client = Client()
            client.force_login(who)
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies(
                [{"name": name, "value": client.cookies[name].value, "url": self.base}]
            )
        page = context.new_page()
        page.add_init_script(LISTEN)
        page.on("dialog", lambda d: (self.trouble.append(f"dialog {page.url}"), d.dismiss()))
        if self.policy:
            page.on(
                "console",
                lambda m: (
                    self.trouble.append(m.text) if "Content Security Policy" in m.text else None
                ),
            )
        ahead = list(ways)
        while ahead:
            self.look(page, ahead.pop(0), ahead, most)
        context.close()

    def look(self, page, way, ahead, most):
        path = urlsplit(way).path
        try:
            kind = resolve(path).view_name
        except Http404:
            kind = path
        if (
            way in itertools.chain(*self.pages.values())
            or len(self.pages.setdefault(kind, [])) >= most
        ):
            return
        self.pages[kind].append(way)
        try:
            answer = page.goto(self.base + way, wait_until="load")
        except Exception as error:
            if "Download is starting" not in str(error) and "ERR_ABORTED" not in str(error):
                raise
            return
        if answer.status >= 500:
            self.trouble.append(f"{answer.status} {way}")
        if "html" not in answer.headers.get("content-type", ""):
            return
        found = page.evaluate(ALIEN)
        self.shown += found["shown"]
        if found["alien"] or found["ran"]:
            self.trouble.append(f"{way}: ran {found['ran']}, {found['alien'][:2]}")
        if self.policy and (seen := page.evaluate("window.__csp || []")):
            self.trouble.append(f"{way}: {seen}")
        for link in found["links"]:
            parts = urlsplit(link)
            if (
                link.startswith("/")
                and not link.startswith("//")
                and not re.search(r"logout|/r/|\.(ics|pdf|png|svg|csv|jpg)$", parts.path)
            ):
                ahead.append(link.partition("#")[0])


def everybody():
    """One person of each role, a plain one, and nobody, each with the pages to begin at."""
    people = Person.objects.filter(is_active=True)
    found = [
        people.filter(role__name=name).first()
        for name in ("curator", "hr", "administrator", "auditor", "legal")
    ]
    found.append(people.filter(role=None).order_by("pk").first())
    return [*(who for who in dict.fromkeys(found) if who), None]


BEGINNINGS = ["/", "/desk/", "/system/", "/people/pipeline/", "/ask/", "/speakers/", "/me/"]
STRANGER = ["/ask/", "/speakers/", "/accounts/login/", "/%3Cscript%3Ealert(1)%3C/script%3E"]


def told(walk, began):
    count, kinds = sum(map(len, walk.pages.values())), len(walk.pages)
    return f"{count} pages of {kinds} kinds, {walk.shown} show foreign signs, {time.monotonic() - began:.0f} s"


def mails():
    """The mails with HTML: of a day, and of a hold."""
    who = Person.objects.filter(is_active=True).first()
    wish = ReachWish.objects.filter(way="mail").first() or ReachWish(
        pk=1, person=who, way="mail", at=dt.time(8)
    )
    for hold in (None, HoldRecord.objects.latest("pk")):
        message = reaching.Message(person=wish.person, wish=wish, now=timezone.now(), hold=hold)
        yield issue_mails._mail(message).alternatives[0].content


def test_no_script_of_a_stranger_runs_on_any_page(chromium, live_server):
    texts = vectors()
    nordwind()
    topic, now = Topic.objects.first(), timezone.now()
    HoldRecord.objects.create(
        scope="topic",
        scope_id=topic.pk,
        name=topic.title,
        epoch=9,
        reason="The figures are checked.",
        held_at=now,
        in_force_at=now,
    )
    done, kept = poison(texts)
    began = time.monotonic()
    bare, guarded = (Walk(chromium, live_server.url, policy=policy) for policy in (False, True))
    for who in everybody():
        bare.go(who, BEGINNINGS if who else STRANGER)
    page = chromium.new_page()
    page.on("dialog", lambda d: (bare.trouble.append("dialog in a mail"), d.dismiss()))
    written = list(mails())
    for mail in written:
        page.set_content(mail)
        found = page.evaluate(ALIEN)
        bare.trouble += found["alien"]
        assert (found["ran"], found["shown"]) == (0, True)
    print(f"\n{len(texts)} scripts in {len(done)} columns, {len(kept)} kept as they were: {kept}")
    print(f"without policy: {told(bare, began)}; {len(written)} mails")
    began = time.monotonic()
    for who in everybody():
        guarded.go(who, BEGINNINGS if who else STRANGER)
    print(f"with policy: {told(guarded, began)}")
    print(sorted(set(POLICIES) - set(bare.pages)))
    assert (bare.trouble, guarded.trouble) == ([], [])
    assert bare.shown > 60
