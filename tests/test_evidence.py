"""The proof of what left: complete, unchangeable, still right after an edit, and without names."""

import csv
import datetime as dt
import io
import json
import uuid

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from ambassadors.models import AuditEntry, Person
from ambassadors.sheets import cell
from campaigns import choices, deliveries, evidence, shares, suggestions
from campaigns.models import Approval, Delivery, Evidence, Post, Suggestion
from campaigns.shares import Words
from integrations import accounts

from .conftest import browser

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 25, 9, 0, tzinfo=dt.UTC)
TEXT = 'I said "Moin" \\ to\tturbine 9.\nIt hummed back \x1f\x7f 👩‍👩‍👧 ﷽ é.'


@pytest.fixture
def approved(suggestion):
    """The suggestion; that Dilan approved it is a row of its own."""
    assert list(Approval.objects.values_list("revision", "kind", "person__name")) == [
        (1, "editorial", "Dilan")
    ]
    return suggestion


@pytest.fixture
def copied(approved):
    def make(who, text=TEXT, how="copied", at=NOW):
        words = Words(text, approved.variant_set.get(), uuid.uuid4())
        return shares.hand_over(
            by=who, suggestion=approved, words=words, network="linkedin", how=how, now=at
        )

    return make


@pytest.fixture
def queued(approved):
    def make(who, text=TEXT):
        wall = accounts.connect_wall(person=who, now=NOW)
        words = Words(text, approved.variant_set.get(), uuid.uuid4())
        (post,) = shares.share(
            by=who, suggestion=approved, words=words, accounts=[wall], due_at=NOW, now=NOW
        )
        return post.delivery

    return make


def edit(suggestion, by):
    suggestion.title = "Another title"
    (variant,) = suggestion.variant_set.all()
    variant.text = "Quite another [wording]."
    return suggestions.save(
        suggestion=suggestion, variants=[variant], seen_revision=1, by=by, now=timezone.now()
    )


def test_copy_keeps_everything(copied, person, approved):
    jona = person("Jona")
    post = copied(jona)
    row = Evidence.objects.get()
    assert (row.post_number, row.author_key, row.event, row.text, row.left_at) == (
        post.pk, jona.evidence_key, "copied", f"{TEXT} #NordwindTeam", NOW,
    )  # fmt: skip
    assert (row.label, row.rule_version, row.suggestion_number, row.suggestion_revision) == (
        "#NordwindTeam", 1, approved.pk, 1,
    )  # fmt: skip
    key = str(approved.approved_by.evidence_key)
    at = approved.approved_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert row.approvals == [["editorial", key, at]]
    assert row.keep_until == dt.date(2030, 1, 1)


def test_proof_holds_after_the_suggestion_was_edited(copied, queued, person, approved):
    """Issue 5, done when 3."""
    copied(person("Jona"))
    deliveries.mark_sent(queued(person("Nam")), "r1", "", now=NOW)
    before = [evidence.verify(row) for row in Evidence.objects.all()]
    edit(approved, person("Mirja", "curator"))
    after = [evidence.verify(row) for row in Evidence.objects.all()]
    assert [v.holds for v in before + after] == [True] * 4
    assert [v.edited_since for v in before + after] == [False, False, True, True]
    assert {row.text for row in Evidence.objects.all()} == {f"{TEXT} #NordwindTeam"}
    assert [evidence.approvers(row)[0][:2] for row in Evidence.objects.all()] == [
        ("editorial", "Dilan"),
        ("editorial", "Dilan"),
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("text", "'another'"), ("label", "'x'"), ("rule_version", "2"), ("network", "'x'"), ("approvals", "'[]'"),
        ("left_at", "left_at + interval '1 microsecond'"), ("suggestion_revision", "9"), ("author_key", "gen_random_uuid()"),
        ("keep_until", "keep_until + 1"), ("sha256", "repeat('0', 64)"),
    ],
)  # fmt: skip
def test_whoever_gets_round_the_trigger_is_found_out(copied, person, column, value):
    copied(person("Jona"))
    change = f"UPDATE campaigns_evidence SET {column} = {value}"
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert evidence.verify(Evidence.objects.get()).holds
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE campaigns_evidence DISABLE TRIGGER evidence_append_only")
        cursor.execute(change)
    assert not evidence.verify(Evidence.objects.get()).intact


