"""Threads: what only it does, and what we send against the published collection."""

import contextlib
import datetime as dt
import json
import re
import urllib.parse
import uuid
from dataclasses import replace

import pytest

from integrations.networks import counting
from integrations.networks.base import (
    Absent,
    Access,
    CannotTell,
    Later,
    Link,
    NotConnected,
    Outgoing,
    Picture,
    Refused,
    Remaining,
    Renewed,
    Sent,
    Trip,
    Unknown,
    Window,
)  # fmt: skip
from integrations.networks.threads import Threads
from integrations.wire import WireError, call

from .meta import published
from .threads import Pretended

NETWORK = Threads()


@pytest.fixture
def server(monkeypatch):
    with Pretended() as found:
        for name, value in found.environment().items():
            monkeypatch.setenv(name, value)
        yield found


def window(seconds=5.0):
    return Window(seconds=seconds, may_start=lambda: None, now=dt.datetime.now(dt.UTC))


def outgoing(text="", **fields):
    return Outgoing(
        key=str(uuid.uuid4()), rkey="r", written_at=dt.datetime.now(dt.UTC),
        text=text or f"Moin {uuid.uuid4()}", **fields,
    )  # fmt: skip


def pictures(server, count):
    return tuple(
        Picture(b"jpeg", "image/jpeg", f"Field {n}", 600, 400, server.picture_url)
        for n in range(count)
    )


def send(server, post, on=None):
    on = on or window()
    kept = NETWORK.prepare(post, server.access(), on)
    if isinstance(kept, Later | Refused):
        return kept
    return NETWORK.publish(replace(post, kept=kept), server.access(), on)


# Counting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "length"),
    [("Moin", 4), ("Grüße", 5), ("👷🏽‍♀️", 17), ("👨‍👩‍👧‍👦", 25), ("☀️", 6), ("🇩🇪", 8), ("© 2026™", 7), ("1️⃣", 7), ("風", 1)],
)  # fmt: skip
def test_emoji_count_by_their_bytes(text, length):
    assert counting.emoji_bytes(text) == length
    assert NETWORK.length(text) == length


def test_text_that_fits_in_characters_but_not_in_bytes_is_refused_before_sending(server):
    post = outgoing("x" * 480 + "👨‍👩‍👧‍👦")
    assert send(server, post) == Refused(
        "Threads takes 500 characters, this text has 505", permanent=True
    )
    assert server.requests == []


def test_sixth_link_is_refused_and_the_fifth_not(server):
    links = " ".join(f"https://a.example/{n}" for n in range(5))
    assert isinstance(send(server, outgoing(links)), Sent)
    result = send(server, outgoing(f"{links} https://a.example/6"))
    assert result == Refused("Threads takes 5 links at most, this text has 6", permanent=True)
    more = outgoing(links, link=Link("https://b.example/r/x"))
    assert isinstance(send(server, more), Refused)
    same = outgoing(links + " ", link=Link("https://a.example/1"))
    assert isinstance(send(server, same), Sent)


# Containers ---------------------------------------------------------------------------------


def test_container_is_made_once_and_published_on_the_next_try(server):
    post = outgoing()
    kept = NETWORK.prepare(post, server.access(), window())
    again = NETWORK.prepare(replace(post, kept=kept), server.access(), window())
    assert (again, len(server.containers)) == (kept, 1)
    assert isinstance(NETWORK.publish(replace(post, kept=again), server.access(), window()), Sent)


@pytest.mark.parametrize("state", ["EXPIRED", "ERROR"])
def test_ended_container_is_made_anew(server, state):
    post = outgoing()
    kept = NETWORK.prepare(post, server.access(), window())
    server.containers[kept["container"]]["state"] = state
    again = NETWORK.prepare(replace(post, kept=kept), server.access(), window())
    assert again["container"] != kept["container"]


