"""Talk requests: asked, offered, booked once, prepared, held; and everybody's neutral answer."""

import base64
import datetime as dt
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar

from ambassadors import absences, anonymity, memberships, retention, secret_feeds
from ambassadors.models import AuditEntry
from campaigns.models import Programme, Proposal
from reception import (
    crowds,
    speakers,
    stamps,
    talk_calendars,
    talk_conflicts,
    talk_figures,
    talk_mails,
    talk_offers,
    talk_requests,
)
from reception.models import Offer, Speaker, Talk, TalkMail, TalkRequest, TalkStep

from .conftest import browser, night
from .test_speakers import expert, team  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


def wall(days=30, at="18:00"):
    return f"{timezone.localdate() + dt.timedelta(days=days)}T{at}"


def typed(**fields):
    return {
        "event": "Grid day", "organisation": "Energy Club", "format": "talk",
        "topic": "Grids at night", "date1": wall(), "zone": "Europe/Berlin", "minutes": "45",
        "place": "Town hall", "pays": "travel", "asker_name": "Gesa Lorenz",
        "asker_email": "gesa@club.example",
    } | fields  # fmt: skip


def stranger():
    """A browser without cookies that prefers English."""
    return Client(headers={"Accept-Language": "en"})


def stamp(seconds=60):
    return stamps.make(now=timezone.now() - dt.timedelta(seconds=seconds))


def look(request, act="", **form):
    """The asker's page, opened with its code, or one of its buttons."""
    return stranger().post("/speakers/asked/", {"code": request.token, "act": act} | form)


@pytest.fixture(autouse=True)
def _calm():
    cache.clear()
    Programme.objects.get_or_create(pk=1)


@pytest.fixture
def ask(db):
    """A request from outside, through its verb."""

    def make(wanted=None, *, walls=None, now=None, **facts):
        return talk_requests.ask(
            facts={
                "event": "Grid day", "organisation": "Energy Club", "format": "talk",
                "topic": "Grids at night", "walls": [wall()] if walls is None else walls,
                "zone": "Europe/Berlin", "minutes": 45, "place": "Town hall", "remote": False,
                "audience": "", "pays": "travel", **facts,
            },
            asker=("Gesa Lorenz", "gesa@club.example"), wanted=wanted and wanted.speaker,
            talk=None, language="en", submission=uuid.uuid4(), by=None, writes=True,
            now=now or timezone.now(),
        )  # fmt: skip

    return make


@pytest.fixture
def lead(team):
    return team.lead


def offer(request, lead, *people):
    keys = [who.speaker.pk for who in people]
    talk_offers.offer(request=request, speakers=keys, by=lead, now=timezone.now())
    request.refresh_from_db()


def agree(request, who, at=None):
    talk_offers.agree(
        request=request, wall=at or (request.walls or [""])[0], by=who, now=timezone.now()
    )
    request.refresh_from_db()


def moved(request, by):
    """The request as if its day had come: everything of it lies ``by`` earlier."""
    begins = request.begins - by
    TalkRequest.objects.filter(pk=request.pk).update(
        wall=f"{begins:%Y-%m-%dT%H:%M}", begins_at=begins
    )
    return TalkRequest.objects.get(pk=request.pk)


def subjects(person=None):
    return list(TalkMail.objects.filter(person=person).values_list("subject", flat=True))


def test_stranger_asks_a_speaker_who_says_yes(expert, lead):
    ayla = expert()
    talk, visitor = Talk.objects.get(), stranger()
    sent = visitor.post("/speakers/ask/", typed(stamp=stamp(), talk=talk.pk))
    request = TalkRequest.objects.get()
    assert (sent.status_code, sent.context["row"], visitor.cookies) == (200, request, {})
    assert "We are looking for somebody" in sent.content.decode()
    client = browser(ayla)
    inside = f"/talks/{request.pk}/"
    assert "Grid day" in client.get("/me/speaking/").content.decode()
    assert "gesa@club.example" not in client.get(inside).content.decode()
    client.post(f"{inside}act/", {"act": "agree", "wall": request.walls[0]})
    assert "gesa@club.example" in client.get(inside).content.decode()
    assert "Ayla Demir comes" in look(request).content.decode()
    assert [step.state for step in TalkStep.objects.all()] == ["requested", "offered", "booked"]
    assert subjects() == ["Your talk request: Grid day"] * 2
    assert subjects(ayla) == ["Would you speak? Grid day"]
    assert subjects(lead) == ["Booked: Grid day"]


