"""Review: who looks, at which revision, what is missing; the queue; deputies; races."""

import datetime as dt
import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from ambassadors import absences
from ambassadors.models import Absence, AuditEntry
from campaigns import reviews, suggestions
from campaigns.models import (
    Approval,
    DisclosureRule,
    DisclosureTable,
    Programme,
    Suggestion,
    Variant,
)
from campaigns.suggestions import NotAllowed, StaleRevision
from curation import acts

from .conftest import browser

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 25, 9, 0, tzinfo=dt.UTC)
OFFER = {
    "offer_name": "Neighbour power", "offer_terms_url": "https://nordwind.example/terms",
    "offer_ends_on": dt.date(2026, 12, 31), "expires_at": dt.datetime(2026, 12, 31, 22, 0, tzinfo=dt.UTC),
}  # fmt: skip


@pytest.fixture
def mirja(person):
    return person("Mirja", "curator")


@pytest.fixture
def dilan(person):
    return person("Dilan", "curator")


@pytest.fixture
def elif_(person):
    return person("Elif", "legal")


@pytest.fixture
def draft(topic, mirja):
    """A draft that could be handed in."""

    def make(kind="employer_brand", **more):
        if not DisclosureTable.objects.exists():
            table = DisclosureTable.objects.create(version=1, proposed_at=NOW)
            for name in ("employer_brand", "product", "political"):
                DisclosureRule.objects.create(
                    table=table, content_class=name, language="en", label="Ad:", place="start"
                )
            DisclosureTable.objects.update(in_force_at=NOW)
        facts = OFFER if kind == "product" else {}
        made = Suggestion.objects.create(
            topic=topic, language="en", content_class=kind, changed_at=NOW,
            **{"title": "Six years", "author": mirja, "changed_by": mirja, **facts, **more},
        )  # fmt: skip
        Variant.objects.create(suggestion=made, name="P", language="en", text="Six [years].")
        return made

    return make


@pytest.fixture
def handed_in(draft, mirja):
    def make(kind="employer_brand", at=NOW, **more):
        made = draft(kind, **more)
        reviews.hand_in(suggestion=made, seen_revision=1, by=mirja, now=at)
        return made

    return make


def approve(made, who, kind="editorial", seen=1):
    return reviews.approve(suggestion=made, seen_revision=seen, by=who, now=NOW, kind=kind)


def change(made, who, seen=1):
    made.title = "Seven years"
    return suggestions.save(
        suggestion=made, variants=list(made.variant_set.all()), seen_revision=seen, by=who, now=NOW
    )


def state(made):
    return Suggestion.objects.get(pk=made.pk).state


# Who looks ------------------------------------------------------------------------------------


def test_one_look_is_enough_for_most(handed_in, dilan):
    made = handed_in()
    assert approve(made, dilan) is True
    made.refresh_from_db()
    assert (made.state, made.approved_by, made.approved_at) == ("approved", dilan, NOW)
    rows = Approval.objects.values_list("revision", "kind", "person", "given_at")
    assert list(rows) == [(1, "editorial", dilan.pk, NOW)]


@pytest.mark.parametrize("kind", ["product", "political"])
@pytest.mark.parametrize("legal_first", [True, False])
def test_legal_looks_too_where_the_class_asks_for_it(handed_in, dilan, elif_, kind, legal_first):
    made = handed_in(kind)
    looks = [(elif_, "legal"), (dilan, "editorial")]
    first, second = looks if legal_first else reversed(looks)
    assert (approve(made, *first), state(made)) == (False, "in_review")
    assert (approve(made, *second), state(made)) == (True, "approved")
    assert set(Approval.objects.values_list("person", "kind")) == {
        (elif_.pk, "legal"), (dilan.pk, "editorial"),
    }  # fmt: skip


def test_same_person_never_gives_both_looks(handed_in, person):
    both = person("Anne", "curator", "legal")
    made = handed_in("product")
    approve(made, both, "legal")
    with pytest.raises(NotAllowed, match="You have said yes already"):
        approve(made, both, "editorial")
    assert state(made) == "in_review"


@pytest.mark.parametrize("roles", [("curator",), ("curator", "legal")])
@pytest.mark.parametrize("kind", ["editorial", "legal"])
def test_author_gives_no_look(draft, person, roles, kind):
    author = person("Author", *roles)
    made = draft("product", author=author)
    reviews.hand_in(suggestion=made, seen_revision=1, by=author, now=NOW)
    with pytest.raises(NotAllowed):
        approve(made, author, kind)
    assert Approval.objects.count() == 0


