"""Roles that stop, approve or administer rest without a second factor (ASVS 6.3.3)."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from advocacy import settings as ours
from advocacy.policies import policy_for
from ambassadors.models import Role
from integrations import recovery_codes, rotation, sealing

from .conftest import browser
from .test_company_login import OIDC, Browser, _spoiled, configured, op, openid_provider  # noqa: F401
from .test_doors import addresses
from .test_stepup import led
from .test_tokens import NEW_KEY

pytestmark = pytest.mark.django_db
THERE = (302, "/me/second/")
PASSWORD, SECRET = "moin-moin-nordwind", "JBSWY3DPEHPK3PXP"
ROOM = {
    "administrator": "/people/directory/",
    "curator": "/desk/",
    "legal": "/desk/reviews/",
    "hr": "/people/leaving/",
    "auditor": "/record/",
}


@pytest.fixture(autouse=True)
def _required(settings):
    settings.MFA_REQUIRED_ROLES = ours.MFA_ROLES


def code():
    """What the authenticator shows now."""
    return format_hotp_value(hotp_value(SECRET, next(yield_hotp_counters_from_time())))


def log_in(who):
    """A browser that gave the password; and where that led."""
    visitor = Client()
    answer = visitor.post(
        "/accounts/login/", {"login": who.email, "password": PASSWORD}, follow=True
    )
    return visitor, answer


def test_roles_are_those_of_the_contract():
    assert set(ours.MFA_ROLES) == set(ROOM)


@pytest.mark.django_db(transaction=True)  # allauth tells of it after the commit
@pytest.mark.parametrize("role", sorted(ROOM))
def test_role_rests_until_there_is_a_second_factor(role, person):
    who = person("Dilan Kaya", role)
    visitor, first = log_in(who)
    assert first.redirect_chain[-1][0] == "/me/second/"
    assert str(Role.Name(role).label) in first.content.decode()
    assert led(visitor.get(ROOM[role])) == (302, "/me/second/")
    assert led(visitor.post(ROOM[role])) == (302, "/me/second/")
    assert [visitor.get(path).status_code for path in ("/", "/me/", "/me/data/")] == [200] * 3
    page = visitor.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="authenticator_secret"[^>]*value="([A-Z2-7]+)"', page)[1]
    shown = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    set_up = visitor.post("/accounts/2fa/totp/activate/", {"code": shown})
    assert led(set_up) == (302, "/me/second/codes/"), set_up.content.decode()
    assert visitor.get(ROOM[role]).status_code == 200
    assert "/me/second/" not in visitor.get("/").content.decode()
    visitor.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.count() == 0
    assert led(visitor.get(ROOM[role])) == (302, "/me/second/")


@pytest.mark.parametrize("role", sorted(ROOM))
def test_every_page_of_the_role_is_closed_meanwhile(role, person, rf):
    """All that its policy opens for the role and not for a colleague leads to the second factor."""
    who, colleague = person("Dilan Kaya", role), person("Jona Harms")
    visitor = browser(who)
    asked, wrong = rf.get("/"), []
    rooms = []
    for name, path in addresses():
        policy, opens = policy_for(name), []
        for asked.user in (who, colleague):
            opens.append(policy(asked))
        if opens == [True, False]:
            rooms.append(name)
            wrong += [(name, m) for m in ("get", "post") if led(getattr(visitor, m)(path)) != THERE]
    assert (len(rooms) > 4, wrong) == (True, [])


def test_authenticator_at_the_login_wakes_the_role(person):
    who = person("Dilan Kaya", "curator")
    TOTP.activate(who, SECRET)
    visitor, asked = log_in(who)
    assert asked.redirect_chain[-1][0] == "/accounts/2fa/authenticate/"
    assert led(visitor.get("/desk/"))[1] == "/accounts/login/"
    done = visitor.post("/accounts/2fa/authenticate/", {"code": code()})
    assert led(done) == (302, "/")
    assert visitor.get("/desk/").status_code == 200


def test_code_counts_once(person):
    who = person("Dilan Kaya", "curator")
    TOTP.activate(who, SECRET)
    two = [log_in(who)[0] for _ in range(2)]
    shown = {"code": code()}
    statuses = [visitor.post("/accounts/2fa/authenticate/", shown).status_code for visitor in two]
    assert statuses == [302, 200]


def test_old_session_has_no_role_either(person):
    """A session from before the setting, or one that a stolen password opened by another way."""
    assert led(browser(person("Dilan Kaya", "curator")).get("/desk/")) == (302, "/me/second/")


def test_resting_role_counts_in_no_verb_and_no_page(person, topic):
    who = person("Dilan Kaya", "curator")
    visitor = browser(who)
    visitor.post(f"/desk/topics/{topic.pk}/hold/", {"reason": "Wait."})
    topic.refresh_from_db()
    assert not topic.is_held
    page = visitor.get("/").content.decode()
    assert 'href="/desk/"' not in page
    assert "rests until you have a second factor" in page


def test_role_that_needs_none_works_at_once(person, settings):
    settings.MFA_REQUIRED_ROLES = ["administrator"]
    visitor, first = log_in(person("Heike Clausen", "auditor"))
    assert first.redirect_chain[-1][0] == "/"
    assert visitor.get("/record/").status_code == 200


def test_demo_is_exempt_and_only_the_demo(settings, person):
    settings.DEMO = True
    piet = person("Piet", "administrator")
    piet.email = "piet.lorenzen@nordwind-energie.example"
    piet.save()
    visitor = Client()
    visitor.get("/demo/administrator/")
    assert visitor.get("/people/directory/").status_code == 200
    settings.DEMO = False
    assert led(visitor.get("/people/directory/")) == (302, "/me/second/")


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "mfa"}, False),  # RFC 8176: a list
        ({"acr": "mfa"}, True),
        ({}, False),
    ],
)
def test_company_that_says_how_somebody_logged_in_spares_the_second(op, jona, said, counts):
    Role.objects.create(person=jona, name="administrator")
    op.spoil = _spoiled(op, said)
    came = Browser()
    came.press(OIDC)
    page = came.open("/people/directory/")
    assert (page.url.endswith("/people/directory/"), page.url.endswith("/me/second/")) == (
        counts,
        not counts,
    )


# Everybody -----------------------------------------------------------------------------------


@pytest.fixture
def everybody(settings):
    settings.MFA_REQUIRED_ROLES = [*ours.MFA_ROLES, "everybody"]


@pytest.mark.parametrize(
    ("env", "required"),
    [
        ({}, [*ours.MFA_ROLES, "everybody"]),
        ({"OIDC_SERVER_URL": "https://login.example"}, ours.MFA_ROLES),
        ({"SAML_SSO_URL": "https://login.example"}, ours.MFA_ROLES),
        ({"OIDC_SERVER_URL": "https://l.example", "MFA_REQUIRED_ROLES": "everybody"},
         [*ours.MFA_ROLES, "everybody"]),
        ({"MFA_REQUIRED_ROLES": "administrator"}, ["administrator"]),
        ({"MFA_REQUIRED_ROLES": ""}, []),
    ],
)  # fmt: skip
def test_everybody_needs_one_where_the_company_has_no_login(env, required):
    say = "from advocacy import settings; print(settings.MFA_REQUIRED_ROLES)"
    plain = {k: v for k, v in os.environ.items() if k != "MFA_REQUIRED_ROLES"}
    told = subprocess.run(
        [sys.executable, "-c", say], env=plain | env, capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(told.stdout) == required


def test_one_factor_opens_nothing_but_the_way_to_a_second(everybody, jona, rf):
    visitor, first = log_in(jona)
    assert first.redirect_chain[-1][0] == "/me/second/"
    assert "Everybody here needs one." in first.text
    asked = rf.get("/")
    asked.user = AnonymousUser()
    closed = [
        (name, path)
        for name, path in addresses()
        if not policy_for(name)(asked) and name not in {"second_factor", "stepup"}
    ]
    asked.user = jona
    own = [path for name, path in closed if policy_for(name)(asked)]
    assert len(own) > 60
    for method in (visitor.get, visitor.post):
        assert [path for path in own if led(method(path)) != THERE] == []
    assert visitor.get("/accounts/2fa/totp/activate/").status_code == 200
    assert visitor.get("/ask/").status_code in {200, 404}


def test_code_of_the_authenticator_or_the_companys_login_opens_everything(everybody, jona, op):
    TOTP.activate(jona, SECRET)
    visitor, _asked = log_in(jona)
    assert led(visitor.post("/accounts/2fa/authenticate/", {"code": code()})) == (302, "/")
    assert visitor.get("/ideas/").status_code == 200
    Role.objects.create(person=jona, name="administrator")
    Authenticator.objects.all().delete()
    came = Browser()
    came.press(OIDC)
    assert came.open("/ideas/").status_code == 200
    assert came.open("/people/directory/").url.endswith("/me/second/")


# At rest -------------------------------------------------------------------------------------


def rows():
    return json.dumps(list(Authenticator.objects.values_list("data", flat=True)))


def test_keys_are_sealed_and_change_with_the_key(person, settings):
    who = person("Dilan Kaya", "curator")
    TOTP.activate(who, SECRET)
    row, codes = recovery_codes.make(who, now=timezone.now())
    assert SECRET not in rows()
    assert [spare for spare in codes if spare in rows()] == []
    settings.TOKEN_KEYS = [NEW_KEY, *settings.TOKEN_KEYS]
    assert (sum(rotation.rotate()), sum(rotation.rotate())) == (2, 0)
    settings.TOKEN_KEYS = [NEW_KEY]
    assert TOTP(who.authenticator_set.get(type="totp")).validate_code(code())
    row.refresh_from_db()
    assert (recovery_codes.use(row, codes[3]), recovery_codes.left(row)) == (True, 10)


def test_key_that_is_gone_opens_nothing(person, settings):
    TOTP.activate(who := person(), SECRET)
    settings.TOKEN_KEYS = [NEW_KEY]
    with pytest.raises(sealing.SealBroken):
        TOTP(who.authenticator_set.get()).validate_code(code())


def test_migration_seals_what_lay_open(person):
    who = person()
    Authenticator.objects.create(user=who, type="totp", data={"secret": SECRET})
    spare = {"migrated_codes": ["code one", "code two"], "used_mask": 2}
    Authenticator.objects.create(user=who, type="recovery_codes", data=spare)
    key = {"credential": {"id": "x"}, "passwordless": True}
    Authenticator.objects.create(user=who, type="webauthn", data=key)
    importlib.import_module("integrations.migrations.0007_seal_second_factors").seal(apps, None)
    assert TOTP(who.authenticator_set.get(type="totp")).validate_code(code())
    kept = who.authenticator_set.get(type="recovery_codes")
    assert (kept.wrap().get_unused_codes(), kept.data["used_mask"]) == (["code one", "code two"], 2)
    assert who.authenticator_set.get(type="webauthn").data == key
    assert (SECRET in rows(), "code two" in rows()) == (False, False)
