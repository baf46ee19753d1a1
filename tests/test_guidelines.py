"""Guidelines: drafts of two editors, versions for good, what changed, a yes with evidence."""

import datetime as dt
import hashlib
import time
import urllib.parse
import uuid

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from ambassadors import absences, acknowledgements, guidelines
from ambassadors.models import (
    Acknowledgement,
    AuditEntry,
    Guideline,
    GuidelineReminder,
    GuidelineVersion,
    QuizPass,
    Site,
)
from campaigns import differing
from campaigns.models import Programme
from integrations import markup
from people import guideline_mails
from people.guideline_figures import figures

from .conftest import browser
from .corpus import cases, value

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
TEXT = "## Who speaks\n\nYou do, in your own words.\n\n- Say for whom you work.\n- Keep secrets."
QUIZ = [
    {
        "question_en": "Who speaks?", "why_en": "Because it is your account.",
        "choices": [{"text_en": "The company"}, {"text_en": "You"}], "right": 1,
    }
]  # fmt: skip


def words(**more):
    return {
        "title_de": "", "title_en": "Social media", "text_de": "", "text_en": TEXT, "quiz": [],
        "change_de": "", "change_en": "", "requires_yes": True, "grace_days": 14,
        "effective_on": None, **more,
    }  # fmt: skip


@pytest.fixture
def publish(mirja):
    """Publish a version; the first makes the guideline."""

    def put(guideline=None, *, at=None, effective_at=None, **more):
        at = at or timezone.now()
        if guideline is None:
            draft = guidelines.begin(words=words(**more), key=uuid.uuid4(), by=mirja, now=at)
        else:
            draft = guidelines.next_draft(guideline=guideline, by=mirja, now=at)
            said = words(**{"change_en": "The second point is new.", **more})
            guidelines.save(draft=draft, words=said, seen_revision=1, by=mirja, now=at)
            draft.refresh_from_db()
        guidelines.publish(
            draft=draft, seen_revision=draft.revision, effective_at=effective_at or at, by=mirja,
            now=at,
        )  # fmt: skip
        draft.refresh_from_db()
        return draft

    return put


def says_yes(person, version, language="en", now=None):
    return acknowledgements.give(
        person=person, version=version, language=language, now=now or timezone.now()
    )


# Versions ---------------------------------------------------------------------------------------


def test_versions_are_numbered_and_the_latest_whose_day_has_come_holds(publish):
    now = timezone.now()
    first = publish()
    second = publish(first.guideline, effective_at=now + 3 * DAY)
    third = publish(first.guideline)
    in_force = GuidelineVersion.objects.in_force
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert list(in_force(timezone.now())) == [third]
    assert list(in_force(now + 4 * DAY)) == [third]  # published later, so it outweighs
    assert AuditEntry.objects.filter(act="guideline.published").count() == 3


def test_published_version_is_never_changed(publish):
    first = publish()
    rows = GuidelineVersion.objects.filter(pk=first.pk)
    for change in (
        lambda: rows.update(text_en="other"),
        lambda: rows.update(effective_at=timezone.now()),
        rows.delete,
    ):
        with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
            change()
    first.refresh_from_db()
    assert first.text_en == TEXT


def test_version_never_binds_at_once(publish):
    with pytest.raises(IntegrityError), transaction.atomic():
        publish(grace_days=0)
    draft = GuidelineVersion.objects.create(
        guideline=Guideline.objects.create(slug="x", counts_from=timezone.now()),
        changed_at=timezone.now(),
        text_en="x",
    )
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        GuidelineVersion.objects.filter(pk=draft.pk).update(
            number=1, published_at=now, effective_at=now - DAY
        )


def test_draft_without_words_is_not_published(mirja):
    now = timezone.now()
    for missing in ({"text_en": ""}, {"title_en": "", "title_de": "X"}):
        draft = guidelines.begin(words=words(**missing), key=uuid.uuid4(), by=mirja, now=now)
        with pytest.raises(guidelines.NotReady):
            guidelines.publish(draft=draft, seen_revision=1, effective_at=now, by=mirja, now=now)


def test_next_version_says_what_changed(publish, mirja):
    first = publish()
    with pytest.raises(guidelines.NotReady):
        publish(first.guideline, change_en="")
    assert GuidelineVersion.objects.filter(published_at__isnull=False).count() == 1