def test_who_saved_it_last_gives_no_look(handed_in, dilan, mirja, person):
    made = handed_in()
    change(made, dilan)
    with pytest.raises(NotAllowed, match="You changed it last"):
        approve(made, dilan, seen=2)
    assert approve(made, person("Ole", "curator"), seen=2)


def test_small_company_may_approve_its_own_but_never_for_legal(handed_in, mirja, person):
    programme = Programme.the()
    programme.two_person_review = False
    programme.save()
    assert approve(handed_in(), mirja)
    lawyer = person("Anne", "curator", "legal")
    made = handed_in("political", author=lawyer, changed_by=lawyer)
    approve(made, lawyer)
    with pytest.raises(NotAllowed):
        approve(made, lawyer, "legal")


@pytest.mark.parametrize(
    ("role", "kind"), [("legal", "editorial"), ("curator", "legal"), ("hr", "editorial")]
)
def test_look_needs_its_role(handed_in, person, role, kind):
    made = handed_in("product")
    with pytest.raises(NotAllowed, match="must look at this"):
        approve(made, person("Someone", role), kind)


def test_look_that_is_not_needed_is_refused(handed_in, elif_):
    with pytest.raises(NotAllowed, match="does not need"):
        approve(handed_in(), elif_, "legal")


# At which revision ----------------------------------------------------------------------------


def test_stale_version_is_not_approved(handed_in, dilan, mirja):
    made = handed_in()
    change(made, mirja)
    with pytest.raises(StaleRevision):
        approve(made, dilan)
    assert (state(made), Approval.objects.count()) == ("in_review", 0)


def test_change_after_approval_needs_new_looks(handed_in, dilan, elif_, mirja):
    made = handed_in("product")
    approve(made, dilan)
    approve(made, elif_, "legal")
    change(made, mirja)
    assert state(made) == "draft"
    reviews.hand_in(suggestion=made, seen_revision=2, by=mirja, now=NOW)
    assert (approve(made, dilan, seen=2), state(made)) == (False, "in_review")
    assert approve(made, elif_, "legal", seen=2)


def test_look_at_an_older_text_does_not_count(handed_in, dilan, elif_, mirja):
    made = handed_in("product")
    approve(made, dilan)
    change(made, mirja)
    assert (approve(made, elif_, "legal", seen=2), state(made)) == (False, "in_review")


def test_given_back_with_a_word(handed_in, dilan, mirja):
    made = handed_in()
    with pytest.raises(NotAllowed, match="Say why"):
        reviews.give_back(suggestion=made, seen_revision=1, note="", by=dilan, now=NOW)
    reviews.give_back(suggestion=made, seen_revision=1, note="Too long.", by=dilan, now=NOW)
    made.refresh_from_db()
    assert (made.state, made.returned_note) == ("draft", "Too long.")


# In the database ------------------------------------------------------------------------------


def refused(sql, *values):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


APPROVE = (
    "INSERT INTO campaigns_approval (suggestion_id, revision, kind, person_id, given_at)"
    " VALUES (%s, %s, %s, %s, now())"
)
LIVE = (
    "UPDATE campaigns_suggestion SET state = 'approved', approved_at = now(), approved_by_id = %s"
    " WHERE id = %s"
)


def test_database_knows_the_rules(handed_in, dilan, elif_, mirja):
    made = handed_in("product")
    refused(LIVE, dilan.pk, made.pk)
    refused(APPROVE, made.pk, 1, "editorial", mirja.pk)
    refused(APPROVE, made.pk, 2, "editorial", dilan.pk)
    approve(made, dilan)
    refused(LIVE, dilan.pk, made.pk)
    refused(APPROVE, made.pk, 1, "legal", dilan.pk)
    refused("UPDATE campaigns_approval SET person_id = %s", mirja.pk)
    refused("DELETE FROM campaigns_approval")
    approve(made, elif_, "legal")
    refused("UPDATE campaigns_suggestion SET revision = 2, title = 'x' WHERE id = %s", made.pk)
    assert state(made) == "approved"


def test_looks_are_carried_while_it_says_the_same(handed_in, dilan, elif_):
    made = handed_in("product")
    approve(made, dilan)
    approve(made, elif_, "legal")
    Suggestion.objects.filter(pk=made.pk).update(revision=2, owner=dilan)
    rows = Approval.objects.order_by("pk").values_list("revision", "kind", "person", "given_at")
    assert list(rows) == [
        (1, "editorial", dilan.pk, NOW), (1, "legal", elif_.pk, NOW),
        (2, "editorial", dilan.pk, NOW), (2, "legal", elif_.pk, NOW),
    ]  # fmt: skip


