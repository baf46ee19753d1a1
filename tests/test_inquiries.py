"""A stranger's question from the form to its deletion."""

import datetime as dt
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, connection
from django.test import Client
from django.utils import timezone

from ambassadors import absences, memberships, retention
from ambassadors.models import AuditEntry, Membership
from ambassadors.states import NoSuchWay
from campaigns import guesses, leaving, senders
from reception import (
    asking,
    cards,
    crowds,
    figures,
    inquiries,
    letters,
    quarantine,
    routing,
    stamps,
    states,
    tokens,
)
from reception.models import (
    ContactCard,
    Inquiry,
    InquiryMail,
    InquiryMessage,
    MonthFigure,
    Promise,
)

from .conftest import browser, night
from .test_cards import areas, contact, desk_of_contacts  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
at_once = pytest.mark.django_db(transaction=True)
# A Monday in a January ahead: whoever is in a team from today on is in it then, and no clock changes.
_EIGHTH = dt.datetime(timezone.now().year + 1, 1, 8, 10, tzinfo=dt.UTC)
LOCAL = timezone.get_default_timezone()
MONDAY = _EIGHTH + dt.timedelta(days=-_EIGHTH.weekday() % 7)


@pytest.fixture(autouse=True)
def _fresh_counts():
    cache.clear()


def opened(seconds=60):
    return stamps.make(now=timezone.now() - dt.timedelta(seconds=seconds))


def post(path="/ask/", *, client=None, address="203.0.113.9", **fields):
    form = {"stamp": opened(), "question": "Is it high up there?", "email": "Kim@example.org"}
    sender = client or Client(headers={"accept-language": "en"})
    return sender.post(path, form | fields, REMOTE_ADDR=address)


def asked(question="Is it high up there?", **fields):
    """A question as it was received an hour ago."""
    given = {"name": "Kim", "email": "kim@example.org", "language": "en"} | fields
    now = given.pop("now", timezone.now())
    clean, wrong = asking.checked(asking.Asked(question=question, **given))
    assert wrong == {}
    stamp = stamps.Stamp(uuid.uuid4(), dt.timedelta(minutes=1))
    return asking.receive(asked=clean, stamp=stamp, trap="", crowd=crowds.Crowd(), now=now)


def look(inquiry, *, client=None, **form):
    """The asker's page, opened with its code, or one of its buttons."""
    visitor = client or Client(headers={"accept-language": "en"})
    return visitor.post("/ask/question/", {"code": tokens.token(inquiry, "page")} | form)


def deliver(now=None):
    """What leaves at a moment; without one on a working day."""
    mail.outbox.clear()
    letters.send_due(now=now or MONDAY)
    return {m.to[0]: m for m in mail.outbox}


def test_question_reaches_its_person_and_the_answer_the_asker(contact, settings):
    settings.MAIL_DOMAIN = "ask.example.com"
    lukasz = contact()
    key = ContactCard.objects.get().key
    received = post(f"/ask/card/{key}/", name="Kim")
    inquiry = Inquiry.objects.get()
    assert (received.status_code, received.context["code"]) == (200, tokens.token(inquiry, "page"))
    assert "Łukasz Wrona has it." in received.content.decode()
    assert (inquiry.state, inquiry.owner, inquiry.chosen) == ("assigned", lukasz, lukasz)
    sent = deliver()
    assert sorted(sent) == sorted(["Kim@example.org", lukasz.email])
    assert "high up" not in "".join(m.body for m in sent.values())
    desk = browser(lukasz)
    form = desk.get(f"/questions/{inquiry.pk}/")
    answer = {"act": "answer", "turn": form.context["inquiry"].turn, "text": "Eighty metres."}
    assert desk.post(f"/questions/{inquiry.pk}/", answer).status_code == 302
    (letter,) = deliver().values()
    assert letter.to == ["Kim@example.org"]
    name, ours = parseaddr(letter.message()["From"])
    assert str(make_header(decode_header(name))) == "Łukasz, Botschaft"
    assert ours == "botschaft@localhost"
    assert letter.reply_to == [tokens.reply_to(inquiry)]
    assert (
        letter.extra_headers["In-Reply-To"] == sent["Kim@example.org"].extra_headers["Message-ID"]
    )
    assert (lukasz.email in letter.body, "Eighty metres." in letter.body) == (False, True)
    thread = look(inquiry)
    assert [(m.text, name) for m, name in thread.context["said"]] == [
        ("Is it high up there?", ""),
        ("Eighty metres.", "Łukasz Wrona"),
    ]


