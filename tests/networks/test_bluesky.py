"""What only Bluesky does: OAuth with pushed requests and bound tokens, threads, cards, limits."""

import base64
import datetime as dt
import hashlib
import urllib.parse
import uuid
from dataclasses import replace

import pytest
from django.utils import timezone

from integrations import tokens
from integrations.models import ConnectedAccount
from integrations.networks import bluesky_oauth as oauth
from integrations.networks import bluesky_proofs as proofs
from integrations.networks.base import (
    Access,
    App,
    Figures,
    Later,
    Link,
    NotConnected,
    Outgoing,
    Picture,
    Refused,
    Remaining,
    Sent,
    Trip,
    Unknown,
    Window,
)
from integrations.networks.bluesky import Bluesky, make_tid, sign_in
from integrations.networks.bluesky_identity import holder
from integrations.wire import NotSent, WireError, call

from .bluesky import Pretended
from .bluesky_issuer import Refusal

NETWORK = Bluesky()
NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
PUBLIC_ID = "https://botschaft.example/connect/bluesky/client-metadata.json"
BACK = "https://botschaft.example/connect/cb/bluesky/"
LOCAL = App("http://localhost", "s", {"redirect_uri": "http://127.0.0.1:8000/local/"})
KEYED = App(PUBLIC_ID, "new-secret,old-secret")
BOTH = pytest.mark.parametrize("app", [LOCAL, KEYED], ids=["development", "public"])


@pytest.fixture(autouse=True)
def _no_nonces():
    proofs._nonces.clear()


@pytest.fixture
def issuer(bluesky):
    metadata = oauth.client_metadata(
        KEYED, name="Botschaft", site_url="https://botschaft.example", redirect_uri=BACK
    )
    bluesky.clients[PUBLIC_ID] = (metadata, oauth.jwks(KEYED))
    return bluesky


def trip_to(server, app=KEYED, **fields):
    return Trip(
        **{
            "app": app, "base_url": server.base_url, "redirect_uri": BACK, "state": "our-state",
            "verifier": "v" * 64, "hint": "@Jona.test", **fields,
        }
    )  # fmt: skip


def say_yes(departure):
    """What the browser does at the server; returns the query it comes back with."""
    answer = call("GET", departure.url, seconds=5)
    assert answer.status == 303
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["location"]).query))


def connect(server, app=KEYED, **fields):
    trip = trip_to(server, app, **fields)
    departure = NETWORK.depart(trip)
    return NETWORK.arrive(replace(trip, kept=departure.kept), say_yes(departure), NOW)


def opened(server, app=KEYED):
    [grant] = connect(server, app)
    return Access(
        grant.base_url, grant.identity.remote_id, "@a", grant.secrets, grant.features, app
    )


def outgoing(text="Grüße", **fields):
    return Outgoing(
        key=str(uuid.uuid4()), rkey=fields.pop("rkey", make_tid(uuid.uuid4().int, 1)),
        written_at=NOW, text=text, **fields,
    )  # fmt: skip


def publish(post, access, limits=None):
    window = Window(5, lambda: None, dt.datetime.now(dt.UTC), limits if limits is not None else [])
    kept = NETWORK.prepare(post, access, window)
    if isinstance(kept, Later | Refused):
        return kept
    return NETWORK.publish(replace(post, kept=kept), access, window)


@BOTH
def test_yes_opens_the_account_that_was_named(issuer, app):
    [grant] = connect(issuer, app)
    assert (grant.identity.remote_id, grant.identity.handle) == ("did:plc:jona", "@jona.test")
    assert (grant.base_url, grant.company, grant.expires_at) == (
        issuer.base_url, False, NOW + dt.timedelta(seconds=899),
    )  # fmt: skip
    days = 14 if app is LOCAL else 730
    assert grant.reconnect_by == NOW + dt.timedelta(days=days)
    assert grant.features == {
        "auth": "oauth", "scope": "atproto repo:app.bsky.feed.post blob:image/*", "blob_limit": 5_242_880,
    }  # fmt: skip
    assert issuer.nonces == 1  # asked for once, remembered for the token call
    assert issuer.strange == []


