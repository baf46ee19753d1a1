"""Tracked links: made once for a post, leading on, ended, withdrawn, and under odd requests."""

import datetime as dt
import re
import uuid

import pytest
import segno
from django.db import IntegrityError, connection
from django.test import Client
from django.utils import timezone

from ambassadors.models import AuditEntry
from campaigns import links, shares
from campaigns.models import Campaign, Post, ShortLink
from campaigns.shares import Words

from .agents import BROWSERS
from .conftest import browser

TARGET = "https://nordwind.example/wind?id=7#top"
STRANGER = {"User-Agent": BROWSERS[0]}


@pytest.fixture
def about(suggestion):
    """A suggestion with a link."""
    suggestion.link_url = TARGET
    suggestion.save()
    return suggestion


def copied(who, about, network="linkedin"):
    words = Words(text="My own words.", variant=about.variant_set.get(), submission=uuid.uuid4())
    return shares.hand_over(
        by=who, suggestion=about, words=words, network=network, how="copied", now=timezone.now()
    )


def follow(code, language="en", **headers):
    return Client().get(f"/r/{code}", headers={**STRANGER, "Accept-Language": language, **headers})


# Making one -----------------------------------------------------------------------------------


def test_link_belongs_to_one_post_and_tells_nothing_of_the_person(about, person):
    posts = [copied(person(), about, network) for network in ("linkedin", "x") for _ in range(2)]
    codes = {post.link.code for post in posts}
    assert len(codes) == 4
    assert all(re.fullmatch(r"[2-9A-HJ-NP-Za-km-z]{8}", code) for code in codes)
    for post in posts:
        assert f"http://localhost:8000/r/{post.link.code}" in post.full_text
        assert follow(post.link.code)["Location"] == (
            "https://nordwind.example/wind?id=7"
            f"&utm_source={post.network}&utm_medium=social&utm_campaign=wind#top"
        )


def test_codes_have_no_order():
    codes = [links._new_code() for _ in range(300)]
    assert len(set(codes)) == 300
    assert {code[0] for code in codes} - set("23456789ABCDEFG") != set()
    assert codes != sorted(codes)


def test_code_that_is_taken_is_not_given_twice(about, jona, monkeypatch):
    ShortLink.objects.create(code="taken234", target=TARGET)
    drawn = iter(["taken234", "taken234", "free2345"])
    monkeypatch.setattr(links, "_new_code", lambda: next(drawn))
    assert copied(jona, about).link.code == "free2345"


def test_campaign_stands_in_the_tags_before_the_topic(about):
    now = timezone.now()
    about.campaign = Campaign.objects.create(
        slug="day-of-wind", title="Day", hashtag="x", begins_on=now, ends_on=now,
        submission=uuid.uuid4(), created_at=now, changed_at=now,
    )  # fmt: skip
    assert links.tags(about, "bluesky").endswith("&utm_campaign=day-of-wind")


@pytest.mark.parametrize(
    ("target", "on"),
    [
        ("https://nordwind.example/?utm_source=newsletter", True),
        ("https://nordwind.example/?a=1&UTM_CAMPAIGN=x".lower(), True),
        (f"https://nordwind.example/{'x' * 950}", True),
        ("https://nordwind.example/", False),
    ],
)
def test_address_stays_as_it_is(about, settings, target, on):
    settings.LINK_TAGS = on
    about.link_url = target
    link = links.make(suggestion=about, network="x")
    assert follow(link.code)["Location"] == target


@pytest.mark.parametrize(
    ("target", "tagged"),
    [
        ("https://a.example", "https://a.example?u=1"),
        ("https://a.example/?", "https://a.example/?&u=1"),
        ("https://a.example/?b=2#c?d", "https://a.example/?b=2&u=1#c?d"),
        ("https://a.example/#c", "https://a.example/?u=1#c"),
    ],
)
def test_tags_stand_before_the_fragment(target, tagged):
    assert links.tagged(target, "u=1") == tagged


@pytest.mark.parametrize("target", ["", "ftp://a.example/", "javascript:alert(1)", "//a.example"])
def test_only_web_addresses_get_a_link(about, target):
    about.link_url = target
    assert links.make(suggestion=about, network="x") is None
    with pytest.raises(IntegrityError):
        ShortLink.objects.create(code="x", target=target)


