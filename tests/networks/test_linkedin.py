"""What only LinkedIn does: little text, ids in a header, ghosts, products; and observed shapes."""

import datetime as dt
import json
import urllib.parse
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.networks import linkedin_connect
from integrations.networks.base import (
    CannotTell,
    Document,
    Figures,
    Later,
    Link,
    NotAble,
    NotConnected,
    Outgoing,
    Picture,
    Refused,
    Sent,
    Trip,
    Unknown,
    Window,
)  # fmt: skip
from integrations.networks.linkedin import LinkedIn
from integrations.networks.linkedin_text import RESERVED, escape, unescape
from integrations.wire import call

from ..conftest import SHARED
from .linkedin import EVERYTHING, SELF_SERVE, duplicate, unknown_fields
from .linkedin import LinkedIn as Pretended

PICTURE = Picture(b"jpeg", "image/jpeg", "A field of turbines", 600, 400)
BACK = "https://botschaft.example/callback"
PAGE = "urn:li:organization:5"


@pytest.fixture
def network():
    return LinkedIn()


@pytest.fixture
def server(monkeypatch):
    with Pretended() as made:
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def publish(network):
    def send(post, access, now=None):
        window = Window(5.0, lambda: None, now or dt.datetime.now(dt.UTC))
        kept = network.prepare(post, access, window)
        if isinstance(kept, Later | Refused):
            return kept
        return network.publish(replace(post, kept=kept), access, window)

    return send


def outgoing(text="", **fields):
    now = dt.datetime.now(dt.UTC)
    text = text or f"Moin {uuid.uuid4()}"
    return Outgoing(key=str(uuid.uuid4()), rkey="", written_at=now, text=text, **fields)


def tried(post, **fields):
    first = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2)
    return replace(post, first_tried_at=first, **fields)


# Little text


@pytest.mark.parametrize("char", RESERVED)
def test_reserved_character_is_escaped_once_and_read_back(char):
    assert escape(f"a{char} b") == f"a\\{char} b"
    assert unescape(escape(f"a{char} b")) == f"a{char} b"


@pytest.mark.parametrize(
    ("text", "commentary"),
    [
        ("We #grow (slowly)", r"We #grow \(slowly\)"),
        ("#Küste #2030 #net0 a#b ##x", r"#Küste \#2030 #net0 a\#b \#\#x"),
        ("#six_years", r"#six\_years"),
        ("@jona, hi", r"\@jona, hi"),
        ("https://a.example/x_y#top", r"https://a.example/x\_y\#top"),
        ("a\\b", r"a\\b"),
    ],
)
def test_hashtags_stay_and_mentions_are_text(text, commentary):
    assert escape(text) == commentary


def test_template_of_a_hashtag_is_read_back():
    assert unescape(r"So {hashtag|\#|wind} it is") == "So #wind it is"


@given(st.text())
def test_any_text_survives_the_escaping(text):
    assert unescape(escape(text)) == text


def test_length_counts_what_is_sent(network):
    assert [network.length(text) for text in ("abc", "(a)", "😀", "#tag")] == [3, 5, 2, 4]


# Posting


@pytest.mark.parametrize("kind", ["share", "ugcPost"])
def test_id_is_read_from_the_header(server, network, publish, kind):
    urn = f"urn:li:{kind}:6844785523593134080"
    server.create = lambda author, sent: (urn, True)
    sent = publish(outgoing(), server.access())
    assert sent == Sent(urn, f"https://www.linkedin.com/feed/update/{urn}/")


@pytest.mark.parametrize("urn", ["", "urn:li:activity:1", "7", "urn:li:share:1\u00e9"])
def test_header_that_is_no_post_is_unknown(server, publish, urn):
    server.create = lambda author, sent: (urn, True)
    assert isinstance(publish(outgoing(), server.access()), Unknown)


def test_duplicate_after_an_ambiguous_try_is_evidence_to_look_at(server, publish):
    access, post = server.access(), outgoing()
    first = publish(post, access)
    assert publish(tried(post), access) == Unknown(f"duplicate of {first.remote_id}: {first.url}")
    assert server.count("created") == 1


def test_duplicate_without_an_earlier_try_is_the_person_s_own_post(server, publish):
    access, post = server.access(), outgoing()
    first = publish(post, access)
    already = Refused("you already posted this", permanent=True, detail=first.remote_id)
    assert publish(post, access) == already
    assert publish(tried(post, taken=frozenset({first.remote_id})), access) == already