def test_old_container_is_made_anew(server):
    post = outgoing()
    kept = NETWORK.prepare(post, server.access(), window())
    tomorrow = replace(window(), now=dt.datetime.now(dt.UTC) + dt.timedelta(hours=23, minutes=1))
    again = NETWORK.prepare(replace(post, kept=kept), server.access(), tomorrow)
    assert again["container"] != kept["container"]


def test_container_in_progress_is_not_published_and_kept_for_the_next_try(server):
    server.state_of_new = "IN_PROGRESS"
    post = outgoing(pictures=pictures(server, 1))
    kept = NETWORK.prepare(post, server.access(), window(0.5))
    assert kept["ready"] is False
    assert isinstance(NETWORK.publish(replace(post, kept=kept), server.access(), window()), Later)
    assert server.count("arrived") == 0
    server.containers[kept["container"]]["state"] = "FINISHED"
    again = NETWORK.prepare(replace(post, kept=kept), server.access(), window())
    assert again == {**kept, "ready": True}


@pytest.mark.parametrize(
    ("why", "kind"), [("INVALID_ASPEC_RATIO", Refused), ("FAILED_DOWNLOADING_IMAGE", Later)]
)
def test_picture_rejected_in_processing(server, monkeypatch, why, kind):
    server.state_of_new = "ERROR"
    monkeypatch.setattr(server, "container_state", lambda handler, container, fields: server.ok(
        handler, {"id": container, "status": "ERROR", "error_message": why}))  # fmt: skip
    result = send(server, outgoing(pictures=pictures(server, 1)))
    assert isinstance(result, kind)
    assert why in result.why


def test_container_that_ended_between_prepare_and_publish_is_later(server):
    post = outgoing()
    kept = NETWORK.prepare(post, server.access(), window())
    server.containers[kept["container"]]["state"] = "EXPIRED"
    result = NETWORK.publish(replace(post, kept=kept), server.access(), window())
    assert isinstance(result, Later)
    assert server.count("created") == 0


def ambiguous(server, post, *, applied):
    """The post after a try whose answer was lost."""
    kept = NETWORK.prepare(post, server.access(), window())
    server.fault("reset", applied=applied)
    tried = replace(post, kept=kept)
    assert isinstance(NETWORK.publish(tried, server.access(), window()), Unknown)
    return replace(tried, first_tried_at=dt.datetime.now(dt.UTC))


def test_lost_answer_is_asked_of_the_container(server):
    applied = ambiguous(server, outgoing(), applied=True)
    seen = NETWORK.look(applied, server.access(), applied.first_tried_at)
    assert seen == Sent(server.ledger[-1]["id"], f"https://www.threads.example/p/{server.ledger[-1]['id']}")  # fmt: skip
    lost = ambiguous(server, outgoing(), applied=False)
    assert NETWORK.look(lost, server.access(), lost.first_tried_at) == Absent()


def test_equal_text_by_hand_is_no_proof_while_the_container_waits(server):
    text = f"Moin {uuid.uuid4()}"
    send(server, outgoing(text))
    lost = ambiguous(server, outgoing(text), applied=False)
    assert NETWORK.look(lost, server.access(), lost.first_tried_at) == Absent()


def test_published_but_not_listed_yet_is_looked_for_later(server, monkeypatch):
    post = ambiguous(server, outgoing(), applied=True)
    server.posts.clear()
    with pytest.raises(WireError):
        NETWORK.look(post, server.access(), post.first_tried_at)


def test_repeat_of_a_published_container_finds_the_post_and_makes_none(server):
    post = ambiguous(server, outgoing(), applied=True)
    result = send(server, post)
    assert result.remote_id == server.ledger[-1]["id"]
    assert (server.count("arrived"), server.count("created")) == (1, 1)