def test_address_of_the_contact_is_shown_when_they_want_that(contact):
    lukasz = contact(shows_address=True)
    inquiry = asked()
    deliver()
    inquiries.answer(inquiry=inquiry, text="Yes.", seen=inquiry.turn, by=lukasz, now=timezone.now())
    (letter,) = deliver().values()
    assert lukasz.email in letter.body


def test_no_public_page_sets_a_cookie_and_none_needs_one(contact):
    contact()
    key = ContactCard.objects.get().key
    visitor = Client(enforce_csrf_checks=True)
    answers = [
        visitor.get("/ask/"),
        visitor.get(f"/ask/card/{key}/"),
        visitor.get("/ask/privacy/"),
        post(client=visitor),
        post(client=visitor, question=""),
        post(client=visitor, stamp="forged"),
    ]
    inquiry = Inquiry.objects.get()
    answers += [
        visitor.get("/ask/question/"),
        look(inquiry, client=visitor),
        look(inquiry, client=visitor, act="add", question="And in winter?"),
        look(inquiry, client=visitor, act="rate", rating="3"),
        look(inquiry, client=visitor, act="erase", sure="yes"),
        look(inquiry, client=visitor),
        visitor.get("/ask/question/old/"),
    ]
    assert [a.status_code for a in answers] == [
        200, 200, 200, 200, 422, 422, 200, 200, 200, 200, 200, 422, 410,
    ]  # fmt: skip
    assert ("".join(a.cookies.output() for a in answers), dict(visitor.cookies)) == ("", {})
    assert {a["Cache-Control"] for a in answers} == {"no-store"}


def test_double_click_counts_once_and_another_text_is_not_swallowed(contact):
    contact()
    stamp = opened()
    first, second = post(stamp=stamp), post(stamp=stamp)
    assert (first.context["code"], Inquiry.objects.count()) == (second.context["code"], 1)
    other = post(stamp=stamp, question="Something else?")
    assert (other.status_code, Inquiry.objects.count()) == (422, 1)
    assert "Something else?" in other.content.decode()
    fresh = other.context["stamp"]
    assert (post(stamp=fresh, question="Something else?").status_code, Inquiry.objects.count()) == (
        200,
        2,
    )


@at_once
def test_eight_clicks_at_once_count_once(contact):
    contact()
    stamp = opened()

    def click(_n):
        try:
            return post(stamp=stamp, address="10.0.0.1").context["code"]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(click, range(8)))) == 1
    assert (Inquiry.objects.count(), InquiryMessage.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"website": "https://x.example"}, "trap"),
        ({"stamp": "young"}, "fast"),
        ({"question": "http://a http://b http://c"}, "links"),
    ],
)
def test_suspicious_question_is_set_aside_and_says_that_it_arrived(contact, fields, why, person):
    contact()
    if fields.get("stamp"):
        fields = {"stamp": opened(1)}
    answer = post(**fields)
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.why, inquiry.owner) == ("quarantined", why, None)
    assert "We received it." in answer.content.decode()
    assert deliver() == {}
    office = browser(person("Selin", "hr"))
    office.post("/reception/quarantine/", {"pk": inquiry.pk, "act": "release"})
    inquiry.refresh_from_db()
    assert (inquiry.state, len(deliver())) == ("assigned", 2)


def test_spam_is_discarded_and_can_come_back(contact, person):
    contact()
    post(website="x")
    office, pk = browser(person("Selin", "hr")), Inquiry.objects.get().pk
    for act, state in (("discard", "discarded"), ("take_back", "quarantined")):
        office.post("/reception/quarantine/", {"pk": pk, "act": act})
        assert Inquiry.objects.get().state == state
        office.post("/reception/quarantine/", {"pk": pk, "act": act})
        assert Inquiry.objects.get().state == state


def test_hr_is_told_once_a_day_that_something_waits_for_a_look(contact, person):
    contact()
    selin = person("Selin", "hr")
    post(website="x")
    now = timezone.now()
    for _n in range(3):
        quarantine.ask_to_look(now=now)
    assert list(InquiryMail.objects.values_list("person", "kind")) == [(selin.pk, "look")]
    quarantine.ask_to_look(now=now + dt.timedelta(days=2))
    assert InquiryMail.objects.count() == 2


def test_same_text_again_is_looked_at_first(contact):
    contact()
    post()
    post(question="  is it HIGH up   there?", email="other@example.org")
    assert sorted(Inquiry.objects.values_list("state", "why")) == [
        ("assigned", ""), ("quarantined", "same"),
    ]  # fmt: skip


