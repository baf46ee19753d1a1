"""Texts nobody should have to expect: in a stranger's question and in an application."""

import html
import time

import pytest
from django.core.cache import cache
from django.test import Client

from advocacy import bodies
from campaigns import wording
from people import applications
from people.models import Application
from reception import asking
from reception.models import InquiryMessage

from .conftest import browser
from .corpus import cases, value
from .test_calls import call_for, form, lead, selin, team, team_of  # noqa: F401 - fixtures
from .test_cards import areas, contact, desk_of_contacts  # noqa: F401 - fixtures
from .test_inquiries import post

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_counts():
    cache.clear()


@pytest.fixture(params=["question", "application"])
def tell(request):
    """Send a text through one of the two forms: its answer, what is kept, the most it takes."""
    if request.param == "question":
        request.getfixturevalue("contact")()

        def ask(text):
            kept = InquiryMessage.objects.values_list("text", flat=True)
            return post("/ask/", question=text), list(kept), asking.LONGEST_QUESTION

        return ask
    call = request.getfixturevalue("call_for")(request.getfixturevalue("team"))
    mine = browser(request.getfixturevalue("jona"))

    def apply(text):
        answer = mine.post(f"/calls/{call.slug}/", form(why=text))
        return (
            answer,
            list(Application.objects.values_list("why", flat=True)),
            applications.LONGEST_WHY,
        )

    return apply


def text_of(case):
    """The forms take bytes; half a surrogate pair comes as the bytes it is."""
    return b"a\xed\xa0\x80b".decode("utf-8", "replace") if "raw_json" in case else value(case)


@pytest.mark.parametrize("case", cases("text"))
def test_text_of_the_corpus_is_kept_as_typed_or_refused_at_its_field(case, tell):
    text = text_of(case)
    wanted = case.get("stored") or wording.clean(text)
    answer, kept, most = tell(text)
    fits = len(wanted) <= most and ("raw_json" in case or case["expect"] != "reject")
    if len(text) > bodies.STRANGERS and not kept and answer.status_code == 413:
        return  # of a stranger it is not even read
    assert kept == ([wanted] if fits else [])
    assert answer.status_code in ({200, 302} if fits else {422})
    if fits and case["expect"] == "accept":
        assert wanted == text.strip() or case["id"] == "text-010"  # canonical form
    if not fits:
        page = answer.content.decode()
        assert 'aria-invalid="true"' in page
        assert 'role="alert"' in page
        assert len(text) > 100_000 or text[:60] in html.unescape(page)


@pytest.mark.parametrize("marks", [60, 1_500])
def test_marks_piled_on_one_letter_are_refused(tell, marks):
    answer, kept, _most = tell("a" + "\u0301" * marks)
    assert (answer.status_code, kept) == (422, [])
    assert "Too many marks stand on one letter." in answer.content.decode()


def test_ten_megabytes_are_answered_in_a_second_and_not_sent_back_whole(request, tell):
    began = time.process_time()
    answer, kept, _most = tell("a" * 10_000_000)
    stranger = "question" in request.node.name
    assert (answer.status_code, kept) == (413 if stranger else 422, [])
    assert time.process_time() - began < 3


def test_text_that_turns_the_direction_says_so_to_whoever_answers(
    contact, call_for, team, jona, selin
):
    text = "Rechnung \u202egpj.exe"
    lukasz, call = contact(), call_for(team)
    post("/ask/", question=text)
    browser(jona).post(f"/calls/{call.slug}/", form(why=text))
    asked = InquiryMessage.objects.get().inquiry_id
    for who, url in ((lukasz, f"/questions/{asked}/"), (selin, f"/people/calls/{call.pk}/")):
        page = browser(who).get(url).content.decode()
        assert ("Rechnung ⟦U+202E⟧gpj.exe" in page, "\u202e" in page) == (True, False)


@pytest.mark.parametrize("door", ["/ask/", "/speakers/ask/", "/accounts/login/"])
@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u0f73"])
def test_text_of_marks_alone_costs_a_stranger_more_than_us(door, marks):
    """Python sorts the marks on one letter in the square of their number: many seconds for these."""
    pile = "a" + marks * (60_000 // len(marks))
    fields = {"question": pile, "name": pile, "email": f"a@a{pile}", "login": f"a@a{pile}"}
    begun = time.process_time()
    answer = Client().post(door, {**fields, "event": pile, "asker_email": f"a@a{pile}"})
    assert (answer.status_code in {200, 422}, time.process_time() - begun < 5) == (True, True)
