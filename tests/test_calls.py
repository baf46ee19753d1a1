"""Calls, applications, nominations: who sees what, and the last place goes to one."""

import datetime as dt
import re
import threading
import uuid
from decimal import Decimal

import pytest
from django.db import IntegrityError, connections, transaction
from django.test import Client
from django.utils import timezone

from ambassadors import memberships
from ambassadors.models import AuditEntry, Membership, Person, Team, TeamKind
from ambassadors.states import NoSuchWay, move
from people import applications, calls, nominations, states, terms
from people.models import Application, Call, Nomination

from .conftest import browser, night
from .test_pipeline import selin, stage_of, team_of, term  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(person):
    return person("Ole Brodersen")


@pytest.fixture
def team(team_of, lead):
    return team_of("netz", capacity=1, lead=lead)


@pytest.fixture
def call_for(selin):
    def make(team=None, kind=None, *, days=(-1, 10), **fields):
        now = timezone.now()
        given = {
            "title_de": "Stimmen gesucht", "title_en": "Voices wanted", "text_de": "Wir suchen.",
            "text_en": "We look.", "timezone": "Europe/Berlin", "places": None, "submission": uuid.uuid4(),
        } | fields  # fmt: skip
        return calls.save(
            call=Call(), team=team, kind=kind, opens_at=now + dt.timedelta(days=days[0]),
            closes_at=now + dt.timedelta(days=days[1]), by=selin, now=now, **given,
        )  # fmt: skip

    return make


def put(call, who, why="I like to answer.", **fields):
    given = {"topics": [], "languages": ["de"], "networks": [], "hours_per_month": Decimal(2)}
    return applications.apply(call=call, why=why, by=who, now=timezone.now(), **given | fields)


def form(**fields):
    return {"why": "I answer honestly.", "languages": ["de"], "hours_per_month": "2", **fields}


def wall(days, hour=12):
    moment = timezone.localtime() + dt.timedelta(days=days)
    return moment.replace(hour=hour, minute=0).strftime("%Y-%m-%dT%H:%M")


# Applying ---------------------------------------------------------------------------------------


def test_person_applies_is_invited_accepts_and_learns_before_being_active(
    team, call_for, jona, lead
):
    call = call_for(team)
    mine, desk = browser(jona), browser(lead)
    typed = form(
        why="Because I ask back.", languages=["de", "tr"], topics=[], hours_per_month="3.5"
    )
    for _click in range(2):
        assert mine.post(f"/calls/{call.slug}/", typed).status_code == 302
    applied = Application.objects.get()
    assert "Because I ask back." in desk.get(f"/people/calls/{call.pk}/").content.decode()
    for _click in range(2):
        desk.post(f"/people/applications/{applied.pk}/decide/", {"act": "invite"})
    place = Membership.objects.get()
    assert (place.stage, jona.hours_per_month) == ("invited", None)
    assert "3.5 h a month" in mine.get("/me/teams/").content.decode()
    mine.post(f"/me/teams/{place.pk}/", {"act": "accept", "take_over": "yes"})
    jona.refresh_from_db()
    assert (stage_of(place), jona.hours_per_month, jona.languages) == (
        "in_training", Decimal("3.5"), ["de", "tr"],
    )  # fmt: skip
    desk.post(f"/people/terms/{place.pk}/act/", {"act": "activate"})
    assert stage_of(place) == "active"