def test_container_published_behind_our_back_is_unknown_and_not_failed(server):
    post = ambiguous(server, outgoing(), applied=False)
    kept = NETWORK.prepare(post, server.access(), window())
    server.create(kept["container"])  # the slow server did it after all
    result = NETWORK.publish(replace(post, kept=kept), server.access(), window())
    assert isinstance(result, Unknown)
    assert server.count("created") == 1


def test_container_that_is_gone_is_made_anew_only_if_the_post_is_absent(server):
    absent = ambiguous(server, outgoing(), applied=False)
    there = ambiguous(server, outgoing(), applied=True)
    server.containers.clear()
    assert isinstance(send(server, there), Sent)
    assert server.count("created") == 1
    assert isinstance(send(server, absent), Sent)
    assert server.count("created") == 2


# Pictures, threads, quota -------------------------------------------------------------------


def test_network_fetches_every_picture_and_gets_their_alternative_texts(server):
    post = outgoing("Three #wind", pictures=pictures(server, 3))
    assert isinstance(send(server, post), Sent)
    assert server.fetched == 3
    [whole] = [row for row in server.containers.values() if row["media_type"] == "CAROUSEL"]
    parts = [server.containers[child] for child in whole["children"].split(",")]
    assert [part["alt_text"] for part in parts] == ["Field 0", "Field 1", "Field 2"]
    assert (whole["text"], whole["topic_tag"]) == ("Three #wind", "wind")


def test_picture_without_public_address_is_refused_with_a_reason(server):
    picture = replace(pictures(server, 1)[0], url="")
    result = send(server, outgoing(pictures=(picture,)))
    assert result.permanent
    assert result.why.startswith("Threads fetches pictures itself, and this installation has no")
    assert server.requests == []


def test_picture_that_cannot_be_fetched_is_not_the_end(server):
    picture = replace(pictures(server, 1)[0], url="http://127.0.0.1:1/picture.jpg")
    result = send(server, outgoing(pictures=(picture,)))
    assert not (isinstance(result, Refused) and result.permanent)
    assert server.count("arrived") == 0


@pytest.mark.parametrize(
    ("text", "topic"),
    [("Moin #wind.", "wind"), ("No tag", None), ("#a.b #c", "c"), ("a&#39; x", None), (f"#{'x' * 51}", None)],
)  # fmt: skip
def test_first_usable_hashtag_is_the_topic(server, text, topic):
    send(server, outgoing(text))
    [container] = server.containers.values()
    assert container.get("topic_tag") == topic


def test_reply_is_found_among_replies_only_where_that_was_granted(server):
    first = send(server, outgoing())
    part = ambiguous(server, outgoing(reply_to=first.remote_id, root=first.remote_id), applied=True)
    assert isinstance(NETWORK.look(part, server.access(), part.first_tried_at), Sent)
    server.granted.remove("threads_read_replies")
    without = replace(part, kept={})
    assert isinstance(NETWORK.look(without, server.access(), part.first_tried_at), CannotTell)


def test_used_up_quota_waits_and_makes_nothing(server):
    server.quota_usage = 250
    on = window()
    result = send(server, outgoing(), on)
    assert (type(result), result.wait) == (Later, 3600.0)
    assert (server.containers, on.limits) == ({}, [Remaining("account", 0, 3600.0)])


def test_usage_headers_become_limits(server):
    server.usage = {
        "X-App-Usage": json.dumps({"call_count": 28, "total_time": 30, "total_cputime": 25}),
        "X-Business-Use-Case-Usage": json.dumps({"1": [
            {"type": "threads", "call_count": 97, "total_cputime": 1, "total_time": 1,
             "estimated_time_to_regain_access": 19}]}),
    }  # fmt: skip
    on = window()
    assert isinstance(send(server, outgoing(), on), Sent)
    assert Remaining("app", 50, 60.0) in on.limits
    assert Remaining("account", 0, 19 * 60.0) in on.limits


