"""Logging in at the company: two real providers over HTTP, and everything that must be refused."""

import base64
import copy
import html
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptojwt.jwk.ec import new_ec_key
from cryptojwt.jwk.rsa import new_rsa_key
from django.test import Client
from django.utils import timezone
from lxml import etree

from advocacy import accounts, company, doctor, provider_keys
from ambassadors import company_logins, groups, memberships
from ambassadors.models import AuditEntry, LoginSession, Membership, Person, Role, Team, TeamKind

from .conftest import browser
from .idp.oidc import CLIENT, SECRET, OpenIDProvider, stranger
from .idp.saml import IdentityProvider, form_of, key_pair, packed
from .test_loop import DESKTOP, Visitor, chromium  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
OIDC, SAML = "/accounts/oidc/company/login/", "/accounts/saml/company/login/"
ARRIVE = "/accounts/saml/company/acs/"
MAIL, NAME = "urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:2.16.840.1.113730.3.1.241"
GROUPS = "urn:oid:1.3.6.1.4.1.5923.1.5.1.1"
HERE = "http://testserver"


class Answer:
    """What a browser shows in the end."""

    def __init__(self, url, status, text, location):
        self.url, self.status_code, self.text, self.location = url, status, text, location


def refreshed(text):
    """Where a page leads on by itself."""
    found = re.search(r'<meta http-equiv="refresh" content="0;url=([^"]+)"', text)
    return found and html.unescape(found[1])


class Browser:
    """Goes from page to page over redirects: to our pages in this process, elsewhere over HTTP.

    With a live server's address everything goes over HTTP.
    """

    def __init__(self, base=HERE):
        self.base, self.inside, self.outside = (
            base,
            Client(HTTP_HOST="testserver"),
            requests.Session(),
        )
        self.inside.cookies["django_language"] = "en"
        self.outside.cookies.set("django_language", "en")

    def once(self, method, url, data=None):
        """One request."""
        if url.startswith(HERE):
            path = url.removeprefix(HERE)
            found = self.inside.get(path) if method == "GET" else self.inside.post(path, data)
            text, location = found.content.decode(), found.headers.get("Location")
            return Answer(url, found.status_code, text, location or refreshed(text))
        if method == "POST" and url.startswith(self.base):
            data = {**(data or {}), "csrfmiddlewaretoken": self.outside.cookies["csrftoken"]}
        found = self.outside.request(method, url, data=data, allow_redirects=False)
        location = found.headers.get("Location") or refreshed(found.text)
        return Answer(url, found.status_code, found.text, location)

    def send(self, method, url, data=None):
        """A request, and wherever it leads."""
        answer = self.once(method, url, data)
        for _hop in range(12):
            if not answer.location:
                return answer
            answer = self.once("GET", urljoin(answer.url, answer.location))
        raise AssertionError(answer.url)

    def open(self, path):
        return self.send("GET", self.base + path)

    def post(self, url, data):
        return self.send("POST", url, data)

    def press(self, path):
        """Press the button of a company login."""
        if self.base != HERE:
            self.open("/accounts/login/")
        return self.send("POST", self.base + path)

    def forget(self):
        """Log out without telling anybody."""
        self.inside.cookies.clear()
        self.outside.cookies.clear()
        self.inside.cookies["django_language"] = "en"

    @property
    def who(self):
        """The name in the page's account menu, empty when nobody's."""
        found = re.search(r'aria-label="Account: ([^"]+)"', self.open("/notebook/").text)
        return found[1] if found else ""


@pytest.fixture
def visitor():
    return Browser


@pytest.fixture
def configured(settings):
    def set_up(kind, apps):
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": []},
            "saml": {"APPS": []},
            kind: {"OAUTH_PKCE_ENABLED": True, "APPS": apps},
        }

    return set_up


def trust_oidc(server, configured):
    """The settings of an administrator who connects this provider."""
    env = {
        "OIDC_SERVER_URL": server.base_url, "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_GROUPS_CLAIM": "groups", "OIDC_ID_CLAIM": "oid",
    }  # fmt: skip
    configured("openid_connect", company.oidc_apps(lambda k, d: env.get(k, d), "Nordwind"))


def trust_saml(server, configured, settings):
    """The settings of an administrator who connects this provider by its metadata."""
    settings.COMPANY_MAIL_DOMAINS = ["example.org"]
    env = {
        "SAML_METADATA_URL": server.entity_id, "SAML_IDP_ENTITY_ID": server.entity_id,
        "SAML_ATTRIBUTES": f"mail={MAIL},name={NAME},groups={GROUPS}",
    }  # fmt: skip
    configured("saml", company.saml_apps(lambda k, d: env.get(k, d), "Nordwind"))


@pytest.fixture(scope="module")
def openid_provider():
    with OpenIDProvider(f"{HERE}{OIDC}callback/") as server:
        yield server


