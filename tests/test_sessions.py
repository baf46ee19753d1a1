"""How long logins last, what ends them, and the person's own list (ASVS 7)."""

import contextlib
import datetime as dt
import re
import threading
import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from advocacy.views import sessions
from ambassadors import login_sessions, logins, memberships
from ambassadors.login_sessions import SessionStore
from ambassadors.models import AuditEntry, LoginSession, Role
from people import departures

from .conftest import browser

pytestmark = pytest.mark.django_db
PASSWORD = "moin-moin-nordwind"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
OFFICE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0"
)


def log_in(who, agent=OFFICE):
    made = Client(headers={"User-Agent": agent})
    answer = made.post("/accounts/login/", {"login": who.email, "password": PASSWORD})
    assert answer.status_code == 302
    return made


def is_in(visitor):
    return visitor.get("/me/").status_code == 200


def ago(visitor, *, began=0.0, seen=0.0):
    """Shift a login into the past, in hours."""
    session = visitor.session
    session["began_at"] -= began * 3600
    session["seen_at"] -= seen * 3600
    session.save()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (PHONE, "Safari, iPhone"),
        (OFFICE, "Edge, Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
            "Firefox, Linux",
        ),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/141.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.5.0", ""),
        ("", ""),
        ("x" * 100_000, ""),
    ],
)
def test_device_is_named_without_a_version(agent, name):
    assert login_sessions.device(agent) == name


def test_list_shows_ones_own_and_ends_one(jona, mirja):
    office, phone, other = log_in(jona), log_in(jona, PHONE), log_in(mirja)
    page = office.get("/me/sessions/").content.decode()
    assert ("Edge, Windows" in page, "Safari, iPhone" in page) == (True, True)
    keys = [row.session_key for row in LoginSession.objects.all()]
    assert [key for key in keys if key in page] == []
    [name] = re.findall(r'name="end" value="([0-9a-f]+)"', page)
    office.post("/me/sessions/", {"end": name})
    assert (is_in(office), is_in(phone), is_in(other)) == (True, False, True)


def test_foreign_session_is_not_ended(jona, mirja):
    visitor, other = log_in(jona), log_in(mirja)
    other_again = log_in(mirja, PHONE)
    [name] = re.findall(
        r'name="end" value="([0-9a-f]+)"', other_again.get("/me/sessions/").content.decode()
    )
    for asked in (name, other.session.session_key, "others", "x", ""):
        visitor.post("/me/sessions/", {"end": asked})
    assert (is_in(other), is_in(other_again)) == (True, True)


def test_all_others_end_at_once(jona):
    here, there, phone = log_in(jona), log_in(jona), log_in(jona, PHONE)
    here.post("/me/sessions/", {"end": "others"})
    assert (is_in(here), is_in(there), is_in(phone)) == (True, False, False)


def test_list_page_asks_as_often_with_three_as_with_one(jona):
    visitor = browser(jona)
    visitor.get("/me/sessions/")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            visitor.get("/me/sessions/")
        counts.append(len(asked))
        log_in(jona)
        log_in(jona, PHONE)
    assert counts == [counts[0]] * 2


def test_nothing_but_two_names_is_kept_of_a_device(jona):
    visitor = Client(headers={"User-Agent": OFFICE}, REMOTE_ADDR="203.0.113.77")
    visitor.post("/accounts/login/", {"login": jona.email, "password": PASSWORD})
    visitor.get("/me/")
    row = LoginSession.objects.get()
    kept = str(row.get_decoded()) + row.device
    assert [word for word in ("203.0.113", "Mozilla", "Chrome/141", "Win64") if word in kept] == []
    assert (row.seen_at.minute, row.seen_at.second) == (0, 0)


def test_login_ends_idle_and_after_a_week(jona, settings):
    visitor = log_in(jona)
    ago(visitor, began=167, seen=7)
    assert is_in(visitor)
    ago(visitor, began=2)
    assert not is_in(visitor)
    visitor = log_in(jona)
    LoginSession.objects.update(expire_date=timezone.now())
    assert not is_in(visitor)
    assert settings.SESSION_COOKIE_AGE == 8 * 3600


def test_activity_moves_the_end_on_and_an_open_page_does_not(jona):
    visitor = log_in(jona)
    soon = timezone.now() + dt.timedelta(hours=1)
    for path, moves in (("/situation/", False), ("/me/", True)):
        ago(visitor, seen=1)
        LoginSession.objects.update(expire_date=soon)
        visitor.get(path)
        assert (LoginSession.objects.get().expire_date > soon) == moves
        if not moves:
            ago(visitor, seen=-1)
    LoginSession.objects.update(expire_date=soon)
    visitor.get("/me/")  # a moment later: nothing is written
    assert LoginSession.objects.get().expire_date == soon


