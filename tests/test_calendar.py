"""The calendar: what leaves when, moved and spread, and nothing about a person."""

import base64
import datetime as dt
import re
import uuid
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ambassadors.models import AuditEntry, Role, TimeOff
from campaigns import holds, hours, moments, share_checks, shares
from campaigns.models import Briefing, Delivery, Post, Suggestion, TimeOffer
from campaigns.shares import Words
from curation import calendars, feeds, tones
from curation.calendars import Span
from curation.models import Act
from integrations import accounts, ical

from .corpus import cases
from .test_loop import DESKTOP, PHONE, Visitor, chromium, wait_for  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


def working_noon(days=1):
    """Twelve o'clock in Berlin on the first working day at least some days ahead."""
    day = timezone.now().astimezone(BERLIN).date() + dt.timedelta(days=days)
    while day.weekday() > 3:
        day += DAY
    return dt.datetime.combine(day, dt.time(12), BERLIN)


@pytest.fixture
def plan(person, suggestion):
    """Let some people plan a post at a moment, each on the practice wall."""

    def make(count, at, *, movable=False, who=None):
        made = []
        for _ in range(count):
            writer = who or person(f"P{uuid.uuid4().hex[:6]}")
            wall = accounts.connect_wall(person=writer, now=timezone.now())
            words = Words(
                f"My own sentence {uuid.uuid4().hex}.", suggestion.variant_set.get(), uuid.uuid4()
            )
            (post,) = shares.share(
                by=writer, suggestion=suggestion, words=words, accounts=[wall], due_at=at, movable=movable,
                now=timezone.now(),
            )  # fmt: skip
            made.append(post.delivery)
        return made

    return make


def week_of(at):
    return f"/desk/calendar/?week={at:%Y-%m-%d}"


# What is shown ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "shown"), [(1, False), (4, False), (5, True), (6, True)])
def test_planned_posts_are_told_of_five_people_or_not_at_all(desk, plan, mirja, count, shown):
    noon = working_noon()
    plan(count, noon)
    days = calendars.calendar(Span.around("week", noon.date()), mirja)
    assert [entry.count for day in days for entry in day.entries] == ([count] if shown else [])
    page = desk.get("/desk/").content.decode() + desk.get(week_of(noon)).content.decode()
    assert ("entry--planned" in page, "at least 5 planned" in page) == (shown, shown)


def test_many_posts_of_one_person_are_no_group(desk, plan, mirja, person):
    noon = working_noon()
    plan(7, noon, who=person("Busy"))
    assert calendars._planned(noon - DAY, noon + DAY) == []
    page = desk.get("/desk/").content.decode()
    assert ("at least 5 planned" in page, "fewer than five planned" in page) == (False, True)


def test_groups_are_the_same_on_every_clock(plan, mirja, person):
    noon = working_noon()
    plan(3, noon + dt.timedelta(minutes=10))
    plan(3, noon + dt.timedelta(minutes=40))
    for zone in ("Europe/Berlin", "Asia/Kolkata", "America/St_Johns"):
        reader = person("R", timezone=zone)
        days = calendars.calendar(Span.around("month", noon.date()), reader)
        assert [entry.count for day in days for entry in day.entries] == [6]


def test_month_and_week_show_what_begins_ends_and_is_held(desk, suggestion, topic, mirja):
    noon = working_noon()
    Suggestion.objects.filter(pk=suggestion.pk).update(embargo_until=noon, expires_at=noon + HOUR)
    Briefing.objects.create(day=noon.date(), published_at=noon - 4 * HOUR)
    holds.hold(scope=suggestion, by=mirja, reason="Wait.", now=noon - HOUR)
    for kind in ("week", "month"):
        days = calendars.calendar(Span.around(kind, noon.date()), mirja)
        (day,) = [day for day in days if day.entries]
        assert [entry.kind for entry in day.entries] == ["briefing", "hold", "begin", "end"]
        page = desk.get(f"/desk/calendar/?{kind}={noon:%Y-%m-%d}").content.decode()
        assert len(re.findall(r'class="entry entry--', page)) == 4