def test_profile_stays_as_it_is_without_a_yes(team, call_for, jona, lead):
    applications.invite(
        application=put(call_for(team), jona), team=team, by=lead, now=timezone.now()
    )
    place = Membership.objects.get()
    browser(jona).post(f"/me/teams/{place.pk}/", {"act": "accept"})
    jona.refresh_from_db()
    assert (stage_of(place), jona.hours_per_month, jona.languages) == ("in_training", None, [])


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("why", ""), ("why", " \u3164\u200b "), ("why", "\x00"), ("why", "x" * 1_000_000), ("languages", []),
        ("languages", ["klingon"]), ("topics", ["no-such"]), ("networks", ["myspace"]), ("hours_per_month", "0"),
        ("hours_per_month", "-3"), ("hours_per_month", "NaN"), ("hours_per_month", "9" * 5_000),
        ("hours_per_month", "1e30"), ("hours_per_month", "lots"), ("hours_per_month", ""),
    ],
    ids=lambda value: str(value)[:12],
)  # fmt: skip
def test_bad_application_gets_a_sentence_and_comes_back(team, call_for, jona, field, typed):
    call = call_for(team)
    answer = browser(jona).post(f"/calls/{call.slug}/", form(**{field: typed}))
    page = answer.content.decode()
    assert (answer.status_code, Application.objects.count(), 'class="error"' in page) == (
        422,
        0,
        True,
    )
    assert "I answer honestly." in page or field == "why"
    assert field != "why" or typed.replace("\x00", "").strip()[:1000] in page


@pytest.mark.parametrize("days", [(-5, -1), (1, 5)])
def test_closed_call_keeps_what_was_typed(team, call_for, jona, days):
    call = call_for(team)
    now = timezone.now()
    begin, end = (now + dt.timedelta(days=n) for n in days)
    Call.objects.filter(pk=call.pk).update(opens_at=begin, closes_at=end)
    answer = browser(jona).post(f"/calls/{call.slug}/", form())
    assert (answer.status_code, Application.objects.count()) == (422, 0)
    assert "I answer honestly." in answer.content.decode()


def test_withdrawn_application_leaves_nothing_and_two_clicks_say_the_same(team, call_for, jona):
    call, mine = call_for(team), browser(jona)
    put(call, jona)
    before = AuditEntry.objects.count()
    pages = [mine.post(f"/calls/{call.slug}/withdraw/", follow=True) for _ in range(2)]
    assert [page.status_code for page in pages] == [200, 200]
    assert (Application.objects.count(), AuditEntry.objects.count()) == (0, before)


def test_database_keeps_one_open_application_per_person_and_call(team, call_for, jona):
    call = call_for(team)
    first = put(call, jona)
    assert put(call, jona, why="Second tab.") == first
    with pytest.raises(IntegrityError), transaction.atomic():
        Application.objects.create(
            call=call, person=jona, why="x", hours_per_month=1, applied_at=timezone.now()
        )


def test_person_in_two_pipelines_of_one_team_gets_one_place(team_of, call_for, jona, selin):
    team = team_of()
    one, two = put(call_for(team), jona), put(call_for(kind=team.kind), jona)
    applications.invite(application=one, team=team, by=selin, now=timezone.now())
    url = f"/people/applications/{two.pk}/decide/"
    answer = browser(selin).post(url, {"act": "invite", "team": team.pk})
    assert answer.status_code == 422
    assert "in this team already, by another call" in answer.content.decode()
    assert (Membership.objects.count(), Application.objects.get(pk=two.pk).state) == (1, "applied")


def test_declined_person_reads_the_word_and_may_apply_again(
    team, call_for, jona, lead, mailoutbox, django_capture_on_commit_callbacks
):
    call = call_for(team)
    row, desk = put(call, jona), browser(lead)
    url = f"/people/applications/{row.pk}/decide/"
    refused = desk.post(url, {"act": "decline", "word": "  "})
    assert (refused.status_code, "Write them a word" in refused.content.decode()) == (422, True)
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(url, {"act": "decline", "word": "Next spring we need you."})
    assert [(m.to, "Next spring we need you." in m.body) for m in mailoutbox] == [
        ([jona.email], True)
    ]
    page = browser(jona).get(f"/calls/{call.slug}/").content.decode()
    assert ("Next spring we need you." in page, "Put me forward" in page) == (True, True)
    assert put(call, jona).pk != row.pk


@pytest.mark.parametrize("graph", ["APPLICATION", "INVITATION"])
def test_states_lead_nowhere_but_where_declared(graph):
    declared = getattr(states, graph)
    names = set(declared) | {source for sources in declared.values() for source in sources}
    model = type("Rows", (), {})
    assert names <= {
        "applied",
        "waiting",
        "invited",
        "declined",
        "queued",
        "sent",
        "delayed",
        "bounced",
    }
    for to, sources in declared.items():
        for source in names - set(sources):
            with pytest.raises(NoSuchWay):
                move(model, declared, source=source, to=to)