def test_administrators_login_ends_sooner(person):
    who = person("Piet", "administrator")
    for began, seen in ((1, 0.6), (12.5, 0)):
        visitor = log_in(who)
        assert is_in(visitor)
        ago(visitor, began=began, seen=seen)
        assert not is_in(visitor)
        assert visitor.get("/").headers["Location"].startswith("/accounts/login/")


def test_form_of_a_login_that_ended_is_handed_back(jona):
    visitor = log_in(jona)
    ago(visitor, began=200)
    visitor.post("/ideas/", {"text": "Sheep below turbine 9"})
    visitor.post("/accounts/login/", {"login": jona.email, "password": PASSWORD})
    assert "Sheep below turbine 9" in visitor.get("/ideas/").content.decode()


def test_session_without_a_beginning_is_none(jona):
    visitor = browser(jona)
    session = visitor.session
    del session["began_at"]
    session.save()
    assert not is_in(visitor)


def test_key_changes_at_login_with_a_role_and_with_a_proof(jona):
    visitor = Client()
    visitor.get("/accounts/login/")
    visitor.get("/wall/")
    keys = [visitor.session.session_key]
    visitor.post("/accounts/login/", {"login": jona.email, "password": PASSWORD})
    keys.append(visitor.session.session_key)
    visitor.get("/")
    assert visitor.session.session_key == keys[-1]
    Role.objects.create(person=jona, name="hr")
    visitor.get("/")
    keys.append(visitor.session.session_key)
    Role.objects.all().delete()
    visitor.get("/")
    keys.append(visitor.session.session_key)
    visitor.post("/accounts/reauthenticate/?next=/me/", {"password": PASSWORD, "next": "/me/"})
    keys.append(visitor.session.session_key)
    assert len(set(keys)) == 5
    assert is_in(visitor)
    assert LoginSession.objects.filter(person=jona).count() == 1


def test_new_password_ends_all_others(jona):
    here, there = log_in(jona), log_in(jona, PHONE)
    new = "ein-ganz-neuer-satz-7"
    here.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    assert (is_in(here), is_in(there)) == (True, False)
    assert LoginSession.objects.filter(person=jona).count() == 1


def test_leaving_ends_all_for_good(jona):
    visitor = log_in(jona)
    memberships.leave_company(person=jona, by=None, now=timezone.now())
    assert (is_in(visitor), LoginSession.objects.count()) == (False, 0)


def test_lock_out_by_the_directory_ends_all_for_good(jona, monkeypatch):
    visitor = log_in(jona)
    monkeypatch.setattr("people.brake.limit", lambda: 0)
    departures.ask(person=jona, now=timezone.now())
    assert (is_in(visitor), LoginSession.objects.filter(person=jona).count()) == (False, 0)
    type(jona).objects.update(is_active=True)
    assert not is_in(visitor)


def test_end_of_ways_in_ends_sessions(jona, mirja):
    log_in(jona)
    log_in(mirja)
    logins.end(jona)
    assert [row.person for row in LoginSession.objects.all()] == [mirja]


def test_logout_has_the_browser_forget(jona):
    visitor = log_in(jona)
    answer = visitor.post("/accounts/logout/")
    assert answer["Clear-Site-Data"] == '"storage"'
    assert LoginSession.objects.filter(person=jona).count() == 0
    assert time.time() > 0


def test_own_sessions_end_after_a_fresh_proof_only(jona):
    here, there = log_in(jona), log_in(jona, PHONE)
    session = here.session
    session["proved_at"] = time.time() - 3600
    session.save()
    [name] = re.findall(r'name="end" value="([0-9a-f]+)"', here.get("/me/sessions/").text)
    for asked in ("others", name):
        answer = here.post("/me/sessions/", {"end": asked})
        assert answer["Location"].startswith("/me/again/")
    assert is_in(there)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("elsewhere", [True, False])
def test_change_of_second_factors_offers_the_end_of_the_others(jona, elsewhere):
    EmailAddress.objects.create(user=jona, email=jona.email, verified=True, primary=True)
    there = log_in(jona, PHONE) if elsewhere else None
    here = log_in(jona)
    here.get("/accounts/2fa/totp/activate/")
    secret = here.session["mfa.totp.secret"]
    code = f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06}"
    done = here.post("/accounts/2fa/totp/activate/", {"code": code})
    page = here.get(done["Location"])
    offered = 'name="end" value="others"' in page.text
    assert (page.status_code, jona.authenticator_set.count() > 0, offered) == (
        200, True, elsewhere,
    )  # fmt: skip
    if there:
        here.post("/me/sessions/", {"end": "others"})
        assert (is_in(here), is_in(there)) == (True, False)
        assert 'name="end" value="others"' not in here.get("/accounts/2fa/").text


