"""Addresses, headers, logins, names and numbers nobody should have to expect: the corpus."""

import json
import re
import time
from urllib.parse import quote, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from ambassadors.models import Person
from campaigns.models import Topic
from people.csvfiles import FileRefused

from .conftest import browser
from .corpus import cases, value
from .test_api import program
from .test_people_import import ANNE, lines, read
from .test_people_import import run as agree
from .test_scim import USER, boss, scim  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
PASSWORD = "moin-moin-nordwind"


@pytest.fixture(autouse=True)
def _nobody_has_tried():
    cache.clear()
    yield
    cache.clear()


def log_in(email, password=PASSWORD, where="/accounts/login/"):
    visitor = Client()
    return visitor.post(where, {"login": email, "password": password}), visitor


def inside(visitor):
    return visitor.get("/me/").status_code == 200


# Login -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("redirect"))
def test_login_leads_to_no_other_origin(case, jona):
    if case["surfaces"] != ["login.next", "oauth.return_to"]:
        pytest.skip("short links: tests/test_links.py")
    answer, visitor = log_in(jona.email, where=f"/accounts/login/?next={quote(value(case))}")
    if "\0" in value(case):
        assert answer.status_code == 400
        return
    assert (answer.status_code, inside(visitor)) == (302, True)
    led = [answer["Location"]]
    again = visitor.get("/me/again/", {"next": value(case)})
    led += [again["Location"]] if again.status_code == 302 else []
    form = visitor.post("/language/", {"language": "en", "next": value(case)})
    led.append(form["Location"])
    for where in led:
        assert re.match(r"/(?![/\\])[^\r\n]*\Z", where), where
        assert "evil" not in (urlsplit(where).netloc or "")


@pytest.mark.parametrize("case", cases("password"))
def test_password_of_the_corpus(case, jona):
    asked = value(case)
    if case["id"] == "password-007":
        jona.email = asked
        jona.save()
    forms = asked if isinstance(asked, list) else [asked]
    visitor = log_in(jona.email)[1]
    began = time.process_time()
    answer = visitor.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": forms[0], "password2": forms[0]},
    )
    assert time.process_time() - began < 2
    jona.refresh_from_db()
    if case["expect"] == "reject":
        assert jona.check_password(PASSWORD)
        assert answer.status_code in {200, 400, 422}
        assert log_in(jona.email, forms[0])[0].status_code in {200, 400, 422}
        return
    assert [inside(log_in(jona.email, form)[1]) for form in forms] == [True] * len(forms)
    assert not inside(log_in(jona.email, forms[0][:-1] + "x")[1])


# People ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)  # a worker reads the file
@pytest.mark.parametrize("case", cases("email"))
def test_address_of_the_corpus(case, jona, person, mailoutbox):
    asked = value(case)
    first, second = asked if isinstance(asked, list) else (asked, asked)
    frauke = person("Frauke Petersen", "hr")
    rows = [ANNE.replace("anne@nordwind.example", f'"{a.replace(chr(34), chr(34) * 2)}"').replace(";100;", f";{n};")
            for n, a in enumerate(dict.fromkeys((first, second)))]  # fmt: skip
    before = set(Person.objects.values_list("pk", flat=True))
    try:
        row = read(lines(*rows), frauke)
    except FileRefused:
        assert case["id"] == "email-019"  # a NUL is in no CSV file
        return
    if row.state == "read":
        agree(row, frauke)
    made = Person.objects.exclude(pk__in=before).order_by("pk")
    if not isinstance(asked, list):  # quoted local parts may be refused
        assert len(made) == (0 if case["expect"] == "reject" or case["id"] == "email-011" else 1)
    else:
        assert len(made) <= 2
        assert len({p.email_normalised for p in made}) == len(made)
        assert bool(row.refused) == (len(made) < 2)
    if case["expect"] == "normalise" and isinstance(case.get("stored"), str):
        assert {p.email_normalised for p in made} <= {case["stored"]}
    # A link to a new password, or a code, goes to the stored address of exactly that account.
    for p in made:
        EmailAddress.objects.get_or_create(
            user=p, email=p.email, defaults={"verified": True, "primary": True}
        )
    for typed in (first, second):
        for where in ("/accounts/password/reset/", "/accounts/login/code/"):
            assert Client().post(where, {"email": typed}).status_code in {200, 302, 400, 422, 429}
    assert {a for mail in mailoutbox for a in mail.to} <= {p.email for p in made}
    assert all(len(mail.to) == 1 and not re.search(r"[\r\n]", mail.to[0]) for mail in mailoutbox)
    assert log_in(second)[0].status_code in {200, 302, 422, 429}


