"""Recovery codes are shown once, kept as hashes, and each opens once (ASVS 6.5.2)."""

import importlib
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.apps import apps
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from advocacy.factor_codes import SetUpApp, SetUpKey
from integrations import recovery_codes, second_factors

from .conftest import browser
from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401 - a fixture
from .test_second_factor import SECRET, code, log_in
from .test_stepup import led, stale
from .test_tokens import NEW_KEY

pytestmark = pytest.mark.django_db
PAGE, STEP = "/me/second/codes/", "/accounts/2fa/authenticate/"
ENGLISH = {"HTTP_ACCEPT_LANGUAGE": "en"}
SHOWN = r"[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}"


@pytest.fixture(autouse=True)
def _nobody_has_tried():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def codes(jona):
    """Ten, of somebody with a device."""
    TOTP.activate(jona, SECRET)
    return recovery_codes.make(jona, now=timezone.now())[1]


def proved(who):
    """A browser whose login was proved by the device."""
    made = browser(who)
    session = made.session
    session["second_factor"] = True
    session.save()
    return made


def opens(who, typed):
    """Whether a code lets its person in; a stranger's waits are forgotten."""
    cache.clear()
    visitor, _first = log_in(who)
    visitor.post(STEP, {"code": typed})
    return SESSION_KEY in visitor.session


def data():
    return Authenticator.objects.get(type="recovery_codes").data


def test_codes_are_shown_once_and_can_be_told_by_nobody(jona):
    TOTP.activate(jona, SECRET)
    visitor = proved(jona)
    assert "You have none yet." in visitor.get(PAGE).text
    made = visitor.post(PAGE)
    [text] = re.findall(r"<textarea[^>]*>([^<]+)<", made.text)
    shown = text.split()
    [file] = re.findall(r'href="data:text/plain;charset=utf-8,([^"]+)" download=', made.text)
    assert (len(set(shown)), re.findall(SHOWN, unquote(file))) == (10, shown)
    assert "no-store" in made["Cache-Control"]
    for again in (PAGE, "/accounts/2fa/", "/me/data/"):
        page = visitor.get(again).text
        assert [one for one in shown if one in page] == []
    assert "10 codes of those of" in visitor.get(PAGE).text
    assert not [one for one in shown if one in json.dumps(dict(visitor.session))]
    assert opens(jona, shown[4])
    assert "9 codes of those of" in visitor.get(PAGE).text


def test_what_is_kept_is_a_salted_slow_hash_under_a_seal(codes):
    """Argon2id at OWASP's cost or above it, one salt for a set and none for two."""
    kept = second_factors.unseal(data()["codes"])
    salt, *hashes = kept.split()
    assert (len(salt) >= 22, len(set(hashes))) == (True, 10)
    assert {one[:40] for one in hashes} == {
        "argon2$argon2id$v=19$m=19456,t=2,p=1$" + hashes[0][37:40]
    }
    assert Argon2PasswordHasher().verify(codes[0], hashes[0])
    text = json.dumps(data())
    assert [one for one in codes if one in kept or one in text] == []
    assert "argon2" not in text
    assert recovery_codes.hashed(codes)["codes"] != data()["codes"]


def test_one_try_costs_one_slow_hash_and_another_kind_of_code_none(codes, jona, monkeypatch):
    row, hashed = recovery_codes.of(jona), []
    real = recovery_codes._Hasher.encode
    monkeypatch.setattr(
        recovery_codes._Hasher, "encode", lambda *what: hashed.append(what) or real(*what)
    )
    assert not recovery_codes.use(row, "X" * 12)
    assert len(hashed) == 1
    for typed in ("123456", "", "X" * 13, "X" * 100_000):
        assert not recovery_codes.use(row, typed)
    assert len(hashed) == 1


@pytest.mark.parametrize(
    "hand",
    [
        str.lower,
        lambda one: f" {one[:4]} {one[4:8]}–{one[8:]} ",
        lambda one: one.replace("0", "o").replace("1", "l"),
    ],
)
def test_code_counts_as_people_type_it(codes, jona, hand):
    assert opens(jona, hand(codes[2]))


def test_code_opens_once_and_those_of_an_older_set_never(codes, jona):
    assert [opens(jona, codes[0]) for _n in range(2)] == [True, False]
    _row, newer = recovery_codes.make(jona, now=timezone.now())
    assert (opens(jona, codes[1]), opens(jona, newer[1])) == (False, True)
    assert recovery_codes.left(recovery_codes.of(jona)) == 9


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins_and_two_codes_both(codes, jona, monkeypatch):
    row, real = recovery_codes.of(jona), recovery_codes._kept

    def slowly(*what):
        """Between reading and writing others come."""
        time.sleep(0.4)
        return real(*what)

    monkeypatch.setattr(recovery_codes, "_kept", slowly)

    def use(typed):
        try:
            return recovery_codes.use(row, typed)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(use, [codes[0]] * 4 + [codes[1], codes[2]]))
    assert (sum(told[:4]), told[4:]) == (1, [True, True])
    assert recovery_codes.left(recovery_codes.of(jona)) == 7


def test_wrong_code_gets_a_sentence(codes, jona):
    visitor, _first = log_in(jona)
    answer = visitor.post(STEP, {"code": "ABCD-EFGH-JKMN"}, **ENGLISH)
    assert (answer.status_code, "Incorrect code." in answer.text) == (200, True)
    assert 'value="ABCD-EFGH-JKMN"' in answer.text