@pytest.mark.parametrize("count", [1, 3, 400])
def test_calendar_asks_as_much_for_many_as_for_one(desk, mirja, topic, count):
    noon = working_noon()
    Suggestion.objects.bulk_create(
        Suggestion(
            topic=topic, title=f"S{n}", language="en", author=mirja, changed_at=noon,
            embargo_until=noon + n * dt.timedelta(seconds=1), expires_at=noon + DAY,
        )
        for n in range(count)
    )  # fmt: skip
    desk.get(week_of(noon))
    asked = []
    for url in (week_of(noon), f"/desk/calendar/?month={noon:%Y-%m-%d}"):
        with CaptureQueriesContext(connection) as queries:
            page = desk.get(url).content.decode()
        asked.append(len(queries))
        assert page.count('class="entry entry--begin"') <= 8
    assert asked == [12, 12]


@pytest.mark.parametrize(
    ("date", "hours"), [("2027-03-28", 23), ("2026-10-25", 25), ("2027-03-29", 24)]
)
def test_days_are_as_long_as_they_are(mirja, topic, date, hours):
    day = dt.date.fromisoformat(date)
    late = dt.datetime.combine(day, dt.time(23, 30), BERLIN)
    Suggestion.objects.create(
        topic=topic, title="S", author=mirja, changed_at=late, expires_at=late
    )
    days = {d.date: d for d in calendars.calendar(Span.around("week", day), mirja)}
    assert (days[day].hours, [e.at.hour for e in days[day].entries]) == (hours, [23])


@pytest.mark.parametrize("asked", ["week=9999-12-31", "week=x", "month=0001-01-01", "week=", "month=2026-13-01", "week=2026-W48"])  # fmt: skip
def test_any_week_is_answered(desk, asked):
    assert desk.get(f"/desk/calendar/?{asked}").status_code == 200


# Moving ----------------------------------------------------------------------------------------


def move(desk, row, what, at):
    return desk.post("/desk/calendar/", {"act": what, "pick": row.seen, "at": at})


def test_entry_is_moved_and_moved_back(desk, suggestion, mirja):
    noon = working_noon(8)
    Suggestion.objects.filter(pk=suggestion.pk).update(embargo_until=noon)
    suggestion.refresh_from_db()
    later = noon + 7 * DAY
    answer = move(desk, suggestion, "begin", f"{later:%Y-%m-%dT%H:%M}")
    monday = later.date() - dt.timedelta(days=later.weekday())
    assert answer.headers["Location"] == f"/desk/calendar/?week={monday}#e-begin-{suggestion.pk}"
    suggestion.refresh_from_db()
    assert suggestion.embargo_until == later
    desk.post(f"/desk/acts/{Act.objects.get().pk}/undo/?to=calendar&week={monday}")
    suggestion.refresh_from_db()
    assert suggestion.embargo_until == noon


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("2027-03-28T02:30", "The clocks skip this time."),
        ("9999-12-31T23:59", "more than two years ahead"),
        ("0001-01-01T00:00", "Write a day and a time."),
        ("2099-01-01T00:00", "more than two years ahead"),
        ("2020-01-01T00:00", "in the past"),
        ("", "Write a day and a time."),
        ("9" * 5000, "Write a day and a time."),
    ],
)
def test_moment_that_is_none_is_refused_beside_its_field(desk, suggestion, mirja, at, sentence):
    noon = working_noon()
    Suggestion.objects.filter(pk=suggestion.pk).update(expires_at=noon)
    suggestion.refresh_from_db()
    answer = desk.post(week_of(noon), {"act": "end", "pick": suggestion.seen, "at": at})
    page = answer.content.decode()
    wrong = "in the past" if at.startswith("0001") else sentence
    assert (answer.status_code, sentence in page or wrong in page) == (422, True)
    assert f'id="err-e-end-{suggestion.pk}"' in page


def test_beginning_after_the_end_is_refused_with_a_sentence(desk, suggestion):
    noon = working_noon()
    Suggestion.objects.filter(pk=suggestion.pk).update(embargo_until=noon, expires_at=noon + DAY)
    suggestion.refresh_from_db()
    move(desk, suggestion, "begin", f"{noon + 2 * DAY:%Y-%m-%dT%H:%M}")
    assert "The end would be before the beginning" in desk.get("/desk/calendar/").content.decode()
    suggestion.refresh_from_db()
    assert suggestion.embargo_until == noon


