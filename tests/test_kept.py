"""Pieces kept for many, statements composed once: nothing of one person reaches another."""

import datetime as dt
import re
import uuid
from pathlib import Path

import pytest
from django.db.models import Value
from django.template import Context, Template
from django.utils import timezone, translation

from advocacy.templatetags import kept
from ambassadors.composed import among, composed
from ambassadors.models import Person, Role, Team, TeamKind, TimeOff
from campaigns.models import Post

from .conftest import browser

TEMPLATES = Path(__file__).parents[1] / "templates"
PAGES = [*TEMPLATES.rglob("*.html")]


def show(source, **values):
    return Template("{% load kept %}" + source).render(Context(values))


@pytest.fixture
def piece(settings, tmp_path):
    """A template of the given text; returns what shows it."""
    (tmp_path / "parts").mkdir()
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}
    ]
    from django.template import engines

    def make(text, uses, **values):
        name = f"parts/{uuid.uuid4()}.html"
        (tmp_path / name).write_text(text)
        page = engines["django"].from_string(f'{{% load kept %}}{{% kept "{name}" {uses} %}}')
        return lambda **values: page.render(values)

    return make


# Kept pieces ------------------------------------------------------------------------------------


def test_kept_piece_sees_nothing_of_the_page_but_its_values(piece):
    shown = piece("{{ word }}|{{ user }}|{{ request }}|{{ secret }}", "word=word")
    assert shown(word="a", user="Jona", request="r", secret="s") == "a|||"


def test_kept_piece_puts_the_persons_own_in_each_time_and_escapes_it(piece):
    shown = piece(
        '<a title="{{ own_name }}">{{ word }}{% csrf_token %}</a>', "word=word own_name=name"
    )
    before = kept._rendered.cache_info().misses
    first = shown(word="w", name='"><script>', csrf_token="token-of-one")
    second = shown(word="w", name="Mirja", csrf_token="token-of-another")
    assert first == (
        '<a title="&quot;&gt;&lt;script&gt;">w'
        '<input type="hidden" name="csrfmiddlewaretoken" value="token-of-one"></a>'
    )
    assert (second.count("Mirja"), "token-of-one" in second, "script" in second) == (
        1,
        False,
        False,
    )
    assert kept._rendered.cache_info().misses == before + 1


def test_kept_piece_is_another_in_another_language_clock_and_for_other_values(piece):
    shown = piece(
        "{% load i18n %}{% translate 'Today' %} {{ day|date:'l' }} {{ on }}", "day=day on=on"
    )
    day = dt.date(2026, 11, 30)
    with translation.override("de"):
        german = shown(day=day, on=True)
    assert (german, shown(day=day, on=True), shown(day=day, on=False)) == (
        "Heute Montag True",
        "Today Monday True",
        "Today Monday False",
    )


@pytest.mark.parametrize("value", [[1], {"a": 1}, Person(pk=1, name="Jona"), timezone.now()])
def test_kept_piece_takes_no_rows_and_nothing_that_changes(piece, value):
    with pytest.raises(TypeError):
        piece("{{ word }}", "word=word")(word=value)


def test_kept_templates_only_print_what_is_the_persons_own():
    """A condition or a filter would look at the place, not at the words that come there."""
    used = {name for page in PAGES for name in re.findall(r'{% kept "(.+?)"', page.read_text())}
    assert len(used) > 5
    for name in used:
        text = (TEMPLATES / name).read_text()
        rest = re.sub(r"{{ own_\w+ }}|{% blocktranslate with \w+=own_\w+ %}", "", text)
        assert ("own_" in rest, re.findall(r"{% now|\b(?:user|request|messages)\.", rest)) == (
            False,
            [],
        ), name


# Two people -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_pages_of_two_people_in_turn_hold_nothing_of_each_other(
    suggestion, person, a_working_day, topic
):
    anna, bert = person("Anna Ahrens"), person("Bert Bodden")
    Role.objects.create(person=bert, name="administrator")
    now = timezone.now()
    for who, word in ((anna, "Algae"), (bert, "Birches")):
        Post.objects.create(
            person=who, suggestion=suggestion, network="x", how="copied", submission=uuid.uuid4(),
            text=f"{word} grow here.", full_text="x", language="en", own_share=100, sha256="x",
            created_at=now, replies=7 if who == anna else 8,
        )  # fmt: skip
    TimeOff.objects.create(
        person=bert, from_on=now, until_on=now + dt.timedelta(days=2), said_at=now
    )
    readers = {"anna": browser(anna), "bert": browser(bert)}
    for path in ("/", "/suggestions/", "/?anna=1"):
        pages = {
            name: reader.get(path).content.decode()
            for _turn in range(2)
            for name, reader in readers.items()
        }
        tokens = {
            name: re.findall(r'name="csrfmiddlewaretoken" value="(\w{64})"', page)
            for name, page in pages.items()
        }
        keys = {name: re.search(r'data-person="(\w+)"', page)[1] for name, page in pages.items()}
        assert len(set(keys.values())) == 2
        assert all(len(found) > 2 and len(set(found)) == 1 for found in tokens.values())
        assert not set(tokens["anna"]) & set(tokens["bert"])
        for name, others in (
            ("anna", ("Bert", "Birches", ">BB<", "This installation", "I am back")),
            ("bert", ("Anna", "Algae", ">AA<")),
        ):
            assert [word for word in others if word in pages[name]] == [], (path, name)
        assert "Anna Ahrens" in pages["anna"]
        assert "This installation" in pages["bert"]
    assert ("Algae grow here." in readers["anna"].get("/").content.decode()) is True
    assert '<input type="hidden" name="next" value="/?anna=1">' in pages["anna"]