@BOTH
def test_session_publishes_measures_refreshes_and_ends(issuer, app):
    access = opened(issuer, app)
    sent = publish(outgoing(), access)
    assert isinstance(sent, Sent)
    assert issuer.count("created") == 1
    renewed = NETWORK.refresh(access, NOW)
    assert renewed.secrets["refresh_token"] != access.secrets["refresh_token"]
    assert publish(outgoing("old"), access) == Later("401 Invalid token", renew=True)
    fresh = replace(access, secrets=renewed.secrets)
    assert isinstance(NETWORK.remove(sent.remote_id, fresh), Sent)
    NETWORK.revoke(fresh)
    assert (issuer.sessions, issuer.records, issuer.strange) == ({}, {}, [])


def test_refresh_token_serves_once(issuer):
    access = opened(issuer)
    NETWORK.refresh(access, NOW)
    assert NETWORK.refresh(access, NOW) == Refused("400 Invalid refresh token", permanent=False)


def test_new_nonces_cost_one_more_call_each_and_the_post_is_made_once(issuer):
    access = opened(issuer)
    for number in (2, 3):
        issuer.server_nonce = f"server-nonce-{number}"
        assert isinstance(publish(outgoing(str(number)), access), Sent)
    issuer.issuer_nonce = "issuer-nonce-2"
    assert NETWORK.refresh(access, NOW).secrets
    assert (issuer.count("arrived"), issuer.count("created"), issuer.nonces) == (2, 2, 4)


def test_gate_is_asked_again_before_the_call_with_the_nonce(issuer):
    access, asked = opened(issuer), []
    window = Window(5, lambda: asked.append(1), NOW)
    post = outgoing()
    kept = NETWORK.prepare(post, access, window)
    assert isinstance(NETWORK.publish(replace(post, kept=kept), access, window), Sent)
    assert len(asked) == 2


def test_server_that_is_never_content_with_a_nonce_is_tried_later(issuer):
    access = opened(issuer)

    class Moody(str):
        __slots__ = ()

        def __ne__(self, other):
            return True

        __hash__ = str.__hash__

    issuer.server_nonce = Moody("x")
    result = publish(outgoing(), access)
    assert result == Later("the server asked for another nonce twice")
    assert issuer.count("arrived") == 0


def test_stolen_token_without_the_key_is_worth_nothing(issuer):
    access = opened(issuer)
    thief = replace(access, secrets={**access.secrets, "dpop_key": proofs.new_key()})
    assert publish(outgoing(), thief) == Later("401 Invalid token", renew=True)
    assert NETWORK.refresh(thief, NOW) == Refused("400 Invalid refresh token", permanent=False)


def test_session_stays_with_the_key_it_began_with(issuer):
    older = App(PUBLIC_ID, "old-secret")
    access = opened(issuer, older)
    rotated = replace(access, app=KEYED)
    assert NETWORK.refresh(rotated, NOW).secrets["client_key"] == access.secrets["client_key"]
    gone = replace(access, app=App(PUBLIC_ID, "new-secret"))
    assert NETWORK.refresh(gone, NOW) == Refused(
        "this installation's key is another one now", permanent=False
    )


def test_client_keys_are_the_same_for_ever_and_differ_by_secret():
    ids = list(proofs.client_keys(App("x", "secret")))
    assert ids == list(proofs.client_keys(App("y", "secret")))
    assert ids == ["R97RqERiULdTPmhgaCDSd_wneeiIey_mhQk3XGhHsu8"]
    assert set(ids) & set(proofs.client_keys(App("x", "another"))) == set()
    assert all("d" not in key for key in oauth.jwks(KEYED)["keys"])


def test_person_who_says_no(issuer):
    issuer.yes_of = None
    with pytest.raises(NotConnected, match="rejected"):
        connect(issuer)


def test_other_account_than_the_named_one_is_given_back(issuer):
    issuer.yes_of = "did:plc:mallory"
    with pytest.raises(NotConnected, match="another account"):
        connect(issuer)
    assert issuer.sessions == {}


def test_without_a_name_whoever_says_yes_is_connected(issuer):
    issuer.yes_of = "did:plc:mallory"
    [grant] = connect(issuer, hint="")
    assert grant.identity.handle == "@mallory.test"


def test_issuer_that_may_not_speak_for_the_account_is_refused(issuer, monkeypatch):
    """The mix-up: a server of Mallory's says yes in the name of somebody who lives elsewhere."""
    with Pretended() as elsewhere:
        monkeypatch.setenv("LOOPBACK_HOSTS", elsewhere.environment()["LOOPBACK_HOSTS"])
        issuer.documents["did:plc:victim"] = elsewhere.document("did:plc:victim")
        issuer.yes_of = "did:plc:victim"
        with pytest.raises(NotConnected, match="may not speak"):
            connect(issuer, hint="")
    assert issuer.sessions == {}


