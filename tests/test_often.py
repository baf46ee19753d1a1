"""Too often, and viruses: what keeps one person's requests and files within bounds."""

import socket
import struct
import threading
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse_lazy

from advocacy import often
from ambassadors import counts
from ambassadors.models import LoginSession
from people import films, scanning

from .conftest import browser
from .test_ideas import IDEA, form, log_in
from .test_lessons import MP4


@pytest.mark.django_db
def test_nobody_writes_more_often_than_by_hand_and_gets_the_text_back(jona, mirja, monkeypatch):
    monkeypatch.setattr(often, "WRITES", 3)
    visitor, other = browser(jona), browser(mirja)
    for _n in range(3):
        assert visitor.post("/notebook/", {"text": "A thought"}).status_code != 429
    late = visitor.post("/notebook/", {"text": "One more <thought>"})
    assert (late.status_code, late["Retry-After"]) == (429, "60")
    assert "One more &lt;thought&gt;</textarea>" in late.content.decode()
    assert visitor.get("/").status_code == 200
    assert other.post("/notebook/", {"text": "A thought"}).status_code != 429


@pytest.mark.django_db
def test_lists_are_not_taken_away_without_end(person, monkeypatch):
    monkeypatch.setattr(often, "HEAVY", 2)
    visitor = browser(person("Selin", "hr"))
    found = [visitor.post("/me/effect/export/").status_code for _n in range(3)]
    assert (found[:2], found[2]) == ([200, 200], 429)


@pytest.mark.django_db
def test_mail_server_is_not_tried_without_end(person, monkeypatch, mailoutbox):
    monkeypatch.setattr(often, "HEAVY", 2)
    visitor = browser(person("Ada", "administrator"))
    found = [visitor.post("/system/setup/mail/").status_code for _n in range(3)]
    assert (found, len(mailoutbox)) == ([302, 302, 429], 2)


@pytest.mark.django_db
def test_a_hold_is_never_too_often(mirja, topic, monkeypatch):
    monkeypatch.setattr(often, "WRITES", 0)
    visitor = browser(mirja)
    assert visitor.post(f"/desk/topics/{topic.pk}/hold/", {"reason": "Wait."}).status_code == 302
    assert visitor.post(f"/desk/topics/{topic.pk}/release/").status_code == 429


@pytest.mark.django_db
def test_without_redis_everybody_goes_on(jona, monkeypatch):
    monkeypatch.setattr(often, "WRITES", 0)
    monkeypatch.setattr(cache, "incr", lambda *_key: 1 / 0)
    assert browser(jona).post("/notebook/", {"text": "A thought"}).status_code != 429


def test_count_whose_end_came_between_two_questions_ends_all_the_same():
    """Redis then counts on without an end, and somebody would be locked out for good."""
    cache.set("counted", 0, None)
    counts.counted("counted", 60)
    assert 0 < cache._cache.get_client(None).ttl(cache.make_key("counted")) <= 60
    cache.touch("counted", 20)
    counts.counted("counted", 60)
    assert cache._cache.get_client(None).ttl(cache.make_key("counted")) <= 20  # no write renews it


# Forms that wait for a login --------------------------------------------------------------------


def known(person, text=IDEA, visitor=None, **more):
    """A browser in which the person has logged in before sends a form."""
    if visitor is None:
        first = Client()
        log_in(first, person)
        LoginSession.objects.filter(person=person).delete()
        visitor = Client()
        visitor.cookies["known"] = first.cookies["known"].value
    return visitor, visitor.post("/ideas/", form(text=text, **more))


@pytest.mark.django_db
def test_so_many_forms_of_somebody_wait_and_the_next_is_given_back(jona, mirja, monkeypatch):
    monkeypatch.setattr(often, "KEPT", 3)
    seen = [known(jona)[1] for _ in range(3)]
    _visitor, late = known(jona, text="Words & <more>")
    assert [answer.status_code for answer in (*seen, late)] == [302, 302, 302, 403]
    given_back = late.text.partition("<textarea")[2].partition("</textarea>")[0]
    assert given_back.partition(">")[2] == "Words &amp; &lt;more&gt;"
    assert LoginSession.objects.count() == 3
    assert known(mirja)[1].status_code == 302


