"""Courses: seats and the line, dates on the wall, what teams ask for, certificates, calendars."""

import base64
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.core import mail
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import Count, F, Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ambassadors import memberships, secret_feeds
from ambassadors.models import AuditEntry, Membership, Team, TeamKind
from people import (
    bookings,
    certificates,
    completions,
    requirements,
    sessions,
    training_feeds,
    training_mails,
)
from people.models import Booking, Completion, Course, Requirement, Session
from people.sessions import Terms

from .conftest import browser
from .corpus import cases

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def fetched(signed):
    """A person's dates as a calendar program asks for them."""
    basic = base64.b64encode(signed.encode()).decode()
    return Client().get("/training/calendar.ics", headers={"Authorization": f"Basic {basic}"})


@pytest.fixture
def selin(person):
    return person("Selin Aydın", "hr")


@pytest.fixture
def course(db):
    now = timezone.now()
    return Course.objects.create(
        title_de="Schreiben, wie du sprichst", title_en="Write as you speak", language="de",
        how="dates", valid_months=24, made_at=now, published_at=now,
    )  # fmt: skip


@pytest.fixture
def date(course, selin):
    """A date of the course, a week ahead or as asked."""

    def make(seats=1, *, ahead=7 * DAY, of=None, **fields):
        now = timezone.now()
        begins = now + ahead
        terms = {"room": "Deichstube", "zone": "Europe/Berlin"} | fields
        if ahead > dt.timedelta(0):
            terms = Terms(begins_at=begins, ends_at=begins + 2 * HOUR, seats=seats, **terms)
            return sessions.plan(course=of or course, terms=terms, by=selin, now=now)
        terms = Terms(begins_at=begins, ends_at=begins + HOUR, seats=seats, **terms)
        return sessions.plan(course=of or course, terms=terms, by=selin, now=begins - DAY)

    return make


@pytest.fixture
def in_team(person):
    def make(who, stage="in_training", lead=None):
        kind, _new = TeamKind.objects.get_or_create(
            slug="k", defaults={"behaviour": "plain", "name_de": "Kontakter", "name_en": "Contacts"}
        )
        team, _new = Team.objects.get_or_create(
            slug="t", defaults={"name": "Ask us", "kind": kind, "lead": lead}
        )
        return memberships.begin(person=who, team=team, stage=stage, by=None, now=timezone.now())

    return make


def book(session, who, now=None):
    return bookings.book(session=session, by=who, now=now or timezone.now())


def states(session):
    rows = Booking.objects.filter(session=session).order_by("pk")
    return list(rows.values_list("state", flat=True))


def sums_agree():
    """Each date's seats taken are those of its bookings, and nobody waits beside a free one."""
    held = Count("booking", filter=Q(booking__state__in=Booking.HOLDS_A_SEAT))
    line = Count("booking", filter=Q(booking__state="waiting"))
    rows = Session.objects.annotate(held=held, line=line)
    wrong = rows.exclude(taken=F("held")) | rows.filter(line__gt=0, taken__lt=F("seats"))
    return not wrong.filter(state="planned", begins_at__gt=timezone.now()).exists()


