"""When a person is left alone: quiet hours, holidays, time off, another clock; and their queue."""

import datetime as dt
import uuid

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ambassadors.models import AuditEntry, FreeDay, Person, Site, TimeOff
from campaigns import choices, habits, hours, moments, queue, reaching, reminders, timeoff, zones
from campaigns.models import Briefing, Delivery, Post, Programme, TimeOffer, Way
from integrations import accounts
from reception import routing
from reception.models import Widget

from .conftest import browser
from .test_calendar import BERLIN, plan  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
MONDAY = dt.datetime(2026, 11, 30, 10, tzinfo=BERLIN)


@pytest.fixture
def site(db):
    def make(**fields):
        return Site.objects.create(slug=f"s{Site.objects.count()}", name="Koog", **fields)

    return make


def at(day, hour=12, month=12, year=2026):
    return dt.datetime(year, month, day, hour, tzinfo=BERLIN)


def days_ahead(count, hour=9):
    """An hour in Berlin so many days from the real now, which the views ask."""
    day = timezone.now().astimezone(BERLIN).date() + count * DAY
    return dt.datetime.combine(day, dt.time(hour), BERLIN)


# Quiet hours ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "of_site", "quiet"),
    [
        ((None, None), (None, None), [0, 6, 19, 23]),
        ((None, None), (16, 10), [0, 6, 7, 9, 16, 17, 19, 23]),
        ((22, 5), (16, 10), [0, 23]),
        ((9, 17), (None, None), [9, 10, 12, 16]),
        ((8, 8), (None, None), []),
    ],
)
def test_own_quiet_hours_win_over_the_sites_and_those_over_the_companys(
    person, site, own, of_site, quiet
):
    place = site(quiet_from_hour=of_site[0], quiet_until_hour=of_site[1])
    mine = hours.of(person(site=place, quiet_from_hour=own[0], quiet_until_hour=own[1]), MONDAY)
    tried = [0, 6, 7, 9, 10, 12, 16, 17, 19, 23]
    assert [hour for hour in tried if mine.quiet(at(1, hour))] == quiet


@pytest.mark.parametrize("fields", [{"quiet_from_hour": 24}, {"quiet_from_hour": 9}])
def test_database_takes_no_half_quiet_hours(jona, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(pk=jona.pk).update(**fields)


@pytest.mark.parametrize(
    ("country", "part", "day", "quiet"),
    [
        ("DE", "", 6, False),
        ("DE", "BY", 6, True),
        ("AT", "", 6, True),
        ("DE", "ZZ", 6, False),
        ("XX", "", 6, False),
        ("DE", "BY", 7, False),
    ],
)
def test_holidays_are_those_of_the_site(person, site, country, part, day, quiet):
    jona = person(site=site(country=country, subdivision=part))
    noon = at(day, month=1, year=2027)
    assert hours.of(jona, MONDAY).quiet(noon) is quiet
    jona.quiet_free_days = False
    assert not hours.of(jona, MONDAY).quiet(noon)


def test_company_days_count_where_they_are_named(person, site):
    here, there = site(), site()
    FreeDay.objects.create(site=here, on=at(3).date(), name="Works outing")
    FreeDay.objects.create(on=at(4).date(), name="Bridge day")
    jona, ada = person(site=here), person(site=there)
    assert [hours.of(who, MONDAY).quiet(at(day)) for who in (jona, ada) for day in (3, 4)] == [
        True, True, False, True,
    ]  # fmt: skip
    assert hours.of(jona, MONDAY).coming(at(3).date(), 3) == [
        (at(3).date(), "Works outing"), (at(4).date(), "Bridge day"), (at(25).date(), "Christmas Day"),
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 3])
def test_calendar_of_many_people_is_three_queries(person, django_assert_num_queries, count):
    people, programme = [person(f"P{n}") for n in range(count)], Programme.the()
    with django_assert_num_queries(3):
        calendar = hours.Calendar(programme, MONDAY)
        assert [calendar.of(who).quiet(MONDAY) for who in people] == [False] * count