def test_two_presses_make_one_draft(publish, mirja):
    first, now = publish(), timezone.now()
    one = guidelines.next_draft(guideline=first.guideline, by=mirja, now=now)
    assert guidelines.next_draft(guideline=first.guideline, by=mirja, now=now) == one
    assert (one.text_en, one.title_en, one.change_en) == (TEXT, "Social media", "")


# The desk ---------------------------------------------------------------------------------------


def form(**more):
    return {
        "title_de": "Soziale Medien", "title_en": "Social media", "text_de": "Hallo du.",
        "text_en": "Hello you.", "change_de": "", "change_en": "", "grace_days": "14",
        "requires_yes": "1", "effective_on": "", "revision": "0", "act": "save", **more,
    }  # fmt: skip


@pytest.mark.parametrize("role", ["hr", "curator"])
def test_editor_writes_and_publishes(person, role):
    editor = browser(person("Selin Aydın", role))
    made = editor.post("/people/guidelines/new/", form())
    guideline = Guideline.objects.get()
    page = f"/people/guidelines/{guideline.pk}/"
    assert (made.status_code, made["Location"]) == (302, page)
    assert "Version 1" not in editor.get("/guidelines/").content.decode()
    asked = editor.get(page + "publish/")
    assert asked.status_code == 200
    assert editor.post(page + "publish/", {"revision": "1"}).status_code == 302
    version = GuidelineVersion.objects.get()
    assert (version.number, version.text_de, version.changed_by_id) == (1, "Hallo du.", None)


def test_of_two_who_save_neither_loses(person, desk):
    desk.post("/people/guidelines/new/", form())
    page = f"/people/guidelines/{Guideline.objects.get().pk}/"
    other = browser(person("Selin Aydın", "hr"))
    assert other.post(page, form(text_en="Hers.", revision="1")).status_code == 302
    late = desk.post(page, form(text_en="His own words.", revision="1"))
    body = late.content.decode()
    assert late.status_code == 409
    assert "His own words." in body and "Hers." in body and 'name="revision" value="2"' in body
    assert GuidelineVersion.objects.get().text_en == "Hers."
    assert desk.post(page, form(text_en="Both.", revision="2")).status_code == 302
    assert GuidelineVersion.objects.get().text_en == "Both."


def test_save_after_a_colleague_published_is_kept_for_the_next_version(person, desk):
    desk.post("/people/guidelines/new/", form())
    page = f"/people/guidelines/{Guideline.objects.get().pk}/"
    browser(person("Selin Aydın", "hr")).post(page + "publish/", {"revision": "1"})
    late = desk.post(page, form(text_en="Too late.", revision="1"))
    assert late.status_code == 409 and "Too late." in late.content.decode()
    again = desk.post(page, form(text_en="Too late.", revision="0", change_en="More."))
    assert again.status_code == 302
    assert GuidelineVersion.objects.get(published_at__isnull=True).text_en == "Too late."
    assert GuidelineVersion.objects.get(number=1).text_en == "Hello you."


def test_publishing_what_a_colleague_changed_meanwhile_asks_to_look_again(desk):
    desk.post("/people/guidelines/new/", form())
    page = f"/people/guidelines/{Guideline.objects.get().pk}/"
    desk.post(page, form(text_en="Newer.", revision="1"))
    assert desk.post(page + "publish/", {"revision": "1"})["Location"] == page + "publish/"
    assert GuidelineVersion.objects.get().published_at is None


BAD = [
    ({"text_en": "x" * 1_000_000}, "at most 100000 characters"),
    ({"title_de": "", "title_en": "\u200b"}, "Give it a title."),
    ({"effective_on": "9999-12-31"}, "Pick a day of this century."),
    ({"effective_on": "31. Feb"}, "Enter a valid date."),
    ({"grace_days": "0"}, "greater than or equal to 1"),
    ({"grace_days": "9" * 5000}, "Enter a whole number."),
    ({"grace_days": ""}, "This field is required."),
    ({"text_de": "o" + "\u0301" * 99}, "Too many marks"),
    ({"q0_question_en": "Who?", "q0_c0_en": "You"}, "two answers"),
    ({"q0_question_en": "Who?", "q0_c0_en": "You", "q0_c1_en": "We"}, "Mark the answer"),
    ({"q0_c0_en": "You", "q0_c1_en": "We", "q0_right": "0"}, "Write the question."),
]


