"""Somebody leaves in the middle of everything: the first look at each public page finds no trace."""

import base64
import time
import urllib.error
import urllib.request
import uuid
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.utils import timezone

from ambassadors import memberships, secret_feeds
from campaigns.models import Programme
from reception import inquiries, speakers, tokens, widgets
from reception.models import ContactCard, Talk
from reception.views.speaking import FEED

from .conftest import browser
from .test_cards import areas, contact, desk_of_contacts  # noqa: F401 - fixtures
from .test_inquiries import asked
from .test_speakers import PROFILE, TALK, team  # noqa: F401 - a fixture
from .test_talks import agree, ask  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "c" * 32


def fetch(url, cookie="", basic="", **form):
    """Status and text of an answer, after no redirect; a code behind # is posted, as a script does."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_args):
            return None

    url, _hash, code = url.partition("#")
    act, _colon, code = code.rpartition(":")
    form |= {"code": code, "act": act} if code else {}
    data = urlencode({**form, "csrfmiddlewaretoken": TOKEN}).encode() if form else None
    said = {"Cookie": cookie, "Accept-Language": "en", "Authorization": f"Basic {basic}"}
    wanted = urllib.request.Request(url, data, said)
    try:
        answer = urllib.request.build_opener(Stay).open(wanted, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.read().decode().replace("\r\n ", "")


@pytest.fixture
def everywhere(contact, areas, person, team, ask):
    """Łukasz with a card, a widget, an answered question, a talk, and a booking; his public pages."""
    cache.clear()
    Programme.the()
    now, lukasz = timezone.now(), contact(areas=[areas[0]])
    contact("Samira Haddad", areas=[areas[0]])
    wanted = widgets.Wanted(
        title="Electrician", areas=[areas[0]], sites=[], cards=[], theme="auto", language="en",
        origins=["https://careers.example.com"], answer_days=3,
    )  # fmt: skip
    widget = widgets.save(widget=None, wanted=wanted, by=person("Ole", "hr"), now=now)
    question = asked(chosen=lukasz)
    inquiries.answer(
        inquiry=question, text="Eighty metres.", seen=question.turn, by=lukasz, now=now
    )
    memberships.begin(person=lukasz, team=team, stage="active", by=None, now=now)
    speakers.keep(by=lukasz, seen=0, facts=PROFILE, now=now)
    speakers.show(by=lukasz, visibility="public", now=now)
    speakers.write_talk(by=lukasz, facts=TALK, submission=uuid.uuid4(), now=now)
    lukasz = type(lukasz).objects.get(pk=lukasz.pk)
    booked = ask(lukasz)
    agree(booked, lukasz)
    talk = "/speakers/asked/#{}:" + booked.token
    return lukasz, [
        "/ask/", f"/ask/?w={widget.key}", f"/ask/card/{ContactCard.objects.get(person=lukasz).key}/",
        f"/ask/widget/{widget.key}/", f"/ask/question/#{tokens.token(question, 'page')}", "/speakers/",
        f"/speakers/talks/{Talk.objects.get().pk}/", talk.format(""), talk.format("sheet"), talk.format("calendar"),
    ]  # fmt: skip


def test_who_left_is_on_no_public_page_at_the_first_look(live_server, everywhere, person):
    lukasz, paths = everywhere
    secret_feeds.make(by=lukasz, name=FEED, now=timezone.now())
    mine = secret_feeds.signed(person=lukasz, name=FEED).encode()
    feed, basic = f"{live_server.url}/talks/feed.ics", base64.b64encode(mine).decode()
    for path in paths:
        assert "Wrona" in fetch(live_server.url + path)[1], path
    assert fetch(feed, basic=basic)[0] == 200
    session = browser(person("Selin Aydın", "hr")).cookies["sessionid"].value
    status, _text = fetch(
        f"{live_server.url}/people/{lukasz.pk}/leave/",
        f"sessionid={session}; csrftoken={TOKEN}", act="now", sure="yes",
    )  # fmt: skip
    answered = time.monotonic()
    looks = [fetch(live_server.url + path) for path in paths]
    took = time.monotonic() - answered
    assert status == 302
    left = [
        path
        for path, (_, text) in zip(paths, looks, strict=True)
        if "ukasz" in text or "Wrona" in text
    ]
    assert (left, fetch(feed, basic=basic)[0]) == ([], 401)
    print(f"{len(paths)} public pages without a trace {1000 * took:.0f} ms after the answer")