@pytest.mark.parametrize("iss", ["https://evil.example", "", None])
def test_answer_of_another_issuer_is_refused(issuer, iss):
    trip = trip_to(issuer)
    departure = NETWORK.depart(trip)
    answer = {**say_yes(departure), "iss": iss}
    if iss is None:
        del answer["iss"]
    with pytest.raises(NotConnected, match="another server"):
        NETWORK.arrive(replace(trip, kept=departure.kept), answer, NOW)
    assert len(issuer.codes) == 1  # not even presented


@pytest.mark.parametrize(
    ("scope", "good"),
    [
        ("atproto", False),
        ("repo:app.bsky.feed.post blob:image/*", False),
        ("atproto repo:app.bsky.feed.post", False),
        ("atproto transition:generic", True),
    ],
)
def test_too_little_permission_is_refused(issuer, scope, good):
    issuer.grants = scope
    if good:
        assert connect(issuer)
    else:
        with pytest.raises(NotConnected, match="permission"):
            connect(issuer)
        assert issuer.sessions == {}


@pytest.mark.parametrize(
    "extra",
    [{"token_type": "Bearer"}, {"access_token": None}, {"refresh_token": 5}, {"sub": "x"}, {"sub": "did:plc:nobody"}],
    ids=str,
)  # fmt: skip
def test_strange_session_is_refused(issuer, extra):
    issuer.extra = extra
    with pytest.raises((NotConnected, WireError)):
        connect(issuer)


def test_refresh_for_another_account_is_refused(issuer):
    access = opened(issuer)
    issuer.extra = {"sub": "did:plc:mallory"}
    assert isinstance(NETWORK.refresh(access, NOW), Refused)


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_refresh_token_was_not_presented_when_the_issuer_cannot_be_read(issuer, status):
    access, serve = opened(issuer), issuer.serve
    issuer.serve = lambda handler, at, body: issuer.answer(handler, status, {"error": "x"})
    with pytest.raises(NotSent):
        NETWORK.refresh(access, NOW)
    issuer.serve = serve
    assert NETWORK.refresh(access, NOW).secrets


@pytest.mark.parametrize(("status", "kind"), [(429, NotSent), (500, WireError)])
def test_refresh_that_the_issuer_did_not_answer_well(issuer, status, kind):
    access = opened(issuer)

    def token(form, key):
        raise Refusal("planned", "no", status)

    issuer.token = token
    with pytest.raises(WireError) as raised:
        NETWORK.refresh(access, NOW)
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"authorization_response_iss_parameter_supported": False},
        {"client_id_metadata_document_supported": None},
        {"dpop_signing_alg_values_supported": ["RS256"]},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "https://10.0.0.1/token"},
        {"pushed_authorization_request_endpoint": None},
    ],
    ids=str,
)
def test_issuer_without_what_we_rely_on_is_refused(issuer, metadata):
    issuer.metadata = metadata
    with pytest.raises((NotConnected, WireError)):
        connect(issuer)
    assert issuer.pushed == {}


def test_client_the_internet_cannot_read_is_told_so(issuer):
    issuer.clients.clear()
    with pytest.raises(NotConnected, match="Unable to obtain client metadata"):
        connect(issuer)


def test_plain_http_is_told_that_https_is_needed(issuer):
    with pytest.raises(NotConnected, match="https"):
        connect(issuer, App("http://intranet.example/client-metadata.json", "s"))


@pytest.mark.parametrize("typed", ["", "jona", "jona@test", "did:key:z6Mk", "did:web:a/b", "@x.y."])
def test_strange_handles_are_refused(issuer, typed):
    if typed:
        with pytest.raises(NotConnected):
            connect(issuer, hint=typed)


def test_handle_that_leads_elsewhere_is_not_believed(issuer):
    issuer.documents["did:plc:jona"] = {
        **issuer.document("did:plc:jona"), "alsoKnownAs": ["at://mallory.test"],
    }  # fmt: skip
    [grant] = connect(issuer)
    assert grant.identity.handle == "@handle.invalid"


