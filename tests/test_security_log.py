"""Events of the log: a closed list that docs/logs.md tells, and a line for each that happens."""

import datetime as dt
import logging
import re
import socket
import ssl
import threading

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.cache import cache
from django.test import Client

from advocacy import logs, settings
from ambassadors import security_log
from ambassadors.security_log import Event, tell
from integrations import push, webhooks
from integrations.safe_fetch import NotFetched, fetch
from integrations.wire import Blocked, NotSent, call

from .conftest import browser
from .test_architecture import CODE, ROOT

PASSWORD = "moin-moin-nordwind"


@pytest.fixture
def told(caplog):
    """What was told since, line by line."""
    caplog.set_level(logging.INFO, logger=security_log.log.name)
    cache.clear()
    yield lambda: [r.getMessage() for r in caplog.records if r.name == security_log.log.name]
    cache.clear()


def come(who, **more):
    visitor = Client(**more)
    visitor.post("/accounts/login/", {"login": who, "password": PASSWORD})
    return visitor


# The list ----------------------------------------------------------------------------------------


def test_page_lists_every_event_as_it_is():
    row = re.compile(r"^\| `([\w.]+)` \| (\w+) \| ([\w ]+) \|", re.MULTILINE)
    there = row.findall((ROOT / "docs/logs.md").read_text())
    ours = [(e.word, logging.getLevelName(e.level), " ".join(e.fields)) for e in Event]
    assert there == ours


def test_undeclared_field_is_a_mistake():
    with pytest.raises(KeyError, match="name"):
        tell(Event.LOGIN, name="Jona", person=1)


def test_value_cannot_begin_a_line_and_stands_in_the_object_for_machines(caplog):
    tell(Event.LOGIN_REFUSED, way="company", why="no\nERROR forged" + "x" * 300)
    [record] = caplog.records
    line = logs.Line("%(asctime)s %(levelname)s %(message)s").format(record)
    assert (line.count("\n"), len(line) < 300) == (0, True)
    assert '"event": "login.refused", "way": "company", "why": "no ERROR' in logs.Json().format(
        record
    )


def test_value_adds_no_field_of_its_own(caplog):
    tell(Event.LOGIN_REFUSED, way="company", why='urn:x person=7 "quoted"')
    [record] = caplog.records
    assert record.getMessage() == (r'login.refused way=company why="urn:x person=7 \"quoted\""')


def test_moment_is_told_in_utc_with_its_offset(caplog):
    tell(Event.LOGIN_WAVE, count=3)
    caplog.records[0].created = 1_800_000_000.0
    line = logs.Line("%(asctime)s %(message)s").format(caplog.records[0])
    assert line == "2027-01-15T08:00:00.000+00:00 login.wave count=3"


def test_there_is_no_other_log_than_standard_error():
    assert set(settings.LOGGING["handlers"]) == {"stderr"}
    handlers = re.compile(r"(File|Syslog|SysLog|Socket|HTTP|SMTP)Handler|basicConfig|addHandler")
    found = [path.name for path in CODE if handlers.search(path.read_text())]
    assert found == []


# Logins ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_login_right_and_wrong_is_told_with_its_way_and_no_name(jona, told):
    visitor = Client()
    for password in ("wrong-wrong-wrong", "x" * 300, PASSWORD):
        visitor.post("/accounts/login/", {"login": jona.email, "password": password})
    visitor.post("/accounts/login/", {"login": "nobody@example.org", "password": PASSWORD})
    assert told() == [
        f"login.wrong way=password person={jona.pk}",
        f"login.wrong way=password person={jona.pk}",
        f"login way=password person={jona.pk}",
    ]
    Client().post("/accounts/login/", {"login": "nobody@example.org", "password": PASSWORD})
    assert told()[3:] == ["login.wrong way=password"]