def test_administrator_ends_somebodys_sessions_and_the_ways_in_stay(jona, mirja, person):
    visitors, other = [log_in(jona), log_in(jona, PHONE)], log_in(mirja)
    piet = browser(person("Piet", "administrator"))
    wrong = piet.post("/system/roles/", {"act": "log_out", "whose": "nobody@example.org"})
    assert (wrong.status_code, "nobody@example.org" in wrong.text) == (422, True)
    page = piet.post("/system/roles/", {"act": "log_out", "whose": jona.email.upper()}, follow=True)
    assert "Jona Harms is logged out everywhere." in page.text
    assert [is_in(one) for one in [*visitors, other]] == [False, False, True]
    entry = AuditEntry.objects.get(act="login.ended")
    assert (entry.subject_id, entry.facts) == (str(jona.pk), {"sessions": 2})
    again = log_in(jona)
    call_command("botschaft", "person", "log-out", jona.email)
    assert (is_in(again), AuditEntry.objects.filter(act="login.ended").count()) == (False, 2)
    assert is_in(log_in(jona))


@pytest.mark.parametrize("role", ["hr", "curator", "auditor", "legal"])
def test_nobody_else_ends_somebodys_sessions(jona, person, role):
    visitor = log_in(jona)
    browser(person("Selin", role)).post("/system/roles/", {"act": "log_out", "whose": jona.email})
    assert is_in(visitor)


@pytest.mark.django_db
def test_session_that_gets_another_key_as_it_is_ended_is_ended(jona, mirja):
    """A fresh proof and changed roles give it one, and would have made it anew."""
    going = SessionStore(browser(jona).session.session_key)
    assert going["began_at"]  # a request has begun and has read it
    logins.log_out(person=jona, by=mirja, now=timezone.now())
    with contextlib.suppress(SessionInterrupted):
        going.cycle_key()
    assert not LoginSession.objects.filter(person=jona).exists()


def meanwhile(monkeypatch, act):
    """Act once at the moment in which a session has looked at its row and not yet written."""
    draws = SessionStore._get_new_session_key

    def draw(store):
        monkeypatch.setattr(SessionStore, "_get_new_session_key", draws)
        act()
        return draws(store)

    monkeypatch.setattr(SessionStore, "_get_new_session_key", draw)


def test_session_that_is_ended_between_look_and_write_does_not_come_back(jona, mirja, monkeypatch):
    visitor = log_in(jona)
    going = SessionStore(visitor.session.session_key)
    assert going["began_at"]
    meanwhile(monkeypatch, lambda: logins.log_out(person=jona, by=mirja, now=timezone.now()))
    with pytest.raises(SessionInterrupted):
        going.cycle_key()
    going.modified = True
    with pytest.raises(UpdateError):  # as the end of the request writes it
        going.save()
    assert not LoginSession.objects.filter(person=jona).exists()


def test_fresh_proof_of_a_session_that_is_ended_meanwhile_opens_nothing(jona, mirja, monkeypatch):
    visitor = log_in(jona)
    meanwhile(monkeypatch, lambda: logins.log_out(person=jona, by=mirja, now=timezone.now()))
    Role.objects.create(person=jona, name="hr")  # its key changes with the roles
    answer = visitor.get("/me/")
    assert (answer.status_code, LoginSession.objects.filter(person=jona).count()) == (400, 0)
    assert not is_in(visitor)


@pytest.mark.django_db(transaction=True)
def test_key_that_is_just_being_changed_is_ended_with_the_old_one(jona, mirja):
    """Two connections: the end waits for the change to be written, and ends what it became."""
    going = SessionStore(browser(jona).session.session_key)
    ended = []

    def end():
        ended.append(logins.log_out(person=jona, by=mirja, now=timezone.now()))
        connection.close()

    other = threading.Thread(target=end)
    with transaction.atomic():
        going.cycle_key()
        other.start()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not waits_for_a_lock():
            time.sleep(0.02)
        assert waits_for_a_lock()
    other.join(20)
    assert (ended, LoginSession.objects.filter(person=jona).count()) == ([1], 0)


def waits_for_a_lock():
    with connection.cursor() as asking:
        asking.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return asking.fetchone()[0] > 0


def test_own_other_session_is_ended_though_its_key_changes_at_that_moment(jona, monkeypatch):
    here, there = log_in(jona), log_in(jona, PHONE)
    [name] = re.findall(r'name="end" value="([0-9a-f]+)"', here.get("/me/sessions/").text)
    going = SessionStore(there.session.session_key)
    compare = sessions.constant_time_compare

    def renewed_first(found, asked):
        if found == asked:
            going.cycle_key()
        return compare(found, asked)

    monkeypatch.setattr(sessions, "constant_time_compare", renewed_first)
    here.post("/me/sessions/", {"end": name})
    there.cookies["sessionid"] = going.session_key
    assert (is_in(here), is_in(there)) == (True, False)