def test_what_it_leads_to_does_not_change_with_the_suggestion(about, jona):
    link = copied(jona, about).link
    about.link_url = "https://elsewhere.example/"
    about.save()
    assert follow(link.code)["Location"].startswith("https://nordwind.example/wind")


# Leading on, or not ---------------------------------------------------------------------------


def test_answer_keeps_nothing_anywhere(about, jona):
    response = follow(copied(jona, about).link.code, Cookie="sessionid=x; csrftoken=y")
    assert response.status_code == 302
    assert (response.cookies, response.content) == ({}, b"")
    assert {k: v for k, v in response.items() if k in ("Cache-Control", "Vary", "X-Robots-Tag")} == {
        "Cache-Control": "no-store", "X-Robots-Tag": "noindex",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "ended", "withdrawn", "unknown"),
    [
        ("en-GB,en;q=0.8", "This link has ended.", "This link was withdrawn.", "no such link"),
        (
            "de-CH",
            "Dieser Link ist abgelaufen.",
            "Dieser Link wurde zurückgezogen.",
            "gibt es nicht",
        ),
    ],
)
def test_link_that_does_not_lead_on_says_why_in_the_readers_language(
    about, jona, settings, language, ended, withdrawn, unknown
):
    settings.COMPANY_URL = "https://nordwind.example/company"
    link = copied(jona, about).link
    about.expires_at = timezone.now() - dt.timedelta(seconds=1)
    about.save()
    said = [(410, ended, follow(link.code, language))]
    about.expires_at = None
    about.state = "withdrawn"
    about.save()
    said.append((410, withdrawn, follow(link.code, language)))
    ShortLink.objects.filter(pk=link.pk).update(withdrawn_at=timezone.now())
    said.append((410, withdrawn, follow(link.code, language)))
    said.append((404, unknown, follow("nothing2", language)))
    for status, sentence, response in said:
        page = response.content.decode()
        assert (response.status_code, sentence in page) == (status, True), page
        assert 'href="https://nordwind.example/company"' in page
        assert f'<html lang="{language[:2]}"' in page
        assert (response.cookies, response["Cache-Control"]) == ({}, "no-store")
    assert [TARGET.partition("?")[0] in r.content.decode() for _, _, r in said] == [
        True, False, False, False,
    ]  # fmt: skip


def test_link_of_a_held_topic_leads_on(about, jona, mirja):
    """The post is out, and what it leads to is the company's own page."""
    link = copied(jona, about).link
    type(about.topic).objects.update(held_by=mirja, held_at=timezone.now(), held_reason="Wait.")
    assert follow(link.code).status_code == 302


def test_link_without_its_post_leads_on(db):
    """Its person left and took the post along in erasure, or an earlier version made it."""
    ShortLink.objects.create(code="old_-123", target=TARGET)
    assert follow("old_-123")["Location"] == TARGET


@pytest.mark.django_db(transaction=True)
def test_link_leads_on_when_the_database_has_closed_the_connection():
    ShortLink.objects.create(code="Ab3", target=TARGET)
    connection.ensure_connection()
    connection.connection.close()
    assert links.find("Ab3", now=timezone.now()).target == TARGET


# Odd requests ---------------------------------------------------------------------------------

ODD = (
    "", "/", "a/b", "Ab3/", "..", "%2e%2e", "Ab3%0d%0aSet-Cookie:%20a=b", "Ab3%0aLocation:%20x",
    "%00", "Ab3%00", "%ff%fe", "%E2%80%AE", "Аb3", "Ab３", "аб3", "🙂", "x" * 5000, "%" * 300, "Ab3;x",
    "Ab3%3Fnext=https://evil.example", "https://evil.example", "//evil.example", "'--", "%5c%5cevil",
)  # fmt: skip


@pytest.mark.parametrize("code", ODD)
def test_odd_code_is_not_found(db, code):
    ShortLink.objects.create(code="Ab3", target=TARGET)
    response = Client(raise_request_exception=True).get(f"/r/{code}", headers=STRANGER)
    assert response.status_code in {400, 404}
    assert (response.get("Location"), response.cookies) == (None, {})