# Places and the waiting list --------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_leads_take_the_last_place_and_one_person_waits(team, call_for, person, lead, selin):
    call, gate, after = call_for(team), threading.Barrier(2), []
    rows = [put(call, person(name)) for name in ("Nam", "Lea")]

    def take(row, by):
        try:
            gate.wait()
            after.append(
                applications.invite(application=row, team=team, by=by, now=timezone.now()).state
            )
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=take, args=pair) for pair in zip(rows, (lead, selin), strict=True)
    ]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(after) == ["invited", "waiting"]
    assert Membership.objects.count() == 1


def test_waiting_list_moves_up_in_order_when_places_are_free(team, call_for, person, selin, lead):
    call, desk = call_for(team), browser(lead)
    people = [person(name) for name in ("First", "Second", "Third")]
    first, second, third = [put(call, who) for who in people]
    for row in (first, third, second):
        desk.post(f"/people/applications/{row.pk}/decide/", {"act": "invite"})
    assert [row.person.name for row in applications.waiting(team)] == ["Third", "Second"]
    place = Membership.objects.get(person=people[0])
    browser(people[0]).post(f"/me/teams/{place.pk}/", {"act": "decline"})
    assert Membership.objects.get().person == people[2]
    assert not Application.objects.filter(person=people[0]).exists()
    browser(selin).post(
        "/people/teams/netz/",
        {"name": "Netz", "purpose": "Tell.", "capacity": "2", "term_months": "", "site": "", "lead": lead.email},
    )  # fmt: skip
    assert set(Membership.objects.values_list("person__name", flat=True)) == {"Third", "Second"}
    assert applications.move_up_due(now=timezone.now()) == 0


def test_place_that_somebody_left_by_leaving_the_company_is_found_by_the_tick(
    team, call_for, person, selin
):
    gone, waits = person("Gone"), person("Waits")
    term(gone, team)
    row = put(call_for(team), waits)
    applications.invite(application=row, team=team, by=selin, now=timezone.now())
    memberships.leave_company(person=gone, by=selin, now=timezone.now())
    assert applications.move_up_due(now=timezone.now()) == 1
    assert Membership.objects.open().get().person == waits


def test_call_with_its_places_given_holds_up_only_its_own_people(team_of, call_for, person, selin):
    team = team_of(capacity=5)
    narrow, wide = call_for(team, places=1), call_for(team)
    rows = [put(call, person(f"P{n}")) for n, call in enumerate((narrow, narrow, wide))]
    for row in rows:
        applications.invite(application=row, team=team, by=selin, now=timezone.now())
    found = list(Application.objects.order_by("pk").values_list("state", flat=True))
    assert found == ["invited", "waiting", "invited"]


# Nominations ------------------------------------------------------------------------------------


def nominate(who, team, address, note="You explain things so that my mother gets it."):
    return browser(who).post(
        f"/teams/{team.slug}/nominate/", {"address": address, "note": note}, follow=True
    )


def test_nominator_reads_the_same_sentence_whoever_it_was(team, jona, person, selin):
    gone, asked = person("Gone"), person("Asked")
    memberships.leave_company(person=gone, by=selin, now=timezone.now())
    term(asked, team, "nominated")
    nam = person("Nam")
    pages = [
        nominate(jona, team, address).content.decode()
        for address in ("nobody@example.org", gone.email, asked.email, nam.email, nam.email)
    ]
    said = {page[page.index("Passed on.") :][:150] for page in pages}
    assert len(said) == 1
    assert [row.nominee for row in Nomination.objects.all()] == [nam]


