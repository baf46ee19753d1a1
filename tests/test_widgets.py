"""Widgets: who is in them, which sites may show them, and what may stand in a header."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from ambassadors.models import Site
from campaigns import leaving
from reception import widgets
from reception.models import ContactCard, Widget

from .conftest import browser
from .test_cards import areas, contact, desk_of_contacts  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(person):
    def save(**changes):
        given = {
            "title": "Electrician", "areas": [], "sites": [], "cards": [], "theme": "auto",
            "origins": ["https://careers.example.com"], "language": "en", "answer_days": None,
        }  # fmt: skip
        wanted = widgets.Wanted(**given | changes)
        return widgets.save(
            widget=None, wanted=wanted, by=person("Selin", "hr"), now=timezone.now()
        )

    return save


def frame(widget, **headers):
    return Client(headers=headers).get(f"/ask/widget/{widget.key}/")


def directive(page):
    return re.search(r"frame-ancestors ([^;]*)", page["Content-Security-Policy"])[1]


def test_frame_is_for_the_sites_of_its_row_only(contact, make):
    contact()
    page = frame(make(origins=["https://a.example", "https://*.b.example:8443"]))
    assert directive(page) == "https://a.example https://*.b.example:8443"
    assert ("X-Frame-Options" in page, page.cookies.output()) == (False, "")
    assert (page["Cache-Control"], b"<script" in page.content) == ("no-store", False)
    none = frame(make(origins=[]))
    other = Client().get("/ask/")
    assert (directive(none), directive(other), other["X-Frame-Options"]) == (
        "'none'",
        "'none'",
        "DENY",
    )


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://Careers.Example.com/", "https://careers.example.com"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://*.example.com", "https://*.example.com"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://careers.example.com", None),
        ("https://careers.example.com/jobs", None),
        ("https://*", None),
        ("https://*.com", None),
        ("*", None),
        ("https://a.example; script-src *", None),
        ("https://a.example https://b.example", None),
        ("https://user@a.example", None),
        ("javascript:alert(1)", None),
        ("data:", None),
        ("'self'", None),
        ("https://a.example:999999", None),
        ("https://" + "a" * 5_000, None),
    ],
)
def test_only_a_site_reaches_the_header(typed, kept):
    if kept:
        assert widgets.origin(typed) == kept
    else:
        with pytest.raises(widgets.WidgetRefused):
            widgets.origin(typed)


def test_widget_shows_whom_it_is_about(contact, make, areas):
    site = Site.objects.create(slug="lohe", name="Lohe")
    contact("Area and site", areas=[areas[0]], sites=[site])
    contact("Area only", areas=[areas[0]])
    named = contact("By name")
    card = ContactCard.objects.get(person=named)
    found = [
        [row["name"] for row in shown(make(**chosen))]
        for chosen in ({}, {"areas": [areas[0]]}, {"areas": [areas[0]], "sites": [site]},
                       {"areas": [areas[0]], "sites": [site], "cards": [card]}, {"cards": [card]})
    ]  # fmt: skip
    assert found == [
        ["Area and site", "Area only", "By name"],
        ["Area and site", "Area only"],
        ["Area and site"],
        ["Area and site", "By name"],
        ["By name"],
    ]


def shown(widget):
    return [{"name": card.name} for card in frame(widget).context["cards"]]


def test_who_leaves_is_out_of_the_widget_at_once(contact, make):
    lukasz = contact()
    widget = make(cards=[ContactCard.objects.get()])
    assert [card["name"] for card in shown(widget)] == ["Łukasz Wrona"]
    leaving.leave(person=lukasz, by=None, now=timezone.now())
    page = frame(widget)
    assert (page.status_code, "ukasz" in page.content.decode()) == (200, False)


def test_extension_is_shown_where_it_is_set(contact, make):
    contact(extension="0000 241")
    assert "Extension 0000 241" in frame(make()).content.decode()


def test_language_and_theme_are_the_rows_or_the_visitors(contact, make):
    contact()
    page = frame(make(theme="dark", language="de")).content.decode()
    assert '<html lang="de" data-theme="dark">' in page
    own = frame(make(language=""), accept_language="de").content.decode()
    assert '<html lang="de">' in own


def test_retired_widget_is_empty_and_its_link_leads_on(contact, make, person):
    contact()
    widget = make()
    browser(person("Heike", "hr")).post(f"/reception/widgets/{widget.pk}/", {"act": "retire"})
    assert (shown(widget), Client().get(f"/ask/?w={widget.key}").status_code) == ([], 200)


def test_question_from_a_widget_keeps_its_promise(contact, make):
    contact()
    widget = make(answer_days=7, title="Electrician")
    page = Client().get(f"/ask/?w={widget.key}&lang=en").content.decode()
    assert "An answer within 7 working days" in page
    assert "You come from: Electrician." in page


def test_snippets_name_nobody_and_run_nothing(contact, make):
    contact()
    widget = make()
    both = widgets.snippets(widget).both
    assert ("ukasz" in both, "script" in both, "sandbox=" in both) == (False, False, True)
    assert f"/ask/?w={widget.key}&amp;lang=en" in both


def test_form_keeps_what_was_typed(contact, person, areas):
    contact()
    office = browser(person("Selin", "hr"))
    form = {"title": "Electrician", "origins": "https://a.example\nnonsense", "areas": ["office"]}
    page = office.post("/reception/widgets/", form)
    assert (page.status_code, list(page.context["wrong"])) == (422, ["origins"])
    assert "https://a.example\nnonsense" in page.content.decode()
    good = office.post("/reception/widgets/", form | {"origins": "https://a.example"})
    made = Widget.objects.get()
    assert (good["Location"], made.origins) == (
        f"/reception/widgets/{made.pk}/",
        ["https://a.example"],
    )
    again = office.post(f"/reception/widgets/{made.pk}/", form | {"answer_days": "99", "title": ""})
    assert (again.status_code, list(again.context["wrong"])) == (422, ["title"])


def test_office_pages_open(contact, person, areas):
    contact()
    office = browser(person("Selin", "hr"))
    paths = ("/reception/widgets/", "/reception/quarantine/", "/reception/answers/")
    assert [office.get(path).status_code for path in paths] == [200, 200, 200]
    team = ContactCard.objects.get().person.membership_set.get().team
    for days, status in (("5", 302), ("0", 422), ("99", 422), ("x", 422), ("9" * 5_000, 422)):
        form = {"act": "promise", "team": team.pk, "answer_days": days}
        assert office.post("/reception/answers/", form).status_code == status
    for name, status in (("Logistics", 302), ("Logistics", 422), ("", 422), ("日本", 422)):
        form = {"act": "area", "name_de": "Logistik", "name_en": name}
        assert office.post("/reception/answers/", form).status_code == status
