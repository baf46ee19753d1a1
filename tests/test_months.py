"""A month is told once: which posts count, when it is closed, what its pages and file say."""

import csv
import datetime as dt
import io
import uuid

import pytest
from django.db import connection

from ambassadors import consents, switches
from ambassadors.models import AuditEntry, PublishedFigure
from campaigns import months
from campaigns.models import Post, ShortLink, Suggestion
from people import adoption

from .conftest import browser

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
OCTOBER, SEPTEMBER = dt.date(2026, 10, 1), dt.date(2026, 9, 1)


def say(who, at, network="mastodon", own=50, talk=None, clicks=None, **fields):
    """A post that somebody made by hand."""
    link = None
    if clicks is not None:
        link = ShortLink.objects.create(
            code=uuid.uuid4().hex[:12], target="https://example.org/", clicks=clicks
        )
    return Post.objects.create(
        person=who, submission=uuid.uuid4(), network=network, how="copied",
        text=fields.pop("text", str(uuid.uuid4())), full_text="x", language="en", own_share=own,
        sha256="x", created_at=at, conversations=talk, link=link, **fields,
    )  # fmt: skip


def day(number, month=10):
    return dt.datetime(2026, month, number, 12, tzinfo=dt.UTC)


@pytest.fixture
def crowd(person):
    return [person(f"Person {n}") for n in range(24)]


@pytest.fixture
def october(crowd):
    """Twelve who write themselves and are answered, twelve who copy; two posts each."""
    for n, who in enumerate(crowd):
        for place in (3, 20):
            own = n < 12
            say(
                who, day(place), own=60 if own else 0, talk=2 if own else 1, clicks=4,
                network=("mastodon", "linkedin")[n % 2],
            )  # fmt: skip
    adoption.close_due(now=NOW)


def test_month_is_closed_a_week_after_it_ended_on_the_companys_clock(db):
    last_evening = dt.datetime(2026, 11, 7, 22, 59, tzinfo=dt.UTC)  # 23:59 in Berlin
    assert (months.due(now=last_evening)[-1], months.due(now=last_evening + dt.timedelta(minutes=1))[-1]) == (
        SEPTEMBER, OCTOBER,
    )  # fmt: skip
    assert adoption.close_due(now=NOW) == months.BACK
    assert (adoption.close_due(now=NOW), months.due(now=NOW)) == (0, [])


def test_month_begins_and_ends_on_the_wall_clock(crowd):
    for who in crowd[:12]:
        say(who, dt.datetime(2026, 9, 30, 22, 30, tzinfo=dt.UTC))  # already October in Berlin
        say(who, dt.datetime(2026, 10, 31, 23, 30, tzinfo=dt.UTC))  # November
    adoption.close_due(now=NOW)
    assert [(m.first, m.whole.posts) for m in months.closed()] == [(OCTOBER, 10)]


def test_finding_and_figures_of_a_month(october):
    [month] = months.closed()
    own, kept = month.finding
    assert (own.talk, kept.talk, own.posts, kept.posts, own.people) == (2, 1, 20, 20, 10)
    assert (month.whole.people, month.whole.posts, month.whole.own) == (20, 20, 30)
    assert (month.talks, month.clicks, month.whole.clicks) == (50, 100, 4)
    assert {cell.key for cell in month.networks} == {"mastodon", "linkedin"}


def test_later_posts_deletions_and_leaving_change_nothing(october, crowd):
    before = months.closed()
    crowd[0].delete()
    Post.objects.filter(person__in=crowd[1:4]).update(conversations=99, own_share=100)
    say(crowd[5], day(9), talk=50)
    assert (adoption.close_due(now=NOW + dt.timedelta(days=8)), months.closed()) == (0, before)
    assert adoption.close_due(now=NOW + dt.timedelta(days=20)) == 1
    assert months.closed() == before


@pytest.mark.parametrize("people", [1, 4, 5])
def test_nothing_is_told_of_a_handful(people, crowd):
    for who in crowd[:people]:
        say(who, day(5), talk=3)
    adoption.close_due(now=NOW)
    told = months.closed()
    assert told == [] if people < 5 else all(m.whole.people == 5 for m in told)


def test_what_does_not_count(crowd, account_on, mastodon, queue):
    """Practice, what never left, and later parts of a thread."""
    for who in crowd[:9]:
        say(who, day(5))
    for who in crowd[9:20]:
        say(who, day(5), network="wall")
        say(who, day(5), part=1)
    waiting = queue(crowd[20], account_on(crowd[20], mastodon)).post
    Post.objects.filter(pk=waiting.pk).update(created_at=day(5))
    rows, _names = months._rows(OCTOBER)
    assert {row.person for row in rows} == {who.pk for who in crowd[:9]}


def test_what_came_back_counts_of_those_who_allow_it(crowd):
    for n, who in enumerate(crowd):
        say(who, day(5), talk=1, clicks=2)
        if n % 2:
            consents.withdraw(person=who, purpose="engagement", now=NOW)
    rows, _names = months._rows(OCTOBER)
    assert (len(rows), len([r for r in rows if r.talk]), len([r for r in rows if r.clicks])) == (
        24, 12, 12,
    )  # fmt: skip


def test_small_networks_stand_together(crowd):
    for n, who in enumerate(crowd):
        say(who, day(5), network="mastodon" if n < 14 else "linkedin" if n < 20 else f"n{n % 2}")
    adoption.close_due(now=NOW)
    [month] = months.closed()
    assert {cell.key for cell in month.networks} == {"mastodon", months.REST}
    assert month.cell("networks", months.REST) is None