@pytest.mark.parametrize("header", ["[", "5", '"x"', "[1]", '{"1": 5}', '{"1": [5, {"call_count": "x"}]}', "{" * 9000])  # fmt: skip
def test_garbage_in_usage_headers_is_no_limit_and_no_error(server, header):
    server.usage = {"X-App-Usage": header, "X-Business-Use-Case-Usage": header}
    assert isinstance(send(server, outgoing()), Sent)


@pytest.mark.parametrize(
    ("code", "subcode", "more", "kind", "permanent"),
    [
        (190, 458, {}, Refused, False), (190, 463, {}, Refused, False), (10, None, {}, Refused, False),
        (200, None, {}, Refused, False), (368, None, {}, Refused, False), (100, None, {}, Refused, True),
        (4, None, {}, Later, None), (17, None, {}, Later, None), (32, None, {}, Later, None), (613, None, {}, Later, None),
        (24, None, {}, Later, None), (1, None, {}, Unknown, None), (2, None, {}, Unknown, None),
        (100, None, {"is_transient": True}, Unknown, None),
    ],
)  # fmt: skip
def test_code_decides_and_not_the_status(server, code, subcode, more, kind, permanent):
    server.fault("body", status=400, payload=server.problem(400, "no", code, subcode, **more))
    result = send(server, outgoing())
    assert (type(result), getattr(result, "permanent", None)) == (kind, permanent)


def test_person_is_told_why_a_token_ended(server):
    server.fault("body", status=400, payload=server.problem(400, "Error validating", 190, 458))
    assert send(server, outgoing()).why == "Botschaft was removed in the account's settings there"


# Afterwards ---------------------------------------------------------------------------------


def test_address_is_asked_for(server):
    sent = send(server, outgoing())
    assert sent.url == ""
    found = NETWORK.address(sent.remote_id, server.access())
    assert found == f"https://www.threads.example/p/{sent.remote_id}"


def test_conversations_are_answered_replies_of_others(server):
    sent = send(server, outgoing())
    server.conversation[sent.remote_id] = [
        {"id": "1", "is_reply_owned_by_me": False, "replied_to": {"id": sent.remote_id}},
        {"id": "2", "is_reply_owned_by_me": True, "replied_to": {"id": "1"}},
        {"id": "3", "is_reply_owned_by_me": True, "replied_to": {"id": "1"}},
        {"id": "4", "is_reply_owned_by_me": False, "replied_to": {"id": sent.remote_id}},
        {"id": "5", "is_reply_owned_by_me": True, "replied_to": {"id": sent.remote_id}},
    ]
    assert NETWORK.conversations(sent.remote_id, server.access()) == 1
    server.granted.remove("threads_read_replies")
    with pytest.raises(WireError):
        NETWORK.conversations(sent.remote_id, server.access())


def test_views_are_impressions(server):
    sent = send(server, outgoing())
    assert NETWORK.measure([sent.remote_id], server.access())[sent.remote_id].impressions == 90


def test_delete_needs_its_permission(server):
    sent = send(server, outgoing())
    server.granted.remove("threads_delete")
    assert isinstance(NETWORK.remove(sent.remote_id, server.access()), Refused)
    assert sent.remote_id in server.posts


# Connecting ---------------------------------------------------------------------------------

NOW = dt.datetime(2026, 11, 25, 9, 0, tzinfo=dt.UTC)


def trip(server, **fields):
    return Trip(
        app=server.app, base_url="", redirect_uri="https://b.example/connect/cb/threads/",
        state="s" * 32, verifier="v", **fields,
    )  # fmt: skip


def came_back(server):
    """The person's way to the network and back, as a browser goes it."""
    departure = NETWORK.depart(trip(server))
    answer = call("GET", departure.url, seconds=5)
    back = urllib.parse.urlsplit(answer.headers["location"])
    found = dict(urllib.parse.parse_qsl(back.query))
    assert found["state"] == "s" * 32
    return {**found, "code": f"{found['code']}#_"}  # some frameworks keep the fragment