def test_crowd_from_one_network_is_slowed_and_others_are_not(contact, monkeypatch):
    contact()
    monkeypatch.setattr(crowds, "MANY", 2)
    monkeypatch.setattr(crowds, "TOO_MANY", 4)
    codes = [
        post(question=f"Question {n}?", address=f"203.0.113.{n}").status_code for n in range(6)
    ]
    assert codes == [200, 200, 200, 200, 429, 429]
    assert list(Inquiry.objects.order_by("pk").values_list("why", flat=True)) == [
        "",
        "",
        "crowd",
        "crowd",
    ]
    refused = post(question="My long question?", address="203.0.113.200", name="Kim")
    assert ("My long question?" in refused.content.decode(), refused["Retry-After"]) == (
        True,
        "600",
    )
    assert post(question="From elsewhere?", address="198.51.100.1").status_code == 200


def test_crowd_keeps_no_address(contact):
    contact()
    post(address="203.0.113.77")
    client = cache._cache.get_client()
    kept = b"".join(bytes(k) + bytes(client.get(k) or b"") for k in client.keys("*"))
    assert (b"203.0" in kept, b"reception:from:" in kept) == (False, True)


@pytest.mark.parametrize(
    ("proxies", "passed", "direct", "network"),
    [
        (0, "", "203.0.113.9", "203.0.113.0/24"),
        (0, "198.51.100.1", "203.0.113.9", "203.0.113.0/24"),
        (1, "6.6.6.6, 198.51.100.1", "10.0.0.1", "198.51.100.0/24"),
        (0, "", "2a01:4f8:1:2:3::4", "2a01:4f8:1:2::/64"),
        (0, "", "::ffff:203.0.113.9", "203.0.113.0/24"),
        (0, "", "10.0.0.1", ""),
        (1, "nonsense", "10.0.0.1", ""),
        (3, "198.51.100.1", "10.0.0.1", "198.51.100.0/24"),
    ],
)
def test_sender_is_the_network_behind_our_proxies(rf, settings, proxies, passed, direct, network):
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR=direct, HTTP_X_FORWARDED_FOR=passed)
    assert senders.sender(request) == network


def test_without_redis_a_question_is_looked_at_first_and_not_lost(contact, monkeypatch):
    contact()

    def away(*_args, **_kwargs):
        raise ConnectionError

    monkeypatch.setattr(crowds.cache, "add", away)
    assert (post().status_code, Inquiry.objects.get().why) == (200, "unmeasured")


def test_strangers_address_gets_no_more_than_three_mails_a_day(contact):
    contact()
    for n in range(5):
        post(question=f"Question {n}?", email="victim@example.org", address=f"198.51.{n}.1")
    assert InquiryMail.objects.filter(kind="received").count() == 3


# What comes in ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("question", ""),
        ("question", "   \u200b\u2060 "),
        ("question", "x" * 1_000_000),
        ("question", "Z" + "\u0301" * 60),
        ("name", "n" * 200),
        ("email", "not an address"),
        ("email", "a@b@c.example"),
        ("email", "kim@example.org\nBcc: all@example.org"),
        ("email", '"quoted part"@example.org'),
        ("email", "ü@example.org"),
        ("email", "kim@" + "x" * 300 + ".example"),
        ("email", "kim@\u202eexample.org"),
    ],
)
def test_form_says_what_is_wrong_and_keeps_what_was_typed(contact, field, value):
    contact()
    fields = {"question": "My question?", "name": "Kim", "email": "kim@example.org", field: value}
    answer = post(**fields)
    assert (answer.status_code, list(answer.context["wrong"])) == (422, [field])
    assert Inquiry.objects.count() == 0
    assert {name: answer.context["typed"][name] for name in fields} == fields


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Kim@Example.org", "Kim@Example.org"),
        (" kim@example.org ", "kim@example.org"),
        ("kim+jobs@sub.example.org", "kim+jobs@sub.example.org"),
        ("kim@bücher.example", "kim@xn--bcher-kva.example"),
        ("kim@faß.example", "kim@xn--fa-hia.example"),
        ("kim@ⓔxample.org", "kim@example.org"),
    ],
)
def test_addresses_are_written_to_where_they_point(contact, typed, stored):
    contact()
    post(email=typed)
    assert Inquiry.objects.get().email == stored
    assert stored in deliver()


