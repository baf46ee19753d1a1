"""The roster and what people say about themselves: who sees which row, and nothing else of them."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from ambassadors import consents, memberships, sheets
from ambassadors.models import (
    AuditEntry,
    Consent,
    Membership,
    Person,
    SavedView,
    Site,
    Team,
    TeamKind,
)
from campaigns.models import Topic
from people import roster

from .conftest import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def selin(person):
    return person("Selin Aydın", "hr")


@pytest.fixture
def hr(selin):
    return browser(selin)


@pytest.fixture
def team(db):
    kind = TeamKind.objects.create(
        slug="contact",
        behaviour="contact",
        name_de="Kontakter",
        name_en="Contacts",
        hours_per_month=4,
    )
    return Team.objects.create(slug="ask", name="Ask us", kind=kind)


@pytest.fixture
def other_team(team):
    kind = TeamKind.objects.create(
        slug="expert", behaviour="expert", name_de="E", name_en="Experts"
    )
    return Team.objects.create(slug="stage", name="On stage", kind=kind)


@pytest.fixture
def member(person, team):
    def make(name, *, stage="active", where=team, **fields):
        made = person(name, **fields)
        memberships.begin(person=made, team=where, stage=stage, by=None, now=timezone.now())
        return made

    return make


NAMES = ("Ayla", "Björn", "Jona Harms", "Noor van den Berg", "Łukasz Wrona")


def names(page):
    """Which of our people a page names."""
    text = page.content.decode()
    return [name for name in NAMES if f"{name}<small>" in text]


def old_yes(who):
    """Their yes to the roster is to the wording of before."""
    consents.withdraw(person=who, purpose="roster", now=timezone.now())
    Consent.objects.create(
        person=who, purpose="roster", version="1", wording="HR may see.", given_at=timezone.now()
    )


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["Ayla", "Björn", "Jona Harms"]),
        ("q=jon", ["Jona Harms"]),
        ("q=HAR+jo", ["Jona Harms"]),
        ("q=arms", []),
        ("kind=expert", ["Ayla"]),
        ("stage=paused", ["Björn"]),
        ("language=tr", ["Ayla"]),
        ("language=en", ["Björn", "Jona Harms"]),  # who says nothing writes in their own language
        ("topic=wind", ["Jona Harms"]),
        ("topic=wind&kind=expert", []),
        ("moved=joined", ["Ayla", "Björn"]),
        ("moved=left", []),
        ("too_much=1", ["Björn"]),
        ("team=9e9&stage=x&site=%F0&language=xx&topic=../&moved=up&after=-1", ["Ayla", "Björn", "Jona Harms"]),
        ("q=%27%3A*+%7C+%26+%21&after=99999999999999999999", ["Ayla", "Björn", "Jona Harms"]),
    ],
)  # fmt: skip
def test_filter_finds(hr, member, other_team, topic, asked, found):
    since = timezone.now()
    member("Ayla", where=other_team, languages=["tr", "de"])
    member("Björn", stage="paused", too_much_since=since, too_much_shown=True)
    jona = member("Jona Harms", interests=["wind"], too_much_since=since)
    Membership.objects.filter(person=jona).update(
        started_on=timezone.localdate() - dt.timedelta(91)
    )
    assert names(hr.get(f"/roster/?{asked}")) == found


def test_name_is_found_whatever_the_database_folds(hr, member):
    member("Łukasz Wrona")
    member("Noor van den Berg")
    found = [
        names(hr.get(f"/roster/?q={q}")) for q in ("łuk", "Łuk", "LUK", "wro", "berg", "den b")
    ]
    assert found == [
        ["Łukasz Wrona"],
        ["Łukasz Wrona"],
        [],
        ["Łukasz Wrona"],
        *[["Noor van den Berg"]] * 2,
    ]


def test_site_filter_finds(hr, member):
    site = Site.objects.create(slug="n", name="North")
    member("Ayla", site=site)
    member("Björn")
    assert names(hr.get(f"/roster/?site={site.pk}")) == ["Ayla"]


def test_row_tells_what_was_said_yes_to(hr, member, topic, team):
    ayla = member("Ayla", interests=["wind", "gone"], languages=["tr"], hours_per_month=Decimal("2.5"),
                  too_much_since=timezone.now())  # fmt: skip
    before = hr.get("/roster/").content.decode()
    assert [w in before for w in ("Turkish", "Wind farm<", "2.5 of 4 h", "too much, said")] == [True, True, False, False]  # fmt: skip
    Person.objects.filter(pk=ayla.pk).update(hours_shown=True, too_much_shown=True)
    after = hr.get("/roster/").content.decode()
    assert ("2.5 of 4 h" in after, "too much, said" in after) == (True, True)
    old_yes(ayla)
    older = hr.get("/roster/").content.decode()
    assert ("Ayla" in older, "Turkish" in older, names(hr.get("/roster/?language=tr"))) == (
        True,
        True,
        [],
    )
    assert older.count("Turkish") == 1  # the filter's choice, no more


def test_numbers_count_rows_only(hr, member):
    for name in ("Ayla", "Björn"):
        member(name)
    hidden = member("Jona Harms")
    consents.withdraw(person=hidden, purpose="roster", now=timezone.now())
    gone = member("Noor van den Berg")
    memberships.leave_company(person=gone, by=None, now=timezone.now())
    page = hr.get("/roster/")
    seen = page.context["overview"]
    assert (seen.people, seen.total("active"), seen.total("alumni"), page.context["count"]) == (
        2,
        2,
        0,
        2,
    )


def test_lead_sees_own_teams_of_who_said_so(person, member, team, other_team):
    lead = person("Frauke")
    Team.objects.filter(pk=team.pk).update(lead=lead)
    member("Ayla")
    old_yes(member("Björn"))
    stranger = member("Jona Harms", where=other_team)
    visitor = browser(lead)
    page = visitor.get("/roster/")
    assert (names(page), page.context["count"], page.context["overview"].people) == (["Ayla"], 1, 1)
    term = Membership.objects.get(person=stranger)
    for asked in (f"team={other_team.pk}", "kind=expert", "q=Jona"):
        assert names(visitor.get(f"/roster/?{asked}")) == []
    for asked in (
        f"after={term.pk}",
        f"before={term.pk}",
    ):  # no row of theirs is a place to start at
        assert names(visitor.get(f"/roster/?{asked}")) == ["Ayla"]
    text = page.content.decode()
    assert ("On stage" in text, "Leaves the company" in text, 'href="/roster/"' in text) == (
        False,
        False,
        True,
    )
    rows = visitor.post("/roster/export/").getvalue().decode()
    assert ("Ayla" in rows, "Björn" in rows, "Jona" in rows) == (True, False, False)


def test_page_is_for_hr_and_leads(person, team, member):
    plain = browser(member("Ayla"))
    assert [plain.get("/roster/").status_code, plain.post("/roster/export/").status_code,
            plain.post("/roster/views/").status_code] == [403, 403, 403]  # fmt: skip
    assert 'href="/roster/"' not in plain.get("/me/").content.decode()


@pytest.mark.parametrize("most", [1000, 0], ids=["sorted", "walked"])
def test_pages_follow_each_other_without_gap(hr, member, monkeypatch, most):
    monkeypatch.setattr(roster, "PAGE", 2)
    monkeypatch.setattr(roster, "MOST_COUNTED", most)
    for name in NAMES:
        member(name)
    ordered = list(
        Person.objects.filter(name__in=NAMES).order_by("name", "pk").values_list("name", flat=True)
    )
    first = hr.get("/roster/")
    second = hr.get(f"/roster/?after={first.context['leaf'].after}")
    third = hr.get(f"/roster/?after={second.context['leaf'].after}")
    back = hr.get(f"/roster/?before={third.context['leaf'].before}")
    pages = [
        [row.term.person.name for row in page.context["leaf"].rows]
        for page in (first, second, third, back)
    ]
    assert pages == [ordered[:2], ordered[2:4], ordered[4:], ordered[2:4]]
    ends = [
        (bool(p.context["leaf"].before), bool(p.context["leaf"].after))
        for p in (first, second, third, back)
    ]
    assert ends == [(False, True), (True, True), (True, False), (True, True)]


@pytest.mark.parametrize("many", [1, 3])
def test_page_costs_equally_many_queries(hr, member, topic, many, django_assert_num_queries):
    for name in NAMES[:many]:
        member(name, interests=["wind"])
    hr.get("/roster/")
    with django_assert_num_queries(15):
        hr.get("/roster/")
    with django_assert_num_queries(8):
        hr.get("/roster/", headers={"HX-Request": "true"})


BY_N = "'person_id', (SELECT id FROM ambassadors_person WHERE email_normalised = n || '@x.example')"


def copied(row, fields, many):
    """Rows like this one, made by the database, which is ten times as quick."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} SELECT made.* FROM {table} first, generate_series(1, %s) n,"
            f" LATERAL jsonb_populate_record(first, jsonb_build_object('id',"
            f" nextval(pg_get_serial_sequence('{table}', 'id')), {fields})) made WHERE first.id = %s",
            [many - 1, row.pk],
        )