# Seats -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_last_seat_goes_to_one_of_twenty_at_once(date, person):
    session = date(seats=1)
    people = [person(f"P{n}") for n in range(20)]

    def run(who):
        try:
            return book(session, who).state
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        found = sorted(pool.map(run, people))
    assert found == ["booked"] + ["waiting"] * 19
    session.refresh_from_db()
    assert (session.taken, sums_agree()) == (1, True)
    first = Booking.objects.get(state="booked")

    def leave(booking):
        try:
            return bookings.give_back(booking=booking, by=booking.person, now=timezone.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        gone = list(pool.map(leave, [first] * 8))
    session.refresh_from_db()
    assert (gone.count(True), session.taken, sums_agree()) == (1, 1, True)
    assert states(session).count("waiting") == 18


def test_database_refuses_a_seat_too_many(date, jona):
    session = date(seats=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.filter(pk=session.pk).update(taken=2)
    book(session, jona)
    with pytest.raises(IntegrityError), transaction.atomic():
        Booking.objects.create(
            session=session, person=jona, state="waiting", since_at=timezone.now()
        )


def test_first_in_line_moves_up_and_is_told(date, jona, person, mailoutbox):
    session = date(seats=1)
    mine, ada, ole = book(session, jona), person("Ada"), person("Ole")
    book(session, ada)
    book(session, ole)
    assert bookings.give_back(booking=mine, by=jona, now=timezone.now()) is True
    assert states(session) == ["given_back", "booked", "waiting"]
    now = timezone.now().astimezone(BERLIN).replace(hour=10)
    now += DAY * (7 - now.weekday() if now.weekday() > 4 else 0)
    assert (training_mails.tell_due(now=now), training_mails.tell_due(now=now)) == (1, 0)
    (letter,) = mail.outbox
    moved = Booking.objects.get(person=ada)
    assert letter.to == [ada.email]
    assert letter.subject == "You have a seat: Write as you speak"
    assert f"/training/seats/{moved.pk}/" in letter.body
    browser(ada).post(f"/training/seats/{moved.pk}/", {"act": "give_back"})
    assert states(session) == ["given_back", "given_back", "booked"]
    assert sums_agree()


def test_more_seats_let_the_line_move_up_in_order(date, person, selin):
    session = date(seats=1)
    for n in range(4):
        book(session, person(f"P{n}"))
    session.refresh_from_db()
    terms = Terms(session.begins_at, session.ends_at, session.zone, 3, room=session.room)
    sessions.change(session=session, terms=terms, revision=1, by=selin, now=timezone.now())
    assert states(session) == ["booked", "booked", "booked", "waiting"]
    assert sums_agree()


def test_shortly_before_the_start_a_seat_is_offered_first(date, jona, person):
    session, ada, ole = date(seats=1, ahead=20 * HOUR), person("Ada"), person("Ole")
    mine = book(session, jona)
    first, second = book(session, ada), book(session, ole)
    now = timezone.now()
    bookings.give_back(booking=mine, by=jona, now=now)
    assert states(session) == ["given_back", "asked", "waiting"]
    first.refresh_from_db()
    assert first.answer_by == now + 4 * HOUR
    assert "kept for you until" in browser(ada).get(f"/training/seats/{first.pk}/").content.decode()
    assert bookings.pass_on_due(now=now + 3 * HOUR) == 0
    assert bookings.pass_on_due(now=now + 5 * HOUR) == 1
    assert states(session) == ["given_back", "given_back", "asked"]
    assert bookings.accept(booking=first, by=ada, now=now + 5 * HOUR) is False
    assert bookings.accept(booking=second, by=ole, now=now + 5 * HOUR) is True
    assert (states(session)[2], sums_agree()) == ("booked", True)


def test_giving_back_twice_counts_once(date, jona):
    session = date(seats=2)
    mine, client = book(session, jona), browser(jona)
    url = f"/training/seats/{mine.pk}/"
    client.post(url, {"act": "give_back"})
    again = client.post(url, {"act": "give_back"}, follow=True)
    assert "given back already" in again.content.decode()
    session.refresh_from_db()
    assert (session.taken, AuditEntry.objects.filter(act="booking.given_back").count()) == (0, 1)
    assert book(session, jona).state == "booked"


def test_two_clicks_take_one_seat(date, jona):
    session, client = date(seats=5), browser(jona)
    for _click in range(2):
        client.post(f"/training/dates/{session.pk}/book/")
    session.refresh_from_db()
    assert (session.taken, states(session)) == (1, ["booked"])


def test_second_date_of_a_course_is_refused_and_lines_end_with_a_seat(date, jona, person):
    full, free = date(seats=1), date(seats=3, ahead=9 * DAY)
    book(full, person("Ada"))
    assert book(full, jona).state == "waiting"
    assert book(free, jona).state == "booked"
    assert states(full) == ["booked", "given_back"]
    page = browser(jona).post(f"/training/dates/{date(ahead=11 * DAY).pk}/book/", follow=True)
    assert "Give that one back first" in page.content.decode()


def test_nothing_is_booked_after_the_start_or_by_who_left(date, jona, person):
    over, ahead = date(seats=3, ahead=-DAY), date(seats=3)
    for session, who in ((over, jona), (ahead, person("Ada", left_at=timezone.now()))):
        with pytest.raises(bookings.NotBooked):
            book(session, who)
    page = browser(jona).post(f"/training/dates/{over.pk}/book/", follow=True)
    assert "It has begun already." in page.content.decode()
    assert Booking.objects.count() == 0


def test_seat_of_somebody_who_left_goes_to_the_line(date, jona, person):
    session = date(seats=1)
    book(session, jona)
    book(session, person("Ada"))
    memberships.leave_company(person=jona, by=None, now=timezone.now())
    assert list(sessions.participants(session)) == []
    assert bookings.pass_on_due(now=timezone.now()) == 1
    assert (states(session), sums_agree()) == (["given_back", "booked"], True)


def test_called_off_date_is_told_to_everybody_in_it(date, jona, person, selin):
    session, ada = date(seats=1, ahead=20 * HOUR), person("Ada")
    book(session, jona)
    book(session, ada)
    gone = person("Ole")
    bookings.give_back(booking=book(session, gone), by=gone, now=timezone.now())
    page = browser(selin).post(
        f"/people/training/dates/{session.pk}/off/", {"why": "The trainer is ill."}, follow=True
    )
    assert "gets a mail" in page.content.decode()
    training_mails.tell_due(now=timezone.now())
    assert sorted(letter.to[0] for letter in mail.outbox) == sorted([jona.email, ada.email])
    assert {letter.subject for letter in mail.outbox} == {"Called off: Write as you speak"}
    assert {"The trainer is ill." in letter.body for letter in mail.outbox} == {True}
    with pytest.raises(bookings.NotBooked):
        book(session, gone)
    assert sessions.call_off(session=session, why="", by=selin, now=timezone.now()) is False


def test_place_of_somebody_else_is_not_found(date, jona, person):
    mine, other = book(date(), jona), browser(person("Ada"))
    for url in (f"/training/seats/{mine.pk}/", f"/training/seats/{mine.pk}/date.ics"):
        assert other.get(url).status_code == 404
    other.post(f"/training/seats/{mine.pk}/", {"act": "give_back"})
    mine.refresh_from_db()
    assert mine.state == "booked"


# Dates on the wall -----------------------------------------------------------------------------

YEAR = timezone.now().year + 1  # a date must not have passed when tests run
SPRING, AUTUMN = (
    end - dt.timedelta(days=(end.weekday() + 1) % 7)  # the last Sunday
    for end in (dt.date(YEAR, 3, 31), dt.date(YEAR, 10, 31))
)


def form(**fields):
    return {
        "begins": f"{YEAR}-04-01T09:00", "ends": f"{YEAR}-04-01T12:00", "zone": "Europe/Berlin",
        "room": "Deichstube", "seats": "12", "trainer": "", "link": "",
    } | fields  # fmt: skip


def new_date(selin, course, **fields):
    return browser(selin).post(
        f"/people/training/courses/{course.pk}/dates/new/", form(**fields), follow=True
    )


@pytest.mark.parametrize(
    ("begins", "ends", "wall", "utc_hour", "said"),
    [
        (f"{SPRING}T02:30", f"{SPRING}T05:00", f"{SPRING}T03:30", 1, "The clocks skip 02:30"),
        (f"{AUTUMN}T02:30", f"{AUTUMN}T05:00", f"{AUTUMN}T02:30", 0, "02:30 comes twice"),
    ],
)
def test_night_of_the_clocks_is_said(selin, course, begins, ends, wall, utc_hour, said):
    page = new_date(selin, course, begins=begins, ends=ends).content.decode()
    session = Session.objects.get()
    assert (said in page, session.begins_wall) == (True, wall)
    assert session.begins_at.astimezone(dt.UTC).hour == utc_hour


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("ends", f"{YEAR}-04-01T08:00", "The end must be after the beginning."),
        ("begins", "9999-12-31T23:59", "Pick a day of this century."),
        ("begins", "2020-04-01T09:00", "This moment is in the past."),
        ("begins", "tomorrow", "Write a day and a time."),
        ("begins", "0001-01-01T00:00+23:59", "Write a day and a time."),
        ("seats", str(10**30), "less than or equal to 1000"),
        ("seats", "9" * 5000, "whole number"),
        ("seats", "0", "greater than or equal to 1"),
        ("room", "", "Say where: a room, a link, or both."),
        ("room", "a\x00b", "Null characters"),
        ("trainer", "nobody@example.org", "Nobody here has this address."),
        ("link", "javascript:alert(1)", "valid URL"),
        ("zone", "Mars/Olympus", "not one of the available choices"),
    ],
)
def test_strange_date_gets_a_sentence_and_keeps_the_rest(selin, course, field, value, said):
    answer = new_date(selin, course, **{field: value})
    page = answer.content.decode()
    assert (answer.status_code, said in page, Session.objects.count()) == (422, True, 0)
    if field != "room":
        assert 'value="Deichstube"' in page