def test_mail_of_the_issue_knows_holidays_own_hours_and_time_off(person, site):
    days = [at(6, 8, 1, 2027), at(7, 8, 1, 2027)]
    Briefing.objects.bulk_create(Briefing(day=day.date(), published_at=day) for day in days)
    vienna = site(country="AT", timezone="Europe/Vienna")
    early, late = (
        person("Early", site=vienna),
        person("Late", quiet_from_hour=20, quiet_until_hour=9),
    )
    off, plain = person("Off"), person("Plain")
    for who in (early, late, off, plain):
        reaching.wish(by=who, way=Way.MAIL, at=dt.time(7, 30), now=MONDAY)
    TimeOff.objects.create(
        person=off, from_on=days[0].date(), until_on=days[0].date(), posts="move", said_at=MONDAY
    )
    found = [{m.person.name for m in reaching._due(Way.MAIL, day)} for day in days]
    assert found == [{"Plain"}, {"Early", "Off", "Plain"}]
    assert "Late" in {m.person.name for m in reaching._due(Way.MAIL, days[1].replace(hour=9))}


@pytest.mark.parametrize(
    ("country", "part", "by"), [("DE", "", 28), ("GB", "ENG", 29), ("XX", "", 25)]
)
def test_promise_leaves_out_holidays_where_the_answer_comes_from(site, person, country, part, by):
    widget = Widget.objects.create(title="Jobs", language="de", changed_at=MONDAY)
    widget.sites.add(site(country=country, subdivision=part))
    assert routing.answer_by(at(24), 1, widget=widget) == at(by)
    ada = person(site=site(country="XX"))
    assert routing.answer_by(at(24), 1, widget=widget, person=ada) == at(25)


# Good times -------------------------------------------------------------------------------------


@pytest.fixture
def history(suggestion):
    """Posts of the last weeks: on a Tuesday at eight with talks, and others."""

    def make(who, *, talks, others, hour=8):
        for week in range(talks + others):
            moment = at(1, hour, 12) - (week + 1) * 7 * DAY  # Tuesdays
            if week >= talks:
                moment += 2 * DAY
            Post.objects.create(
                person=who, suggestion=suggestion, network="linkedin", how="copied",
                submission=uuid.uuid4(), text="x", full_text="x", language="en", own_share=90,
                sha256="x", created_at=moment, replies=4 if week < talks else 0,
            )  # fmt: skip

    return make


@pytest.mark.parametrize(
    ("talks", "others", "found"),
    [(3, 5, habits.Habit(1, 0, 3)), (2, 6, None), (3, 4, None), (0, 9, None)],
)
def test_habit_needs_enough_posts_and_talks(jona, history, talks, others, found):
    history(jona, talks=talks, others=others)
    assert habits.of(jona, MONDAY) == found


def test_good_time_follows_the_persons_own_talks_and_says_why(
    jona, person, suggestion, history, plan
):
    history(jona, talks=4, others=5, hour=14)
    found = moments.good_time(suggestion=suggestion, person=jona, now=MONDAY)
    assert (found.at, found.why) == (
        at(1, 12), "Four of your best talks began on Tuesday afternoons.",
    )  # fmt: skip
    other = moments.good_time(suggestion=suggestion, person=person("Ada"), now=MONDAY)
    assert other.at == MONDAY + dt.timedelta(minutes=15)
    assert other.why == "Outside of your quiet hours, when few others speak about it."


def test_good_time_passes_over_holidays_and_time_off(person, site, suggestion):
    jona = person(site=site(country="DE"))
    eve = at(24, 19)  # a Thursday; 25 and 26 are holidays, 27 is a Sunday
    assert moments.good_time(suggestion=suggestion, person=jona, now=eve).at == at(28, 7)
    TimeOff.objects.create(
        person=jona, from_on=eve.date(), until_on=at(29).date(), posts="wait", said_at=eve
    )
    assert moments.good_time(suggestion=suggestion, person=jona, now=eve).at == at(30, 7)


