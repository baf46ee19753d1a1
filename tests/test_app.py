"""The app on a phone: manifest, service worker, and what a device brings to the notebook."""

import datetime as dt
import json
import re
import uuid
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from advocacy.views import app
from ambassadors.models import Note
from campaigns import share_checks
from campaigns.models import OwnDraft, Picture, Post, Programme, Proposal

from .conftest import browser

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[1]


def manifest(language="en"):
    answer = Client().get(f"/app/{language}.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    return json.loads(answer.content)


@pytest.mark.parametrize("language", ["de", "en"])
def test_manifest_leads_to_pages_and_icons_that_exist(language, jona):
    told, mine = manifest(language), browser(jona)
    assert (told["start_url"], told["scope"], told["lang"]) == ("/", "/", language)
    for icon in told["icons"]:
        found = finders.find(icon["src"].removeprefix("/static/"))
        assert "{}x{}".format(*Image.open(found).size) == icon["sizes"]
    assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}
    assert [s["url"] for s in told["shortcuts"] if mine.get(s["url"]).status_code != 200] == []


def test_manifest_of_another_language_is_not_there():
    assert Client().get("/app/fr.webmanifest").status_code == 404


def test_manifest_says_the_same_app_in_both_languages():
    de, en = manifest("de"), manifest("en")
    assert de["id"] == en["id"]
    assert de["shortcuts"][0]["name"] != en["shortcuts"][0]["name"]


def test_page_names_its_manifest_and_icon(jona):
    page = browser(jona).get("/notebook/").text
    [link] = re.findall(r'rel="manifest" href="([^"]+)"', page)
    assert Client().get(link).status_code == 200


def test_policy_of_content_lets_only_our_own_worker_run(jona):
    policy = browser(jona).get("/notebook/")["Content-Security-Policy"]
    assert "worker-src 'self'" in policy
    assert "manifest-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/sw.js", "/app/de.webmanifest"])
def test_what_is_the_same_for_all_may_be_kept_for_an_hour_and_the_rest_not(jona, path):
    mine = browser(jona)
    assert mine.get(path)["Cache-Control"] == "max-age=3600"
    assert mine.get("/notebook/")["Cache-Control"] == "no-store"


def test_worker_keeps_exactly_what_every_page_needs():
    parts = ("base.html", "parts/styles.html", "parts/scripts.html")
    named = "".join((ROOT / "templates" / part).read_text() for part in parts)
    needed = set(re.findall(r"{% static '([^']+\.(?:css|js))' %}", named))
    kept = {name for name in app.SHELL if name.endswith((".css", ".js"))}
    assert needed == kept
    assert [name for name in app.SHELL if not finders.find(name)] == []


def test_version_of_the_worker_changes_with_a_file_it_keeps(monkeypatch):
    app.worker_text.cache_clear()
    before, same = app.worker_text(), app.worker_text.__wrapped__()
    read = app._read
    monkeypatch.setattr(app, "_read", lambda n: read(n) + b" " * (n == "css/app.css"))
    after = app.worker_text.__wrapped__()
    assert before == same
    assert before.splitlines()[0] != after.splitlines()[0]
    assert before.splitlines()[1:] == after.splitlines()[1:]


def test_key_of_a_person_is_theirs_and_says_nothing(jona, mirja):
    def key(who):
        return re.search(r'data-person="(\w+)"', browser(who).get("/notebook/").text)[1]

    assert key(jona) == key(jona) != key(mirja)
    assert "data-person" not in Client().get("/accounts/login/").text


def test_logout_empties_the_device(jona):
    mine = browser(jona)
    assert "Clear-Site-Data" not in mine.get("/accounts/logout/")
    answer = mine.post("/accounts/logout/")
    assert (answer.status_code, answer["Clear-Site-Data"]) == (302, '"storage"')


@pytest.fixture
def arrive(jona):
    mine = browser(jona)

    def post(text="My father asked.", key=None, **more):
        form = {"text": text, "key": key or uuid.uuid4(), **more}
        return mine.post("/notebook/arrive/", form)

    return post


def test_note_of_a_device_arrives_once(arrive, jona):
    key = uuid.uuid4()
    assert [arrive(key=key).status_code for _ in range(3)] == [200, 200, 200]
    assert list(Note.objects.values_list("person", "text")) == [(jona.pk, "My father asked.")]


def test_two_devices_keep_both_texts(arrive):
    key = uuid.uuid4()
    for text in ("From the phone", "From the desk", "From the phone", "From the desk"):
        assert arrive(text, key).status_code == 200
    assert set(Note.objects.values_list("text", flat=True)) == {"From the phone", "From the desk"}
    assert Note.objects.count() == 2


def test_same_key_of_another_person_is_another_note(arrive, mirja):
    key = uuid.uuid4()
    arrive(key=key)
    browser(mirja).post("/notebook/arrive/", {"text": "Mine", "key": key})
    assert set(Note.objects.values_list("person__name", "text")) == {
        ("Jona Harms", "My father asked."),
        ("Mirja Thomsen", "Mine"),
    }


