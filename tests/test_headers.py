"""Headers on every answer, twenty points each (G25, ASVS 3.4), and trusted types in a browser."""

import os
import re
import subprocess
import sys

import pytest
from django.test import Client

from campaigns import lights
from people.models import Call

from .conftest import browser
from .test_access import planted, routes, visitors  # noqa: F401 - fixtures
from .test_loop import DESKTOP, Visitor, chromium  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
_NAMES = """from django.conf import settings as s
print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.LANGUAGE_COOKIE_NAME)
print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.LANGUAGE_COOKIE_SECURE)"""
SELF = {"'self'"}
# Widgets stand in the frames of the origins that HR named, and only they.
FRAMED = {"widget_frame"}


@pytest.fixture
def over_tls(settings):
    """As SITE_URL with https:// sets it."""
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.LANGUAGE_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME = "__Host-sessionid"
    settings.CSRF_COOKIE_NAME = "__Host-csrftoken"
    settings.LANGUAGE_COOKIE_NAME = "__Host-django_language"


def policy(answer):
    parts = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {part[0]: set(part[1:]) for part in parts if part}


def points(answer, *, name="", signed_in=False):
    """The checklist; returns what is missing."""
    csp, get = policy(answer), answer.headers.get
    sources = set().union(*csp.values())
    html = get("Content-Type", "").startswith("text/html")
    hsts, never = get("Strict-Transport-Security", ""), get("Permissions-Policy", "")
    cookies = [c for c in answer.cookies.values() if c.value]  # an empty one is being deleted
    checks = {
        "1 nothing unless allowed": csp.get("default-src") == {"'none'"},
        "2 no unsafe": not any("unsafe" in source for source in sources),
        "3 no schemes or stars": not sources & {"*", "http:", "https:", "blob:"},
        "4 scripts of ours": csp.get("script-src", SELF) == SELF,
        "5 styles of ours": csp.get("style-src", SELF) == SELF,
        "6 pictures of ours": csp.get("img-src", SELF) <= {*SELF, "data:"},
        "7 calls to us": csp.get("connect-src", SELF) == SELF,
        "8 forms to us": csp["form-action"] <= {*SELF, "'none'"},
        "9 no base": csp["base-uri"] == {"'none'"},
        "10 no frames": name in FRAMED or csp["frame-ancestors"] == {"'none'"},
        "11 no plugins": csp.get("object-src", {"'none'"}) == {"'none'"},
        "12 trusted types": csp["require-trusted-types-for"] == {"'script'"}
        and csp["trusted-types"] <= {"default", "botschaft", "'none'"},
        "13 no sniffing": get("X-Content-Type-Options") == "nosniff",
        "14 referrer stays": get("Referrer-Policy") in {"same-origin", "no-referrer"},
        "15 opener": get("Cross-Origin-Opener-Policy") == "same-origin",
        "16 resources": get("Cross-Origin-Resource-Policy") in {"same-origin", "cross-origin"},
        "17 permissions": all(f"{part}=()" in never for part in ("camera", "microphone", "usb")),
        "18 old frames": name in FRAMED or get("X-Frame-Options") == "DENY",
        "19 tls for a year": hsts == "max-age=31536000; includeSubDomains; preload",
        "20 kept nowhere": not (signed_in and html) or get("Cache-Control") == "no-store",
        "21 no boasting": not get("Server") and not get("X-Powered-By"),
        "22 letters named": not html or "charset=utf-8" in get("Content-Type"),
        "23 cookies": all(
            c["secure"]
            and c["samesite"]
            and not c["domain"]
            and (c.key.startswith("__Host-") if c["path"] == "/" else "__Secure-" in c.key)
            for c in cookies
        ),
        "24 session": all(
            c["httponly"] and c["path"] == "/" and not c["domain"]
            for c in cookies
            if "session" in c.key and not c.key.startswith("__Secure-")
        ),
    }
    return [check for check, holds in checks.items() if not holds]


def test_every_cookie_is_for_this_host_alone_over_tls(over_tls, jona):
    """Session, form, language, device and message."""
    visitor, seen = Client(), {}
    for path, form in (
        ("/accounts/login/", None),
        ("/language/", {"language": "en", "next": "/"}),
        ("/accounts/login/", {"login": jona.email, "password": "moin-moin-nordwind"}),
        ("/me/sessions/", {"end": "others"}),
    ):
        ask = visitor.get if form is None else visitor.post
        answer = ask(path, form, secure=True)
        assert points(answer, name="", signed_in=False) == [], path
        seen |= {name: cookie for name, cookie in answer.cookies.items() if cookie.value}
    assert seen.keys() == {
        *("__Host-sessionid", "__Host-csrftoken", "__Host-django_language", "__Host-known"),
        "__Host-messages",
    }
    assert {name for name, cookie in seen.items() if not cookie["httponly"]} == {"__Host-csrftoken"}