@pytest.fixture(scope="module")
def identity_provider(tmp_path_factory):
    xmlsec1 = shutil.which("xmlsec1")
    if not xmlsec1:
        pytest.skip("the program xmlsec1 is not installed; install the package xmlsec1")
    with IdentityProvider(tmp_path_factory.mktemp("idp"), xmlsec1) as server:
        yield server


@pytest.fixture
def op(openid_provider, configured, jona):
    """The company's OpenID provider; Jona is known there by her verified address."""
    trust_oidc(openid_provider, configured)
    openid_provider.reset()
    openid_provider.people["jona"].update(
        email=jona.email, email_verified=True, name="Jona", groups=[]
    )
    return openid_provider


@pytest.fixture
def idp(identity_provider, configured, jona, settings):
    """The company's SAML identity provider, known to us by its metadata, and we to it by ours."""
    identity_provider.reset()
    trust_saml(identity_provider, configured, settings)
    identity_provider.attributes = {"mail": [jona.email], "displayName": ["Jona"], "isMemberOf": []}
    ours = Browser().open("/accounts/saml/company/metadata/").text
    return identity_provider.meet(ours)


def saml_answer(browser, path=SAML):
    """Log in at the provider; where its form goes, and the form."""
    return form_of(browser.press(path).text)


def log_in(browser, how):
    """Log in through a provider, all the way."""
    if how == "oidc":
        return browser.press(OIDC)
    action, form = saml_answer(browser)
    return browser.post(action, form)


def provider(request, how):
    """The fixture of a kind, and a way to say the person's groups there."""
    server = request.getfixturevalue("op" if how == "oidc" else "idp")

    def belongs(*names):
        if how == "oidc":
            server.people["jona"]["groups"] = list(names)
        else:
            server.attributes["isMemberOf"] = list(names)

    return server, belongs


# Over real HTTP everywhere ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_real_servers_log_somebody_in_over_http(
    live_server, configured, settings, person, tmp_path
):
    """idpyoidc's OpenID provider, then pysaml2's identity provider, each with the mapped role."""
    jona, piet = person("Jona Harms"), person("Piet", "administrator")
    groups.add_rule(group="Newsroom", role="curator", by=piet, now=timezone.now())
    with OpenIDProvider(f"{live_server.url}{OIDC}callback/") as server:
        trust_oidc(server, configured)
        server.people["jona"].update(email=jona.email, email_verified=True, groups=["Newsroom"])
        browser = Browser(live_server.url)
        browser.press(OIDC)
        assert (browser.who, browser.open("/desk/").status_code) == ("Jona Harms", 200)
    if not (xmlsec1 := shutil.which("xmlsec1")):
        pytest.skip("the program xmlsec1 is not installed; install the package xmlsec1")
    with IdentityProvider(tmp_path, xmlsec1) as server:
        trust_saml(server, configured, settings)
        server.attributes = {"mail": [jona.email], "displayName": ["Jona"], "isMemberOf": []}
        browser = Browser(live_server.url)
        server.meet(browser.open("/accounts/saml/company/metadata/").text)
        action, form = form_of(browser.press(SAML).text)
        browser.post(action, form)
        assert (browser.who, browser.open("/desk/").status_code) == ("Jona Harms", 403)


# Somebody is logged in, with the mapped role --------------------------------------------------


@pytest.mark.parametrize("how", ["oidc", "saml"])
def test_somebody_is_logged_in_with_the_roles_of_their_groups(how, request, visitor, jona, person):
    _server, belongs = provider(request, how)
    now, by = timezone.now(), person("Piet", "administrator")
    kind = TeamKind.objects.create(slug="m", behaviour="multiplier", name_de="M", name_en="M")
    team = Team.objects.create(slug="t", name="Kiel", kind=kind)
    groups.add_rule(group="Newsroom", role="curator", by=by, now=now)
    groups.add_rule(group="Kiel", team=team, by=by, now=now)
    Role.objects.create(person=jona, name="hr")  # by hand
    belongs("newsroom", "Kiel", "Domain Admins")
    browser = visitor()
    answer = log_in(browser, how)
    assert (answer.status_code, browser.who) == (200, "Jona Harms")
    assert sorted(Role.objects.filter(person=jona).values_list("name", flat=True)) == [
        "curator",
        "hr",
    ]
    assert Membership.objects.get(person=jona).stage == "invited"
    belongs()  # removed at the company: gone here at the next login, what was given by hand stays
    log_in(visitor(), how)
    assert list(Role.objects.filter(person=jona).values_list("name", flat=True)) == ["hr"]
    assert browser.open("/desk/").status_code == 403
    assert jona.socialaccount_set.get().extra_data == {}  # nothing of what was said is kept