def test_request_sent_twice_is_one(expert):
    expert()
    one = typed(stamp=stamp())
    places = {stranger().post("/speakers/ask/", one).context["row"] for _again in range(2)}
    assert (len(places), TalkRequest.objects.count(), len(subjects())) == (1, 1, 1)


@pytest.mark.parametrize(
    "fields",
    [{"stamp": ""}, {"stamp": "forged"}, {"website": "https://spam.example"}, {"young": True}],
)
def test_form_without_a_good_stamp_is_given_back_full(fields):
    fields = fields if "young" not in fields else {"stamp": stamp(0)}
    page = stranger().post("/speakers/ask/", typed(stamp=stamp()) | fields)
    assert (page.status_code, TalkRequest.objects.count()) == (422, 0)
    assert "Please look once more and send it again." in page.content.decode()
    assert 'value="Grid day"' in page.content.decode()


def test_crowd_from_one_network_is_told_to_wait_and_loses_nothing(settings, monkeypatch):
    settings.TRUSTED_PROXIES = 1
    monkeypatch.setattr(crowds, "TOO_MANY", 1)
    from_there = {"X-Forwarded-For": "93.184.216.34"}
    pages = [
        stranger().post("/speakers/ask/", typed(stamp=stamp()), headers=from_there)
        for _each in range(2)
    ]
    assert [page.status_code for page in pages] == [200, 429]
    assert 'value="Grid day"' in pages[1].content.decode()
    assert TalkRequest.objects.count() == 1


def test_in_a_crowd_a_coordinator_looks_before_speakers_are_asked(expert, lead, monkeypatch):
    ayla = expert()
    monkeypatch.setattr(crowds, "measure", lambda *_a, **_k: crowds.Crowd(why="crowd"))
    stranger().post("/speakers/ask/", typed(stamp=stamp(), speaker=ayla.speaker.pk))
    assert (TalkRequest.objects.get().state, Offer.objects.count()) == ("requested", 0)
    assert (subjects(ayla), subjects(lead)) == ([], ["A talk request: Grid day"])


def test_sheet_of_another_speaker_does_not_print_the_first_ones_talk(expert, lead):
    ayla, henning = expert(), expert("Henning Brandes", title="Wires at dawn")
    talk = Talk.objects.get(speaker=ayla.speaker)
    stranger().post("/speakers/ask/", typed(stamp=stamp(), talk=talk.pk))
    request = TalkRequest.objects.get()
    talk_offers.refuse(request=request, by=ayla, now=timezone.now())
    request.refresh_from_db()
    offer(request, lead, henning)
    agree(request, henning)
    sheet = browser(henning).get(f"/talks/{request.pk}/sheet/").content.decode()
    assert (talk.title in sheet, "Grids at night" in sheet) == (False, True)


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("date1", "2026-03-29T02:30", "The clocks skip"),
        ("date1", "2020-01-01T10:00", "This moment is in the past."),
        ("date1", "9999-12-31T23:59", "That is more than three years ahead."),
        ("date1", "tomorrow", "Write a day and a time."),
        ("date1", "", "Write a date, or tick that it is not fixed yet."),
        ("date1", "-262144-01-01T00:00", "Write a day and a time."),
        ("place", "", "Write where it is, or tick that it is by video."),
        ("topic", "x" * 1_000_000, "Shorter please: 1000000 characters, and 2000 fit."),
        ("topic", "\u200b\u2060", "This field is required."),
        ("event", "a" + "\u0301" * 40, "Too many marks stand on one letter."),
        ("minutes", "9" * 5_000, ""),
        ("asker_email", "gesa@club.example\r\nBcc: all@club.example", ""),
        ("zone", "Mars/Olympus", ""),
        ("format", "concert", ""),
    ],
)
def test_what_cannot_be_taken_is_said_beside_the_field(field, text, sentence, monkeypatch):
    if text.startswith("2026-03-29"):  # the next night in spring, whatever today is
        text = f"{next_change(1)}T02:30"
    page = stranger().post("/speakers/ask/", typed(stamp=stamp()) | {field: text})
    assert (page.status_code, TalkRequest.objects.count()) == (422, 0)
    errors = page.context["form"].errors
    assert list(errors) == [field]
    assert sentence in errors[field][0]
    assert 'value="Grid day"' in page.content.decode() or field == "event"


