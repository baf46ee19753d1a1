"""The table of ASVS 5.0.0 says nothing that is not there, and what libraries decide for us (G33)."""

import ast
import functools
import math
import pickle
import re

import pytest
from allauth.account import app_settings as account_settings
from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm, LoginForm
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from integrations import recovery_codes

from .conftest import browser
from .test_architecture import CODE, ROOT

PAGE = ROOT / "docs/asvs.md"
ANSWERS = ("met", "not applicable", "open")
REQUIRED = dict(
    line.split()
    for line in (ROOT / "tests/data/asvs.txt").read_text().splitlines()
    if not line.startswith("#")
)
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (\d) \| ([^|]+) \| ([^|]+) \| (.*) \|$", re.MULTILINE)
SUM = re.compile(r"^\| (?:(\d+) [^|]+|\*\*all\*\*) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
QUOTE = re.compile(r"`([\w./-]+)`: `([^`]+)`")


@functools.cache
def functions(path):
    """The names of a file's tests, by its syntax; none when there is no such file."""
    if not (ROOT / path).is_file():
        return frozenset()
    body = ast.parse((ROOT / path).read_text()).body
    return frozenset(
        node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@functools.cache
def words(path):
    return " ".join((ROOT / path).read_text().split()) if (ROOT / path).is_file() else ""


def faults(text):
    """Whatever is not right on the page, one sentence each."""
    rows = [match.groups() for match in ROW.finditer(text)]
    found = [(number, level) for number, level, *_rest in rows]
    if found != list(REQUIRED.items()):
        yield f"not each once, in order: {set(found) ^ set(REQUIRED.items())}"
    for number, _level, about, answer, proof in rows:
        tests, quotes = TEST.findall(proof), QUOTE.findall(proof)
        if answer not in ANSWERS:
            yield f"{number}: {answer} is no answer"
        if answer == "met" and not tests and not quotes:
            yield f"{number}: met without a proof"
        if not about.strip() or not re.search(r"\w", proof):
            yield f"{number}: no reason"
        yield from (f"{number}: no {f}::{name}" for f, name in tests if name not in functions(f))
        yield from (
            f"{number}: {f} lacks {q}" for f, q in quotes if " ".join(q.split()) not in words(f)
        )
        left = QUOTE.sub("", TEST.sub("", proof))
        if "::" in left or left.count("`") % 2:
            yield f"{number}: a proof that cannot be read"
    for chapter, *told in SUM.findall(text):
        counted = [
            sum(row[3] == answer for row in rows if not chapter or row[0].split(".")[0] == chapter)
            for answer in ANSWERS
        ]
        if counted != [int(one) for one in told]:
            yield f"sum of {chapter or 'all'}: {counted}"
    if len(SUM.findall(text)) != 18:
        yield "a sum is missing"


def test_every_requirement_is_answered_with_what_is_there():
    assert len(REQUIRED) == 253
    assert list(faults(PAGE.read_text())) == []


@pytest.mark.parametrize(
    ("there", "instead", "told"),
    [
        (r"(?m)^\| 1\.1\.1 .*\n", "", "not each once"),
        (r"(?m)^(\| 1\.1\.1 .*\n)", r"\1\1", "not each once"),
        (r"\| 1\.1\.1 \| 2", "| 1.1.1 | 1", "not each once"),
        (r"test_odd_target_is_one_header", "test_odd_target", "1.2.1: no tests/test_links.py"),
        (r"tests/test_markup\.py::", "tests/test_mark.py::", "1.1.2: no tests/test_mark.py"),
        (r"SESSION_COOKIE_HTTPONLY = True", "SESSION_COOKIE_HTTPONLY = False", "3.3.4: advocacy"),
        (r"(?m)^(\| 1\.3\.4 .*met \|) .*\|$", r"\1 surely |", "1.3.4: met without a proof"),
        (r"(?m)^(\| 1\.2\.6 .*applicable \|) .*\|$", r"\1 – |", "1.2.6: no reason"),
        (r"\*\*all\*\* \| \d+", "**all** | 1", "sum of all"),
        (r"(?m)^(\| 1\.2\.6 .*) not applicable ", r"\1 perhaps ", "1.2.6: perhaps is no answer"),
    ],
)  # fmt: skip
def test_fault_of_the_page_is_found(there, instead, told):
    spoiled = re.sub(there, instead, PAGE.read_text(), count=1)
    assert any(one.startswith(told) for one in faults(spoiled)), list(faults(spoiled))


# What a library decides, so that an upgrade which decides otherwise is seen ----------------------


def test_password_is_hidden_pasted_and_taken_as_typed():
    asked = [LoginForm().fields["password"], *ChangePasswordForm().fields.values()]
    for field in asked:
        assert (field.widget.input_type, field.strip, field.max_length) == ("password", False, None)
        assert field.widget.attrs["autocomplete"] in {"current-password", "new-password"}
    assert not any("paste" in path.read_text() for path in (ROOT / "static/js").glob("*.js"))


@pytest.mark.parametrize("password", ["anker " * 12, "ä" * 64 + "1", "Hafen und 🙂 " * 20])
def test_long_password_is_taken(password):
    assert len(password) >= 64
    validate_password(password)


def test_codes_are_long_and_few_may_be_tried():
    """Of mailed ones three may be tried; 20 bits are wanted."""
    codes = {get_adapter().generate_login_code().replace("-", "") for _n in range(500)}
    signs = set("".join(codes))
    assert (len(codes), {len(one) for one in codes}) == (500, {8})
    assert 8 * math.log2(len(signs)) > 34
    assert account_settings.LOGIN_BY_CODE_MAX_ATTEMPTS <= 3
    assert recovery_codes.LENGTH * math.log2(len(set(recovery_codes.SIGNS))) == 60


PASSWORD, NEW = "moin-moin-nordwind", "ein-ganz-neuer-satz-7"


@pytest.fixture
def jona_alone(jona):
    """Jona, with a confirmed address, and nobody has tried anything yet."""
    cache.clear()
    EmailAddress.objects.create(user=jona, email=jona.email, verified=True, primary=True)
    yield jona
    cache.clear()


def log_in(who, password=PASSWORD):
    visitor = Client()
    visitor.post("/accounts/login/", {"login": who.email, "password": password})
    return visitor


@pytest.mark.django_db
def test_new_password_wants_the_old_one(jona):
    visitor = browser(jona)
    for old in ("wrong-wrong-wrong", ""):
        visitor.post(
            "/accounts/password/change/", {"oldpassword": old, "password1": NEW, "password2": NEW}
        )
    jona.refresh_from_db()
    assert jona.check_password(PASSWORD)


@pytest.mark.django_db
def test_mailed_code_serves_once_and_the_browser_that_asked(jona_alone, mailoutbox):
    visitor, other = Client(), Client()
    there = visitor.post("/accounts/login/code/", {"email": jona_alone.email})["Location"]
    other.post("/accounts/login/code/", {"email": "nobody@example.org"})
    code = {"code": re.search(r"\n([A-Z0-9]{3,}-?[A-Z0-9]*)\n", mailoutbox[0].body)[1]}
    other.post(there, code)
    visitor.post(there, code)
    assert (SESSION_KEY in other.session, SESSION_KEY in visitor.session) == (False, True)
    visitor.post("/accounts/logout/")
    visitor.post("/accounts/login/code/", {"email": "nobody@example.org"})
    visitor.post(there, code)
    assert SESSION_KEY not in visitor.session


@pytest.mark.django_db
def test_recovery_code_serves_once(jona_alone):
    TOTP.activate(jona_alone, "JBSWY3DPEHPK3PXP")
    _row, (code, *_others) = recovery_codes.make(jona_alone, now=timezone.now())
    visitors = [log_in(jona_alone) for _n in range(2)]
    for visitor in visitors:
        visitor.post("/accounts/2fa/authenticate/", {"code": code})
    assert [SESSION_KEY in visitor.session for visitor in visitors] == [True, False]


@pytest.mark.django_db
def test_forgotten_password_leaves_the_second_factor(jona_alone, mailoutbox):
    TOTP.activate(jona_alone, "JBSWY3DPEHPK3PXP")
    visitor = Client()
    visitor.post("/accounts/password/reset/", {"email": jona_alone.email})
    [link] = re.findall(r"/accounts/password/reset/key/\S+", mailoutbox[0].body)
    visitor.post(visitor.get(link)["Location"], {"password1": NEW, "password2": NEW})
    jona_alone.refresh_from_db()
    assert (jona_alone.check_password(NEW), SESSION_KEY in visitor.session) == (True, False)
    assert SESSION_KEY not in log_in(jona_alone, NEW).session


@pytest.mark.django_db
def test_directories_are_not_listed(settings, tmp_path):
    (tmp_path / "served" / "css").mkdir(parents=True)
    (tmp_path / "served" / "css" / "a.css").write_text("a{}")
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH = tmp_path / "served", True
    paths = (
        "/static/css/a.css",
        "/static/",
        "/static/css/",
        "/static/css",
        "/media/",
        "/pictures/",
    )
    assert [Client().get(path).status_code for path in paths] == [200, *[404] * 5]


def _patterns(patterns):
    for one in patterns:
        yield from _patterns(one.url_patterns) if hasattr(one, "url_patterns") else [one]


def test_forms_without_a_token_are_those_that_need_none():
    """Programs with a key, strangers without a cookie, signed addresses, and company logins."""
    exempt = {
        one.name
        for one in _patterns(get_resolver().url_patterns)
        if getattr(one.callback, "csrf_exempt", False) and not one.name.startswith("api_")
    }
    programs = {"scim", "scim_root", "wall_post", "wall_posts"}
    strangers = {
        *("ask", "ask_card", "ask_photo", "ask_privacy", "widget_frame"),
        *("question_page", "question_old", "talk_asked", "talk_asked_old"),
        *("speakers", "speakers_talk", "speakers_ask", "speaker_photo"),
    }
    signed = {"invitation_no", "issue_mail_stop"}  # one click in a mail (RFC 8058)
    company = {"saml_acs", "saml_sls"}  # from there; by the request that we remember, or closed
    read_nothing = {"idea_shared"}
    assert exempt == programs | strangers | signed | company | read_nothing


def test_no_template_is_made_of_text():
    made = [
        path.name for path in CODE if re.search(r"\bTemplate\(|from_string\(", path.read_text())
    ]
    assert made == []


def test_what_lies_in_redis_is_read_as_json_and_never_run(settings):
    """Whoever can write into Redis must not run code here (1.5.2)."""
    assert settings.CACHES["default"]["OPTIONS"]["serializer"] == "advocacy.cached.Json"

    class Ran:
        def __reduce__(self):
            return print, ("ran",)

    cache.set("asvs", 1)
    raw = cache._cache.get_client(write=True)
    raw.set(cache.make_key("asvs"), pickle.dumps(Ran()))
    with pytest.raises(ValueError):
        cache.get("asvs")
    for value in (5, True, None, "ü", [1, {"a": None}]):
        cache.set("asvs", value)
        assert cache.get("asvs") == value
    cache.set("asvs", 5)
    assert (cache.incr("asvs"), cache.get("asvs")) == (6, 6)
    cache.delete("asvs")


@pytest.mark.django_db
def test_input_is_decoded_once(jona):
    """What was encoded twice arrives encoded once, and is no tag and no path (1.1.1)."""
    visitor = browser(jona)
    visitor.post("/notebook/", {"text": "%3Cb%3E &lt;i&gt; %2527"})
    assert jona.note_set.get().text == "%3Cb%3E &lt;i&gt; %2527"
    page = visitor.get("/notebook/").content.decode()
    assert "%3Cb%3E &amp;lt;i&amp;gt; %2527" in page
    assert visitor.get("/suggestions/?q=%253Cscript%253E").content.decode().count("<script>") == 0
    for path in ("/static/%252e%252e/manage.py", "/static/..%252fmanage.py", "/pictures/%2531/"):
        assert visitor.get(path).status_code == 404


def test_patterns_of_formatting_are_ours():
    """What ``format`` is called on could reach into objects: a literal, a constant, a translation (1.3.10)."""
    wrong = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"format", "format_map"}
            ):
                pattern = node.func.value
            else:
                continue
            if not _ours(pattern):
                wrong.append(f"{path.name}: {ast.unparse(pattern)[:60]}")
    assert wrong == [
        "logs.py: super()",  # logging's own
        "composer.py: template",  # of the network's file
    ]


def _ours(pattern):
    match pattern:
        case ast.Constant() | ast.JoinedStr():
            return True
        case ast.Name(id=name):
            return name.isupper()
        case ast.Attribute(attr=name):
            return name.isupper()
        case ast.Call(func=ast.Name(id=name)):
            return name in {"_", "gettext", "ngettext", "gettext_lazy", "pgettext", "_lazy"}
    return False


@pytest.mark.django_db
def test_every_text_names_its_charset(jona, settings, tmp_path):
    """SVG and scripts, too (4.1.1)."""
    (tmp_path / "served").mkdir()
    for name in ("a.svg", "a.css", "a.js", "a.webmanifest"):
        (tmp_path / "served" / name).write_text("ä")
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH = tmp_path / "served", True
    found = {
        name: Client().get(f"/static/a.{name}")["Content-Type"] for name in ("svg", "css", "js")
    }
    found["page"] = browser(jona).get("/me/")["Content-Type"]
    assert all(
        kind.endswith("charset=utf-8") or 'charset="utf-8"' in kind for kind in found.values()
    ), found
