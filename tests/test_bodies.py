"""How large a request may be: told before anything is read, and where files lie meanwhile."""

import os
import socket
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from advocacy import bodies
from ambassadors.models import LoginSession
from campaigns.models import Proposal

from .conftest import browser
from .processes import web
from .test_access import planted, routes  # noqa: F401 - a fixture
from .test_ideas import IDEA, log_in, photo
from .test_often import known

pytestmark = pytest.mark.django_db
FILM = 300_000_000
# Of allauth, and one that is none.
OTHERS = (
    *("/accounts/login/", "/accounts/password/reset/", "/accounts/login/code/confirm/"),
    *("/accounts/saml/company/acs/", "/accounts/2fa/authenticate/", "/nowhere/"),
)
LESSON = "/people/training/lessons/1/"


class Read(Exception):
    """Somebody began to read the body."""


class Body:
    """A body of any length that nobody may read."""

    def read(self, *_size):
        raise Read

    readline = read


def send(visitor, path, length, method="POST", **headers):
    """Send the head of a form of this length; raises Read when more is asked for."""
    return visitor.generic(
        method, path, headers=headers,
        **{
            "wsgi.input": Body(), "CONTENT_LENGTH": str(length),
            "CONTENT_TYPE": "multipart/form-data; boundary=x",
        },
    )  # fmt: skip


def lying():
    """Files on their way."""
    place = settings.FILE_UPLOAD_TEMP_DIR
    return sorted(path.name for path in place.iterdir()) if place.is_dir() else []


# What is not read -------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [False, True])
def test_no_address_reads_a_film_of_a_stranger(planted, strict):
    """With the token of a form or without: the answer to a missing one shows what was typed."""
    visitor, seen = Client(enforce_csrf_checks=strict), {}
    ours = [(name, path) for name, path, _foreign in routes()]
    for name, path in (*ours, *((path, path) for path in OTHERS)):
        seen[name] = send(visitor, path, FILM).status_code
    kinds = {status: sum(1 for s in seen.values() if s == status) for status in seen.values()}
    assert set(kinds) <= {413, 401, 303, 404}
    assert (kinds[413] > 250, seen["desk_lesson"], seen["ask"]) == (True, 413, 413)
    assert {n for n, s in seen.items() if s in {401, 303}} <= {
        *(n for n in seen if n.startswith(("api_", "scim", "wall_post"))), "idea_shared",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "That was more than fits into one form."), ("de", "Das war mehr, als in ein Formular")],
)
def test_refusal_is_a_page_in_the_readers_language(language, sentence):
    answer = send(Client(), LESSON, bodies.STRANGERS + 1, **{"Accept-Language": language})
    assert (answer.status_code, sentence in answer.text) == (413, True)


@pytest.mark.parametrize("length", ["+3000000", "3_000_000", " 3000000", "0003000000"])
def test_length_is_read_as_django_reads_it(db, length):
    """The web server lets none of these through; another one might."""
    assert send(Client(), "/accounts/login/", length).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "GET"])
@pytest.mark.parametrize("path", [LESSON, "/accounts/login/", "/scim/v2/Users", "/wall/api/posts"])
def test_no_other_method_reads_a_film_of_a_stranger(db, path, method):
    assert send(Client(), path, FILM, method=method).status_code in {401, 413}


def test_what_strangers_need_is_read(person):
    with pytest.raises(Read):
        send(Client(), "/accounts/login/", bodies.STRANGERS)


@pytest.mark.parametrize(
    ("role", "path", "length", "is_read"),
    [
        (None, "/ideas/", bodies.PEOPLE, True),
        (None, "/ideas/", bodies.PEOPLE + 1, False),
        (None, LESSON, FILM, False),
        ("hr", LESSON, FILM, True),
        ("hr", LESSON, FILM + bodies.PEOPLE + 1, False),
        ("hr", "/ideas/", FILM, False),
    ],
)
def test_members_may_send_a_file_and_hr_a_film(person, role, path, length, is_read):
    visitor = browser(person("Selin", *filter(None, [role])))
    try:
        status = send(visitor, path, length).status_code
    except Read:
        status = 0
    assert (status != 413) == is_read


def test_session_that_has_ended_is_a_strangers(jona):
    visitor = browser(jona)
    LoginSession.objects.all().delete()
    assert send(visitor, "/ideas/", bodies.STRANGERS + 1).status_code == 413


def test_web_server_gives_no_body_without_a_length_and_none_that_lies(db, tmp_path):
    """gunicorn itself: chunked, both lengths at once, and a length whose body does not come."""
    head = "POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\n"
    part = (
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' + b"a" * 3_000_000
    )
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(part), part)
    sent = {
        "chunked": ("Transfer-Encoding: chunked\r\n", chunked),
        "both": ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunked),
        "none comes": (f"Content-Length: {FILM}\r\n", b""),
        "more comes": ("Content-Length: 5\r\n", part),
    }
    said = {}
    with web(tmp_path) as (port, _log):
        for name, (length, body) in sent.items():
            with socket.create_connection(("127.0.0.1", port), 10) as link:
                link.sendall(f"{head}{length}\r\n".encode() + body[:60_000])
                said[name] = int(link.recv(65536).split()[1])
    assert said == {"chunked": 403, "both": 400, "none comes": 413, "more comes": 403}
    assert not (tmp_path / "uploads").exists()


# Where files lie --------------------------------------------------------------------------------


def test_files_on_their_way_lie_on_the_volume_and_what_was_left_goes():
    place = settings.FILE_UPLOAD_TEMP_DIR
    place.mkdir()
    (place / "left.upload").touch()
    (place / "young.upload").touch()
    os.utime(place / "left.upload", (time.time() - 90_000,) * 2)
    taking = bodies.OnVolume()
    taking.new_file("film", "a.mp4", "video/mp4", 10)
    assert lying() == sorted([Path(taking.file.temporary_file_path()).name, "young.upload"])
    taking.file.close()
    assert lying() == ["young.upload"]


def test_volume_is_the_one_that_containers_share():
    assert bodies.OnVolume.__module__ + ".OnVolume" == settings.FILE_UPLOAD_HANDLERS[0]
    from advocacy import settings as ours

    assert ours.FILE_UPLOAD_TEMP_DIR.parent == ours.VAR_DIR


def test_words_beside_a_large_file_wait_for_the_login_and_the_file_is_not_stored(jona, monkeypatch):
    picture = SimpleUploadedFile("a.jpg", photo().read() + b"x" * 3_000_000, "image/jpeg")
    monkeypatch.setattr(bodies.OnVolume, "new_file", lambda *_a, **_k: 1 / 0)
    visitor, answer = known(jona, picture=picture)
    assert (answer.status_code, Proposal.objects.count(), lying()) == (302, 0, [])
    log_in(visitor, jona)
    assert IDEA in visitor.get("/ideas/").text