@pytest.mark.parametrize("typed", ["anna@faß.example", "Anna@xn--fa-hia.example"])
@pytest.mark.parametrize("stored", ["anna@faß.example", "anna@xn--fa-hia.example"])
def test_domain_with_foreign_letters_is_one_however_it_is_typed(stored, typed, person, mailoutbox):
    anna = person("Anna")
    anna.email = stored
    anna.set_password(PASSWORD)
    anna.save()
    EmailAddress.objects.create(user=anna, email=anna.email, verified=True, primary=True)
    for where in ("/accounts/password/reset/", "/accounts/login/code/"):
        Client().post(where, {"email": typed})
    assert [mail.to for mail in mailoutbox] == [["anna@xn--fa-hia.example"]] * 2
    page = log_in(typed)[1].get("/me/reach/").content.decode()
    assert "anna@faß.example" in page
    assert Person.objects.filter(email_normalised="anna@fass.example").count() == 0


@pytest.mark.parametrize("case", cases("email"))
def test_address_of_the_corpus_from_the_directory(case, scim, jona):
    asked = value(case)
    for n, address in enumerate(asked if isinstance(asked, list) else [asked]):
        body = {"schemas": [USER], "userName": address, "externalId": f"x{n}", "active": True,
                "name": {"givenName": "Anna", "familyName": "Müßig"},
                "emails": [{"type": "work", "primary": True, "value": address}]}  # fmt: skip
        answer = scim("post", "Users", body)
        assert answer.status_code in {201, 400, 409}
        if case.get("status"):
            assert answer.status_code == 400
        if case["id"] in {"email-001", "email-020"} and n:
            assert answer.status_code == 409


def kept_name(case):
    return case.get("stored") or value(case)


@pytest.mark.parametrize("case", cases("name"))
def test_name_of_the_corpus(case, scim, desk, jona):
    if case["surfaces"] == ["upload.filename"]:
        pytest.skip("file names: test_bad_uploads")
    name = value(case)
    body = {"schemas": [USER], "userName": "anna@nordwind.example", "active": True, "displayName": name,
            "emails": [{"primary": True, "value": "anna@nordwind.example"}]}  # fmt: skip
    assert scim("post", "Users", body).status_code == 201
    kept = Person.objects.get(email="anna@nordwind.example").name
    fields = {"title": name, "language": "en", "rule": "Tell it.", "light": "share", "revision": 0}
    page = desk.post("/desk/topics/new/", fields)
    assert page.status_code in {200, 302, 422}
    title = Topic.objects.latest("pk").title if page.status_code == 302 else None
    assert [kept, title or kept_name(case)] == [kept_name(case)] * 2
    html = desk.get("/desk/topics/").content.decode() + desk.get("/roster/").content.decode()
    assert "<script>alert" not in html
    assert "<svg/onload" not in html


# Requests --------------------------------------------------------------------------------------

SMUGGLED = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"


def parsed(raw):
    return next(RequestParser(Config(), iter([raw]), ("127.0.0.1", 1)))


def headers_of(case):
    name, _, rest = case["value"].partition(": ")
    return {name: rest}