@pytest.mark.parametrize(("own", "said"), [((0, 23), True), ((8, 8), False)])
def test_own_moment_in_quiet_hours_is_taken_and_said(person, suggestion, own, said):
    jona = person(quiet_from_hour=own[0], quiet_until_hour=own[1], quiet_free_days=False)
    wall = accounts.connect_wall(person=jona, now=timezone.now())
    page = browser(jona).post(f"/suggestions/{suggestion.pk}/", {
        "variant": suggestion.variant_set.get().pk, "text": "I stood below it.",
        "submission": str(uuid.uuid4()), "act": "share", "to": [wall.pk], "when": "pick",
        "at": f"{days_ahead(2):%Y-%m-%dT%H:%M}",
    }, follow=True)  # fmt: skip
    assert Delivery.objects.get().due_at == days_ahead(2)
    assert ("This lies in your quiet hours." in page.content.decode()) is said


# Time off ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("posts", "blocked"), [("move", [""] * 3), ("wait", ["time_off"] * 2 + [""])]
)
def test_posts_in_time_off_move_day_by_day_after_it(jona, plan, posts, blocked):
    for day in (1, 2, 9):
        plan(1, days_ahead(day), who=jona)
    now = timezone.now()
    taken = timeoff.take(
        by=jona, from_on=days_ahead(1).date(), until_on=days_ahead(5).date(), posts=posts, now=now
    )
    mine = hours.of(jona, now)
    after = [days_ahead(n) for n in range(6, 20) if not mine.free(days_ahead(n).date())]
    rows = list(Delivery.objects.order_by("pk"))
    assert [row.due_at for row in rows] == [after[0], after[1], days_ahead(9)]
    assert [row.blocked for row in rows] == blocked
    assert (taken.moved, taken.waiting) == ((2, 0) if posts == "move" else (0, 2))


@pytest.mark.parametrize(
    ("row", "moves"),
    [
        ({"next_at": days_ahead(0) + 2 * DAY, "reason": "later"}, True),
        ({"lease_until": timezone.now() + DAY}, True),
        ({"blocked": "look_again"}, True),
        ({"first_tried_at": timezone.now() - dt.timedelta(minutes=5)}, False),
        ({"not_after": timezone.now() - dt.timedelta(minutes=1)}, False),
        ({"state": "sending", "lease_until": timezone.now() + DAY}, False),
    ],
)
def test_post_that_is_due_and_waits_leaves_after_a_time_off_named_meanwhile(jona, plan, row, moves):
    now = timezone.now()
    due = now - dt.timedelta(hours=20)  # most of the day it was yesterday
    (delivery,) = plan(1, days_ahead(1), who=jona)
    Delivery.objects.filter(pk=delivery.pk).update(**{"due_at": due, "not_after": due + DAY} | row)
    taken = timeoff.take(
        by=jona, from_on=days_ahead(0).date(), until_on=days_ahead(3).date(), posts="move", now=now
    )
    delivery.refresh_from_db()
    after = hours.of(jona, now).working_day_after(days_ahead(3).date())
    moved_to = dt.datetime.combine(after, due.astimezone(BERLIN).time(), BERLIN)
    assert (taken.moved, delivery.due_at) == ((1, moved_to) if moves else (0, due))
    assert not moves or (delivery.next_at, delivery.lease_until) == (None, None)
    assert not moves or delivery.not_after == moved_to + DAY


def test_post_due_today_stays_when_the_time_off_begins_tomorrow(jona, plan):
    now = timezone.now()
    plan(1, days_ahead(1), who=jona)
    Delivery.objects.update(due_at=now, not_after=now + DAY)
    taken = timeoff.take(
        by=jona, from_on=days_ahead(1).date(), until_on=days_ahead(3).date(), posts="wait", now=now
    )
    assert (taken.moved, taken.waiting, Delivery.objects.get().due_at) == (0, 0, now)


def test_offer_of_another_moment_is_gone_with_the_moment(jona, plan):
    (delivery,) = plan(1, days_ahead(1), who=jona)
    now = timezone.now()
    TimeOffer.objects.create(delivery=delivery, at=days_ahead(2), made_at=now)
    timeoff.take(
        by=jona, from_on=days_ahead(1).date(), until_on=days_ahead(3).date(), posts="move", now=now
    )
    assert not TimeOffer.objects.exists()