def test_earlier_beginning_needs_new_looks_and_its_undo_the_old_ones(handed_in, dilan, mirja):
    made = handed_in(embargo_until=NOW + dt.timedelta(days=3))
    approve(made, dilan)
    act = acts.perform(
        what=acts.What.BEGIN, chosen=[acts.Chosen(made.pk, 1)], value=NOW + dt.timedelta(days=1),
        by=mirja, now=NOW,
    )  # fmt: skip
    (row,) = reviews.rows(reviews.waiting(), dilan, now=NOW)
    assert (state(made), row.given, row.may) == ("in_review", [], "editorial")
    acts.undo(act=act, by=mirja, now=NOW)
    made.refresh_from_db()
    assert (made.state, made.approved_by, [a.person for a in reviews.given(made)]) == (
        "approved", dilan, [dilan],
    )  # fmt: skip


def test_approved_suggestion_is_not_moved_past_its_offer(handed_in, dilan, elif_, mirja):
    made = handed_in("product")
    approve(made, dilan)
    approve(made, elif_, "legal")
    for end in (None, OFFER["expires_at"] + dt.timedelta(days=1)):
        acts.perform(
            what=acts.What.END, chosen=[acts.Chosen(made.pk, 1)], value=end, by=mirja, now=NOW
        )
    made.refresh_from_db()
    assert (made.expires_at, made.revision) == (OFFER["expires_at"], 1)


def test_database_wants_the_offer_complete(handed_in, dilan, elif_):
    made = handed_in("product")
    approve(made, dilan)
    Suggestion.objects.filter(pk=made.pk).update(offer_terms_url="")
    with connection.cursor() as cursor:
        cursor.execute(APPROVE, [made.pk, 1, "legal", elif_.pk])
    refused(LIVE, elif_.pk, made.pk)


def test_class_that_needs_legal_is_not_set_on_an_approved_one(handed_in, dilan):
    made = handed_in()
    approve(made, dilan)
    refused("UPDATE campaigns_suggestion SET content_class = 'political' WHERE id = %s", made.pk)


# Races ----------------------------------------------------------------------------------------


def at_once(*acts):
    """Run all at the same moment, each in a thread with its own connection; what each said."""
    start, said = threading.Barrier(len(acts)), [None] * len(acts)

    def run(index, act):
        start.wait()
        try:
            said[index] = act()
        except Exception as error:
            said[index] = type(error).__name__
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return said


@pytest.mark.django_db(transaction=True)
def test_two_looks_in_the_same_second_approve_once(handed_in, dilan, elif_):
    for _ in range(3):
        made = handed_in("product")
        said = at_once(
            lambda made=made: approve(made, dilan), lambda made=made: approve(made, elif_, "legal")
        )
        assert (sorted(said), state(made)) == ([False, True], "approved")


@pytest.mark.django_db(transaction=True)
def test_two_curators_in_the_same_second_give_one_look(handed_in, dilan, person):
    ole = person("Ole", "curator")
    made = handed_in()
    said = at_once(lambda: approve(made, dilan), lambda: approve(made, ole))
    assert (sorted(said, key=str), Approval.objects.count()) == (["NotAllowed", True], 1)
    assert AuditEntry.objects.filter(act="suggestion.approved").count() == 1


@pytest.mark.django_db(transaction=True)
def test_approval_while_somebody_saves_never_covers_the_new_text(handed_in, dilan, mirja):
    for _ in range(4):
        made = handed_in()
        mine = Suggestion.objects.get(pk=made.pk)
        said = at_once(lambda m=made: approve(m, dilan), lambda m=mine: change(m, mirja).revision)
        made.refresh_from_db()
        assert (made.title, made.revision, said[1]) == ("Seven years", 2, 2)
        assert (made.state, said[0]) in {("draft", True), ("in_review", "StaleRevision")}


# Offers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        ("offer_name", "", "offer_name"),
        ("offer_terms_url", "", "offer_terms_url"),
        ("offer_ends_on", None, "offer_ends_on"),
        ("expires_at", None, "expires_at"),
        ("expires_at", dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.UTC), "expires_at"),
    ],
)
def test_product_is_not_handed_in_or_approved_without_its_facts(
    draft, mirja, dilan, field, value, at
):
    made = draft("product", **{field: value})
    found = suggestions.checks(made, list(made.variant_set.all()))
    assert [name for kind, name, _ in found if kind == "no"] == [at]
    with pytest.raises(NotAllowed):
        reviews.hand_in(suggestion=made, seen_revision=1, by=mirja, now=NOW)
    Suggestion.objects.filter(pk=made.pk).update(state="in_review")
    with pytest.raises(NotAllowed, match="offer"):
        approve(made, dilan)
    assert Approval.objects.count() == 0