@pytest.mark.parametrize(
    "nasty",
    [
        "a\x00b",
        "\u202egnirts",
        "👩‍👩‍👧‍👦",
        "x\r\nBcc: all@example.org",
        "<script>alert(1)</script>",
    ],
)
def test_strange_signs_are_taken_and_shown_as_text(contact, nasty):
    lukasz = contact()
    post(question=f"Why {nasty}?", name=f"Kim {nasty}")
    inquiry = Inquiry.objects.get()
    pages = [look(inquiry), browser(lukasz).get(f"/questions/{inquiry.pk}/")]
    pages.append(browser(lukasz).get("/questions/"))
    assert [p.status_code for p in pages] == [200, 200, 200]
    assert [b"<script>alert" in p.content or b"\x00" in p.content for p in pages] == [False] * 3
    assert [m for m in deliver().values() if "Bcc" in str(m.message())] == []
    assert "\n" not in inquiry.name


def test_keys_and_numbers_that_are_none_change_nothing(contact):
    lukasz = contact()
    for bad in ("\x00", "9" * 5_000, "ⅷ"):
        assert (
            post(question=f"{bad[:9]} q?", to=bad, area=bad, w=bad, stamp=opened()).status_code
            == 200
        )
        form = {"act": bad, "turn": bad, "to": bad, "text": "x"}
        pk = Inquiry.objects.first().pk
        assert browser(lukasz).post(f"/questions/{pk}/", form).status_code in {302, 409, 422}
        assert look(Inquiry.objects.first(), act="rate", rating=bad).status_code == 200
    assert Inquiry.objects.exclude(rating=None).count() == 0


# Who gets it --------------------------------------------------------------------------------


def test_unchosen_question_goes_by_language_subject_and_load(contact, areas):
    office = areas[0]
    contact("German only", languages=["de"], areas=[office])
    busy = contact("Busy", languages=["en"], areas=[office])
    free = contact("Free", languages=["en"], areas=[office])
    contact("Other subject", languages=["en"])
    first = asked("One?", area=office)
    second = asked("Two?", area=office)
    assert {first.owner, second.owner} == {busy, free}
    third = asked("Drei?", area=office, language="de")
    assert third.owner.name == "German only"


def test_who_rests_is_passed_over_and_who_is_away_has_a_deputy(contact):
    nam, samira, _frauke = contact("Nam"), contact("Samira"), contact("Frauke")
    now = timezone.now()
    absences.go(by=nam, deputy=samira, until_on=timezone.localdate(), now=now)
    assert asked("One?", chosen=nam).owner == samira
    cards.rest(card=ContactCard.objects.get(person=samira), resting=True, by=samira, now=now)
    assert asked("Two?", chosen=nam).owner.name == "Frauke"


def test_question_waits_for_the_first_who_can(contact, desk_of_contacts, person):
    lead = desk_of_contacts.lead = person("Lead")
    desk_of_contacts.save()
    inquiry = asked("Anybody?")
    assert (inquiry.state, inquiry.owner) == ("new", None)
    inquiries.tend(now=timezone.now())
    assert list(inquiry.mails.filter(kind="unowned").values_list("person", flat=True)) == [lead.pk]
    somebody = contact()
    inquiries.tend(now=timezone.now())
    inquiry.refresh_from_db()
    assert (inquiry.state, inquiry.owner) == ("assigned", somebody)


@pytest.mark.parametrize("how", ["leave", "withdraw", "term", "away"])
def test_question_of_somebody_who_cannot_any_more_goes_on(contact, how):
    first, second = contact("First"), contact("Second")
    inquiry, now = asked("Who?", chosen=first), timezone.now()
    assert inquiry.owner == first
    if how == "leave":
        leaving.leave(person=first, by=None, now=now)
    elif how == "withdraw":
        cards.withdraw(by=first, now=now)
    elif how == "term":
        memberships.end(membership=Membership.objects.get(person=first), by=None, now=now)
    else:
        absences.go(by=first, deputy=second, until_on=timezone.localdate(), now=now)
    thread = look(inquiry)  # the look itself
    inquiry.refresh_from_db()
    assert (inquiry.owner, "First" in thread.content.decode()) == (second, False)


def test_answer_stays_when_its_writer_left_but_their_name_goes(contact):
    lukasz = contact()
    inquiry = asked(chosen=lukasz)
    now = timezone.now()
    inquiries.answer(inquiry=inquiry, text="Eighty metres.", seen=inquiry.turn, by=lukasz, now=now)
    leaving.leave(person=lukasz, by=None, now=now)
    thread = look(inquiry)
    assert [(m.text, name) for m, name in thread.context["said"]][1] == ("Eighty metres.", "")
    assert "ukasz" not in thread.content.decode()


