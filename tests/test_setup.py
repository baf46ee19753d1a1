"""How the installation is set up: the company's ink, networks, a mail to try, ways in."""

import re
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.core import mail
from django.test import Client

from advocacy import ink
from ambassadors.models import AuditEntry

from .conftest import browser
from .test_second_factor import SECRET, code, log_in

pytestmark = pytest.mark.django_db
BASE = (Path(__file__).parents[1] / "static" / "css" / "base.css").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def admin(person):
    return person("Ada Brandt", "administrator")


@pytest.fixture
def page(admin):
    return browser(admin)


def of_base(name):
    """A colour of base.css on light and on dark pages."""
    return re.search(
        rf"--{name}:\s*light-dark\((#[0-9a-f]{{6}}), (#[0-9a-f]{{6}})\)", BASE
    ).groups()


def test_grounds_and_usual_colours_are_those_of_the_style_sheet():
    assert (ink.USUAL.light, ink.USUAL.dark) == of_base("own")
    for place, ground in enumerate((ink.LIGHT, ink.DARK)):
        shown = [ink._hex(c) for c in (ground.page, ground.surface, ground.on_own)]
        assert shown == [of_base(name)[place] for name in ("page", "surface", "on-own")]


def test_usual_colours_pass_their_own_test():
    assert ink.weakest(ink.USUAL.light, ink.LIGHT) >= ink.LEAST
    assert ink.weakest(ink.USUAL.dark, ink.DARK) >= ink.LEAST


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [((0, 0, 0), (255, 255, 255), 21.0), ((119, 119, 119), (255, 255, 255), 4.48)],
)
def test_contrast_is_that_of_wcag(one, other, found):
    """Black on white is 21; #777 on white is 4.48 and the best known near miss."""
    assert ink.contrast(one, other) == pytest.approx(found, abs=0.005)
    assert ink.contrast(other, one) == ink.contrast(one, other)


def test_company_colour_reaches_every_page_at_once_and_strangers_too(page, jona):
    assert "ink.css" not in page.get("/").text
    answer = page.post("/system/setup/", {"light": "#E20074", "dark": "#ff8ac4"})
    assert answer.status_code == 422  # magenta on the light page: 4.2
    answer = page.post("/system/setup/", {"light": "#B3005C", "dark": "#ff8ac4"})
    assert answer.status_code == 302
    for who, path in ((page, "/"), (browser(jona), "/"), (Client(), "/accounts/login/")):
        shown = who.get(path).text
        address = re.search(r'href="(/ink\.css\?v=\d+)"', shown)[1]
        sheet = who.get(address)
        assert sheet["Content-Type"] == "text/css; charset=utf-8"
        assert "immutable" in sheet["Cache-Control"]
        assert "--own: light-dark(#b3005c, #ff8ac4);" in sheet.text
    assert AuditEntry.objects.get(act="ink.changed").facts["light"] == "#b3005c"


def test_usual_colours_need_no_style_sheet_of_their_own(page):
    page.post("/system/setup/", {"light": "#b3005c", "dark": "#ff8ac4"})
    page.post("/system/setup/", {"light": ink.USUAL.light, "dark": ink.USUAL.dark})
    assert "ink.css" not in page.get("/").text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"light": "#ffcc00", "dark": "#ff8ac4"}, "On light pages it reaches a contrast of 1."),
        ({"light": "#b3005c", "dark": "#b3005c"}, "On dark pages it reaches a contrast of 2."),
        ({"light": "red;}body{}", "dark": "#ff8ac4"}, "Write a colour as # and six digits"),
        ({"light": "#b3005c"}, "Write a colour as # and six digits"),
    ],
)
def test_colour_that_is_hard_to_read_is_refused_beside_its_field(page, typed, sentence):
    answer = page.post("/system/setup/", typed, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert f'value="{typed.get("dark", "")}"' in answer.text  # nothing typed is lost
    assert ink.stamp() == ""


def test_file_that_cannot_be_read_leaves_the_usual_colours(page):
    (settings.MEDIA_ROOT / "ink.json").write_text("{")
    sheet = page.get("/ink.css")
    assert f"light-dark({ink.USUAL.light}, {ink.USUAL.dark})" in sheet.text


def test_networks_say_what_to_register_and_no_secret(page, settings):
    settings.NETWORK_APPS = {
        "linkedin": {"client_id": "li-1", "client_secret": "app-secret", "options": {}}
    }
    shown = page.get("/system/setup/").text
    assert f"{settings.SITE_URL}/connect/cb/linkedin/" in shown
    assert "X_CLIENT_ID" in shown
    assert "LINKEDIN_CLIENT_ID" not in shown
    assert "app-secret" not in shown


def test_second_factor_is_told_with_whom_it_binds(page, admin, settings):
    assert "A second factor is required of nobody." in page.get("/system/setup/").text
    settings.MFA_REQUIRED_ROLES = ["administrator", "everybody"]
    TOTP.activate(admin, SECRET)
    visitor, _asked = log_in(admin)
    visitor.post("/accounts/2fa/authenticate/", {"code": code()})
    assert "A second factor is required of everybody." in visitor.get("/system/setup/").text


def test_mail_to_try_goes_to_who_asks_alone(page, admin):
    answer = page.post("/system/setup/mail/", follow=True)
    assert [message.to for message in mail.outbox] == [[admin.email]]
    assert admin.email in answer.text


def test_mail_server_that_does_not_answer_is_told_in_its_words(page, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = page.post("/system/setup/mail/", follow=True)
    assert "Connection refused" in answer.text


def test_company_login_shows_what_the_provider_must_know(page, settings):
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"APPS": [_oidc()]},
        "saml": {"APPS": [_saml()]},
    }
    shown = page.get("/system/setup/").text
    assert "https://login.example.org" in shown
    for path in ("oidc/company/login/callback/", "saml/company/acs/", "saml/company/metadata/"):
        assert f"{settings.SITE_URL}/accounts/{path}" in shown
    assert "oidc-secret" not in shown


def _oidc():
    return {
        "provider_id": "company", "name": "Company", "client_id": "b", "secret": "oidc-secret",
        "settings": {"server_url": "https://login.example.org", "scope": ["openid"], "groups": "", "external_id": "sub"},
    }  # fmt: skip


def _saml():
    idp = {"entity_id": "urn:idp", "metadata_url": "https://login.example.org/saml"}
    return {
        "provider_id": "company-saml", "client_id": "company", "name": "Company",
        "settings": {"idp": idp, "attributes": {}, "advanced": {}},
    }  # fmt: skip
