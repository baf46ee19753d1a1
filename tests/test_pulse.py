"""The pulse survey: what is stored, what is shown, and that nothing leads from one to a person."""

import datetime as dt
import hashlib
import itertools
import random

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ambassadors import anonymity, memberships
from ambassadors.models import AuditEntry, Site, Team, TeamKind
from ambassadors.models import LoginSession as Session
from people import pulse, pulse_mails, pulse_results, screening
from people.models import PulseBox, PulseMail, PulseRound, PulseSilence, PulseTicket

from .conftest import browser

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 11, 25, 8, 0, tzinfo=dt.UTC)  # a Wednesday, nine in Berlin


@pytest.fixture
def crew(person):
    """So many people in a team, at a site; returns them."""
    kind = TeamKind.objects.create(slug="m", behaviour="multiplier", name_de="M", name_en="M")
    team = Team.objects.create(slug="t", name="Team Deich", kind=kind)

    def make(count, site="Lohe"):
        place, _made = Site.objects.get_or_create(slug=site.lower(), defaults={"name": site})
        people = [person(f"Muster{n} Person", site=place) for n in range(count)]
        for who in people:
            memberships.begin(person=who, team=team, stage="active", by=None, now=NOW - DAY)
        return people

    return make


@pytest.fixture
def hr(person):
    return person("Selin Aydın", "hr")


def opened(hr, now=None):
    now = now or timezone.now()
    return pulse.open_round(day=now.date(), by=hr, now=now)


def answers(people, round_, steps=None, comment="", now=None):
    for who in people:
        pulse.answer(
            person=who, round_=round_, steps=steps or (4, 4, 2, 5, 3), comment=comment,
            now=now or timezone.now(),
        )  # fmt: skip


def closed(round_):
    pulse.close_due(now=round_.closes_at)
    round_.refresh_from_db()
    return round_


# Anonymous by construction -----------------------------------------------------------------------