def test_question_is_handed_to_a_colleague_with_a_word_the_asker_does_not_see(contact):
    first, second = contact("First"), contact("Second")
    inquiry = asked(chosen=first)
    deliver()
    key = ContactCard.objects.get(person=second).key
    form = {"act": "hand_over", "to": key, "note": "You know the tower.", "turn": inquiry.turn}
    assert browser(first).post(f"/questions/{inquiry.pk}/", form).status_code == 302
    inquiry.refresh_from_db()
    assert (inquiry.owner, list(deliver())) == (second, [second.email])
    assert "tower" not in look(inquiry).content.decode()
    assert "tower" in browser(second).get(f"/questions/{inquiry.pk}/").content.decode()
    assert browser(first).get(f"/questions/{inquiry.pk}/").status_code == 404


def test_nobody_opens_a_question_that_is_not_theirs(contact, person, desk_of_contacts):
    first, other = contact("First"), contact("Other")
    lead = desk_of_contacts.lead = person("Lead")
    desk_of_contacts.save()
    inquiry = asked(chosen=first)
    codes = [
        browser(who).get(f"/questions/{inquiry.pk}/").status_code for who in (first, other, lead)
    ]
    assert codes == [200, 404, 404]
    assert browser(person("Selin", "hr")).get(f"/questions/{inquiry.pk}/").status_code == 403
    inquiries.tend(now=inquiry.answer_by)
    assert browser(lead).get(f"/questions/{inquiry.pk}/").status_code == 200


# Promise ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "days", "by"), [(23, 2, 25), (26, 2, 30), (27, 1, 30), (28, 1, 30), (28, 2, 31)]
)
def test_promise_counts_working_days(day, days, by):
    begin = dt.datetime(2026, 11, 1, 10, tzinfo=dt.UTC) + dt.timedelta(days=day - 1)
    end = dt.datetime(2026, 11, 1, 10, tzinfo=dt.UTC) + dt.timedelta(days=by - 1)
    assert routing.answer_by(begin, days) == end


def test_promise_of_the_team_is_shown_and_given(contact, desk_of_contacts):
    contact()
    Promise.objects.create(team=desk_of_contacts, answer_days=5)
    page = Client(headers={"accept-language": "en"}).get("/ask/")
    assert "An answer within 5 working days" in page.content.decode()
    assert asked(now=MONDAY).answer_by == MONDAY + dt.timedelta(days=7)


def test_lead_and_owner_are_warned_once_before_the_promise_breaks(
    contact, desk_of_contacts, person
):
    lead = desk_of_contacts.lead = person("Lead")
    desk_of_contacts.save()
    lukasz = contact()
    Membership.objects.update(started_on=dt.date(2026, 1, 1))
    inquiry = asked(now=MONDAY)
    inquiries.tend(now=inquiry.answer_by - dt.timedelta(hours=7))
    assert inquiry.mails.filter(kind="due").count() == 0
    for _n in range(2):
        inquiries.tend(now=inquiry.answer_by - dt.timedelta(hours=5))
    due = inquiry.mails.filter(kind="due").values_list("person", flat=True)
    assert sorted(due) == sorted([lead.pk, lukasz.pk])


def test_mails_to_colleagues_wait_for_their_hours_and_the_askers_does_not(
    contact, desk_of_contacts, person
):
    lead = desk_of_contacts.lead = person("Lead", quiet_from_hour=23, quiet_until_hour=5)
    desk_of_contacts.save()
    lukasz = contact()
    late = MONDAY.astimezone(LOCAL).replace(hour=21)
    inquiry = asked(now=late)
    assert set(deliver(late)) == {"kim@example.org"}
    inquiries.tend(now=inquiry.answer_by - dt.timedelta(hours=1))
    assert set(deliver(inquiry.answer_by - dt.timedelta(hours=1))) == {lead.email}
    assert inquiry.answer_by == late + dt.timedelta(days=2)
    awake = late + dt.timedelta(days=2, hours=11)
    assert set(deliver(awake)) == {lukasz.email}
    assert deliver(awake) == {}


def test_colleagues_who_sleep_do_not_stand_in_the_way(contact, monkeypatch):
    monkeypatch.setattr(letters, "_AT_ONCE", 2)
    contact()
    late = MONDAY.astimezone(LOCAL).replace(hour=21)
    for n in range(3):
        asked(f"Question {n}?", email=f"kim{n}@example.org", now=late)
    assert [len(deliver(late)) for _ in range(3)] == [2, 1, 0]


