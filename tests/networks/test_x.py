"""What only X does: duplicates, credit, limits, media, t.co, single-use tokens; and its schema."""

import datetime as dt
import json
import urllib.parse
import uuid
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from integrations.networks import counting
from integrations.networks.base import (
    Absent,
    CannotTell,
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
from integrations.networks.x import X
from integrations.wire import WireError, call

from ..conftest import SHARED
from .x import CREDIT
from .x import X as Pretended

NETWORK = X()
PICTURE = Picture(b"jpeg", "image/jpeg", "A field of turbines", 600, 400)
BACK = "https://botschaft.example/callback"


@pytest.fixture
def server(monkeypatch):
    with Pretended() as made:
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


def outgoing(text="", **fields):
    now = dt.datetime.now(dt.UTC)
    text = text or f"Moin {uuid.uuid4()}"
    return Outgoing(key=str(uuid.uuid4()), rkey="", written_at=now, text=text, **fields)


def publish(post, access, window=None):
    window = window or Window(5.0, lambda: None, dt.datetime.now(dt.UTC))
    kept = NETWORK.prepare(post, access, window)
    if isinstance(kept, Later | Refused):
        return kept
    return NETWORK.publish(replace(post, kept=kept), access, window)


def look(post, access):
    return NETWORK.look(post, access, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))


# Posting


def test_same_text_again_is_not_known_and_a_look_finds_the_first(server):
    access, post = server.access(), outgoing()
    first = publish(post, access)
    assert publish(post, access) == Unknown("duplicate", look_after=5.0)
    assert look(post, access) == first
    assert server.count("created") == 1


def test_same_text_on_another_account_is_x_s_policy_but_not_its_filter(server):
    post = outgoing()
    first, second = (publish(post, server.access(number)) for number in ("1", "2"))
    assert first.remote_id != second.remote_id


@pytest.mark.parametrize("body", ["old", "new"])
def test_used_up_credit_names_the_company_and_keeps_the_post(server, body):
    server.credit = body
    result = publish(outgoing(), server.access())
    assert result == Refused(
        "X has no credit left from the company; nothing goes out there until an administrator tops"
        " it up. Your connection is fine.",
        permanent=False,
        detail=result.detail,
        whose="app",
    )
    assert CREDIT[body]["detail"] in result.detail


@pytest.mark.parametrize(
    ("kind", "detail", "permanent"),
    [
        ("https://api.x.com/2/problems/client-forbidden", "enrol your app", False),
        ("about:blank", "Your account is suspended", False),
        ("about:blank", "You can only reply when you were mentioned", True),
    ],
)
def test_forbidden_is_for_a_person_only_where_a_person_can_help(server, kind, detail, permanent):
    problem = server.problem(403, detail, kind)
    server.fault("body", status=403, payload=problem)
    result = publish(outgoing(), server.access())
    assert result == Refused(f"403 {detail}", permanent=permanent)


def test_ended_access_is_renewed(server):
    server.fault("status", status=401, error="Unauthorized")
    assert publish(outgoing(), server.access()) == Later("401 Unauthorized", renew=True)


def test_limits_in_the_answer_are_told(server):
    window = Window(5.0, lambda: None, dt.datetime.now(dt.UTC))
    publish(outgoing(), server.access(), window)
    assert [(limit.whose, limit.left) for limit in window.limits] == [
        ("account", 99),
        ("app", 9_999),
    ]
    assert all(isinstance(limit, Remaining) and limit.wait > 0 for limit in window.limits)


@pytest.mark.parametrize(("limit", "whose"), [("posts_per_window", "account"), ("posts_per_day", "app")])  # fmt: skip
def test_used_up_limit_pauses_whom_it_concerns(server, limit, whose):
    setattr(server, limit, 1)
    access = server.access()
    publish(outgoing(), access)
    result = publish(outgoing(), access)
    assert (type(result), result.whose) == (Later, whose)
    assert 0 < result.wait <= (900 if whose == "account" else 86_400)


