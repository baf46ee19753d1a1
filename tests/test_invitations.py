"""Invitations by mail: one to an address, reports read, and a no that is no record."""

import datetime as dt
import email
import email.policy
import threading
import uuid

import pytest
from django.core import mail
from django.db import IntegrityError, connections, transaction
from django.test import Client
from django.utils import timezone

from ambassadors import memberships
from ambassadors.models import AuditEntry, Person
from people import bounces, invitations
from people.models import Call, Invitation, InvitationRound, NoInvitations

from .conftest import browser, night
from .test_calls import call_for, lead, team  # noqa: F401
from .test_pipeline import selin, team_of  # noqa: F401

pytestmark = pytest.mark.django_db

REPORT = """\
From: MAILER-DAEMON@mx.example.org
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {status} no

--b
Content-Type: message/rfc822

Subject: Would you like to join in?
To: {recipient}

Text
--b--
"""


@pytest.fixture(autouse=True)
def _domain(settings):
    settings.MAIL_DOMAIN = "botschaft.example.org"


def send(call, by, *addresses, note="You tell it well.", people=(), submission=None):
    return invitations.send(
        call=call, note=note, addresses=addresses, people=people,
        submission=submission or uuid.uuid4(), by=by, now=timezone.now(),
    )  # fmt: skip


def sent(call, by, address="nam@example.org"):
    send(call, by, address)
    invitations.send_due(now=timezone.now())
    return Invitation.objects.get()


def report(to, action="failed", status="5.1.1"):
    text = REPORT.format(to=to, action=action, status=status, recipient="nam@example.org")
    return email.message_from_string(text, policy=email.policy.default)


def test_each_address_gets_one_personal_mail_ever(team, call_for, selin, lead, jona, mailoutbox):
    call, now = call_for(team), timezone.now()
    first = send(call, selin, "nam@example.org", "NAM@example.org", jona.email)
    second = send(call, lead, "Nam@Example.org", "lea@example.org")
    assert [(o.queued, o.before) for o in (first, second)] == [(2, 0), (1, 1)]
    assert [invitations.send_due(now=now) for _ in range(2)] == [3, 0]
    assert sorted(m.to[0].lower() for m in mailoutbox) == sorted(
        ["nam@example.org", jona.email, "lea@example.org"]
    )
    to_jona = next(m for m in mailoutbox if m.to == [jona.email])
    assert to_jona.body.startswith("Hello Jona,\n\nYou tell it well.\n\nSelin")
    assert "It is voluntary." in to_jona.body
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(
            call=call, round=InvitationRound.objects.first(), address="x@example.org",
            address_key=invitations.key_of(jona.email),
        )  # fmt: skip


