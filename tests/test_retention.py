"""How long things are kept: one table, bounds, a dry run, a job that may die and run again."""

import ast
import datetime as dt
import uuid
from pathlib import Path

import pytest
from django.utils import timezone

from ambassadors import retention
from ambassadors.models import AuditEntry, Erasure, Person, RetentionRule, RetentionRun, TeamKind
from curation.models import Draft
from people.models import Application, Call

from .conftest import browser

pytestmark = pytest.mark.django_db


def ago(days):
    return timezone.now() - dt.timedelta(days=days)


def drafts(who, *ages):
    Draft.objects.bulk_create(
        Draft(person=who, key=uuid.uuid4(), form="text=x", at=ago(days)) for days in ages
    )


def run(now=None):
    now = now or timezone.now()
    return retention.run(now=now, on=now.date())


@pytest.mark.parametrize("kept", retention.classes(), ids=lambda kept: kept.name)
def test_every_class_has_bounds_a_reason_and_rows_that_can_be_asked_for(kept):
    assert kept.least <= kept.days <= kept.most
    assert (len(kept.why) > 20, kept.rows(ago(kept.days)).count()) == (True, 0)


def test_names_of_classes_are_their_own():
    names = [kept.name for kept in retention.classes()]
    assert len(names) == len(set(names))


def test_the_night_takes_what_is_over_and_nothing_younger(jona):
    drafts(jona, 29, 31, 400)
    assert retention.would_go(now=timezone.now())["drafts"] is True
    assert [run(), run()] == [2, 0]
    [line] = RetentionRun.objects.all()
    assert (line.name, line.gone, line.days, Draft.objects.count()) == ("drafts", 2, 30, 1)


def test_batches_go_on_after_one_that_failed(jona, monkeypatch):
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    drafts(jona, 31, 32, 33, 34, 35)
    note, calls = retention._note, []

    def dies(*args):
        calls.append(args)
        if len(calls) == 2:
            raise OSError("disk")
        note(*args)

    monkeypatch.setattr(retention, "_note", dies)
    with pytest.raises(OSError, match="disk"):
        run()
    assert Draft.objects.count() == 3  # the second batch is whole again
    monkeypatch.setattr(retention, "_note", note)
    assert (run(), RetentionRun.objects.get().gone, Draft.objects.count()) == (3, 5, 0)


def test_declined_applications_go_after_half_a_year_and_open_ones_never(jona):
    kind = TeamKind.objects.create(slug="k", behaviour="contact", name_de="K", name_en="K")
    call = Call.objects.create(
        slug="c", kind=kind, title_en="C", text_en="C", opens_at=ago(400), made_at=ago(400),
        closes_at=ago(300), submission=uuid.uuid4(),
    )  # fmt: skip
    for state, decided in (("declined", ago(181)), ("declined", ago(170)), ("applied", None)):
        Application.objects.create(
            call=call, person=jona, why="x", hours_per_month=1, applied_at=ago(300), state=state,
            decided_at=decided,
        )  # fmt: skip
    assert run() == 1
    assert sorted(Application.objects.values_list("state", flat=True)) == ["applied", "declined"]


def test_who_left_a_year_ago_is_on_the_way_out_and_once_only(person):
    gone, fresh = person("Gone"), person("Fresh")
    Person.objects.filter(pk=gone.pk).update(left_at=ago(366), is_active=False)
    Person.objects.filter(pk=fresh.pk).update(left_at=ago(300), is_active=False)
    assert [run(), run()] == [1, 0]
    [wish] = Erasure.objects.open()
    assert (wish.person, wish.asked_by) == (gone, None)


@pytest.mark.parametrize(
    "typed", ["", "6", "91", "-30", "3e1", "１２", "9" * 30, "30.5", "\x00"], ids=repr
)
def test_days_outside_the_bounds_get_a_sentence_and_stay_typed(person, typed):
    ada = browser(person("Ada", "administrator"))
    answer = ada.post("/record/retention/", {"name": "drafts", "days": typed})
    assert (answer.status_code, b"Between 7 and 90 days." in answer.content) == (422, True)
    assert (retention.days("drafts"), RetentionRule.objects.count()) == (30, 0)