def test_mail_that_waited_for_the_morning_is_dropped_when_all_is_done(contact):
    lukasz = contact()
    late = MONDAY.astimezone(LOCAL).replace(hour=21)
    inquiry = asked(now=late)
    inquiries.answer(inquiry=inquiry, text="Eighty metres.", seen=inquiry.turn, by=lukasz, now=late)
    assert set(deliver(late + dt.timedelta(hours=11))) == {"kim@example.org"}
    assert not inquiry.mails.filter(sent_at=None).exists()


@pytest.mark.parametrize(
    ("asked_at", "early", "in_time"),
    [
        (5, dt.timedelta(hours=17), dt.timedelta(hours=15)),  # promised for 5 in the morning
        (12, dt.timedelta(hours=7), dt.timedelta(hours=5)),
    ],
)
def test_warning_comes_before_the_quiet_hours_in_which_the_promise_breaks(
    contact, asked_at, early, in_time
):
    contact()
    inquiry = asked(now=MONDAY.astimezone(LOCAL).replace(hour=asked_at))
    inquiries.tend(now=inquiry.answer_by - early)
    assert inquiry.mails.filter(kind="due").count() == 0
    inquiries.tend(now=inquiry.answer_by - in_time)
    assert inquiry.mails.filter(kind="due").count() == 1


def test_question_that_nobody_answers_ends_honestly_and_begins_anew(contact):
    contact()
    inquiry = asked(now=MONDAY)
    deliver()
    inquiries.tend(now=inquiry.answer_by + dt.timedelta(days=15))
    inquiry.refresh_from_db()
    assert inquiry.state == "expired"
    assert "our fault" in deliver()["kim@example.org"].body
    asking.add(inquiry=inquiry, text="Still curious.", now=timezone.now())
    assert (inquiry.state, inquiry.answer_by > timezone.now()) == ("assigned", True)


# At the same time ---------------------------------------------------------------------------


@at_once
def test_of_two_answers_at_once_one_is_told_and_loses_nothing(contact, desk_of_contacts, person):
    lead = desk_of_contacts.lead = person("Lead")
    desk_of_contacts.save()
    lukasz = contact()
    inquiry = asked(now=MONDAY)
    inquiries.tend(now=inquiry.answer_by)
    turn = Inquiry.objects.get().turn
    gate = threading.Barrier(2, timeout=10)

    def reply(who):
        client = browser(who)
        gate.wait()
        try:
            form = {"act": "answer", "turn": turn, "text": f"From {who.name}."}
            return who, client.post(f"/questions/{inquiry.pk}/", form)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(reply, (lukasz, lead)))
    assert sorted(answer.status_code == 302 for _who, answer in replies) == [False, True]
    ((who, refused),) = [(w, a) for w, a in replies if a.status_code != 302]
    assert refused.status_code in {404, 409}
    assert f"From {who.name}." in refused.content.decode()
    assert inquiry.messages.filter(who="contact").count() == 1


def test_what_the_asker_adds_meanwhile_is_seen_before_the_answer_leaves(contact):
    lukasz = contact()
    inquiry = asked()
    turn = inquiry.turn
    asking.add(inquiry=inquiry, text="Never mind, I meant the sea.", now=timezone.now())
    form = {"act": "answer", "turn": turn, "text": "Eighty metres."}
    page = browser(lukasz).post(f"/questions/{inquiry.pk}/", form)
    assert (page.status_code, "meant the sea" in page.content.decode()) == (409, True)
    assert "Eighty metres." in page.content.decode()
    assert inquiry.messages.filter(who="contact").count() == 0


def test_asker_deletes_while_somebody_answers(contact):
    lukasz = contact()
    inquiry = asked()
    desk = browser(lukasz)
    assert desk.get(f"/questions/{inquiry.pk}/").status_code == 200
    gone = look(inquiry, act="erase", sure="yes")
    form = {"act": "answer", "turn": inquiry.turn, "text": "My long answer."}
    page = desk.post(f"/questions/{inquiry.pk}/", form)
    assert (gone.status_code, page.status_code) == (200, 404)
    assert "My long answer." in page.content.decode()
    left = (Inquiry, InquiryMessage, InquiryMail)
    assert [model.objects.count() for model in left] == [0, 0, 0]
    assert AuditEntry.objects.filter(act="inquiry.erased").count() == 1