@pytest.mark.parametrize("case", cases("datetime"))
def test_moment_of_the_corpus_is_a_date_or_a_sentence(selin, course, case):
    if not isinstance(case.get("value"), str):
        pytest.skip("no text")
    answer = new_date(selin, course, begins=case["value"], ends=f"{YEAR}-04-01T12:00")
    planned = Session.objects.count()
    refused = 'class="error"' in answer.content.decode()
    assert (answer.status_code, refused) == ((200, False) if planned else (422, True))


def test_fewer_seats_than_taken_are_refused(selin, date, jona, person):
    session = date(seats=2)
    book(session, jona)
    book(session, person("Ada"))
    answer = browser(selin).post(
        f"/people/training/dates/{session.pk}/", form(seats="1", revision="1")
    )
    assert (answer.status_code, "2 seats are taken" in answer.content.decode()) == (422, True)


def test_second_save_of_an_old_form_is_said(selin, date):
    session = date(seats=2)
    for room, status in (("Koog", 302), ("Watt", 422)):
        answer = browser(selin).post(
            f"/people/training/dates/{session.pk}/", form(room=room, revision="1")
        )
        assert answer.status_code == status
    session.refresh_from_db()
    assert (session.room, 'value="Watt"' in answer.content.decode()) == ("Koog", True)