def test_proof_is_deleted_only_when_its_time_is_over(copied, person):
    copied(person("Jona"))
    copied(person("Nam"), at=NOW - dt.timedelta(days=5 * 366))
    with pytest.raises(DatabaseError), transaction.atomic():
        Evidence.objects.all().delete()
    Evidence.objects.filter(keep_until__lt=NOW.date()).delete()
    assert list(Evidence.objects.values_list("left_at", flat=True)) == [NOW]


def test_what_never_left_is_not_kept(queued, person):
    jona = person("Jona")
    choices.withdraw(by=jona, delivery=queued(jona), now=NOW)
    assert Evidence.objects.count() == 0


def test_what_was_changed_before_it_left_is_kept_as_it_left(queued, person):
    jona = person("Jona")
    new = choices.edit(by=jona, delivery=queued(jona), text="Better.", now=NOW)
    deliveries.mark_sent(new.delivery, "r1", "", now=NOW)
    assert list(Evidence.objects.values_list("event", "text", "remote_id")) == [
        ("sent", "Better. #NordwindTeam", "r1")
    ]


def test_each_text_of_a_post_that_was_changed_there_is_kept(queued, person):
    jona = person("Jona")
    delivery = queued(jona)
    deliveries.mark_sent(delivery, "r1", "", now=NOW)
    deliveries.mark_sent(delivery, "r1", "", now=NOW)  # told twice
    changes = shares.reworded(delivery.post, "Corrected.", delivery.account)
    Post.objects.filter(pk=delivery.post_id).update(**changes)
    assert list(Evidence.objects.values_list("event", "text")) == [
        ("sent", f"{TEXT} #NordwindTeam"), ("changed", "Corrected. #NordwindTeam"),
    ]  # fmt: skip
    assert all(evidence.verify(row).holds for row in Evidence.objects.all())


def test_proof_found_by_the_person_is_kept_too(queued, person):
    jona = person("Jona")
    delivery = queued(jona)
    Delivery.objects.filter(pk=delivery.pk).update(
        state="unknown", look_at=None, first_tried_at=NOW
    )
    delivery.refresh_from_db()
    choices.say_it_is_there(by=jona, delivery=delivery, url="https://a.example/1", now=NOW)
    assert list(Evidence.objects.values_list("event", flat=True)) == ["sent"]


def test_new_key_makes_a_person_nameless_and_the_proof_still_holds(copied, person):
    jona = person("Jona")
    copied(jona)
    row = Evidence.objects.get()
    assert evidence.names(row)[str(row.author_key)] == "Jona"
    Person.objects.filter(pk=jona.pk).update(evidence_key=uuid.uuid4())
    assert (str(row.author_key) in evidence.names(row), evidence.verify(row).holds) == (False, True)


# Doors ----------------------------------------------------------------------------------------

REASON = "Warning letter of 24 November"


@pytest.fixture
def heike(person):
    return person("Heike", "auditor")


@pytest.mark.parametrize("by", ["number", "sha256", "address"])
def test_one_post_is_opened_with_a_reason_and_its_author_sees_that(copied, person, heike, by):
    jona = person("Jona Harms")
    post = copied(jona)
    Post.objects.update(reported_url="https://linkedin.example/p/1")
    row = Evidence.objects.get()
    words = {
        "number": str(row.pk),
        "sha256": row.sha256,
        "address": "https://linkedin.example/p/1",
    }[by]
    page = browser(heike).post("/evidence/", {"act": "open", "words": words, "reason": REASON})
    assert "A post by Jona Harms" in page.content.decode()
    entry = AuditEntry.objects.get(act="evidence.opened")
    assert (entry.actor_id, entry.reason, entry.subject_id) == (heike.pk, REASON, str(row.pk))
    own = browser(jona).get(f"/posts/{post.pk}/proof/").content.decode()
    assert ("Heike" in own, REASON in own, "The proof holds." in own) == (True, True, True)


@pytest.mark.parametrize(
    "words", ["", "0", "9" * 18, "9" * 5000, "x", "\x00", "https://nowhere.example/", "' OR 1=1"]
)
def test_unknown_post_is_said_and_nothing_typed_is_lost(copied, person, heike, words):
    copied(person("Jona Harms"))
    answer = browser(heike).post("/evidence/", {"act": "open", "words": words, "reason": REASON})
    page = answer.content.decode()
    assert (answer.status_code, REASON in page, "Jona" in page) == (422, True, False)
    assert AuditEntry.objects.filter(act="evidence.opened").count() == 0