def test_facts_are_asked_of_offers_only(draft, mirja):
    made = draft()
    reviews.hand_in(suggestion=made, seen_revision=1, by=mirja, now=NOW)
    assert state(made) == "in_review"


def test_wording_in_a_language_without_a_rule_is_not_handed_in(draft, mirja):
    made = draft()
    Variant.objects.create(suggestion=made, name="Deutsch", language="de", text="Sechs [Jahre].")
    with pytest.raises(NotAllowed, match="no disclosure label"):
        reviews.hand_in(suggestion=made, seen_revision=1, by=mirja, now=NOW)


# The queue ------------------------------------------------------------------------------------


def titles(rows):
    return [row.title for row in rows]


@pytest.fixture
def owned(topic, person):
    """The topic belongs to somebody of the newsroom."""
    topic.owner = person("Aylin", "curator")
    topic.save()
    return topic.owner


def test_oldest_comes_first_with_its_age(handed_in, dilan):
    now = timezone.now()
    handed_in(title="Young", at=now - dt.timedelta(hours=3))
    handed_in(title="Old", at=now - dt.timedelta(hours=30))
    page = browser(dilan).get("/desk/reviews/").content.decode()
    assert page.index(">Old<") < page.index(">Young<")
    assert ("waiting for 1\xa0day" in page, "waiting for 3\xa0hours" in page) == (True, True)


def test_it_waits_for_the_owner_of_the_topic_and_after_two_days_for_all(
    handed_in, owned, dilan, mirja
):
    handed_in(title="T")
    soon, late = NOW + dt.timedelta(hours=47), NOW + dt.timedelta(hours=48)
    mine = [titles(reviews.waiting_for(who, now=soon)) for who in (owned, dilan, mirja)]
    assert mine == [["T"], [], []]
    mine = [titles(reviews.waiting_for(who, now=late)) for who in (owned, dilan, mirja)]
    assert mine == [["T"], ["T"], []]


def test_it_waits_for_all_when_the_owner_wrote_it_or_left(handed_in, owned, dilan, topic):
    handed_in(title="T", author=owned, changed_by=owned)
    assert titles(reviews.waiting_for(dilan, now=NOW)) == ["T"]
    Suggestion.objects.all().delete()
    handed_in(title="U")
    owned.left_at = NOW
    owned.save()
    assert titles(reviews.waiting_for(dilan, now=NOW)) == ["U"]


def test_legal_sees_what_needs_legal_until_it_has_looked(handed_in, elif_, dilan):
    handed_in(title="Plain")
    made = handed_in("product", title="Offer")
    assert titles(reviews.waiting_for(elif_, now=NOW)) == ["Offer"]
    approve(made, elif_, "legal")
    assert titles(reviews.waiting_for(elif_, now=NOW)) == []
    assert titles(reviews.waiting_for(dilan, now=NOW)) == ["Plain", "Offer"]


def test_deputy_sees_it_until_the_day_is_over(handed_in, owned, dilan):
    handed_in(title="T")
    absences.go(by=owned, deputy=dilan, until_on=dt.date(2026, 11, 26), now=NOW)
    by_day = [
        titles(reviews.waiting_for(dilan, now=NOW + dt.timedelta(hours=h))) for h in (0, 37, 39)
    ]
    assert by_day == [["T"], ["T"], []]  # 26 November ends 38 hours later in Berlin
    (row,) = reviews.rows(reviews.waiting(), dilan, now=NOW)
    assert ([p.name for p in row.waits[0].people], row.waits[0].stand_in.person) == (
        ["Dilan"],
        owned,
    )


def test_deputy_of_a_deputy_stands_in_and_a_circle_does_not(owned, dilan, person):
    ole = person("Ole", "curator")
    day = NOW.date()
    absences.go(by=owned, deputy=dilan, until_on=day, now=NOW)
    absences.go(by=dilan, deputy=ole, until_on=day, now=NOW)
    assert set(absences.stands_in_for(ole, day)) == {owned.pk, dilan.pk}
    absences.go(by=ole, deputy=owned, until_on=day, now=NOW)
    assert absences.deputies(day) == {}
    absences.come_back(by=ole, now=NOW)
    ole.left_at = NOW
    ole.save()
    assert absences.deputies(day) == {}


