"""The works-agreement record: read from the code, complete, and who looked at whose data."""

import datetime as dt

import pytest
from django.utils import timezone

from ambassadors import agreement, consents, switches, takeout
from ambassadors.models import AuditEntry, Consent, SwitchTurn

from .conftest import browser
from .test_anonymity import PROVEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(person):
    return browser(person("Ada", "administrator"))


@pytest.fixture
def ines(person):
    return browser(person("Ines", "auditor"))


def test_every_figure_that_is_attacked_by_a_test_is_listed():
    listed = {one.module for one in agreement.evaluations()}
    proven = {place.split(":")[0] for place in PROVEN if not place.startswith("ambassadors")}
    proven.discard("advocacy/register.py")  # it writes the number, and no figure
    assert {place for place in proven if "/views/" not in place} - listed == set()


def test_titles_are_of_modules_that_exist():
    assert set(agreement.TITLES) - {one.module for one in agreement.evaluations()} == set()


def test_every_told_table_stands_there_with_its_columns():
    told = agreement.fields()
    assert len(told) == len(takeout.tables())
    assert [table.model.__name__ for table, names in told if not names] == []


def test_page_turns_a_switch_and_everybody_concerned_hears(ada, ines, mailoutbox):
    page = ines.get("/record/agreement/").content.decode()
    assert ("Never turned: as installed." in page, "Switch off" in page) == (True, False)
    answer = ada.post("/record/agreement/", {"name": "pulse", "act": "off", "paragraph": "§ 9"})
    assert (answer.status_code, switches.is_on("pulse")) == (302, False)
    page = ines.get("/record/agreement/").content.decode()
    assert "on § 9:" in page
    assert SwitchTurn.objects.get().by.name == "Ada"


def test_switch_without_a_section_keeps_what_was_typed(ada):
    answer = ada.post("/record/agreement/", {"name": "pulse", "act": "off", "paragraph": "§"})
    page = answer.content.decode()
    assert (answer.status_code, 'value="§"' in page, switches.is_on("pulse")) == (422, True, True)


def test_auditors_and_others_turn_nothing(ines, jona):
    for client in (ines, browser(jona)):
        client.post("/record/agreement/", {"name": "pulse", "act": "off", "paragraph": "§ 9"})
    assert SwitchTurn.objects.count() == 0


def test_who_opened_a_person_is_written_once_an_hour_and_told_to_both(person, jona, ines):
    hella = person("Hella", "hr")
    for _again in range(2):
        assert browser(hella).get(f"/people/{jona.pk}/leave/").status_code == 200
    assert AuditEntry.objects.filter(act="person.opened").count() == 1
    page = ines.get("/record/looks/").content.decode()
    assert ("Hella" in page, "Jona Harms" in page) == (True, True)
    own = browser(jona).get("/me/data/").content.decode()
    assert "Hella" in own
    other = browser(person("Other")).get("/me/data/").content.decode()
    assert "Hella" not in other
    agreement.note_look(
        person=jona, page="leave", by=hella, now=timezone.now() + dt.timedelta(minutes=61)
    )
    assert AuditEntry.objects.filter(act="person.opened").count() == 2


def test_own_page_is_no_look(jona):
    agreement.note_look(person=jona, page="term", by=jona, now=timezone.now())
    assert AuditEntry.objects.filter(act="person.opened").count() == 0


def test_smallest_group_stands_in_the_record(ines):
    assert "5 people, everywhere" in ines.get("/record/agreement/").content.decode()


@pytest.mark.parametrize("path", ["/record/agreement/", "/record/looks/", "/record/retention/"])
def test_record_is_for_auditors_and_administrators(path, jona, person, ada, ines):
    assert {ada.get(path).status_code, ines.get(path).status_code} == {200}
    assert browser(jona).get(path).status_code in {403, 404}
    assert browser(person("Hella", "hr")).get(path).status_code in {403, 404}


def test_consents_are_told_with_their_history(jona):
    client = browser(jona)
    assert "withdrawn on" not in client.get("/me/accounts/").content.decode()
    client.post("/me/consents/", {"purpose": "publish", "answer": "no"})
    assert client.get("/me/accounts/").content.decode().count("withdrawn on") == 1


def test_consent_of_another_page_is_withdrawn_here_and_given_there(jona):
    consents.give(person=jona, purpose="contact_card", now=timezone.now())
    client = browser(jona)
    assert "Public contact card" in client.get("/me/accounts/").content.decode()
    for answer, left in (("no", 0), ("yes", 0)):
        client.post("/me/consents/", {"purpose": "contact_card", "answer": answer})
        assert Consent.objects.given().filter(purpose="contact_card").count() == left