@pytest.mark.parametrize("days", [-1, 1])
def test_clock_of_the_phone_is_not_asked(arrive, days):
    wrong = timezone.now() + dt.timedelta(days=days)
    arrive(at=wrong.isoformat(), created_at=wrong.isoformat())
    assert abs(Note.objects.get().created_at - timezone.now()) < dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "said"), [(" \n", "There is no text yet."), ("x" * 20_001, "20001 characters")]
)
def test_text_that_cannot_be_kept_is_refused_with_a_sentence(arrive, text, said):
    answer = arrive(text)
    assert answer.status_code == 422
    assert said in answer.json()["said"]
    assert not Note.objects.exists()


@pytest.mark.parametrize("pk", ["0", "x", "999999", "9" * 40, "-1"])
def test_draft_for_a_suggestion_that_is_not_there_becomes_a_note(arrive, pk):
    assert arrive(suggestion=pk).json()["said"] == "Your note has arrived in the notebook."
    assert (Note.objects.count(), OwnDraft.objects.count()) == (1, 0)


def hold(row):
    type(row).objects.filter(pk=row.pk).update(held_at=timezone.now())


@pytest.mark.parametrize("held", ["topic", "suggestion", "programme"])
def test_draft_that_meets_a_hold_stays_in_the_notebook(arrive, jona, suggestion, held):
    hold({"topic": suggestion.topic, "suggestion": suggestion, "programme": Programme.the()}[held])
    said = arrive(suggestion=suggestion.pk).json()["said"]
    page = browser(jona).get("/notebook/").text
    assert "is on hold" in said
    assert "nothing is published by itself" in said
    assert "The topic is on hold. Your draft stays here" in page
    assert reverse("composer", args=[suggestion.pk]) not in page
    assert (Note.objects.get().text, Post.objects.count()) == ("My father asked.", 0)


def test_draft_goes_on_in_the_composer_and_is_published_by_nobody(arrive, jona, suggestion):
    assert "Look at it and share it from there" in arrive(suggestion=suggestion.pk).json()["said"]
    mine, note = browser(jona), Note.objects.get()
    there = f"/suggestions/{suggestion.pk}/?note={note.pk}"
    assert f'href="{there}"' in mine.get("/notebook/").text
    assert ">My father asked.</textarea>" in mine.get(there).text
    assert Post.objects.count() == 0


def test_draft_of_somebody_else_opens_in_nobodys_composer(arrive, mirja, suggestion):
    arrive(suggestion=suggestion.pk)
    page = browser(mirja).get(f"/suggestions/{suggestion.pk}/?note={Note.objects.get().pk}").text
    assert "My father asked." not in page
    assert "Six years of work went live." in page


def test_draft_of_a_suggestion_that_ended_stays(arrive, jona, suggestion):
    type(suggestion).objects.update(expires_at=timezone.now() - dt.timedelta(minutes=1))
    assert "has ended" in arrive(suggestion=suggestion.pk).json()["said"]
    assert "This suggestion has ended." in browser(jona).get("/notebook/").text


def test_device_that_is_logged_out_is_sent_away_and_nothing_is_kept():
    visitor = Client()
    answer = visitor.post("/notebook/arrive/", {"text": "secret", "key": uuid.uuid4()})
    assert answer.status_code == 302
    assert "kept_forms" not in visitor.session
    assert not Note.objects.exists()


def test_longest_draft_is_as_long_as_a_post_may_be(arrive):
    assert arrive("x" * share_checks.LONGEST_TEXT).status_code == 200


def test_notebook_asks_the_same_number_of_questions_for_one_and_three(
    arrive, jona, suggestion, django_assert_num_queries
):
    mine = browser(jona)
    for count in (1, 2):
        for _ in range(count):
            arrive(f"{uuid.uuid4()}", suggestion=suggestion.pk)
        with django_assert_num_queries(6):
            assert mine.get("/notebook/").text.count("Go on with it") == Note.objects.count()


def test_share_sheet_sends_only_kinds_of_pictures_that_the_form_takes(jona):
    told = manifest()["share_target"]
    page = browser(jona).get("/ideas/").text
    assert ",".join(told["params"]["files"][0]["accept"]) in page
    assert (told["method"], told["action"]) == ("POST", reverse("idea_shared"))


def test_what_is_shared_without_worker_changes_nothing_and_is_said(jona):
    mine = Client(enforce_csrf_checks=True)
    mine.force_login(jona)
    with Path(finders.find("img/app-192.png")).open("rb") as picture:
        answer = mine.post("/ideas/shared/", {"text": "Look", "picture": picture})
    assert (answer.status_code, answer["Location"]) == (303, "/ideas/?lost")
    assert (Proposal.objects.count(), Picture.objects.count()) == (0, 0)
    assert "did not come along" in mine.get("/ideas/?lost").text


def test_login_on_the_way_from_the_share_sheet_leads_back_to_the_form():
    answer = Client().get("/ideas/?shared")
    assert answer["Location"] == "/accounts/login/?next=/ideas/%3Fshared"