@at_once
def test_answers_and_deletions_race_and_nothing_is_left_over(contact):
    lukasz = contact()

    def race(n):
        inquiry = asked(f"Question {n}?")
        gate = threading.Barrier(2, timeout=10)

        def answer():
            gate.wait()
            try:
                inquiries.answer(
                    inquiry=inquiry, text="Yes.", seen=inquiry.turn, by=lukasz, now=timezone.now()
                )
            except inquiries.TooLate:
                pass
            finally:
                connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        gate.wait()
        asking.erase(inquiry=Inquiry.objects.get(pk=inquiry.pk), now=timezone.now())
        thread.join()

    for n in range(10):
        race(n)
    assert (Inquiry.objects.count(), InquiryMessage.objects.count()) == (0, 0)


def test_box_must_be_ticked_to_delete(contact):
    contact()
    inquiry = asked()
    assert look(inquiry, act="erase").status_code == 422
    assert Inquiry.objects.count() == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-1] + ("a" if t[-1] != "a" else "b"),
        str.upper,
        lambda t: t[:-1],
        lambda t: "a" * 42,
        lambda t: f"{t[:20]}\x00{t[20:]}",
        lambda _t: "é" * 5_000,
    ],
)
def test_wrong_code_opens_nothing_and_stands_beside_its_field(contact, spoil):
    contact()
    code = spoil(tokens.token(asked(), "page"))
    visitor = Client(headers={"accept-language": "en"})
    page = visitor.post("/ask/question/", {"code": code})
    text = page.content.decode()
    assert (page.status_code, 'aria-describedby="code-e"' in text) == (422, True)
    assert "This code opens nothing" in text
    assert "high up" not in text


def test_code_of_a_mail_address_opens_no_page(contact):
    contact()
    code = tokens.token(asked(), "mail")
    assert Client().post("/ask/question/", {"code": code}).status_code == 422


@pytest.mark.parametrize("wrap", ["{}", " {} ", "{link}", "<{link}>\n", "{old}"])
def test_code_is_taken_out_of_whatever_was_pasted(contact, wrap):
    contact()
    inquiry = asked()
    code, link = tokens.token(inquiry, "page"), tokens.page(inquiry)
    typed = wrap.format(code, link=link, old=f"https://x.example/ask/question/{code}/?lang=en")
    page = Client().post("/ask/question/", {"code": typed})
    assert (page.status_code, page.context["inquiry"]) == (200, inquiry)


def test_no_answer_leads_to_an_address_with_a_code_and_mails_have_it_behind_the_hash(contact):
    """Browsers send nobody what stands behind it (ASVS 14.2.1)."""
    contact()
    page = post()
    inquiry = Inquiry.objects.get()
    code = tokens.token(inquiry, "page")
    words = [w for w in deliver()["Kim@example.org"].body.split() if code in w]
    assert words == [f"http://localhost:8000/ask/question/?lang=en#{code}", code]
    targets = re.findall(r'(?:href|action|src)="([^"]*)"', page.content.decode())
    assert [target for target in targets if code in target] == words[:1]


def test_earlier_address_with_its_code_in_it_says_how_to_go_on(contact):
    contact()
    code = tokens.token(asked(), "page")
    page = Client(headers={"accept-language": "en"}).get(f"/ask/question/{code}/?lang=en")
    text = page.content.decode()
    assert (page.status_code, "high up" in text, code in text) == (410, False, False)
    assert 'action="/ask/question/?lang=en"' in text


def test_guesses_of_one_network_wait_and_others_do_not(contact, monkeypatch):
    contact()
    monkeypatch.setattr(guesses, "MOST", 3)
    code = tokens.token(asked(), "page")

    def guess(typed, network="203.0.113.9"):
        form = {"code": typed}
        return Client().post("/ask/question/", form, REMOTE_ADDR=network)

    assert [guess("a" * 42).status_code for _n in range(3)] == [422] * 3
    late = guess(code)
    assert (late.status_code, late["Retry-After"]) == (429, "600")
    assert [guess(code, net).status_code for net in ("198.51.100.1", "10.0.0.1")] == [200, 200]
    kept = b"".join(bytes(key) for key in cache._cache.get_client().keys("*guesses*"))
    assert (b"203.0" in kept, kept != b"") == (False, True)


def test_words_sent_again_by_a_page_loaded_anew_count_once(contact):
    contact()
    inquiry = asked()
    for words in ("And in winter?", "And in winter?", "At night?", "And in winter?"):
        assert look(inquiry, act="add", question=words).status_code == 200
    said = list(inquiry.messages.values_list("text", flat=True))
    assert said == ["Is it high up there?", "And in winter?", "At night?", "And in winter?"]


# States -------------------------------------------------------------------------------------


def test_way_that_is_not_declared_is_a_mistake(contact):
    contact()
    inquiry = asked()
    with pytest.raises(NoSuchWay):
        states.move_inquiry(inquiry, to="discarded")


