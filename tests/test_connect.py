"""Connecting: nobody ends up with somebody else's account, and no page shows a code (G22)."""

import contextlib
import datetime as dt
import importlib.util
import random
import re
import urllib.parse

import pytest
from django.test import Client
from django.utils import timezone

from ambassadors.models import AuditEntry
from integrations import accounts, clients, sealing, trips
from integrations.models import ConnectAttempt, ConnectedAccount, ServerApp, Token
from integrations.networks import bluesky_oauth
from integrations.networks.base import Identity
from integrations.wire import call

from .conftest import FULL, SHARED, browser
from .networks.linkedin import LinkedIn
from .networks.mastodon import Mastodon

pytestmark = pytest.mark.django_db

USED = "used already or is too old"
NO = "You said no at the network"
TAKEN = "Somebody else here has connected this account"


@pytest.fixture
def client(jona):
    return browser(jona)


@pytest.fixture
def linkedin(monkeypatch, settings):
    with LinkedIn() as server:
        monkeypatch.setenv("LOOPBACK_HOSTS", server.environment()["LOOPBACK_HOSTS"])
        app = {"client_id": "cid", "client_secret": "sec", "options": dict(server.app.options)}
        settings.NETWORK_APPS = {**settings.NETWORK_APPS, "linkedin": app}
        yield server


def depart(client, network, **fields):
    """Press connect; returns the address at the network."""
    asked = {"server": network.base_url, **fields}
    response = client.post(f"/connect/{network.network}/", asked)
    assert response.status_code == 302, error_of(response)
    return response.headers["Location"]


def say_yes(url):
    """What the browser does at the network; returns path and query it comes back with."""
    back = urllib.parse.urlsplit(call("GET", url, seconds=5, https_only=False).headers["location"])
    return back.path, dict(urllib.parse.parse_qsl(back.query))


def error_of(response):
    found = re.findall(r'class="error" id="[\w-]+">.*?</svg>(.*?)</p>', response.content.decode())
    return found[0] if found else ""


def connected():
    return ConnectedAccount.objects.filter(disconnected_at__isnull=True).count()


# The cases of the corpus: each returns what must hold -----------------------------------------


def state_missing(client, server, **_):
    path, back = say_yes(depart(client, server))
    del back["state"]
    return refused(client.get(path, back), USED)


def state_of_another_session(client, server, person, **_):
    path, back = say_yes(depart(browser(person("Mallory")), server))
    return refused(client.get(path, back), USED)


def state_older_than_ten_minutes(client, server, **_):
    path, back = say_yes(depart(client, server))
    ConnectAttempt.objects.update(began_at=timezone.now() - dt.timedelta(minutes=10))
    return refused(client.get(path, back), USED)


def iss_of_another_server(client, server, **_):
    path, back = say_yes(depart(client, server))
    return refused(client.get(path, {**back, "iss": "https://evil.example"}), USED)


def code_of_another_flow(client, server, person, **_):
    """Without the verifier of the flow it was made in, a code is worth nothing."""
    _path, stolen = say_yes(depart(browser(person("Nam")), server))
    path, back = say_yes(depart(client, server))
    return refused(client.get(path, {**back, "code": stolen["code"]}), "invalid_grant")


def person_says_no(client, server, **_):
    path, back = say_yes(depart(client, server))
    answer = {
        "state": back["state"],
        "error": "access_denied",
        "error_description": "<script>alert(1)</script>",
    }
    response = client.get(path, answer)
    return refused(response, NO) and "<script>alert" not in response.content.decode()


def duplicate_parameters(client, server, **_):
    path, back = say_yes(depart(client, server))
    response = client.get(f"{path}?{urllib.parse.urlencode(back)}&code=second-secret")
    return refused(response, "not valid", status=400)


def no_refresh_token(client, linkedin, **_):
    path, back = say_yes(depart(client, linkedin))
    client.get(path, back)
    account = ConnectedAccount.objects.get()
    page = client.get("/me/accounts/").content.decode()
    day = account.reconnect_by.astimezone(account.person.zone)
    return f"holds until {day.day}. {day:%B %Y}" in page