def test_ghost_of_a_deleted_post_proves_nothing(server, network, publish):
    access, post = server.access(), outgoing()
    sent = publish(post, access)
    network.remove(sent.remote_id, access)
    assert isinstance(publish(tried(post), access), Unknown)


def test_version_that_ended_is_the_operator_s_and_the_post_waits(server, publish):
    app = server.access().app
    access = replace(
        server.access(), app=replace(app, options={**app.options, "version": "202510"})
    )
    result = publish(outgoing(), access)
    assert (type(result), result.permanent) == (Refused, False)
    assert "version 202510" in result.why
    assert result.detail == "426 Requested version 202510 is not active"


def test_missing_permission_waits_for_the_person(server, publish):
    access = server.access()
    server.tokens[access.secrets["access_token"]] = ("urn:li:person:1", ("openid",), 2**40)
    result = publish(outgoing(), access)
    assert (type(result), result.permanent) == (Refused, False)


def revoked(server):
    server.fault(
        "body",
        status=401,
        payload=server.problem(401, "The token used in the request has been revoked by the user", "REVOKED_ACCESS_TOKEN", 65601),
    )  # fmt: skip


def test_fresh_token_called_revoked_is_given_ten_minutes(server, publish):
    now = dt.datetime.now(dt.UTC)
    for minutes, kind in ((9, Later), (11, Refused)):
        granted = (now - dt.timedelta(minutes=minutes)).isoformat()
        access = replace(server.access(), features={**server.features, "granted_at": granted})
        revoked(server)
        result = publish(outgoing(), access, now=now)
        assert type(result) is kind
        assert getattr(result, "renew", False) is False


def test_ended_token_is_renewed_where_linkedin_allows_it(server, publish):
    access = server.access()
    renewable = replace(access, secrets={**access.secrets, "refresh_token": "r"})
    for who, result in ((access, Refused("401 x", permanent=False)), (renewable, Later("401 x", renew=True))):  # fmt: skip
        server.fault("status", status=401, error="x")
        assert publish(outgoing(), who) == result


def test_throttling_waits_longer_each_time_then_until_midnight(server, network, publish):
    access, now = server.access(), dt.datetime(2026, 11, 25, 22, 0, tzinfo=dt.UTC)
    server.posts_per_day = 0
    waits = [publish(outgoing(), access, now=now).wait for _ in range(5)]
    assert waits == [60, 300, 1800, 7200, 7200]
    assert publish(outgoing(), server.access("2"), now=now).wait == 60
    server.posts_per_day = 150
    assert isinstance(publish(outgoing(), access, now=now), Sent)
    server.posts_per_day = 0
    assert publish(outgoing(), access, now=now).wait == 60


def test_quotas_are_counted_by_us(network):
    quotas = [(quota.whose, quota.calls, quota.seconds) for quota in network.abilities.quotas]
    assert quotas == [("account", 150, 86_400), ("app", 100_000, 86_400)]


@pytest.mark.parametrize(
    ("account", "chosen", "said"),
    [
        ("1", "public", "PUBLIC"),
        ("1", "connections", "CONNECTIONS"),
        (PAGE, "public", "PUBLIC"),
        (PAGE, "connections", "LOGGED_IN"),
    ],
)
def test_visibility(server, publish, account, chosen, said):
    publish(outgoing(visibility=chosen), server.access(account))
    assert server.requests[-1]["visibility"] == said


# Attachments


def content(server):
    return server.requests[-1].get("content")


def test_link_becomes_a_card_with_its_picture(server, publish):
    link = Link("https://a.example/x", "T" * 500, "About it", PICTURE)
    publish(outgoing(link=link), server.access())
    assert content(server) == {
        "article": {
            "source": "https://a.example/x", "title": "T" * 400, "description": "About it",
            "thumbnail": "urn:li:image:C4E0",
        }
    }  # fmt: skip
    assert server.media == {"urn:li:image:C4E0": b"jpeg"}


def test_link_without_a_title_is_left_in_the_text(server, publish):
    publish(outgoing(link=Link("https://a.example/x", thumb=PICTURE)), server.access())
    assert (content(server), server.media) == (None, {})