def next_change(which, after=None):
    """The next day on which Berlin's clocks go forward (1) or back (-1)."""
    day = after or timezone.localdate()
    for number in range(1, 400):
        first = dt.datetime.combine(day + dt.timedelta(days=number), dt.time(), BERLIN)
        second = dt.datetime.combine(first.date() + dt.timedelta(days=1), dt.time(), BERLIN)
        change = second.utcoffset() - first.utcoffset()
        if change == which * dt.timedelta(hours=1):
            return first.date()
    raise AssertionError


def test_hour_that_comes_twice_is_the_first_and_is_said(expert):
    expert()
    twice = f"{next_change(-1)}T02:30"
    stranger().post("/speakers/ask/", typed(stamp=stamp(), date1=twice))
    request = TalkRequest.objects.get()
    assert request.proposed[0]["at"].utcoffset() == dt.timedelta(hours=2)
    page = look(request).content.decode()
    assert "02:30 comes twice that night; the first is taken (CEST)." in page


def test_header_injection_stays_in_one_line(expert, lead):
    expert()
    evil = "Grid day\r\nBcc: all@club.example"
    sent = typed(stamp=stamp(), event=evil, asker_name="Gesa\nTo: x@y.example")
    stranger().post("/speakers/ask/", sent)
    talk_mails.send_due(now=morning())
    assert [m.subject for m in mail.outbox if m.to == ["gesa@club.example"]] == [
        "Your talk request: Grid day Bcc: all@club.example"
    ]
    assert {tuple(m.recipients()) for m in mail.outbox} == {
        ("gesa@club.example",),
        (lead.email,),
    }


def morning():
    """Ten o'clock on a working day."""
    return dt.datetime(2026, 11, 24, 10, tzinfo=BERLIN)


@pytest.mark.parametrize("happens", ["withdrawn", "paused"])
def test_speaker_who_withdraws_in_between_is_asked_no_more(expert, happens):
    ayla, now = expert(), timezone.now()
    filled = typed(stamp=stamp(), speaker=ayla.speaker.pk)
    if happens == "withdrawn":
        speakers.withdraw(by=ayla, now=now)
    else:
        speakers.pause(by=ayla, until=now.date() + dt.timedelta(days=3), now=now)
    page = stranger().post("/speakers/ask/", filled)
    assert (page.status_code, TalkRequest.objects.count()) == (422, 0)
    assert "Send it again, and we look for somebody else." in page.content.decode()
    again = filled | {"stamp": page.context["stamp"]}
    del again["speaker"]
    stranger().post("/speakers/ask/", again)
    assert (TalkRequest.objects.get().state, Offer.objects.count()) == ("requested", 0)


def test_colleague_asks_without_typing_who_they_are(expert, jona):
    ayla = expert(shown="internal")
    sent = typed(submission=str(uuid.uuid4()), speaker=ayla.speaker.pk)
    del sent["asker_name"], sent["asker_email"]
    for _twice in range(2):
        assert browser(jona).post("/experts/ask/", sent).status_code == 200
    request = TalkRequest.objects.get()
    assert (request.asked_by, request.asker_email, request.state) == (jona, jona.email, "offered")