def strange_expires_in(client, linkedin, **_):
    given = linkedin.grant
    for value in (0, -5, "soon", 1e12, 10**30, None, True):

        def grant(handler, scopes, refresh, value=value):
            kept = linkedin.answer
            linkedin.answer = lambda h, status, found, headers=(): kept(
                h, status, {**found, "expires_in": value}, headers
            )
            with contextlib.suppress(Exception):
                given(handler, scopes, refresh)
            linkedin.answer = kept

        linkedin.grant = grant
        path, back = say_yes(depart(client, linkedin))
        assert client.get(path, back).status_code == 302
        ends = ConnectedAccount.objects.get().reconnect_by
        assert timezone.now() < ends < timezone.now() + dt.timedelta(days=3700)
    return True


def identity_of_another_employee(client, server, person, mailoutbox, **_):
    owner = person("Nam")
    nam = browser(owner)
    nam.get(*say_yes(depart(nam, server)))
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("integrations.views.connect.tell", told.append)
        response = client.get(*say_yes(depart(client, server)))
    from integrations import notices

    notices.tell_claimed(account=told[0])
    [mail] = mailoutbox
    assert (mail.to, AuditEntry.objects.filter(act="account.claimed_twice").count()) == (
        [owner.email],
        1,
    )
    assert "Jona" not in mail.body
    return TAKEN in error_of(response) and response.status_code == 409 and connected() == 1


def redirect_uri_is_one_string(client, server, settings, **_):
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(depart(client, server)).query))
    slug = trips.server_slug("mastodon", server.base_url)
    wanted = f"{settings.SITE_URL}/connect/cb/{slug}/"
    [(_secret, registered)] = server.clients.values()
    Client(HTTP_HOST="evil.example").post("/connect/mastodon/")
    for other in (wanted[:-1], wanted.replace("http", "https", 1), wanted.replace("8000", "8001")):
        url = f"{server.base_url}/oauth/authorize?{urllib.parse.urlencode({**query, 'redirect_uri': other})}"
        assert call("GET", url, seconds=5, https_only=False).status == 400
    return query["redirect_uri"] == registered == wanted


def dpop_nonce_is_asked_for(client, bluesky, settings, **_):
    settings.SITE_URL = "https://botschaft.example"
    name = f"{settings.SITE_URL}/connect/bluesky/client-metadata.json"
    app = {"client_id": name, "client_secret": "key-" * 8, "options": {}}
    settings.NETWORK_APPS = {**settings.NETWORK_APPS, "bluesky": app}
    found = clients.configured("bluesky")
    metadata = client.get("/connect/bluesky/client-metadata.json").json()
    bluesky.clients[name] = (metadata, bluesky_oauth.jwks(found))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bluesky_oauth, "ENTRYWAY", bluesky.base_url)
        response = client.get(*say_yes(depart(client, bluesky, server="jona.test")))
    assert response.status_code == 302, error_of(response)
    return bluesky.nonces == 1 and ConnectedAccount.objects.get().remote_id == "did:plc:jona"


CASES = {
    "oauth-001": state_missing,
    "oauth-002": state_of_another_session,
    "oauth-004": state_older_than_ten_minutes,
    "oauth-005": iss_of_another_server,
    "oauth-007": code_of_another_flow,
    "oauth-008": person_says_no,
    "oauth-010": duplicate_parameters,
    "oauth-011": no_refresh_token,
    "oauth-013": strange_expires_in,
    "oauth-014": identity_of_another_employee,
    "oauth-016": redirect_uri_is_one_string,
    "oauth-017": dpop_nonce_is_asked_for,
}


def refused(response, words, status=422):
    """The wanted answer, with a sentence, no code on the page, and nothing connected."""
    page = response.content.decode()
    code = response.request["QUERY_STRING"]
    shown = [value for name, value in urllib.parse.parse_qsl(code) if name in {"code", "state"}]
    assert [value for value in shown if value in page] == []
    assert response.headers["Referrer-Policy"] == "no-referrer"
    return (response.status_code, words in error_of(response), connected()) == (status, True, 0)