def test_administrators_change_days_auditors_read_them(person, jona):
    drafts(jona, 20)
    ada, ines = person("Ada", "administrator"), person("Ines", "auditor")
    assert (
        browser(ada).post("/record/retention/", {"name": "drafts", "days": "14"}).status_code == 302
    )
    assert (retention.days("drafts"), Draft.objects.count()) == (14, 1)
    assert AuditEntry.objects.get(act="retention.changed").facts["days"] == 14
    reader = browser(ines)
    page = reader.get("/record/retention/").content.decode()
    assert ("Something goes tonight." in page, 'name="days"' in page) == (True, False)
    reader.post("/record/retention/", {"name": "drafts", "days": "90"})
    assert retention.days("drafts") == 14
    assert browser(jona).get("/record/retention/").status_code in {403, 404}


def test_fixed_classes_cannot_be_changed(person):
    ada = person("Ada", "administrator")
    with pytest.raises(retention.NotChanged):
        retention.change(name="evidence", typed="0", by=ada, now=timezone.now())
    assert RetentionRule.objects.count() == 0


# One clock ----------------------------------------------------------------------------------------

# What deletes by its own clock, and why that is no class of data.
OWN_CLOCK = {
    "integrations/trips.py:forget_old": "minutes: a round trip to a network that is over",
    "campaigns/front.py:forget_editions": "an hour: what processes tell each other, of no person",
    "campaigns/clicks.py:_write": "a mark against counting twice, without a person or a click",
}
ROOT = Path(__file__).parents[1]


def clocks(source):
    """Functions that delete rows of which a moment lies a span before now."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        parts = list(ast.walk(function))
        deletes = any(isinstance(one, ast.Attribute) and one.attr == "delete" for one in parts)
        kept = [
            one.value
            for one in parts
            if isinstance(one, ast.Assign)
            or (isinstance(one, ast.keyword) and (one.arg or "").endswith(("__lt", "__lte")))
        ]
        if deletes and any(
            isinstance(value, ast.BinOp)
            and isinstance(value.op, ast.Sub)
            and ast.unparse(value.left) in {"now", "today", "yesterday", "now.date()"}
            for value in kept
        ):
            yield function.name


def test_what_is_kept_for_a_time_stands_in_the_one_table():
    """A second clock would not stand on the page, and nobody could change it."""
    found = {
        f"{path.relative_to(ROOT)}:{name}"
        for room in ("ambassadors", "integrations", "campaigns", "curation", "people", "reception")
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts and path.name != "retention.py"
        for name in clocks(path.read_text(encoding="utf-8"))
    }
    assert found == set(OWN_CLOCK)


def test_that_test_sees_a_second_clock():
    second = """
def forget(*, now):
    return Row.objects.filter(at__lt=now - KEPT).delete()[0]
def tidy(*, now):
    before = now - dt.timedelta(days=30)
    Row.objects.filter(at__lt=before).delete()
def drop(*, by):
    Row.objects.filter(by=by).delete()
"""
    assert list(clocks(second)) == ["forget", "tidy"]


def test_no_setting_of_days_is_read_beside_the_table():
    """What an administrator chose on the page would not hold there."""
    settings = {"INQUIRY_DAYS", "TALK_REQUEST_DAYS"}
    found = {
        f"{path.relative_to(ROOT)}"
        for path in ROOT.glob("*/**/*.py")
        if ".venv" not in path.parts and path.parts[-2] != "tests" and path.name != "settings.py"
        if any(f"settings.{name}" in path.read_text(encoding="utf-8") for name in settings)
    }
    assert found == {"reception/retention.py"}


def test_the_shortest_time_counts_that_ever_held(person):
    ada, now = person("Ada", "administrator"), timezone.now()
    for days, ago_ in ((60, 50), (90, 40), (30, 20), (80, 10)):
        at = now - dt.timedelta(days=ago_)
        retention.change(name="drafts", typed=str(days), by=ada, now=at)
    since = [retention.shortest("drafts", since=ago(days)) for days in (60, 45, 15, 5)]
    assert since == [30, 30, 30, 80]