@pytest.mark.parametrize(
    "query",
    [
        "next=https://evil.example/", "url=//evil.example", "target=javascript:alert(1)",
        "a=%0d%0aLocation:%20https://evil.example", "%00", "q=" + "x" * 8192, "&&&&", "%ff", "u=ü",
        "fbclid=IwAR0&utm_source=evil", "code=other",
    ],
)  # fmt: skip
def test_query_changes_nothing(db, query):
    ShortLink.objects.create(code="Ab3", target=TARGET)
    response = Client().get(f"/r/Ab3?{query}", headers=STRANGER)
    assert (response.status_code, response["Location"]) == (302, TARGET)


@pytest.mark.parametrize(
    ("target", "location"),
    [
        (
            "https://bücher.example/straße?q=ä b",
            "https://b%C3%BCcher.example/stra%C3%9Fe?q=%C3%A4%20b",
        ),
        (
            "https://a.example/%20x\r\nSet-Cookie: a=b",
            "https://a.example/%20x%0D%0ASet-Cookie:%20a=b",
        ),
    ],
)
def test_odd_target_is_one_header(db, target, location):
    ShortLink.objects.create(code="Ab3", target=target)
    assert follow("Ab3")["Location"] == location


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-For": "x" * 3000},
    {"X-Forwarded-For": ",,,"}, {"User-Agent": "\x00\xff"}, {"Accept-Language": "x" * 9000},
    {"Range": "bytes=0-"}, {"If-None-Match": "*"},
])  # fmt: skip
def test_odd_header_changes_nothing(db, settings, headers):
    settings.TRUSTED_PROXIES = 2
    ShortLink.objects.create(code="Ab3", target=TARGET)
    response = Client().get("/r/Ab3", headers={**STRANGER, **headers})
    assert (response.status_code, response["Location"]) == (302, TARGET)


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "options"])
def test_other_methods_do_nothing(db, method):
    ShortLink.objects.create(code="Ab3", target=TARGET)
    response = getattr(Client(), method)("/r/Ab3", headers=STRANGER)
    assert (response.status_code, response.get("Location")) == (405, None)


def test_links_own_domain(about, jona, settings):
    settings.LINK_URL = "https://go.nordwind.example"
    assert "https://go.nordwind.example/r/" in Post.objects.get(pk=copied(jona, about).pk).full_text


# On the post's page ---------------------------------------------------------------------------


def test_post_shows_its_link_and_a_code_that_opens_it(about, jona):
    post = copied(jona, about)
    url = f"http://localhost:8000/r/{post.link.code}"
    page = browser(jona).get(f"/posts/{post.pk}/").content.decode()
    assert f'alt="QR code that opens {url}"' in page
    svg = browser(jona).get(f"/posts/{post.pk}/link.svg")
    png = browser(jona).get(f"/posts/{post.pk}/link.png?save")
    drawn = segno.make(url, error="m", micro=False)
    assert (svg["Content-Type"], png["Content-Type"]) == (
        "image/svg+xml; charset=utf-8",
        "image/png",
    )
    assert drawn.svg_inline(scale=8, border=4, light="#fff").partition("<path")[2] in (
        svg.content.decode()
    )
    assert png.content.startswith(b"\x89PNG")
    assert png["Content-Disposition"] == f'attachment; filename="link-{post.link.code}.png"'
    assert "sandbox" in svg["Content-Security-Policy"]


def test_code_of_a_colleagues_post_is_not_found(about, jona, person):
    post = copied(jona, about)
    for path in ("link.svg", "link.png"):
        assert browser(person()).get(f"/posts/{post.pk}/{path}").status_code == 404
    Post.objects.filter(pk=post.pk).update(link=None)
    assert browser(jona).get(f"/posts/{post.pk}/link.svg").status_code == 404


def test_person_withdraws_the_link_of_their_own_post(about, jona, person):
    post = copied(jona, about)
    answer = browser(person()).post(f"/posts/{post.pk}/", {"choice": "withdraw_link"})
    assert (answer.status_code, follow(post.link.code).status_code) == (404, 302)
    for _ in range(2):
        answer = browser(jona).post(f"/posts/{post.pk}/", {"choice": "withdraw_link"}, follow=True)
        assert "It was withdrawn." in answer.content.decode()
    assert follow(post.link.code).status_code == 410
    assert AuditEntry.objects.filter(act="link.withdrawn").count() == 1