@pytest.mark.parametrize(("typed", "sentence"), BAD)
def test_bad_input_is_told_and_nothing_is_lost(desk, typed, sentence):
    answer = desk.post("/people/guidelines/new/", form(**typed, change_de="Bleibt stehen."))
    body = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in body.replace("100,000", "100000") and "Bleibt stehen." in body
    assert not Guideline.objects.exists()


def test_strange_letters_are_cleaned(desk):
    typed = urllib.parse.urlencode(
        form(text_en="a\x00b\ud800c\r\nd", title_en="So\ncial", change_en="x\x07"),
        errors="surrogatepass",
    )
    kind = "application/x-www-form-urlencoded"
    assert desk.post("/people/guidelines/new/", typed, content_type=kind).status_code == 302
    made = GuidelineVersion.objects.get()
    assert (made.title_en, made.change_en) == ("So cial", "x")
    assert made.text_en.startswith("ab") and made.text_en.endswith("c\nd")


def test_form_that_is_sent_twice_makes_one_guideline(desk):
    for _tab in range(2):
        desk.post("/people/guidelines/new/", form(opened=str(uuid.UUID(int=7))))
    assert GuidelineVersion.objects.count() == 1


def test_day_that_is_over_is_not_published(desk):
    desk.post("/people/guidelines/new/", form(effective_on="2020-01-01"))
    page = f"/people/guidelines/{Guideline.objects.get().pk}/publish/"
    assert desk.post(page, {"revision": "1"}).status_code == 422
    assert GuidelineVersion.objects.get().published_at is None


def test_day_without_a_midnight_begins_when_the_clocks_do(desk):
    Programme.the()
    Programme.objects.update(timezone="America/Santiago")  # clocks skip 00:00 on 2027-09-05
    desk.post("/people/guidelines/new/", form(effective_on="2027-09-05"))
    page = f"/people/guidelines/{Guideline.objects.get().pk}/publish/"
    assert "The clocks skip 00:00" in desk.get(page).content.decode()
    assert desk.post(page, {"revision": "1"}).status_code == 302
    begins = dt.datetime(2027, 9, 5, 4, tzinfo=dt.UTC)
    assert GuidelineVersion.objects.get().effective_at == begins


def test_quiz_of_the_form_is_kept_in_order_without_gaps(desk):
    typed = {
        "q2_question_en": "Who?", "q2_c0_en": "", "q2_c1_en": "They", "q2_c2_en": "You",
        "q2_right": "2", "q2_why_en": "So.",
    }  # fmt: skip
    desk.post("/people/guidelines/new/", form(**typed))
    (row,) = GuidelineVersion.objects.get().quiz
    assert ([c["text_en"] for c in row["choices"]], row["right"]) == (["They", "You"], 1)


def test_desk_lists_with_the_same_number_of_queries(publish, desk, django_assert_num_queries):
    Programme.the()
    for count in (1, 3):
        while Guideline.objects.count() < count:
            publish()
        with django_assert_num_queries(8):
            assert desk.get("/people/guidelines/").status_code == 200


def test_put_away_and_brought_back(publish, desk, jona):
    first = publish(at=timezone.now() - 60 * DAY)
    type(jona).objects.filter(pk=jona.pk).update(joined_at=timezone.now() - 90 * DAY)
    act = f"/people/guidelines/{first.guideline_id}/act/"
    assert acknowledgements.holds_back(jona, timezone.now())
    desk.post(act, {"act": "retire"})
    assert not acknowledgements.asked(jona, timezone.now())
    assert browser(jona).get(f"/guidelines/{first.guideline.slug}/").status_code == 404
    desk.post(act, {"act": "back"})
    assert acknowledgements.asked(jona, timezone.now())
    assert not acknowledgements.holds_back(jona, timezone.now())  # its grace time begins anew


def test_draft_that_was_thrown_away_leaves_nothing(desk):
    desk.post("/people/guidelines/new/", form())
    desk.post(f"/people/guidelines/{Guideline.objects.get().pk}/act/", {"act": "discard"})
    assert not Guideline.objects.exists()


# Reading ----------------------------------------------------------------------------------------


def test_reader_sees_what_changed_since_their_own_version(publish, jona):
    first = publish()
    says_yes(jona, first)
    publish(first.guideline, text_en=TEXT.replace("Keep secrets.", "Keep numbers secret."))
    third = publish(first.guideline, text_en=TEXT.replace("Keep secrets.", "Keep figures secret."))
    body = browser(jona).get(f"/guidelines/{third.guideline.slug}/").content.decode()
    assert "What changed since your version 1" in body
    assert '<ins><span class="vh">new: </span>figures secret.</ins>' in body
    assert '<del><span class="vh">gone: </span>secrets.</del>' in body
    assert "numbers" not in body
    since = browser(jona).get(f"/guidelines/{third.guideline.slug}/versions/3/?since=2")
    assert '<del><span class="vh">gone: </span>numbers </del>' in since.content.decode()