@pytest.mark.parametrize("how", ["oidc", "saml"])
def test_next_page_is_ours_or_none(how, request, visitor):
    provider(request, how)
    path = OIDC if how == "oidc" else SAML
    for asked, landed in (
        ("/notebook/", "/notebook/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
    ):
        browser = visitor()
        if how == "oidc":
            answer = browser.press(f"{path}?next={asked}")
        else:
            action, form = saml_answer(browser, f"{path}?next={asked}")
            answer = browser.post(action, form | {"RelayState": "https://evil.example/"})
        assert answer.url == browser.base + landed


@pytest.mark.parametrize("how", ["oidc", "saml"])
def test_whoever_left_does_not_come_in_and_is_out_at_once(how, request, visitor, jona, person):
    provider(request, how)
    browser = visitor()
    log_in(browser, how)
    assert browser.who == "Jona Harms"
    memberships.leave_company(person=jona, by=None, now=timezone.now())
    assert (browser.who, log_in(visitor(), how).url.endswith("/accounts/login/")) == ("", True)
    page = log_in(browser, how)
    assert ("Your time here has ended" in page.text, browser.who) == (True, "")


@pytest.mark.parametrize("how", ["oidc", "saml"])
def test_unknown_person_is_made_only_where_the_setting_says_so(how, request, visitor, settings):
    server, _belongs = provider(request, how)
    if how == "oidc":
        server.people["jona"].update(email="new@example.org", name="Nele Neu")
    else:
        server.attributes |= {"mail": ["new@example.org"], "displayName": ["Nele Neu"]}
    before = Person.objects.count()
    page = log_in(visitor(), how)
    assert ("nobody here has your address yet" in page.text, Person.objects.count()) == (
        True,
        before,
    )
    settings.LOGIN_CREATES_PEOPLE = True
    browser = visitor()
    log_in(browser, how)
    made = Person.objects.get(email="new@example.org")
    assert (made.name, made.welcome, made.role_set.count(), browser.who) == (
        "Nele Neu",
        1,
        0,
        "Nele Neu",
    )
    assert AuditEntry.objects.filter(act="person.created_by_login").count() == 1


# Nobody is linked by what is not sure ---------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "domains", "comes_in"),
    [
        ({"email_verified": False}, [], False),
        ({"email_verified": False}, ["example.org"], False),  # a plain no is a no
        ({"email_verified": "false"}, ["example.org"], False),
        ({"email_verified": None}, [], False),
        ({"email_verified": None}, ["example.org"], True),  # Entra says nothing; HR said the domain
        ({"email_verified": True}, ["other.example"], False),
        ({"email_verified": True, "email": "x\x00@example.org"}, [], False),
        ({"email_verified": True, "email": ["a"]}, [], False),
        ({"email_verified": False, "oid": "dir-7"}, [], True),  # by the directory's id
        (
            {"email_verified": True, "oid": "dir-8"},
            [],
            False,
        ),  # the address is somebody else's there
    ],
)
def test_mail_links_only_when_it_is_sure(op, visitor, jona, settings, claims, domains, comes_in):
    Person.objects.filter(pk=jona.pk).update(external_id="dir-7" if "oid" in claims else "")
    settings.COMPANY_MAIL_DOMAINS = domains
    op.people["jona"].update(claims)
    op.people["jona"] = {k: v for k, v in op.people["jona"].items() if v is not None}
    browser = visitor()
    log_in(browser, "oidc")
    assert (browser.who, jona.socialaccount_set.count()) == (
        ("Jona Harms", 1) if comes_in else ("", 0)
    )


def test_address_given_to_somebody_new_does_not_open_the_old_account(op, visitor, jona):
    log_in(visitor(), "oidc")
    jona.socialaccount_set.update(uid="who-had-the-address-before")
    page = log_in(visitor(), "oidc")
    assert "Another company account was used" in page.text
    assert AuditEntry.objects.filter(act="login.conflict").count() == 1
    company_logins.separate(person=jona, by=jona, now=timezone.now())
    browser = visitor()
    log_in(browser, "oidc")
    assert browser.who == "Jona Harms"


def test_groups_that_were_not_said_change_nothing(op, visitor, jona, person):
    groups.add_rule(group="a", role="curator", by=person("P", "administrator"), now=timezone.now())
    op.people["jona"]["groups"] = ["a"]
    log_in(visitor(), "oidc")
    op.people["jona"].pop("groups")
    op.people["jona"]["hasgroups"] = True  # Entra: too many for one token
    op.context.scopes_handler.allowed_scopes = None
    said = accounts.read(_login({"groups": ["x"], "_claim_names": {"groups": "src1"}}))
    assert (said.groups, accounts.read(_login({"hasgroups": True})).groups) == (None, None)
    assert accounts.read(_login({"groups": "one"})).groups == ("one",)
    assert accounts.read(_login({"groups": {"a": 1}})).groups == ()
    assert jona.role_set.count() == 1