def test_public_metadata_and_keys(client, settings):
    settings.SITE_URL = "https://botschaft.example"
    settings.NETWORK_APPS = {
        "bluesky": {"client_id": PUBLIC_ID, "client_secret": "new-secret,old-secret", "options": {}}
    }
    found = client.get("/connect/bluesky/client-metadata.json")
    assert (found.status_code, found["Content-Type"]) == (200, "application/json")
    assert found.json() == {
        "client_id": PUBLIC_ID, "application_type": "web", "client_name": "Botschaft",
        "client_uri": "https://botschaft.example", "redirect_uris": [BACK],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "scope": "atproto repo:app.bsky.feed.post blob:image/*", "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256", "jwks_uri": "https://botschaft.example/connect/bluesky/jwks.json",
        "dpop_bound_access_tokens": True,
    }  # fmt: skip
    keys = client.get("/connect/bluesky/jwks.json").json()["keys"]
    assert [sorted(key) for key in keys] == [["alg", "crv", "kid", "kty", "use", "x", "y"]] * 2


def test_development_has_no_metadata_and_leads_home(client, settings):
    settings.SITE_URL = "http://localhost:8000"
    settings.NETWORK_APPS = {
        "bluesky": {"client_id": "http://localhost", "client_secret": "s", "options": {}}
    }
    assert client.get("/connect/bluesky/client-metadata.json").status_code == 404
    found = client.get("/connect/bluesky/local/?code=a%26b&iss=c")
    assert (found.status_code, found["Location"]) == (
        302, "http://localhost:8000/connect/cb/bluesky/?code=a%26b&iss=c",
    )  # fmt: skip


# Publishing -----------------------------------------------------------------------------------

PICTURE = Picture(b"jpeg" * 10, "image/jpeg", "A field", 600, 400)


@pytest.fixture
def access(bluesky):
    return bluesky.access("jona")


def test_thread_of_three_names_first_part_and_part_before(bluesky, access):
    parts = []
    for number in range(3):
        before, first = (parts[-1].remote_id, parts[0].remote_id) if parts else ("", "")
        post = outgoing(str(number), reply_to=before, root=first)
        parts.append(publish(post, access))
        assert publish(replace(post, first_tried_at=dt.datetime.now(dt.UTC)), access) == parts[-1]
    records = [bluesky.records[part.remote_id] for part in parts]
    assert "reply" not in records[0]
    assert [(r["reply"]["root"]["uri"], r["reply"]["parent"]["uri"]) for r in records[1:]] == [
        (parts[0].remote_id, parts[0].remote_id), (parts[0].remote_id, parts[1].remote_id),
    ]  # fmt: skip
    assert records[2]["reply"]["parent"]["cid"].startswith("bafy")
    assert bluesky.count("created") == 3


def test_key_that_another_text_has_taken_is_looked_at_and_nothing_is_overwritten(bluesky, access):
    first = outgoing("1")
    made = publish(first, access)
    assert publish(replace(first, text="2"), access) == Unknown("the key is taken", look_after=5)
    assert (bluesky.count("created"), bluesky.records[made.remote_id]["text"]) == (1, "1")


def test_part_before_is_looked_up_once(bluesky, access):
    first = publish(outgoing("1"), access)
    post = outgoing("2", reply_to=first.remote_id)
    window = Window(5, lambda: None, NOW)
    kept = NETWORK.prepare(post, access, window)
    bluesky.records.clear()
    assert NETWORK.prepare(replace(post, kept=kept), access, window) == kept


def test_part_before_that_is_gone_ends_the_thread(bluesky, access):
    first = publish(outgoing("1"), access)
    NETWORK.remove(first.remote_id, access)
    post = outgoing("2", reply_to=first.remote_id)
    assert publish(post, access) == Refused("the part before is gone", permanent=True)


def test_four_pictures_with_their_descriptions(bluesky, access):
    pictures = tuple(replace(PICTURE, content=bytes([n]), alt=f"{n}") for n in range(4))
    sent = publish(outgoing(pictures=pictures), access)
    images = bluesky.records[sent.remote_id]["embed"]["images"]
    assert [image["alt"] for image in images] == ["0", "1", "2", "3"]
    assert len({image["image"]["ref"]["$link"] for image in images}) == 4


def test_card_has_its_picture_unless_that_is_too_large(bluesky, access):
    def external(thumb):
        link = Link("https://a.example/x", "Title", "Text", thumb)
        return bluesky.records[publish(outgoing(link=link), access).remote_id]["embed"]["external"]

    assert external(PICTURE)["thumb"]["size"] == 40
    assert "thumb" not in external(replace(PICTURE, content=b"x" * 1_000_001))
    assert "thumb" not in external(None)