@pytest.mark.parametrize("case", cases("datetime"))
def test_moment_of_the_shared_list_is_refused(desk, suggestion, case):
    if case["expect"] != "reject" or not isinstance(case.get("value"), str):
        pytest.skip("this one is taken, or no text")
    answer = move(desk, suggestion, "end", case["value"])
    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (422, True)


# Piles -----------------------------------------------------------------------------------------


def spread(desk, topic, at):
    return desk.post(
        week_of(at), {"act": "spread", "topic": topic.pk, "hour": at.astimezone(dt.UTC).isoformat()}
    )


def test_pile_is_spread_outside_quiet_hours_and_before_the_end(desk, plan, suggestion, topic):
    at = working_noon().replace(hour=18)
    Suggestion.objects.filter(pk=suggestion.pk).update(expires_at=at + DAY)
    plan(9, at, movable=True)
    assert "9 at once" in desk.get(week_of(at)).content.decode()
    assert spread(desk, topic, at).status_code == 302
    due = sorted(d.due_at.astimezone(BERLIN) for d in Delivery.objects.all())
    assert {7 <= moment.hour < 19 for moment in due} == {True}
    assert max(due) < at + DAY
    assert max(due.count(moment) for moment in due) == 2
    hours = [moment.replace(minute=0) for moment in due]
    assert max(hours.count(hour) for hour in hours) == 4
    assert "entry--planned" not in desk.get(week_of(at)).content.decode()
    assert all(d.not_after == d.due_at + shares.PATIENCE for d in Delivery.objects.all())
    assert AuditEntry.objects.get(act="spread").facts.keys() == {"hour"}


def test_quiet_hours_are_those_of_each_ones_clock(desk, plan, person, topic):
    at = working_noon()
    plan(7, at)
    (far,) = plan(1, at, movable=True, who=person("Far", timezone="Asia/Tokyo"))
    spread(desk, topic, at)
    far.refresh_from_db()
    assert (far.due_at > at, far.due_at.astimezone(ZoneInfo("Asia/Tokyo")).hour) == (True, 7)


def test_chosen_moment_is_asked_about_and_moved_by_its_person_alone(
    desk, plan, topic, person, a_working_day
):
    at = working_noon()
    plan(9, at)
    spread(desk, topic, at)
    assert {d.due_at for d in Delivery.objects.all()} == {at}
    offers = list(TimeOffer.objects.all())
    assert len(offers) == 7
    spread(desk, topic, at)
    assert TimeOffer.objects.count() == 7
    offer = offers[0]
    row, now = offer.delivery, timezone.now()
    assert moments.answer(delivery=row, take=True, by=person("Stranger"), now=now) is False
    client = Client()
    client.force_login(row.post.person)
    assert "another time is offered" in client.get("/").content.decode()
    assert "Keep my time" in client.get(f"/posts/{row.post_id}/").content.decode()
    client.post(f"/posts/{row.post_id}/", {"choice": "take_offer"})
    row.refresh_from_db()
    assert row.due_at == offer.at
    kept = offers[1].delivery
    assert moments.answer(delivery=kept, take=False, by=kept.post.person, now=now) is True
    assert moments.answer(delivery=kept, take=True, by=kept.post.person, now=now) is False
    kept.refresh_from_db()
    assert kept.due_at == at


def test_hold_wins_over_spreading(desk, plan, topic, suggestion, mirja):
    at = working_noon()
    plan(9, at, movable=True)
    for scope in (suggestion, topic):
        holds.hold(scope=scope, by=mirja, reason="Wait.", now=timezone.now())
        spread(desk, topic, at)
        holds.release(scope=scope, by=mirja, now=timezone.now())
    assert {d.due_at for d in Delivery.objects.all()} == {at}


