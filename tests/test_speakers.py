"""Speakers: who is shown, what is found, and how one withdraws, pauses and leaves."""

import datetime as dt
import io
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from ambassadors import absences, consents, memberships
from ambassadors.models import Consent, Membership, Team, TeamKind
from campaigns.models import Programme
from reception import speakers
from reception.models import Speaker, Talk

from .conftest import browser
from .corpus import cases, value

pytestmark = pytest.mark.django_db
PROFILE = {
    "languages": ["de", "tr"], "formats": ["talk", "panel"], "places": "Altmühle", "remote": True,
    "bio": "Plans heat.", "pronunciation": "EYE-la", "tech": "A lapel microphone.",
    "thing": "t-ventil",
}  # fmt: skip
TALK = {
    "title": "A town heats with its river", "abstract": "What the heat pumps cost.",
    "language": "en", "minutes": 45, "level": "all", "whom": "For town councils.",
    "visibility": "public",
}  # fmt: skip


@pytest.fixture
def team(person):
    kind = TeamKind.objects.create(
        slug="expert", behaviour="expert", name_de="Fachleute", name_en="Experts"
    )
    lead = person("Lena Lead")
    return Team.objects.create(slug="experts", name="Experts", kind=kind, lead=lead)


@pytest.fixture
def expert(person, team):
    """An active member of the team of experts with a public profile and one public talk."""

    def make(name="Ayla Demir", *, shown="public", talk=True, **facts):
        now, who = timezone.now(), person(name)
        memberships.begin(person=who, team=team, stage="active", by=None, now=now)
        speakers.keep(by=who, seen=0, facts=PROFILE, now=now)
        if shown:
            speakers.show(by=who, visibility=shown, now=now)
        if talk:
            speakers.write_talk(by=who, facts=TALK | facts, submission=uuid.uuid4(), now=now)
        return who

    return make


def found(address="/speakers/", who=None):
    page = (browser(who) if who else Client()).get(address)
    assert page.status_code == 200
    return [row["speaker"].person.name for row in page.context["rows"]]


def test_public_directory_shows_talk_and_name_without_a_cookie(expert):
    expert()
    page = Client().get("/speakers/")
    text = page.content.decode()
    assert text.index("A town heats with its river") < text.index("Ayla Demir")
    assert (page.cookies, page["Cache-Control"]) == ({}, "no-store")
    assert "csrf" not in text


@pytest.mark.parametrize(
    ("shown", "talk", "public", "internal"),
    [
        ("public", "public", True, True),
        ("public", "internal", False, True),
        ("internal", "public", False, True),
        ("public", "off", False, False),
        ("", "public", False, False),
    ],
)
def test_profile_and_talk_both_decide_who_sees(expert, jona, shown, talk, public, internal):
    expert(shown=shown, visibility=talk)
    names = ["Ayla Demir"]
    assert found() == (names if public else [])
    assert found("/experts/", jona) == (names if internal else [])
    pk = Talk.objects.get().pk
    assert Client().get(f"/speakers/talks/{pk}/").status_code == (200 if public else 404)
    assert browser(jona).get(f"/experts/talks/{pk}/").status_code == (200 if internal else 404)


def leave(who, now):
    memberships.leave_company(person=who, by=None, now=now)


def withdraw(who, now):
    speakers.withdraw(by=who, now=now)


def withdraw_among_consents(who, now):
    browser(who).post("/me/consents/", {"purpose": "speaker", "answer": "no"})


def end_term(who, now):
    memberships.end(membership=Membership.objects.get(person=who), by=None, now=now)


def pause_term(who, now):
    term = Membership.objects.get(person=who)
    memberships.move(membership=term, to="paused", by=None, now=now)


@pytest.mark.parametrize("act", [leave, withdraw, withdraw_among_consents, end_term, pause_term])
def test_profile_is_gone_with_the_next_look(expert, act):
    who = expert()
    pk = Talk.objects.get().pk
    assert found() == ["Ayla Demir"]
    act(who, timezone.now())
    assert found() == []
    gone = Client().get(f"/speakers/talks/{pk}/")
    assert (gone.status_code, "Ayla" in gone.content.decode()) == (404, False)


def test_withdrawing_is_one_tap_and_the_yes_one_more(expert):
    who = expert()
    client = browser(who)
    client.post("/me/speaking/act/", {"act": "withdraw"})
    assert found() == []
    client.post("/me/speaking/act/", {"act": "internal"})
    assert (found(), found("/experts/", who)) == ([], ["Ayla Demir"])
    given = Consent.objects.filter(person=who, purpose="speaker")
    assert [yes.withdrawn_at is None for yes in given] == [False, True]


def test_who_is_no_expert_cannot_be_shown(jona):
    client = browser(jona)
    client.post("/me/speaking/act/", {"act": "public"})
    assert not Consent.objects.filter(person=jona, purpose="speaker").exists()
    assert (
        "Speakers are members of a team of experts" in client.get("/me/speaking/").content.decode()
    )


def test_pause_is_visible_neutral_and_without_a_button(expert):
    who = expert()
    until = timezone.localdate() + dt.timedelta(days=5)
    browser(who).post("/me/speaking/act/", {"act": "pause", "until": until.isoformat()})
    text = Client().get("/speakers/?lang=en").content.decode()
    assert (f"Pause until {until.day}." in text, "/speakers/ask/?speaker=" in text) == (True, False)
    browser(who).post("/me/speaking/act/", {"act": "back"})
    assert "/speakers/ask/?speaker=" in Client().get("/speakers/").content.decode()