def test_post_whose_suggestion_ends_in_time_off_waits_for_a_look(jona, plan, suggestion):
    plan(1, days_ahead(1), who=jona)
    type(suggestion).objects.update(expires_at=days_ahead(3))
    timeoff.take(
        by=jona, from_on=days_ahead(1).date(), until_on=days_ahead(4).date(), posts="move",
        now=timezone.now(),
    )  # fmt: skip
    assert Delivery.objects.get().blocked == "time_off"


@pytest.mark.parametrize("kept", ["guideline", "reconnect"])
@pytest.mark.parametrize(("posts", "ends"), [("wait", 20), ("move", 3)])
def test_post_that_waits_for_a_yes_or_a_key_waits_for_the_look_as_well(
    jona, plan, suggestion, kept, posts, ends
):
    """The yes alone would send it unseen, or after the end of its suggestion."""
    plan(1, days_ahead(1), who=jona)
    Delivery.objects.update(blocked=kept, reason=kept)
    type(suggestion).objects.update(expires_at=days_ahead(ends))
    taken = timeoff.take(
        by=jona, from_on=days_ahead(1).date(), until_on=days_ahead(4).date(), posts=posts,
        now=timezone.now(),
    )  # fmt: skip
    delivery = Delivery.objects.get()
    assert (delivery.blocked, delivery.reason, taken.waiting) == ("time_off", "", 1)


def test_time_off_is_quiet_private_and_ends_by_itself(jona, plan):
    now = at(2)
    timeoff.take(by=jona, from_on=at(3).date(), until_on=at(4).date(), posts="wait", now=now)
    assert [hours.of(jona, now).quiet(at(day)) for day in (2, 3, 4, 7)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert (timeoff.running(jona, at(2)), timeoff.running(jona, at(7))) == (None, None)
    assert not AuditEntry.objects.filter(actor_id=jona.pk, act__contains="off").exists()
    again = timeoff.take(
        by=jona, from_on=at(8).date(), until_on=at(9).date(), posts="move", now=at(7)
    )
    assert timeoff.current(jona, at(7)) == again.off


def test_back_early_the_waiting_ones_are_asked_about_at_once(jona, plan):
    plan(1, days_ahead(1), who=jona)
    now = timezone.now()
    timeoff.take(
        by=jona, from_on=days_ahead(0).date(), until_on=days_ahead(4).date(), posts="wait", now=now
    )
    assert reminders.on_today(jona, now)[0] == []
    client = browser(jona)
    assert "You are off until" in client.get("/").content.decode()
    client.post("/me/time/", {"act": "back", "back": "today"})
    assert "You are off until" not in client.get("/").content.decode()
    later = timezone.now()
    assert reminders.on_today(jona, later)[0] == [Delivery.objects.get()]
    assert choices.look_again(by=jona, delivery=Delivery.objects.get(), now=later)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"from_on": "2026-12-04", "until_on": "2026-12-01", "posts": "move"}, "before the first"),
        ({"from_on": "2020-01-01", "until_on": "2020-01-02", "posts": "move"}, "over already"),
        ({"from_on": "soon", "until_on": "2020-01-02", "posts": "move"}, "Write a day."),
        ({"from_on": "2030-01-01", "until_on": "2031-06-02", "posts": "move"}, "At most a year"),
        ({"from_on": "2030-01-01", "until_on": "2030-01-02", "posts": "x"}, "what becomes of"),
    ],
)
def test_time_off_that_is_none_gets_a_sentence(jona, form, said):
    answer = browser(jona).post("/me/time/", {"act": "off", **form})
    page = answer.content.decode()
    assert (answer.status_code, said in page, form["until_on"] in page) == (422, True, True)


# My clock ---------------------------------------------------------------------------------------

FORM = {"act": "hours", "quiet_from": "19", "quiet_until": "7", "free_days": "yes"}


@pytest.mark.parametrize(
    ("zone", "known"),
    [
        ("Europe/Atlantis", ""),
        ("", ""),
        ("../etc/passwd", ""),
        ("america/new york", "America/New_York"),
    ],
)
def test_zone_that_does_not_exist_gets_a_sentence_beside_the_field(jona, zone, known):
    answer = browser(jona).post("/me/time/", {**FORM, "zone": zone})
    jona.refresh_from_db()
    assert jona.timezone == (known or "Europe/Berlin")
    assert answer.status_code == (302 if known else 422)
    assert bool(known) or b'id="zone-e"' in answer.content