def test_silence_and_a_no_leave_no_trace_for_anybody(team, jona, person, selin, lead):
    heike, nam = person("Heike", "auditor"), person("Nam Vu")

    def everything():
        seen = [
            browser(who).get(url).content.decode()
            for who, url in (
                (selin, "/people/pipeline/"), (lead, "/people/pipeline/"), (selin, "/people/calls/"),
                (selin, "/roster/"), (jona, "/me/teams/"), (jona, f"/teams/{team.slug}/"), (selin, "/people/teams/"), (heike, "/record/"),
            )
        ]  # fmt: skip
        shown = [re.sub(r'name="csrf[^>]+', "", text.split("<main")[1]) for text in seen]
        return shown, AuditEntry.objects.count()

    before = everything()
    nominations.nominate(
        address=nam.email, team=team, note="A secret reason.", by=jona, now=timezone.now()
    )
    silent = everything()
    mine = browser(nam).get("/me/teams/").content.decode()
    assert ("A secret reason." in mine, "Jona Harms" in mine) == (True, True)
    browser(nam).post(f"/me/nominations/{Nomination.objects.get().pk}/", {"act": "no"})
    after = everything()
    assert before == silent == after
    assert (Nomination.objects.count(), Membership.objects.count()) == (0, 0)


def test_yes_shows_person_and_words_to_hr_and_lead(team, jona, person, selin, lead):
    nam, other = person("Nam Vu"), person("Other Lead")
    TeamKind.objects.create(slug="x", behaviour="plain", name_de="X", name_en="X")
    Team.objects.create(slug="x", name="X", kind=TeamKind.objects.get(slug="x"), lead=other)
    nominate(jona, team, nam.email, "A good reason.")
    for _click in range(2):
        row = Nomination.objects.first()
        browser(nam).post(f"/me/nominations/{row.pk}/", {"act": "yes"})
    place = Membership.objects.get()
    pages = [browser(who).get(f"/people/terms/{place.pk}/") for who in (selin, lead)]
    assert ["A good reason." in page.content.decode() for page in pages] == [True, True]
    assert browser(other).get(f"/people/terms/{place.pk}/").status_code == 404
    browser(lead).post(f"/people/terms/{place.pk}/act/", {"act": "invite"})
    assert (stage_of(place), Nomination.objects.count()) == ("invited", 0)


def test_nobody_answers_somebody_elses_nomination(team, jona, person):
    nam = person("Nam")
    nominate(jona, team, nam.email)
    row = Nomination.objects.get()
    browser(jona).post(f"/me/nominations/{row.pk}/", {"act": "yes"})
    assert (Membership.objects.count(), Nomination.objects.get().agreed_at) == (0, None)


@pytest.mark.parametrize(
    ("address", "note", "sentence"),
    [
        ("me", "Because.", "That is you."), ("member", "Because.", "is in this team already"),
        ("no address", "Because.", "Write the e-mail address"), ("x@example.org", " \u200b", "Write why you think"),
        ("x@example.org", "x" * 1_000_000, "Shorter please"), ("x@example.org", "\x00", "Write why you think"),
    ],
    ids=["self", "member", "none", "blank", "1 MB", "nul"],
)  # fmt: skip
def test_nomination_that_cannot_be_gets_a_sentence(team, jona, person, address, note, sentence):
    member = person("Nam")
    term(member, team)
    real = {"me": jona.email, "member": member.email}.get(address, address)
    answer = nominate(jona, team, real, note)
    page = answer.content.decode()
    assert (answer.status_code, sentence in page, Nomination.objects.count()) == (422, True, 0)
    assert note.replace("\x00", "").strip()[:1000] in page


def test_nomination_is_mailed_once_and_deleted_when_it_expires(
    team, jona, person, mailoutbox, settings
):
    nam, now = person("Nam"), timezone.now()
    Person.objects.filter(pk=jona.pk).update(name="Jona\nBcc: everybody@example.org")
    nominate(jona, team, nam.email, "A note\nBcc: everybody@example.org")
    assert [nominations.mail_due(now=now) for _ in range(2)] == [1, 0]
    [mail] = mailoutbox
    assert (mail.to, mail.bcc, mail.subject) == (
        [nam.email], [], "Jona Bcc: everybody@example.org thinks of you",
    )  # fmt: skip
    later = now + dt.timedelta(days=settings.NOMINATION_DAYS + 1)
    assert not Nomination.objects.asked_of(nam, later).exists()
    assert (night("unanswered", now=now), night("unanswered", now=later)) == (0, 1)