def test_picture_larger_than_the_server_takes_is_refused_before_it_is_sent(bluesky, access):
    small = replace(access, features={"blob_limit": 10})
    result = publish(outgoing(pictures=(PICTURE,)), small)
    assert result == Refused("the picture is larger than this server takes", permanent=True)
    assert list(bluesky.exchanges) == []


def test_picture_the_server_finds_too_large_is_refused(bluesky, access):
    bluesky.blob_limit = 10
    result = publish(outgoing(pictures=(PICTURE,)), access)
    assert result == Refused("413 request entity too large", permanent=True)


def test_limit_of_the_account_is_read_from_the_answer(bluesky, access):
    bluesky.left, limits = 43, []
    publish(outgoing(), access, limits)
    [found] = limits
    assert (found.whose, found.left) == ("account", 20)
    assert 1798 <= found.wait <= 1800
    assert replace(found, wait=0) == Remaining("account", 20, 0)


def test_conversations_are_replies_that_the_author_answered(bluesky, access):
    mine = publish(outgoing("1"), access).remote_id
    part = publish(outgoing("2", reply_to=mine, root=mine), access).remote_id
    me, ada, bo = "did:plc:jona", "did:plc:ada", "did:plc:bo"
    asked = bluesky.write(ada, "Why?", mine)
    answer = bluesky.write(me, "Because.", asked, mine)
    more = bluesky.write(ada, "Really?", answer, mine)
    bluesky.write(me, "Yes.", more, mine)
    bluesky.write(bo, "I know too.", more, mine)
    bluesky.write(bo, "Nobody answers me.", mine)
    under = bluesky.write(bo, "And here?", part, mine)
    bluesky.write(me, "Here too.", under, mine)
    assert NETWORK.conversations(mine, access) == 2
    assert NETWORK.conversations(part, access) == 1


def test_conversations_of_a_post_that_is_gone_are_not_zero(bluesky, access):
    with pytest.raises(WireError, match="Post not found"):
        NETWORK.conversations("at://did:plc:jona/app.bsky.feed.post/x", access)


@pytest.mark.parametrize(
    ("did", "calls"), [("did:plc:" + "a" * 24, 1), ("did:web:" + "a" * 60 + ".example", 2)]
)
def test_figures_of_twenty_five_posts_in_one_call_and_the_gone_one_absent(bluesky, did, calls):
    access = replace(bluesky.access(), remote_account_id=did)
    ids = [publish(outgoing(str(n)), access).remote_id for n in range(25)]
    bluesky.figures[ids[3]] = (4, 2, 1)
    NETWORK.remove(ids[7], access)
    found = NETWORK.measure(ids, access)
    assert set(ids) - set(found) == {ids[7]}
    assert found[ids[3]] == Figures(4, 2, 1, 0)
    assert bluesky.count("measured") == calls


def test_app_password_opens_a_session_and_gives_it_back(bluesky):
    identity, pds, secrets, expires_at = sign_in(
        handle="@jona.test", password=bluesky.good, base_url=bluesky.base_url
    )
    assert (identity.remote_id, pds, expires_at is None) == (
        "did:plc:jona",
        bluesky.base_url,
        False,
    )
    access = Access(pds, identity.remote_id, "@jona.test", secrets)
    assert isinstance(publish(outgoing(), access), Sent)
    NETWORK.revoke(access)
    assert bluesky.ended == [f"Bearer {secrets['refresh_token']}"]


_SESSION = {"accessJwt": "a", "refreshJwt": "b", "did": "did:plc:jona", "handle": "jona.test"}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        _SESSION | {"did": None},
        _SESSION | {"did": "did:plc:nobody", "didDoc": {"service": 7}},
        _SESSION | {"did": "did:plc:jona\x00", "didDoc": 3},
        {name: value for name, value in _SESSION.items() if name != "refreshJwt"},
    ],
)
def test_server_that_answers_an_app_password_with_nonsense_is_refused(bluesky, answer):
    bluesky.createSession = lambda handler, body: bluesky.answer(handler, 200, answer)
    with pytest.raises((NotConnected, WireError)):
        sign_in(handle="jona.test", password=bluesky.good, base_url=bluesky.base_url)