def dump():
    """Every row of every table as text, with where it lies and which transaction wrote it."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT ctid::text, xmin::text, t::text FROM "{table}" t')
            found[table] = sorted(cursor.fetchall(), key=lambda row: row[2])
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences")
        found["sequences"] = sorted(cursor.fetchall(), key=str)
    return found


def form(steps, **more):
    return {**{f"q{n}": str(step) for n, step in enumerate(steps)}, **more}


@pytest.mark.django_db(transaction=True)
def test_twelve_answers_change_one_row_of_the_whole_database(crew, hr):
    """Twelve people answer through their browsers; everything but the box stays as it was."""
    people = crew(12)
    opened(hr)
    visitors = [(who, browser(who)) for who in people]
    for _who, visitor in visitors:
        assert visitor.get("/pulse/").status_code == 200
    before = dump()
    for n, (_who, visitor) in enumerate(visitors):
        steps = [1 + (n + q) % 5 for q in range(5)]
        comment = f"Remark of one who chose {steps}"
        looked = hashlib.sha256(comment.encode()).hexdigest()
        assert visitor.post("/pulse/", form(steps, text=comment, looked=looked)).status_code == 302
        assert "Your answer is in the box." in visitor.get("/pulse/").content.decode()
    after = dump()
    assert {name for name in after if after[name] != before[name]} == {"people_pulsebox"}
    ((_ctid, written_by, row),) = after["people_pulsebox"]
    others = {r[1] for name, rows in after.items() if name not in {"people_pulsebox", "sequences"} for r in rows}  # fmt: skip
    assert written_by not in others  # no other row was written together with the last answer
    assert not any(str(who.pk) in row.split(",") for who in people if who.pk > 99)
    assert not any(who.name in row or who.email in row for who in people)
    assert not any("Remark of one" in session.session_data for session in Session.objects.all())
    assert not any("Remark" in str(session.get_decoded()) for session in Session.objects.all())


def test_box_is_the_same_whatever_the_order_of_the_answers_was(crew, hr):
    people = crew(7)
    given_ = {who.pk: [1 + (who.pk + q) % 5 for q in range(5)] for who in people}
    seen = set()
    for order in itertools.islice(itertools.permutations(people), 0, 5040, 700):
        with transaction.atomic():
            round_ = opened(hr, now=NOW)
            PulseRound.objects.filter(pk=round_.pk).update(salt="same")
            round_.refresh_from_db()
            digests = sorted(pulse._digest(round_, who.pk) for who in people)
            PulseTicket.objects.filter(round=round_).delete()
            PulseTicket.objects.bulk_create(
                PulseTicket(round=round_, digest=d, place=n) for n, d in enumerate(digests)
            )
            # the round's key is part of nothing but the digest, so make it the same, too
            for who in order:
                pulse.answer(person=who, round_=round_, steps=given_[who.pk], comment="", now=NOW)
            box = PulseBox.objects.get()
            seen.add((str(box.tallies), bytes(box.spent).count(0)))
            PulseRound.objects.all().delete()
    assert len(seen) == 1


def test_comments_lie_in_no_order(crew, hr, monkeypatch):
    monkeypatch.setattr(pulse, "_dice", random.Random(7))
    people = crew(12)
    round_ = opened(hr)
    for n, who in enumerate(people):
        answers([who], round_, comment=f"number {n}")
    found = PulseBox.objects.get().comments
    assert sorted(found) == sorted(f"number {n}" for n in range(12))
    assert found != [f"number {n}" for n in range(12)]


def test_tickets_name_nobody_without_the_secret(crew, hr, settings):
    people = crew(6)
    round_ = opened(hr)
    tickets = dict(PulseTicket.objects.values_list("digest", "place"))
    assert sorted(tickets.values()) == list(range(6))
    assert list(tickets) == sorted(tickets, key=lambda digest: tickets[digest])
    assert [f.name for f in PulseTicket._meta.fields if f.related_model] == ["round"]
    settings.SECRET_KEY = "another"
    assert all(pulse._digest(round_, who.pk) not in tickets for who in people)


def test_closing_destroys_what_could_lead_to_people(crew, hr, mailoutbox):
    people = crew(6)
    round_ = opened(hr)
    PulseMail.objects.create(round=round_, person=people[0])
    answers(people, round_)
    closed(round_)
    box = PulseBox.objects.get()
    assert (round_.salt, bytes(box.spent)) == ("", b"")
    assert not PulseTicket.objects.exists() and not PulseMail.objects.exists()
    acts = AuditEntry.objects.filter(act__startswith="pulse").order_by("pk")
    assert [(a.act, a.actor_id) for a in acts] == [("pulse.opened", hr.pk), ("pulse.closed", None)]


def test_login_that_ended_keeps_nothing(crew, hr):
    crew(6)
    opened(hr)
    visitor = Client()
    visitor.post("/accounts/login/", {"login": hr.email, "password": "moin-moin-nordwind"})
    visitor.session.flush()  # the device still knows whose it is
    sent = visitor.post("/pulse/", form([1] * 5, text="My secret remark"))
    assert sent.status_code == 302 and "unkept" in sent["Location"]
    assert "secret" not in str([s.get_decoded() for s in Session.objects.all()])
    visitor.post("/notebook/", {"text": "My own note"})
    assert "My+own+note" in str([s.get_decoded() for s in Session.objects.all()])


def test_no_page_tells_who_answered(crew, hr, person):
    people = crew(6)
    round_ = opened(hr)
    answers(people[:5], round_)
    auditor, curator = person("A", "auditor"), person("C", "curator")
    pages = ((hr, "/pulse/results/"), (hr, "/roster/"), (auditor, "/record/"), (curator, "/desk/"))
    with_one_more = {}
    for who, page in pages:
        with_one_more[page] = browser(who).get(page).content.decode().count("Muster")
    answers(people[5:], round_)
    for who, page in pages:
        body = browser(who).get(page).content.decode()
        assert body.count("Muster") == with_one_more[page]


# Answering ---------------------------------------------------------------------------------------


def test_answer_counts_once_over_two_tabs_and_the_back_button(crew, hr):
    who = crew(6)[0]
    opened(hr)
    visitor = browser(who)
    for steps in ([5] * 5, [1] * 5, [3] * 5):
        assert visitor.post("/pulse/", form(steps)).status_code in {200, 302}
    (cells,) = [c for c in PulseBox.objects.get().tallies.values() if sum(c)]
    assert cells == [0, 0, 0, 0, 1] * 5


def test_second_answer_at_the_same_moment_is_refused(crew, hr):
    who = crew(6)[0]
    round_ = opened(hr)
    answers([who], round_)
    with pytest.raises(pulse.Answered):
        answers([who], round_)


def test_small_sites_count_together(crew, hr):
    big, small = crew(10), crew(4, "Koog")
    round_ = opened(hr)
    answers([big[0], small[0]], round_)
    box = PulseBox.objects.get()
    assert {group: pulse.answers(cells) for group, cells in box.tallies.items()} == {
        str(big[0].site_id): 1, "rest": 1,
    }  # fmt: skip


def test_who_joined_later_or_is_in_no_team_is_not_asked(crew, hr, person):
    crew(5)
    round_ = opened(hr)
    late, outside = crew(1)[0], person("Outside")
    for who in (late, outside):
        with pytest.raises(pulse.NotInvited):
            answers([who], round_)
        assert "This survey is for those in a team." in browser(who).get("/pulse/").content.decode()
        assert browser(who).post("/pulse/", form([1] * 5)).status_code == 200
    assert sum(map(sum, PulseBox.objects.get().tallies.values())) == 0


def test_survey_that_ended_while_somebody_wrote_gives_the_comment_back(crew, hr):
    who = crew(6)[0]
    round_ = opened(hr)
    PulseRound.objects.filter(pk=round_.pk).update(
        opens_at=timezone.now() - 2 * DAY, closes_at=timezone.now() - DAY
    )
    late = browser(who).post("/pulse/", form([1] * 5, text="What I wanted to say"))
    assert late.status_code == 409 and "What I wanted to say" in late.content.decode()
    with pytest.raises(pulse.Closed):
        answers([who], round_)


def test_one_round_a_quarter_and_only_by_hr(crew, hr, person):
    crew(6)
    assert browser(person("C", "curator")).post("/people/pulse/open/").status_code == 403
    for _press in range(2):
        assert browser(hr).post("/people/pulse/open/").status_code == 302
    assert PulseRound.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        PulseRound.objects.create(
            quarter=PulseRound.objects.get().quarter, opens_at=NOW, closes_at=NOW + DAY, salt="x"
        )


def test_fewer_than_five_are_not_asked_at_all(crew, hr):
    crew(4)
    with pytest.raises(pulse.NotOpened):
        opened(hr)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (form([1, 2, 3, 4]), "Answer all five, please."),
        (form([1, 2, 3, 4, 6]), "Answer all five, please."),
        (form([1, 2, 3, 4, "9" * 5000]), "Answer all five, please."),
        (form([1] * 5, text="x" * 100_000), "Shorter please: 100000 characters"),
        (form([1] * 5, text="o" + "\u0301" * 50), "Too many marks"),
    ],
)
def test_bad_input_is_told_and_stays_on_the_page(crew, hr, typed, sentence):
    who = crew(6)[0]
    opened(hr)
    answer = browser(who).post("/pulse/", typed)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in body.replace("100,000", "100000") and typed.get("text", "") in body
    assert 'value="1" checked' in body
    assert sum(map(sum, PulseBox.objects.get().tallies.values())) == 0


def test_strange_letters_in_a_comment_are_cleaned(crew, hr):
    who = crew(6)[0]
    opened(hr)
    comment = "a b"
    looked = hashlib.sha256(comment.encode()).hexdigest()
    typed = form([1] * 5, text="a\x00 b\x07", looked=looked)
    assert browser(who).post("/pulse/", typed).status_code == 302
    assert PulseBox.objects.get().comments == ["a b"]


# The writer looks at the comment -------------------------------------------------------------------


def test_comment_is_shown_to_its_writer_before_it_is_stored(crew, hr):
    who = crew(6)[0]
    opened(hr)
    visitor = browser(who)
    shown = visitor.post("/pulse/", form([4] * 5, text="Lohe is fine, says Selins desk"))
    body = shown.content.decode()
    assert shown.status_code == 200
    assert '<mark>Lohe<span class="vh"> (a place)</span></mark>' in body
    assert '<mark>Selins<span class="vh"> (a name)</span></mark>' in body
    assert 'name="q0" value="4"' in body
    assert PulseBox.objects.get().comments == []
    looked = hashlib.sha256(b"Lohe is fine, says Selins desk").hexdigest()
    changed = visitor.post("/pulse/", form([4] * 5, text="Lohe is bad", looked=looked))
    assert changed.status_code == 200 and "Lohe is bad" in changed.content.decode()
    assert PulseBox.objects.get().comments == []  # changed: it is looked at once more
    assert visitor.post("/pulse/", form([4] * 5, text="  ", looked=looked)).status_code == 302
    assert PulseBox.objects.get().comments == []


def test_words_that_could_tell_are_marked(person, crew):
    Site.objects.create(slug="suederkoog", name="Süderkoog")
    person("Łukasz Nowak", job_title="Leitung Netzbetrieb für alle")
    crew(1)
    text = "Łukasz’s Netzbetrieb in Süderkoog, seit 2019, mail@x.example, IT und GmbH für alle am Deich"
    found = {piece.strip(".,"): why for piece, why in screening.marked(text) if why}
    assert found == {
        "Łukasz’s": "a name",
        "Netzbetrieb": "what somebody does",
        "Süderkoog": "a place",
        "2019": "a number",
        "mail@x.example": "an address",
        "IT": "unusual capitals",
        "GmbH": "unusual capitals",
        "Deich": "a team",
    }
    assert "".join(piece for piece, _why in screening.marked(text)) == text


# Results -----------------------------------------------------------------------------------------


def test_results_come_only_after_the_end(crew, hr, jona):
    people = crew(6)
    round_ = opened(hr)
    answers(people, round_)
    visitor = browser(jona)
    assert "No results yet." in visitor.get("/pulse/results/").content.decode()
    assert visitor.get(f"/pulse/results/{round_.quarter}/").status_code == 404
    closed(round_)
    body = visitor.get("/pulse/results/").content.decode()
    assert "At least 5 people answered." in body and "What I share are my own words" in body


def test_fewer_than_five_answers_are_deleted_unread(crew, hr):
    people = crew(6)
    round_ = opened(hr)
    answers(people[:4], round_, comment="Only four of us")
    closed(round_)
    box = PulseBox.objects.get()
    assert (box.tallies, box.comments) == ({}, [])
    body = browser(hr).get("/pulse/results/").content.decode()
    assert "Fewer than five answered" in body and "Only four" not in body


def test_comments_of_fewer_than_five_are_deleted_unread(crew, hr):
    people = crew(9)
    round_ = opened(hr)
    answers(people[:4], round_, comment="Said so")
    answers(people[4:], round_)
    closed(round_)
    assert PulseBox.objects.get().comments == []


def test_group_that_would_show_by_subtraction_hides_another(crew, hr):
    lohe, deich, koog = crew(12), crew(10, "Deich"), crew(10, "Koog")
    round_ = opened(hr)
    answers(lohe, round_)
    answers(deich[:6], round_)
    answers(koog[:3], round_)
    closed(round_)
    assert set(PulseBox.objects.get().tallies) == {"all", str(lohe[0].site_id)}


QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUIET
@given(st.lists(st.integers(0, 40), max_size=12))
def test_no_shown_group_and_no_rest_is_smaller_than_five(sizes):
    counts = {str(n): size for n, size in enumerate(sizes)}
    apart = anonymity.apart(counts)
    left = sum(count for key, count in counts.items() if key not in apart)
    assert all(counts[key] >= 5 for key in apart)
    assert left == 0 or left >= 5 or not apart


@QUIET
@given(st.lists(st.lists(st.integers(0, 6), min_size=5, max_size=5), min_size=1, max_size=6))
def test_what_stays_after_closing_never_stands_on_fewer_than_five(groups):
    tallies = {str(n): cells * 5 for n, cells in enumerate(groups)}
    kept = pulse.showable(tallies)
    sizes = {group: pulse.answers(cells) for group, cells in kept.items()}
    assert all(size >= 5 for size in sizes.values())
    left = sizes.get("all", 0) - sum(size for group, size in sizes.items() if group != "all")
    assert left == 0 or left >= 5


def test_change_that_fewer_than_five_could_have_made_is_none():
    then = [0, 0, 0, 10, 0] * 5
    four_moved = [4, 0, 0, 6, 0] * 5
    all_moved = [10, 0, 0, 0, 0] * 5
    assert pulse_results.turn(four_moved, then, 0) == "same"
    assert pulse_results.turn(all_moved, then, 0) == "down"
    assert pulse_results.turn(then, all_moved, 0) == "up"
    assert pulse_results.turn(then, None, 0) == ""


def test_two_quarters_are_compared_where_both_are_shown(crew, hr, jona):
    people = crew(12)
    first = opened(hr, now=NOW - 100 * DAY)
    answers(people, first, steps=(1, 3, 3, 3, 3), now=NOW - 99 * DAY)
    closed(first)
    second = opened(hr, now=NOW)
    answers(people, second, steps=(5, 3, 3, 3, 3), now=NOW)
    closed(second)
    body = browser(jona).get("/pulse/results/").content.decode()
    assert body.count("More agree than last time.") == 1
    assert body.count("About as last time.") == 4
    assert "At least 10 people answered." in body
    assert "last time" not in browser(jona).get(f"/pulse/results/{first.quarter}/").content.decode()


def test_results_ask_the_same_number_of_queries(crew, hr, jona, django_assert_num_queries):
    people = [crew(10, site) for site in ("Lohe", "Koog", "Deich")]
    visitor = browser(jona)
    for count, quarter in ((1, 200), (3, 100)):
        round_ = opened(hr, now=NOW - quarter * DAY)
        for group in people[:count]:
            answers(group, round_, now=round_.opens_at)
        closed(round_)
        visitor.get("/pulse/results/")
        with django_assert_num_queries(9 if count > 1 else 8):
            assert visitor.get("/pulse/results/").status_code == 200


@pytest.mark.parametrize("quarter", ["2026-9", "x", "%C3%BC", "9" * 5000])
def test_strange_quarters(jona, quarter):
    assert browser(jona).get(f"/pulse/results/{quarter}/").status_code == 404


# Invitations -------------------------------------------------------------------------------------


def test_today_invites_for_a_week_until_it_is_answered(crew, hr, a_working_day):
    who, other = crew(6)[:2]
    round_ = opened(hr)
    line = "Five questions about trust and pressure"
    visitor = browser(who)
    assert line in visitor.get("/").content.decode()
    assert line not in browser(hr).get("/").content.decode()  # in no team
    answers([who], round_)
    assert line not in visitor.get("/").content.decode()
    PulseRound.objects.update(opens_at=timezone.now() - 8 * DAY)
    assert line not in browser(other).get("/").content.decode()


def test_one_mail_in_the_morning_of_a_working_day_to_all_alike(crew, hr, mailoutbox):
    people = crew(6)
    round_ = opened(hr, now=NOW)
    answers(people[:1], round_, now=NOW)
    pulse_mails.wish(person=people[5], mails=False, now=NOW)
    for moment in (NOW - DAY, NOW + dt.timedelta(hours=9), NOW + 3 * DAY):
        assert pulse_mails.send_due(now=moment) == 0  # not open yet, in the evening, on a Saturday
    assert pulse_mails.send_due(now=NOW) == 5  # who has answered got one, too
    assert pulse_mails.send_due(now=NOW + DAY) == 0
    assert len(mail.outbox) == 5
    assert {m.to[0] for m in mail.outbox} == {who.email for who in people[:5]}
    assert "/pulse/" in mail.outbox[0].body


def test_mails_are_turned_off_and_on_on_the_page(jona):
    visitor = browser(jona)
    for act, count in (("off", 1), ("off", 1), ("on", 0)):
        visitor.post("/pulse/mails/", {"act": act})
        assert PulseSilence.objects.count() == count