def test_two_clicks_are_one_round(team, call_for, selin):
    call, key = call_for(team), uuid.uuid4()
    outcomes = [send(call, selin, "nam@example.org", submission=key).queued for _ in range(2)]
    assert (outcomes, InvitationRound.objects.count()) == ([1, 0], 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_mail_once(team, call_for, selin):
    call, gate = call_for(team), threading.Barrier(2)
    send(call, selin, *(f"p{n}@example.org" for n in range(12)))
    mail.outbox = []

    def work():
        try:
            gate.wait()
            invitations.send_due(now=timezone.now())
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    assert sorted(m.to[0] for m in mail.outbox) == sorted(f"p{n}@example.org" for n in range(12))


def test_worker_that_dies_after_its_claim_sends_no_second_mail(
    team, call_for, selin, mailoutbox, monkeypatch
):
    send(call_for(team), selin, "nam@example.org")

    def die(_row):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr(invitations, "_message", die)
        invitations.send_due(now=timezone.now())
    assert (invitations.send_due(now=timezone.now()), mailoutbox) == (0, [])


def test_mail_server_that_is_away_loses_nothing(team, call_for, selin, mailoutbox, monkeypatch):
    send(call_for(team), selin, "nam@example.org")

    def away():
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(invitations, "get_connection", away)
        assert invitations.send_due(now=timezone.now()) == 0
    assert (invitations.send_due(now=timezone.now()), len(mailoutbox)) == (1, 1)


def test_who_left_gets_none_and_a_closed_call_sends_none(team, call_for, selin, person, mailoutbox):
    call, gone, later = call_for(team), person("Gone"), person("Later")
    memberships.leave_company(person=gone, by=selin, now=timezone.now())
    outcome = send(call, selin, gone.email, later.email)
    assert (outcome.queued, outcome.left) == (1, 1)
    memberships.leave_company(person=later, by=selin, now=timezone.now())
    Call.objects.update(ended_at=timezone.now())
    send(call_for(team), selin, "x@example.org")
    Call.objects.update(ended_at=timezone.now())
    invitations.send_due(now=timezone.now())
    assert mailoutbox == []


def test_headers_cannot_be_written_by_names_titles_and_notes(team, call_for, selin, mailoutbox):
    evil = "x\r\nBcc: all@example.org\r\n\r\nHello"
    Person.objects.filter(pk=selin.pk).update(name=evil)
    call = call_for(team)
    Call.objects.update(title_de=evil, title_en=evil)
    selin.refresh_from_db()
    send(call, selin, "nam@example.org", note=evil)
    invitations.send_due(now=timezone.now())
    [one] = mailoutbox
    raw = email.message_from_bytes(one.message().as_bytes())
    assert (one.recipients(), raw["Bcc"]) == (["nam@example.org"], None)
    assert "\n" not in one.subject


# Reports ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "status", "state"),
    [
        ("failed", "5.1.1", "bounced"), ("failed", "", "bounced"), ("Failed (user unknown)", "5.0.0", "bounced"),
        ("failed", "4.4.7", "delayed"), ("delayed", "4.2.2", "delayed"), ("delivered", "2.0.0", "sent"),
        ("relayed", "2.0.0", "sent"),
    ],
)  # fmt: skip
def test_report_marks_the_invitation(team, call_for, selin, mailoutbox, action, status, state):
    sent(call_for(team), selin)
    to = mailoutbox[0].from_email
    assert mailoutbox[0].message()["From"] != to
    assert len(to.split("@")[0]) <= 64
    for _twice in range(2):
        assert bounces.take(report(to.upper(), action, status), now=timezone.now())
    assert Invitation.objects.get().state == state


def test_hard_report_after_a_soft_one_counts_and_not_the_other_way(
    team, call_for, selin, mailoutbox
):
    sent(call_for(team), selin)
    to = mailoutbox[0].from_email
    states = []
    for action, status in (("delayed", "4.2.2"), ("failed", "5.1.1"), ("delayed", "4.2.2")):
        bounces.take(report(to, action, status), now=timezone.now())
        states.append(Invitation.objects.get().state)
    assert states == ["delayed", "bounced", "bounced"]


@pytest.mark.parametrize(
    "to",
    ["bounces+1-00000000000000000000@botschaft.example.org", "q+abc@botschaft.example.org", "", "bounces+@x", "\x00"],
)  # fmt: skip
def test_forged_and_foreign_messages_are_left_alone(team, call_for, selin, to):
    sent(call_for(team), selin)
    message = report("x@example.org")
    del message["To"]
    message["X-Original-To"] = to.replace("\x00", "")
    assert not bounces.take(message, now=timezone.now())
    assert Invitation.objects.get().state == "sent"


@pytest.mark.parametrize(
    "body",
    ["I am away until Monday.", "Content-Type: message/delivery-status\n\nAction: failed", "\udcff" * 40],
    ids=["out of office", "no report", "broken"],
)  # fmt: skip
def test_other_mail_to_a_return_address_is_taken_and_changes_nothing(
    team, call_for, selin, mailoutbox, body
):
    sent(call_for(team), selin)
    text = f"To: {mailoutbox[0].from_email}\nSubject: Re\n\n{body}"
    message = email.message_from_string(text, policy=email.policy.default)
    assert bounces.take(message, now=timezone.now())
    assert Invitation.objects.get().state == "sent"