def _login(claims):
    """What allauth hands over, with these claims in the token."""
    from types import SimpleNamespace as Is

    [app] = company.oidc_apps({"OIDC_SERVER_URL": "x", "OIDC_GROUPS_CLAIM": "groups"}.get, "N")
    made = Is(provider_id=app["provider_id"], settings=app["settings"])
    account = Is(provider="company", uid="1", extra_data={"id_token": {"sub": "1", **claims}})
    return Is(provider=Is(app=made), account=account, state={})


def test_login_page_offers_the_company_first(op, visitor):
    page = visitor().open("/accounts/login/?next=/notebook/").text
    assert f'method="post" action="{OIDC}?process=login&amp;next=%2Fnotebook%2F"' in page
    for closed in (
        "/accounts/3rdparty/",
        "/accounts/3rdparty/signup/",
        "/accounts/saml/company/sls/",
    ):
        answer = visitor().open(closed)
        assert (answer.status_code, answer.url.split("?")[0]) in {
            (200, f"{HERE}/accounts/login/"),
            (403, HERE + closed),
        }


# OpenID Connect: what is refused ----------------------------------------------------------------


def _spoiled(op, change):
    """A token with other claims, by the provider's own key."""
    import jwt

    def spoil(token):
        claims = jwt.decode(token, options={"verify_signature": False})
        return op.sign(claims | change)

    return spoil


@pytest.mark.parametrize(
    "change",
    [
        {"aud": ["another-app"]}, {"iss": "https://evil.example"}, {"exp": 1_600_000_000},
        {"sub": "somebody-else"}, {"aud": []}, {"exp": "soon"},
    ],
    ids=str,
)  # fmt: skip
def test_token_for_others_or_of_others_is_refused(op, visitor, change):
    op.spoil = _spoiled(op, change)
    browser = visitor()
    page = log_in(browser, "oidc")
    assert ("The company login did not work." in page.text, browser.who) == (True, "")


@pytest.mark.parametrize("kind", ["unsigned", "foreign", "secret", "torn", "missing"])
def test_token_that_the_provider_did_not_sign_is_refused(op, visitor, kind):
    import jwt

    def spoil(token):
        claims, header = (
            jwt.decode(token, options={"verify_signature": False}),
            jwt.get_unverified_header(token),
        )
        match kind:
            case "unsigned":
                return op.sign(claims, algorithm="none")
            case "foreign":
                key = stranger()
                key.kid = header["kid"]
                return op.sign(claims, key=key)
            case "secret":  # the public key, taken for a shared secret
                return jwt.encode(
                    claims, "public", algorithm="HS256", headers={"kid": header["kid"]}
                )
            case "torn":
                return token[:-20]
            case "missing":
                return ""

    op.spoil = spoil
    browser = visitor()
    page = log_in(browser, "oidc")
    assert ("The company login did not work." in page.text, browser.who) == (True, "")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "ES256K"])
def test_algorithm_is_one_of_our_list_whatever_the_token_says(op, visitor, caplog, algorithm):
    import jwt

    def spoil(token):
        _head, _dot, rest = token.partition(".")
        head = {"alg": algorithm, "kid": jwt.get_unverified_header(token)["kid"]}
        return base64.urlsafe_b64encode(json.dumps(head).encode()).decode().rstrip("=") + "." + rest

    op.spoil = spoil
    browser = visitor()
    page = log_in(browser, "oidc")
    assert ("The company login did not work." in page.text, browser.who) == (True, "")
    assert "by an algorithm that we do not take" in caplog.text


def signs_by(op, monkeypatch, *keys):
    """Let the provider publish these keys, and sign by the first."""
    import jwt

    said = json.dumps({"keys": [key.serialize() for key in keys]})
    monkeypatch.setattr(op.context.keyjar, "export_jwks_as_json", lambda: said)
    algorithm = "RS256" if keys[0].kty == "RSA" else "ES256"
    op.spoil = lambda token: op.sign(
        jwt.decode(token, options={"verify_signature": False}), key=keys[0], algorithm=algorithm
    )


LONGER = "If your provider has no longer ones, your administration allows it: LOGIN_RSA_BITS=2048."


@pytest.mark.parametrize(
    ("bits", "allowed", "comes_in", "way_out"),
    [
        (1024, 3072, False, False),
        (1024, 2048, False, False),
        (2048, 3072, False, True),
        (2048, 2048, True, False),
        (3072, 3072, True, False),
    ],
)
def test_providers_key_has_128_bits_of_strength(
    op, visitor, monkeypatch, settings, caplog, bits, allowed, comes_in, way_out
):
    settings.LOGIN_RSA_BITS = allowed
    signs_by(op, monkeypatch, new_rsa_key(key_size=bits, kid="short"))
    browser = visitor()
    page = log_in(browser, "oidc")
    assert browser.who == ("Jona Harms" if comes_in else "")
    refused = f"signs with a key of {bits} bits, and Botschaft takes none of fewer than {allowed}."
    assert (refused in page.text, LONGER in page.text) == (not comes_in, way_out)
    assert ("are wanted (LOGIN_RSA_BITS)" in caplog.text) == (not comes_in)