def test_who_alone_speaks_elsewhere_is_not_worked_out(crowd, topic):
    """All on the topic are on one network, and one more is there: both groupings cannot be told."""
    suggestion = Suggestion.objects.create(
        topic=topic, title="S", language="en", author=crowd[0], changed_at=NOW
    )
    for who in crowd[:11]:
        say(who, day(5), network="linkedin", suggestion=suggestion)
    for who in crowd[11:23]:
        say(who, day(5), network="mastodon")
    say(crowd[23], day(5), network="linkedin")
    adoption.close_due(now=NOW)
    [month] = months.closed()
    assert (month.networks == ()) != (month.topics == ())


def test_alike_are_pairs_of_two_people_on_one_suggestion_in_a_week(crowd, suggestion):
    words = "Six years of work went live at half past four, and I stood beside it."
    others = "abcdefghijkl"
    for n, who in enumerate(crowd[:12]):
        own = words if n % 2 else " ".join(others[n] * k for k in range(5, 15))
        say(who, day(5), suggestion=suggestion, text=own)
        say(who, day(25), suggestion=suggestion, text=words)
    adoption.close_due(now=NOW)
    [month] = months.closed()
    # on the fifth 15 of 66 pairs are alike, on the 25th all 66
    assert month.alike == round(100 * (15 + 66) / 132)


# -- the page and the file ------------------------------------------------------------------------


def test_page_says_its_finding_with_numbers_and_groups(october, desk):
    page = desk.get("/analytics/").content.decode()
    assert '<span class="own">2.0 times</span> as many conversations' in page
    assert (
        "2.0 against 1.0 to a post; at least 20 posts by 10 people, and 20 posts by 10 people"
        in page
    )
    assert "20+" in page and "October 2026" in page


def test_empty_page_says_when_there_will_be_something(desk):
    assert b"No month is told yet" in desk.get("/analytics/").content
    assert b"No month" in b"".join(desk.post("/analytics/export/").streaming_content)


@pytest.mark.parametrize(
    "query",
    ["month=2026-11", "month=x&beside=2099-01", "beside=2026-10", "month=2026-10&beside=none"],
)
def test_an_address_chooses_a_closed_month_or_the_newest(query, october, desk):
    page = desk.get(f"/analytics/?{query}")
    assert (page.status_code, page.context["month"].first, page.context["beside"]) == (
        200,
        OCTOBER,
        None,
    )


def test_two_months_stand_beside_each_other(crowd, desk):
    for who in crowd[:12]:
        say(who, day(3), own=80)
        say(who, day(3, month=9), own=20)
    adoption.close_due(now=NOW)
    page = desk.get("/analytics/")
    own = page.context["lines"][2]
    assert (own.value, own.before, page.context["beside"].first) == ("80 %", "20 %", SEPTEMBER)


@pytest.mark.parametrize("role", ["", "legal", "administrator"])
def test_others_do_not_open_it(role, person):
    who = browser(person("Nam Other", *filter(None, [role])))
    assert {who.get("/analytics/").status_code, who.post("/analytics/export/").status_code} == {403}


@pytest.mark.parametrize("role", ["curator", "hr", "auditor"])
def test_all_who_may_read_the_same(role, person, october):
    page = browser(person("Nam Other", role)).get("/analytics/")
    assert page.context["month"] == months.closed()[0]


def test_file_holds_what_the_page_says_and_leaves_a_note(october, desk, mirja):
    answer = desk.post("/analytics/export/", {"month": "2026-10"})
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode())))
    assert rows[0][2] == "October 2026"
    assert [row[1:4] for row in rows[1:4]] == [
        ["People who posted, at least", "20+", "measured"],
        ["Posts, at least", "20+", "measured"],
        ["Own words", "30 %", "measured"],
    ]
    assert ["Wording: in own words", "conversations to a post", "2.0", "measured", ""] in rows
    [entry] = AuditEntry.objects.filter(act="analytics.exported")
    assert (entry.actor_id, entry.facts) == (mirja.pk, {"month": "2026-10"})


def test_money_only_while_the_agreement_says_so(october, desk, person):
    assert b"Value in money" not in desk.get("/analytics/").content
    switches.turn(
        name="emv", on=True, paragraph="§ 4 (2)", by=person("A", "administrator"), now=NOW
    )
    formula = "50 to 200 € = 100 clicks × 0.50 to 2.00 € for a bought click"
    assert formula in desk.get("/analytics/").content.decode()
    assert formula in desk.post("/analytics/export/").getvalue().decode()


@pytest.mark.parametrize("topics", [1, 3])
def test_page_asks_as_much_for_one_month_as_for_many(
    topics, crowd, desk, django_assert_num_queries
):
    for number in range(topics):
        for who in crowd:
            say(who, day(3, month=10 - number))
    adoption.close_due(now=NOW)
    desk.get("/analytics/")
    with django_assert_num_queries(10):
        desk.get("/analytics/")


def test_way_in_is_told_without_the_few_who_did_not(crowd):
    """Of 24 who rehearsed, 18 posted; nobody in a team is none of them."""
    for who in crowd:
        say(who, day(3), network="wall")
    for who in crowd[:18]:
        say(who, day(3, month=9))
    told = adoption.tell(OCTOBER)
    assert (told.joined, told.rehearsed, told.posted, told.active) == (20, None, 10, None)


def test_no_name_is_kept_with_a_month(october, crowd):
    with connection.cursor() as cursor:
        cursor.execute("SELECT content::text || answers::text FROM ambassadors_publishedfigure")
        kept = "".join(row[0] for row in cursor.fetchall())
    assert PublishedFigure.objects.count() == 2 * months.BACK
    assert [who.name for who in crowd if who.name in kept or who.email in kept] == []
