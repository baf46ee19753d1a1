"""The card of a link: read by our server, with an end, and never over what somebody typed."""

import datetime as dt
import io

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from campaigns.models import Suggestion
from curation import previews
from curation.models import LinkPreview, Source, SourceItem

from .conftest import night

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(person):
    client = Client()
    client.force_login(person("Mirja", "curator"))
    return client


def page(picture="", title="Six &lt;b&gt;years&lt;/b&gt;", told="Of work."):
    return (
        f'<title>Plain</title><meta property="og:title" content="{title}">'
        f'<meta property="og:description" content="{told}"><meta property="og:image" content="{picture}">'
    ).encode()


def png():
    out = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").save(out, "PNG")
    return out.getvalue()


def test_page_fills_the_empty_fields(desk, web):
    url = web.put("/a", page(), kind="text/html; charset=utf-8")
    got = desk.post(
        "/desk/unfurl/", {"link_url": url, "link_title": "", "link_description": " "}
    ).content.decode()
    assert ('value="Six years"' in got, 'value="Of work."' in got) == (True, True)


def test_what_was_typed_is_never_overwritten(desk, web):
    url = web.put("/a", page(), kind="text/html")
    got = desk.post(
        "/desk/unfurl/", {"link_url": url, "link_title": "Mine", "link_description": ""}
    ).content.decode()
    assert ('value="Mine"' in got, 'value="Six years"' in got, 'value="Of work."' in got) == (
        True,
        False,
        True,
    )


def test_picture_is_our_own_copy_without_its_chunks(desk, web):
    picture = web.put("/p.png", png(), kind="image/png")
    url = web.put("/a", page(picture), kind="text/html")
    got = desk.post("/desk/unfurl/", {"link_url": url}).content.decode()
    row = LinkPreview.objects.get()
    assert (
        f'src="/desk/unfurl/{row.pk}/"' in got,
        web.base_url in got.replace(f'value="{url}"', ""),
    ) == (True, False)
    served = desk.get(f"/desk/unfurl/{row.pk}/")
    assert (
        b"".join(served.streaming_content)[:3],
        served["Content-Security-Policy"].partition(";")[0],
    ) == (
        b"\xff\xd8\xff",
        "sandbox",
    )


@pytest.mark.parametrize("content", [b"<svg/>", b"", b"\x89PNG"])
def test_page_with_a_bad_picture_is_still_a_page(desk, web, content):
    url = web.put("/a", page(web.put("/p.png", content, kind="image/png")), kind="text/html")
    assert 'value="Six years"' in desk.post("/desk/unfurl/", {"link_url": url}).content.decode()
    assert LinkPreview.objects.get().picture.name == ""


def test_page_is_asked_once_an_hour(desk, web):
    url = web.put("/a", page(), kind="text/html")
    now = timezone.now()
    for minutes in (0, 30, 59):
        previews.look(url, now=now + dt.timedelta(minutes=minutes))
    once = web.paths()
    previews.look(url, now=now + dt.timedelta(minutes=61))
    assert (once, web.paths()) == (["/a"], ["/a", "/a"])


def test_host_that_hangs_meets_a_sentence_and_typed_words_stay(desk, web, monkeypatch):
    monkeypatch.setattr(previews, "PAGE_SECONDS", 0.2)
    url = web.put("/a", page(), kind="text/html", hang=1.0)
    began = timezone.now()
    got = desk.post("/desk/unfurl/", {"link_url": url, "link_title": "Mine"}).content.decode()
    assert ("We could not read the page." in got, 'value="Mine"' in got) == (True, True)
    assert (timezone.now() - began).total_seconds() < 0.9


@pytest.mark.parametrize(
    "url",
    ["", "\x00", "rubbish", "http://10.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "javascript:alert(1)",
     "https://metadata.internal/", "https://a.example/" + "ä" * 5000],
)  # fmt: skip
def test_address_that_is_not_for_us_gets_a_sentence(desk, url):
    got = desk.post("/desk/unfurl/", {"link_url": url, "link_title": "Mine"})
    assert (got.status_code, 'class="error"' in got.content.decode(), 'value="Mine"' in got.content.decode()) == (
        200, True, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "target", ["http://10.0.0.9/", "https://169.254.169.254/", "file:///etc/passwd"]
)
def test_redirect_inside_is_refused(desk, web, target):
    url = web.put("/a", status=302, location=target)
    assert (
        "We could not read the page."
        in desk.post("/desk/unfurl/", {"link_url": url}).content.decode()
    )


def test_page_without_words_is_said(desk, web):
    url = web.put("/a", b"<p>Hello</p>", kind="text/html")
    assert (
        "says nothing about itself"
        in desk.post("/desk/unfurl/", {"link_url": url}).content.decode()
    )


def test_old_previews_go_with_their_pictures(web):
    url = web.put("/a", page(web.put("/p.png", png(), kind="image/png")), kind="text/html")
    now = timezone.now()
    row = previews.look(url, now=now)
    storage, name = row.picture.storage, row.picture.name
    assert night("previews", now=now + dt.timedelta(days=6)) == 0
    assert night("previews", now=now + dt.timedelta(days=8)) == 1
    assert not storage.exists(name)


def test_picture_goes_when_its_page_has_none_any_more(web):
    url = web.put("/a", page(web.put("/p.png", png(), kind="image/png")), kind="text/html")
    now = timezone.now()
    first = previews.look(url, now=now)
    storage, name = first.picture.storage, first.picture.name
    web.put("/a", page(), kind="text/html")
    again = previews.look(url, now=now + dt.timedelta(hours=2))
    assert (again.picture.name, again.width, storage.exists(name)) == ("", 0, False)


def test_nobody_but_curators_has_pages_read(person, web):
    client = Client()
    client.force_login(person("Jona"))
    assert client.post("/desk/unfurl/", {"link_url": web.put("/a", page())}).status_code == 403
    assert web.asked == []


def form(topic, **fields):
    return {
        "topic": topic.pk, "title": "A draft", "language": "en", "tone": "useful",
        "content_class": "employer_brand", "revision": 0, "act": "unfurl", "v_id": "", "v_name": "One",
        "v_text": "Words [yours].", "v_language": "en", "v_network": "", **fields,
    }  # fmt: skip


def test_button_without_script_fills_the_form_and_saves_nothing(desk, web, topic):
    url = web.put("/a", page(), kind="text/html")
    got = desk.post("/desk/suggestions/new/", form(topic, link_url=url)).content.decode()
    assert ('value="Six years"' in got, "Words [yours]." in got, Suggestion.objects.count()) == (
        True,
        True,
        0,
    )


def test_editor_says_where_a_draft_came_from_and_what_its_page_said(desk, web, topic, person):
    url = web.put("/a", page(), kind="text/html")
    source = Source.objects.create(
        url="https://news.example/feed", name="Hafenblatt", kind="feed", keeper=person("K", "curator"), topic=topic,
        content_class="employer_brand", tone="useful", added_at=timezone.now(), next_fetch_at=timezone.now(),
    )  # fmt: skip
    draft = Suggestion.objects.create(
        topic=topic,
        title="T",
        link_url=url,
        author=source.keeper,
        changed_at=timezone.now(),
        language="en",
    )
    SourceItem.objects.create(
        source=source,
        suggestion=draft,
        guid_key="g",
        link_key="l",
        content_key="c",
        link=url,
        seen_at=timezone.now(),
    )
    previews.look(url, now=timezone.now())
    got = desk.get(f"/desk/suggestions/{draft.pk}/").content.decode()
    assert ("Came from the source “Hafenblatt”." in got, "Of work." in got) == (True, True)