def test_first_yes_books_and_the_others_are_told_kindly(expert, lead, ask):
    ayla, henning, request = expert(), expert("Henning Brandes"), ask()
    offer(request, lead, ayla, henning)
    agree(request, henning)
    late = browser(ayla).post(
        f"/talks/{request.pk}/act/", {"act": "agree", "wall": request.walls[0]}, follow=True
    )
    request.refresh_from_db()
    assert (request.state, request.speaker) == ("booked", henning.speaker)
    assert [str(m) for m in late.context["messages"]] == [
        "Another speaker said yes a moment before you. Thank you; you are free."
    ]
    assert subjects(ayla)[-1] == "Another speaker was faster: Grid day"


@pytest.mark.django_db(transaction=True)
def test_two_yes_in_the_same_second_book_one(expert, lead, ask):
    people = [expert("Ayla Demir"), expert("Henning Brandes")]
    for _round in range(5):
        request, gate = ask(), threading.Barrier(2)
        offer(request, lead, *people)

        def say_yes(who, request=request, gate=gate):
            try:
                mine = TalkRequest.objects.get(pk=request.pk)
                gate.wait()
                talk_offers.agree(request=mine, wall=request.walls[0], by=who, now=timezone.now())
            except talk_offers.Taken:
                return "taken"
            finally:
                connections.close_all()
            return "booked"

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(say_yes, people)) == ["booked", "taken"]
        assert TalkStep.objects.filter(request=request, state="booked").count() == 1
        assert TalkMail.objects.filter(request=request, subject__startswith="Booked").count() == 1


def test_nobody_sees_whose_no_it_was(expert, lead, ask):
    ayla, henning, request = expert(), expert("Henning Brandes"), ask()
    offer(request, lead, ayla, henning)
    address = f"/talks/{request.pk}/"

    def seen():
        page = browser(lead).get(address)
        return [(c["speaker"].pk, c["asked"]) for c in page.context["candidates"]], page.context[
            "said"
        ]

    before = seen()
    browser(ayla).post(f"{address}act/", {"act": "refuse"})
    assert seen() == before
    assert (
        AuditEntry.objects.filter(actor_id=ayla.pk, subject__startswith="reception.talkr").count()
        == 0
    )
    assert subjects(lead) == ["A talk request: Grid day"]
    browser(henning).post(f"{address}act/", {"act": "refuse"})
    request.refresh_from_db()
    assert (request.state, subjects(lead)[-1]) == ("requested", "Needs other speakers: Grid day")
    assert seen()[0] == before[0]
    status = look(request).content.decode()
    assert ("We are looking for somebody" in status, "Ayla" in status) == (True, False)
    assert subjects() == ["Your talk request: Grid day"]


def test_offer_that_runs_out_looks_like_a_no(expert, lead, ask):
    request, now = ask(expert()), timezone.now() + dt.timedelta(days=8)
    row = TalkRequest.objects.told(now).get()
    assert row.stands(now) == "free"
    assert (talk_offers.free_due(now=now), talk_offers.free_due(now=now)) == (1, 0)
    request.refresh_from_db()
    assert (request.state, subjects(lead)) == ("requested", ["Needs other speakers: Grid day"])


def test_who_left_is_gone_from_offers_at_once_and_from_bookings(expert, lead, ask):
    ayla, henning = expert(), expert("Henning Brandes")
    open_, booked = ask(ayla), ask(henning)
    agree(booked, henning)
    now = timezone.now()
    for who in (ayla, henning):
        memberships.leave_company(person=who, by=None, now=now)
    stands = {row.pk: row.stands(now) for row in TalkRequest.objects.told(now)}
    assert stands == {open_.pk: "free", booked.pk: "orphaned"}
    page = browser(lead).get("/talks/").content.decode()
    assert ("needs a new speaker" in page, "Henning" in page) == (True, False)
    status = look(booked).content.decode()
    assert ("The speaker changes" in status, "Henning" in status) == (True, False)
    assert look(booked, "sheet").status_code == 404
    assert "Henning" not in look(booked, "calendar").content.decode()
    browser(lead).post(f"/talks/{booked.pk}/act/", {"act": "give_back"})
    booked.refresh_from_db()
    assert (booked.state, booked.speaker, len(booked.walls)) == ("requested", None, 1)