def test_app_password_opens_no_account_of_another_server(bluesky):
    """Else anybody could occupy a colleague's account with a server of their own."""
    theirs = bluesky.document("did:plc:jona")
    theirs["service"][0]["serviceEndpoint"] = "https://pds.example"
    bluesky.documents["did:plc:jona"] = theirs
    with pytest.raises(NotConnected, match="may not speak for that account"):
        sign_in(handle="jona.test", password=bluesky.good, base_url=bluesky.base_url)


@pytest.mark.parametrize("end", ["1e300", "Infinity", "9" * 30])
def test_strange_end_of_a_session_is_no_end(bluesky, end):
    part = base64.urlsafe_b64encode(f'{{"exp": {end}}}'.encode()).decode()
    answer = _SESSION | {"accessJwt": f"e30.{part}.sig"}
    bluesky.createSession = lambda handler, body: bluesky.answer(handler, 200, answer)
    found = sign_in(handle="jona.test", password=bluesky.good, base_url=bluesky.base_url)
    assert found[3] is None


@pytest.mark.parametrize("long", ["handle", "server"])
def test_names_longer_than_a_column_are_refused_or_left_out(bluesky, long):
    document = bluesky.document("did:plc:jona")
    if long == "handle":
        handle = "a." * 300 + "test"
        document["alsoKnownAs"] = [f"at://{handle}"]
        bluesky.handles[handle] = "did:plc:jona"
    else:
        document["service"][0]["serviceEndpoint"] = f"https://pds.example/{'a' * 400}"
    bluesky.documents["did:plc:jona"] = document
    if long == "server":
        with pytest.raises(NotConnected):
            holder("did:plc:jona", bluesky.base_url)
    else:
        assert holder("did:plc:jona", bluesky.base_url).handle == "handle.invalid"


def test_main_password_is_not_even_sent(bluesky):
    with pytest.raises(NotConnected, match="app password"):
        sign_in(handle="jona.test", password="correct horse", base_url=bluesky.base_url)
    assert list(bluesky.exchanges) == []


def test_secrets_of_a_session_are_in_no_repr(issuer):
    [grant] = connect(issuer)
    assert not [
        v for k, v in grant.secrets.items() if len(v) > 40 and k != "client_id" and v in repr(grant)
    ]
    assert hashlib.sha256(grant.secrets["dpop_key"].encode()).hexdigest() not in repr(grant)


# Through the doors ----------------------------------------------------------------------------


def path_of(address):
    parts = urllib.parse.urlsplit(address)
    return f"{parts.path}?{parts.query}"


@pytest.mark.django_db
def test_person_connects_by_saying_yes_at_their_server(issuer, person, client, settings):
    """Development: the way leads over 127.0.0.1 and home to localhost."""
    jona = person()
    client.force_login(jona)
    start = client.post("/connect/bluesky/", {"server": "@jona.test"})
    assert start.status_code == 302
    answer = call("GET", start["Location"], seconds=5)
    detour = answer.headers["location"]
    assert detour.startswith("http://127.0.0.1:8000/connect/bluesky/local/?")
    home = client.get(path_of(detour))["Location"]
    assert home.startswith("http://localhost:8000/connect/cb/bluesky/?")
    arrived = client.get(path_of(home))
    assert (arrived.status_code, arrived["Location"]) == (302, "/me/accounts/")
    account = ConnectedAccount.objects.get(person=jona)
    assert (account.remote_id, account.handle, account.base_url) == (
        "did:plc:jona", "@jona.test", issuer.base_url,
    )  # fmt: skip
    access = tokens.open_access(account, now=timezone.now())
    assert isinstance(publish(outgoing(), access), Sent)
    again = client.get(path_of(home))
    assert again.status_code == 422
    assert ConnectedAccount.objects.count() == 1


@pytest.mark.django_db
def test_session_near_its_end_is_refreshed_once_and_kept(issuer, person, client):
    jona = person()
    client.force_login(jona)
    start = client.post("/connect/bluesky/", {"server": "jona.test"})
    answer = call("GET", start["Location"], seconds=5)
    client.get(path_of(client.get(path_of(answer.headers["location"]))["Location"]))
    account = ConnectedAccount.objects.get(person=jona)
    [before] = issuer.sessions
    late = timezone.now() + dt.timedelta(seconds=898)
    access = tokens.open_access(account, now=late)
    [after] = issuer.sessions
    assert before != after == access.secrets["refresh_token"]
    assert tokens.open_access(account, now=late).secrets == access.secrets
    assert isinstance(publish(outgoing(), access), Sent)