def corpus():
    path = SHARED / "badinputs_load.py"
    if not path.exists():
        pytest.skip("the corpus of bad inputs is not here")
    spec = importlib.util.spec_from_file_location("badinputs_load", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {case["id"]: case for case in module.cases("oauth")}


def test_every_case_of_the_corpus_is_played():
    assert set(corpus()) - set(CASES) == set()


@pytest.mark.parametrize("case", CASES)
def test_callback_case(case, client, mastodon, bluesky, linkedin, person, mailoutbox, settings):
    assert CASES[case](
        client=client, server=mastodon, bluesky=bluesky, linkedin=linkedin, person=person,
        mailoutbox=mailoutbox, settings=settings,
    )  # fmt: skip


# Crossing flows -------------------------------------------------------------------------------


def test_interleaved_flows_connect_nothing_across(person, monkeypatch):
    dice, flows = random.Random(22), 1000 if FULL else 150
    people = {"1": person("Jona"), "2": person("Nam")}
    with Mastodon() as a, Mastodon() as b, Mastodon() as c:
        servers = [a, b, c]
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
        monkeypatch.setenv("LOOPBACK_HOSTS", hosts)
        open_flows, done, crossed = [], 0, 0
        for _ in range(flows):
            number, server = dice.choice(list(people)), dice.choice(servers)
            url = trips.begin(
                person=people[number], session=number, network="mastodon",
                base_url=server.base_url, now=timezone.now(),
            )  # fmt: skip
            server.yes_of = number
            open_flows.append((number, server, *say_yes(url)))
            while open_flows and (len(open_flows) > 6 or dice.random() < 0.5):
                flow = open_flows.pop(dice.randrange(len(open_flows)))
                crossed += cross(dice, flow, people, servers)
                done += finish(flow, people)
        done += sum(finish(flow, people) for flow in open_flows)
        wrong = [row for row in Token.objects.select_related("account") if misconnected(row, people, servers)]  # fmt: skip
    found = ConnectedAccount.objects.count()
    print(f"{done} of {flows} flows connected, {found} accounts, {crossed} crossings refused, {len(wrong)} cross-connections")  # fmt: skip
    assert (done, found, wrong) == (flows, 6, [])
    assert crossed > flows / 2


def cross(dice, flow, people, servers):
    """Bring a callback into another session, to another server, or with another flow's state."""
    number, server, path, back = flow
    slug = path.split("/")[-2]
    other = next(key for key in people if key != number)
    elsewhere = trips.server_slug(
        "mastodon", dice.choice([s for s in servers if s is not server]).base_url
    )
    tries = [(other, other, slug), (number, other, slug), (other, number, slug), (number, number, elsewhere)]  # fmt: skip
    who, session, where = dice.choice(tries)
    with pytest.raises(trips.StaleAttempt):
        trips.arrive(
            person=people[who], session=session, server=where, answer=back, now=timezone.now()
        )
    return 1


def finish(flow, people):
    """Come back as it should be, then once more."""
    number, _server, path, back = flow
    slug = path.split("/")[-2]
    arrived = {"person": people[number], "session": number, "server": slug, "answer": back}
    trips.arrive(**arrived, now=timezone.now())
    with pytest.raises(trips.StaleAttempt):
        trips.arrive(**arrived, now=timezone.now())
    return 1


def misconnected(token, people, servers):
    """Whose key is it at its server, and whose account holds it here?"""
    account = token.account
    server = next(s for s in servers if s.base_url == account.base_url)
    context = {"provider": "mastodon", "account_id": str(account.pk), "kind": "token"}
    key = sealing.unseal(token.sealed, context=context)["access_token"]
    return not (server.tokens.get(key) == account.remote_id and people[account.remote_id] == account.person)  # fmt: skip


# Single facts ---------------------------------------------------------------------------------


def test_duplicate_callback_connects_once(client, mastodon):
    way = say_yes(depart(client, mastodon))
    assert client.get(*way).status_code == 302
    assert (client.get(*way).status_code, connected()) == (422, 1)


def test_stranger_at_the_callback_is_sent_to_the_login_without_the_code(client, mastodon):
    path, back = say_yes(depart(client, mastodon))
    away = Client().get(path, back)
    assert away.headers["Location"] == "/accounts/login/?next=/me/accounts/"


def test_callback_is_not_logged(client, mastodon, caplog, capfd):
    path, back = say_yes(depart(client, mastodon))
    client.get(path, {**back, "iss": "https://evil.example"})
    client.get(path, back)
    said = caplog.text + "".join(capfd.readouterr())
    assert (back["code"] in said, back["state"] in said) == (False, False)


def test_server_that_forgot_our_registration_gets_a_new_one(client, mastodon):
    depart(client, mastodon)
    mastodon.clients.clear()
    assert client.get(*say_yes(depart(client, mastodon))).status_code == 302
    assert ServerApp.objects.count() == 1


def test_connecting_again_must_be_the_same_account(client, jona, mastodon):
    client.get(*say_yes(depart(client, mastodon)))
    account = ConnectedAccount.objects.get()
    ConnectedAccount.objects.update(reconnect_reason="401", warned_at=timezone.now())
    mastodon.yes_of = "78"
    response = client.get(*say_yes(depart(client, mastodon, renews=account.pk)))
    assert ("another account" in error_of(response), connected()) == (True, 1)
    mastodon.yes_of = "77"
    assert client.get(*say_yes(depart(client, mastodon, renews=account.pk))).status_code == 302
    account.refresh_from_db()
    assert (account.reconnect_reason, account.warned_at, connected()) == ("", None, 1)


def test_somebody_elses_account_cannot_be_renewed(client, person, mastodon, account_on):
    theirs = account_on(person("Nam"), mastodon)
    response = client.post("/connect/mastodon/", {"renews": theirs.pk})
    assert response.status_code == 404


def test_network_without_registration_says_so_and_has_no_button(client, settings):
    settings.NETWORK_APPS = {}
    response = client.post("/connect/linkedin/")
    assert (response.status_code, "not set up here yet" in error_of(response)) == (422, True)
    page = client.get("/me/accounts/").content.decode()
    assert ("Connect LinkedIn" in page, "Not set up here yet" in page) == (False, True)


@pytest.mark.parametrize("name", ["nothing", "wall", "facebook"])
def test_network_that_people_cannot_connect_is_refused(client, name):
    assert client.post(f"/connect/{name}/").status_code in {403, 422}
    assert ConnectAttempt.objects.count() == 0


def test_company_channel_is_for_administrators(client, mastodon):
    response = client.post("/connect/mastodon/", {"server": mastodon.base_url, "company": "1"})
    assert response.status_code == 403


@pytest.fixture
def admin(person):
    return browser(person("Piet", "administrator"))


def test_yes_that_opens_several_pages_asks_which(admin, linkedin):
    linkedin.pages["urn:li:organization:6"] = ("Nordwind Jobs", "CONTENT_ADMIN")
    response = admin.get(*say_yes(depart(admin, linkedin, company="1")))
    choice = response.headers["Location"]
    attempt = ConnectAttempt.objects.get()
    assert choice == f"/connect/choose/{attempt.pk}/"
    page = admin.get(choice).content.decode()
    assert ("Nordwind Energie" in page, "Nordwind Jobs" in page, connected()) == (True, True, 0)
    secret = next(iter(linkedin.tokens))
    assert (secret in page, secret.encode() in bytes(attempt.sealed)) == (False, False)
    assert admin.post(choice, {}).status_code == 422
    assert admin.post(choice, {"account": "urn:li:organization:6"}).status_code == 302
    account = ConnectedAccount.objects.get()
    assert (account.person, account.display_name, account.added_by.name) == (
        None, "Nordwind Jobs", "Piet",
    )  # fmt: skip
    attempt.refresh_from_db()
    assert (bytes(attempt.sealed), admin.get(choice).status_code) == (b"", 302)


def test_choice_is_only_its_own_persons(admin, linkedin, person):
    linkedin.pages["urn:li:organization:6"] = ("Nordwind Jobs", "CONTENT_ADMIN")
    choice = admin.get(*say_yes(depart(admin, linkedin, company="1"))).headers["Location"]
    other = browser(person("Mallory", "administrator"))
    assert other.post(choice, {"account": "urn:li:organization:6"}).status_code == 302
    assert connected() == 0


def test_company_account_claimed_twice_is_refused_with_a_sentence(admin, linkedin, person):
    admin.get(*say_yes(depart(admin, linkedin, company="1")))
    second = browser(person("Second", "administrator"))
    response = second.get(*say_yes(depart(second, linkedin, company="1")))
    assert (response.status_code, "as a channel of the company" in error_of(response)) == (
        409,
        True,
    )
    assert (connected(), AuditEntry.objects.filter(act="account.claimed_twice").count()) == (1, 1)


def test_company_account_cannot_become_somebodys_own(mastodon, person):
    now = timezone.now()
    common = {
        "network": "mastodon", "base_url": mastodon.base_url, "identity": Identity("9", "@a", "a", ""),
        "secrets_": {"access_token": "x"}, "expires_at": None, "features": {}, "now": now,
    }  # fmt: skip
    accounts.connect(person=None, by=person("Piet", "administrator"), **common)
    with pytest.raises(accounts.TakenByOther):
        accounts.connect(person=person("Jona"), **common)


def test_old_round_trips_are_forgotten(client, mastodon):
    depart(client, mastodon)
    assert trips.forget_old(now=timezone.now()) == 0
    assert trips.forget_old(now=timezone.now() + dt.timedelta(hours=1)) == 1