def test_names_of_cookies_follow_the_address():
    """Plain http on a laptop knows no prefix; browsers would throw such a cookie away."""
    for site, prefix in (("https://botschaft.example", "__Host-"), ("http://localhost:8000", "")):
        told = subprocess.run(
            [sys.executable, "-c", _NAMES],
            env={**os.environ, "SITE_URL": site, "DJANGO_SETTINGS_MODULE": "advocacy.settings"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert told.stdout.split() == [
            f"{prefix}sessionid", f"{prefix}csrftoken", f"{prefix}django_language",
            *[str(bool(prefix))] * 3,
        ]  # fmt: skip


@pytest.mark.parametrize("role", ["stranger", "employee", "administrator"])
def test_every_address_has_all_points(role, over_tls, planted, visitors):
    visitor = browser(visitors[role]) if role != "stranger" else Client()
    found = [route for route in routes() if route[0] not in {"stepup", "account_logout"}]
    Call.objects.update(timezone="Europe/Berlin")
    wrong, cells, seen = {}, 0, set()
    for name, path, _foreign in found:
        if role == "employee" and path.startswith(("/desk/", "/people/")) and "refused" in seen:
            continue  # they are all the same answer
        answer = visitor.get(path, secure=True)
        seen |= {"refused"} if answer.status_code == 403 else set()
        cells += 1
        if missing := points(answer, name=name, signed_in=role != "stranger"):
            wrong[name] = missing
    print(f"{role}: {cells} answers × 24 points, {len(wrong)} not whole")
    assert wrong == {}


def test_answers_that_are_no_page_have_all_points(over_tls, settings, jona, tmp_path, monkeypatch):
    visitor, strict = browser(jona), Client(enforce_csrf_checks=True)
    visitor.raise_request_exception = False
    static = tmp_path / "served"
    static.mkdir()
    (static / "a.css").write_text("a{}")
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH = static, True
    monkeypatch.setattr(lights, "is_still", lambda _version: True)

    def breaks(*_args, **_more):
        raise ValueError

    answers = {
        "404": visitor.get("/nothing/", secure=True),
        "405": visitor.delete("/me/", secure=True),
        "form": visitor.get("/me/hints/", secure=True),
        "403": visitor.get("/desk/", secure=True),
        "csrf": strict.post("/accounts/login/", {"login": "x"}, secure=True),
        "NUL": visitor.get("/ideas/?x=%00", secure=True),
        "link": Client().get("/r/nothing", secure=True),
        "scim": Client().get("/scim/v2/Users", secure=True),
        "api": Client().get("/api/v1/topics", secure=True),
        "file": Client().get("/static/a.css", secure=True),
        "still": Client().get("/situation/?v=x", secure=True),
        "health": Client().get("/healthz", secure=True),
    }
    settings.ALLOWED_HOSTS = ["ours.example"]
    answers["host"] = Client(HTTP_HOST="evil.example").get("/", secure=True)
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setattr("advocacy.context.shell", breaks)
    monkeypatch.setattr("people.views.me.render", breaks)
    answers["500"] = visitor.get("/me/", secure=True)
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == {
        "404": 404, "405": 405, "form": 405, "403": 403, "csrf": 403, "NUL": 400, "link": 404, "scim": 401,
        "api": 401, "file": 200, "still": 204, "health": 200, "host": 400, "500": 500,
    }  # fmt: skip
    wrong = {name: missing for name, a in answers.items() if (missing := points(a, name=name))}
    assert wrong == {}


def test_missing_point_would_be_found(over_tls, jona, settings):
    """The mutant: one header less, one source more."""
    settings.CONTENT_SECURITY_POLICY = {
        "DIRECTIVES": {**settings.CONTENT_SECURITY_POLICY["DIRECTIVES"], "script-src": ["*"]}
    }
    settings.SECURE_CONTENT_TYPE_NOSNIFF = False
    answer = browser(jona).get("/me/", secure=True)
    assert [point.split()[0] for point in points(answer)] == ["3", "4", "13"]


# In a browser ---------------------------------------------------------------------------------

SINKS = """() => {
  const found = {};
  const tried = (name, act) => { try { found[name] = act(); } catch (error) { found[name] = error.name; } };
  tried('text', () => { const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body.append(s); return 'set'; });
  tried('foreign', () => { const s = document.createElement('script'); s.src = 'https://evil.example/x.js'; return 'set'; });
  tried('own', () => { const s = document.createElement('script'); s.src = '/static/js/keep.js'; return 'set'; });
  const box = document.createElement('div'); document.body.append(box);
  box.innerHTML = '<b onclick="window.ran = 1">x</b><img src="data:,x" onerror="window.ran = 1"><a href="javascript:window.ran=1">y</a><iframe srcdoc="<script>parent.ran=1</script>"></iframe><script>window.ran = 1</script>';
  found.markup = box.innerHTML;
  tried('policy', () => trustedTypes.createPolicy('other', {}) && 'made');
  found.ran = window.ran === undefined;
  return found;
}"""


@pytest.mark.django_db(transaction=True)
def test_browser_lets_no_text_become_code_and_parts_arrive_whole(chromium, live_server, person):
    visitor = Visitor(chromium, live_server.url, DESKTOP)
    visitor.login(person("Selin", "hr"))
    page = visitor.page
    page.goto(f"{live_server.url}/roster/")
    assert visitor.trouble == []
    found = page.evaluate(SINKS)
    markup = found.pop("markup")
    assert markup.startswith("<b>x</b><img src=")
    assert not re.search("onclick|onerror|javascript|srcdoc|<script", markup)
    assert found == {
        "text": "TypeError", "foreign": "TypeError",
        "own": "set", "policy": "TypeError", "ran": True,
    }  # fmt: skip
    visitor.trouble.clear()
    page.goto(f"{live_server.url}/roster/")
    head = page.locator("#rows").inner_html()
    page.evaluate("htmx.ajax('GET', '/roster/', {target: '#rows', swap: 'outerHTML'})")
    page.wait_for_load_state("networkidle")
    assert page.locator("#rows").inner_html() == head
    row = "<table><tbody id='t'></tbody></table>"
    page.evaluate(f"document.querySelector('main').insertAdjacentHTML('beforeend', `{row}`)")
    page.evaluate("htmx.swap('#t', '<tr><td>cell</td></tr>', {swapStyle: 'innerHTML'})")
    assert page.locator("#t tr td").inner_text() == "cell"
    assert visitor.trouble == []
