"""Instagram: what only it does, and what we send against the published specification."""

import datetime as dt
import re
import urllib.parse
import uuid
from dataclasses import replace

import pytest

from integrations.networks.base import (
    Absent,
    Access,
    Figures,
    Later,
    NotConnected,
    Outgoing,
    Picture,
    Refused,
    Remaining,
    Sent,
    Trip,
    Unknown,
    Window,
)  # fmt: skip
from integrations.networks.instagram import Instagram
from integrations.wire import call

from .instagram import Pretended
from .meta import published

NETWORK = Instagram()
NOW = dt.datetime(2026, 11, 25, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def server(monkeypatch):
    with Pretended() as found:
        for name, value in found.environment().items():
            monkeypatch.setenv(name, value)
        yield found


def window(seconds=5.0):
    return Window(seconds=seconds, may_start=lambda: None, now=dt.datetime.now(dt.UTC))


def outgoing(server, text="", count=1, **fields):
    pictures = tuple(
        Picture(b"jpeg", "image/jpeg", f"Field {n}", 600, 400, server.picture_url)
        for n in range(count)
    )
    return Outgoing(
        key=str(uuid.uuid4()), rkey="r", written_at=dt.datetime.now(dt.UTC),
        text=text or f"Moin {uuid.uuid4()}", **{"pictures": pictures, **fields},
    )  # fmt: skip


def send(server, post, on=None):
    on = on or window()
    kept = NETWORK.prepare(post, server.access(), on)
    if isinstance(kept, Later | Refused):
        return kept
    return NETWORK.publish(replace(post, kept=kept), server.access(), on)


@pytest.mark.parametrize(
    ("text", "fields", "why"),
    [
        ("Moin", {"pictures": ()}, "Instagram takes no text without a picture"),
        ("Moin", {"count": 11}, "Instagram takes 10 pictures at most"),
        ("x" * 2201, {}, "Instagram takes 2200 characters, this text has 2201"),
        ("x" * 2198 + "👷🏽", {}, "Instagram takes 2200 characters, this text has 2202"),
        (" ".join(f"#a{n}" for n in range(31)), {}, "Instagram takes 30 hashtags at most, this text has 31"),
        (" ".join(f"@a.{n}" for n in range(21)), {}, "Instagram takes 20 mentions at most, this text has 21"),
    ],
)  # fmt: skip
def test_what_instagram_would_refuse_is_refused_before_sending(server, text, fields, why):
    assert send(server, outgoing(server, text, **fields)) == Refused(why, permanent=True)
    assert server.requests == []


def test_limits_themselves_fit(server):
    tags = " ".join(f"#a{n}" for n in range(30)) + " " + " ".join(f"@b{n}" for n in range(20))
    assert isinstance(send(server, outgoing(server, tags, count=10)), Sent)
    assert isinstance(send(server, outgoing(server, "x" * 2200)), Sent)
    assert server.fetched == 11


def test_carousel_has_every_picture_with_its_alternative_text(server):
    assert isinstance(send(server, outgoing(server, "Three", count=3)), Sent)
    [whole] = [row for row in server.containers.values() if "children" in row]
    parts = [server.containers[child] for child in whole["children"].split(",")]
    assert [part["alt_text"] for part in parts] == ["Field 0", "Field 1", "Field 2"]
    assert (whole["media_type"], whole["caption"]) == ("CAROUSEL", "Three")


def test_picture_without_public_address_is_refused_with_a_reason(server):
    picture = Picture(b"jpeg", "image/jpeg", "A field", 600, 400)
    result = send(server, outgoing(server, pictures=(picture,)))
    assert result.permanent
    assert result.why.startswith("Instagram fetches pictures itself")


@pytest.mark.parametrize(
    ("subcode", "kind", "permanent"),
    [(n, Later, None) for n in (2207003, 2207006, 2207008, 2207020, 2207027, 2207032, 2207042, 2207052, 2207053)]
    + [(n, Refused, True) for n in (2207004, 2207005, 2207009, 2207010, 2207023, 2207026, 2207028, 2207035, 2207036, 2207037, 2207040, 2207057)]
    + [(n, Refused, False) for n in (2207050, 2207051)]
    + [(2207001, Unknown, None)],
)  # fmt: skip
def test_subcode_decides(server, subcode, kind, permanent):
    server.fault("body", status=400, payload=server.problem(400, "no", 100, subcode))
    result = send(server, outgoing(server))
    assert (type(result), getattr(result, "permanent", None)) == (kind, permanent)


def test_refusal_of_the_container_is_told_before_publishing(server, monkeypatch):
    monkeypatch.setattr(
        server,
        "contain",
        lambda handler, fields, account: server.refuse(handler, 100, "Ratio", 2207009),
    )
    assert send(server, outgoing(server)) == Refused("400 Ratio", True, "code 100/2207009 Aq1")
    assert server.count("arrived") == 0


def ambiguous(server, post, *, applied):
    kept = NETWORK.prepare(post, server.access(), window())
    server.fault("silence", applied=applied, seconds=0.3)
    tried = replace(post, kept=kept)
    assert isinstance(NETWORK.publish(tried, server.access(), window(0.2)), Unknown)
    return replace(tried, first_tried_at=dt.datetime.now(dt.UTC))


@pytest.mark.parametrize(("applied", "kind"), [(True, Sent), (False, Absent)])
def test_lost_answer_is_asked_of_the_container(server, applied, kind):
    post = ambiguous(server, outgoing(server), applied=applied)
    assert isinstance(NETWORK.look(post, server.access(), post.first_tried_at), kind)
    assert isinstance(send(server, post), Sent)
    assert server.count("created") == 1


def test_expired_container_is_made_anew(server):
    post = outgoing(server)
    kept = NETWORK.prepare(post, server.access(), window())
    server.containers[kept["container"]]["state"] = "EXPIRED"
    assert isinstance(send(server, replace(post, kept=kept)), Sent)
    assert len(server.containers) == 2


def test_daily_quota_is_the_one_the_network_states(server):
    server.quota_total, server.quota_usage = 50, 49
    on = window()
    assert isinstance(send(server, outgoing(server), on), Sent)
    assert on.limits == [Remaining("account", 1, 3600.0)]
    assert isinstance(send(server, outgoing(server)), Later)
    assert server.count("created") == 1


def test_figures_with_and_without_insights(server):
    sent = send(server, outgoing(server))
    server.figures[sent.remote_id] = (4, 2, 1)
    read = lambda: NETWORK.measure([sent.remote_id], server.access())[sent.remote_id]  # noqa: E731
    assert read() == Figures(likes=4, reposts=2, replies=1, impressions=90)
    server.metrics = {"reach"}  # a metric too many fails the whole call
    assert read() == Figures(likes=4, replies=1)
    server.granted.remove("instagram_business_manage_insights")
    assert read() == Figures(likes=4, replies=1)


def test_post_that_may_not_be_deleted_is_left_to_its_person(server):
    sent = send(server, outgoing(server))
    server.can_delete = False
    assert NETWORK.remove(sent.remote_id, server.access()).why == "Delete this post in Instagram itself"  # fmt: skip
    assert sent.remote_id in server.posts


def test_address_is_asked_for(server):
    sent = send(server, outgoing(server))
    found = NETWORK.address(sent.remote_id, server.access())
    assert found == f"https://www.instagram.example/p/{sent.remote_id}"


# Connecting ---------------------------------------------------------------------------------


def trip(server, **fields):
    return Trip(
        app=server.app, base_url="", redirect_uri="https://b.example/connect/cb/instagram/",
        state="s" * 32, verifier="v", **fields,
    )  # fmt: skip


def came_back(server):
    answer = call("GET", NETWORK.depart(trip(server)).url, seconds=5)
    back = urllib.parse.urlsplit(answer.headers["location"])
    return dict(urllib.parse.parse_qsl(back.query))


@pytest.mark.parametrize("old_shape", [False, True])
def test_connecting_reads_both_shapes_and_takes_user_id(server, old_shape):
    server.old_shape = old_shape
    [grant] = NETWORK.arrive(trip(server), came_back(server), NOW)
    assert grant.identity.remote_id == "17841400000000077"  # not "9", the app's own id for it
    assert (grant.identity.handle, grant.identity.url) == (
        "@jona",
        "https://www.instagram.com/jona/",
    )
    assert grant.features == {"scopes": sorted(server.scopes)}
    assert grant.expires_at == grant.reconnect_by == NOW + dt.timedelta(seconds=5183944)


def test_private_account_is_told_what_to_do(server):
    server.account_type = "PERSONAL"
    with pytest.raises(NotConnected, match="Switch yours to a free creator account"):
        NETWORK.arrive(trip(server), came_back(server), NOW)


def test_yes_that_is_too_small_connects_nothing(server):
    server.granted.remove("instagram_business_content_publish")
    with pytest.raises(NotConnected, match="Botschaft was not allowed to publish posts"):
        NETWORK.arrive(trip(server), came_back(server), NOW)


@pytest.mark.parametrize("answer", [{"error": "access_denied", "error_reason": "user_denied"}, {"error": "x"}, {}])  # fmt: skip
def test_way_back_without_a_yes_connects_nothing(server, answer):
    with pytest.raises(NotConnected):
        NETWORK.arrive(trip(server), answer, NOW)
    assert server.requests == []


def test_token_is_prolonged_by_sixty_days(server):
    issued = NOW - dt.timedelta(days=40)
    secrets = {"access_token": "token-77", "issued_at": issued.isoformat(),
               "expires_at": (issued + dt.timedelta(days=60)).isoformat()}  # fmt: skip
    renewed = NETWORK.refresh(Access(server.base_url, "1", "@a", secrets), NOW)
    assert renewed.secrets["access_token"] == "token-77-2"
    assert renewed.expires_at == NOW + dt.timedelta(days=60)


# Against the published specification ---------------------------------------------------------


def test_no_unspecified_endpoint_parameter_or_field_is_sent(server):
    user, media = (published(f"meta/graph-specs/{name}.json") for name in ("IGUser", "IGMedia"))
    calls = {
        (api["method"], api.get("endpoint") or api["name"]): {row["name"] for row in api["params"]}
        for document in (user, media)
        for api in document["apis"]
    }
    fields_of = {row["name"] for row in media["fields"]}
    one = send(server, outgoing(server))
    send(server, outgoing(server, count=2))
    NETWORK.look(outgoing(server), server.access(), NOW)
    server.metrics = {"reach"}
    NETWORK.measure([one.remote_id], server.access())
    NETWORK.address(one.remote_id, server.access())
    NETWORK.remove(one.remote_id, server.access())
    wrong, seen = [], set()
    for method, path, fields in server.requests:
        found = re.fullmatch(r"/\d+/?(\w*)", path)
        endpoint = found[1] or {"GET": "#get", "DELETE": "#delete"}[method]
        seen.add((method, endpoint))
        # fields, limit and after belong to every call and list of the Graph API
        known = calls.get((method, endpoint), set()) | {"fields", "limit", "after"}
        wrong += [(method, path)] if (method, endpoint) not in calls else []
        wrong += [(method, path, name) for name in set(fields) - known]
        asked = set(filter(None, fields.get("fields", "").split(",")))
        # a container's state and the quota's parts have no file among the specifications
        wrong += [(path, name) for name in asked - fields_of - {"status_code", "status", "quota_usage", "config"}]  # fmt: skip
    assert wrong == []
    assert seen == {
        ("POST", "media"), ("POST", "media_publish"), ("GET", "media"), ("GET", "#get"),
        ("GET", "content_publishing_limit"), ("GET", "insights"), ("DELETE", "#delete"),
    }  # fmt: skip
