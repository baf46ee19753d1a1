"""Terms in teams: the graph of stages, the last place, renewal, pause, farewell and return."""

import ast
import datetime as dt
import itertools
import threading
import uuid

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from ambassadors import memberships
from ambassadors.memberships import NoPlace
from ambassadors.models import AuditEntry, Membership, MembershipStep, Team, TeamKind
from ambassadors.states import NoSuchWay
from campaigns import activities

from .conftest import browser
from .test_architecture import CODE

pytestmark = pytest.mark.django_db

STAGES = Membership.Stage.values
PAIRS = list(itertools.permutations(STAGES, 2))


@pytest.fixture
def team_of(db):
    """Make a team of a kind with some behaviour."""

    def make(slug="wind", behaviour="multiplier", **fields):
        kind, _new = TeamKind.objects.get_or_create(
            slug=behaviour,
            defaults={
                "behaviour": behaviour, "name_de": "Stimmen", "name_en": "Voices",
                "profile_en": "You talk about your work.", "tasks": ["Antworten"], "tasks_en": ["Answer"],
            },
        )  # fmt: skip
        return Team.objects.create(slug=slug, name=slug.title(), kind=kind, **fields)

    return make


@pytest.fixture
def selin(person):
    return person("Selin", "hr")


def term(who, team, stage="active", by=None):
    """A term at a stage, whichever way leads there."""
    first = "in_training" if stage == "alumni" else stage
    made = memberships.begin(person=who, team=team, stage=first, by=by, now=timezone.now())
    if stage == "alumni":
        memberships.end(membership=made, by=by, now=timezone.now())
        made.refresh_from_db()
    return made


def stage_of(membership):
    membership.refresh_from_db()
    return membership.stage


# The graph --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "to"), PAIRS, ids=lambda stage: stage)
def test_every_pair_of_stages_is_a_way_or_refused_in_code_and_database(
    source, to, team_of, jona, selin
):
    allowed = source in memberships.WAYS[to]
    mine = term(jona, team_of(), source)
    ended = {"ended_on": mine.started_on if to == "alumni" else None}
    try:
        with transaction.atomic():
            changed = Membership.objects.filter(pk=mine.pk).update(stage=to, **ended)
            in_database = bool(changed)
            transaction.set_rollback(True)
    except IntegrityError as error:
        in_database = "no way from" not in str(error)
    if allowed:
        in_code = memberships.move(membership=mine, to=to, by=selin, now=timezone.now())
    else:
        with pytest.raises(NoSuchWay):
            memberships.move(membership=mine, to=to, by=selin, now=timezone.now())
        in_code = False
    assert (in_code, in_database) == (allowed, allowed)
    assert stage_of(mine) == (to if allowed else source)


def test_nothing_else_writes_a_stage():
    wrong = []
    for path in CODE:
        if path.name == "memberships.py" or {"nordwind", "migrations"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                names = {keyword.arg for keyword in node.keywords}
                if "stage" in names and (
                    called.endswith(("update", "update_or_create", "get_or_create", "create"))
                    or called == "Membership"
                ):
                    wrong.append(f"{path.name}: {called}")
            if isinstance(node, ast.Assign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                wrong += [
                    f"{path.name}: {ast.unparse(t)}"
                    for t in targets
                    if isinstance(t, ast.Attribute) and t.attr == "stage"
                ]
    assert wrong == []


def test_stale_row_moves_nothing(team_of, jona, selin):
    first = term(jona, team_of(), "invited")
    second = Membership.objects.get(pk=first.pk)
    now = timezone.now()
    moved = [
        memberships.move(membership=row, to="active", by=selin, now=now) for row in (first, second)
    ]
    assert moved == [True, False]
    assert list(MembershipStep.objects.values_list("stage", flat=True)) == ["invited", "active"]
    assert AuditEntry.objects.filter(act="membership.moved").count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"ended_on": dt.date(2030, 1, 1)}, {"paused_until_on": dt.date(2030, 1, 1)},
        {"until_on": dt.date(2000, 1, 1)},
    ],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_database_refuses_facts_that_contradict_the_stage(team_of, jona, fields):
    mine = term(jona, team_of())
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(pk=mine.pk).update(**fields)


def test_term_that_never_began_leaves_no_row(team_of, jona, selin):
    mine = term(jona, team_of(), "invited")
    assert memberships.end(membership=mine, by=selin, now=timezone.now())
    assert (Membership.objects.count(), MembershipStep.objects.count()) == (0, 0)
    assert not memberships.end(membership=mine, by=selin, now=timezone.now())


def test_leaving_the_company_ends_terms_and_forgets_invitations(team_of, jona, selin):
    stays, goes = term(jona, team_of()), term(jona, team_of("heat"), "invited")
    memberships.leave_company(person=jona, by=selin, now=timezone.now())
    assert stage_of(stays) == "alumni"
    assert not Membership.objects.filter(pk=goes.pk).exists()