def test_garbled_limits_are_left_out(server):
    window = Window(5.0, lambda: None, dt.datetime.now(dt.UTC))
    headers = [("x-rate-limit-remaining", "soon"), ("x-rate-limit-reset", "-5")]
    server.fault("status", status=400, headers=headers)
    publish(outgoing(), server.access(), window)
    assert window.limits == []


def test_thread_answers_its_part_before(server):
    access = server.access()
    first = publish(outgoing(), access)
    publish(outgoing("And then.", reply_to=first.remote_id, root=first.remote_id), access)
    assert server.requests[-1] == (
        "/2/tweets",
        {"text": "And then.", "reply": {"in_reply_to_tweet_id": first.remote_id}},
    )


# Pictures


def test_pictures_carry_their_alternative_text(server):
    sent = publish(outgoing(pictures=(PICTURE, replace(PICTURE, alt=""))), server.access())
    assert isinstance(sent, Sent)
    assert [(row["content"], row["alt"]) for row in server.media.values()] == [
        (b"jpeg", "A field of turbines"),
        (b"jpeg", ""),
    ]
    assert server.posts[sent.remote_id]["media"] == list(server.media)


def test_picture_is_waited_for(server):
    server.media_states = ["pending", "in_progress", "succeeded"]
    window = Window(30.0, lambda: None, dt.datetime.now(dt.UTC))
    assert isinstance(publish(outgoing(pictures=(PICTURE,)), server.access(), window), Sent)


def test_picture_that_takes_too_long_waits_without_a_post(server):
    server.media_states = ["pending"] * 50
    result = publish(outgoing(pictures=(PICTURE,)), server.access())
    assert (result, server.count("arrived")) == (Later("media still in processing", wait=15), 0)


def test_picture_rejected_in_processing_ends_the_post(server):
    server.media_states = ["failed"]
    result = publish(outgoing(pictures=(PICTURE,)), server.access())
    assert result == Refused("X could not use the picture", permanent=True)
    assert server.count("arrived") == 0


def test_uploaded_picture_serves_for_half_a_day(server):
    access, now = server.access(), dt.datetime.now(dt.UTC)
    post = outgoing(pictures=(PICTURE,))
    kept = NETWORK.prepare(post, access, Window(5.0, lambda: None, now))
    for hours, uploads in ((11, 1), (13, 2)):
        later = Window(5.0, lambda: None, now + dt.timedelta(hours=hours))
        NETWORK.prepare(replace(post, kept=kept), access, later)
        assert len(server.media) == uploads


# Looking


@pytest.mark.parametrize(
    "text",
    [
        "see https://a.example/x and https://a.example/y?b=1&c=2",
        "see nordwind.de/ and www.nordwind.energy",
        "a < b & c > d &amp; <b>",
        "A\u0301 is one letter",
        "two  spaces\n\nand lines https://a.example/",
    ],
)
def test_look_reads_its_text_through_what_x_makes_of_it(server, text):
    access, post = server.access(), outgoing(f"{text} {uuid.uuid4()}", pictures=(PICTURE,))
    sent = publish(post, access)
    assert look(post, access) == sent
    assert look(replace(post, pictures=()), access) == Absent()
    assert look(replace(post, taken=frozenset({sent.remote_id})), access) == Absent()


def test_look_turns_pages(server):
    access, post = server.access(), outgoing()
    server.posts_per_window = 1000
    sent = publish(post, access)
    for number in range(7):
        server.create(access.remote_account_id, {"text": f"more {number}"})
    assert look(post, access) == sent
    for number in range(500):
        server.create(access.remote_account_id, {"text": f"much more {number}"})
    assert look(post, access) == CannotTell("too many posts since")


def test_hidden_timeline_does_not_say_absent(server):
    access, post = server.access(), outgoing()
    no_reading = replace(access, features={"scopes": ["tweet.write"]})
    assert isinstance(look(post, no_reading), CannotTell)
    problem = {"title": "x", "type": "https://api.x.com/2/problems/not-authorized-for-resource", "detail": "private"}  # fmt: skip
    server.timeline = lambda handler, account, query: server.answer(
        handler, 200, {"errors": [problem], "meta": {"result_count": 0}}
    )
    assert isinstance(look(post, access), CannotTell)