# Pause, renewal, farewell -----------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["active", "in_training"])
def test_pause_ends_by_itself_where_the_person_was(team, jona, stage, mailoutbox):
    place, mine = term(jona, team, stage), browser(jona)
    until = timezone.localdate() + dt.timedelta(days=3)
    mine.post(f"/me/teams/{place.pk}/", {"act": "pause", "until_on": until.isoformat()})
    assert (stage_of(place), place.paused_until_on) == ("paused", until)
    now = timezone.now()
    assert terms.resume_due(now=now + dt.timedelta(days=3)) == 0
    assert terms.resume_due(now=now + dt.timedelta(days=5)) == 1
    assert (stage_of(place), place.paused_until_on, len(mailoutbox)) == (stage, None, 1)


@pytest.mark.parametrize("typed", ["2001-01-01", "9999-12-31", "tomorrow", "\x00", "9" * 5_000])
def test_bad_end_of_a_pause_gets_a_sentence(team, jona, typed):
    place = term(jona, team)
    answer = browser(jona).post(f"/me/teams/{place.pk}/", {"act": "pause", "until_on": typed})
    assert (answer.status_code, 'class="error"' in answer.content.decode()) == (422, True)
    assert stage_of(place) == "active"


def test_ending_term_is_asked_about_once_and_goes_on_in_silence(
    team, jona, lead, mailoutbox, settings
):
    place, now = term(jona, team), timezone.now()
    end = timezone.localdate() + dt.timedelta(days=20)
    Membership.objects.filter(pk=place.pk).update(until_on=end)
    Team.objects.update(term_months=12)
    assert [terms.ask_due(now=now) for _ in range(2)] == [1, 0]
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted([jona.email, lead.email])
    late = now + dt.timedelta(days=40)
    assert terms.end_due(now=late) == 0  # not configured
    page = browser(jona).get("/me/teams/").content.decode()
    assert "Your term ends soon" in page
    browser(jona).post(f"/me/teams/{place.pk}/", {"act": "renew"})
    settings.TERMS_END_IN_SILENCE = True
    assert (terms.end_due(now=late), stage_of(place)) == (0, "active")
    assert place.until_on == memberships.later(end, 12)


def test_silent_term_ends_where_the_company_chose_so(team, jona, settings):
    settings.TERMS_END_IN_SILENCE = True
    place, now = term(jona, team), timezone.now()
    end = timezone.localdate() + dt.timedelta(days=20)
    Membership.objects.filter(pk=place.pk).update(until_on=end)
    late = now + dt.timedelta(days=40)
    assert terms.end_due(now=late) == 0  # nobody was asked
    terms.ask_due(now=now)
    assert (terms.end_due(now=late), stage_of(place)) == (1, "alumni")


def test_farewell_word_goes_to_the_person_alone_and_a_return_is_a_new_term(
    team, jona, lead, mailoutbox, django_capture_on_commit_callbacks
):
    place, desk = term(jona, team), browser(lead)
    url = f"/people/terms/{place.pk}/act/"
    assert desk.post(url, {"act": "farewell", "word": ""}).status_code == 422
    assert desk.post(url, {"act": "farewell", "word": "x" * 1_000_000}).status_code == 422
    with django_capture_on_commit_callbacks(execute=True):
        for _click in range(2):
            desk.post(url, {"act": "farewell", "word": "Thank you for the storm night."})
    assert [(m.to, "storm night" in m.body) for m in mailoutbox] == [([jona.email], True)]
    assert not AuditEntry.objects.filter(facts__icontains="storm").exists()
    assert stage_of(place) == "alumni"
    desk.post(url, {"act": "invite"})
    again = Membership.objects.get(stage="invited")
    history = browser(lead).get(f"/people/terms/{again.pk}/").content.decode()
    assert (again.pk != place.pk, "alumni" in history) == (True, True)


