"""The pretended networks against the published contracts, and what we send against them too."""

import datetime as dt
import json
import re
import urllib.parse
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from integrations.networks.base import (
    Absent,
    Access,
    Link,
    Outgoing,
    Picture,
    Sent,
    Trip,
    Window,
)
from integrations.networks.bluesky import Bluesky, make_tid, sign_in
from integrations.networks.bluesky_session import blob_limit
from integrations.networks.mastodon import Mastodon
from integrations.wire import call

from .conftest import SHARED

NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


def publish(network, post, access):
    return network.publish(
        replace(post, kept=network.prepare(post, access, WINDOW)), access, WINDOW
    )


WINDOW = Window(seconds=10, may_start=lambda: None, now=NOW)
PICTURE = Picture(b"jpeg", "image/jpeg", "A field", 600, 400)


def spec(path):
    file = SHARED / "specs" / path
    if not file.exists():
        pytest.skip("../shared/specs is not beside this checkout")
    return json.loads(file.read_text())


def outgoing(**fields):
    return Outgoing(
        **{
            "key": "k",
            "rkey": make_tid(1, 1),
            "written_at": NOW,
            "text": "Grüße #wind https://a.example/x",
            **fields,
        }
    )


@pytest.fixture
def schema():
    document = spec("mastodon/schema.json")
    registry = Registry().with_resource(
        "urn:mastodon",
        Resource.from_contents(
            document,
            default_specification=__import__(
                "referencing.jsonschema", fromlist=["DRAFT202012"]
            ).DRAFT202012,
        ),
    )

    def validator(name):
        return Draft202012Validator(
            {"$ref": f"urn:mastodon#/components/schemas/{name}"}, registry=registry
        )

    validator.registry = registry
    return validator


def test_mastodon_answers_are_as_published(mastodon, schema):
    access = Access(mastodon.base_url, "1", "@a", {"access_token": mastodon.token()})
    sent = publish(Mastodon(), outgoing(), access)
    assert isinstance(sent, Sent)
    answer = call(
        "GET",
        f"{mastodon.base_url}/api/v1/statuses/{sent.remote_id}",
        headers={"Authorization": f"Bearer {access.secrets['access_token']}"},
        seconds=5,
    )
    assert [e.message for e in schema("Status").iter_errors(answer.json())] == []


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "TextStatus"),
        ({"pictures": (PICTURE,)}, "MediaStatus"),
        ({"content_warning": "Loud"}, "TextStatus"),
    ],
)
def test_mastodon_is_sent_no_unspecified_field(mastodon, schema, fields, name):
    access = Access(mastodon.base_url, "1", "@a", {"access_token": mastodon.token()})
    assert isinstance(publish(Mastodon(), outgoing(**fields), access), Sent)
    [sent] = mastodon.requests
    assert [e.message for e in schema(name).iter_errors(sent)] == []
    known = fields_of(spec("mastodon/schema.json"), name)
    assert set(sent) - known == set()


def fields_of(document, name):
    row = document["components"]["schemas"][name]
    found = set(row.get("properties", {}))
    for part in row.get("allOf", []):
        found |= (
            fields_of(document, part["$ref"].rsplit("/", 1)[-1])
            if "$ref" in part
            else set(part.get("properties", {}))
        )
    return found


def against_lexicon(value, definition, home, where="record"):
    """The errors of a value against a lexicon definition: types, required, unknown, lengths."""
    kind = definition["type"]
    if kind == "ref":
        return against_lexicon(value, *lexicon(definition["ref"], home), where)
    if kind == "unknown":
        return []
    if kind == "union":
        return against_lexicon(value, *lexicon(value["$type"], home), where)
    if kind == "object":
        known = definition["properties"]
        errors = [
            f"{where}.{name} is missing"
            for name in definition.get("required", [])
            if name not in value
        ]
        errors += [
            f"{where}.{name} is unknown" for name in value if name not in known and name != "$type"
        ]
        for name, item in value.items():
            if name in known and not (item is None and name in definition.get("nullable", [])):
                errors += against_lexicon(item, known[name], home, f"{where}.{name}")
        return errors
    if kind == "array":
        errors = [f"{where} is too long"] if len(value) > definition.get("maxLength", 10**9) else []
        for item in value:
            errors += against_lexicon(item, definition["items"], home, f"{where}[]")
        return errors
    types = {"string": str, "integer": int, "boolean": bool, "blob": dict}
    errors = [] if isinstance(value, types[kind]) else [f"{where} is no {kind}"]
    if kind == "string" and len(value.encode()) > definition.get("maxLength", 10**9):
        errors.append(f"{where} is too long")
    return errors