def test_spread_is_undone_where_nothing_changed_since(desk, plan, topic, mirja, person):
    at = working_noon()
    moved, asked = plan(7, at, movable=True), plan(2, at)
    spread(desk, topic, at)
    now = timezone.now()
    done = moments.undoable(mirja, now)
    first, second = [m.delivery for m in done.moves.order_by("pk")][:2]
    elsewhere = at + 3 * HOUR
    Delivery.objects.filter(pk=first.pk).update(due_at=elsewhere)
    Delivery.objects.filter(pk=second.pk).update(blocked="consent")
    second.refresh_from_db()
    for who, when in ((person("Dilan", "curator"), now), (mirja, now + moments.UNDO)):
        with pytest.raises(moments.NoPile):
            moments.gather(done=done, by=who, now=when)
    page = desk.post(week_of(at), {"act": "gather", "spread": done.pk}, follow=True)
    assert "nobody is asked any more" in page.content.decode()
    stay = {first.pk: elsewhere, second.pk: second.due_at}
    for row in Delivery.objects.all():
        assert row.due_at == stay.get(row.pk, at)
    assert (TimeOffer.objects.count(), len(moved) + len(asked)) == (0, 9)
    assert desk.post(week_of(at), {"act": "gather", "spread": done.pk}).status_code == 422


def test_undone_spread_puts_no_post_into_a_time_off_or_quiet_hours_set_since(
    desk, plan, topic, mirja
):
    at = working_noon(3)
    plan(9, at, movable=True)
    spread(desk, topic, at)
    done = moments.undoable(mirja, timezone.now())
    off, quiet, *rest = [move.delivery for move in done.moves.order_by("pk")]
    before = {row.pk: row.due_at for row in (off, quiet)}
    for row, days in ((off, (at.date(), at.date())), (rest[0], (at.date() - DAY, at.date() - DAY))):
        TimeOff.objects.create(
            person=row.post.person, from_on=days[0], until_on=days[1], posts="move",
            said_at=timezone.now(),
        )  # fmt: skip
    hours.set_quiet(by=quiet.post.person, hours=(12, 13), free_days=True)
    desk.post(week_of(at), {"act": "gather", "spread": done.pk})
    for row in Delivery.objects.all():
        assert row.due_at == before.get(row.pk, at)


def test_spread_stays_while_the_topic_is_held(desk, plan, topic, mirja):
    at = working_noon()
    plan(9, at, movable=True)
    spread(desk, topic, at)
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=timezone.now())
    done = moments.undoable(mirja, timezone.now())
    assert desk.post(week_of(at), {"act": "gather", "spread": done.pk}).status_code == 422
    holds.release(scope=topic, by=mirja, now=timezone.now())
    assert desk.post(week_of(at), {"act": "gather", "spread": done.pk}).status_code == 302
    assert {d.due_at for d in Delivery.objects.all()} == {at}


def test_fewer_than_five_people_are_no_pile(desk, plan, topic):
    at = working_noon()
    plan(4, at, movable=True)
    answer = spread(desk, topic, at)
    assert (answer.status_code, "There is no pile any more." in answer.content.decode()) == (
        422,
        True,
    )
    assert {d.due_at for d in Delivery.objects.all()} == {at}


@pytest.mark.parametrize("form", [{"topic": "9" * 30, "hour": "x"}, {"topic": "1", "hour": "9999-12-31T23:59:59-23:59"}, {}])  # fmt: skip
def test_spread_of_nonsense_gets_a_sentence(desk, topic, form):
    answer = desk.post("/desk/calendar/", {"act": "spread", **form})
    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (422, True)


def test_good_time_is_free_and_outside_quiet_hours(plan, suggestion, person):
    jona = person("Jona")
    evening = working_noon().replace(hour=20)
    first = moments.good_time(suggestion=suggestion, person=jona, now=evening).at
    assert first.astimezone(BERLIN).time() == dt.time(7)
    plan(2, first)
    again = moments.good_time(suggestion=suggestion, person=jona, now=evening).at
    assert again == first + dt.timedelta(minutes=15)
    suggestion.expires_at = evening + HOUR
    with pytest.raises(share_checks.ShareRefused):
        moments.good_time(suggestion=suggestion, person=jona, now=evening)


def test_good_time_is_chosen_in_the_composer(suggestion, person):
    jona, client = person("Jona"), Client()
    client.force_login(jona)
    wall = accounts.connect_wall(person=jona, now=timezone.now())
    client.post(f"/suggestions/{suggestion.pk}/", {
        "variant": suggestion.variant_set.get().pk, "text": "I stood below it.", "submission": str(uuid.uuid4()),
        "act": "share", "to": [wall.pk], "when": "good",
    })  # fmt: skip
    delivery = Delivery.objects.get()
    assert (delivery.movable, delivery.due_at > timezone.now()) == (True, True)