def test_one_picture_and_several(server, publish):
    access, link = server.access(), Link("https://a.example/x", "Title")
    assert isinstance(publish(outgoing(pictures=(PICTURE,), link=link), access), Sent)
    assert content(server) == {"media": {"id": "urn:li:image:C4E0", "altText": PICTURE.alt}}
    assert isinstance(publish(outgoing(pictures=(PICTURE,) * 20), access), Sent)
    assert content(server) == {
        "multiImage": {
            "images": [{"id": f"urn:li:image:C4E{n}", "altText": PICTURE.alt} for n in range(1, 21)]
        }
    }


def test_document_goes_before_pictures(server, publish):
    document = Document(b"%PDF", "Annual report")
    publish(outgoing(document=document, pictures=(PICTURE,)), server.access())
    assert content(server) == {"media": {"id": "urn:li:document:C4E0", "title": "Annual report"}}
    assert server.media == {"urn:li:document:C4E0": b"%PDF"}


def test_upload_serves_for_half_a_day(server, network):
    access, now = server.access(), dt.datetime.now(dt.UTC)
    post = outgoing(pictures=(PICTURE,))
    kept = network.prepare(post, access, Window(5.0, lambda: None, now))
    for hours, uploads in ((11, 1), (13, 2)):
        later = Window(5.0, lambda: None, now + dt.timedelta(hours=hours))
        network.prepare(replace(post, kept=kept), access, later)
        assert len(server.media) == uploads


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("MEDIA_ASSET_WAITING_UPLOAD", Later("media still in processing", wait=10)),
        (
            "MEDIA_ASSET_PROCESSING_FAILED",
            Refused("LinkedIn could not use the picture or document", permanent=True),
        ),
    ],
)
def test_picture_that_is_not_ready_or_never_will_be(server, publish, text, result):
    server.fault("status", status=400, error=text)
    assert publish(outgoing(pictures=(PICTURE,)), server.access()) == result


def test_token_goes_to_no_foreign_upload_address(server, network):
    with Pretended() as other:
        server.begin_upload = lambda handler, kind, sent: server.answer(
            handler, 200,
            {"value": {"uploadUrl": f"{other.base_url}/dms-uploads/x", "image": "urn:li:image:1"}},
        )  # fmt: skip
        window = Window(5.0, lambda: None, dt.datetime.now(dt.UTC))
        kept = network.prepare(outgoing(pictures=(PICTURE,)), server.access(), window)
        assert kept == Later("media: an upload address that is not LinkedIn's")
        assert other.answers == []


# Afterwards


def test_text_can_be_changed_and_a_missing_post_says_so(server, network, publish):
    access = server.access()
    sent = publish(outgoing(), access)
    assert network.edit(sent.remote_id, "Now (better)", access) == sent
    assert server.posts[sent.remote_id]["sent"]["commentary"] == r"Now \(better\)"
    assert network.edit("urn:li:share:9", "x", access) == Refused("404 Not found", permanent=True)


def test_posts_cannot_be_found_without_the_closed_permission(server, network, publish):
    access = replace(server.access(), features={"can_look": False})
    post = outgoing()
    publish(post, access)
    seen = network.look(post, access, dt.datetime.now(dt.UTC))
    assert seen == CannotTell("LinkedIn does not let us read the posts of this account")


def test_look_reads_texts_through_the_escaping_and_turns_pages(server, network, publish):
    access, post = server.access(), outgoing("We (still) *grow* #wind @all {x|y}")
    sent = publish(post, access)
    server.posts_per_day = 1000
    for number in range(70):
        server.create(access.remote_account_id, {"commentary": str(number), "visibility": "PUBLIC"})
    since = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    assert network.look(post, access, since) == sent


@pytest.mark.parametrize("old", [False, True])
def test_figures_of_a_member_in_both_shapes(server, network, publish, old):
    access = server.access()
    sent = publish(outgoing(), access)
    server.old_metric_type = old
    server.figures[sent.remote_id] = (4, 0, 1)
    figures = network.measure([sent.remote_id], access)
    # the pretended one has no impressions: not available, which is not zero
    assert figures == {sent.remote_id: Figures(likes=4, reposts=0, replies=1, impressions=None)}


def test_figures_without_permission_are_not_available(server, network):
    access = replace(server.access(), features={"can_measure": False})
    assert network.measure(["urn:li:share:1"], access) == {"urn:li:share:1": Figures()}
    assert server.answers == []