def lexicon(name, home):
    path, _, part = name.partition("#")
    path = path or home
    document = spec(f"bluesky/lexicons/{path.replace('.', '/')}.json")
    return document["defs"][part or "main"], path


@pytest.mark.parametrize(
    "fields",
    [{}, {"link": Link("https://a.example/x", "Title", "Description")}, {"pictures": (PICTURE,)}],
    ids=["text", "card", "picture"],
)
def test_bluesky_record_is_as_published(bluesky, fields):
    access = Access(bluesky.base_url, "did:plc:a", "@a", {"access_token": "t"})
    assert isinstance(publish(Bluesky(), outgoing(**fields), access), Sent)
    [record] = bluesky.records.values()
    definition, home = lexicon("app.bsky.feed.post", "")
    assert against_lexicon(record, definition["record"], home) == []


# Every question and answer ------------------------------------------------------------------


def against_xrpc(exchange):
    """The errors of one question and its answer under /xrpc/, by the lexicon of its name."""
    method, name, query, body, status, payload = exchange
    main, home = lexicon(name, "")
    errors = [] if (method == "GET") == (main["type"] == "query") else [f"{name} by {method}"]
    if main["type"] == "query":
        errors += against_params(query, main["parameters"], name) if query else []
    elif "input" in main and main["input"]["encoding"] == "application/json":
        errors += against_lexicon(json.loads(body), main["input"]["schema"], home, name)
    elif "input" not in main and body:
        errors.append(f"{name} takes nothing")
    if status == 200 and "output" in main:
        errors += against_lexicon(payload, main["output"]["schema"], home, f"{name} answer")
    if status >= 400:
        errors += [f"{name} error"] if set(payload) != {"error", "message"} else []
    return errors


def against_params(query, definition, name):
    known = definition["properties"]
    errors = [f"{name}?{key} is unknown" for key in query if key not in known]
    errors += [
        f"{name}?{key} is missing" for key in definition.get("required", []) if key not in query
    ]
    for key, values in query.items():
        most = known.get(key, {}).get("maxLength", 10**9)
        several = known.get(key, {}).get("type") == "array"
        errors += [f"{name}?{key} is too long"] if len(values) > (most if several else 1) else []
    return errors


def test_every_question_to_bluesky_and_every_answer_is_as_published(bluesky):
    network = Bluesky()
    identity, _pds, secrets, _end = sign_in(
        handle="jona.test", password=bluesky.good, base_url=bluesky.base_url
    )
    access = Access(bluesky.base_url, identity.remote_id, "@jona.test", secrets)
    first = publish(network, outgoing(pictures=(PICTURE,) * 4), access)
    link = Link("https://a.example/x", "Title", "Description", PICTURE)
    post = outgoing(
        rkey=make_tid(2, 2), link=link, text="@mallory.test @nobody.test", reply_to=first.remote_id,
        root=first.remote_id,
    )  # fmt: skip
    second = publish(network, post, access)
    network.look(post, access, NOW)
    network.measure([first.remote_id, second.remote_id], access)
    reply = bluesky.write("did:plc:ada", "Why?", first.remote_id)
    bluesky.write("did:plc:jona", "So.", reply, first.remote_id)
    assert network.conversations(first.remote_id, access) == 1
    network.remove(second.remote_id, access)
    assert isinstance(network.look(post, access, NOW), Absent)
    assert blob_limit(bluesky.base_url) == 5_242_880
    network.refresh(access, NOW)
    network.revoke(access)
    publish(network, outgoing(rkey=make_tid(3, 3), text="x" * 301), access)
    assert {exchange[1].rsplit(".", 1)[-1] for exchange in bluesky.exchanges} == {
        "createSession", "uploadBlob", "resolveHandle", "putRecord", "getRecord", "getPosts", "getPostThread",
        "deleteRecord", "describeServer", "refreshSession", "deleteSession",
    }  # fmt: skip
    assert [error for exchange in bluesky.exchanges for error in against_xrpc(exchange)] == []