def test_speaker_who_cannot_after_all_gives_it_back(expert, lead, ask):
    ayla, henning, request = expert(), expert("Henning Brandes"), ask()
    offer(request, lead, ayla)
    agree(request, ayla)
    browser(ayla).post(f"/talks/{request.pk}/act/", {"act": "give_back"})
    request.refresh_from_db()
    assert (request.state, subjects(lead)[-1]) == ("requested", "Needs a new speaker: Grid day")
    page = browser(lead).get(f"/talks/{request.pk}/")
    asked = {c["speaker"].pk: c["asked"] for c in page.context["candidates"]}
    assert asked == {ayla.speaker.pk: True, henning.speaker.pk: False}
    offer(request, lead, henning)
    agree(request, henning)
    assert request.speaker == henning.speaker


def test_conflicts_warn_and_forbid_nothing(expert, lead, ask, jona):
    ayla, now = expert(), timezone.now()
    first, second, later = ask(ayla), ask(ayla, walls=[wall(30, "20:30")]), ask(walls=[wall(33)])
    agree(first, ayla)
    speaker = Speaker.objects.get()

    def warned(request):
        return talk_conflicts.conflicts([speaker], request, now=now)[speaker.pk]

    assert [line.split(": ")[1] for line in warned(second)] == ["speaks elsewhere"]
    assert warned(later) == []
    until_on = timezone.localdate() + dt.timedelta(days=33)
    absences.go(by=ayla, deputy=jona, until_on=until_on, now=now)
    assert [line.split(": ")[1] for line in warned(later)] == ["is away"]
    agree(second, ayla)
    assert second.state == "booked"


@pytest.mark.parametrize("which", [1, -1])
def test_calendar_keeps_the_wall_clock_over_a_change(expert, ask, which):
    ayla, day = expert(), next_change(which)
    walls = [f"{day + dt.timedelta(days=n)}T09:00" for n in (-1, 0)]
    for one in walls:
        agree(ask(ayla, walls=[one]), ayla)
    secret_feeds.make(by=ayla, name="talks", now=timezone.now())
    feed = Calendar.from_ical(fetched(ayla).content)
    starts = [e.start.astimezone(BERLIN) for e in feed.events]
    assert [f"{start:%Y-%m-%dT%H:%M}" for start in starts] == walls
    assert [(e.end - e.start).total_seconds() for e in feed.events] == [45 * 60] * 2
    request = TalkRequest.objects.latest("pk")
    own = look(request, "calendar").content
    (event,) = Calendar.from_ical(own).events
    assert f"{event.start.astimezone(BERLIN):%Y-%m-%dT%H:%M}" == walls[1]
    assert event["UID"] in {e["UID"] for e in feed.events}
    assert "Ayla Demir" in event["DESCRIPTION"]


def fetched(person, signed=""):
    """A speaker's talks as a calendar program asks for them."""
    signed = signed or secret_feeds.signed(person=person, name="talks")
    basic = base64.b64encode(signed.encode()).decode()
    return stranger().get("/talks/feed.ics", headers={"Authorization": f"Basic {basic}"})