def test_reader_reads_in_their_language_or_the_one_there_is(publish, jona):
    first = publish(title_de="Soziale Medien", text_de="Du sprichst.")
    visitor = browser(jona)
    assert "You do, in your own words." in visitor.get(f"/guidelines/{first.guideline.slug}/").content.decode()  # fmt: skip
    type(jona).objects.filter(pk=jona.pk).update(language="de")
    body = visitor.get(f"/guidelines/{first.guideline.slug}/").content.decode()
    assert '<h1 lang="de">Soziale Medien</h1>' in body and "Du sprichst." in body
    only = publish(title_de="Nur", text_de="Nur Deutsch.", title_en="", text_en="")
    type(jona).objects.filter(pk=jona.pk).update(language="en")
    body = visitor.get(f"/guidelines/{only.guideline.slug}/").content.decode()
    assert '<h1 lang="de">Nur</h1>' in body and 'name="language" value="de"' in body


@pytest.mark.parametrize("case", cases("html_feed"))
def test_foreign_html_stays_text(publish, jona, case):
    first = publish(text_en=value(case) or "x")
    body = browser(jona).get(f"/guidelines/{first.guideline.slug}/").content.decode()
    article = body.split("<article")[1].split("</article>")[0]
    assert "<script" not in article and "<img" not in article and "<iframe" not in article


@pytest.mark.parametrize("address", ["versions/9/", "versions/0/", "?since=9999999999999999999", "?since=²"])  # fmt: skip
def test_strange_addresses(publish, jona, address):
    first = publish()
    answer = browser(jona).get(f"/guidelines/{first.guideline.slug}/{address}")
    assert answer.status_code == (404 if "versions" in address else 200)


def test_draft_is_seen_by_nobody_but_editors(mirja, jona):
    draft = guidelines.begin(words=words(), key=uuid.uuid4(), by=mirja, now=timezone.now())
    visitor = browser(jona)
    assert visitor.get(f"/guidelines/{draft.guideline.slug}/").status_code == 404
    assert visitor.post(f"/guidelines/{draft.guideline.slug}/versions/1/yes/").status_code == 404
    assert "Social media" not in visitor.get("/guidelines/").content.decode()


def test_reader_pages_ask_the_same_number_of_queries(publish, jona, django_assert_num_queries):
    visitor = browser(jona)
    for count in (1, 3):
        while Guideline.objects.count() < count:
            publish()
        with django_assert_num_queries(6):
            assert visitor.get("/guidelines/").status_code == 200
    guideline = Guideline.objects.first()
    for count in (1, 3):
        while guideline.versions.count() < count:
            publish(guideline)
        with django_assert_num_queries(8):
            assert visitor.get(f"/guidelines/{guideline.slug}/").status_code == 200


def test_difference_of_two_long_texts_is_quick():
    lines = [f"line {n} has a few words of its own here\n" for n in range(2_400)]
    old = "".join(lines)
    for new in ("".join(reversed(lines)), old.replace("few", "lot of"), "a " * 50_000, old + "x"):
        began = time.monotonic()
        runs = differing.words(old, new)
        assert time.monotonic() - began < 2
        assert "".join(text for kind, text in runs if kind != "gone") == new
    few = differing.words(old, old.replace("line 7 ", "row 7 ").replace("line 2000 ", "row 2000 "))
    assert [text for kind, text in few if kind == "new"] == ["row ", "row "]


def test_words_of_a_text_without_its_marks():
    assert markup.plain("# A *b*\n\nc [d](https://x.example/)\n\n- e\n- f") == (
        "A b\nc d (https://x.example/)\n• e\n• f"
    )


# The yes ----------------------------------------------------------------------------------------