def test_large_roster_reads_no_table_from_end_to_end(selin, team):
    """20,000 terms: a page, a filtered one and a search find their rows by indexes."""
    now, version = timezone.now(), consents.WORDINGS["roster"][0]
    first = Person.objects.create(email="0@x.example", name="Person0", languages=["tr"])
    rows = (
        (first, "'email', n || '@x.example', 'email_normalised', n || '@x.example',"
         " 'name', 'Person' || mod(n * 7919, 20011), 'evidence_key', gen_random_uuid(),"
         " 'languages', CASE WHEN mod(n, 500) = 0 THEN '[\"tr\"]'::jsonb ELSE '[\"de\"]' END"),
        (Consent.objects.create(person=first, purpose="roster", version=version, given_at=now), BY_N),
        (Membership.objects.create(person=first, team=team, stage="active", stage_since_on=now,
                                   started_on=now), BY_N),
    )  # fmt: skip
    for row, fields in rows:
        copied(row, fields, 20_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ambassadors_person, ambassadors_consent, ambassadors_membership")
    today, plans = timezone.localdate(), {}
    for wanted in (
        roster.Wanted(),
        roster.Wanted(language="tr"),
        roster.Wanted(q="Person100"),
        roster.Wanted(stage="paused"),
    ):
        rows = wanted.rows(selin, today)
        short = wanted.is_short(roster.count(rows))
        plans[wanted] = roster.by_name(rows, short=short)[:26].explain()
    walked = [wanted for wanted, plan in plans.items() if "person_here_by_name" in plan]
    assert walked == [roster.Wanted()]  # only the page that shows everybody
    assert [wanted for wanted, plan in plans.items() if "Seq Scan on ambassadors_membership" in plan
            or "Seq Scan on ambassadors_person" in plan or "Seq Scan on ambassadors_consent" in plan] == []  # fmt: skip
    assert roster.overview(selin, today).people == 20_000
    Consent.objects.all().delete()
    assert (
        roster.overview(selin, today).people == 20_000
    )  # of a large roster the counts stay a minute


def test_view_of_the_roster_is_no_view_of_the_desk(hr, selin, person):
    hr.post("/roster/views/?stage=paused&after=3", {"name": "Paused"})
    hr.post("/roster/views/?", {"name": "Nothing"})
    assert list(SavedView.objects.values_list("person", "page", "name", "query")) == [
        (selin.pk, "roster", "Paused", "stage=paused")
    ]
    view = SavedView.objects.get()
    browser(person("Dilan", "curator")).post(f"/desk/views/{view.pk}/drop/")
    browser(person("Another", "hr")).post(f"/roster/views/{view.pk}/drop/")
    assert SavedView.objects.count() == 1
    hr.post(f"/roster/views/{view.pk}/drop/")
    assert SavedView.objects.count() == 0


@pytest.mark.parametrize("how", ["csv", "excel"])
def test_export_tells_what_the_rows_tell(hr, member, how):
    member("=cmd|' /C calc'!A0", languages=["tr"], hours_per_month=3, job_title="＋1")
    member(
        "Björn",
        hours_per_month=Decimal("2.5"),
        hours_shown=True,
        too_much_since=timezone.now(),
        too_much_shown=True,
    )
    hidden = member("Jona Harms")
    consents.withdraw(person=hidden, purpose="roster", now=timezone.now())
    answer = hr.post("/roster/export/?q=nobody&q=", {"as": how})
    raw = answer.getvalue().decode()
    assert (raw.startswith("\ufeff"), answer["Cache-Control"]) == (
        how == "excel",
        "no-store",
    )
    rows = list(
        csv.reader(io.StringIO(raw.lstrip("\ufeff")), delimiter=";" if how == "excel" else ",")
    )
    assert rows[0][:3] == ["Name", "Job", "Site"]
    said = f"{timezone.now():%Y-%m-%d}"
    assert [(row[0], row[1], row[9], row[11], row[12]) for row in rows[1:]] == [
        ("'=cmd|' /C calc'!A0", "'＋1", "Turkish", "", ""), ("Björn", "", "English", "2.5", said)
    ]  # fmt: skip
    entry = AuditEntry.objects.get(act="roster.exported")
    assert entry.facts == {"filters": [], "excel": how == "excel"}


def test_export_in_the_record_names_no_name(hr, member):
    member("Björn")
    hr.post("/roster/export/?q=Bj&stage=active")
    assert AuditEntry.objects.get(act="roster.exported").facts == {
        "filters": ["q", "stage"],
        "excel": False,
    }


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@a", "\ta", "\ra", "\na", "＝1", "＋1", "－1", "＠a", "  =1"]
)
def test_cell_is_no_formula(text):
    assert next(sheets.lines([[text]])).decode() == f'"\'{text}"\r\n'