# Figures


@pytest.mark.parametrize("fields", ["tweet.fields", "post.fields"])
def test_hundred_posts_are_read_in_one_call_in_both_generations(server, fields):
    access = server.access()
    app = replace(access.app, options={**access.app.options, "fields_parameter": fields})
    ids = [server.create("1", {"text": str(number)})["id"] for number in range(100)]
    server.figures[ids[0]] = (4, 2, 1)
    del server.posts[ids[1]]
    figures = NETWORK.measure(ids, replace(access, app=app))
    assert figures[ids[0]] == Figures(4, 2, 1, quotes=0, impressions=40)
    assert (set(ids) - set(figures), server.count("read")) == ({ids[1]}, 1)


def test_post_x_is_silent_about_is_not_gone(server):
    server.read = lambda handler, query: server.answer(handler, 200, {"data": []})
    assert NETWORK.measure(["5"], server.access()) == {"5": Figures()}


def test_price_and_readings():
    able = NETWORK.abilities
    assert (able.price.post, able.price.post_with_link, able.price.read) == (15_000, 200_000, 5_000)
    assert all(later - sooner >= 24 for sooner, later in zip(able.readings, able.readings[1:], strict=False))  # fmt: skip
    assert (able.identical_texts, able.app_needed) == (False, True)


# Connecting


def trip(server, **fields):
    return Trip(server.access().app, "", BACK, "state", "verifier-" * 6, **fields)


def consent(url):
    """Say yes at the network; the callback's query."""
    answer = call("GET", url, seconds=5)
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["location"]).query))


def test_connecting_brings_tokens_that_work(server):
    now, there = dt.datetime.now(dt.UTC), trip(server)
    answer = consent(NETWORK.depart(there).url)
    [grant] = NETWORK.arrive(there, answer, now)
    assert (grant.identity.remote_id, grant.identity.handle) == ("77", "@user77")
    assert (grant.expires_at, grant.company) == (now + dt.timedelta(hours=2), False)
    assert grant.features["can_look"] is True
    access = replace(server.access(), remote_account_id="77", secrets=grant.secrets)
    assert isinstance(publish(outgoing(), access), Sent)
    with pytest.raises(NotConnected):
        NETWORK.arrive(there, answer, now)  # the code serves once


def test_connecting_needs_the_verifier_and_the_moment(server, monkeypatch):
    there = trip(server)
    now = dt.datetime.now(dt.UTC)
    answer = consent(NETWORK.depart(there).url)
    with pytest.raises(NotConnected):
        NETWORK.arrive(replace(there, verifier="another"), answer, now)
    answer = consent(NETWORK.depart(there).url)
    [(code, (redirect, challenge, scope, at))] = server.codes.items()
    server.codes[code] = (redirect, challenge, scope, at - 31)
    with pytest.raises(NotConnected):
        NETWORK.arrive(there, answer, now)
    with pytest.raises(NotConnected, match="access_denied"):
        NETWORK.arrive(there, {"error": "access_denied", "state": "state"}, now)


def test_refresh_token_serves_once(server):
    access, now = server.access(), dt.datetime.now(dt.UTC)
    renewed = NETWORK.refresh(access, now)
    assert renewed.expires_at == now + dt.timedelta(hours=2)
    fresh = replace(access, secrets=renewed.secrets)
    assert isinstance(publish(outgoing(), fresh), Sent)
    assert NETWORK.refresh(access, now).permanent is False  # a replay ends the whole family
    assert isinstance(NETWORK.refresh(fresh, now), Refused)


def test_refresh_that_cannot_reach_x_is_no_refusal(server):
    access = server.access()
    server.oauth = lambda handler, path, form: server.answer(handler, 503, {})
    with pytest.raises(WireError):
        NETWORK.refresh(access, dt.datetime.now(dt.UTC))


def test_revoked_access_is_void(server):
    access = server.access()
    NETWORK.revoke(access)
    assert publish(outgoing(), access) == Later("401 Unauthorized", renew=True)
    assert isinstance(NETWORK.refresh(access, dt.datetime.now(dt.UTC)), Refused)


