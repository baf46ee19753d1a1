"""Feedback on Botschaft: to the administrators only, with or without a name."""

import pytest
from django.core.cache import cache
from django.utils import timezone

from ambassadors.models import AuditEntry
from campaigns import feedback
from campaigns.models import Feedback

from .conftest import browser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh():
    cache.clear()


@pytest.mark.parametrize("named", [True, False])
def test_remark_reaches_the_administrators_and_keeps_its_writer_out(jona, person, named):
    client = browser(jona)
    form = {"text": "The light is too green.", "page": "/posts/?q=secret"}
    answer = client.post("/feedback/", {**form, **({"named": "yes"} if named else {})})
    row = Feedback.objects.get()
    assert (answer.url, row.page, row.person) == ("/posts/", "/posts/", jona if named else None)
    assert not AuditEntry.objects.filter(subject="campaigns.feedback").exists()
    assert client.get("/system/feedback/").status_code == 403
    page = browser(person("Ada", "administrator")).get("/system/feedback/").content.decode()
    assert ("The light is too green." in page, jona.name in page) == (True, named)


def test_remark_is_put_away_and_back(jona, person):
    row = feedback.say(by=jona, text="Hm.", page="", named=False, now=timezone.now())
    client = browser(person("Ada", "administrator"))
    for act in ("done", "done", "open"):
        client.post("/system/feedback/", {"act": act, "feedback": row.pk})
    acts = AuditEntry.objects.filter(subject="campaigns.feedback").order_by("pk")
    assert list(acts.values_list("act", flat=True)) == ["feedback.done", "feedback.open"]
    assert client.post("/system/feedback/", {"act": "done", "feedback": "²"}).status_code == 404


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "no text yet"), ("x" * 2001, "Shorter please"), ("\u200b", "no text yet")],
)
def test_remark_that_is_none_gets_a_sentence(jona, text, said):
    answer = browser(jona).post("/feedback/", {"text": text, "page": "/posts/"})
    assert (answer.status_code, said in answer.content.decode()) == (422, True)
    assert not Feedback.objects.exists()


def test_sixth_remark_of_a_day_waits_until_tomorrow(jona, person):
    codes = [
        browser(jona).post("/feedback/", {"text": f"Remark {n}."}).status_code for n in range(6)
    ]
    assert codes == [302] * 5 + [422]
    assert browser(person("Ada")).post("/feedback/", {"text": "Mine."}).status_code == 302


def test_remark_without_a_name_keeps_no_page_that_only_one_may_open(jona):
    for named in (True, False):
        feedback.say(by=jona, text="Hm.", page="/posts/4711/", named=named, now=timezone.now())
    assert list(Feedback.objects.order_by("pk").values_list("page", flat=True)) == [
        "/posts/4711/", "/posts/…/",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "page"),
    [
        ("/posts/3/", "/posts/3/"),
        ("//evil.example/", ""),
        ("/\\evil.example/login", ""),
        ("/\t///evil.example", ""),
        ("/nowhere/", ""),
        ("https://evil.example/", ""),
        ("/a\r\nb", ""),
        ("", ""),
    ],
)
def test_only_a_page_of_ours_goes_along(typed, page):
    assert feedback.page_of(typed).replace("/ab", "") == page


@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_as_often_for_three_as_for_one(jona, person, count, django_assert_num_queries):
    for n in range(count):
        feedback.say(by=jona, text=f"R {n}", page="", named=True, now=timezone.now())
    client = browser(person("Ada", "administrator"))
    client.get("/system/feedback/")
    with django_assert_num_queries(7):
        client.get("/system/feedback/")