def test_person_stops_without_a_reason(team, jona, mailoutbox):
    place = term(jona, team)
    for _click in range(2):
        browser(jona).post(f"/me/teams/{place.pk}/", {"act": "finish"})
    assert (stage_of(place), mailoutbox) == ("alumni", [])


def test_own_term_moves_by_nobody_else(team, jona, person):
    place = term(jona, team, "invited")
    browser(person("Nam")).post(f"/me/teams/{place.pk}/", {"act": "decline"})
    assert stage_of(place) == "invited"


# Writing teams, kinds and calls -----------------------------------------------------------------


def team_form(**fields):
    return {
        "name": "Netz",
        "purpose": "Tell.",
        "capacity": "4",
        "term_months": "12",
        "site": "",
        "lead": "",
        **fields,
    }


def test_configured_kind_needs_no_code(selin, jona):
    desk = browser(selin)
    desk.post(
        "/people/kinds/new/",
        {
            "name_de": "Ausbildungspaten", "name_en": "Godparents", "profile_de": "Du gehst mit.",
            "profile_en": "You go along.", "tasks": "Mitgehen\n\nZuhören", "tasks_en": "Go along\nListen",
            "hours_per_month": "1.5", "behaviour": "plain",
        },
    )  # fmt: skip
    kind = TeamKind.objects.get()
    assert (kind.slug, kind.tasks, kind.hours_per_month) == (
        "ausbildungspaten",
        ["Mitgehen", "Zuhören"],
        Decimal("1.5"),
    )
    desk.post("/people/teams/new/", team_form(kind=kind.slug, name="Paten Nord", lead=jona.email))
    page = browser(jona).get("/teams/paten-nord/").content.decode()
    assert ("You go along." in page, "Listen" in page, "Change" in page) == (True, True, True)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("capacity", "0"), ("capacity", "-1"), ("capacity", "1" + "0" * 30), ("capacity", "9" * 5_000),
        ("capacity", "four"), ("capacity", "4.5"), ("term_months", "0"), ("term_months", "999"), ("name", " \u200b"),
        ("name", "x" * 1_000_000), ("purpose", ""), ("lead", "nobody@example.org"), ("site", "\x00"),
    ],
    ids=lambda value: str(value)[:14],
)  # fmt: skip
def test_bad_team_gets_a_sentence(team, selin, lead, field, typed):
    answer = browser(selin).post("/people/teams/netz/", team_form(lead=lead.email) | {field: typed})
    page = answer.content.decode()
    team.refresh_from_db()
    assert (answer.status_code, 'class="error"' in page, team.capacity) == (422, True, 1)
    assert "Tell." in page or field == "purpose"


def test_database_refuses_a_capacity_that_is_none(team):
    for capacity in (0, -1, 10_001):
        with pytest.raises(IntegrityError), transaction.atomic():
            Team.objects.filter(pk=team.pk).update(capacity=capacity)


def test_lead_edits_own_team_and_neither_its_lead_nor_others(team, team_of, lead, jona):
    other = team_of("heat")
    desk = browser(lead)
    desk.post("/people/teams/netz/", team_form(purpose="Newly said.", lead=jona.email))
    team.refresh_from_db()
    assert (team.purpose, team.lead) == ("Newly said.", lead)
    found = [
        desk.get(url).status_code
        for url in (f"/people/teams/{other.slug}/", "/people/teams/new/", "/people/kinds/new/")
    ]
    assert found == [404, 403, 403]
    assert browser(jona).get("/people/teams/netz/").status_code == 403


def call_form(team, **fields):
    return {
        "for": f"team-{team.pk}", "title_de": "Gesucht", "text_de": "Wir suchen.", "title_en": "", "text_en": "",
        "opens_at": wall(1), "closes_at": wall(9), "timezone": "Europe/Berlin", "places": "",
        "submission": str(uuid.uuid4()), **fields,
    }  # fmt: skip