def test_nothing_opens_without_a_reason(copied, person, heike):
    copied(person("Jona Harms"))
    for form in (
        {"act": "open", "words": "1", "reason": "x"},
        {"act": "csv", "quarter": "2026-4", "why": " "},
    ):
        answer = browser(heike).post("/evidence/", form)
        assert (answer.status_code, "Say why, in a sentence." in answer.content.decode()) == (
            422,
            True,
        )


@pytest.fixture
def five(copied, person):
    """Five people in a quarter, one with a formula for a text, and one before it."""
    made = [person(f"Person Number{n}") for n in range(5)]
    for n, who in enumerate(made):
        copied(who, text=f"=HYPERLINK(1;{n})")
    copied(made[0], text="Before.", at=dt.datetime(2026, 9, 30, 23, 59, tzinfo=dt.UTC))
    return made


def export(heike, act, quarter="2026-4"):
    return browser(heike).post("/evidence/", {"act": act, "quarter": quarter, "why": REASON})


def test_quarter_names_nobody(five, heike, approved):
    for act in ("csv", "json"):
        text = export(heike, act).getvalue().decode()
        people = [*five, approved.author, approved.approved_by]
        told = [w for p in people for w in (p.name, p.email, str(p.evidence_key)) if w in text]
        assert (told, text.count("HYPERLINK")) == ([], 5)
    entries = AuditEntry.objects.filter(act="evidence.exported").values_list(
        "reason", "facts__rows"
    )
    assert list(entries) == [(REASON, 5)] * 2


def test_csv_is_no_formula(five, heike):
    rows = list(csv.DictReader(io.StringIO(export(heike, "csv").getvalue().decode("utf-8-sig"))))
    assert [row["text"] for row in rows] == [f"'=HYPERLINK(1;{n}) #NordwindTeam" for n in range(5)]
    assert [row["revision"] for row in rows] == ["1"] * 5


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "＝1", "\n=1"])
def test_cell_is_text(value):
    assert cell(value) == f"'{value}"


@pytest.mark.parametrize("value", ["Moin", "1=1", "", "(=)"])
def test_harmless_cell_stays(value):
    assert cell(value) == value


def test_digest_of_a_quarter_changes_with_every_row(five, heike):
    whole = json.loads(export(heike, "json").content)
    assert whole["digest"] == evidence.seal(whole["rows"])
    assert evidence.seal(whole["rows"][:-1]) != whole["digest"]


def test_quarter_of_fewer_than_five_people_is_not_told(copied, person, heike):
    for n in range(4):
        for _ in range(3):
            copied(person(f"P{n}") if _ == 0 else Person.objects.get(name=f"P{n}"), text=f"T{n}{_}")
    answer = export(heike, "csv")
    assert (answer.status_code, "Fewer than five people" in answer.content.decode()) == (422, True)


@pytest.mark.parametrize(
    "quarter", ["", "2026-5", "9999-1", "x", "2026-4-1", "\x00", "9" * 5000 + "-1"]
)
def test_strange_quarter_is_refused(heike, quarter):
    assert export(heike, "csv", quarter).status_code == 422


def test_quarters_meet_without_a_gap():
    edges = [evidence.quarter(f"{year}-{n}") for year in (2026, 2027) for n in (1, 2, 3, 4)]
    assert [end for _, end in edges[:-1]] == [begin for begin, _ in edges[1:]]


@pytest.mark.parametrize("role", ["curator", "hr", "legal", "ambassador"])
def test_others_do_not_get_in(person, copied, role):
    jona = person("Jona")
    post = copied(jona)
    visitor = browser(person("Someone", role))
    assert [visitor.get(u).status_code for u in ("/evidence/", f"/posts/{post.pk}/proof/")] == [
        403,
        404,
    ]


def test_own_proof_is_taken_along(copied, person):
    jona = person("Jona")
    post = copied(jona)
    file = browser(jona).get(f"/posts/{post.pk}/proof/?format=json")
    (row,) = json.loads(file.content)["rows"]
    assert (row["text"], row["label"]) == (f"{TEXT} #NordwindTeam", "#NordwindTeam")
    assert Suggestion.objects.get().pk == row["suggestion"]