def test_time_away_is_a_pause_without_its_last_day(expert, jona):
    who, now = expert(), timezone.now()
    until_on = now.date() + dt.timedelta(days=5)
    absences.go(by=who, deputy=jona, until_on=until_on, now=now)
    row = Client().get("/speakers/").context["rows"][0]
    assert (row["rests"], row["until"]) == (True, None)


@pytest.mark.parametrize("written", ["", "yesterday", "2001-01-01", "9999-12-31", "2026-02-30"])
def test_pause_until_nonsense_says_so(expert, written):
    client = browser(expert())
    page = client.post("/me/speaking/act/", {"act": "pause", "until": written}, follow=True)
    assert [str(message.tags) for message in page.context["messages"]] == ["error"]
    assert Speaker.objects.get().paused_until is None


def test_search_finds_by_stem_in_two_languages_and_by_filters(expert):
    expert()
    expert(
        "Henning Brandes",
        title="Warum Windräder stillstehen",
        abstract="Netze.",
        whom="",
        language="de",
    )
    Speaker.objects.filter(person__name="Henning Brandes").update(
        languages=["de", "en"], formats=["interview"]
    )
    assert found("/speakers/?q=towns") == ["Ayla Demir"]
    assert found("/speakers/?q=Windrad") == ["Henning Brandes"]
    assert found("/speakers/?q=councils") == ["Ayla Demir"]
    assert found("/speakers/?q=nothing") == []
    assert found("/speakers/?language=tr") == ["Ayla Demir"]
    assert found("/speakers/?format=interview&language=de") == ["Henning Brandes"]
    assert found("/speakers/?format=xx&language=%27&page=-1&q=%27%3A*%20%26%20!") == [
        "Ayla Demir",
        "Henning Brandes",
    ]


def test_search_does_not_tell_of_hidden_talks(expert):
    who = expert()
    hidden = TALK | {"title": "A secret about reactors", "visibility": "internal"}
    speakers.write_talk(by=who, facts=hidden, submission=uuid.uuid4(), now=timezone.now())
    assert (found("/speakers/?q=reactors"), found("/experts/?q=reactors", who)) == (
        [],
        ["Ayla Demir"],
    )


def test_directory_asks_the_same_with_one_and_with_three(expert):
    Programme.the()
    counts = []
    for names in (["Ayla Demir"], ["Henning Brandes", "Samira Haddad"]):
        for name in names:
            expert(name)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            Client().get("/speakers/")
        counts.append(len(queries))
    assert counts == [5, 5]


def jpeg(size=(640, 480)):
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "JPEG")
    out.seek(0)
    out.name = "me.jpg"
    return out


def test_photo_is_shown_with_its_consent_only(expert):
    who = expert()
    pk = Speaker.objects.get().pk
    address = f"/speakers/{pk}/photo/"
    assert Client().get(address).status_code == 404
    browser(who).post("/me/speaking/act/", {"act": "photo", "photo": jpeg()})
    shown = Client().get(address)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/jpeg")
    assert address in Client().get("/speakers/").content.decode()
    consents.withdraw(person=who, purpose="photo", now=timezone.now())
    assert Client().get(address).status_code == 404
    assert "img/t-ventil.svg" in Client().get("/speakers/").content.decode()


def form(**typed):
    return TALK | {"submission": str(uuid.uuid4()), "seen": "0"} | typed


def test_talk_sent_twice_is_one_and_another_tab_loses_nothing(expert):
    who = expert(talk=False)
    client, one = browser(who), form()
    for _again in range(2):
        assert client.post("/me/speaking/talks/new/", one).status_code == 302
    talk = Talk.objects.get()
    address = f"/me/speaking/talks/{talk.pk}/"
    client.post(address, form(seen="1", title="The first tab"))
    late = client.post(address, form(seen="1", title="The second tab"))
    talk.refresh_from_db()
    assert (late.status_code, talk.title) == (422, "The first tab")
    assert 'value="The second tab"' in late.content.decode()
    client.post(address, form(seen=late.context["seen"], title="The second tab"))
    talk.refresh_from_db()
    assert talk.title == "The second tab"


def test_talk_of_a_megabyte_is_refused_beside_the_field(expert):
    client = browser(expert(talk=False))
    page = client.post("/me/speaking/talks/new/", form(abstract="x" * 1_000_000))
    assert (page.status_code, Talk.objects.count()) == (422, 0)
    assert "Shorter please: 1000000 characters, and 3000 fit." in page.content.decode()


@pytest.mark.parametrize("case", cases("text"))
def test_bad_titles_are_kept_clean_or_refused(expert, case):
    client = browser(expert(talk=False))
    if not {"value", "b64", "gen"} & case.keys():
        pytest.skip("no form can send it: it is a piece of JSON")
    text = value(case)
    text = text if isinstance(text, str) else text.decode("utf-8", "replace")
    page = client.post("/me/speaking/talks/new/", form(title=text[:200_000]))
    assert page.status_code in {302, 422}
    assert Talk.objects.filter(title__contains="\n").count() == 0


@pytest.mark.parametrize("minutes", ["0", "-1", "9" * 5_000, "1e3", "12.5", ""])
def test_minutes_of_nonsense_are_refused(expert, minutes):
    page = browser(expert(talk=False)).post("/me/speaking/talks/new/", form(minutes=minutes))
    assert (page.status_code, "minutes" in page.context["form"].errors) == (422, True)


def test_talk_of_somebody_else_is_not_there(expert):
    expert()
    talk, other = Talk.objects.get(), expert("Henning Brandes", talk=False)
    for act in ({"act": "delete"}, form(seen="1", title="Mine now")):
        assert browser(other).post(f"/me/speaking/talks/{talk.pk}/", act).status_code == 404
    talk.refresh_from_db()
    assert talk.title == TALK["title"]
