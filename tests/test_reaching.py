"""The gate to people outside of Botschaft: once a day, by one way, and for a hold of theirs."""

import datetime as dt
import email
import email.policy
import smtplib

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, transaction
from django.utils import timezone

from ambassadors import absences
from ambassadors.models import Person
from campaigns import holds, issue_mails, reaching
from campaigns.models import Briefing, BriefingItem, Programme, Reached, ReachWish
from integrations import bounces

from .conftest import browser, night
from .test_issues import TUESDAY, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def out(topic):
    """Tuesday's issue is out."""
    issue = Briefing.objects.create(day=TUESDAY, published_at=at(6))
    BriefingItem.objects.create(briefing=issue, topic=topic, position=0)
    return issue


@pytest.fixture
def box():
    """What leaves by a way of this test's own; ``box.fails`` is raised instead."""

    class Box(list):
        fails = None

        def __call__(self, message):
            if self.fails:
                raise self.fails
            self.append((message.person, message.hold))

    return Box()


def ask(who, way="mail", time=dt.time(7, 30)):
    return reaching.wish(by=who, way=way, at=time, now=at(6))


def send(box, way="mail", now=None):
    return reaching.send_due(way=way, deliver=box, now=now or at(8))


# One a day -----------------------------------------------------------------------------------


def test_two_ways_on_one_day_are_one_message(out, jona, box):
    ask(jona)
    assert send(box) == 1
    ask(jona, "push")
    assert (send(box, "push"), send(box, "mail"), len(box)) == (0, 0, 1)
    later = at(8, day=TUESDAY + dt.timedelta(days=1))
    Briefing.objects.create(day=later.date(), published_at=later)
    assert (send(box, "mail", later), send(box, "push", later)) == (0, 1)