@pytest.fixture
def ayla(member):
    return member("Ayla", languages=["tr"])


def form(**fields):
    return {
        "languages": ["tr", "en", "xx"],
        "interests": ["wind", "nonsense"],
        "hours": "2,5",
        **fields,
    }


def test_person_says_what_they_have(ayla, topic):
    me = browser(ayla)
    me.post("/me/", form(hours_shown="yes"))
    ayla.refresh_from_db()
    assert (ayla.languages, ayla.interests, ayla.hours_per_month, ayla.hours_shown) == (
        ["en", "tr"], ["wind"], Decimal("2.5"), True
    )  # fmt: skip
    page = me.get("/me/").content.decode()
    assert ('value="2.5"' in page, "2.5 of 4 h" in page) == (True, True)


@pytest.mark.parametrize(
    "hours", ["-1", "81", "NaN", "inf", "1e9", "ein paar", "\x00", "9" * 5000, "１２x", "%"]
)
def test_odd_hours_are_refused_and_nothing_is_lost(ayla, topic, hours):
    page = browser(ayla).post("/me/", form(hours=hours))
    ayla.refresh_from_db()
    assert (page.status_code, ayla.hours_per_month, ayla.languages) == (422, None, ["tr"])
    text = page.content.decode()
    assert ('id="hours-e"' in text, 'value="wind" checked' in text) == (True, True)