def test_feed_opens_for_its_password_only(expert, ask):
    ayla = expert()
    agree(ask(ayla), ayla)
    client = browser(ayla)
    client.post("/me/speaking/act/", {"act": "feed"})
    mine = client.get("/me/speaking/").context["feed"]
    first = f"{mine.name}:{mine.password}"
    assert (fetched(ayla, first).status_code, fetched(ayla, f"{first}x").status_code) == (200, 401)
    client.post("/me/speaking/act/", {"act": "no_feed"})
    assert fetched(ayla, first).status_code == 401
    client.post("/me/speaking/act/", {"act": "feed"})
    assert [fetched(ayla, text).status_code for text in (first, "")] == [401, 200]


def test_mails_are_one_thread_and_carry_the_calendar(expert, ask, lead):
    ayla = expert()
    request = ask(ayla)
    talk_requests.take_over(request=request, by=lead, now=timezone.now())
    agree(request, ayla)
    assert talk_mails.send_due(now=morning()) == 4
    first, second = [m for m in mail.outbox if m.to == ["gesa@club.example"]]
    headers = second.extra_headers
    assert headers["In-Reply-To"] == first.extra_headers["Message-ID"]
    assert first.attachments == []
    ((_name, content, kind),) = second.attachments
    assert (kind, len(Calendar.from_ical(content).events)) == ("text/calendar", 1)
    assert second.reply_to == [lead.email]
    assert talk_mails.send_due(now=morning()) == 0


def test_people_get_no_mail_at_night(expert, ask):
    ayla = expert()
    ask(ayla)
    night = morning().replace(hour=23)
    assert talk_mails.send_due(now=night) == 1
    assert [m.to for m in mail.outbox] == [["gesa@club.example"]]
    assert talk_mails.send_due(now=morning() + dt.timedelta(days=1)) == 1
    assert mail.outbox[-1].to == [ayla.email]


def test_mail_server_away_costs_no_mail(expert, ask, settings):
    expert()
    ask()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    assert talk_mails.send_due(now=morning()) == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert talk_mails.send_due(now=morning()) == 2


def test_undated_talk_is_booked_and_dated_later(expert, ask):
    ayla = expert()
    request = ask(ayla, walls=[])
    agree(request, ayla)
    assert look(request, "calendar").status_code == 404
    client, address = browser(ayla), f"/talks/{request.pk}/act/"
    bad = client.post(address, {"act": "date", "date": "2020-01-01T10:00", "zone": "UTC"})
    assert (bad.status_code, bad.context["errors"]) == (
        422,
        {"date": "This moment is in the past."},
    )
    for _twice in range(2):
        client.post(address, {"act": "date", "date": wall(40), "zone": "America/New_York"})
    request.refresh_from_db()
    assert (request.wall, request.zone) == (wall(40), "America/New_York")
    assert len([s for s in TalkMail.objects.filter(person=None) if s.with_calendar]) == 1
    assert look(request, "calendar").status_code == 200


def test_preparation_of_two_loses_nothing(expert, ask, lead):
    ayla = expert()
    request = ask(ayla)
    agree(request, ayla)
    address = f"/talks/{request.pk}/act/"
    one = {"act": "prepare", "seen": "0", "travel_note": "Train at nine", "ticked": ["travel"]}
    assert browser(ayla).post(address, one).status_code == 302
    late = browser(lead).post(address, one | {"travel_note": "A car"})
    assert (late.status_code, "A car" in late.content.decode()) == (422, True)
    request.refresh_from_db()
    assert (request.travel_note, request.ticked) == ("Train at nine", ["travel"])
    bad = browser(ayla).post(address, one | {"seen": "1", "deck_url": "javascript:alert(1)"})
    assert (bad.status_code, list(bad.context["preparation"].errors)) == (422, ["deck_url"])


def test_sheet_names_everything_a_stage_needs(expert, ask, lead):
    ayla = expert()
    request = ask(ayla)
    agree(request, ayla)
    for page in (
        browser(ayla).get(f"/talks/{request.pk}/sheet/"),
        browser(lead).get(f"/talks/{request.pk}/sheet/"),
        look(request, "sheet"),
    ):
        text = page.content.decode()
        for words in (
            "Ayla Demir",
            "EYE-la",
            "Plans heat.",
            "Grids at night",
            "A lapel microphone.",
            lead.email,
        ):
            assert words in text