def test_bounced_address_is_shown_and_forgotten_with_the_others(team, call_for, selin, mailoutbox):
    call = call_for(team)
    sent(call, selin)
    desk = browser(selin)
    assert "nam@example.org" not in desk.get(f"/people/calls/{call.pk}/").content.decode()
    bounces.take(report(mailoutbox[0].from_email), now=timezone.now())
    assert "nam@example.org" in desk.get(f"/people/calls/{call.pk}/").content.decode()
    now = timezone.now()
    assert [night("invitations", now=now + dt.timedelta(days=n)) for n in (1, 15)] == [0, 1]
    assert "nam@example.org" not in desk.get(f"/people/calls/{call.pk}/").content.decode()
    assert send(call, selin, "nam@example.org").queued == 0


# No, thanks -------------------------------------------------------------------------------------


def test_no_is_no_record_and_a_stop_is_seen_by_nobody(team, call_for, selin, mailoutbox):
    call = call_for(team)
    row = sent(call, selin)
    url = invitations.no_address(row).split("/", 3)[3]
    before = (
        list(Invitation.objects.values()), AuditEntry.objects.count(), NoInvitations.objects.count(),
    )  # fmt: skip
    assert Client().get(f"/{url}").status_code == 200
    assert before == (
        list(Invitation.objects.values()), AuditEntry.objects.count(), NoInvitations.objects.count(),
    )  # fmt: skip
    for _click in range(2):
        assert Client(enforce_csrf_checks=True).post(f"/{url}").status_code == 200
    other = call_for(team)
    assert send(other, selin, "nam@example.org").queued == 1
    assert invitations.send_due(now=timezone.now()) == 0
    assert [row.state for row in Invitation.objects.filter(call=other)] == ["sent"]
    assert len(mailoutbox) == 1
    assert Client().get("/invitations/no/forged/").status_code == 404


# The page ---------------------------------------------------------------------------------------


def invite_form(**fields):
    return {
        "note": "You tell it well.",
        "addresses": "",
        "act": "send",
        "submission": str(uuid.uuid4()),
        **fields,
    }


def test_hr_pastes_names_and_addresses_or_chooses_people(team, call_for, selin, person, jona):
    call, desk = call_for(team), browser(selin)
    pasted = 'Nam Vu <nam@example.org>; "Lea" <LEA@example.org>,\nnam@EXAMPLE.org'
    desk.post(f"/people/calls/{call.pk}/invite/", invite_form(addresses=pasted))
    assert sorted(Invitation.objects.values_list("address", flat=True)) == [
        "LEA@example.org",
        "nam@example.org",
    ]
    counted = desk.post(
        f"/people/calls/{call.pk}/invite/", invite_form(act="count", choose="yes", language="en")
    ).content.decode()
    assert f"{Person.objects.filter(left_at=None).count()} people" in counted
    desk.post(f"/people/calls/{call.pk}/invite/", invite_form(choose="yes", language="en"))
    assert Invitation.objects.filter(person=jona).count() == 1


def test_lead_cannot_choose_the_whole_company(team, call_for, lead, jona):
    call = call_for(team)
    answer = browser(lead).post(f"/people/calls/{call.pk}/invite/", invite_form(choose="yes"))
    assert (answer.status_code, Invitation.objects.count()) == (422, 0)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"note": " "}, "Write a few words"), ({"note": "x" * 1_000_000}, "Shorter please"),
        ({"addresses": ""}, "Paste addresses"), ({"addresses": "not@an@address"}, "No addresses"),
        ({"addresses": "a@b\r\nBcc: c@d"}, "No addresses"), ({"addresses": "\x00"}, "Paste addresses"),
        ({"addresses": " ".join(f"p{n}@example.org" for n in range(5_001))}, "5,000 at once"),
    ],
    ids=["blank", "1 MB", "none", "no address", "header", "nul", "too many"],
)  # fmt: skip
def test_bad_round_gets_a_sentence_and_sends_nothing(team, call_for, selin, fields, sentence):
    call = call_for(team)
    given = invite_form(addresses="nam@example.org") | fields
    answer = browser(selin).post(f"/people/calls/{call.pk}/invite/", given)
    page = answer.content.decode()
    assert (answer.status_code, sentence in page, Invitation.objects.count()) == (422, True, 0)
    assert "You tell it well." in page or "note" in fields