def test_new_rules_of_the_clocks_keep_the_wall(date):
    session = date()
    meant = session.begins_at
    Session.objects.filter(pk=session.pk).update(begins_at=meant - HOUR, ends_at=meant + HOUR)
    wall = session.begins_at.replace(second=0, microsecond=0)
    assert sessions.follow_clocks(now=timezone.now()) == 1
    session.refresh_from_db()
    assert session.begins_at == wall


# Calendars -------------------------------------------------------------------------------------


def test_calendar_over_the_clock_change_is_read_back(jona, course, selin):
    now = dt.datetime(2027, 1, 5, tzinfo=dt.UTC)
    for day in (27, 29):
        begins = dt.datetime(2027, 3, day, 9, tzinfo=BERLIN)
        terms = Terms(begins, begins + 3 * HOUR, "Europe/Berlin", 5, room="Koog; 2, oben")
        other = Course.objects.create(
            title_de=f"Märzkurs {day}", language="de", how="dates", made_at=now, published_at=now
        )
        session = sessions.plan(course=other, terms=terms, by=selin, now=now)
        book(session, jona, now)
    feed = secret_feeds.make(by=jona, name="training", now=now)
    text = training_feeds.of_person(jona, now)
    events = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert [str(e["SUMMARY"]) for e in events] == ["Märzkurs 27", "Märzkurs 29"]
    local = [e.decoded("DTSTART").astimezone(BERLIN) for e in events]
    assert [(at.day, at.hour) for at in local] == [(27, 9), (29, 9)]
    assert [e.decoded("DTSTART").hour for e in events] == [8, 7]
    assert {str(e["LOCATION"]) for e in events} == {"Koog; 2, oben"}
    mine = secret_feeds.signed(person=jona, name="training")
    assert fetched(mine)["Content-Type"] == "text/calendar; charset=utf-8"
    browser(jona).post("/training/calendar/address/", {"act": "revoke"})
    assert fetched(mine).status_code == 401
    feed.refresh_from_db()
    assert feed.open_since is None