# The feed --------------------------------------------------------------------------------------


def fetched(signed):
    """As a calendar program asks, with name and password."""
    basic = base64.b64encode(signed.encode()).decode()
    return Client().get("/desk/calendar/feed.ics", headers={"Authorization": f"Basic {basic}"})


def unfolded(response):
    return response.content.decode().replace("\r\n ", "").split("\r\n")


def test_feed_says_beginnings_ends_and_briefings_and_no_person(desk, suggestion, mirja, plan):
    noon = working_noon()
    title = "Wind; \\ no, really\nnew " + "ü" * 60
    Suggestion.objects.filter(pk=suggestion.pk).update(
        title=title, embargo_until=noon, expires_at=noon + DAY
    )
    Briefing.objects.create(day=noon.date(), published_at=noon)
    feeds.make(by=mirja, now=timezone.now())
    answer = fetched(feeds.signed(mirja))
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert max(len(line.encode()) for line in answer.content.decode().split("\r\n")) <= 75
    lines = unfolded(answer)
    assert lines.count("BEGIN:VEVENT") == 3
    assert f"DTSTART:{noon.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}" in lines
    assert "SUMMARY:Embargo ends: Wind\\; \\\\ no\\, really\\nnew " + "ü" * 60 in lines
    names = ["Mirja", "Dilan", suggestion.author.email]
    assert [name for name in names if name in answer.content.decode()] == []


def test_feed_ends_by_revoking_leaving_and_losing_the_role(desk, mirja):
    desk.post("/desk/calendar/address/", {"act": "make"})
    first = feeds.signed(mirja)
    assert (fetched(first).status_code, fetched(f"{first}x").status_code) == (200, 401)
    desk.post("/desk/calendar/address/", {"act": "revoke"})
    assert fetched(first).status_code == 401
    desk.post("/desk/calendar/address/", {"act": "make"})
    second = feeds.signed(mirja)
    assert (fetched(first).status_code, fetched(second).status_code) == (401, 200)
    Role.objects.filter(person=mirja).delete()
    assert fetched(second).status_code == 401
    Role.objects.create(person=mirja, name="curator")
    mirja.left_at = timezone.now()
    mirja.save(update_fields=["left_at"])
    assert fetched(second).status_code == 401


def test_line_is_folded_between_characters():
    folded = ical.fold("SUMMARY:" + "👩‍👩‍👧" * 40)
    assert max(len(line.encode()) for line in folded.split("\r\n")) <= 75
    assert folded.replace("\r\n ", "") == "SUMMARY:" + "👩‍👩‍👧" * 40


# Tone ------------------------------------------------------------------------------------------


def approve_some(topic, who, *sounds, days=0):
    at = timezone.now() - dt.timedelta(days=days)
    for tone, kind in sounds:
        Suggestion.objects.create(
            topic=topic, title="S", author=who, tone=tone, content_class=kind, state="approved", approved_by=who,
            approved_at=at, changed_at=at,
        )  # fmt: skip


def test_one_tone_alone_gets_a_quiet_word(desk, topic, mirja):
    proud, job = ("proud", "employer_brand"), ("proud", "job_ad")
    approve_some(topic, mirja, proud, proud)
    assert tones.only_tone(timezone.now()) == ""
    approve_some(topic, mirja, proud)
    assert tones.only_tone(timezone.now()) == "proud"
    assert "Everything approved in two weeks is proud." in desk.get("/desk/").content.decode()
    assert "Everything approved in two weeks is proud." in desk.get("/desk/tone/").content.decode()
    approve_some(topic, mirja, job)
    assert tones.only_tone(timezone.now()) == ""
    assert tones.weeks(mirja, timezone.now())[-1].counts[::5] == (3, 1)


def use(suggestion, who, text="Same words as all of you have.", own=0, replies=None):
    Post.objects.create(
        person=who, suggestion=suggestion, network="x", how="copied", submission=uuid.uuid4(), text=text,
        full_text=text, language="en", own_share=own, sha256="x", created_at=timezone.now(), replies=replies,
    )  # fmt: skip