def test_elliptic_curve_of_256_bits_is_as_good(op, visitor, monkeypatch):
    signs_by(op, monkeypatch, new_ec_key("P-256", kid="curve", alg="ES256"))
    browser = visitor()
    log_in(browser, "oidc")
    assert browser.who == "Jona Harms"


def test_shorter_curve_is_refused_without_a_way_out():
    short = ec.generate_private_key(ec.SECP224R1()).public_key()
    with pytest.raises(provider_keys.TooShort) as refused:
        provider_keys.check(short)
    assert refused.value.sentence().endswith(
        "of 224 bits, and Botschaft takes none of fewer than 256."
    )
    provider_keys.check(ed25519.Ed25519PrivateKey.generate().public_key())


@pytest.mark.parametrize(("said", "starts"), [("2047", False), ("2048", True), ("", True)])
def test_no_setting_allows_keys_of_less_than_2048_bits(said, starts):
    told = subprocess.run(
        [sys.executable, "-c", "from advocacy import settings; print(settings.LOGIN_RSA_BITS)"],
        env=os.environ | ({"LOGIN_RSA_BITS": said} if said else {}), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (told.returncode == 0, told.stdout.strip()) == (starts, said or "3072" if starts else "")
    assert ("whoever breaks such a key logs in as anybody" in told.stderr) == (not starts)


def findings():
    return [(found.what, found.remedy, found.grave) for found in doctor._company_login()]


REFUSED = (
    "The company's provider has signing keys of 2048 bits, and logins by them are refused:"
    " LOGIN_RSA_BITS is 3072.",
    "Let it sign with 3072 bits or an elliptic curve. If it cannot (Entra ID), set"
    " LOGIN_RSA_BITS=2048.",
)
LOWERED = (
    "LOGIN_RSA_BITS is 2048: logins rest on 112 bits of strength, all else on 128.",
    "Unset it once the provider signs with 3072 bits or an elliptic curve.",
    False,
)


def test_doctor_says_which_keys_are_refused_and_what_a_lower_limit_costs(op, monkeypatch, settings):
    assert findings() == []
    two = new_rsa_key(key_size=2048, kid="old"), new_ec_key("P-256", kid="new", use="sig")
    signs_by(op, monkeypatch, two[0])
    assert findings() == [(*REFUSED, True)]
    signs_by(op, monkeypatch, *two)
    assert findings() == [(*REFUSED, False)]
    settings.LOGIN_RSA_BITS = 2048
    assert findings() == [LOWERED]
    settings.SOCIALACCOUNT_PROVIDERS = {"saml": {"APPS": []}}
    assert findings() == []


def test_doctor_looks_at_certificates_too(idp, configured, tmp_path):
    assert findings() == []
    key, _file, pem = key_pair(tmp_path, "short", 2048)
    env = {"SAML_SSO_URL": "https://idp.example/sso", "SAML_IDP_CERTIFICATE": pem,
           "SAML_SP_KEY": Path(key).read_text(), "SAML_SP_CERTIFICATE": pem}  # fmt: skip
    configured("saml", company.saml_apps(lambda k, d: env.get(k, d), "Nordwind"))
    ours = (
        "SAML_SP_CERTIFICATE has a key of 2048 bits.",
        "Make a pair of 3072 bits, and give the provider the new certificate.",
        False,
    )
    assert findings() == [(*REFUSED, True), ours]


@pytest.mark.parametrize("kind", ["oidc", "metadata", "nonsense"])
def test_doctor_says_when_the_provider_tells_no_keys(configured, kind):
    nowhere = "http://127.0.0.1:1"
    if kind == "oidc":
        env = {"OIDC_SERVER_URL": nowhere}
        configured("openid_connect", company.oidc_apps(lambda k, d: env.get(k, d), "Nordwind"))
    else:
        env = {"metadata": {"SAML_METADATA_URL": nowhere},
               "nonsense": {"SAML_SSO_URL": nowhere, "SAML_IDP_CERTIFICATE": "bm8="}}[kind]  # fmt: skip
        configured("saml", company.saml_apps(lambda k, d: env.get(k, d), "Nordwind"))
    [(what, _remedy, grave)] = findings()
    assert ("cannot be read" in what, grave) == (True, False)


def test_installation_page_says_what_a_lower_limit_costs(op, person, settings):
    visitor = browser(person("Piet", "administrator"))
    assert "worth 112 bits" not in visitor.get("/system/").text
    settings.LOGIN_RSA_BITS = 2048
    assert "worth 112 bits of strength" in visitor.get("/system/").text
    settings.SOCIALACCOUNT_PROVIDERS = {"saml": {"APPS": []}}
    assert "worth 112 bits" not in visitor.get("/system/").text


@pytest.mark.parametrize(
    ("change", "comes_in"),
    [("", True), ("/", True), ("localhost", False), ("/.well-known/openid-configuration", True)],
)
def test_metadata_are_of_the_issuer_that_the_setting_names(
    op, visitor, configured, change, comes_in
):
    there = op.base_url.replace("127.0.0.1", change) if change.isalpha() else op.base_url + change
    env = {"OIDC_SERVER_URL": there, "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET}
    configured("openid_connect", company.oidc_apps(lambda k, d: env.get(k, d), "Nordwind"))
    browser = visitor()
    page = log_in(browser, "oidc")
    assert ("did not work" in page.text, browser.who) == (
        (False, "Jona Harms") if comes_in else (True, "")
    )


# A press begins it, and it may be so old --------------------------------------------------------


@pytest.mark.parametrize("how", ["oidc", "saml"])
def test_address_alone_begins_no_login(how, request, visitor):
    server, _belongs = provider(request, how)
    browser = visitor()
    page = browser.once("GET", HERE + (OIDC if how == "oidc" else SAML))
    assert (page.status_code, 'method="post"' in page.text, server.again) == (200, True, [])
    assert server.base_url not in page.text
    assert list(browser.inside.session.keys()) == []
    assert Client(enforce_csrf_checks=True).post(OIDC if how == "oidc" else SAML).status_code == 403


@pytest.mark.parametrize("how", ["oidc", "saml"])
def test_login_at_the_company_that_is_too_old_is_asked_for_anew(
    how, request, visitor, monkeypatch, settings
):
    server, _belongs = provider(request, how)
    monkeypatch.setattr(accounts, "proof", lambda _login: time.time() - 8 * 24 * 3600)
    browser = visitor()
    if how == "oidc":
        page = browser.press(OIDC)
    else:
        action, form = saml_answer(browser)
        page = browser.post(*form_of(browser.post(action, form).text))
    forced = [("", "604800"), ("login", "0")] if how == "oidc" else [False, True]
    assert (server.again, browser.who) == (forced, "")
    assert "Your login at the company is too old." in page.text
    settings.COMPANY_LOGIN_HOURS = 0
    log_in(browser, how)
    assert browser.who == "Jona Harms"


def test_callback_serves_once_and_only_the_browser_that_asked(op, visitor):
    browser, other = visitor(), visitor()
    first = browser.once("POST", HERE + OIDC).location
    back = browser.once("GET", first).location
    assert "code_challenge_method=S256" in first
    stolen = other.send("GET", back)
    assert ("did not work" in stolen.text, other.who) == (True, "")
    browser.send("GET", back)
    assert browser.who == "Jona Harms"
    browser.forget()
    browser.send("GET", back)
    assert browser.who == ""


def test_cancelling_there_says_so(op, visitor):
    browser = visitor()
    first = browser.once("POST", HERE + OIDC).location
    state = re.search(r"state=(\w+)", first)[1]
    page = browser.open(f"{OIDC}callback/?error=access_denied&state={state}")
    assert ("did not work" in page.text, page.url.endswith("/accounts/login/")) == (True, True)


# SAML: what is refused --------------------------------------------------------------------------

NS = {
    "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
    "d": "http://www.w3.org/2000/09/xmldsig#",
}


def refused(browser, action, form):
    page = browser.post(action, form)
    return ("The company login did not work." in page.text, browser.who) == (True, "")


def test_assertion_serves_once_and_only_the_browser_that_asked(idp, visitor):
    browser, other = visitor(), visitor()
    action, form = saml_answer(browser)
    assert refused(other, action, form)
    assert refused(browser, action, form)  # somebody else had it: it is spent
    action, form = saml_answer(browser)
    browser.post(action, form)
    assert browser.who == "Jona Harms"
    browser.forget()
    assert refused(browser, action, form)


def test_assertion_put_into_an_answer_to_another_request_is_refused(idp, visitor, monkeypatch):
    """The answer's own InResponseTo is not signed: the assertion must be remembered itself."""
    browser = visitor()
    action, form = saml_answer(browser)
    browser.post(action, form)
    first = idp.made[-1]
    thief = visitor()
    saml_answer(thief)
    used = etree.fromstring(first.encode())
    used.set("InResponseTo", etree.fromstring(idp.made[-1].encode()).get("InResponseTo"))
    assert refused(thief, action, {"SAMLResponse": packed(etree.tostring(used).decode())})


@pytest.mark.parametrize(
    "kind",
    [
        "unsigned",
        "audience",
        "expired",
        "issuer",
        "key",
        "unasked",
        "changed",
        "nonsense",
        "entity",
    ],
)
def test_answer_that_does_not_fit_is_refused(idp, visitor, tmp_path, kind):
    match kind:
        case "unsigned":
            idp.sign = False
        case "audience":
            idp.audience = "https://another.example/metadata"
        case "expired":
            idp.lifetime = -10
        case "issuer":
            idp.entity_id = "https://evil.example/metadata"
        case "key":
            idp.key_file, idp.certificate_file, _pem = key_pair(tmp_path, "evil")
    browser = visitor()
    action, form = saml_answer(browser)
    xml = idp.made[-1]
    match kind:
        case "unasked":
            xml = re.sub(r' InResponseTo="[^"]*"', "", xml, count=1)
        case "changed":
            xml = xml.replace("jona-7f3a", "mirja-0001")
        case "nonsense":
            xml = "<p>\x01"
        case "entity":
            xml = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    assert refused(browser, action, form | {"SAMLResponse": packed(xml)})


def _wrapped(xml, kind, name):
    """Signature wrapping (XSW): the signed assertion stays somewhere, another one is to be read."""
    root = etree.fromstring(xml.encode())
    [good] = root.findall("a:Assertion", NS)
    evil = copy.deepcopy(good)
    evil.set("ID", "_evil")
    evil.remove(evil.find("d:Signature", NS))
    for mail in evil.iterfind(".//a:AttributeValue", NS):
        mail.text = name if mail.text and "@" in mail.text else mail.text
    evil.find(".//a:NameID", NS).text = "evil"
    at = root.index(good)
    match kind:
        case "before":
            root.insert(at, evil)
        case "after":
            root.insert(at + 1, evil)
        case "around":
            root.remove(good)
            evil.append(good)
            root.append(evil)
        case "in_signature":
            signature = good.find("d:Signature", NS)
            good.remove(signature)
            evil.insert(1, signature)
            etree.SubElement(signature, f"{{{NS['d']}}}Object").append(good)
            root.remove(good) if good.getparent() is root else None
            root.append(evil)
        case "in_extensions":
            box = etree.Element(f"{{{NS['p']}}}Extensions")
            box.append(good)
            root.insert(1, box)
            root.append(evil)
        case "same_id":
            evil.set("ID", good.get("ID"))
            root.insert(at, evil)
    return etree.tostring(root).decode()


@pytest.mark.parametrize(
    "kind", ["before", "after", "around", "in_signature", "in_extensions", "same_id"]
)
def test_wrapped_signature_logs_nobody_in(idp, visitor, person, kind):
    victim = person("Piet Admin", "administrator")
    browser = visitor()
    action, form = saml_answer(browser)
    assert refused(
        browser, action, form | {"SAMLResponse": packed(_wrapped(idp.made[-1], kind, victim.email))}
    )


@pytest.mark.parametrize(
    ("bits", "allowed", "comes_in"),
    [(1024, 2048, False), (2048, 3072, False), (2048, 2048, True), (3072, 3072, True)],
)
def test_certificate_has_128_bits_of_strength(
    idp, visitor, configured, settings, tmp_path, bits, allowed, comes_in
):
    settings.LOGIN_RSA_BITS = allowed
    idp.key_file, idp.certificate_file, pem = key_pair(tmp_path, "other", bits)
    env = {
        "SAML_SSO_URL": f"{idp.base_url}/sso", "SAML_IDP_ENTITY_ID": idp.entity_id,
        "SAML_IDP_CERTIFICATE": pem, "SAML_ATTRIBUTES": f"mail={MAIL},name={NAME}",
    }  # fmt: skip
    configured("saml", company.saml_apps(lambda k, d: env.get(k, d), "Nordwind"))
    browser = visitor()
    action, form = saml_answer(browser)
    page = browser.post(action, form)
    assert browser.who == ("Jona Harms" if comes_in else "")
    assert (LONGER in page.text) == ((bits, comes_in) == (2048, False))


@pytest.mark.parametrize(
    ("way", "opened"),
    [
        ("http://www.w3.org/2001/04/xmlenc#rsa-1_5", False),
        ("http://www.w3.org/2001/04/xmlenc#tripledes-cbc", False),
        ("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", True),
        ("http://www.w3.org/2009/xmlenc11#aes256-gcm", True),
    ],
)
def test_weakly_encrypted_assertion_is_not_opened(idp, way, opened, caplog):
    """Nobody learns by asking how its padding was."""
    xml = (
        f'<p:Response xmlns:p="{NS["p"]}"><x:EncryptedData xmlns:x="http://www.w3.org/2001/04/'
        f'xmlenc#"><x:EncryptionMethod Algorithm="{way}"/></x:EncryptedData></p:Response>'
    )
    Client(HTTP_HOST="testserver").post(ARRIVE, {"SAMLResponse": packed(xml)})
    [said] = [r.getMessage() for r in caplog.records if r.name == "botschaft.security"]
    assert said == (
        'login.refused way=saml why="Unsupported SAML version"'
        if opened
        else "login.refused way=saml why="
    )


@pytest.mark.parametrize(
    "inside",
    [
        "",
        '<d:KeyInfo xmlns:d="http://www.w3.org/2000/09/xmldsig#"><d:RetrievalMethod/></d:KeyInfo>',
        '<d:KeyInfo xmlns:d="http://www.w3.org/2000/09/xmldsig#"><x:EncryptedKey>'
        '<x:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/>'
        "<x:CipherData><x:CipherValue>AAAA</x:CipherValue></x:CipherData>"
        "</x:EncryptedKey></d:KeyInfo>",
    ],
    ids=["no key", "nothing", "garbage"],
)
def test_answer_that_our_key_does_not_open_is_refused_like_any_other(
    idp, settings, tmp_path, inside
):
    """Anybody may send one; an error of its own would tell whether it could be opened."""
    key, certificate, _pem = key_pair(tmp_path, "ours")
    [app] = settings.SOCIALACCOUNT_PROVIDERS["saml"]["APPS"]
    app["settings"]["advanced"]["private_key"] = Path(key).read_text()
    app["settings"]["advanced"]["x509cert"] = Path(certificate).read_text()
    xml = (
        f'<p:Response xmlns:p="{NS["p"]}" xmlns:a="{NS["a"]}" Version="2.0" ID="_1"><p:Status>'
        '<p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>'
        '<a:EncryptedAssertion><x:EncryptedData xmlns:x="http://www.w3.org/2001/04/xmlenc#">'
        '<x:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/>'
        f"{inside}<x:CipherData><x:CipherValue>AAAA</x:CipherValue></x:CipherData>"
        "</x:EncryptedData></a:EncryptedAssertion></p:Response>"
    )
    went = Client(HTTP_HOST="testserver").post(ARRIVE, {"SAMLResponse": packed(xml)})
    assert (went.status_code, went["Location"]) == (302, "/accounts/login/")


def test_answer_comes_from_another_site_without_our_token(idp, visitor):
    _action, form = saml_answer(visitor())
    went = Client(enforce_csrf_checks=True, HTTP_HOST="testserver").post(ARRIVE, form)
    assert (went.status_code, went["Location"]) == (302, f"{ARRIVE}finish/")


def test_cookie_between_the_two_steps_is_for_the_second_alone(idp, visitor, settings):
    _action, form = saml_answer(visitor())
    settings.SESSION_COOKIE_SECURE = True
    went = visitor().inside.post(ARRIVE, form)
    [cookie] = went.cookies.values()
    assert (cookie.key, cookie["path"], cookie["secure"], cookie["httponly"], cookie["domain"]) == (
        "__Secure-saml-acs-session", f"{ARRIVE}finish/", True, True, "",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["large", "unsigned", "key", "changed", "nonsense"])
def test_answer_that_the_provider_did_not_sign_is_not_kept_for_the_next_step(
    idp, visitor, tmp_path, kind
):
    """Whoever sends one is nobody yet, and what is kept lies in the database."""
    idp.sign = kind != "unsigned"
    if kind == "key":
        idp.key_file, idp.certificate_file, _pem = key_pair(tmp_path, "evil")
    _action, form = saml_answer(visitor())
    match kind:
        case "large":
            form["RelayState"] = "x" * 1_000_000
        case "changed":
            form["SAMLResponse"] = packed(idp.made[-1].replace("jona-7f3a", "mirja-0001"))
        case "nonsense":
            form["SAMLResponse"] = packed("<p/>")
    before = LoginSession.objects.count()
    answers = [visitor().inside.post(ARRIVE, form) for _ in range(3)]
    assert {answer["Location"] for answer in answers} == {"/accounts/login/"}
    assert LoginSession.objects.count() == before


def test_answer_that_is_sent_over_and_over_is_kept_five_times(idp, visitor):
    browser = visitor()
    action, form = saml_answer(browser)
    before = LoginSession.objects.count()
    went = [visitor().inside.post(ARRIVE, form)["Location"] for _ in range(8)]
    assert went == [f"{ARRIVE}finish/"] * 5 + ["/accounts/login/"] * 3
    assert LoginSession.objects.count() == before + 5
    action, form = saml_answer(browser)  # another one is not touched by it
    browser.post(action, form)
    assert browser.who == "Jona Harms"


# In a browser, under our own policy -------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_company_login_passes_the_content_security_policy(
    chromium, live_server, configured, person
):
    jona = person("Jona Harms")
    with OpenIDProvider(f"{live_server.url}{OIDC}callback/") as server:
        trust_oidc(server, configured)
        server.people["jona"].update(email=jona.email, email_verified=True)
        visitor = Visitor(chromium, live_server.url, DESKTOP)
        visitor.page.goto(f"{live_server.url}/accounts/login/")
        visitor.page.get_by_role("button", name="With your").click()
        visitor.page.wait_for_url(f"{live_server.url}/")
        asked = [url for url in visitor.trouble if not url.startswith(server.base_url)]
        assert (asked, visitor.page.get_by_label("Account: Jona Harms").count()) == ([], 1)


def test_settings_without_addresses_make_no_provider():
    assert (company.oidc_apps(lambda _k, d: d, "x"), company.saml_apps(lambda _k, d: d, "x")) == (
        [],
        [],
    )