@pytest.mark.parametrize(
    "gone", [{"left_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, {"is_active": False}]
)
def test_calendar_of_somebody_who_is_gone_answers_nobody(jona, gone):
    secret_feeds.make(by=jona, name="training", now=timezone.now())
    mine = secret_feeds.signed(person=jona, name="training")
    assert fetched(mine).status_code == 200
    type(jona).objects.filter(pk=jona.pk).update(**gone)
    assert fetched(mine).status_code == 401


def test_one_seat_and_its_calling_off_are_read_back(date, jona, selin):
    session = date()
    mine = book(session, jona)
    url = f"/training/seats/{mine.pk}/date.ics"
    (event,) = icalendar.Calendar.from_ical(browser(jona).get(url).content).walk("VEVENT")
    assert event.decoded("DTSTART") == session.begins_at.replace(microsecond=0)
    assert (event.decoded("DTEND") - event.decoded("DTSTART"), "STATUS" in event) == (
        2 * HOUR,
        False,
    )
    sessions.call_off(session=session, why="", by=selin, now=timezone.now())
    (event,) = icalendar.Calendar.from_ical(browser(jona).get(url).content).walk("VEVENT")
    assert str(event["STATUS"]) == "CANCELLED"


@pytest.mark.parametrize(
    ("day", "before"),
    [
        ((2027, 4, 12), (2027, 4, 9)),
        ((2027, 4, 14), (2027, 4, 13)),
        ((2027, 4, 11), (2027, 4, 9)),
        ((2027, 3, 30), (2027, 3, 25)),  # over Easter
    ],
)
def test_reminder_comes_on_the_working_day_before_once(date, jona, selin, course, day, before):
    early = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
    begins = dt.datetime(*day, 9, tzinfo=BERLIN)
    terms = Terms(begins, begins + HOUR, "Europe/Berlin", 5, room="Koog")
    session = sessions.plan(course=course, terms=terms, by=selin, now=early)
    book(session, jona, early)
    morning = dt.datetime(*before, 9, tzinfo=BERLIN)
    moments = [morning - DAY, morning.replace(hour=3), morning, morning + HOUR]
    assert [training_mails.remind_due(now=at) for at in moments] == [0, 0, 1, 0]


# Completions and what teams ask for ------------------------------------------------------------


def test_who_was_there_has_completed_and_of_others_nothing_is_noted(date, jona, person, selin):
    session, ada, tarek = date(seats=3), person("Ada"), person("Tarek")
    seats = {who: book(session, who) for who in (jona, ada)}
    Session.objects.update(trainer=tarek)
    room = f"/training/dates/{session.pk}/room/"
    form = {"shown": [s.pk for s in seats.values()], "there": [seats[jona].pk]}
    assert browser(jona).get(room).status_code == 404
    assert (room in browser(tarek).get("/training/").content.decode()) is True
    early = browser(tarek).post(room, form, follow=True)
    assert ("Once it has begun" in early.content.decode(), Completion.objects.count()) == (True, 0)
    past = timezone.now() - 3 * HOUR
    Session.objects.update(begins_at=past, ends_at=past + HOUR)
    browser(tarek).post(room, form)
    browser(tarek).post(room, form)
    done = Completion.objects.get()
    assert (done.person, done.expires_on) == (jona, memberships.later(done.completed_on, 24))
    listed = browser(selin).get("/people/training/completions/").content.decode()
    assert ("Jona Harms" in listed, "Ada" in listed) == (True, False)
    browser(selin).post(room, {"shown": [seats[jona].pk]})
    done.refresh_from_db()
    assert (done.taken_back_at is None, states(session)) == (False, ["booked", "booked"])
    assert browser(jona).get(f"/training/certificates/{done.pk}.pdf").status_code == 404


def test_team_asks_for_a_course_and_the_lead_presses_once(course, jona, person, in_team, selin):
    lead = person("Frauke")
    term, now = in_team(jona, lead=lead), timezone.now()
    path = f"/people/training/courses/{course.pk}/act/"
    browser(selin).post(path, {"act": "ask", "whom": f"kind-{term.team.kind_id}"})
    browser(selin).post(path, {"act": "ask", "whom": f"team-{term.team_id}"})
    today = timezone.localdate()
    assert requirements.missing(person=jona, team=term.team, on=today) == [course]
    assert "Jona" not in browser(lead).get("/training/").content.decode()
    assert requirements.start(term=term, by=lead, now=now) is False
    completions.complete(person=jona, course=course, on=today, by=selin, now=now)
    assert requirements.missing(person=jona, team=term.team, on=today) == []
    assert len(requirements.missing(person=jona, team=term.team, on=today + 800 * DAY)) == 1
    page = browser(lead).get("/training/").content.decode()
    assert ("Jona Harms" in page, "Make active" in page) == (True, True)
    assert browser(person("Ada")).post(f"/training/terms/{term.pk}/start/").status_code == 404
    browser(lead).post(f"/training/terms/{term.pk}/start/")
    term.refresh_from_db()
    assert term.stage == "active"


def test_team_may_let_it_happen_by_itself(course, jona, person, in_team, selin, django_capture_on_commit_callbacks):  # fmt: skip
    term, now = in_team(jona, lead=person("Frauke")), timezone.now()
    requirements.ask(course=course, team=term.team, kind=None, by=selin, now=now)
    browser(selin).post(f"/people/training/teams/{term.team_id}/", {"lets": "yes"})
    term.refresh_from_db()
    assert term.stage == "in_training"
    with django_capture_on_commit_callbacks(execute=True):
        completions.complete(person=jona, course=course, on=now.date(), by=selin, now=now)
    term.refresh_from_db()
    assert term.stage == "active"
    assert [(letter.to, letter.subject) for letter in mail.outbox] == [
        ([jona.email], "You are active: Ask us")
    ]


def test_lead_is_told_once_somebody_is_ready(course, jona, person, in_team, selin, django_capture_on_commit_callbacks):  # fmt: skip
    lead = person("Frauke")
    term, now = in_team(jona, lead=lead), timezone.now()
    requirements.ask(course=course, team=term.team, kind=None, by=selin, now=now)
    with django_capture_on_commit_callbacks(execute=True):
        for _time in range(2):
            completions.complete(person=jona, course=course, on=now.date(), by=selin, now=now)
    other = Course.objects.create(title_de="Anderes", language="de", how="dates", made_at=now)
    with django_capture_on_commit_callbacks(execute=True):
        completions.complete(person=jona, course=other, on=now.date(), by=selin, now=now)
    assert [(letter.to, letter.subject) for letter in mail.outbox] == [
        ([lead.email], "Jona Harms is ready for Ask us")
    ]
    term.refresh_from_db()
    assert term.stage == Membership.Stage.IN_TRAINING


def test_only_the_person_is_told_that_a_completion_ends(course, jona, selin):
    now = dt.datetime(2027, 3, 10, 9, tzinfo=BERLIN)
    make = Completion.objects.create
    near, far = now.date() + 20 * DAY, now.date() + 60 * DAY
    row = make(person=jona, course=course, completed_on=now.date() - 700 * DAY, expires_on=near, noted_at=now)  # fmt: skip
    make(person=selin, course=course, completed_on=now.date(), expires_on=far, noted_at=now)
    assert [training_mails.warn_of_expiry(now=now) for _run in range(2)] == [1, 0]
    assert [letter.to for letter in mail.outbox] == [[jona.email]]
    Completion.objects.filter(pk=row.pk).update(reminded_at=None)
    make(person=jona, course=course, completed_on=now.date(), expires_on=far, noted_at=now)
    assert training_mails.warn_of_expiry(now=now) == 0


@pytest.mark.parametrize("count", [1, 3])
def test_pages_ask_a_constant_number(count, date, jona, person, selin, in_team):
    now = timezone.now()
    for n in range(count):
        course = Course.objects.create(title_de=f"K{n}", language="de", how="dates", made_at=now, published_at=now)  # fmt: skip
        session = date(seats=4, of=course, ahead=(3 + n) * DAY)
        book(session, jona)
        for m in range(count):
            book(session, person(f"P{n}{m}"))
        completions.complete(person=jona, course=course, on=now.date(), by=selin, now=now)
        Requirement.objects.create(course=course, team=None, kind=in_team(person(f"Q{n}")).team.kind, since_at=now)  # fmt: skip
    mine, hr = browser(jona), browser(selin)
    asked = {}
    for client, url in (
        (mine, "/training/"),
        (mine, f"/training/courses/{course.pk}/"),
        (hr, "/people/training/"),
        (hr, f"/people/training/courses/{course.pk}/"),
        (hr, f"/people/training/dates/{session.pk}/"),
        (hr, "/people/training/completions/"),
    ):
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        asked[url.strip("/0123456789")] = len(queries)
    assert asked == {
        "training": 16,
        "training/courses": 8,
        "people/training": 8,
        "people/training/courses": 8,
        "people/training/dates": 9,
        "people/training/completions": 5,
    }


# Certificates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["Łukasz Wrona", "Selin Aydın", "Jürgen Weiß", "محمد علي", "אבי כהן", "😀 Emoji 👩‍👩‍👧", "王小明", "W" * 150, "a" + "\u0301" * 50, "\u202eevil", "x y " * 37],
)  # fmt: skip
def test_certificate_takes_any_name(course, person, selin, name):
    who, now = person("X"), timezone.now()
    who.name = name
    done = completions.complete(person=who, course=course, on=now.date(), by=selin, now=now)
    content = certificates.render(done, made_on=now.date())
    assert content[:5] == b"%PDF-"
    assert (b"/Lang (de)" in content, content.count(b"/Type /Page\n")) == (True, 1)


def test_name_that_no_font_can_write_keeps_the_address_below_it(course, person, selin):
    now, sizes = timezone.now(), []
    for name in ("王小明", "Łukasz Дмитрий"):
        who = person(name)
        done = completions.complete(person=who, course=course, on=now.date(), by=selin, now=now)
        sheet = certificates._sheet()
        sizes.append([certificates._has(sheet, letter) for letter in done.person.name].count(False))
    assert sizes == [3, 0]


def test_check_of_a_code_says_valid_and_no_name_unless_its_owner_lets_it(course, person, selin):
    who, now = person("Łukasz Wrona"), timezone.now()
    done = completions.complete(person=who, course=course, on=now.date(), by=selin, now=now)
    stranger, url = Client(headers={"accept-language": "en"}), f"/certificate/{done.code}/"
    page = stranger.get(url).content.decode()
    assert ("holds." in page, "Wrona" in page, "Write as you speak" in page) == (True, False, False)
    assert "Not valid" in stranger.get("/certificate/AAAABBBBCCCCDDDDEEEE/").content.decode()
    assert "Not valid" in stranger.get(f"/certificate/{done.code.lower()}/").content.decode()
    other = browser(person("Ada"))
    assert (
        other.post(f"/training/certificates/{done.pk}/name/", {"shows": "yes"}).status_code == 404
    )
    assert other.get(f"/training/certificates/{done.pk}.pdf").status_code == 404
    mine = browser(who)
    mine.post(f"/training/certificates/{done.pk}/name/", {"shows": "yes"})
    assert "Łukasz Wrona" in stranger.get(url).content.decode()
    mine.post(f"/training/certificates/{done.pk}/name/", {"shows": "no"})
    assert "Wrona" not in stranger.get(url).content.decode()
    answer = mine.get(f"/training/certificates/{done.pk}.pdf")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == (
        "application/pdf",
        "nosniff",
    )
    completions.take_back(completion=done, by=selin, now=now)
    assert "Not valid" in stranger.get(url).content.decode()