def test_connecting_gives_an_account_for_sixty_days(server):
    [grant] = NETWORK.arrive(trip(server, company=True), came_back(server), NOW)
    assert (grant.identity.remote_id, grant.identity.handle) == ("17841405793187218", "@jona")
    assert grant.base_url == server.base_url
    assert (grant.expires_at - NOW).days == 59
    assert grant.reconnect_by == grant.expires_at
    assert (grant.company, grant.features) == (True, {"scopes": sorted(server.scopes)})
    access = Access(grant.base_url, grant.identity.remote_id, "", grant.secrets, grant.features)
    kept = NETWORK.prepare(outgoing(), access, window())
    assert kept["ready"] is True


def test_no_at_the_network_is_said(server):
    with pytest.raises(NotConnected, match="You said no at Threads"):
        NETWORK.arrive(trip(server), {"error": "access_denied", "error_reason": "user_denied"}, NOW)
    assert server.requests == []


def test_code_used_twice_is_told_in_the_networks_words(server):
    with pytest.raises(NotConnected, match="Matching code was not found"):
        NETWORK.arrive(trip(server), {"code": "used"}, NOW)


def test_yes_that_is_too_small_connects_nothing(server):
    server.granted.remove("threads_content_publish")
    with pytest.raises(NotConnected, match="Botschaft was not allowed to publish posts"):
        NETWORK.arrive(trip(server), came_back(server), NOW)


def test_optional_permissions_may_be_left_out(server):
    server.granted = ["threads_basic", "threads_content_publish"]
    [grant] = NETWORK.arrive(trip(server), came_back(server), NOW)
    assert grant.features == {"scopes": ["threads_basic", "threads_content_publish"]}


def token(server, age, lives=60):
    issued = NOW - age
    secrets = {
        "access_token": "token-77", "issued_at": issued.isoformat(),
        "expires_at": (issued + dt.timedelta(days=lives)).isoformat(),
    }  # fmt: skip
    return Access(server.base_url, "1", "@a", secrets)


def test_token_of_a_day_is_prolonged(server):
    renewed = NETWORK.refresh(token(server, dt.timedelta(hours=25)), NOW)
    assert renewed.secrets["access_token"] == "token-77-2"
    assert renewed.expires_at == renewed.reconnect_by == NOW + dt.timedelta(days=60)


def test_younger_token_is_kept(server):
    access = token(server, dt.timedelta(hours=23))
    renewed = NETWORK.refresh(access, NOW)
    assert isinstance(renewed, Renewed)
    assert (renewed.secrets, server.requests) == (dict(access.secrets), [])


def test_ended_token_needs_its_person(server):
    result = NETWORK.refresh(token(server, dt.timedelta(days=61)), NOW)
    assert result == Refused("the permission has run out", permanent=False)
    assert server.requests == []


def test_refused_refresh_needs_its_person(server):
    access = token(server, dt.timedelta(days=2))
    gone = replace(access, secrets={**access.secrets, "access_token": "gone"})
    assert NETWORK.refresh(gone, NOW) == Refused("the permission has run out", False, "code 190/463 Aq1")  # fmt: skip


# Against the published collection -----------------------------------------------------------


def collection():
    document = published("threads/threads-api.postman_collection.json")
    found = []

    def walk(items):
        for item in items:
            walk(item.get("item", []))
            if "request" in item:
                found.append(item)

    walk(document["item"])
    return found, {row["key"]: row["value"] for row in document["variable"]}


def shape(path):
    """A path with a mark for every id."""
    path = re.sub(r"\{\{\w+\}\}|\b\d{6,}\b", "{}", path)
    return path.strip("/")