@pytest.mark.parametrize("case", cases("http"))
def test_request_of_the_corpus(case, jona, settings):
    known, ask = browser(jona), program(jona)
    if case["surfaces"] == ["path"]:
        for way in dict.fromkeys(
            (value(case), value(case).replace("/api/posts/", "/api/v1/posts"))
        ):
            for visitor in (known, Client()):
                answer = visitor.get(way)
                assert answer.status_code in {*case["status"], 302, 401}, way
                assert led_home(answer)
            if way.startswith("/api/v1"):
                assert ask("GET", way.removeprefix("/api/v1")).status_code == 400
        return
    match case["id"]:
        case "http-001" | "http-002":
            kind = {"Content-Type": headers_of(case)["Content-Type"]}
            answers = [ask("POST", "/ideas", b'{"text": "x"}', **kind)]
        case "http-004":
            with pytest.raises(ParseException):
                parsed(SMUGGLED)
            return
        case "http-007":
            settings.ALLOWED_HOSTS = ["botschaft.example"]
            answers = [visitor.get("/", headers=headers_of(case)) for visitor in (known, Client())]
        case "http-008":
            answers = [
                known.post("/notebook/", {}, headers=headers_of(case)),
                known.get("/", headers=headers_of(case)),
            ]
            assert Person.objects.filter(pk=jona.pk).exists()
            assert {a.status_code for a in answers} <= {200, 403, 405, 422}
            return
        case "http-013":
            answers = [known.generic(method, "/") for method in ("TRACE", "CONNECT", "PROPFIND")]
            answers += [ask(method, "/topics") for method in ("TRACE", "PROPFIND")]
        case _:
            answers = [visitor.get("/", headers=headers_of(case)) for visitor in (known, Client())]
            assert {a.status_code for a in answers} <= {*case["status"], 302}
            return
    assert {a.status_code for a in answers} <= set(case["status"])


def led_home(answer):
    """A redirect stays here."""
    return answer.status_code != 302 or answer["Location"].startswith("/")


def test_address_that_a_visitor_claims_skips_no_limit(jona, settings):
    settings.TRUSTED_PROXIES = 0
    tries = [
        Client().post(
            "/accounts/login/", {"login": f"{n}@example.org", "password": "wrong-wrong-wrong"},
            REMOTE_ADDR="203.0.113.7", headers={"X-Forwarded-For": f"127.0.0.{n}"},
        ).content
        for n in range(40)
    ]  # fmt: skip
    assert b"tried too often" in tries[-1]


@pytest.mark.parametrize("case", cases("search"))
def test_search_of_the_corpus(case, person, suggestion):
    everything = browser(person("Alva Brandt", "curator", "hr", "auditor", "administrator"))
    for page in ("/suggestions/", "/desk/", "/desk/pictures/", "/roster/", "/experts/", "/speakers/", "/record/",
                 "/people/pipeline/", "/ask/"):  # fmt: skip
        # a search and filters stand together in an address, as the pages' own forms write them
        for names in (("q", "who", "topic"), ("page",)):
            answer = everything.get(page, dict.fromkeys(names, value(case)))
            assert answer.status_code in {*case["status"], 404}, (page, names)
            assert answer.status_code == 200 or "page" in names, page


@pytest.mark.parametrize("case", cases("number"))
def test_number_of_the_corpus(case, person):
    everything = browser(person("Alva Brandt", "curator", "hr", "auditor", "administrator"))
    asked = value(case)
    if isinstance(asked, dict):
        for page in ("/roster/", "/desk/", "/record/", "/suggestions/", "/posts/"):
            assert everything.get(page, asked).status_code in case["status"]
        return
    typed = quote(asked, safe="%")
    for way in ("/topics/{}/", "/suggestions/{}/", "/posts/{}/", "/pictures/{}/", "/people/terms/{}/",
                "/desk/suggestions/{}/", "/talks/{}/", "/training/courses/{}/", "/desk/suggestions/1/merge/{}/"):  # fmt: skip
        assert everything.get(way.format(typed)).status_code in case["status"], way
    for page in ("/roster/", "/desk/", "/record/", "/suggestions/", "/posts/"):
        assert everything.get(f"{page}?page={typed}").status_code in {200, *case["status"]}, page
    body = {"variant": asked, "submission": "x", "text": "x", "act": "copy", "network": asked}
    assert everything.post(
        "/desk/suggestions/new/", {"topic": asked, "revision": asked}
    ).status_code in {400, 422}
    assert everything.post("/suggestions/1/", body).status_code in {400, 404, 410, 422}
    assert (
        everything.post(
            "/scim/v2/Users", json.dumps({"startIndex": asked}), "application/json"
        ).status_code
        == 401
    )