@pytest.mark.django_db
def test_role_given_a_moment_ago_shows_at_the_next_look(person, suggestion):
    jona = person("Jona Jahn")
    reader = browser(jona)
    assert "/desk/" not in reader.get("/suggestions/").content.decode()
    Role.objects.create(person=jona, name="curator")
    assert 'href="/desk/"' in reader.get("/suggestions/").content.decode()


@pytest.mark.django_db
def test_form_of_a_kept_piece_is_taken(person, suggestion):
    from django.test import Client

    reader = Client(enforce_csrf_checks=True)
    reader.force_login(person("Jona Jahn"))
    token = re.search(
        r'csrfmiddlewaretoken" value="(\w+)"', reader.get("/suggestions/").content.decode()
    )
    answers = [
        reader.post("/language/", {"language": "de", "next": "/", "csrfmiddlewaretoken": given})
        for given in (token[1], "x" * 64)
    ]
    assert [answer.status_code for answer in answers] == [302, 403]


# Statements composed once -------------------------------------------------------------------------


@composed
def called(person: int, wanted: list[int], since: dt.datetime):
    CALLS.append(person)
    rows = Person.objects.filter(pk=person, joined_at__gte=since)
    return rows.filter(among("pk", wanted)).values_list("name", Value("a%b"))


CALLS = []


@pytest.mark.django_db
def test_statement_is_composed_once_and_answers_each_with_their_own(person):
    jona, mirja = person("Jona"), person("Mirja")
    early, late = timezone.now() - dt.timedelta(days=9000), timezone.now() + dt.timedelta(days=9)
    both = [jona.pk, mirja.pk]
    found = [
        called(jona.pk, both, early), called(mirja.pk, both, early), called(jona.pk, [], early),
        called(person=jona.pk, wanted=[mirja.pk], since=early), called(jona.pk, both, since=late),
    ]  # fmt: skip
    assert found == [[("Jona", "a%b")], [("Mirja", "a%b")], [], [], []]
    assert len(CALLS) == 1


@pytest.mark.django_db
def test_roles_by_fact_are_those_of_the_person(person):
    kind = TeamKind.objects.create(slug="c", behaviour="contact", name_de="c", name_en="c")
    lead, serves, other = person("Lea"), person("Sven"), person("Otto")
    team = Team.objects.create(slug="t", name="T", kind=kind, lead=lead)
    for who, stage in ((serves, "active"), (other, "paused")):
        team.membership_set.create(
            person=who, stage=stage, started_on="2026-01-01", stage_since_on="2026-01-01"
        )
    Role.objects.create(person=other, name="legal")
    assert [who.given_roles for who in (lead, serves, other)] == [
        {"lead", "lead_contact"},
        {"contact"},
        {"legal"},
    ]


@pytest.mark.django_db
def test_post_without_figures_hides_no_sentence_that_worked(person, suggestion, a_working_day):
    """PostgreSQL puts what is unknown first when it counts down."""
    jona = person("Jona")
    for words, replies in (("Nobody measured this.", None), ("This one worked.", 3)):
        Post.objects.create(
            person=jona, suggestion=suggestion, network="x", how="copied", submission=uuid.uuid4(),
            text=words, full_text="x", language="en", own_share=100, sha256="x",
            created_at=timezone.now(), replies=replies,
        )  # fmt: skip
    page = browser(jona).get("/").content.decode()
    assert ("This one worked." in page, "Nobody measured this." in page) == (True, False)


@pytest.mark.django_db
def test_figures_of_four_weeks_are_sums_of_the_persons_own_posts(person, suggestion):
    from campaigns.models import ShortLink
    from campaigns.views.today import impact

    jona, mirja, now = person("Jona"), person("Mirja"), timezone.now()
    for who, days, clicks in ((jona, 1, 5), (jona, 2, None), (jona, 40, 9), (mirja, 1, 11)):
        link = clicks and ShortLink.objects.create(
            code=uuid.uuid4().hex[:10], target="https://x.example/", clicks=clicks
        )
        Post.objects.create(
            person=who, suggestion=suggestion, network="x", how="copied", submission=uuid.uuid4(),
            text="x", full_text="x", language="en", own_share=0, sha256="x", link=link or None,
            created_at=now - dt.timedelta(days=days), replies=1, likes=10, reposts=100,
        )  # fmt: skip
    found = impact(jona, now)
    assert [found[k] for k in ("replies", "reactions", "clicks", "reported", "line")] == [
        2, 220, 5, False, "",
    ]  # fmt: skip
    assert impact(person("Nobody"), now)["clicks"] == 0
