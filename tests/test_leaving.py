"""Leaving: planned or at once, by somebody else, never the last administrator, and then at once."""

import base64
import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import connection
from django.test import Client
from django.utils import timezone

from ambassadors import absences, memberships
from ambassadors.memberships import LastAdministrator, LeftAlready
from ambassadors.models import AuditEntry, Membership, Person, Team, TeamKind
from campaigns import leaving, takeovers
from campaigns.models import Takeover, Topic
from curation import feeds
from integrations import accounts
from integrations.networks.base import Identity

from .conftest import browser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hr(person):
    return person("Selin", "hr")


def page(hr, who, **form):
    answer = browser(hr).post(f"/people/{who.pk}/leave/", form, follow=True)
    return answer.status_code, answer.content.decode()


def test_confirm_page_counts_what_hr_may_know_and_no_post(hr, jona, topic, person):
    kind = TeamKind.objects.create(slug="m", behaviour="multiplier", name_de="M", name_en="M")
    team = Team.objects.create(slug="t", name="Multipliers Kiel", kind=kind, lead=jona)
    memberships.begin(person=jona, team=team, stage="active", by=None, now=timezone.now())
    Topic.objects.update(owner=jona)
    shown = browser(hr).get(f"/people/{jona.pk}/leave/").content.decode()
    for line in (
        "One term in a team: Multipliers Kiel", "The team Multipliers Kiel needs a new lead.",
        "The topic “Wind farm” needs a new owner.", "They have named no address of their own.",
    ):  # fmt: skip
        assert line in shown
    assert "is theirs alone" in shown


def test_planned_day_ends_at_midnight_on_their_clock(hr, jona):
    Person.objects.filter(pk=jona.pk).update(timezone="Pacific/Kiritimati")
    jona.refresh_from_db()
    day = jona.local(timezone.now()).date() + dt.timedelta(days=3)
    assert (
        "Planned: Jona Harms leaves at the end of"
        in page(hr, jona, act="plan", day=day.isoformat())[1]
    )
    jona.refresh_from_db()
    end = leaving.ends_at(jona, day)
    assert end.astimezone(ZoneInfo("Pacific/Kiritimati")).hour == 0
    assert leaving.leave_due(now=end - dt.timedelta(seconds=1)) == 0
    assert [leaving.leave_due(now=end) for _ in range(2)] == [1, 0]
    jona.refresh_from_db()
    assert (jona.left_at, jona.is_active) == (end, False)


@pytest.mark.parametrize("zone", ["Africa/Cairo", "America/Santiago", "Europe/Berlin", "nonsense"])
def test_last_day_before_a_change_of_clocks_ends_once(jona, zone):
    jona.timezone = zone
    for day in (
        dt.date(2027, 4, 29),
        dt.date(2026, 9, 5),
        dt.date(2027, 3, 27),
        dt.date(2026, 10, 24),
    ):
        end = jona.local(leaving.ends_at(jona, day))
        assert (end.date(), end.hour in {0, 1}) == (day + dt.timedelta(days=1), True)


def test_planned_day_can_be_moved_and_taken_back(hr, jona):
    first, second = (timezone.localdate() + dt.timedelta(days=n) for n in (1, 9))
    for day in (first, second):
        page(hr, jona, act="plan", day=day.isoformat())
    jona.refresh_from_db()
    assert jona.leaves_on == second
    assert "Your last day is planned" in browser(jona).get("/me/data/").content.decode()
    assert "Taken back: Jona Harms stays." in page(hr, jona, act="cancel")[1]
    assert leaving.leave_due(now=timezone.now() + dt.timedelta(days=400)) == 0
    acts = AuditEntry.objects.filter(act__startswith="person.leave").values_list("act", flat=True)
    assert sorted(acts) == ["person.leave_cancelled"] + ["person.leave_planned"] * 2