# The published schema


def documents():
    found = []
    for name in ("openapi.docs.json", "openapi.docs-20260806-classic.json"):
        file = SHARED / "specs/x" / name
        if not file.exists():
            pytest.skip("../shared/specs is not beside this checkout")
        found.append(json.loads(file.read_text()))
    return found


def errors(document, schema, value):
    whole = {**schema, "components": document["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def operation(document, method, path):
    for template, methods in document["paths"].items():
        pattern = template.split("/")
        parts = path.split("/")
        fits = len(pattern) == len(parts) and all(
            a == b or a.startswith("{") for a, b in zip(pattern, parts, strict=True)
        )
        if fits and method.lower() in methods:
            return methods[method.lower()]
    raise LookupError(path)


def response(document, method, path, status):
    """What may be answered: errors are the old kind or a problem, under two media types."""
    answers = operation(document, method, path)["responses"]
    found = answers.get(str(status), answers["default"])["content"]
    return {"anyOf": [content["schema"] for content in found.values()]}


@pytest.fixture
def everything(server):
    """One of each call, good and bad."""
    access = server.access()
    post = outgoing("see https://a.example/x 👷🏽‍♀️ & more", pictures=(PICTURE,))
    sent = publish(post, access)
    server.media_states = ["pending", "succeeded"]
    publish(outgoing("reply", reply_to=sent.remote_id, pictures=(PICTURE,)), access, Window(30.0, lambda: None, dt.datetime.now(dt.UTC)))  # fmt: skip
    publish(post, access)
    look(post, access)
    NETWORK.measure([sent.remote_id, "5"], access)
    app = replace(access.app, options={**access.app.options, "fields_parameter": "post.fields"})
    newer = replace(access, app=app)
    NETWORK.look(post, newer, dt.datetime.now(dt.UTC))
    NETWORK.measure([sent.remote_id], newer)
    publish(outgoing("x" * 281), access)
    server.credit = "new"
    publish(outgoing(), access)
    server.credit = None
    server.posts_per_window = 0
    publish(outgoing(), access)
    there = trip(server)
    NETWORK.arrive(there, consent(NETWORK.depart(there).url), dt.datetime.now(dt.UTC))
    NETWORK.remove(sent.remote_id, access)
    publish(outgoing(), replace(access, secrets={"access_token": "wrong"}))
    return server


def test_answers_are_as_published(everything):
    both, wrong, checked = documents(), [], set()
    for method, path, status, payload in everything.answers:
        if "oauth2" in path:
            continue
        checked.add((method, path.rstrip("0123456789"), status))
        found = [errors(d, response(d, method, path, status), payload) for d in both]
        if all(found):
            wrong.append((method, path, status, found))
    assert wrong == []
    assert len(checked) >= 10


def test_no_unspecified_field_is_sent(everything):
    wrong = []
    for path, sent in everything.requests:
        for document in documents():
            schema = operation(document, "POST", path)["requestBody"]["content"]["application/json"]["schema"]  # fmt: skip
            wrong += [(path, error) for error in errors(document, schema, sent)]
    assert wrong == []
    assert len(everything.requests) >= 8


def test_unspecified_field_would_be_noticed(server):
    for document in documents():
        schema = operation(document, "POST", "/2/tweets")["requestBody"]["content"]["application/json"]["schema"]  # fmt: skip
        assert errors(document, schema, {"text": "a", "visibility": "public"}) != []
    assert (
        server.wrong({"text": "a", "visibility": "public"}, "1") == "unknown field ['visibility']"
    )


def test_length_is_what_the_server_counts(server):
    long = "a" * 256 + " https://a.example/" + "b" * 200
    assert NETWORK.length(long) == 280 == counting.weighted(long)
    assert isinstance(publish(outgoing(long), server.access()), Sent)
    assert publish(outgoing(f"{long} c"), server.access()) == Refused(
        "400 Your Tweet text is too long.", permanent=True
    )