def test_call_is_written_once_by_two_clicks(team, lead):
    same = call_form(team)
    for _click in range(2):
        browser(lead).post("/people/calls/new/", same)
    assert Call.objects.get().made_by == lead


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("places", "0"), ("places", "-4"), ("places", "1" + "0" * 30), ("closes_at", "2020-01-01T10:00"),
        ("closes_at", "9999-12-31T23:59"), ("closes_at", "soon"), ("opens_at", "\x00"), ("timezone", "Mars/Base"),
        ("for", "team-999999"), ("for", "kind-1"), ("for", ""), ("title_de", ""), ("text_de", "x" * 1_000_000),
        ("text_de", " \u3164"), ("title_en", "x" * 5_000), ("closes_at", wall(0)),
    ],
    ids=lambda value: str(value)[:18],
)  # fmt: skip
def test_bad_call_gets_a_sentence_beside_its_field(team, lead, field, typed):
    answer = browser(lead).post("/people/calls/new/", call_form(team, **{field: typed}))
    page = answer.content.decode()
    assert (answer.status_code, Call.objects.count(), 'class="error"' in page) == (422, 0, True)
    assert "Wir suchen." in page or field == "text_de"


def test_call_that_closes_while_clocks_jump_closes_an_hour_later_and_says_so(team, lead):
    end = dt.date(timezone.now().year + 1, 3, 31)
    sunday = end - dt.timedelta(days=(end.weekday() + 1) % 7)
    opens = sunday - dt.timedelta(days=8)
    typed = call_form(team, opens_at=f"{opens}T08:00", closes_at=f"{sunday}T02:30")
    page = browser(lead).post("/people/calls/new/", typed, follow=True).content.decode()
    assert "The clocks skip 02:30 that night; it is 03:30 now." in page
    half_past = dt.time(1, 30, tzinfo=dt.UTC)
    assert Call.objects.get().closes_at == dt.datetime.combine(sunday, half_past)


def test_lead_sees_and_decides_only_calls_of_own_teams(team, team_of, call_for, lead, jona):
    theirs = call_for(team_of("heat"))
    row, desk = put(theirs, jona), browser(lead)
    assert [
        desk.get(f"/people/calls/{theirs.pk}/{part}").status_code
        for part in ("", "edit/", "invite/")
    ] == [404, 404, 404]
    desk.post(f"/people/applications/{row.pk}/decide/", {"act": "invite"})
    assert (
        Membership.objects.count(),
        theirs.title in desk.get("/people/calls/").content.decode(),
    ) == (0, False)


# Pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_pages_ask_a_constant_number_of_queries(
    team_of, call_for, person, lead, jona, selin, count, django_assert_num_queries
):
    mine, desk = browser(jona), browser(selin)
    for number in range(count):
        one = team_of(f"t{number}", lead=lead, capacity=9)
        term(jona, one)
        call = call_for(one)
        put(call_for(team_of(f"u{number}")), jona)
        for who in range(count):
            put(call, person(f"P{who}"))
            waits = put(call, person(f"W{who}"))
            applications.wait(application=waits, team=one, by=selin, now=timezone.now())
            nominations.nominate(
                address=jona.email, team=team_of(f"n{number}{who}"), note="You.", by=person(f"N{who}"),
                now=timezone.now(),
            )  # fmt: skip
    pages = (
        (mine, "/me/teams/", 6), (mine, "/teams/", 6), (mine, "/teams/t0/", 6), (mine, "/calls/", 5),
        (mine, f"/calls/{call.slug}/", 7), (desk, "/people/pipeline/", 8), (desk, "/people/calls/", 5),
        (desk, f"/people/calls/{call.pk}/", 11), (desk, "/people/teams/", 5),
        (desk, f"/people/terms/{jona.membership_set.first().pk}/", 7),
    )  # fmt: skip
    for who, url, number in pages:
        who.get(url)
        with django_assert_num_queries(number, info=url):
            assert who.get(url).status_code == 200


def test_public_sees_no_team_and_no_call(team, call_for):
    call = call_for(team)
    urls = ("/teams/", "/teams/netz/", "/calls/", f"/calls/{call.slug}/", "/me/teams/")
    assert [Client().get(url).status_code for url in urls] == [302] * 5