def test_yes_is_sealed_by_the_database_and_stays(publish, jona):
    first, now = publish(), timezone.now()
    given = says_yes(jona, first, now=now)
    text = f"Social media\n\n{TEXT}"
    assert given.sha256 == hashlib.sha256(text.encode()).hexdigest()
    jona.refresh_from_db()
    assert (given.language, given.at, given.person_key) == ("en", now, jona.evidence_key)
    rows = Acknowledgement.objects.filter(pk=given.pk)
    for change in (lambda: rows.update(at=now - DAY), rows.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert says_yes(jona, first, now=now + DAY).at == now  # the second press changes nothing


def test_yes_to_what_cannot_be_read_is_refused(publish, jona, mirja):
    first = publish()
    draft = guidelines.next_draft(guideline=first.guideline, by=mirja, now=timezone.now())
    for version, language in ((draft, "en"), (first, "de")):
        with pytest.raises(acknowledgements.NotReadable):
            says_yes(jona, version, language)
        with pytest.raises(DatabaseError), transaction.atomic():
            Acknowledgement.objects.create(
                version=version, person_key=jona.evidence_key, language=language, at=timezone.now()
            )
    answer = browser(jona).post(
        f"/guidelines/{first.guideline.slug}/versions/1/yes/", {"language": "de"}
    )
    assert answer.status_code == 404


def test_person_sees_their_own_yes(publish, jona, person):
    first = publish()
    page = f"/guidelines/{first.guideline.slug}/"
    visitor = browser(jona)
    assert "I have read version 1 and keep to it." in visitor.get(page).content.decode()
    visitor.post(page + "versions/1/yes/", {"language": "en"})
    visitor.post(page + "versions/1/yes/", {"language": "en"})  # two tabs
    sealed = Acknowledgement.objects.get().sha256
    body = visitor.get(page).content.decode()
    assert sealed in body and "I have read version 1" not in body
    assert sealed not in browser(person("Selin Aydın", "hr")).get(page).content.decode()


def test_yes_to_what_was_replaced_meanwhile_shows_the_new_one(publish, jona):
    first = publish()
    publish(first.guideline)
    page = f"/guidelines/{first.guideline.slug}/"
    answer = browser(jona).post(page + "versions/1/yes/", {"language": "en"})
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert not Acknowledgement.objects.exists()


def test_yes_ahead_of_its_day_counts(publish, jona):
    first = publish()
    second = publish(first.guideline, effective_at=timezone.now() + 5 * DAY)
    page = f"/guidelines/{first.guideline.slug}/versions/2/yes/"
    assert browser(jona).post(page, {"language": "en"}).status_code == 302
    assert Acknowledgement.objects.get().version == second
    assert acknowledgements.asked(jona, timezone.now()) == {}


def test_small_change_that_asks_for_no_yes_does_not_excuse_from_the_one_before(publish, jona):
    now = timezone.now()
    first = publish()
    second = publish(first.guideline, requires_yes=False)
    (row,) = acknowledgements.open_for(jona, timezone.now())
    assert row[0] == second  # they read what holds
    says_yes(jona, first, now=now)
    assert acknowledgements.open_for(jona, timezone.now()) == []


def test_a_new_evidence_key_makes_the_proofs_nameless(publish, jona):
    says_yes(jona, publish())
    type(jona).objects.filter(pk=jona.pk).update(evidence_key=uuid.uuid4())
    jona.refresh_from_db()
    assert acknowledgements.of(jona) == {}
    assert Acknowledgement.objects.count() == 1


# Questions --------------------------------------------------------------------------------------


def test_quiz_keeps_only_that_it_was_passed(publish, jona):
    first = publish(quiz=QUIZ)
    page = f"/guidelines/{first.guideline.slug}/versions/1/questions/"
    visitor = browser(jona)
    assert "your account" not in visitor.get(page).content.decode()
    open_ = visitor.post(page)
    assert open_.status_code == 422 and "One question is still open." in open_.content.decode()
    wrong = visitor.post(page, {"q0": "0"}).content.decode()
    assert "not so" in wrong and "Because it is your account." in wrong
    assert not QuizPass.objects.exists()
    for _again in range(2):
        assert "All right." in visitor.post(page, {"q0": "1"}).content.decode()
    assert QuizPass.objects.filter(person=jona, version=first).count() == 1
    assert visitor.post(page, {"q0": "9" * 5000}).status_code == 422


def test_version_without_questions_has_no_such_page(publish, jona):
    first = publish()
    page = f"/guidelines/{first.guideline.slug}/versions/1/questions/"
    assert browser(jona).get(page).status_code == 404


# Figures ----------------------------------------------------------------------------------------


def test_figures_are_of_groups_in_steps_of_five_and_of_this_morning(publish, person):
    first, now = publish(at=timezone.now() - 9 * DAY), timezone.now()
    lohe = Site.objects.create(slug="lohe", name="Lohe")
    small = Site.objects.create(slug="koog", name="Koog")
    crew = [person(f"P{n}", site=lohe) for n in range(11)]
    few = [person(f"F{n}", site=small) for n in range(4)]
    for who in [*crew[:9], *few]:
        says_yes(who, first, now=now - DAY)
    says_yes(crew[9], first, now=now + dt.timedelta(hours=1))  # after the morning: not counted
    found = figures(until=now, now=now)[first.guideline_id]
    assert [(f.site, f.people, f.at_least) for f in found.sites] == [(lohe, 11, 5)]
    assert (found.everybody.people, found.everybody.at_least) == (16, 5)  # with the editor


def test_fewer_than_five_people_have_no_figure(publish, person):
    first, now = publish(), timezone.now()
    people = [person(f"P{n}") for n in range(3)]
    for who in people:
        says_yes(who, first, now=now - DAY)
    found = figures(until=now, now=now)[first.guideline_id]
    assert (found.everybody, found.sites) == (None, [])


def test_no_page_names_who_has_not_said_yes(publish, person):
    publish(at=timezone.now() - 90 * DAY)
    silent = person("Silvester Still")
    hr, curator, auditor = (person("X", role) for role in ("hr", "curator", "auditor"))
    GuidelineReminder.objects.create(
        version=GuidelineVersion.objects.get(), person=silent, count=3, last_at=timezone.now()
    )
    for who, pages in (
        (hr, ("/people/guidelines/", "/roster/", "/guidelines/")),
        (curator, ("/people/guidelines/", "/desk/")),
        (auditor, ("/record/",)),
    ):
        for page in pages:
            body = browser(who).get(page).content.decode()
            assert "Silvester" not in body or page == "/roster/"


# Reminders ---------------------------------------------------------------------------------------

MORNING = dt.datetime(2026, 11, 25, 8, 0, tzinfo=dt.UTC)  # a Wednesday, nine in Berlin


@pytest.fixture
def reminded(publish, person, mailoutbox, mirja):
    """A guideline that holds since yesterday, Jona who has not said yes, and the mails so far."""
    version = publish(at=MORNING - DAY)
    who = person("Silvester Still")
    says_yes(mirja, version, now=MORNING)

    def at(moment):
        before = len(mailoutbox)
        guideline_mails.remind_due(now=moment)
        return [m.to for m in mailoutbox[before:]]

    return version, who, at


def test_reminder_comes_in_the_morning_of_working_days_three_times_at_most(reminded, mailoutbox):
    _version, who, at = reminded
    assert at(MORNING - dt.timedelta(hours=4)) == []  # five in the morning
    assert at(MORNING + dt.timedelta(hours=5)) == []  # after noon
    assert at(MORNING + 3 * DAY) == []  # Saturday
    assert at(MORNING) == [[who.email]]
    assert at(MORNING + DAY) == []
    assert at(MORNING + 5 * DAY) == [[who.email]]
    assert at(MORNING + 12 * DAY) == [[who.email]]
    assert [at(MORNING + days * DAY) for days in (20, 40, 90)] == [[], [], []]
    assert "Nobody sees who got one" in mailoutbox[0].body
    assert "waits for your yes. Copying" not in mailoutbox[0].body


def test_yes_ends_the_reminders_and_forgets_them(reminded):
    version, who, at = reminded
    at(MORNING)
    says_yes(who, version, now=MORNING)
    assert not GuidelineReminder.objects.exists()
    assert at(MORNING + 5 * DAY) == []


def test_new_version_is_reminded_of_anew(reminded, publish):
    version, who, at = reminded
    at(MORNING)
    second = publish(version.guideline, at=MORNING)
    assert who.email in [to for (to,) in at(MORNING + DAY)]
    says_yes(who, second, now=MORNING + DAY)
    assert GuidelineReminder.objects.filter(person=who).count() == 0


@pytest.mark.parametrize("why", ["left", "away", "put away"])
def test_no_reminder_where_it_would_be_wrong(reminded, mirja, why):
    version, who, at = reminded
    if why == "left":
        type(who).objects.filter(pk=who.pk).update(left_at=MORNING, is_active=False)
    elif why == "away":
        absences.go(by=who, deputy=mirja, until_on=MORNING.date(), now=MORNING)
    else:
        guidelines.retire(guideline=version.guideline, by=mirja, now=MORNING)
    assert at(MORNING) == []
