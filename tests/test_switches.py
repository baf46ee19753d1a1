"""Switches of the works agreement: off until turned, on a paragraph, and the auditors hear of it."""

import pytest
from django.utils import timezone

from ambassadors import switches
from ambassadors.models import AuditEntry, SwitchTurn
from ambassadors.switches import SWITCHES, NotTurned, Switch
from integrations import switch_mails
from people import pulse

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(person, monkeypatch):
    monkeypatch.setitem(SWITCHES, "test", Switch(title="A figure", about="Shows a figure."))
    return person("Ada", "administrator")


def turn(by, *, on, paragraph="§ 4 (2)"):
    return switches.turn(name="test", on=on, paragraph=paragraph, by=by, now=timezone.now())


def test_switch_is_off_until_it_is_turned_and_off_again_after(ada):
    states = [switches.is_on("test")]
    turn(ada, on=True)
    states.append(switches.is_on("test"))
    turn(ada, on=False)
    assert [*states, switches.is_on("test")] == [False, True, False]
    assert AuditEntry.objects.filter(act="switch.turned", actor_id=ada.pk).count() == 2


@pytest.mark.parametrize(
    ("on", "paragraph"), [(True, " \n "), (True, "§" * 401), (False, "§ 4 (2)")]
)
def test_nothing_turns_without_a_section_or_a_change(ada, on, paragraph):
    with pytest.raises(NotTurned):
        turn(ada, on=on, paragraph=paragraph)
    assert (switches.is_on("test"), SwitchTurn.objects.count()) == (False, 0)


def test_auditors_hear_once_and_nobody_else(ada, person, mailoutbox):
    gone = person("Gone", "auditor", left_at=timezone.now())
    turn(ada, on=True)
    assert switch_mails.tell_due(now=timezone.now()) == 0  # nobody to tell yet: it stays untold
    ines = person("Ines", "auditor")
    assert [switch_mails.tell_due(now=timezone.now()) for _ in range(2)] == [1, 0]
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == ([ines.email], "Switched on: A figure")
    assert ("§ 4 (2)" in mail.body, "Ada" in mail.body, gone.email in mail.to) == (
        True, True, False,
    )  # fmt: skip


def test_no_survey_is_opened_while_the_agreement_has_none(ada, person, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(pulse, "asked", lambda: dict.fromkeys(range(6), pulse.REST))
    switches.turn(name="pulse", on=False, paragraph="§ 9", by=ada, now=now)
    with pytest.raises(pulse.NotOpened):
        pulse.open_round(day=now.date(), by=ada, now=now)
    switches.turn(name="pulse", on=True, paragraph="§ 9", by=ada, now=now)
    assert pulse.open_round(day=now.date(), by=ada, now=now).pk
