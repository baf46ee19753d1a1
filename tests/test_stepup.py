"""What an open screen must not be enough for asks again who it is (ASVS 7.5.1)."""

import re
import time
from types import SimpleNamespace

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from advocacy import accounts, policies
from ambassadors.models import LoginSession, PrivateAddress, Role
from campaigns import holds
from integrations import recovery_codes
from people.models import ScimToken

from .conftest import browser
from .test_company_login import (  # noqa: F401 - fixtures among them
    HERE,
    OIDC,
    Browser,
    configured,
    identity_provider,
    idp,
    op,
    openid_provider,
    saml_answer,
)
from .test_doors import addresses

pytestmark = pytest.mark.django_db
ASKED = (302, "/me/again/")
PASSWORD = "moin-moin-nordwind"


def stale(who):
    """A browser whose person proved an hour ago who they are."""
    made = browser(who)
    session = made.session
    session["proved_at"] = time.time() - 3600
    session.save()
    return made


def led(answer):
    """Where an answer leads."""
    return (answer.status_code, answer.headers.get("Location", "").partition("?")[0])


def hidden(page):
    main = page.content.decode().partition("<main")[2].partition("</main>")[0]
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', main))


@pytest.fixture
def administrator(person):
    return person("Piet Lorenzen", "administrator")


def test_key_is_made_only_after_a_fresh_proof_and_nothing_typed_is_lost(administrator):
    visitor = stale(administrator)
    typed = {"name": "Entra & Söhne", "days": "90"}
    asked = visitor.post("/people/directory/keys/", typed)
    assert led(asked) == ASKED
    page = visitor.get(asked["Location"])
    assert led(page) == (302, "/accounts/reauthenticate/")
    form = visitor.get(page["Location"])
    assert "Once more: is it you?" in form.content.decode()
    wrong = visitor.post(page["Location"], {**hidden(form), "password": "wrong"})
    assert (wrong.status_code, ScimToken.objects.count()) == (200, 0)
    right = visitor.post(page["Location"], {**hidden(form), "password": PASSWORD})
    assert led(right) == ASKED
    back = visitor.get(right["Location"])
    assert 'action="/people/directory/keys/"' in back.content.decode()
    kept = hidden(back)
    assert (kept["name"], kept["days"]) == ("Entra &amp; Söhne", "90")
    assert ScimToken.objects.count() == 0
    assert visitor.post("/people/directory/keys/", typed).status_code == 200
    assert ScimToken.objects.get().name == "Entra & Söhne"


def test_everything_declared_asks_when_it_is_posted_to(person):
    visitor = stale(person("Alle Rollen", "administrator", "curator", "hr", "auditor", "legal"))
    paths = {name: path for name, path in addresses() if name in policies.FRESH}
    assert paths.keys() == policies.FRESH
    assert [n for n, path in paths.items() if led(visitor.post(path)) != ASKED] == []
    looked = ("my_data", "evidence", "chats", "team_new", "erase_me", "system")
    assert [n for n in looked if led(visitor.get(paths[n])) == ASKED] == []


@pytest.mark.parametrize("name", sorted(policies.FRESH_PAGES))
def test_page_that_shows_a_way_in_asks_already_when_it_is_opened(name, jona):
    args = [1] if name in {"mfa_remove_webauthn", "mfa_edit_webauthn"} else []
    assert led(stale(jona).get(reverse(name, args=args))) == ASKED
    assert led(Client().get(reverse(name, args=args)))[1].startswith("/accounts/login/")


def test_hold_never_asks_and_its_end_does(mirja, topic):
    visitor = stale(mirja)
    held = visitor.post(f"/desk/topics/{topic.pk}/hold/", {"reason": "Wait."})
    topic.refresh_from_db()
    assert (topic.is_held, led(held)[1].startswith("/desk/holds/")) == (True, True)
    assert not {"hold", "hold_suggestion", "hold_programme"} & policies.FRESH
    assert led(visitor.post(f"/desk/topics/{topic.pk}/release/")) == ASKED
    topic.refresh_from_db()
    assert topic.is_held


def test_login_itself_is_a_proof(administrator):
    visitor = browser(administrator)
    assert visitor.post("/people/directory/keys/", {"name": "Okta"}).status_code == 200


def test_proof_ages(administrator, settings):
    visitor = browser(administrator)
    settings.STEPUP_MINUTES = 0
    assert led(visitor.post("/people/directory/keys/", {"name": "Okta"})) == ASKED


def test_erasure_asks_and_taking_the_wish_back_does_not(jona):
    visitor = stale(jona)
    assert led(visitor.post("/me/data/erase/", {"act": "erase"})) == ASKED
    assert led(visitor.post("/me/data/erase/", {"act": "take_back"})) == (302, "/me/data/erase/")


