"""Calendars for programs: a password in the header, over real HTTP; in an address only where allowed."""

import base64
import urllib.error
import urllib.request

import pytest
from django.core.cache import cache
from django.utils import timezone

from ambassadors import memberships, secret_feeds
from campaigns import guesses, subscriptions
from curation import feeds

from .conftest import browser
from .test_speakers import team  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = {
    "feed": ("/desk/calendar/feed.ics", "/desk/calendar/address/", "/desk/calendar/"),
    "training_feed": ("/training/calendar.ics", "/training/calendar/address/", "/training/"),
    "talk_feed": ("/talks/feed.ics", "/me/speaking/act/", "/me/speaking/"),
}
NAMES = {"training_feed": "training", "talk_feed": "talks"}
OUTSIDE = "203.0.113.9"


@pytest.fixture(autouse=True)
def _calm(settings):
    cache.clear()
    settings.TRUSTED_PROXIES = 1


@pytest.fixture(params=PAGES)
def given(request, mirja, live_server, settings):
    """A calendar of Mirja's that is open: its page's name, and what her program was given."""
    settings.SITE_URL, page, now = live_server.url, request.param, timezone.now()
    if page == "feed":
        feeds.make(by=mirja, now=now)
    else:
        secret_feeds.make(by=mirja, name=NAMES[page], now=now)
    return page, lambda: subscriptions.of(signed(page, mirja), page=page)


def signed(page, person):
    if page == "feed":
        return feeds.signed(person)
    return secret_feeds.signed(person=person, name=NAMES[page])


def header(name, password):
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def fetch(url, authorization="", network=OUTSIDE):
    """Status, headers and text, as a calendar program gets them."""
    said = {"X-Forwarded-For": network, "Accept-Language": "en"}
    wanted = urllib.request.Request(url, headers=said)
    if authorization:
        wanted.add_header("Authorization", authorization)
    try:
        answer = urllib.request.urlopen(wanted, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


def test_name_and_password_open_an_address_that_holds_no_secret(given, settings):
    page, mine = given
    feed = mine()
    assert (feed.address, feed.secret) == (settings.SITE_URL + PAGES[page][0], "")
    assert len(feed.password) >= 43  # of 64 signs each: 256 bits
    status, headers, text = fetch(feed.address, header(feed.name, feed.password))
    assert (status, headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert (headers["Cache-Control"], text[:15]) == ("private, no-store", "BEGIN:VCALENDAR")
    assert fetch(feed.address, header(feed.name, feed.password).replace("Basic", "bASIC"))[0] == 200


@pytest.mark.parametrize(
    "wrong",
    [
        lambda _f: "",
        lambda f: header(f.name, f.password[:-1] + ("A" if f.password[-1] != "A" else "B")),
        lambda f: header(f.name, ""),
        lambda f: header("", f.password),
        lambda f: header("999.1", f.password),
        lambda f: header(f.name, f.password).replace("Basic", "Bearer"),
        lambda _f: "Basic",
        lambda _f: "Basic ///!",
        lambda _f: f"Basic {base64.b64encode(bytes([0xFF, 0x3A, 0xFE])).decode()}",
        lambda f: f"Basic {base64.b64encode(f'{f.name}'.encode()).decode()}",
        lambda f: header(f"{f.name}\x00", f.password),
        lambda _f: header("é" * 2_000, "ü" * 2_000),
    ],
    ids=[
        *("missing", "wrong", "no-password", "no-name", "another", "other-scheme", "nothing"),
        *("no-base64", "no-utf-8", "no-colon", "nul", "long"),
    ],
)
def test_everything_else_is_asked_for_name_and_password(given, wrong):
    _page, mine = given
    status, headers, text = fetch(mine().address, wrong(mine()))
    assert (status, headers["WWW-Authenticate"]) == (
        401,
        'Basic realm="Botschaft", charset="UTF-8"',
    )
    assert (headers["Content-Type"], text.count("\n")) == ("text/plain; charset=utf-8", 1)


def test_password_of_one_calendar_opens_no_other(given):
    page, mine = given
    others = [path for name, (path, *_) in PAGES.items() if name != page]
    mine = mine()
    base = mine.address.removesuffix(PAGES[page][0])
    assert [fetch(base + one, header(mine.name, mine.password))[0] for one in others] == [401, 401]


def test_address_with_the_password_in_it_opens_only_where_the_company_allows_it(given, settings):
    _page, mine = given
    settings.SECRET_ADDRESSES = True
    secret = mine().secret
    assert mine().password in secret
    assert fetch(secret)[0] == 200
    forged = secret.replace(".ics", "x.ics")
    assert fetch(forged)[0] == 404
    settings.SECRET_ADDRESSES = False
    status, headers, text = fetch(secret)
    assert (status, mine().secret, "Log in to Botschaft" in text) == (410, "", True)
    assert (headers["Content-Type"], fetch(forged)[0]) == ("text/plain; charset=utf-8", 410)
    assert fetch(mine().address, header(mine().name, mine().password))[0] == 200


def test_guesses_wait_and_ended_ones_are_no_guesses(given, mirja, monkeypatch):
    monkeypatch.setattr(guesses, "MOST", 3)
    page, mine = given
    old = mine()
    begin, end = ("feed", "no_feed") if page == "talk_feed" else ("make", "revoke")
    desk = browser(mirja)
    for act in (end, begin):
        assert desk.post(PAGES[page][1], {"act": act}).status_code == 302
    assert [fetch(old.address, header(old.name, old.password))[0] for _n in range(5)] == [401] * 5
    new = header(mine().name, mine().password)
    assert fetch(old.address, new)[0] == 200
    assert [fetch(old.address, header("1.1", "x"))[0] for _n in range(3)] == [401] * 3
    late, headers, _text = fetch(old.address, new)
    assert (late, headers["Retry-After"]) == (429, "600")
    assert [fetch(old.address, new, net)[0] for net in ("198.51.100.1", "10.0.0.1")] == [200, 200]


def test_page_shows_what_the_program_is_given(given, mirja, team, settings):
    page, mine = given
    memberships.begin(person=mirja, team=team, stage="active", by=None, now=timezone.now())
    desk = browser(mirja)
    shown = desk.get(PAGES[page][2]).content.decode()
    assert [part in shown for part in mine()[:3]] == [True] * 3
    assert "cannot send a password" in shown
    assert f"{mine().name}:{mine().password}" not in shown
    settings.SECRET_ADDRESSES = True
    shown = desk.get(PAGES[page][2]).content.decode()
    assert (mine().secret in shown, "cannot send a password" in shown) == (True, False)
