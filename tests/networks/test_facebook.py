"""Facebook Pages: what only they do, and what we send against the published specification."""

import datetime as dt
import re
import urllib.parse
import uuid
from dataclasses import replace

import pytest

from integrations.networks.base import (
    Absent,
    Access,
    CannotTell,
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
)  # fmt: skip
from integrations.networks.facebook import Facebook
from integrations.wire import call

from .facebook import Pretended
from .meta import published

NETWORK = Facebook()
NOW = dt.datetime(2026, 11, 25, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def server(monkeypatch):
    with Pretended() as found:
        for name, value in found.environment().items():
            monkeypatch.setenv(name, value)
        yield found


def window(seconds=5.0):
    return Window(seconds=seconds, may_start=lambda: None, now=dt.datetime.now(dt.UTC))


def outgoing(text="", count=0, **fields):
    pictures = tuple(
        Picture(b"\xff\xd8jpeg" * 3, "image/jpeg", f"Field “{n}”", 600, 400) for n in range(count)
    )
    return Outgoing(
        key=str(uuid.uuid4()), rkey="r", written_at=dt.datetime.now(dt.UTC),
        text=text or f"Moin {uuid.uuid4()}", pictures=pictures, **fields,
    )  # fmt: skip


def send(server, post, on=None):
    on = on or window()
    kept = NETWORK.prepare(post, server.access("501"), on)
    if isinstance(kept, Later | Refused):
        return kept
    return NETWORK.publish(replace(post, kept=kept), server.access("501"), on)


def feeds(server):
    return [fields for method, path, fields in server.requests if method == "POST" and path.endswith("feed")]  # fmt: skip


def test_text_and_link(server):
    sent = send(server, outgoing("Moin", link=Link("https://b.example/r/x")))
    assert sent.url == f"https://www.facebook.com/{sent.remote_id}"
    assert feeds(server) == [{"message": "Moin", "link": "https://b.example/r/x"}]


def test_photos_go_up_unpublished_and_as_bytes(server):
    sent = send(server, outgoing("Moin", count=3, link=Link("https://b.example/r/x")))
    assert isinstance(sent, Sent)
    assert list(server.photos.values()) == [
        {"published": "false", "alt_text_custom": f"Field “{n}”", "source": "18"} for n in range(3)
    ]
    ids = ", ".join(f'{{"media_fbid": "{photo}"}}' for photo in server.photos)
    assert feeds(server) == [{"message": "Moin", "attached_media": f"[{ids}]"}]


def test_photos_are_uploaded_once_and_anew_after_a_day(server):
    post = outgoing(count=2)
    kept = NETWORK.prepare(post, server.access("501"), window())
    assert NETWORK.prepare(replace(post, kept=kept), server.access("501"), window()) == kept
    assert len(server.photos) == 2
    tomorrow = replace(window(), now=dt.datetime.now(dt.UTC) + dt.timedelta(hours=21))
    again = NETWORK.prepare(replace(post, kept=kept), server.access("501"), tomorrow)
    assert (len(server.photos), again["photos"] != kept["photos"]) == (4, True)


def test_duplicate_is_a_refusal_at_first_and_perhaps_ours_afterwards(server):
    post = outgoing("Moin")
    assert isinstance(send(server, post), Sent)
    assert send(server, post) == Refused("400 Duplicate status message", True, "code 506/0 Aq1")
    tried = replace(post, first_tried_at=dt.datetime.now(dt.UTC))
    assert isinstance(send(server, tried), Unknown)
    assert server.count("created") == 1


def test_look_needs_its_permission(server):
    post = outgoing()
    send(server, post)
    since = dt.datetime.now(dt.UTC)
    assert isinstance(NETWORK.look(post, server.access("501"), since), Sent)
    server.granted.remove("pages_read_engagement")
    assert NETWORK.look(post, server.access("501"), since) == CannotTell(
        "Botschaft may not read the Page's posts"
    )


def test_look_reads_page_after_page_and_passes_over_proven_other_posts(server):
    post = outgoing("The one")
    first = send(server, post)
    for n in range(60):
        server.create({"message": f"Other {n}"}, "501")
    access, since = server.access("501"), dt.datetime.now(dt.UTC)
    assert NETWORK.look(post, access, since).remote_id == first.remote_id
    taken = replace(post, taken=frozenset({first.remote_id}))
    assert NETWORK.look(taken, access, since) == Absent()
    for n in range(250):
        server.create({"message": f"More {n}"}, "501")
    assert NETWORK.look(post, access, since) == CannotTell("too many posts since")


@pytest.mark.parametrize(
    ("code", "kind", "permanent", "whose"),
    [
        (190, Refused, False, "account"), (102, Refused, False, "account"), (10, Refused, False, "account"),
        (230, Refused, False, "account"), (368, Refused, False, "account"), (100, Refused, True, "account"),
        (1609005, Refused, True, "account"), (506, Refused, True, "account"),
        (4, Later, None, "app"), (17, Later, None, "account"), (32, Later, None, "account"), (613, Later, None, "account"),
        (80001, Later, None, "account"), (1, Unknown, None, None), (2, Unknown, None, None),
    ],
)  # fmt: skip
def test_code_decides_and_not_the_status(server, code, kind, permanent, whose):
    server.fault("body", status=400, payload=server.problem(400, "no", code))
    result = send(server, outgoing())
    assert type(result) is kind
    assert getattr(result, "permanent", None) == permanent
    assert getattr(result, "whose", None) == whose


def test_throttled_page_waits_as_long_as_it_is_told(server):
    usage = '{"77": [{"type": "pages", "call_count": 100, "total_cputime": 5, "total_time": 5, "estimated_time_to_regain_access": 19}]}'  # fmt: skip
    server.fault(
        "status", status=429, error="limit", headers=[("X-Business-Use-Case-Usage", usage)]
    )
    on = window()
    assert send(server, outgoing(), on).wait == 19 * 60
    assert on.limits == [Remaining("account", 0, 19 * 60.0)]


def test_one_missing_post_does_not_hide_the_others(server):
    posts = [send(server, outgoing()).remote_id for _ in range(3)]
    server.figures[posts[0]] = (4, 2, 1)
    server.refused_metrics.add(posts[1])
    access = server.access("501")
    assert NETWORK.measure(posts, access) == {
        posts[0]: Figures(4, 2, 1, impressions=90),
        posts[1]: Figures(0, 0, 0),
        posts[2]: Figures(0, 0, 0, impressions=90),
    }
    server.requests.clear()
    NETWORK.measure(posts, access)
    assert len(server.requests) == 1 + 3
    del server.posts[posts[2]]
    assert set(NETWORK.measure(posts, access)) == set(posts[:2])


def test_insights_are_not_asked_for_without_permission(server):
    post = send(server, outgoing()).remote_id
    server.granted.remove("read_insights")
    assert NETWORK.measure([post], server.access("501")) == {post: Figures(0, 0, 0)}


def test_edit_replaces_the_text(server):
    sent = send(server, outgoing("Moin"))
    assert NETWORK.edit(sent.remote_id, "Moin moin", server.access("501")) == sent
    assert server.posts[sent.remote_id]["message"] == "Moin moin"
    assert isinstance(NETWORK.edit("501_1", "x", server.access("501")), Refused)


def test_version_is_pinned_by_the_operator(server):
    paths = []
    serve = server.serve
    server.serve = lambda handler, at, body: (paths.append(handler.path), serve(handler, at, body))
    access = server.access("501")
    NETWORK.publish(outgoing(), access, window())
    options = {**server.app.options, "version": "v26.0"}
    later = replace(access, app=replace(server.app, options=options))
    NETWORK.publish(outgoing(), later, window())
    assert paths == ["/v25.0/501/feed", "/v26.0/501/feed"]


def test_network_refuses_a_call_without_the_proof(server):
    without = replace(server.access("501"), app=None)
    assert NETWORK.publish(outgoing(), without, window()).permanent
    assert server.count("created") == 0


# Connecting ---------------------------------------------------------------------------------


def trip(server, company=True):
    return Trip(
        app=server.app, base_url="", redirect_uri="https://b.example/connect/cb/facebook/",
        state="s" * 32, verifier="v", company=company,
    )  # fmt: skip


def came_back(server):
    answer = call("GET", NETWORK.depart(trip(server)).url, seconds=5)
    back = urllib.parse.urlsplit(answer.headers["location"])
    return dict(urllib.parse.parse_qsl(back.query))


def test_every_page_with_the_task_is_a_grant(server):
    grants = NETWORK.arrive(trip(server), came_back(server), NOW)
    assert [(g.identity.remote_id, g.identity.handle) for g in grants] == [
        ("501", "Nordwind Energie"),
        ("502", "Nordwind Jobs"),
    ]
    assert {g.expires_at for g in grants} == {None}
    assert {g.reconnect_by.timestamp() for g in grants} == {server.data_access_ends}
    assert all(g.company for g in grants)
    assert [dict(g.secrets) for g in grants] == [
        {"access_token": "token-501"},
        {"access_token": "token-502"},
    ]
    access = Access(server.base_url, "501", "", grants[0].secrets, grants[0].features, server.app)
    assert isinstance(NETWORK.publish(outgoing(), access, window()), Sent)


def test_end_of_data_access_is_ninety_days_where_it_is_not_told(server):
    server.data_access_ends = 0
    grants = NETWORK.arrive(trip(server), came_back(server), NOW)
    assert grants[0].reconnect_by == NOW + dt.timedelta(days=90)


def test_person_without_a_page_is_told_what_to_do(server):
    server.pages = server.pages[2:]
    with pytest.raises(NotConnected, match="Ask for the task “Create content”"):
        NETWORK.arrive(trip(server), came_back(server), NOW)


def test_yes_that_is_too_small_connects_nothing(server):
    server.granted.remove("pages_manage_posts")
    with pytest.raises(NotConnected, match="not allowed to publish on your Page"):
        NETWORK.arrive(trip(server), came_back(server), NOW)


def test_personal_profile_cannot_be_connected(server):
    with pytest.raises(NotConnected, match="no tool publish on a personal profile"):
        NETWORK.depart(trip(server, company=False))


def test_code_used_twice_is_told_in_the_networks_words(server):
    with pytest.raises(NotConnected, match="This authorization code has been used"):
        NETWORK.arrive(trip(server), {"code": "used"}, NOW)


def revoke(server, grant):
    NETWORK.revoke(Access(server.base_url, "501", "", grant.secrets, grant.features, server.app))


def test_revoking_one_page_does_not_end_its_siblings(server):
    grants = NETWORK.arrive(trip(server), came_back(server), NOW)
    revoke(server, grants[0])
    assert server.revoked == []
    server.pages = server.pages[:1]
    [alone] = NETWORK.arrive(trip(server), came_back(server), NOW)
    revoke(server, alone)
    assert server.revoked == ["9"]


def test_page_tokens_are_not_refreshed(server):
    assert NETWORK.refresh(server.access("501"), NOW) == Refused("reconnect", permanent=False)


# Against the published specification ---------------------------------------------------------


def specified(name):
    document = published(f"meta/graph-specs/{name}.json")
    calls = {
        (api["method"], api.get("endpoint") or api["name"]): {row["name"] for row in api["params"]}
        for api in document["apis"]
    }
    edges = {endpoint for method, endpoint in calls if method == "GET"}
    return calls, {row["name"] for row in document["fields"]} | edges


def test_no_unspecified_endpoint_parameter_or_field_is_sent(server):
    page, page_fields = specified("Page")
    post, post_fields = specified("PagePost")
    # reactions is read as a field with a summary: facebook_pages.md §7
    post_fields |= {"reactions"}
    one = send(server, outgoing(link=Link("https://b.example/r/x")))
    send(server, outgoing(count=2))
    NETWORK.look(outgoing(), server.access("501"), NOW)
    NETWORK.measure([one.remote_id, "501_404"], server.access("501"))
    NETWORK.edit(one.remote_id, "x", server.access("501"))
    NETWORK.remove(one.remote_id, server.access("501"))
    wrong, seen = [], set()
    for method, path, fields in server.requests:
        node, _, endpoint = path.strip("/").partition("/")  # "/" with ids reads several posts
        calls, known_fields = (page, page_fields | post_fields) if re.fullmatch(r"\d+", node) else (post, post_fields)  # fmt: skip
        endpoint = endpoint or {"GET": "#get", "DELETE": "#delete", "POST": "#update"}[method]
        seen.add((method, endpoint))
        wrong += [] if (method, endpoint) in calls else [(method, path)]
        # fields, limit, after and ids belong to every call and list of the Graph API; source is
        # the file of an upload, which the generated specification leaves out (facebook_pages.md §3)
        known = calls.get((method, endpoint), set()) | {"fields", "limit", "after", "ids", "source"}
        wrong += [(method, path, name) for name in set(fields) - known]
        asked = set(filter(None, re.sub(r"(\.\w+\(\w+\))+", "", fields.get("fields", "")).split(",")))  # fmt: skip
        wrong += [(path, name) for name in asked - known_fields]
    assert wrong == []
    assert seen == {
        ("POST", "feed"), ("POST", "photos"), ("GET", "feed"), ("GET", "#get"), ("GET", "insights"),
        ("POST", "#update"), ("DELETE", "#delete"),
    }  # fmt: skip


def test_pages_are_asked_for_specified_fields(server):
    _, known = specified("Page")
    NETWORK.arrive(trip(server), came_back(server), NOW)
    [fields] = [fields for _, path, fields in server.requests if path == "/me/accounts"]
    # tasks is told on this edge only (facebook_pages.md §2)
    assert set(fields["fields"].split(",")) - known == {"tasks"}