@pytest.mark.parametrize(
    ("typed", "kept"), [("", None), ("0", 0), (" 3 h ", 3), ("2.3", Decimal("2.5")), ("80", 80)]
)
def test_hours_are_kept_in_halves(ayla, typed, kept):
    browser(ayla).post("/me/", form(hours=typed))
    ayla.refresh_from_db()
    assert ayla.hours_per_month == kept


def test_too_much_is_told_only_where_ticked(ayla, hr):
    me = browser(ayla)
    me.post("/me/too-much/", {"answer": "much"})
    since = Person.objects.get(pk=ayla.pk).too_much_since
    assert (since is None, "too much, said" in hr.get("/roster/").content.decode()) == (
        False,
        False,
    )
    me.post("/me/too-much/", {"answer": "much", "too_much_shown": "yes"})
    assert "too much, said" in hr.get("/roster/").content.decode()
    assert Person.objects.get(pk=ayla.pk).too_much_since == since
    me.post("/me/too-much/", {"answer": "fine"})
    ayla.refresh_from_db()
    assert (ayla.too_much_since, ayla.too_much_shown) == (None, False)
    assert not AuditEntry.objects.filter(subject_id=str(ayla.pk), act__contains="much").exists()


def test_preview_is_the_row(ayla, hr, topic):
    Person.objects.filter(pk=ayla.pk).update(
        interests=["wind"], hours_per_month=6, hours_shown=True
    )

    def row(page):
        text = page.content.decode()
        line = text[text.index("<tbody>") : text.index("</tbody>")]
        return line.replace(
            f'<small><a href="/people/{ayla.pk}/leave/">Leaves the company<span class="vh">: Ayla</span></a></small>',
            "",
        )

    assert row(browser(ayla).get("/me/")) == row(hr.get("/roster/"))


def test_consent_is_given_and_taken_back_here(ayla, hr):
    me = browser(ayla)
    answer = me.post("/me/consents/", {"purpose": "roster", "answer": "no", "back": "me"})
    assert (answer.url, names(hr.get("/roster/"))) == ("/me/", [])
    assert "No row. You did not say yes" in me.get("/me/").content.decode()
    old_yes(ayla)
    assert "Say yes to the newer one" in me.get("/me/").content.decode()
    me.post("/me/consents/", {"purpose": "roster", "answer": "yes", "back": "me"})
    assert list(
        Consent.objects.given()
        .filter(person=ayla, purpose="roster")
        .values_list("version", flat=True)
    ) == ["2"]
    assert "Say yes to the newer one" not in me.get("/me/").content.decode()


def test_pages_cost_equally_many_queries_for_a_person(ayla, django_assert_num_queries):
    me = browser(ayla)
    me.get("/me/")
    with django_assert_num_queries(12):
        me.get("/me/")
    for n in range(3):
        Topic.objects.create(slug=f"t{n}", title=f"T{n}", rule="r", light_since=timezone.now())
    with django_assert_num_queries(12):
        me.get("/me/")