@pytest.mark.parametrize("of_the_device", [True, False])
def test_guessing_codes_is_slow(codes, jona, of_the_device):
    visitor, _first = log_in(jona)
    for n in range(5):
        visitor.post(STEP, {"code": f"{n:06}" if of_the_device else f"{n:012}"})
    answer = visitor.post(STEP, {"code": code() if of_the_device else codes[0]}, **ENGLISH)
    assert "That was tried too often. Wait a moment, 15 minutes at most." in answer.text
    assert SESSION_KEY not in visitor.session
    assert recovery_codes.left(recovery_codes.of(jona)) == 10


def test_fresh_proof_by_guessing_is_slow_too(codes, jona):
    visitor = stale(jona)
    for n in range(5):
        visitor.post("/accounts/2fa/reauthenticate/", {"code": f"{n:012}"})
    answer = visitor.post("/accounts/2fa/reauthenticate/", {"code": codes[0]})
    assert "That was tried too often." in answer.text


def test_codes_of_before_are_hashed_by_the_migration_and_go_on_counting(jona):
    TOTP.activate(jona, SECRET)
    old = RecoveryCodes.activate(jona)
    paper = old.get_unused_codes()
    assert old.validate_code(paper[0])
    migration = importlib.import_module("integrations.migrations.0010_hash_recovery_codes")
    migration.hash_codes(apps, None)
    kept = data()
    migration.hash_codes(apps, None)
    assert (set(kept), data() == kept) == ({"codes", "migrated_codes"}, True)
    assert [opens(jona, paper[n]) for n in (0, 1, 1)] == [False, True, False]
    assert recovery_codes.left(recovery_codes.of(jona)) == 8
    assert opens(jona, code())


def test_seed_that_no_key_opens_is_an_empty_set_afterwards(jona, settings):
    RecoveryCodes.activate(jona)
    settings.TOKEN_KEYS = [NEW_KEY]
    importlib.import_module("integrations.migrations.0010_hash_recovery_codes").hash_codes(
        apps, None
    )
    assert recovery_codes.left(recovery_codes.of(jona)) == 0


def test_set_that_an_old_process_made_meanwhile_opens_nothing_and_breaks_nothing(jona):
    TOTP.activate(jona, SECRET)
    paper = RecoveryCodes.activate(jona).get_unused_codes()
    assert (opens(jona, "1" * 12), opens(jona, code())) == (False, True)
    assert "0 codes of those of" in proved(jona).get(PAGE).text
    assert opens(jona, paper[0])  # by allauth's own code, until the set is renewed
    assert len(re.findall(SHOWN, proved(jona).post(PAGE).text)) >= 10


def test_codes_want_a_device_a_session_that_has_seen_it_and_a_fresh_proof(jona):
    assert led(proved(jona).post(PAGE)) == (302, "/me/second/")
    TOTP.activate(jona, SECRET)
    assert led(browser(jona).post(PAGE)) == (302, "/me/second/")
    visitor = stale(jona)
    session = visitor.session
    session["second_factor"] = True
    session.save()
    for ask in (visitor.get, visitor.post):
        assert led(ask(PAGE))[1].startswith("/me/again/")
    assert not Authenticator.objects.filter(type="recovery_codes").exists()


def test_with_the_last_device_the_codes_go(codes, jona):
    proved(jona).post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()


def test_first_device_leads_to_the_codes_and_the_next_one_does_not(jona, rf):
    for view, ahead in ((SetUpApp(), "/accounts/2fa/"), (SetUpKey(), "/accounts/2fa/")):
        view.request, view.did_generate_recovery_codes = rf.get("/"), False
        view.request.user = jona
        Authenticator.objects.all().delete()
        assert view.get_success_url() == PAGE
        recovery_codes.make(jona, now=timezone.now())
        assert view.get_success_url() == ahead


# In the browser ----------------------------------------------------------------------------------


def set_up(page, base, who):
    """Log in with the device, come to the codes, and make them."""
    page.goto(f"{base}/accounts/login/")
    page.get_by_text("With a password").click()
    page.locator("#l").fill(who.email)
    page.locator("#pw").fill("moin-moin-nordwind")
    page.locator("#pw").press("Enter")
    page.locator("[name=code]").fill(code())
    page.locator("[name=code]").press("Enter")
    page.wait_for_url(f"{base}/")
    page.goto(f"{base}{PAGE}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")])
def test_page_of_codes_is_whole_on_phone_and_desk(jona, chromium, live_server, size, scheme):
    TOTP.activate(jona, SECRET)
    visitor = Visitor(chromium, live_server.url, size)
    visitor.page.emulate_media(color_scheme=scheme)
    set_up(visitor.page, live_server.url, jona)
    visitor.check()
    visitor.page.get_by_role("button", name="Make ten codes").click()
    visitor.page.get_by_role("link", name="Download as text").wait_for()
    visitor.check()
    visitor.page.get_by_role("link", name="I have kept them").click()
    visitor.page.get_by_role("heading", name="Recovery codes").wait_for()
    visitor.check()
    assert visitor.trouble == []


@pytest.mark.django_db(transaction=True)
def test_codes_can_be_downloaded_without_javascript(jona, chromium, live_server, tmp_path):
    TOTP.activate(jona, SECRET)
    page = chromium.new_context(java_script_enabled=False, locale="en-GB").new_page()
    set_up(page, live_server.url, jona)
    page.get_by_role("button", name="Make ten codes").click()
    with page.expect_download() as told:
        page.get_by_role("link", name="Download as text").click()
    told.value.save_as(tmp_path / "codes.txt")
    lines = (tmp_path / "codes.txt").read_text().split()
    found = [line for line in lines if re.fullmatch(SHOWN, line)]
    assert (told.value.suggested_filename, len(found)) == ("botschaft-recovery-codes.txt", 10)
    assert opens(jona, found[9])