@pytest.mark.django_db
def test_second_factor_right_and_wrong_is_told(jona, told):
    TOTP.activate(jona, "JBSWY3DPEHPK3PXP")
    visitor = come(jona.email)
    visitor.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert told() == [f"login.wrong way=totp person={jona.pk}"]
    visitor.post("/accounts/2fa/authenticate/", {"credential": '{"a": 1}'})
    assert told()[1:] == [f"login.wrong way=webauthn person={jona.pk}"]


@pytest.mark.django_db
def test_wrong_code_by_mail_is_told(jona, told, mailoutbox):
    visitor = Client()
    there = visitor.post("/accounts/login/code/", {"email": jona.email})["Location"]
    visitor.post(there, {"code": "AAAA-AAAA"})
    assert told() == [f"login.wrong way=code person={jona.pk}"]


@pytest.mark.django_db
def test_guessing_is_told_when_it_is_stopped(jona, told):
    for _n in range(7):
        come("nobody@example.org")
    assert told()[-1] == "login.too_often way=password"


@pytest.mark.django_db
def test_new_password_is_told(jona, told):
    visitor = browser(jona)
    new = "ein-ganz-neuer-satz-7"
    visitor.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )
    assert f"password.changed person={jona.pk}" in told()


# Refusals ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_page_of_another_role_is_told(jona, told):
    assert browser(jona).get("/people/leaving/").status_code == 403
    assert told()[-1] == f"page.refused page=leavers person={jona.pk}"


@pytest.mark.django_db
def test_form_of_another_site_is_told(jona, told):
    visitor = Client(enforce_csrf_checks=True)
    visitor.force_login(jona)
    assert visitor.post("/me/").status_code == 403
    assert told()[-1] == f"form.refused page=me person={jona.pk}"


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "door"), [("/api/v1/token", "api"), ("/scim/v2/Users", "scim")])
def test_key_that_opens_nothing_is_told(path, door, told):
    assert Client().get(path, headers={"Authorization": "Bearer bot_wrong"}).status_code == 401
    assert told() == [f"key.refused door={door}"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "why"), [("state=forged&code=secret-code", "state"), ("state=a&state=b", "doubled")]
)
def test_forged_callback_is_told_without_its_code(jona, told, query, why):
    browser(jona).get(f"/connect/cb/linkedin/?{query}")
    assert told()[-1] == f"callback.refused server=linkedin why={why} person={jona.pk}"


def test_address_that_leads_inside_is_told(told):
    with pytest.raises(Blocked):
        call("GET", "https://169.254.169.254/latest/meta-data", seconds=2)
    with pytest.raises(Blocked):
        call("GET", "https://a.example/", seconds=2, resolver=lambda _host, _port: ["10.0.0.7"])
    with pytest.raises(NotFetched):
        fetch("https://localhost/admin", own_hosts=set())
    with pytest.raises(push.NotADevice):
        push._checked("https://localhost/x")
    with pytest.raises(webhooks.WebhookRefused):
        webhooks._check("https://printer.local/")
    assert told() == [
        "address.refused host=169.254.169.254 why=address",
        "address.refused host=a.example why=address",
        *["address.refused why=name"] * 3,
    ]


@pytest.fixture
def unknown_authority(tmp_path, monkeypatch):
    """A server whose certificate nobody we know has signed; its address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    )
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    pem = tmp_path / "cert.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]

    def answer():
        link, _from = door.accept()
        with pytest.raises(ssl.SSLError), context.wrap_socket(link, server_side=True) as talk:
            talk.recv(1000)
        link.close()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    monkeypatch.setenv("LOOPBACK_HOSTS", f"127.0.0.1:{port}")
    yield f"https://127.0.0.1:{port}/"
    thread.join(5)
    door.close()


def test_certificate_of_nobody_we_know_ends_the_call_before_a_byte_and_is_told(
    unknown_authority, told
):
    with pytest.raises(NotSent, match="does not answer"):
        call("GET", unknown_authority, seconds=5)
    [line] = told()
    assert line.startswith("tls.failed host=127.0.0.1 why=")
    assert "certificate" in line