# Places -----------------------------------------------------------------------------------------


def test_full_team_takes_nobody_in_code_and_database(team_of, person, selin):
    team = team_of(capacity=1)
    term(person("Nam"), team, "invited")
    waits = term(person("Lea"), team, "nominated")  # wants no place yet
    with pytest.raises(NoPlace):
        term(person("Jona"), team)
    with pytest.raises(NoPlace):
        memberships.move(membership=waits, to="invited", by=selin, now=timezone.now())
    today = timezone.localdate()
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(
            person=person("Ole"), team=team, stage="active", started_on=today, stage_since_on=today
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(pk=waits.pk).update(stage="invited")


def test_team_that_shrank_keeps_who_is_there(team_of, person, selin):
    team = team_of(capacity=3)
    terms = [term(person(name), team) for name in ("A", "B", "C")]
    Team.objects.filter(pk=team.pk).update(capacity=1)
    assert memberships.move(membership=terms[0], to="paused", by=selin, now=timezone.now())
    assert Team.objects.with_taken().get().taken == 3


@pytest.mark.django_db(transaction=True)
def test_last_place_goes_to_one_of_four_at_once(team_of, person):
    team, gate, outcomes = team_of(capacity=1), threading.Barrier(4), []
    people = [person(f"P{n}") for n in range(4)]

    def want(who):
        try:
            gate.wait()
            memberships.begin(person=who, team=team, stage="invited", by=None, now=timezone.now())
            outcomes.append("place")
        except NoPlace:
            outcomes.append("none")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=want, args=(who,)) for who in people]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(outcomes) == ["none", "none", "none", "place"]


# Who serves -------------------------------------------------------------------------------------


def test_serving_is_active_here_and_of_the_behaviour(team_of, person, selin):
    contacts, voices = team_of("ask", "contact"), team_of()
    serves, paused, gone = person("Serves"), person("Paused"), person("Gone")
    for who in (serves, paused, gone):
        term(who, contacts)
        term(who, voices)
    rest = paused.membership_set.get(team=contacts)
    memberships.move(membership=rest, to="paused", by=paused, now=timezone.now())
    memberships.leave_company(person=gone, by=selin, now=timezone.now())
    term(person("Learns"), contacts, "in_training")
    found = Membership.objects.serving("contact", timezone.localdate())
    assert [row.person for row in found] == [serves]
    assert not Membership.objects.serving("contact", dt.date(2000, 1, 1)).exists()


def test_requests_come_first_for_an_active_multiplier_only(
    team_of, jona, person, mirja, topic, a_working_day
):
    now = timezone.now()
    activities.make(
        kind="comment", topic=topic, title="Say something", why="They ask.", submission=uuid.uuid4(),
        link_url="https://x.example.org/1", ends_at=now + dt.timedelta(days=2), by=mirja, now=now,
    )  # fmt: skip
    nam = person("Nam")
    term(jona, team_of())
    term(nam, team_of("ask", "contact"))
    term(nam, team_of("later"), "in_training")
    order = []
    for who in (jona, nam):
        page = browser(who).get("/").content.decode()
        order.append(page.index("Say something") < page.index('id="ideas-h"'))
    assert order == [True, False]


# Terms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ("2027-01-31", 1, "2027-02-28"), ("2028-01-31", 1, "2028-02-29"), ("2027-12-31", 12, "2028-12-31"),
        ("2027-11-15", 14, "2029-01-15"), ("2028-02-29", 12, "2029-02-28"),
    ],
)  # fmt: skip
def test_months_later_is_a_day_of_that_month(day, months, then):
    assert memberships.later(dt.date.fromisoformat(day), months) == dt.date.fromisoformat(then)


def test_term_ends_months_after_it_became_active_and_is_renewed_once(team_of, jona):
    now = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC)
    mine = memberships.begin(
        person=jona, team=team_of(term_months=12), stage="in_training", by=None, now=now
    )
    assert mine.until_on is None
    memberships.move(membership=mine, to="active", by=None, now=now + dt.timedelta(days=30))
    assert mine.until_on == dt.date(2028, 3, 31)
    again = Membership.objects.get(pk=mine.pk)
    renewed = [memberships.renew(membership=row, by=jona, now=now) for row in (mine, again)]
    assert (renewed, mine.until_on) == ([True, False], dt.date(2029, 3, 31))


def test_second_term_is_a_second_row(team_of, jona, selin):
    team = team_of()
    first = term(jona, team, "alumni")
    second = term(jona, team, "invited")
    assert first.pk != second.pk
    assert sorted(Membership.objects.values_list("stage", flat=True)) == ["alumni", "invited"]