def test_figures_of_a_page_come_in_one_call_and_silence_is_not_zero(server, network, publish):
    access = server.access(PAGE)
    first, second = (publish(outgoing(), access).remote_id for _ in range(2))
    server.figures[first], server.answers = (4, 2, 1), []
    assert network.measure([first, second], access) == {
        first: Figures(4, 2, 1, impressions=90),
        second: Figures(),
    }
    assert len(server.answers) == 1


def test_replies_cannot_be_read(server, network):
    with pytest.raises(NotAble):
        network.conversations("urn:li:share:1", server.access())


# Connecting


def trip(server, **fields):
    options = fields.pop("options", {"community": "1"})
    app = server.access().app
    hosts = {name: value for name, value in app.options.items() if name.startswith("host.")}
    return Trip(replace(app, options={**hosts, **options}), "", BACK, "state", "", **fields)


def consent(url):
    answer = call("GET", url, seconds=5)
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["location"]).query))


def arrive(network, there, now=None):
    answer = consent(network.depart(there).url)
    return network.arrive(there, answer, now or dt.datetime.now(dt.UTC))


def asked(network, there):
    query = urllib.parse.urlsplit(network.depart(there).url).query
    assert "+" not in query
    return set(dict(urllib.parse.parse_qsl(query))["scope"].split())


def test_scopes_are_those_of_the_products_and_equal_for_people_and_pages(server, network):
    assert asked(network, trip(server, options={})) == set(SELF_SERVE)
    community = asked(network, trip(server))
    assert community == asked(network, trip(server, company=True))
    assert "r_member_social" not in community
    more = trip(server, options={"community": "1", "member_social": "1"})
    assert asked(network, more) - community == {"r_member_social"}


def test_self_serve_app_connects_people_who_may_only_post(server, network):
    now = dt.datetime.now(dt.UTC)
    [grant] = arrive(network, trip(server, options={}), now)
    assert (grant.identity.remote_id, grant.identity.handle) == ("urn:li:person:77", "Jona Harms")
    assert grant.expires_at == grant.reconnect_by == now + dt.timedelta(days=60)
    assert (grant.company, grant.features["can_look"], grant.features["can_measure"]) == (
        False, False, False,
    )  # fmt: skip
    assert grant.features["scopes"] == sorted(SELF_SERVE)


def test_community_app_reads_figures(server, network):
    [grant] = arrive(network, trip(server))
    assert (grant.features["can_look"], grant.features["can_measure"]) == (False, True)
    assert grant.identity.url == "https://www.linkedin.com/in/jona"


def test_pages_a_member_speaks_for_are_accounts_of_the_company(server, network, publish):
    server.pages |= {
        "urn:li:organization:6": ("Nordwind Jobs", "CONTENT_ADMIN"),
        "urn:li:organization:7": ("Somebody else", "ANALYST"),
    }
    grants = arrive(network, trip(server, company=True))
    assert [(g.identity.remote_id, g.identity.display_name, g.company) for g in grants] == [
        (PAGE, "Nordwind Energie", True),
        ("urn:li:organization:6", "Nordwind Jobs", True),
    ]
    page = replace(
        server.access(PAGE), secrets=grants[0].secrets, features=grants[0].features
    )  # fmt: skip
    post = outgoing()
    sent = publish(post, page)
    assert network.look(post, page, dt.datetime.now(dt.UTC)) == sent


def test_pages_need_the_product_and_a_role(server, network):
    with pytest.raises(NotConnected, match="Community Management"):
        network.depart(trip(server, company=True, options={}))
    server.pages = {}
    with pytest.raises(NotConnected, match="no page"):
        arrive(network, trip(server, company=True))


def test_no_and_too_little_are_no_connection(server, network):
    there, now = trip(server, options={}), dt.datetime.now(dt.UTC)
    with pytest.raises(NotConnected, match="user_cancelled_login"):
        network.arrive(there, {"error": "user_cancelled_login", "state": "state"}, now)
    server.granted = ("openid", "profile")
    with pytest.raises(NotConnected, match="not granted"):
        arrive(network, there)
    with pytest.raises(NotConnected):
        network.arrive(there, {"code": "used", "state": "state"}, now)


def test_token_called_revoked_at_once_is_asked_again(server, network, monkeypatch):
    pauses = []
    monkeypatch.setattr(linkedin_connect.time, "sleep", pauses.append)
    server.falsely_revoked = 4
    assert len(arrive(network, trip(server, options={}))) == 1
    assert pauses == [1.0, 2.0, 4.0, 8.0]


