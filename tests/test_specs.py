"""The pretended networks against the published contracts, and what we send against them too."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from integrations.networks.base import Access, Link, Outgoing, Picture, Sent, Window
from integrations.networks.bluesky import Bluesky, make_tid
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
            if name in known:
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


@pytest.mark.parametrize(
    ("method", "path"),
    [("putRecord", "com/atproto/repo/putRecord"), ("getRecord", "com/atproto/repo/getRecord")],
)
def test_bluesky_answers_are_as_published(bluesky, method, path):
    access = Access(bluesky.base_url, "did:plc:a", "@a", {"access_token": "t"})
    post = outgoing()
    publish(Bluesky(), post, access)
    if method == "putRecord":
        body = {
            "repo": "did:plc:a",
            "collection": "app.bsky.feed.post",
            "rkey": post.rkey,
            "record": next(iter(bluesky.records.values())),
        }
        answer = call(
            "POST",
            f"{bluesky.base_url}/xrpc/com.atproto.repo.putRecord",
            body=json.dumps(body).encode(),
            seconds=5,
        )
    else:
        answer = call(
            "GET",
            f"{bluesky.base_url}/xrpc/com.atproto.repo.getRecord?repo=did:plc:a&collection=app.bsky.feed.post&rkey={post.rkey}",
            seconds=5,
        )
    schema = spec(f"bluesky/lexicons/{path}.json")["defs"]["main"]["output"]["schema"]
    assert set(schema.get("required", [])) - set(answer.json()) == set()
    assert set(answer.json()) - set(schema["properties"]) == set()