def test_two_tabs_leave_one_absence(owned, dilan, person):
    ole = person("Ole", "curator")
    for deputy in (dilan, ole):
        absences.go(by=owned, deputy=deputy, until_on=NOW.date(), now=NOW)
    assert list(Absence.objects.filter(ended_at=None).values_list("deputy__name")) == [("Ole",)]


@pytest.mark.parametrize(
    ("deputy", "day", "sentence"),
    [
        ("dilan", "2020-01-01", "This day is over."),
        ("dilan", "9999-12-31", "At most a year ahead."),
        ("dilan", "31.02.", "Enter a valid date."),
        ("dilan", "", "This field is required."),
        (
            "hr",
            "2026-12-01",
            "Select a valid choice. That choice is not one of the available choices.",
        ),
        (
            "self",
            "2026-12-01",
            "Select a valid choice. That choice is not one of the available choices.",
        ),
    ],
)
def test_deputy_is_named_on_the_page(mirja, dilan, person, deputy, day, sentence):
    who = {"dilan": dilan, "hr": person("Selin", "hr"), "self": mirja}[deputy]
    answer = browser(mirja).post("/desk/reviews/away/", {"deputy": who.pk, "until_on": day})
    page = answer.content.decode()
    assert (answer.status_code, sentence in page, Absence.objects.count()) == (422, True, 0)


def test_away_and_back_on_the_page(mirja, dilan):
    client, day = browser(mirja), timezone.localdate() + dt.timedelta(days=3)
    client.post("/desk/reviews/away/", {"deputy": dilan.pk, "until_on": day.isoformat()})
    assert "Dilan stands in" in client.get("/desk/reviews/").content.decode()
    assert "You stand in for Mirja" in browser(dilan).get("/desk/reviews/").content.decode()
    client.post("/desk/reviews/away/", {"act": "back"})
    assert absences.deputies(timezone.localdate()) == {}


def test_lawyer_reads_approves_and_sees_nothing_else_of_the_desk(handed_in, elif_, dilan):
    made = handed_in("product")
    client = browser(elif_)
    page = client.get(f"/desk/suggestions/{made.pk}/review/").content.decode()
    assert ("Ad: Six [years]." in page, "Neighbour power" in page) == (True, True)
    assert client.get("/desk/").status_code == 403
    client.post(
        f"/desk/suggestions/{made.pk}/review/", {"act": "approve", "kind": "legal", "revision": "1"}
    )
    assert list(Approval.objects.values_list("kind", "person")) == [("legal", elif_.pk)]


@pytest.mark.parametrize("revision", ["0", "", "x", "9" * 5000, "٣", "2"])
def test_unread_revision_is_not_approved_on_the_page(handed_in, dilan, revision):
    made = handed_in()
    answer = browser(dilan).post(
        f"/desk/suggestions/{made.pk}/review/", {"act": "approve", "revision": revision}
    )
    assert (answer.status_code, "Please read the new text first." in answer.content.decode()) == (
        409,
        True,
    )
    assert state(made) == "in_review"


def test_word_to_the_author_is_not_lost(handed_in, dilan, mirja):
    made = handed_in()
    change(made, mirja)
    answer = browser(dilan).post(
        f"/desk/suggestions/{made.pk}/review/",
        {"act": "give_back", "revision": "1", "note": "Too <long>"},
    )
    assert (answer.status_code, "Too &lt;long&gt;" in answer.content.decode()) == (409, True)


@pytest.mark.parametrize("note", ["\x00", "  ", "\ud800" * 3, "x" * 100_000])
def test_strange_word_to_the_author(handed_in, dilan, note):
    made = handed_in()
    answer = browser(dilan).post(
        f"/desk/suggestions/{made.pk}/review/",
        {
            "act": "give_back",
            "revision": "1",
            "note": note.encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
        },
    )
    assert answer.status_code in {302, 422}
    assert len(Suggestion.objects.get(pk=made.pk).returned_note) <= 1000


@pytest.mark.parametrize("count", [1, 3])
def test_queue_has_constant_queries(
    handed_in, owned, elif_, dilan, django_assert_num_queries, count
):
    for n in range(count):
        approve(handed_in("product", title=f"S{n}"), elif_, "legal")
    client = browser(dilan)
    client.get("/desk/reviews/")
    with django_assert_num_queries(15):
        client.get("/desk/reviews/")