def test_an_open_screen_is_not_enough_to_have_ones_data_sent_elsewhere(jona):
    asked = stale(jona).post("/me/data/address/", {"address": "thief@elsewhere.example"})
    assert (led(asked), PrivateAddress.objects.count()) == (ASKED, 0)


def test_a_word_in_the_form_opens_no_other_door(topic, mirja, administrator):
    """Only where an erasure is taken back does that word stop something."""
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=timezone.now())
    typed = {"act": "take_back", "name": "Okta"}
    assert led(stale(mirja).post(f"/desk/topics/{topic.pk}/release/", typed)) == ASKED
    assert led(stale(administrator).post("/people/directory/keys/", typed)) == ASKED
    topic.refresh_from_db()
    assert topic.is_held


def test_htmx_is_sent_to_the_proof_as_a_whole_page(administrator):
    answer = stale(administrator).post(
        "/people/directory/keys/", {"name": "x"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 204
    assert answer["HX-Redirect"].startswith("/me/again/?next=")


def test_kept_form_is_sealed_and_opens_for_its_person_alone(administrator, jona):
    visitor = stale(administrator)
    visitor.post("/chats/", {"service": "slack", "secret": "xoxb-very-secret"})
    row = LoginSession.objects.get(pk=visitor.session.session_key)
    assert "xoxb" not in str(row.get_decoded())
    other = browser(jona)
    session = other.session
    session["stepup"] = row.get_decoded()["stepup"]
    session.save()
    assert led(other.get("/me/again/")) == (302, "/")
    session = visitor.session
    session["proved_at"] = time.time()
    session.save()
    assert hidden(visitor.get("/me/again/"))["secret"] == "xoxb-very-secret"
    assert led(visitor.get("/me/again/")) == (302, "/")  # once


def test_page_that_asks_forgets_what_an_earlier_one_kept(administrator):
    """Who looks at their recovery codes must not be offered to make a key."""
    visitor = stale(administrator)
    visitor.post("/people/directory/keys/", {"name": "Okta"})
    visitor.get(reverse("recovery_codes"))
    session = visitor.session
    session["proved_at"] = time.time()
    session.save()
    assert led(visitor.get("/me/again/")) == (302, "/")


def test_next_leads_nowhere_else(jona):
    visitor = browser(jona)
    for ahead in ("https://evil.example/", "//evil.example/", "/me/again/?next=/x", "javascript:1"):
        assert led(visitor.get("/me/again/", {"next": ahead})) == (302, "/")
    assert led(visitor.get("/me/again/", {"next": "/me/data/"})) == (302, "/me/data/")


def test_code_of_the_authenticator_is_a_proof(administrator):
    TOTP.activate(administrator, generate_totp_secret())
    _row, (code, *_others) = recovery_codes.make(administrator, now=timezone.now())
    administrator.set_password(None)
    administrator.save()
    visitor = stale(administrator)
    asked = visitor.post("/people/directory/keys/", {"name": "Okta"})
    page = visitor.get(asked["Location"])
    assert led(page) == (302, "/accounts/2fa/reauthenticate/")
    form = visitor.get(page["Location"])
    done = visitor.post(page["Location"], {**hidden(form), "code": code})
    assert hidden(visitor.get(done["Location"]))["name"] == "Okta"


def test_who_has_neither_password_nor_device_logs_in_once_more(administrator, mailoutbox):
    EmailAddress.objects.create(
        user=administrator, email=administrator.email, verified=True, primary=True
    )
    administrator.set_password(None)
    administrator.save()
    visitor = stale(administrator)
    asked = visitor.post("/people/directory/keys/", {"name": "Okta"})
    page = visitor.get(asked["Location"])
    assert "Log in once more" in page.content.decode()
    out = visitor.post(asked["Location"])
    assert led(out) == (302, "/accounts/login/")
    login = visitor.get(out["Location"]).content.decode()
    way = re.search(r'action="(/accounts/login/code/[^"]*)"', login)[1]
    sent = visitor.post(way, {"email": administrator.email})
    code = re.search(r"\n([A-Z0-9]{3,}-?[A-Z0-9]*)\n", mailoutbox[0].body)[1]
    done = visitor.post(sent["Location"], {"code": code})
    assert led(done) == ASKED
    assert hidden(visitor.get(done["Location"]))["name"] == "Okta"


def test_demo_has_nothing_to_prove_by(settings, person):
    settings.DEMO = True
    piet = person("Piet", "administrator")
    piet.email = "piet.lorenzen@nordwind-energie.example"
    piet.save()
    visitor = Client()
    visitor.get("/demo/administrator/")
    session = visitor.session
    session["proved_at"] = 0
    session.save()
    assert visitor.post("/people/directory/keys/", {"name": "Okta"}).status_code == 200
    settings.DEMO = False
    assert led(visitor.post("/people/directory/keys/", {"name": "x"})) == ASKED


@pytest.fixture
def at_the_company(op, jona, monkeypatch):
    """Jona administers, comes by the company's login, and the provider says when they logged in."""
    Role.objects.create(person=jona, name="administrator")
    came = Browser()

    def when(at):
        monkeypatch.setattr(accounts, "proof", lambda _login: at)
        return came

    return when


def key(came):
    return came.post(f"{HERE}/people/directory/keys/", {"name": "Okta"})


def prove(came, page):
    way = re.search(r'action="(/accounts/oidc/[^"]+process=redirect[^"]+)"', page.text)[1]
    return came.press(way.replace("&amp;", "&"))


@pytest.mark.parametrize("says", [True, False])
def test_old_session_at_the_company_is_no_proof_and_a_new_login_there_is(at_the_company, op, says):
    came = at_the_company(time.time() - 3600 if says else None)
    came.press(OIDC)
    assert came.who == "Jona Harms"
    page = key(came)
    assert "Once more: is it you?" in page.text
    at_the_company(time.time())
    assert 'value="Okta"' in prove(came, page).text
    assert (key(came).status_code, ScimToken.objects.count()) == (200, 1)
    assert op.again == [("", "604800"), ("login", "0")]


def test_provider_that_does_not_say_when_gives_no_proof_and_a_mailed_code_does(
    at_the_company, jona, mailoutbox
):
    came = at_the_company(None)
    came.press(OIDC)
    page = prove(came, key(came))
    assert ("did not say when you logged in" in page.text, ScimToken.objects.count()) == (True, 0)
    assert "Once more: is it you?" in key(came).text
    EmailAddress.objects.create(user=jona, email=jona.email, verified=True, primary=True)
    login = came.post(f"{HERE}/me/again/", {})
    way = re.search(r'action="(/accounts/login/code/[^"]*)"', login.text)[1]
    sent = came.post(HERE + way, {"email": jona.email})
    code = re.search(r"\n([A-Z0-9]{3,}-?[A-Z0-9]*)\n", mailoutbox[0].body)[1]
    assert 'value="Okta"' in came.post(sent.url, {"code": code}).text


@pytest.mark.parametrize(("ago", "proves"), [(3600, False), (5, True)])
def test_saml_says_by_its_authn_instant_when_somebody_logged_in(idp, jona, ago, proves):
    Role.objects.create(person=jona, name="administrator")
    came = Browser()
    came.post(*saml_answer(came))
    LoginSession.objects.all().delete()
    came.post(*saml_answer(came))
    session = came.inside.session
    session["proved_at"] = 0
    session.save()
    page = key(came)
    way = re.search(r'action="(/accounts/saml/[^"]+process=redirect[^"]+)"', page.text)[1]
    idp.since = time.time() - ago
    came.post(*saml_answer(came, way.replace("&amp;", "&")))
    assert (key(came).status_code, ScimToken.objects.count()) == (200, int(proves))
    assert idp.again == [False, False, True]


def test_moment_that_has_not_come_yet_is_now(op):
    login = SimpleNamespace(account=SimpleNamespace(extra_data={"id_token": {"auth_time": 9e12}}))
    assert accounts.proof(login) <= time.time()


def test_provider_that_let_somebody_through_without_asking_gives_no_proof(at_the_company):
    came = at_the_company(time.time() - 3600)
    came.press(OIDC)
    assert "Once more: is it you?" in prove(came, key(came)).text
    assert ScimToken.objects.count() == 0


@pytest.mark.parametrize("left_out", ["", "&auth_params=prompt%3Dnone"])
def test_new_login_there_is_asked_for_whatever_the_address_says(at_the_company, op, left_out):
    came = at_the_company(None)
    came.press(OIDC)
    way = OIDC.partition("?")[0]
    came.press(f"{way}?process=redirect&next=/me/again/{left_out}")
    assert op.again[1:] == [("login", "0")]


def test_provider_says_when_somebody_logged_in(op, jona, monkeypatch):
    heard = []
    real = accounts.proof
    monkeypatch.setattr(accounts, "proof", lambda login: heard.append(real(login)) or heard[0])
    Browser().press(OIDC)
    assert abs(heard[0] - time.time()) < 60


def test_somebody_elses_company_login_proves_nothing(at_the_company, person):
    came = at_the_company(None)
    came.press(OIDC)
    page = key(came)
    SocialAccount.objects.update(user=person("Mirja"))
    assert "somebody else" in prove(came, page).text
    assert "Once more: is it you?" in key(came).text