def test_day_that_was_taken_back_in_the_meantime_counts(hr, jona, monkeypatch):
    day = timezone.localdate()
    Person.objects.filter(pk=jona.pk).update(leaves_on=day)
    real = leaving.leave

    def late(**facts):
        leaving.cancel(person=jona, by=hr, now=timezone.now())
        return real(**facts)

    monkeypatch.setattr(leaving, "leave", late)
    assert leaving.leave_due(now=timezone.now() + dt.timedelta(days=2)) == 0
    assert Person.objects.get(pk=jona.pk).left_at is None


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2020-01-01", "This day is over."), ("9999-12-31", "more than two years ahead"), ("", "Write a day."),
        ("2026-02-30", "Write a day."), ("\x00", "Write a day."), ("9" * 5000, "Write a day."), ("soon", "Write a day."),
    ],
    ids=lambda value: value[:12],
)  # fmt: skip
def test_bad_day_gets_a_sentence(hr, jona, typed, sentence):
    code, shown = page(hr, jona, act="plan", day=typed)
    assert (code, sentence in shown, Person.objects.get(pk=jona.pk).leaves_on) == (422, True, None)


def test_nobody_leaves_by_their_own_hand(hr, person):
    person("Other", "hr")
    for form in ({"sure": "yes"}, {"act": "plan", "day": "2027-01-01"}):
        code, shown = page(hr, hr, **form)
        assert (code, "You cannot do this for yourself" in shown) == (422, True)
    hr.refresh_from_db()
    assert (hr.left_at, hr.leaves_on) == (None, None)


def test_last_administrator_stays(hr, person):
    piet = person("Piet", "administrator")
    for form in ({"sure": "yes"}, {"act": "plan", "day": "2026-12-24"}):
        code, shown = page(hr, piet, **form)
        assert (code, "Piet is the last administrator" in shown) == (422, True)
    Person.objects.filter(pk=piet.pk).update(leaves_on=timezone.localdate())  # by a directory
    assert leaving.leave_due(now=timezone.now() + dt.timedelta(days=3)) == 0
    person("Petra", "administrator")
    assert page(hr, piet, sure="yes")[0] == 200
    assert Person.objects.get(pk=piet.pk).left_at is not None


def test_two_administrators_who_leave_at_once_leave_one_behind(person):
    both = [person("Piet", "administrator"), person("Petra", "administrator")]

    def go(who):
        try:
            leaving.leave(person=who, by=None, now=timezone.now())
        except LastAdministrator:
            return "stays"
        else:
            return "left"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, both)) == ["left", "stays"]


def test_two_who_press_at_once_count_once(hr, jona):
    def go(_n):
        try:
            leaving.leave(person=jona, by=hr, now=timezone.now())
        except LeftAlready:
            return "already"
        else:
            return "left"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(go, range(4))) == ["already"] * 3 + ["left"]
    assert AuditEntry.objects.filter(act="person.left").count() == 1


def test_second_press_says_that_somebody_was_faster(hr, jona, monkeypatch):
    from campaigns.views import leaving as door

    real = door.leaving.leave

    def slow(**facts):
        real(**facts)
        return real(**facts)

    monkeypatch.setattr(door.leaving, "leave", slow)
    assert "Jona Harms has left already" in page(hr, jona, sure="yes")[1]


def test_every_way_in_is_gone_also_when_they_come_back(hr, jona):
    theirs = browser(jona)
    Authenticator.objects.create(user=jona, type="totp", data={})
    SocialAccount.objects.create(user=jona, provider="company", uid="7")
    leaving.leave(person=jona, by=hr, now=timezone.now())
    assert (
        theirs.get("/").status_code,
        Authenticator.objects.count(),
        SocialAccount.objects.count(),
    ) == (302, 0, 0)
    form = {"login": jona.email, "password": "moin-moin-nordwind"}
    assert Client().post("/accounts/login/", form).status_code == 200  # the form again
    Person.objects.filter(pk=jona.pk).update(left_at=None, is_active=True)
    assert theirs.get("/").status_code == 302  # the old session is no way back