def test_use_of_a_suggestion_is_told_of_five_people(desk, suggestion, person):
    for n in range(4):
        use(suggestion, person(f"P{n}"))
    assert tones.uses(timezone.now()) == []
    use(suggestion, person("P5"), "Quite another sentence, and a longer one at that.", own=50)
    (row,) = tones.uses(timezone.now())
    assert (row.people, row.posts, row.own, row.alike) == (5, 5, 10, 60)
    assert "above the goal" in desk.get("/desk/tone/").content.decode()


def test_use_is_told_anew_when_five_people_changed_it(suggestion, person):
    now, tomorrow = timezone.now(), timezone.now() + dt.timedelta(days=1)
    for n in range(5):
        use(suggestion, person(f"P{n}"))
    told = tones.uses(now)
    for n in range(4):
        use(suggestion, person(f"N{n}"), "Quite another sentence, and a longer one.", own=90)
    assert tones.uses(tomorrow) == told
    use(suggestion, person("N5"), "Quite another sentence, and a longer one.", own=90)
    assert tones.uses(now) == told
    (row,) = tones.uses(tomorrow)
    assert (row.people, row.posts, row.own, row.alike) == (10, 10, 45, 44)


def test_pairs_are_of_five_different_people_within_a_week(suggestion, person):
    people = [person(f"P{n}") for n in range(5)]
    for who in people[:4] * 3:
        use(suggestion, who)
    posts = Post.objects.order_by("pk")
    assert tones.alike(posts.all()) is None
    use(suggestion, people[4], "I would put it in another way altogether, and shorter.")
    assert tones.alike(posts.all()) == round(100 * 54 / 66)
    Post.objects.filter(person=people[4]).update(created_at=timezone.now() - dt.timedelta(days=9))
    assert tones.alike(posts.all()) is None


@pytest.mark.parametrize("count", [1, 3])
def test_tone_page_asks_a_constant_number(desk, suggestion, person, count):
    for n in range(count):
        copy = suggestion if not n else Suggestion.objects.create(topic=suggestion.topic, title=f"S{n}", author=suggestion.author, changed_at=timezone.now())  # fmt: skip
        for m in range(5):
            use(copy, person(f"P{n}{m}"))
    desk.get("/desk/tone/")
    with CaptureQueriesContext(connection) as queries:
        desk.get("/desk/tone/")
    assert len(queries) == 10


# In a browser ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_keys_and_drag_move_and_a_pile_is_spread_by_keyboard(
    chromium, live_server, mirja, suggestion, topic, plan
):
    noon = working_noon(8)
    monday = noon.date() - dt.timedelta(days=noon.weekday())
    begin = dt.datetime.combine(monday, dt.time(12), BERLIN)
    Suggestion.objects.filter(pk=suggestion.pk).update(embargo_until=None)
    plan(9, noon, movable=True)
    Suggestion.objects.filter(pk=suggestion.pk).update(embargo_until=begin)
    visitor = Visitor(chromium, live_server.url, DESKTOP)
    visitor.login(mirja)
    page = visitor.page
    page.goto(f"{live_server.url}{week_of(noon)}")
    visitor.check()
    page.locator("[data-move] summary").focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url(f"**#e-begin-{suggestion.pk}")
    suggestion.refresh_from_db()
    assert suggestion.embargo_until == begin + DAY + HOUR
    with page.expect_navigation():  # else the next page would cut this one off
        page.locator("[data-entry]").drag_to(page.locator(".cal__day").nth(4))
    wait_for(lambda: Suggestion.objects.filter(embargo_until=begin + 4 * DAY + HOUR).exists(), 10)
    page.goto(f"{live_server.url}{week_of(noon)}")
    page.get_by_role("button", name="Spread").focus()
    page.keyboard.press("Enter")
    page.get_by_text("whoever chose the time is asked").wait_for()
    assert page.get_by_role("button", name="Spread").count() == 0
    phone = Visitor(chromium, live_server.url, PHONE)
    phone.login(mirja)
    for url in (week_of(noon), f"/desk/calendar/?month={noon:%Y-%m-%d}", "/desk/tone/", "/desk/?lane=out", "/desk/?q=years"):  # fmt: skip
        phone.page.goto(live_server.url + url)
        phone.check()
    assert (visitor.trouble, phone.trouble) == ([], [])