def exercise(server):
    """Every call this network can make."""
    first = send(
        server, outgoing("One #wind https://a.example/1", link=Link("https://a.example/1"))
    )
    send(server, outgoing(pictures=pictures(server, 1), reply_to=first.remote_id))
    send(server, outgoing(pictures=pictures(server, 2)))
    for post in (outgoing(), outgoing(reply_to=first.remote_id)):
        tried = ambiguous(server, post, applied=True)
        NETWORK.look(tried, server.access(), tried.first_tried_at)
    NETWORK.address(first.remote_id, server.access())
    NETWORK.measure([first.remote_id], server.access())
    NETWORK.conversations(first.remote_id, server.access())
    NETWORK.remove(first.remote_id, server.access())
    NETWORK.arrive(trip(server), {"code": "good"}, NOW)
    NETWORK.refresh(token(server, dt.timedelta(days=2)), NOW)


def test_no_unspecified_call_parameter_or_field_is_sent(server):
    requests, variables = collection()
    known, listed = {}, {}
    for item in requests:
        asked = item["request"]
        query = {row["key"]: row.get("value") or "" for row in asked["url"].get("query", [])}
        name = (asked["method"], shape("/".join(asked["url"]["path"])))
        variant = (query.get("media_type", ""), "is_carousel_item" in query)
        known.setdefault(name, {}).setdefault(variant, set()).update(query)
        for key in ("fields", "metric"):
            if key in query:
                value = variables.get(query[key].strip("{}"), query[key])
                listed.setdefault((*name, key), set()).update(
                    re.sub(r"\{.*?\}", "", value).split(",")
                )
    # Every call carries the token; the token endpoints take it as the parameter access_token
    # (the collection's own oauth2 settings: addTokenTo queryParams).
    exercise(server)
    wrong = []
    for method, path, fields in server.requests:
        name = (method, shape(path))
        variant = (fields.get("media_type", ""), "is_carousel_item" in fields)
        allowed = known.get(name, {}).get(variant)
        if allowed is None:
            wrong.append((name, variant))
            continue
        wrong += [(name, field) for field in set(fields) - allowed - {"access_token"}]
        for key in ("fields", "metric"):
            asked = set(filter(None, fields.get(key, "").split(",")))
            wrong += [(name, key, one) for one in asked - listed.get((*name, key), set())]
    assert wrong == []
    assert len({(m, shape(p)) for m, p, _ in server.requests}) == 14


def test_scopes_are_published_ones(server):
    _, variables = collection()
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(NETWORK.depart(trip(server)).url).query)
    assert set(query["scope"][0].split(",")) - set(variables["scope"].split(",")) == set()


def test_answers_are_as_in_the_collection(server):
    """Keys and JSON types of what the pretended server says, against the saved examples."""
    examples = {}
    for item in collection()[0]:
        for response in item.get("response", [])[:1]:
            name = (item["request"]["method"], shape("/".join(item["request"]["url"]["path"])))
            with contextlib.suppress(ValueError):  # an example with <placeholders>, or none
                example = json.loads(response.get("body") or "")
                examples.setdefault(name, []).append(example)
    exercise(server)
    checked, wrong = set(), []
    for method, path, payload in server.said:
        name = (method, shape(path))
        if name in examples:
            checked.add(name)
            errors = [differs(payload, example) for example in examples[name]]
            wrong += [] if [] in errors else [(name, errors)]
    assert wrong == []
    assert len(checked) == 12


def differs(said, example, where=""):
    """Names and types in ``said`` that the example does not have."""
    if isinstance(said, dict) and isinstance(example, dict):
        known = {
            "paging",
            "is_reply_owned_by_me",
            "user_id",
            *example,
        }  # user_id: documented as a number
        found = [f"{where}.{name} is unknown" for name in set(said) - known]
        for name in set(said) & set(example) - {"user_id"}:
            found += differs(said[name], example[name], f"{where}.{name}")
        return found
    if isinstance(said, list) and isinstance(example, list):
        return [error for row in said for error in differs(row, example[0], f"{where}[]")]
    return [] if type(said) is type(example) else [f"{where} is {type(said).__name__}"]