def test_held_told_and_rated(expert, ask, lead):
    ayla = expert()
    request = ask(ayla)
    agree(request, ayla)
    with pytest.raises(talk_requests.TooLate):
        talk_offers.hold(request=request, by=ayla, now=timezone.now())
    request = moved(request, dt.timedelta(days=31))
    client, address = browser(ayla), f"/talks/{request.pk}/act/"
    client.post(address, {"act": "held"})
    for stars, status in (("0", 422), ("9", 422), ("", 422), ("5", 200), ("1", 422)):
        sent = look(request, "rate", rating=stars, feedback="Clear.")
        assert (stars, sent.status_code) == (stars, status)
    assert "Clear." in client.get(f"/talks/{request.pk}/").content.decode()
    assert "Clear." not in browser(lead).get(f"/talks/{request.pk}/").content.decode()
    for _twice in range(2):
        client.post(address, {"act": "tell", "story": "Eighty people, and one hard question."})
    idea = Proposal.objects.get()
    assert (idea.person, idea.show_name, idea.text) == (
        ayla,
        True,
        "Eighty people, and one hard question.",
    )
    request.refresh_from_db()
    assert (request.state, request.rating) == ("held", 5)


def test_figure_needs_five_speakers_of_a_quarter_that_is_over(expert, ask, person):
    today, now = dt.date(2026, 11, 25), timezone.now()
    rated = dt.datetime(2026, 9, 30, 12, tzinfo=dt.UTC)
    shown = []
    for number in range(anonymity.GROUP):
        who = expert(f"Speaker {number}")
        TalkRequest.objects.create(
            submission=uuid.uuid4(), asker_name="x", asker_email="x@y.example", event="e",
            state="held", speaker=who.speaker, asked_at=now, booked_at=now, changed_at=now,
            ended_at=now, rating=4, rated_at=rated,
        )  # fmt: skip
        shown.append(talk_figures.of_last_quarter(today))
    assert shown == [None] * 4 + [talk_figures.Figure(4.0, 5)]
    assert talk_figures.of_last_quarter(dt.date(2026, 9, 30)) is None
    # shorter for one night is enough to tell one answer from two looks
    ada = person("Ada", "administrator")
    for days in ("249", "270"):
        retention.change(name="talk_requests", typed=days, by=ada, now=now)
        assert talk_figures.of_last_quarter(today) is None


def test_organiser_calls_it_off_once(expert, ask, lead):
    ayla = expert()
    request = ask(ayla)
    agree(request, ayla)
    assert look(request, "cancel").status_code == 422
    codes = [look(request, "cancel", sure="yes").status_code for _ in range(2)]
    request.refresh_from_db()
    assert (codes, request.state) == ([200, 422], "cancelled")
    assert subjects(ayla)[-1] == "Called off: Grid day"
    (event,) = Calendar.from_ical(look(request, "calendar").content).events
    assert event["STATUS"] == "CANCELLED"


def test_decline_needs_a_sentence_and_reaches_the_organiser(expert, ask, lead):
    expert()
    request = ask()
    address = f"/talks/{request.pk}/act/"
    assert browser(lead).post(address, {"act": "decline", "answer": " "}).status_code == 422
    browser(lead).post(address, {"act": "decline", "answer": "Not this year, sorry."})
    status = look(request).content.decode()
    assert "Not this year, sorry." in status


def test_wrong_codes_are_all_answered_alike(expert, ask):
    expert()
    request = ask()
    answers = []
    for guess in (request.token[:-1] + "~", request.token.swapcase(), "A" * 43, "x", "é" * 500):
        with CaptureQueriesContext(connection) as queries:
            page = stranger().post("/speakers/asked/", {"code": guess})
        answers.append((page.status_code, "This code opens nothing" in page.content.decode()))
        assert len(queries) <= 1
    assert set(answers) == {(422, True)}


