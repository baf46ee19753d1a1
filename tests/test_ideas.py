"""Ideas of members: handed in once, answered always, credited only where wished."""

import datetime as dt
import io
import threading
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.utils import timezone
from PIL import Image

from ambassadors import memberships
from ambassadors.models import AuditEntry, LoginSession
from campaigns import proposals
from campaigns.models import Picture, Proposal, Suggestion, Variant
from campaigns.proposals import AlreadyDecided

from .conftest import browser
from .corpus import cases, value

pytestmark = pytest.mark.django_db

IDEA = "Nobody ever shows the night shift. I would, at 3:10, when everything is green."
NOW = dt.datetime(2026, 11, 25, 9, 20, tzinfo=dt.UTC)  # a Wednesday morning


def photo(size=(640, 480), name="a.png"):
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), "image/png")


def handed(who, text=IDEA, **fields):
    given = {"picture": None, "show_name": False, "submission": uuid.uuid4(), "now": NOW}
    return proposals.hand_in(by=who, text=text, **(given | fields))


def form(**fields):
    return {"text": IDEA, "submission": str(uuid.uuid4()), **fields}


def test_idea_with_a_picture_reaches_the_desk(jona, mirja):
    answer = browser(jona).post("/ideas/", form(picture=photo()))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/ideas/")
    idea = Proposal.objects.get()
    assert (idea.text, idea.state, idea.show_name, idea.picture.width) == (IDEA, "new", False, 640)
    page = browser(mirja).get("/desk/ideas/").content.decode()
    assert ("the night shift" in page, f"/pictures/{idea.picture_id}/" in page) == (True, True)


def test_second_submit_of_the_form_finds_the_first(jona):
    same = form()
    for _ in range(2):
        browser(jona).post("/ideas/", same)
    assert (
        Proposal.objects.count(),
        AuditEntry.objects.filter(act="proposal.handed_in").count(),
    ) == (1, 1)


@pytest.mark.parametrize(
    "text",
    ["", " \t  　\n", "ㅤ⠀ᅟ", "\x00", "a" * 5_001, "x" * 100_000, "a" + "\u0301" * 5_000],
    ids=lambda t: f"{len(t)}",
)
def test_refused_text_gets_a_sentence_and_comes_back(jona, text):
    answer = browser(jona).post("/ideas/", form(text=text, show_name="1"))
    page = answer.content.decode()
    assert (answer.status_code, 'aria-invalid="true"' in page, Proposal.objects.count()) == (
        422,
        True,
        0,
    )
    assert text.replace("\x00", "").strip() in page
    assert 'name="show_name" value="1" checked' in page


@pytest.mark.parametrize(
    "text",
    [
        "שלום \u202eabc",
        "👨‍👩‍👧‍👦",
        "a\u0301" * 40,
        "<script>alert(1)</script>",
        "Robert'); DROP TABLE x;--",
    ],
)
def test_strange_text_is_kept_and_shown_as_text(jona, mirja, text):
    browser(jona).post("/ideas/", form(text=text))
    idea = Proposal.objects.get()
    pages = (
        browser(jona).get("/ideas/").content + browser(mirja).get(f"/desk/ideas/{idea.pk}/").content
    )
    assert (b"<script>alert" in pages, idea.text != "") == (False, True)


@pytest.mark.parametrize("case", cases("upload"))
def test_pictures_of_the_corpus(jona, case):
    content = value(case)
    if not isinstance(content, bytes):
        content = b"\x00\x00\x00\x18ftypmp42"
    upload = SimpleUploadedFile(
        case.get("filename", "a.jpg"), content, case.get("content_type", "image/jpeg")
    )
    answer = browser(jona).post("/ideas/", form(picture=upload))
    if case["expect"] == "reject":
        page = answer.content.decode()
        assert (answer.status_code, Picture.objects.count(), IDEA in page) == (422, 0, True)
        assert 'id="pic-e"' in page
    else:
        assert (answer.status_code, Proposal.objects.get().picture is not None) == (302, True)
        stored = Proposal.objects.get().picture.file.read()
        assert (b"<script" in stored, b"Exif" in stored, b"52.52" in stored) == (
            False,
            False,
            False,
        )


def test_good_picture_survives_a_refused_text(jona, person):
    client = browser(jona)
    page = client.post("/ideas/", form(text="", picture=photo())).content.decode()
    kept = page.split('name="kept" value="')[1].split('"')[0]
    client.post("/ideas/", form(kept=kept))
    assert Proposal.objects.get().picture.width == 640
    browser(person("Nam Vu")).post("/ideas/", form(kept=kept))  # somebody else's token
    assert Proposal.objects.get(person__name="Nam Vu").picture is None


def log_in(client, who):
    client.post("/accounts/login/", {"login": who.email, "password": "moin-moin-nordwind"})


