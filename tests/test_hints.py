"""Hints while writing: only for who asked, made of the text, and nothing of them left behind."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ambassadors.models import AuditEntry
from campaigns import choices, hinting, hints
from campaigns.hints import Hint, Kind, Rules
from campaigns.models import Delivery, Hinting, Post
from integrations import accounts

from .conftest import browser

BERLIN = ZoneInfo("Europe/Berlin")
NOON = dt.datetime(2026, 11, 30, 12, tzinfo=BERLIN)
ALL = set(Kind.values)


def of(text, kinds=ALL, language="en", rules=None, local=NOON):
    return hints.hints(text, kinds, language=language, rules=rules or Rules(), local=local)


@pytest.mark.parametrize(
    ("language", "text", "kind", "words"),
    [
        ("de", "Die SPD war auch da.", "politics", "SPD"),
        ("de", "Was die #AfD dazu sagt", "politics", "AfD"),
        ("de", "Die Ministerin kam mit dem Bus.", "politics", "Ministerin"),
        ("de", "Am Samstag in der Kirche, mit einem Gebet", "politics", "Kirche, Gebet"),
        ("de", "Mit den Palaestinensern im Team", "politics", "Palaestinensern"),
        ("en", "The prime minister came by bus.", "politics", "prime minister"),
        ("en", "We pray for them.", "politics", "pray"),
        ("xx", "Kirche and church", "politics", "Kirche, church"),
        ("de", "So eine Frechheit vom Amt", "anger", "Frechheit"),
        ("de", "Mir reicht’s mit dem Amt", "anger", "Mir reicht"),
        ("de", "DAS GEHT GAR NICHT so", "anger", "DAS GEHT GAR NICHT"),
        ("en", "This is ridiculous and stupid.", "anger", "ridiculous, stupid"),
        ("en", "Never again!!", "anger", "!!"),
    ],
)
def test_words_are_seen_as_they_were_written(language, text, kind, words):
    assert of(text, {kind}, language) == [Hint(kind, words=words)]
    assert of(text, ALL - {kind}, language) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Gott sei Dank war der Kran da."),
        ("de", "Unsere Auswahl war gut, die Parteibuchstaben auch."),
        ("de", "Das war ein Tag im Grünen!"),
        ("de", "Die NASA, die DLR und die ESA"),
        ("de", "https://go.example/bundestag/kirche"),
        ("en", "Thank God the crane came."),
        ("en", "The department repaired a warm engine! Good."),
        ("en", ""),
    ],
)
def test_other_words_are_left_alone(language, text):
    assert of(text, ALL, language) == []


@pytest.mark.parametrize(
    ("hour", "late", "wakes"),
    [(22, True, 1), (0, True, 0), (4, True, 0), (5, False, 1), (12, False, 1), (21, False, 1)],
)
def test_night_is_the_writers_and_ends_in_the_morning(hour, late, wakes):
    local = NOON.replace(hour=hour, minute=30)
    assert of("Text", local=local) == ([Hint(Kind.LATE)] if late else [])
    assert of("Text", ALL - {"late"}, local=local) == []
    assert hints.morning(local) == dt.datetime(2026, 11, 30, 5, tzinfo=BERLIN) + dt.timedelta(wakes)


@pytest.mark.parametrize(
    ("line", "text", "words"),
    [
        ("Strompreise und Rendite", "Der Strompreis sinkt.", "Strompreis"),
        ("Strompreise und Rendite", "Unsere Renditen", "Renditen"),
        ("Heizkosten einzelner Haushalte", "Die Heizkosten waren hoch.", ""),
        ("Heizkosten einzelner Haushalte", "Heizkosten mancher Haushalte", "Heizkosten, Haushalte"),
        ("„günstigster Tarif“", "Das ist der guenstigste Tarif.", "guenstigste"),
        ("„günstigster Tarif“", "Ein günstigster Tarif", "günstigster Tarif"),
        ("Namen von Anwohnenden", "Die Anwohnenden kamen.", ""),
        ("Fotos in Wohnungen", "In den Wohnungen", ""),
        ("Salaries or bonus", "My bonus was paid.", "bonus"),
        ("", "Anything", ""),
    ],
)
def test_what_the_topic_leaves_out(line, text, words):
    expected = [Hint(Kind.SECRETS, words=words, leave_out=line)] if words else []
    assert of(text, rules=Rules([line, line])) == expected


def test_better_word_of_the_topic_is_told():
    rules = Rules(glossary=[{"say": "fault", "instead_of": "explosion, fire"}])
    assert of("The explosions were loud, and the fire.", rules=rules) == [
        Hint(Kind.SECRETS, words="explosions", instead="fault")
    ]
    assert of("We were on the firewall team.", rules=rules) == []


# On and off ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_all_is_off_until_chosen_and_a_row_is_only_for_who_chose(jona):
    before = AuditEntry.objects.count()
    assert hinting.chosen(jona) == []
    assert hinting.choose(by=jona, kinds=["late", "nonsense", "anger"]) == ["anger", "late"]
    assert hinting.chosen(jona) == ["anger", "late"]
    assert hinting.choose(by=jona, kinds=["late"]) == ["late"]
    assert hinting.choose(by=jona, kinds=["nonsense"]) == []
    assert (Hinting.objects.count(), AuditEntry.objects.count()) == (0, before)


@pytest.mark.django_db
def test_switches_stand_on_the_own_page(jona):
    mine = browser(jona)
    assert 'value="anger">' in mine.get("/me/").content.decode()
    answer = mine.post("/me/hints/", {"hints": ["anger", "secrets"]}, follow=True)
    body = answer.content.decode()
    assert 'value="anger" checked>' in body and 'value="late" checked>' not in body
    assert "Only you will see them." in body
    assert "You write undisturbed." in mine.post("/me/hints/", follow=True).content.decode()
    opened = mine.get("/me/hints/")
    assert (opened.status_code, opened["Allow"]) == (405, "POST")
    assert "only takes what a form sends" in opened.content.decode()


def form(suggestion, text, **fields):
    return {
        "variant": suggestion.variant_set.get().pk, "text": text, "submission": str(uuid.uuid4()), **fields
    }  # fmt: skip


ANGRY = "What a ridiculous plan, said the salaries people."


@pytest.mark.django_db
def test_hints_are_seen_by_their_writer_only_and_leave_nothing(suggestion, jona, mirja):
    topic = suggestion.topic
    topic.leave_out = ["salaries"]
    topic.save(update_fields=["leave_out"])
    hinting.choose(by=jona, kinds=["anger", "secrets"])
    path = f"/suggestions/{suggestion.pk}/voice/"
    with CaptureQueriesContext(connection ) as asked:  # fmt: skip
        body = browser(jona).post(path, form(suggestion, ANGRY)).content.decode()
    assert "“ridiculous” sounds angry." in body and "You wrote “salaries”" in body
    assert "Only you see this, and nothing of it is kept." in body
    written = [q["sql"] for q in asked if q["sql"].startswith(("INSERT", "UPDATE")) and "session" not in q["sql"]]  # fmt: skip
    assert [sql for sql in written if "last_login" not in sql] == []
    assert "angry" not in browser(mirja).post(path, form(suggestion, ANGRY)).content.decode()


@pytest.mark.django_db
def test_without_the_choice_nothing_is_hinted(suggestion, jona):
    body = browser(jona).post(f"/suggestions/{suggestion.pk}/voice/", form(suggestion, ANGRY))
    assert "Before it goes" not in body.content.decode()


@pytest.mark.django_db
def test_sleeping_on_it_queues_for_after_the_night_and_can_be_stopped(suggestion, jona):
    wall = accounts.connect_wall(person=jona, now=timezone.now())
    sleep = form(suggestion, ANGRY, act="sleep", to=[wall.pk], when="now")
    answer = browser(jona).post(f"/suggestions/{suggestion.pk}/", sleep, follow=True)
    delivery = Delivery.objects.get()
    local = jona.local(delivery.due_at)
    assert "you can change it or take it back here" in answer.content.decode()
    assert (delivery.state, delivery.movable) == ("queued", True)
    assert local >= hints.morning(jona.local(timezone.now()))
    assert 7 <= local.hour < 19 and local.weekday() < 5
    assert choices.withdraw(by=jona, delivery=delivery, now=timezone.now())


@pytest.mark.django_db
def test_sleeping_needs_somewhere_to_go_and_keeps_the_text(suggestion, jona):
    answer = browser(jona).post(
        f"/suggestions/{suggestion.pk}/", form(suggestion, ANGRY, act="sleep")
    )
    assert (answer.status_code, Post.objects.count()) == (422, 0)
    assert ANGRY in answer.content.decode()