def test_code_of_a_talk_is_in_no_address_and_an_earlier_one_says_how_to_go_on(expert, ask):
    expert()
    request = ask()
    page = look(request)
    targets = re.findall(r'(?:href|action|src)="([^"]*)"', page.content.decode())
    link = f"http://localhost:8000/speakers/asked/?lang=en#{request.token}"
    assert [target for target in targets if request.token in target] == [link]
    words = [w for w in TalkMail.objects.get(person=None).text.split() if request.token in w]
    assert words == [link, request.token]
    pasted = stranger().post("/speakers/asked/", {"code": f" {link}\n"})
    assert (pasted.status_code, pasted.context["row"]) == (200, request)
    old = stranger().get(f"/speakers/asked/{request.token}/")
    assert (old.status_code, "Grid day" in old.content.decode()) == (410, False)


def test_others_find_nothing(expert, ask, jona, lead):
    ayla, henning = expert(), expert("Henning Brandes")
    request = ask(ayla)
    agree(request, ayla)
    for who in (jona, henning):
        for path in ("", "sheet/"):
            assert browser(who).get(f"/talks/{request.pk}/{path}").status_code == 404
        assert browser(who).post(f"/talks/{request.pk}/act/", {"act": "held"}).status_code == 404
        assert browser(who).get("/talks/").status_code == 403
    forbidden = browser(ayla).post(f"/talks/{request.pk}/act/", {"act": "decline", "answer": "x"})
    assert forbidden.status_code == 403
    assert browser(lead).get("/talks/").status_code == 200


def test_lists_ask_the_same_with_one_and_with_three(expert, ask, lead):
    ayla, counts = expert(), []
    for more in (1, 2):
        for _each in range(more):
            agree(ask(ayla), ayla)
        row = []
        for who, path in (
            (lead, "/talks/"),
            (ayla, "/me/speaking/"),
            (lead, f"/talks/{TalkRequest.objects.first().pk}/"),
        ):
            client = browser(who)
            client.get(path)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            row.append(len(queries))
        counts.append(row)
    assert counts[0] == counts[1]


def test_old_ones_lapse_and_are_forgotten(expert, ask, settings):
    ayla, now = expert(), timezone.now()
    past = f"{timezone.localdate() - dt.timedelta(days=1)}T10:00"
    gone = ask(walls=[past])
    undated = ask(walls=[], now=now - dt.timedelta(days=91))
    booked = ask(ayla)
    agree(booked, ayla)
    assert (talk_requests.lapse_due(now=now), talk_requests.lapse_due(now=now)) == (2, 0)
    assert {r.state for r in TalkRequest.objects.filter(pk__in=[gone.pk, undated.pk])} == {"lapsed"}
    later = now + dt.timedelta(days=settings.TALK_REQUEST_DAYS + 1)
    assert night("talk_requests", now=later) == 2
    assert list(TalkRequest.objects.all()) == [booked]
    assert talk_requests.hold_due(now=later) == 1


def test_no_booking_is_kept_for_ever(expert, ask):
    ayla, henning, now = expert(), expert("Henning Brandes"), timezone.now()
    orphaned, undated, held = ask(ayla), ask(henning, walls=[]), ask(henning)
    for request, who in ((orphaned, ayla), (undated, henning), (held, henning)):
        agree(request, who)
    memberships.leave_company(person=ayla, by=None, now=now)
    later = now + dt.timedelta(days=400)
    assert (talk_requests.lapse_due(now=later), talk_requests.hold_due(now=later)) == (2, 1)
    states = [TalkRequest.objects.get(pk=row.pk).state for row in (orphaned, undated, held)]
    assert states == ["lapsed", "lapsed", "held"]


def test_event_without_a_date_makes_no_calendar_entry(expert, ask):
    ayla = expert()
    request = ask(ayla, walls=[])
    agree(request, ayla)
    assert talk_calendars.of_person(ayla, now=timezone.now()) == []