@pytest.mark.parametrize(("by", "shift"), [("clock", 6), ("moment", 0)])
def test_travelling_asks_what_becomes_of_planned_posts(jona, plan, by, shift):
    plan(1, days_ahead(3), who=jona)
    client = browser(jona)
    travel = {**FORM, "zone": "America/New_York"}
    asked = client.post("/me/time/", travel)
    assert (asked.status_code, b"1 post waits" in asked.content) == (422, True)
    assert Person.objects.get(pk=jona.pk).timezone == "Europe/Berlin"
    assert client.post("/me/time/", {**travel, "posts_by": by}).status_code == 302
    assert Delivery.objects.get().due_at == days_ahead(3) + dt.timedelta(hours=shift)


@pytest.mark.parametrize(
    ("planned", "leaves"),
    [
        (dt.datetime(2027, 3, 14, 2, 30, tzinfo=BERLIN), "03:30"),  # skipped in New York
        (dt.datetime(2027, 3, 14, 9, 0, tzinfo=BERLIN), "09:00"),
    ],
)
def test_clock_is_kept_over_a_night_that_skips_an_hour(jona, plan, planned, leaves):
    (delivery,) = plan(1, days_ahead(1), who=jona)
    Delivery.objects.filter(pk=delivery.pk).update(due_at=planned, not_after=planned + DAY)
    zones.change(by=jona, zone="America/New_York", posts="clock", now=timezone.now())
    delivery.refresh_from_db()
    assert f"{delivery.due_at.astimezone(jona.zone):%H:%M}" == leaves


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        ({"own": "yes", "quiet_from": "22", "quiet_until": "5"}, (22, 5, True)),
        ({"own": ""}, (None, None, True)),
        ({"own": "yes", "free_days": ""}, (19, 7, False)),
        ({"own": "yes", "quiet_from": "25"}, None),
        ({"own": "yes", "quiet_until": "²"}, None),
    ],
)
def test_own_quiet_hours_are_set_on_ones_own_page(jona, form, kept):
    answer = browser(jona).post("/me/time/", {**FORM, "zone": "Europe/Berlin", **form})
    jona.refresh_from_db()
    now = (jona.quiet_from_hour, jona.quiet_until_hour, jona.quiet_free_days)
    assert (answer.status_code, now) == ((302, kept) if kept else (422, (None, None, True)))


# Sites ------------------------------------------------------------------------------------------

SITE = {
    "act": "change",
    "zone": "Europe/Berlin",
    "country": "DE",
    "quiet_from": "",
    "quiet_until": "",
}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"subdivision": "BY"}, ""),
        ({"country": "XX"}, "country-e"),
        ({"country": "AT", "subdivision": "BY"}, "part-e"),
        ({"zone": "Europe/Atlantis"}, "zone-e"),
        ({"quiet_from": "19"}, "qf-e"),
        ({"quiet_from": "20", "quiet_until": "6"}, ""),
    ],
)
def test_site_is_changed_or_says_why_not(person, site, form, field):
    place, client = site(), browser(person("Admin", "administrator"))
    answer = client.post(f"/people/sites/{place.pk}/", {**SITE, "subdivision": "", **form})
    assert answer.status_code == (422 if field else 302)
    assert not field or f'id="{field}"'.encode() in answer.content
    assert AuditEntry.objects.filter(act="hours.changed").exists() is not bool(field)


def test_company_keeps_quiet_hours_and_names_its_free_days(person):
    client = browser(person("Selin", "hr"))
    page = "/people/sites/company/"
    assert client.post(page, {**SITE, "subdivision": ""}).status_code == 422
    on = days_ahead(7).date()
    day = {"act": "add", "on": on.isoformat(), "name": "Bridge day"}
    assert [client.post(page, day).status_code for _ in range(2)] == [302, 422]
    assert client.post(page, {**day, "on": "2020-01-01"}).status_code == 422
    assert "Bridge day" in client.get("/people/sites/").content.decode()
    client.post(page, {"act": "drop", "day": FreeDay.objects.get().pk})
    assert not FreeDay.objects.exists()


