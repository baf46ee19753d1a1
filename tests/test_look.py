"""The look: marks are escaped and truthful, the door and its side rooms are ours."""

import ast
import re

import pytest
from django import forms
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from advocacy.templatetags import look

from .test_architecture import CODE, ROOT

NASTY = '"><script>x</script>'
SAFE = "&quot;&gt;&lt;script&gt;x&lt;/script&gt;"


@pytest.mark.parametrize(
    "made",
    [
        look.icon(NASTY),
        look.icon("nib", NASTY),
        look.sign(NASTY),
        look.ampel(NASTY),
        look.net(NASTY),
        look.net("x", NASTY),
        look.wordband([(NASTY, 1)]),
        look.initials("Jona Harms", NASTY, NASTY),
    ],
)
def test_mark_with_markup_in_it_is_escaped(made):
    assert "<script" not in made
    assert SAFE in made


def test_initials_of_a_markup_name_are_escaped():
    assert ">&lt;&lt;<" in look.initials("<b> <i>")


@pytest.mark.parametrize(("count", "strokes"), [(None, 0), (0, 0), (1, 1), (7, 7), (400, 25)])
def test_tally_has_one_stroke_for_each_up_to_25(count, strokes):
    assert look.tally(count).count("<path") == strokes
    assert look.tally(count) == look.tally(count)


def test_tally_with_you_has_one_blue_stroke():
    assert look.tally(3, "you").count('class="you"') == 1


def test_wordband_has_one_box_for_each_run():
    band = look.wordband([("h", 3), ("o", 2), ("b", 1)])
    boxes = re.findall(r'class="(\w)" x="([\d.]+)" width="([\d.]+)"', band)
    assert boxes == [("h", "0.0", "14.2"), ("o", "15.0", "9.2"), ("b", "25.0", "4.2")]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Free to share", "With care", "On hold"]),
        ("de", ["Frei zum Teilen", "Mit Bedacht", "Angehalten"]),
    ],
)
def test_signal_says_its_light_in_words(language, words):
    with translation.override(language):
        made = [look.signal(light) for light in ("share", "careful", "hold")]
    assert [re.sub(r"<[^>]+>", "", chip) for chip in made] == words


def test_mix_of_no_own_words_is_the_drafts():
    assert ('width="99.4"' in look.mix(0), 'width="0.0"' in look.mix(0)) == (True, True)


def test_control_wears_our_class():
    class Form(forms.Form):
        line = forms.CharField(required=False)
        text = forms.CharField(required=False, widget=forms.Textarea)

    form = Form()
    made = Template("{% load look %}{% control f.line %}|{% control f.text %}").render(
        Context({"f": form})
    )
    line, text = made.split("|")
    assert ('class="input"' in line, 'class="textarea"' in text) == (True, True)


def test_our_mistake_needs_no_database_and_speaks_both_languages():
    page = render_to_string("errors/500.html")
    assert ("unser Fehler" in page, "our mistake" in page) == (True, True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "page",
    [
        "login/",
        "login/code/",
        "password/reset/",
        "password/reset/done/",
        "logout/",
        "2fa/",
        "2fa/webauthn/",
        "password/change/",
        "reauthenticate/",
    ],
)
def test_login_page_wears_our_dress_and_says_du(person, page):
    client = Client(headers={"accept-language": "de"})
    if page.startswith(("logout", "2fa", "password/change", "reauth")):
        client.force_login(person())
        client.cookies["django_language"] = "de"
    html = client.get(f"/accounts/{page}").content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    assert re.findall(r"\b(?:Sie|Ihre?[mnrs]?|Ihnen)\b", main) == []
    bare = (
        r'<(?:input(?! type="hidden")|button|textarea)\b(?![^>]*(?:class=|name="language"))[^>]*>'
    )
    assert re.findall(bare, main) == []


@pytest.mark.django_db
def test_too_many_tries_get_a_sentence(person):
    address = person().email
    client = Client(headers={"accept-language": "en"})
    answers = [client.post("/accounts/password/reset/", {"email": address}) for _ in range(7)]
    last = answers[-1]
    assert (last.status_code, "Nothing was lost" in last.content.decode()) == (429, True)


@pytest.mark.django_db
def test_stranger_asking_for_a_code_gets_no_mail(mailoutbox):
    Client().post("/accounts/login/code/", {"email": "nobody@example.org"})
    assert mailoutbox == []


def said_in_code():
    """Every text in which a class may be named: pages, scripts, and strings of the code."""
    for folder in ("templates", "static/js"):
        for path in sorted((ROOT / folder).rglob("*.*")):
            yield path.read_text()
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def classes(css):
    """The classes in the selectors of a style sheet."""
    bare = re.sub(r'/\*.*?\*/|"[^"]*"|url\([^)]*\)', "", css, flags=re.DOTALL)
    selectors = (one for one in re.findall(r"([^{};]+)\{", bare) if "@" not in one)
    return {name for one in selectors for name in re.findall(r"\.([A-Za-z_][\w-]*)", one)}


def test_every_class_of_the_style_sheets_has_a_user():
    """``tone-{{ tone }}`` in a page, or ``f"net--{size}"``, uses every ``tone-`` that has a word."""
    words, stems = set(), set()
    for text in said_in_code():
        words |= set(re.findall(r"[A-Za-z_][\w-]*", text))
        stems |= set(re.findall(r'class="[^"]*?([A-Za-z][\w-]*-)(?={)', text))
        stems |= {text} if re.fullmatch(r"[a-z]+--", text) else set()
    found = set().union(
        *(classes(path.read_text()) for path in (ROOT / "static/css").glob("*.css"))
    )
    ours = {name for name in found if not name.startswith("htmx-")}
    made = {name for name in ours for stem in stems if name.startswith(stem) and name[len(stem):] in words}  # fmt: skip
    assert len(ours) > 400
    assert sorted(ours - words - made) == []