def test_database_refuses_a_second_message_of_a_day_and_a_second_daily_way(jona):
    fields = {"person": jona, "day": TUESDAY, "at": at(8)}
    Reached.objects.create(way="mail", **fields)
    ask(jona)
    for again in (
        lambda: Reached.objects.create(way="push", **fields),
        lambda: ReachWish.objects.create(
            person=jona, way="push", at=dt.time(8), since=timezone.now()
        ),
        lambda: ReachWish.objects.filter(person=jona).update(off_at=at(8)),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            again()


def test_day_is_the_persons(out, person, box):
    there = person("Ana", timezone="America/Sao_Paulo")  # four hours behind Berlin in November
    ask(there)
    assert [send(box, now=now) for now in (at(11, 29), at(11, 30))] == [0, 1]
    assert Reached.objects.get().day == TUESDAY


def test_claim_is_taken_once(out, jona):
    message = reaching.Message(jona, ask(jona), at(8), issue=out)
    assert [bool(reaching.claim(message)) for _n in range(2)] == [True, False]


@pytest.mark.parametrize("how", ["no issue", "too early", "evening", "weekend", "away", "left"])
def test_nothing_comes(topic, jona, person, box, how):
    day = TUESDAY + dt.timedelta(days=4) if how == "weekend" else TUESDAY
    if how != "no issue":
        Briefing.objects.create(day=day, published_at=at(6, day=day))
    ask(jona)
    if how == "away":
        absences.go(by=jona, deputy=person("Nam"), until_on=day, now=at(6))
    if how == "left":
        type(jona).objects.filter(pk=jona.pk).update(left_at=at(7))
    now = {"too early": at(7, 29), "evening": at(19), "weekend": at(9, day=day)}.get(how, at(9))
    assert (send(box, now=now), Reached.objects.count()) == (0, 0)
    if how == "away":
        absences.come_back(by=jona, now=at(9))
        assert send(box, now=at(9)) == 1


# A hold ----------------------------------------------------------------------------------------


def test_quiet_hours_set_while_a_round_goes_on_count(out, jona, person):
    ayla, got = person("Ayla"), []
    ask(jona)
    ask(ayla)

    def deliver(message):
        got.append(message.person)
        Person.objects.exclude(pk=message.person.pk).update(quiet_from_hour=0, quiet_until_hour=23)

    assert (send(deliver), len(got)) == (1, 1)


@pytest.fixture
def queued(jona, suggestion, account_on, mastodon, queue, out):
    """Jona's post waits for tomorrow."""
    return queue(jona, account_on(jona, mastodon), due_at=timezone.now() + dt.timedelta(days=1))


@pytest.fixture
def held(queued, topic, mirja):
    """A hold of this morning, as if the post had been there the day before."""
    type(queued.post).objects.update(created_at=at(12) - dt.timedelta(days=1))
    return holds.hold(scope=topic, by=mirja, reason="We wait for the fire brigade.", now=at(7, 45))


def test_hold_that_concerns_me_comes_beyond_the_one_a_day_and_once(held, jona, person, box):
    ask(jona)
    ask(person("Nam, who has no post"))
    reaching.wish(by=jona, way="push", at=None, now=at(6))
    assert send(box) == 3
    assert [(who.name, hold is not None) for who, hold in box].count(("Jona Harms", True)) == 1
    assert (send(box), send(box, "push"), send(box, "push")) == (0, 1, 0)
    assert (box[-1][0], box[-1][1].name) == (jona, "Wind farm")


def test_way_for_holds_only_brings_no_issue(out, jona, box):
    ask(jona, time=None)
    assert send(box) == 0


def test_hold_is_told_of_a_post_that_is_out_too(held, queued, jona, box):
    type(queued).objects.filter(pk=queued.pk).update(
        state="sent", blocked="", remote_id="1", sent_at=at(7)
    )
    ask(jona, time=None)
    assert send(box) == 1


@pytest.mark.parametrize(
    "how", ["released", "evening", "away", "mine", "old", "removed", "programme"]
)
def test_hold_that_is_not_told(held, queued, jona, mirja, topic, person, box, how):
    ask(jona, time=None)
    now, expected = at(8), 0
    match how:
        case "released":
            holds.release(scope=topic, by=mirja, now=at(7, 50))
        case "evening":
            now = at(19)
        case "away":
            absences.go(by=jona, deputy=person("Nam"), until_on=TUESDAY, now=at(6))
        case "mine":
            holds.HoldRecord.objects.update(held_by=jona)
        case "old":
            now = at(8, day=TUESDAY + dt.timedelta(days=6))
        case "removed":
            type(queued).objects.filter(pk=queued.pk).update(state="cancelled")
        case "programme":
            holds.hold(scope=Programme.the(), by=mirja, reason="All.", now=at(7, 50))
            expected = 2
    assert send(box, now=now) == expected


# What a way answers ------------------------------------------------------------------------------


def test_nothing_left_gives_the_message_free(out, jona, box):
    ask(jona)
    box.fails = reaching.NotNow("no server")
    assert (send(box), Reached.objects.count()) == (0, 0)
    box.fails = None
    assert send(box) == 1


def test_perhaps_left_is_not_repeated_and_does_not_stop_the_others(out, jona, person):
    nam, left = person("Nam"), []
    for who in (jona, nam):
        ask(who)

    def deliver(message):
        if message.person == jona:
            raise OSError
        left.append(message.person)

    assert [reaching.send_due(way="mail", deliver=deliver, now=at(8)) for _n in range(2)] == [1, 0]
    assert (left, Reached.objects.count()) == ([nam], 2)


def test_address_that_is_no_more_turns_the_way_off_and_the_page_says_so(out, jona, box):
    ask(jona)
    box.fails = reaching.Gone("550 5.1.1")
    assert send(box) == 0
    box.fails = None
    assert send(box, now=at(8, day=TUESDAY + dt.timedelta(days=1))) == 0
    page = browser(jona).get("/me/reach/").content.decode()
    assert ("nothing arrived at your address" in page, "550 5.1.1" in page) == (True, True)
    browser(jona).post("/me/reach/", {"daily": "mail", "at": "08:00"})
    assert "nothing arrived" not in browser(jona).get("/me/reach/").content.decode()


def test_what_was_sent_is_forgotten(out, jona, box):
    ask(jona)
    send(box)
    days = [dt.timedelta(days=n) for n in (29, 31)]
    assert [night("reached", now=at(8) + after) for after in days] == [0, 1]


# The page ---------------------------------------------------------------------------------------


def test_everything_is_off_and_nobody_elses_choice_is_shown(jona, person):
    ask(person("Nam"), time=dt.time(9, 59))
    page = browser(jona).get("/me/reach/").content.decode()
    assert ('value="none" checked' in page, "09:59" in page) == (True, False)


def test_holds_alone_can_be_chosen(jona):
    browser(jona).post("/me/reach/", {"daily": "none", "holds": ["mail", "fax", "push"]})
    assert list(ReachWish.objects.values_list("way", "at")) == [("mail", None)]


@pytest.mark.parametrize("daily", ["fax", "push", "", "\x00", "9" * 5000])
def test_way_that_is_not_offered_is_none(jona, daily):
    assert browser(jona).post("/me/reach/", {"daily": daily, "at": "08:00"}).status_code == 302
    assert ReachWish.objects.count() == 0


# Mail -------------------------------------------------------------------------------------------


def report(to, status="5.1.1", action="failed"):
    text = (
        f"To: {to}\nSubject: Undelivered\nContent-Type: multipart/report;"
        ' report-type=delivery-status; boundary="b"\n\n--b\nContent-Type: text/plain\n\nNo.\n'
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; x@example.org\nAction: {action}\nStatus: {status}\n\n--b--\n"
    )
    return email.message_from_string(text, policy=email.policy.default)


@pytest.mark.parametrize(
    ("status", "action", "off"),
    [
        ("5.1.1", "failed", True), ("5.0.0", "failed", True), ("5.2.1", "failed", True), ("5.2.2", "failed", False),
        ("5.7.1", "failed", False), ("4.4.7", "failed", False), ("4.2.2", "delayed", False), ("2.0.0", "relayed", False),
    ],
)  # fmt: skip
def test_report_about_a_mail_turns_mails_off_where_the_address_is_no_more(
    settings, out, jona, mailoutbox, status, action, off
):
    settings.MAIL_DOMAIN = "botschaft.example.org"
    ask(jona)
    issue_mails.send_due(now=at(8))
    to = mailoutbox[0].from_email
    assert (to.startswith("issue+"), mailoutbox[0].message()["From"]) == (True, settings.DEFAULT_FROM_EMAIL)  # fmt: skip
    assert issue_mails.take(report(to.upper(), status, action), now=at(9))
    row = ReachWish.objects.get()
    assert (row.off_at is not None, row.off_why) == (off, status if off else "")


def test_out_of_office_and_forged_reports_change_nothing(settings, out, jona, mailoutbox):
    settings.MAIL_DOMAIN = "botschaft.example.org"
    wish = ask(jona)
    to = bounces.return_address("issue", wish.pk)
    away = email.message_from_string(
        f"To: {to}\nSubject: Re\nAuto-Submitted: auto-replied\n\nI am away.",
        policy=email.policy.default,
    )
    assert issue_mails.take(away, now=at(9))
    for forged in ("issue+1-00000000000000000000@x", to.replace("issue", "bounces"), "x@x"):
        assert not issue_mails.take(report(forged), now=at(9))
    assert ReachWish.objects.get().off_at is None


class Server:
    """A mail server that answers each message in turn; what it takes stands in ``taken``."""

    def __init__(self, monkeypatch, *answers):
        self.answers, self.taken, self.opened = list(answers), [], 0
        monkeypatch.setattr(EmailBackend, "open", self.open, raising=False)
        monkeypatch.setattr(EmailBackend, "close", self.close, raising=False)
        monkeypatch.setattr(EmailBackend, "send_messages", self.send)
        self.is_open = False

    def open(self):
        self.opened += not self.is_open
        self.is_open = True

    def close(self):
        self.is_open = False

    def send(self, messages):
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            raise answer
        self.taken += [message.to[0] for message in messages]


def refused(code, text):
    return smtplib.SMTPRecipientsRefused({"x@example.org": (code, text)})


@pytest.mark.parametrize(
    ("answer", "off"),
    [
        (refused(550, b"5.1.1 No such user"), True), (refused(550, b"No such user"), True),
        (refused(450, b"4.2.0 Greylisted"), False), (refused(550, b"5.7.1 Spam"), False),
        (refused(552, b"5.2.2 Full"), False), (smtplib.SMTPDataError(554, b"no"), False),
    ],
)  # fmt: skip
def test_server_that_refuses_one_address_takes_the_others(
    out, jona, person, monkeypatch, answer, off
):
    nam = person("Nam")
    ask(jona)
    ask(nam, time=dt.time(7, 31))
    server = Server(monkeypatch, answer)
    assert [issue_mails.send_due(now=at(8)) for _n in range(2)] == [1, 0]
    assert server.taken == [nam.email]
    assert (ReachWish.objects.get(person=jona).off_at is not None) == off


def test_server_that_closes_after_some_mails_is_opened_again(out, jona, person, monkeypatch):
    people = [jona, person("Nam"), person("Ole")]
    for n, who in enumerate(people):
        ask(who, time=dt.time(7, n))
    closing = smtplib.SMTPSenderRefused(421, b"4.7.0 Too many messages", "x")
    server = Server(monkeypatch, None, closing, None, smtplib.SMTPServerDisconnected("gone"))
    assert issue_mails.send_due(now=at(8)) == 2
    assert (server.taken, server.opened) == ([who.email for who in people[:2]], 2)
    assert (issue_mails.send_due(now=at(8)), Reached.objects.count()) == (0, 3)