def test_stale_move_does_nothing(contact):
    contact()
    inquiry = asked()
    stale = Inquiry.objects.get()
    assert states.move_inquiry(inquiry, to="closed")
    assert not states.move_inquiry(stale, to="closed")


def test_database_refuses_an_owner_of_what_nobody_has(contact):
    lukasz = contact()
    inquiry = asked()
    with pytest.raises(IntegrityError):
        Inquiry.objects.filter(pk=inquiry.pk).update(state="new", owner=lukasz)


# Time ---------------------------------------------------------------------------------------


def test_old_questions_are_deleted_and_counted(contact):
    contact()
    old, young = asked("Old?"), asked("Young?")
    long_ago = timezone.now() - dt.timedelta(days=retention.days("inquiries") + 1)
    Inquiry.objects.filter(pk=old.pk).update(last_at=long_ago)
    assert night("inquiries", now=timezone.now()) == 1
    assert list(Inquiry.objects.all()) == [young]
    entry = AuditEntry.objects.get(act="inquiries.forgotten")
    assert entry.facts == {"count": 1}


def _month(contact, people, *, rated=5):
    month = dt.datetime(2026, 10, 5, 9, tzinfo=dt.UTC)
    for n in range(people):
        who = contact(f"Contact {n}")
        Membership.objects.update(started_on=dt.date(2026, 1, 1))
        inquiry = asked(f"Question {n}?", now=month, chosen=who)
        later = month + dt.timedelta(hours=n + 1)
        inquiries.answer(inquiry=inquiry, text="Yes.", seen=inquiry.turn, by=who, now=later)
        if n < rated:
            asking.rate(inquiry=inquiry, rating=3 if n else 1)


def test_month_of_five_has_figures_and_keeps_them(contact):
    _month(contact, 5)
    now = dt.datetime(2026, 11, 2, 4, tzinfo=dt.UTC)
    assert (figures.close_months(now=now), figures.close_months(now=now)) == (1, 0)
    figure = MonthFigure.objects.get()
    assert (figure.answered, figure.in_time, figure.hours, figure.rated, figure.helped) == (
        5,
        100,
        3,
        5,
        80,
    )
    Inquiry.objects.all().delete()
    figures.close_months(now=now)
    assert MonthFigure.objects.get().answered == 5


def test_month_of_four_people_or_four_ratings_tells_nothing(contact):
    _month(contact, 4)
    now = dt.datetime(2026, 11, 2, 4, tzinfo=dt.UTC)
    assert figures.close_months(now=now) == 0
    who = contact("Fifth")
    Membership.objects.update(started_on=dt.date(2026, 1, 1))
    inquiry = asked("Fifth?", now=dt.datetime(2026, 10, 6, 9, tzinfo=dt.UTC), chosen=who)
    at = dt.datetime(2026, 10, 6, 12, tzinfo=dt.UTC)
    inquiries.answer(inquiry=inquiry, text="Yes.", seen=inquiry.turn, by=who, now=at)
    figures.close_months(now=now)
    assert (MonthFigure.objects.get().answered, MonthFigure.objects.get().rated) == (5, None)


def test_month_is_told_before_its_questions_go(contact, person):
    """Also where a company keeps questions for a month only, and the night is the first since."""
    _month(contact, 5)
    retention.change(
        name="inquiries", typed="30", by=person("Ada", "administrator"), now=timezone.now()
    )
    now = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)
    assert night("inquiries", now=now) == 5
    assert MonthFigure.objects.get().answered == 5


def test_nothing_goes_while_a_month_cannot_be_told(contact, monkeypatch):
    _month(contact, 5)
    monkeypatch.setattr(figures, "_close", lambda *_month: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        night("inquiries", now=dt.datetime(2027, 6, 1, 4, tzinfo=dt.UTC))
    assert Inquiry.objects.count() == 5


def test_strangers_read_the_days_that_hold(contact, person, client):
    contact()
    ada = person("Ada", "administrator")
    retention.change(name="inquiries", typed="45", by=ada, now=timezone.now())
    assert "45 days" in client.get("/ask/privacy/?lang=en").content.decode()


def test_inbox_asks_the_same_number_of_questions_for_one_and_three(
    contact, django_assert_num_queries
):
    lukasz = contact()
    desk = browser(lukasz)
    asked("One?")
    with django_assert_num_queries(9):
        desk.get("/questions/")
    asked("Two?")
    asked("Three?")
    with django_assert_num_queries(9):
        desk.get("/questions/")