def test_calendar_of_a_program_answers_nobody_afterwards(hr, person):
    mirja = person("Mirja", "curator")
    feeds.make(by=mirja, now=timezone.now())
    basic = base64.b64encode(feeds.signed(mirja).encode()).decode()
    program = Client(headers={"Authorization": f"Basic {basic}"})
    assert program.get("/desk/calendar/feed.ics").status_code == 200
    leaving.leave(person=mirja, by=hr, now=timezone.now())
    assert program.get("/desk/calendar/feed.ics").status_code == 401


@pytest.fixture
def channel(person, mastodon):
    return accounts.connect(
        person=None, network="mastodon", base_url=mastodon.base_url, identity=Identity("9", "@nordwind", "x", ""),
        secrets_=mastodon.access("9").secrets, expires_at=None, features={}, now=timezone.now(), by=person("Piet", "administrator"),
    )  # fmt: skip


@pytest.fixture
def slot(mirja, jona, channel):
    def make(begins_in, hours=2):
        now = timezone.now()
        made = takeovers.plan(
            channel=channel, person=jona, begins_at=now + dt.timedelta(hours=begins_in), ends_at=now + dt.timedelta(hours=begins_in + hours),
            rules="Be kind.", submission=uuid.uuid4(), by=mirja, now=now,
        )  # fmt: skip
        takeovers.accept(takeover=made, by=jona, now=now)
        made.refresh_from_db()
        takeovers.release(takeover=made, by=mirja, now=now)
        return made

    return make


def test_running_slot_stops_and_planned_one_returns_to_the_desk(hr, mirja, jona, slot, person):
    running, planned = slot(0), slot(24)
    leaving.leave(person=jona, by=hr, now=timezone.now())
    assert set(Takeover.objects.values_list("state", "ended_by")) == {("stopped", hr.pk)}
    running.refresh_from_db()
    assert running.in_force_at is not None
    assert set(takeovers.without_person(timezone.now())) == {running, planned}
    desk = browser(mirja).get("/desk/takeovers/").content.decode()
    assert ("Needs somebody" in desk, f"?again={planned.pk}#plan" in desk) == (True, True)
    form = browser(mirja).get(f"/desk/takeovers/?again={planned.pk}").content.decode()
    assert "Be kind." in form
    takeovers.plan(
        channel=planned.channel, person=person("Nam"), begins_at=planned.begins_at, ends_at=planned.ends_at,
        rules="Be kind.", submission=uuid.uuid4(), by=mirja, now=timezone.now(),
    )  # fmt: skip
    assert list(takeovers.without_person(timezone.now())) == [running]


@pytest.mark.parametrize("count", [1, 3])
def test_leavers_page_names_what_needs_somebody(
    hr, person, topic, count, django_assert_num_queries
):
    kind = TeamKind.objects.create(slug="m", behaviour="multiplier", name_de="M", name_en="M")
    for number in range(count):
        who = person(f"Nam {number}")
        Team.objects.create(slug=f"t{number}", name=f"Team {number}", kind=kind, lead=who)
        until = timezone.localdate() + dt.timedelta(days=5)
        absences.go(by=person(f"Away {number}"), deputy=who, until_on=until, now=timezone.now())
        leaving.leave(person=who, by=hr, now=timezone.now())
        Person.objects.filter(pk=person(f"Soon {number}").pk).update(leaves_on=until)
    client = browser(hr)
    client.get("/people/leaving/")
    with django_assert_num_queries(9):
        shown = client.get("/people/leaving/").content.decode()
    last = count - 1
    assert f"Team {last}</h3><p>needs a new lead; Nam {last} has left." in shown
    assert (f"Away {last}" in shown, f"Soon {last}" in shown, "Last day:" in shown) == (
        True,
        True,
        True,
    )
    assert Membership.objects.filter(ended_on=None).count() == 0