def against_openapi(document, validator, exchange):
    """The errors of one question and its answer by the OpenAPI document."""
    method, path, query, kind, body, status, payload = exchange
    template = next(
        known for known in document["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", known), path)
        and method.lower() in document["paths"][known]
        and known.count("{") == min(
            other.count("{") for other in document["paths"]
            if re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", other), path)
        )
    )  # fmt: skip
    operation = document["paths"][template][method.lower()]
    known = {parameter.get("name") for parameter in operation.get("parameters", [])}
    errors = [f"{path}?{key} is unknown" for key in query if key.removesuffix("[]") not in known]
    content = operation.get("requestBody", {}).get("content", {})
    if body:
        schema = next(iter(content.values()))["schema"]
        if "json" in kind:
            sent = json.loads(body)
            name = "MediaStatus" if "media_ids" in sent else "TextStatus"
            fields = fields_of(document, name) if "oneOf" in schema else set(schema["properties"])
        elif "multipart" in kind:
            sent = re.findall(rb'form-data; name="([^"]+)"', body)
            sent, fields = {name.decode() for name in sent}, set(schema["properties"])
        else:
            sent = dict(urllib.parse.parse_qsl(body.decode()))
            fields = set(schema["properties"])
            needed = set(schema.get("required", []))
            # required as documented for a person's code; a client's own token has none
            needed -= {"code"} if sent.get("grant_type") == "client_credentials" else set()
            errors += [f"{path} lacks {name}" for name in needed - set(sent)]
        errors += [f"{path} {name} is unknown" for name in set(sent) - fields]
    said = operation["responses"].get(str(status))
    schema = next(iter((said or {}).get("content", {}).values()), {}).get("schema")
    if status == 200 and schema:
        errors += [f"{path}: {e.message[:200]}" for e in validator(schema).iter_errors(payload)]
    if status >= 400 and not isinstance(payload.get("error"), str):
        errors.append(f"{path} error")
    return errors


def test_every_question_to_mastodon_and_every_answer_is_as_published(mastodon, schema):
    document, network = spec("mastodon/schema.json"), Mastodon()
    app = network.register(
        mastodon.base_url, redirect_uri="https://b.example/cb/", website="https://b.example"
    )
    trip = Trip(app, mastodon.base_url, "https://b.example/cb/", "state", "v" * 64)
    back = call("GET", network.depart(trip).url, seconds=5).headers["location"]
    answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))
    [grant] = network.arrive(trip, answer, NOW)
    access = Access(mastodon.base_url, "77", "@a", grant.secrets, grant.features, app)
    mastodon.processing = [206, 200]
    post = outgoing(pictures=(PICTURE,), content_warning="Loud")
    window = replace(WINDOW, seconds=30)
    kept = network.prepare(post, access, window)
    first = network.publish(replace(post, kept=kept), access, window)
    second = publish(network, outgoing(key="l", text="More", reply_to=first.remote_id), access)
    network.look(outgoing(key="m", text="Not there"), access, dt.datetime.now(dt.UTC))
    network.measure([first.remote_id, second.remote_id], access)
    mastodon.write("77", "So.", mastodon.write("8", "Why?", first.remote_id))
    assert network.conversations(first.remote_id, access) == 1
    assert isinstance(network.edit(first.remote_id, "Better", access), Sent)
    network.remove(second.remote_id, access)
    publish(network, outgoing(key="n", text="x" * 501), access)
    network.revoke(access)
    asked = {
        (exchange[0], re.sub(r"\d{3,}", ":id", exchange[1])) for exchange in mastodon.exchanges
    }
    assert asked == {
        ("GET", "/api/v2/instance"), ("POST", "/api/v1/apps"), ("POST", "/oauth/token"), ("GET", "/oauth/authorize"),
        ("GET", "/api/v1/accounts/verify_credentials"), ("POST", "/api/v2/media"), ("GET", "/api/v1/media/1"),
        ("POST", "/api/v1/statuses"), ("GET", "/api/v1/accounts/77/statuses"), ("GET", "/api/v1/statuses/:id/source"),
        ("GET", "/api/v1/statuses"), ("GET", "/api/v1/statuses/:id/context"), ("GET", "/api/v1/statuses/:id"),
        ("PUT", "/api/v1/statuses/:id"), ("DELETE", "/api/v1/statuses/:id"), ("POST", "/oauth/revoke"),
    }  # fmt: skip

    def of_schema(found):
        return Draft202012Validator(resolved(found), registry=schema.registry)

    assert [
        error for exchange in mastodon.exchanges for error in against_openapi(document, of_schema, exchange)
    ] == []  # fmt: skip


def resolved(found):
    """A schema whose references lead into the registered document."""
    if isinstance(found, dict):
        return {
            key: f"urn:mastodon{value}" if key == "$ref" else resolved(value)
            for key, value in found.items()
        }
    return [resolved(value) for value in found] if isinstance(found, list) else found