@pytest.mark.parametrize("typed_by", ["jona", "mirja"])
def test_what_was_typed_survives_the_end_of_the_session_for_whoever_typed_it(jona, mirja, typed_by):
    client = Client()
    log_in(client, jona if typed_by == "jona" else mirja)
    LoginSession.objects.all().delete()
    away = client.post("/ideas/", form())
    assert (away.status_code, Proposal.objects.count()) == (302, 0)
    log_in(client, jona)
    assert (IDEA in client.get("/ideas/").content.decode()) == (typed_by == "jona")
    assert "kept_for" not in client.session


def test_nothing_is_kept_where_nobody_has_logged_in(jona):
    client = Client()
    assert client.post("/ideas/", form()).status_code == 302
    assert "kept_forms" not in client.session


def test_member_sees_own_ideas_and_nobody_elses(jona, person):
    handed(jona)
    page = browser(person("Nam Vu")).get("/ideas/").content.decode()
    assert "night shift" not in page
    other = browser(person("Ayla")).post(
        f"/ideas/{Proposal.objects.get().pk}/", {"act": "withdraw"}
    )
    assert (other.status_code, Proposal.objects.get().state) == (404, "new")


def test_answer_stands_on_today_until_it_was_read(jona, mirja):
    idea = handed(jona)
    browser(mirja).post(f"/desk/ideas/{idea.pk}/", {"answer": "Lovely. In March?", "act": "answer"})
    client = browser(jona)
    before = Proposal.objects.get(pk=idea.pk)
    assert (before.state, proposals.unseen(jona).count()) == ("answered", 1)
    assert "Lovely. In March?" in client.get("/ideas/").content.decode()
    assert proposals.unseen(jona).count() == 0


def test_declining_needs_a_sentence(jona, mirja):
    idea = handed(jona)
    client = browser(mirja)
    empty = client.post(f"/desk/ideas/{idea.pk}/", {"answer": " ", "act": "decline"})
    assert (empty.status_code, "kind sentence" in empty.content.decode()) == (422, True)
    client.post(f"/desk/ideas/{idea.pk}/", {"answer": "Not now, because.", "act": "decline"})
    assert "Not now, because." in browser(jona).get("/ideas/").content.decode()
    assert Proposal.objects.get().state == "declined"


def test_taking_up_makes_a_draft_with_the_members_words(jona, mirja, topic):
    browser(jona).post("/ideas/", form(picture=photo(), show_name="1"))
    idea = Proposal.objects.get()
    answer = browser(mirja).post(f"/desk/ideas/{idea.pk}/", {"act": "take", "topic": topic.pk})
    draft = Suggestion.objects.get()
    assert answer.headers["Location"] == f"/desk/suggestions/{draft.pk}/"
    assert (draft.state, draft.author, draft.topic, draft.picture) == (
        "draft",
        mirja,
        topic,
        idea.picture,
    )
    assert Variant.objects.get().text == IDEA
    idea.refresh_from_db()
    assert (idea.state, idea.suggestion) == ("taken", draft)


@pytest.mark.parametrize("topic_typed", ["", "x", "9" * 5000, "999999", "-1", "\x00"])
def test_taking_up_without_a_topic_gets_a_sentence(jona, mirja, topic, topic_typed):
    idea = handed(jona)
    answer = browser(mirja).post(
        f"/desk/ideas/{idea.pk}/", {"act": "take", "topic": topic_typed, "answer": "My words."}
    )
    assert (answer.status_code, "My words." in answer.content.decode()) == (422, True)
    assert (Suggestion.objects.count(), Proposal.objects.get().state) == (0, "new")


@pytest.fixture
def live(jona, mirja, person, suggestion):
    """An idea whose suggestion is live."""

    def make(*, show_name):
        idea = handed(jona, show_name=show_name)
        Proposal.objects.filter(pk=idea.pk).update(
            state="taken", suggestion=suggestion, answered_at=NOW, answered_by=mirja
        )
        return Proposal.objects.get(pk=idea.pk)

    return make


def test_credit_stands_there_only_where_the_member_wants_it(jona, person, live, suggestion):
    idea = live(show_name=False)
    reader = browser(person("Nam Vu"))
    pages = ("/suggestions/", f"/suggestions/{suggestion.pk}/", "/")

    def said():
        return ["Idea of Jona" in reader.get(url).content.decode() for url in pages[:2]]

    assert said() == [False, False]
    browser(jona).post(f"/ideas/{idea.pk}/", {"act": "show"})
    assert said() == [True, True]
    browser(jona).post(f"/ideas/{idea.pk}/", {"act": "hide"})
    assert said() == [False, False]
    browser(jona).post(f"/ideas/{idea.pk}/", {"act": "show"})
    memberships.leave_company(person=jona, by=None, now=NOW)
    assert said() == [False, False]


def test_idea_is_taken_back_while_nobody_decided(jona, mirja):
    idea = handed(jona)
    client = browser(jona)
    client.post(f"/ideas/{idea.pk}/", {"act": "withdraw"})
    assert Proposal.objects.get().state == "withdrawn"
    answer = browser(mirja).post(f"/desk/ideas/{idea.pk}/", {"answer": "Late."}, follow=True)
    assert "taken this idea back" in answer.content.decode()
    other = handed(jona)
    proposals.decline(proposal=other, words="No.", by=mirja, now=NOW)
    client.post(f"/ideas/{other.pk}/", {"act": "withdraw"})
    assert Proposal.objects.get(pk=other.pk).state == "declined"