# The queue --------------------------------------------------------------------------------------


@pytest.fixture
def three(jona, plan):
    return [plan(1, days_ahead(day), who=jona)[0] for day in (1, 2, 3)]


def order(person):
    return list(queue.waiting(person, timezone.now()).values_list("pk", flat=True))


def test_arrows_let_posts_exchange_their_moments(jona, three):
    a, b, c = (row.pk for row in three)
    client = browser(jona)
    TimeOffer.objects.create(delivery=three[1], at=days_ahead(2, 11), made_at=timezone.now())
    assert client.post("/posts/", {"up": b}).url == f"/posts/#q{b}"
    assert order(jona) == [b, a, c]
    client.post("/posts/", {"down": b})
    client.post("/posts/", {"down": b})
    assert order(jona) == [a, c, b]
    assert client.post("/posts/", {"down": b}).status_code == 302  # already the last
    assert sorted(Delivery.objects.values_list("due_at", flat=True)) == [
        days_ahead(day) for day in (1, 2, 3)
    ]
    assert not TimeOffer.objects.exists()


def test_drag_sends_the_whole_order(jona, three):
    a, b, c = (row.pk for row in three)
    assert browser(jona).post("/posts/", {"order": f"{c},{a},{b}"}).status_code == 302
    assert order(jona) == [c, a, b]


@pytest.mark.parametrize("typed", ["", "1", "{a},{b}", "{a},{a},{b}", "{a},{b},{c},9", "²,{b},{c}"])
def test_order_that_is_not_the_queue_moves_nothing(jona, three, typed):
    a, b, c = (row.pk for row in three)
    answer = browser(jona).post("/posts/", {"order": typed.format(a=a, b=b, c=c)})
    assert (answer.status_code, order(jona)) == (422, [a, b, c])


@pytest.mark.parametrize(
    "begun", [{"state": "sending"}, {"lease_until": timezone.now() + DAY}, {"state": "cancelled"}]
)
def test_post_that_has_begun_is_never_moved(jona, three, begun):
    a, b, c = three
    seen = Delivery.objects.get(pk=b.pk)
    Delivery.objects.filter(pk=b.pk).update(**begun)
    with transaction.atomic():
        assert not queue.move(seen, days_ahead(5), timezone.now())
    answer = browser(jona).post("/posts/", {"order": f"{b.pk},{a.pk},{c.pk}"})
    assert answer.status_code == 422
    assert [Delivery.objects.get(pk=row.pk).due_at for row in three] == [
        days_ahead(day) for day in (1, 2, 3)
    ]


def test_nobody_moves_anothers_post(person, three):
    ada = person("Ada")
    assert browser(ada).post("/posts/", {"up": three[1].pk}).status_code == 422
    assert browser(ada).get("/posts/").content.count(b"data-row=") == 0


def test_place_after_the_suggestions_end_is_refused(jona, three, suggestion):
    type(suggestion).objects.update(expires_at=days_ahead(2, 12))
    answer = browser(jona).post("/posts/", {"down": three[1].pk})
    assert (answer.status_code, b"ends before that moment" in answer.content) == (422, True)


def test_taking_back_says_the_truth_when_it_is_too_late(jona, three):
    client, post = browser(jona), three[0].post_id
    page = client.get("/posts/").content.decode()
    assert page.count('value="withdraw"') == 3
    Delivery.objects.filter(pk=three[0].pk).update(state="sending")
    late = client.post(f"/posts/{post}/", {"choice": "withdraw"})
    assert (late.status_code, b"Too late: it has left already." in late.content) == (422, True)
    assert b'value="withdraw"' not in late.content
    client.post(f"/posts/{three[1].post_id}/", {"choice": "withdraw"})
    assert Delivery.objects.get(pk=three[1].pk).state == "cancelled"


@pytest.mark.parametrize("count", [1, 3])
def test_page_of_my_posts_asks_as_often_for_three_as_for_one(
    jona, plan, count, django_assert_num_queries
):
    plan(count, days_ahead(1), who=jona)
    client = browser(jona)
    with django_assert_num_queries(8):
        client.get("/posts/")