def test_refresh_keeps_the_day_of_the_next_yes(server, network, publish):
    server.refreshable = True
    began = dt.datetime.now(dt.UTC)
    [grant] = arrive(network, trip(server, options={}), began)
    assert grant.reconnect_by == began + dt.timedelta(days=365)
    access = replace(server.access("77"), secrets=grant.secrets)
    later = began + dt.timedelta(days=59)
    for _ in range(2):  # the refresh token is not used up
        renewed = network.refresh(access, later)
        assert renewed.expires_at == later + dt.timedelta(days=60)
        assert renewed.reconnect_by == began + dt.timedelta(days=365)
    assert isinstance(publish(outgoing(), replace(access, secrets=renewed.secrets)), Sent)


def test_without_refresh_tokens_the_person_connects_again(server, network):
    assert network.refresh(server.access(), dt.datetime.now(dt.UTC)) == Refused(
        "reconnect", permanent=False
    )


def test_revoked_access_is_void(server, network, publish):
    access = server.access()
    network.revoke(access)
    assert publish(outgoing(), access) == Refused("401 Invalid access token", permanent=False)


# Observed responses


def observed():
    file = SHARED / "specs/linkedin/observed-responses.json"
    if not file.exists():
        pytest.skip("../shared/specs is not beside this checkout")
    return json.loads(file.read_text())


def shape(value):
    """Names and types; of a list its first entry."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def played(server, network, publish, name):
    """Have the pretended LinkedIn give the answer of that name; its status and body."""
    access = server.access()
    if name.startswith("member_post_analytics"):
        sent = publish(outgoing(), access)
        server.old_metric_type = name.endswith("old")
        network.measure([sent.remote_id], access)
        return next(row[2:] for row in server.answers if row[1].endswith("Analytics"))
    if name == "token_success":
        server.refreshable = True
        arrive(network, trip(server, options={}))
        return next(row[2:] for row in server.answers if row[1].endswith("accessToken"))
    if name == "revoked_token":
        server.falsely_revoked = 1
        arrive(network, trip(server, options={}))
        return next(row[2:] for row in server.answers if row[2] == 401)
    match name:
        case "duplicate_post":
            post = outgoing()
            publish(post, access)
            publish(post, access)
        case "throttled":
            server.posts_per_day = 0
            publish(outgoing(), access)
        case "version_sunset":
            server.sunset.add("202609")
            publish(outgoing(), access)
        case "access_denied":
            server.granted = ()
            publish(outgoing(), replace(access, remote_account_id="urn:li:person:2"))
        case "expired_token":
            server.tokens[access.secrets["access_token"]] = ("urn:li:person:1", EVERYTHING, 0)
            publish(outgoing(), access)
        case "invalid_token":
            publish(outgoing(), replace(access, secrets={"access_token": "wrong"}))
        case _:
            publish(outgoing(), access)
    return server.answers[-1][2:]


@pytest.mark.parametrize(
    "name",
    [
        "token_success", "create_post_success", "duplicate_post", "revoked_token", "invalid_token", "expired_token",
        "access_denied", "version_sunset", "throttled", "member_post_analytics_new", "member_post_analytics_old",
    ],
)  # fmt: skip
def test_answers_are_as_observed(server, network, publish, monkeypatch, name):
    monkeypatch.setattr(linkedin_connect.time, "sleep", lambda seconds: None)
    known = observed()[name]
    status, body = played(server, network, publish, name)
    assert (status, shape(body)) == (known["status"], shape(known["body"]))


def test_observed_duplicate_is_understood(server, publish):
    known = observed()["duplicate_post"]
    assert duplicate("urn:li:share:7141138937766391808") == known["body"]


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"pictures": (PICTURE,)}, {"pictures": (PICTURE, PICTURE)}, {"document": Document(b"%PDF", "Report")},
        {"link": Link("https://a.example", "Title", "Description", PICTURE)}, {"visibility": "connections"},
    ],
    ids=["text", "picture", "pictures", "document", "card", "connections"],
)  # fmt: skip
def test_no_undocumented_field_is_sent(server, publish, fields):
    assert isinstance(publish(outgoing(**fields), server.access()), Sent)
    sent = server.requests[-1]
    assert unknown_fields(sent) == []
    assert unknown_fields({**sent, "scheduledAt": 1}) == [".scheduledAt"]