def test_second_curator_is_told_and_keeps_their_words(jona, mirja, person):
    idea = handed(jona)
    dilan = browser(person("Dilan", "curator"))
    browser(mirja).post(f"/desk/ideas/{idea.pk}/", {"answer": "First.", "act": "answer"})
    late = dilan.post(f"/desk/ideas/{idea.pk}/", {"answer": "Second words.", "act": "decline"})
    page = late.content.decode()
    assert late.status_code == 409
    assert [
        words in page for words in ("Mirja Thomsen has answered", "First.", "Second words.")
    ] == [True] * 3
    assert Proposal.objects.get().answer == "First."


@pytest.mark.django_db(transaction=True)
def test_two_curators_in_the_same_moment_make_one_decision(jona, mirja, person, topic):
    idea = handed(jona)
    others = [mirja, *(person(f"C{n}", "curator") for n in range(3))]
    gate, outcomes = threading.Barrier(4), []

    def decide(who, number):
        try:
            mine = Proposal.objects.get(pk=idea.pk)
            gate.wait()
            if number % 2:
                proposals.take_up(proposal=mine, topic=topic, words="", by=who, now=NOW)
            else:
                proposals.decline(proposal=mine, words="No.", by=who, now=NOW)
            outcomes.append("done")
        except AlreadyDecided:
            outcomes.append("late")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=decide, args=(w, n)) for n, w in enumerate(others)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(outcomes) == ["done", "late", "late", "late"]
    assert Suggestion.objects.count() == (Proposal.objects.get().state == "taken")


def test_reminder_goes_to_curators_once_a_day(jona, mirja, person, mailoutbox):
    person("Gone", "curator", is_active=False)
    handed(jona, now=NOW - dt.timedelta(days=4))
    assert (proposals.remind_due(now=NOW), proposals.remind_due(now=NOW)) == (1, 0)
    handed(jona, now=NOW - dt.timedelta(days=5))
    assert proposals.remind_due(now=NOW + dt.timedelta(hours=3)) == 0
    assert proposals.remind_due(now=NOW + dt.timedelta(days=1)) == 1
    assert [mail.to for mail in mailoutbox] == [[mirja.email]] * 2
    assert ["night shift" in mail.body for mail in mailoutbox] == [False, False]
    assert mailoutbox[1].subject == "2 ideas wait for an answer"


@pytest.mark.parametrize(
    ("when", "state", "age"),
    [
        (NOW.replace(hour=20), "new", 4),  # evening
        (NOW + dt.timedelta(days=3), "new", 7),  # Saturday
        (NOW, "answered", 4),
        (NOW, "withdrawn", 4),
        (NOW, "new", 2),
    ],
)
def test_no_reminder_at_night_or_for_what_does_not_wait_long(
    jona, mirja, mailoutbox, when, state, age
):
    idea = handed(jona, now=when - dt.timedelta(days=age))
    if state == "answered":
        proposals.answer(proposal=idea, words="Yes.", by=mirja, now=when)
    if state == "withdrawn":
        proposals.withdraw(proposal=idea, by=jona, now=when)
    assert (proposals.remind_due(now=when), mailoutbox) == (0, [])


def test_desk_says_when_ideas_wait_too_long(jona, mirja):
    handed(jona, now=timezone.now() - dt.timedelta(days=2))
    assert "waits too long" not in browser(mirja).get("/desk/").content.decode()
    handed(jona, now=timezone.now() - dt.timedelta(days=6))
    page = browser(mirja).get("/desk/").content.decode()
    assert ("An idea waits too long" in page, "The oldest for 6 days." in page) == (True, True)


@pytest.mark.parametrize("count", [1, 3])
def test_pages_ask_a_constant_number_of_queries(
    jona, mirja, person, count, django_assert_num_queries
):
    for number in range(count):
        idea = handed(jona, f"Idea {number}")
        other = handed(person(f"P{number}"), f"Other {number}")
        proposals.answer(proposal=idea, words="Yes.", by=mirja, now=NOW)
        assert other.state == "new"
    client, desk = browser(jona), browser(mirja)
    client.get("/ideas/")
    desk.get("/desk/ideas/")
    with django_assert_num_queries(6):
        client.get("/ideas/")
    with django_assert_num_queries(6):
        desk.get("/desk/ideas/")
    with django_assert_num_queries(6):
        desk.get("/desk/ideas/?shelf=open")


def test_triage_is_the_curators(jona, person, mirja):
    idea = handed(jona)
    codes = {
        role: browser(person("X", role)).get(f"/desk/ideas/{idea.pk}/").status_code
        for role in ("curator", "hr", "administrator", "auditor", "ambassador")
    }
    assert codes == {
        "curator": 200,
        "hr": 403,
        "administrator": 403,
        "auditor": 403,
        "ambassador": 403,
    }