@pytest.mark.django_db
def test_form_that_waits_already_is_replaced_without_end(jona, monkeypatch):
    """Somebody may press it over and over."""
    monkeypatch.setattr(often, "KEPT", 1)
    visitor, _first = known(jona)
    assert [known(jona, text=f"{n} words", visitor=visitor)[1].status_code for n in range(4)] == [
        302
    ] * 4
    log_in(visitor, jona)
    assert "3 words" in visitor.get("/ideas/").text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/desk/drafts/6974b2b3-978d-44cf-9c4d-c766406a3b95/",
        "/desk/suggestions/1/here/",
        reverse_lazy("suggestion_preview"),
        reverse_lazy("device_push"),
    ],
)
def test_what_a_page_in_another_tab_sends_by_itself_takes_no_forms_place(jona, path):
    visitor, _sent = known(jona)
    answer = visitor.post(path, {"text": "Half a sent"})
    assert (answer.status_code, answer["Location"][:17]) == (302, "/accounts/login/?")
    log_in(visitor, jona)
    assert IDEA in visitor.get("/ideas/").text


@pytest.mark.django_db
def test_form_that_is_too_large_to_wait_is_given_back_whole(jona):
    text = "A word. " * 150_000
    visitor, answer = known(jona, text=text)
    assert (answer.status_code, text.strip() in answer.text) == (403, True)
    assert LoginSession.objects.count() == 0
    assert '/accounts/login/?next=/ideas/"' in answer.text
    answer = visitor.post("/ideas/?lost", form(text=text))
    assert '/accounts/login/?next=/ideas/%3Flost"' in answer.text


# The virus scanner -------------------------------------------------------------------------------


@pytest.fixture
def clamd(settings):
    """A pretended clamd: takes INSTREAM, and answers what it was told; returns what it got."""
    door, told = (
        socket.create_server(("127.0.0.1", 0)),
        SimpleNamespace(got=b"", says=b"stream: OK\0"),
    )

    def listen():
        while True:
            try:
                link, _from = door.accept()
            except OSError:
                return
            with link, link.makefile("rb") as read:
                assert read.read(10) == b"zINSTREAM\0"
                while size := struct.unpack("!I", read.read(4))[0]:
                    told.got += read.read(size)
                link.sendall(told.says)

    threading.Thread(target=listen, daemon=True).start()
    settings.CLAMD = f"127.0.0.1:{door.getsockname()[1]}"
    yield told
    door.close()


def test_film_is_scanned_whole_and_taken(clamd):
    upload = SimpleUploadedFile("x.mp4", MP4)
    films.scan(upload)
    assert (clamd.got, upload.read()) == (MP4, MP4)


@pytest.mark.parametrize(("says", "sentence"), [
    (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", "refuses this film"),
    (b"INSTREAM size limit exceeded. ERROR\0", "does not answer"), (b"", "does not answer"),
])  # fmt: skip
def test_film_that_the_scanner_does_not_clear_is_refused(clamd, says, sentence):
    clamd.says = says
    with pytest.raises(films.FilmRefused, match=sentence):
        films.scan(SimpleUploadedFile("x.mp4", MP4))


def test_scanner_that_is_away_takes_no_film(settings):
    settings.CLAMD = "127.0.0.1:9"
    with pytest.raises(scanning.NotScanned):
        scanning.scan([MP4])


@pytest.mark.django_db
def test_infected_film_is_refused_at_its_field(clamd, person):
    from people.forms import LessonForm
    from people.models import Course, Lesson

    clamd.says = b"stream: Eicar FOUND\0"
    lesson = Lesson(course=Course(language="en"), title="A", text="B")
    form = LessonForm(
        {"title": "A", "text": "B"}, {"film": SimpleUploadedFile("x.mp4", MP4)}, instance=lesson
    )
    assert form.errors == {"film": ["The virus scanner refuses this film. Ask your IT."]}
