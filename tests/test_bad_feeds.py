"""What feeds and pages bring that wants to hurt: the corpus, through the desk's own doors."""

import html
import time
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Suggestion
from curation import sources
from curation.models import Source, SourceItem

from .corpus import cases, value
from .web import RSS, item, rss

pytestmark = pytest.mark.django_db
HARMLESS = []  # the shapes of the pages around plain words, drawn once


@pytest.fixture
def desk(person):
    client = Client()
    client.force_login(person("Mirja", "curator"))
    return client


def settings_of(topic, url, **fields):
    return {
        "url": url, "name": "Hafenblatt", "topic": topic.pk, "content_class": "employer_brand",
        "tone": "useful", "language": "en", "every_minutes": 60, "drafts": 10, **fields,
    }  # fmt: skip


class Shape(HTMLParser):
    """Elements and their attributes' names: what a page does, without its words."""

    def __init__(self, content):
        super().__init__()
        self.found = []
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        if tag not in {"small", "p"}:  # a summary may be there or not
            self.found.append((tag, tuple(sorted(key for key, _ in attrs))))


def shapes(desk, topic, web, title, path):
    """The shapes of preview, source and editor for one entry, with what was stored of it."""
    url = web.put(path, RSS.format(title="Hafenblatt", items=item(
        path, f"Before {html.escape(title)} after", link=f"https://news.example{path}",
        summary=f"Before {html.escape(title)} after"
    )).encode())  # fmt: skip
    preview = desk.get("/desk/sources/new/", {"url": url}).content.decode()
    desk.post("/desk/sources/new/", settings_of(topic, url))
    row = SourceItem.objects.select_related("suggestion").get(source__url=url)
    page = desk.get(f"/desk/sources/{row.source_id}/").content.decode()
    editor = desk.get(f"/desk/suggestions/{row.suggestion_id}/").content.decode()
    return [Shape(text).found for text in (preview, page, editor)], row


@pytest.mark.parametrize("case", cases("html_feed"))
def test_html_of_a_stranger_is_text(case, desk, topic, web):
    if not HARMLESS:
        HARMLESS.extend(shapes(desk, topic, web, "plain words", "/harmless")[0])
    wanted, row = shapes(desk, topic, web, case["value"], "/wanted")
    assert wanted == HARMLESS
    stored = [row.title, row.summary, row.suggestion.title, row.suggestion.variant_set.get().text,
              row.suggestion.link_title, row.suggestion.link_description]  # fmt: skip
    assert [words for words in stored if "<" in words or "evil.example" in words] == []


@pytest.mark.parametrize("case", cases("feed_xml"))
def test_feed_of_the_corpus(case, desk, topic, web):
    content = value(case)
    url = web.put("/feed", content)
    began = time.process_time()
    answer = desk.post("/desk/sources/new/", settings_of(topic, url, drafts=3))
    assert time.process_time() - began < 2
    kept = list(SourceItem.objects.values_list("title", flat=True))
    match case["id"]:
        case "feed_xml-008":  # latin-1
            assert kept == ["Ä"]
            assert (
                "Grüße"
                in desk.get("/desk/sources/new/", {"url": web.put("/f", content)}).content.decode()
            )
        case "feed_xml-010":  # javascript: as a link
            assert (kept, Source.objects.get().unusable) == ([], 1)
        case "feed_xml-011":  # a new guid on every poll
            for number in range(3):
                web.put("/feed", content.replace(b"RANDOM", f"guid-{number}".encode()))
                sources.read(
                    sources.claim(now=timezone.now(), pk=Source.objects.get().pk),
                    now=timezone.now(),
                )
            assert (SourceItem.objects.count(), Suggestion.objects.count()) == (1, 1)
        case "feed_xml-013":  # 50,000 entries: the newest hundred
            assert (len(kept), Source.objects.get().older, Suggestion.objects.count()) == (
                100,
                49_900,
                3,
            )
        case _:
            assert (answer.status_code, kept, Source.objects.count()) == (422, [], 0)
            assert 'id="url-e"' in answer.content.decode()


@pytest.mark.parametrize("case", cases("feed_xml"))
def test_source_that_turns_bad_is_kept_and_asked_less(case, desk, topic, web):
    if case["expect"] != "reject" or case["id"] in {"feed_xml-010", "feed_xml-013"}:
        pytest.skip("this one is read")
    url = web.put("/feed", rss(item(1)))
    desk.post("/desk/sources/new/", settings_of(topic, url))
    web.put("/feed", value(case))
    waits = []
    for _ in range(3):
        now = timezone.now()
        assert sources.read(sources.claim(now=now, pk=Source.objects.get().pk), now=now) is False
        waits.append(round((Source.objects.get().next_fetch_at - now).total_seconds() / 3600))
    assert (waits, SourceItem.objects.count()) == ([1, 2, 4], 1)
