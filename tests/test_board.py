"""The board: as quick with 5,000 suggestions as with 50; found by stems; done to many, and undone."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ambassadors.models import AuditEntry, Person, SavedView
from campaigns import holds, reviews, suggestions, wording
from campaigns.models import Post, Suggestion, Topic, Variant
from curation import acts, board, copies
from curation.acts import Chosen
from curation.models import Act

from .corpus import cases

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def approver(person):
    return person("Dilan Kaya", "curator")


@pytest.fixture
def written(topic, mirja, approver):
    """Write a suggestion with one wording, in the state that is asked for."""

    def write(title="Rotor", text="The rotor turns.", state="draft", **fields):
        now = timezone.now()
        approved = {"approved_by": approver, "approved_at": now} if state == "approved" else {}
        made = Suggestion.objects.create(
            **{"topic": topic, "author": mirja, "language": "en", "changed_at": now, **approved, **fields},
            title=title, state=state,
        )  # fmt: skip
        Variant.objects.create(suggestion=made, name="Personal", language="en", text=text)
        return made

    return write


def many(count, author, topics):
    """Suggestions in all lanes and on all shelves, as they pile up in years."""
    now = timezone.now()
    kinds = [
        ("draft", None, None),
        ("in_review", None, None),
        ("approved", now + 9 * DAY, None),
        ("approved", None, now + 30 * DAY),
        ("approved", None, now - 30 * DAY),
        ("withdrawn", None, None),
    ]
    made = Suggestion.objects.bulk_create(
        Suggestion(
            topic=topics[n % len(topics)], title=f"Wind {n}", language="de", author=author,
            state=kinds[n % 6][0], embargo_until=kinds[n % 6][1], expires_at=kinds[n % 6][2],
            changed_at=now - n * dt.timedelta(minutes=1),
            **({"approved_by": author, "approved_at": now} if kinds[n % 6][0] == "approved" else {}),
        )
        for n in range(count)
    )  # fmt: skip
    Variant.objects.bulk_create(
        Variant(
            suggestion=row, name="A", language="de", text=f"Windräder an der Küste, Nummer {n}."
        )
        for n, row in enumerate(made)
    )


def cost(client, url):
    with CaptureQueriesContext(connection) as asked:
        page = client.get(url)
    assert page.status_code == 200
    return len(asked), page.content.decode()


@pytest.mark.parametrize("count", [6, 18, 50, 5000])
def test_desk_asks_as_much_with_5000_as_with_six(desk, mirja, topic, count):
    many(count, mirja, [topic])
    desk.get("/desk/")
    assert [
        cost(desk, url)[0]
        for url in ("/desk/", "/desk/?q=Windrad&mine=1&language=de", "/desk/?lane=out")
    ] == [25, 26, 10]


def test_lanes_read_what_they_show_and_count_to_a_thousand(desk, mirja, topic, monkeypatch):
    monkeypatch.setattr(board, "MOST_COUNTED", 15)
    many(6 * 20, mirja, [topic])
    page = cost(desk, "/desk/")[1]
    assert (page.count('<article class="ticket'), page.count('<span class="num">15+</span>')) == (
        4 * board.SHOWN + 1,
        4,
    )


def test_counts_of_topics_come_from_what_is_live(desk, mirja, topic):
    many(600, mirja, [topic])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    shown = board.topics(timezone.now())
    assert [row.live for row in shown] == [100]


@pytest.mark.parametrize(
    ("title", "text", "asked", "found"),
    [
        ("Das Windrad", "x", "Windräder", True),
        ("Die Windräder", "x", "windrad", True),
        ("Turbines", "x", "turbine", True),
        ("x", "We were climbing ladders.", "climb ladder", True),
        ("Windpark am Deich", "x", "windp", True),
        ("Title says Deich", "The text says storm.", "deich storm", True),
        ("Title says Deich", "The text says storm.", "deich calm", False),
        ("Windrad", "x", "in der Windrad", True),
        ("Windrad", "x", "Solar", False),
        ("100 % sure", "x", "100", True),
        ("C++ & Go", "x", "'; DROP TABLE--", False),
        ("x", "x", "!!! & | ( ) : * \\ ' <->", True),
    ],
)
def test_search_knows_stems_of_both_languages(written, title, text, asked, found):
    written(title, text)
    assert Suggestion.objects.saying(asked).exists() == found


def test_search_of_any_text_is_answered(desk, written):
    written()
    cases = ["a" * 100_000, "'\\'", "👩‍👩‍👧‍👦 مرحبا", "a\nb", ":*", "''", "\\", "- - -"]
    for case in cases:
        assert desk.get("/desk/", {"q": case.replace("\x00", "")}).status_code == 200
    assert board.Wanted.read({"q": "a\ud800\x00b"}).q == "a�b"
    assert Suggestion.objects.saying("a'b \\' c\\").count() == 0


@pytest.mark.parametrize("case", cases("text"))
def test_search_of_the_corpus_is_answered(desk, written, case):
    if not isinstance(case.get("value"), str):
        pytest.skip("no text")
    written()
    asked = wording.clean(case["value"])
    assert Suggestion.objects.saying(asked).count() in {0, 1}
    assert desk.get("/desk/", {"q": asked}).status_code == 200


def test_text_of_100_000_characters_is_stored_and_found_by_its_beginning(written):
    text = "Windrad " + " ".join(f"w{n}ö" for n in range(15_000))
    written("Long", text)
    assert Suggestion.objects.saying("windräder").count() == 1


def test_filters_narrow_and_nonsense_counts_as_not_asked(desk, written, topic, person):
    other = person("Dilan", "curator")
    second = Topic.objects.create(slug="b", title="B", rule="r", light_since=timezone.now())
    written("Mine")
    written("Theirs", author=other, content_class="job_ad", language="de")
    written(
        "Looked after", author=other, owner=Person.objects.get(name="Mirja Thomsen"), topic=second
    )

    def titles(query):
        page = desk.get(f"/desk/?{query}").content.decode()
        return [t for t in ("Mine", "Theirs", "Looked after") if f"Tick “{t}”" in page]

    assert titles(f"topic={second.pk}") == ["Looked after"]
    assert titles(f"author={other.pk}") == ["Theirs", "Looked after"]
    assert titles("content_class=job_ad&language=de") == ["Theirs"]
    assert titles("mine=1") == ["Mine", "Looked after"]
    assert titles("topic=9e9&author=%F0&language=xx&lane=nowhere&page=-5") == ["Mine", "Theirs", "Looked after"]  # fmt: skip


def test_view_is_kept_for_its_person_alone(desk, mirja, person):
    desk.post("/desk/views/?q=Wind&mine=1&page=3", {"name": " Mine \n today "})
    desk.post("/desk/views/?", {"name": "Nothing filtered"})
    desk.post("/desk/views/?q=x", {"name": "\x00"})
    assert list(SavedView.objects.values_list("person", "name", "query")) == [
        (mirja.pk, "Mine today", "q=Wind&mine=1")
    ]
    stranger = Client()
    stranger.force_login(person("Dilan", "curator"))
    view = SavedView.objects.get()
    assert "Mine today" not in stranger.get("/desk/").content.decode()
    stranger.post(f"/desk/views/{view.pk}/drop/")
    assert SavedView.objects.count() == 1
    desk.post(f"/desk/views/{view.pk}/drop/")
    assert SavedView.objects.count() == 0


@pytest.fixture
def post(suggestion):
    def make(who, own=0):
        Post.objects.create(
            person=who, suggestion=suggestion, network="x", how="copied", submission=uuid.uuid4(), text="x",
            full_text="x", language="en", own_share=own, sha256="x", created_at=timezone.now(),
        )  # fmt: skip

    return make


def test_use_by_a_small_group_is_told_of_no_one(desk, post, person):
    page = desk.get("/desk/").content.decode()
    for n in range(4):
        post(person(f"P{n}"))
        assert desk.get("/desk/").content.decode().count("fewer than five people") == page.count("fewer than five people") == 1  # fmt: skip
    post(person("P5"))
    page = desk.get("/desk/").content.decode()
    assert ("at least 5 people" in page, "word for word" in page) == (True, False)


def test_two_looks_at_a_ticket_differ_by_five_people_or_not_at_all(suggestion, post, person):
    def look():
        board.add_use([suggestion])
        return suggestion.use

    people = [person(f"P{n}") for n in range(20)]
    seen = []
    for who in people:
        post(who, own=len(seen))
        seen.append(look())
        for writer in people[: len(seen)]:  # who wrote already writes more
            post(writer, own=100)
            assert look() == seen[-1]
    assert [use and use[0] for use in seen] == [None] * 4 + [5] * 5 + [10] * 10 + [20]
    assert len({use[1] for use in seen if use}) == 3
    assert {use[1] % 10 for use in seen if use} == {0}


# Copies and patterns ---------------------------------------------------------------------------


def test_copy_is_a_draft_of_its_own(desk, mirja, suggestion, person):
    suggestion.expires_at = timezone.now() + DAY
    suggestion.save(update_fields=["expires_at"])
    answer = desk.post(f"/desk/suggestions/{suggestion.pk}/copy/")
    made = Suggestion.objects.latest("pk")
    assert answer.headers["Location"] == f"/desk/suggestions/{made.pk}/"
    assert (made.title, made.state, made.author, made.expires_at, made.approved_at) == (
        "Copy of Six years", "draft", mirja, None, None,
    )  # fmt: skip
    assert [v.text for v in made.variant_set.all()] == [
        v.text for v in suggestion.variant_set.all()
    ]
    assert set(made.variant_set.all()).isdisjoint(suggestion.variant_set.all())


def test_copy_takes_or_leaves_every_column_by_name():
    left = {
        "id", "title", "slug", "state", "revision", "author_id", "changed_by_id", "owner_id", "pattern",
        "approved_by_id", "approved_at", "handed_in_at", "returned_note", "changed_at", "embargo_until",
        "expires_at", "offer_ends_on", "held_at", "held_by_id", "held_reason", "hold_epoch",
    }  # fmt: skip
    columns = {field.attname for field in Suggestion._meta.concrete_fields}
    groups = {field.name for field in Suggestion._meta.many_to_many}
    assert (columns - left, groups) == (set(copies._CONTENT), set(copies._GROUPS))


def test_pattern_leaves_the_lane_and_is_started_from(desk, written):
    draft = written("Job ad of the week")
    desk.post(f"/desk/suggestions/{draft.pk}/pattern/")
    assert "Job ad of the week" not in desk.get("/desk/").content.decode().replace("Kept", "")
    assert "Start from it" in desk.get("/desk/?lane=patterns").content.decode()
    desk.post(f"/desk/suggestions/{draft.pk}/copy/")
    made = Suggestion.objects.latest("pk")
    assert (made.title, made.pattern) == ("Job ad of the week", "")
    desk.post(f"/desk/suggestions/{draft.pk}/pattern/")
    draft.refresh_from_db()
    assert draft.pattern == ""


# Acts and their undo ---------------------------------------------------------------------------


def outcomes(act):
    return [row.outcome for row in act.rows.all()]


def chosen(*rows):
    return [Chosen(row.pk, row.revision) for row in rows]


def test_act_says_what_became_of_each(desk, written, suggestion, topic):
    ready, bare = written("Ready"), written("Bare")
    bare.variant_set.all().delete()
    reviewed, gone = written("Reviewed", state="in_review"), written("Gone", state="withdrawn")
    stale = written("Stale")
    picks = [row.seen for row in (ready, bare, reviewed, gone)] + [
        f"{stale.pk}:7",
        "99999999:1",
        "x",
    ]
    answer = desk.post("/desk/?mine=1", {"act": "hand_in", "pick": picks})
    assert answer.headers["Location"] == "/desk/?mine=1#done"
    act = Act.objects.get()
    assert outcomes(act) == ["done", "not_ready", "same", "state", "changed"]
    assert act.rows.all()[1].why == "There is no wording yet."
    page = desk.get("/desk/").content.decode()
    assert ("There is no wording yet." in page, "Somebody else changed it just now" in page) == (True, True)  # fmt: skip


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"act": ""}, "act"),
        ({"act": "approve"}, "act"),
        ({"act": "withdraw", "pick": []}, "pick"),
        ({"act": "end"}, "end"),
        ({"act": "end", "end": "2026-03-29T02:30x"}, "end"),
        ({"act": "end", "end": "9999-12-31T23:59"}, "end"),
        ({"act": "end", "end": "1970-01-01T00:00"}, "end"),
        ({"act": "topic", "to_topic": "9" * 5000}, "to_topic"),
        ({"act": "owner", "to_owner": "١٢"}, "to_owner"),
    ],
)
def test_form_in_doubt_says_why_and_keeps_the_ticks(desk, written, form, field):
    row = written()
    answer = desk.post("/desk/", {"pick": [row.seen], **form})
    page = answer.content.decode()
    assert (answer.status_code, f'id="{field}-e"' in page) == (422, True)
    assert (f'value="{row.seen}" checked' in page) == (form.get("pick") != [])
    assert Act.objects.count() == 0


def test_hold_wins_over_every_act(written, mirja, topic):
    free = Topic.objects.create(slug="b", title="B", rule="r", light_since=timezone.now())
    row, elsewhere = written(), written(topic=free)
    now = timezone.now()
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=now)
    for what, value in (("hand_in", None), ("withdraw", None), ("end", now + DAY), ("topic", free), ("owner", mirja)):  # fmt: skip
        act = acts.perform(what=Act.What(what), chosen=chosen(row), value=value, by=mirja, now=now)
        assert outcomes(act) == ["held"]
    act = acts.perform(
        what=Act.What.TOPIC, chosen=chosen(elsewhere), value=topic, by=mirja, now=now
    )
    assert outcomes(act) == ["held"]


def test_owner_changes_and_four_eyes_still_count_from_the_author(written, mirja, person):
    row, dilan = written(state="in_review"), person("Dilan", "curator")
    acts.perform(what=Act.What.OWNER, chosen=chosen(row), value=dilan, by=mirja, now=timezone.now())
    row.refresh_from_db()
    assert row.owner == dilan
    with pytest.raises(suggestions.NotAllowed):
        reviews.approve(suggestion=row, seen_revision=row.revision, by=mirja, now=timezone.now())


def test_approved_keeps_its_topic(written, mirja):
    free = Topic.objects.create(slug="b", title="B", rule="r", light_since=timezone.now())
    act = acts.perform(
        what=Act.What.TOPIC, chosen=chosen(written(state="approved")), value=free, by=mirja, now=timezone.now()
    )  # fmt: skip
    assert outcomes(act) == ["approved"]


def test_end_before_the_beginning_is_refused(written, mirja):
    now = timezone.now()
    row = written(embargo_until=now + 5 * DAY)
    act = acts.perform(
        what=Act.What.END, chosen=chosen(row), value=now + 5 * DAY, by=mirja, now=now
    )
    assert outcomes(act) == ["order"]
    row = written(expires_at=now + 5 * DAY)
    act = acts.perform(
        what=Act.What.BEGIN, chosen=chosen(row), value=now + 6 * DAY, by=mirja, now=now
    )
    assert outcomes(act) == ["order"]


def test_earlier_beginning_needs_a_new_look_and_a_later_one_none(written, mirja, approver):
    now = timezone.now()
    row = written(state="approved", embargo_until=now + 5 * DAY)
    later = acts.perform(
        what=Act.What.BEGIN, chosen=chosen(row), value=now + 6 * DAY, by=mirja, now=now
    )
    row.refresh_from_db()
    assert (outcomes(later), row.state) == (["done"], "approved")
    earlier = acts.perform(
        what=Act.What.BEGIN, chosen=chosen(row), value=now + DAY, by=mirja, now=now
    )
    row.refresh_from_db()
    assert (outcomes(earlier), row.state, row.approved_at) == (["review"], "in_review", None)
    acts.undo(act=earlier, by=mirja, now=now)
    row.refresh_from_db()
    assert (row.state, row.approved_by, row.embargo_until) == ("approved", approver, now + 6 * DAY)


def test_undo_puts_back_what_nobody_changed_since(written, mirja, approver, person):
    now = timezone.now()
    live, drafted, touched = written("A", state="approved"), written("B"), written("C")
    end = now + DAY
    dated = written("D", expires_at=end)
    withdrawn = acts.perform(
        what=Act.What.WITHDRAW, chosen=chosen(live, drafted, touched, dated), value=None, by=mirja, now=now
    )  # fmt: skip
    Suggestion.objects.filter(pk=touched.pk).update(changed_at=now + dt.timedelta(seconds=1))
    later = now + dt.timedelta(minutes=4)
    acts.undo(act=withdrawn, by=mirja, now=later)
    assert outcomes(withdrawn) == ["undone", "undone", "kept", "undone"]
    live.refresh_from_db()
    drafted.refresh_from_db()
    assert (live.state, live.approved_by, drafted.state) == ("approved", approver, "draft")
    with pytest.raises(acts.TooLate):
        acts.undo(act=withdrawn, by=mirja, now=later)
    assert AuditEntry.objects.filter(act="suggestion.undone").count() == 3


def test_undo_of_columns_brings_them_back(written, mirja, person, topic):
    now, end = timezone.now(), timezone.now() + DAY
    other = Topic.objects.create(slug="b", title="B", rule="r", light_since=now)
    row = written(expires_at=end)
    for what, value in ((Act.What.END, None), (Act.What.TOPIC, other), (Act.What.OWNER, mirja)):
        row.refresh_from_db()
        act = acts.perform(what=what, chosen=chosen(row), value=value, by=mirja, now=now)
        assert outcomes(act) == ["done"]
        acts.undo(act=act, by=mirja, now=now)
        row.refresh_from_db()
        assert (outcomes(act), row.expires_at, row.topic, row.owner) == (
            ["undone"],
            end,
            topic,
            None,
        )


def test_undo_is_for_five_minutes_and_for_oneself(desk, written, mirja, person):
    now = timezone.now()
    act = acts.perform(
        what=Act.What.WITHDRAW, chosen=chosen(written()), value=None, by=mirja, now=now
    )
    for who, at in ((person("Dilan", "curator"), now), (mirja, now + acts.UNDO)):
        with pytest.raises(acts.TooLate):
            acts.undo(act=act, by=who, now=at)
    assert "Undo" in desk.get("/desk/").content.decode()
    desk.post(f"/desk/acts/{act.pk}/undo/?lane=draft")
    assert Suggestion.objects.get().state == "draft"
    Act.objects.update(at=now - acts.UNDO)
    assert 'id="done"' not in desk.get("/desk/").content.decode()


def test_undo_does_not_bring_back_what_was_held_since(written, mirja, topic):
    now = timezone.now()
    act = acts.perform(
        what=Act.What.WITHDRAW, chosen=chosen(written()), value=None, by=mirja, now=now
    )
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=now)
    acts.undo(act=act, by=mirja, now=now)
    assert (outcomes(act), Suggestion.objects.get().state) == (["held"], "withdrawn")


@pytest.mark.django_db(transaction=True)
def test_hold_while_an_act_runs_wins(written, mirja, topic, suggestion):
    """Whatever the act says of a suggestion it did before the hold was written, never after."""
    rows = [written(f"S{n}") for n in range(30)]
    now = timezone.now()

    def in_thread(verb, **words):
        try:
            return verb(**words)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        acting = pool.submit(in_thread, acts.perform, what=Act.What.HAND_IN, chosen=chosen(*rows), value=None, by=mirja, now=now)  # fmt: skip
        undoing = pool.submit(in_thread, holds.hold, scope=topic, by=mirja, reason="Wait.", now=now)
        act = acting.result()
        undoing.result()
    found = outcomes(act)
    assert set(found) <= {"done", "held"}
    assert found == sorted(found)  # done ones first: after the hold not one more
    states = set(Suggestion.objects.filter(pk__in=[r.suggestion_id for r in act.rows.filter(outcome="held")]).values_list("state", flat=True))  # fmt: skip
    assert states <= {"draft"}


@pytest.mark.django_db(transaction=True)
def test_two_undos_at_once_undo_once(written, mirja):
    now = timezone.now()
    act = acts.perform(
        what=Act.What.WITHDRAW, chosen=chosen(written()), value=None, by=mirja, now=now
    )

    def undo(_):
        try:
            acts.undo(act=act, by=mirja, now=now)
        except acts.TooLate:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(undo, range(2))) == [False, True]


def test_board_is_the_curators_alone(person, written, client):
    row = written()
    act = acts.perform(what=Act.What.WITHDRAW, chosen=chosen(row), value=None, by=row.author, now=timezone.now())  # fmt: skip
    client.force_login(person("Jona"))
    posts = [f"/desk/acts/{act.pk}/undo/", f"/desk/suggestions/{row.pk}/copy/", f"/desk/suggestions/{row.pk}/pattern/", "/desk/views/", "/desk/"]  # fmt: skip
    assert [client.post(url).status_code for url in posts] == [403] * 5
    assert [client.get(url).status_code for url in ("/desk/", "/desk/calendar/", "/desk/tone/")] == [403] * 3  # fmt: skip
