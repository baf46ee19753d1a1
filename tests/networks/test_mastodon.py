"""What only Mastodon does: registering at any server, its limits, media in processing, edits."""

import datetime as dt
import time
import urllib.parse
import uuid
from dataclasses import replace

import pytest

from integrations.networks import mastodon_connect
from integrations.networks.base import (
    App,
    AppGone,
    Later,
    NotConnected,
    Outgoing,
    Picture,
    Refused,
    Remaining,
    Sent,
    Trip,
    Window,
)
from integrations.networks.mastodon import Mastodon, _plain
from integrations.wire import WireError, call

NETWORK = Mastodon()
NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
BACK = "https://botschaft.example/connect/mastodon/cb/"
PICTURE = Picture(b"jpeg", "image/jpeg", "A field", 600, 400)


@pytest.fixture
def access(mastodon):
    return mastodon.access("7")


def outgoing(text="Grüße", **fields):
    return Outgoing(
        key=str(uuid.uuid4()), rkey="2" * 13, written_at=NOW, text=text, **fields
    )  # fmt: skip


def publish(post, access, limits=None, seconds=12.0):
    window = Window(
        seconds, lambda: None, dt.datetime.now(dt.UTC), limits if limits is not None else []
    )
    kept = NETWORK.prepare(post, access, window)
    if isinstance(kept, Later | Refused):
        return kept
    return NETWORK.publish(replace(post, kept=kept), access, window)


def trip_to(server, app):
    return Trip(app=app, base_url=server.base_url, redirect_uri=BACK, state="s", verifier="v" * 64)


def registered(server):
    return NETWORK.register(server.base_url, redirect_uri=BACK, website="https://botschaft.example")


def test_round_trip_opens_an_account_with_the_servers_limits(mastodon):
    mastodon.instance = {
        "statuses": {"max_characters": 5000, "max_media_attachments": 2},
        "media_attachments": {"description_limit": 420},
    }
    app = registered(mastodon)
    assert app.options == {"scopes": mastodon_connect.SCOPES}
    departure = NETWORK.depart(trip_to(mastodon, app))
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(departure.url).query))
    assert (asked["code_challenge_method"], asked["scope"]) == ("S256", mastodon_connect.SCOPES)
    location = call("GET", departure.url, seconds=5).headers["location"]
    back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
    [grant] = NETWORK.arrive(trip_to(mastodon, app), back, NOW)
    assert (grant.identity.remote_id, grant.base_url) == ("77", mastodon.base_url)
    assert (grant.expires_at, grant.reconnect_by) == (None, None)
    names = ("max_characters", "max_media_attachments", "description_limit", "image_size_limit")
    assert [grant.features[name] for name in names] == [5000, 2, 420, 16_777_216]
    access = replace(mastodon.access(), secrets=grant.secrets, features=grant.features, app=app)
    assert isinstance(publish(outgoing(), access), Sent)
    NETWORK.revoke(access)
    assert publish(outgoing(), access) == Refused(
        "401 The access token is invalid", permanent=False
    )


def test_person_who_says_no(mastodon):
    app = registered(mastodon)
    with pytest.raises(NotConnected, match="access_denied"):
        NETWORK.arrive(trip_to(mastodon, app), {"error": "access_denied", "state": "s"}, NOW)


def test_server_that_forgot_us_says_so_before_and_after_the_trip_and_takes_us_anew(mastodon):
    app = registered(mastodon)
    mastodon.clients.clear()
    with pytest.raises(AppGone):
        NETWORK.depart(trip_to(mastodon, app))
    with pytest.raises(AppGone):
        NETWORK.arrive(trip_to(mastodon, app), {"code": "good"}, NOW)
    NETWORK.revoke(replace(mastodon.access(), app=app))  # its tokens went with it
    assert NETWORK.depart(trip_to(mastodon, registered(mastodon))).url


def test_check_of_the_registration_does_not_stop_a_trip_when_it_cannot_tell(mastodon):
    app = App("x", "y", {})
    mastodon.oauth = lambda handler, path, form: mastodon.answer(handler, 503, {"error": "no"})
    assert NETWORK.depart(trip_to(mastodon, app)).url.startswith(mastodon.base_url)


def test_older_server_gets_the_older_scopes(mastodon):
    about = mastodon.about_me
    mastodon.about_me = lambda: {**about(), "version": "4.2.1"}
    assert registered(mastodon).options == {"scopes": mastodon_connect.OLD_SCOPES}


def test_everything_of_a_post_arrives(mastodon, access):
    pictures = tuple(replace(PICTURE, alt=f"Field {n}") for n in range(4))
    first = publish(
        outgoing(pictures=pictures, content_warning="Loud", language="en", visibility="unlisted"),
        access,
    )
    second = publish(outgoing("More", reply_to=first.remote_id), access)
    row, answer = mastodon.statuses[first.remote_id], mastodon.statuses[second.remote_id]
    assert (row["warning"], row["sensitive"], row["language"], row["visibility"]) == (
        "Loud", True, "en", "unlisted",
    )  # fmt: skip
    assert [mastodon.media[i] for i in row["media"]] == [p.alt for p in pictures]
    assert answer["parent"] == first.remote_id


def test_part_before_that_is_gone_ends_the_thread(mastodon, access):
    assert publish(outgoing(reply_to="5"), access) == Refused(
        "404 Record not found", permanent=True
    )


@pytest.mark.parametrize(
    ("features", "why"),
    [
        ({"max_media_attachments": 1}, "more pictures than this server takes"),
        ({"image_size_limit": 3}, "the picture is larger than this server takes"),
        ({"image_matrix_limit": 239_999}, "the picture is larger than this server takes"),
    ],
)
def test_more_than_the_server_takes_is_refused_before_anything_is_sent(
    mastodon, access, features, why
):
    small = replace(access, features=features)
    assert publish(outgoing(pictures=(PICTURE, PICTURE)), small) == Refused(why, permanent=True)
    assert list(mastodon.exchanges) == []


def test_description_is_as_long_as_the_server_takes(mastodon, access):
    publish(outgoing(pictures=(PICTURE,)), replace(access, features={"description_limit": 3}))
    assert list(mastodon.media.values()) == ["A f"]


def test_picture_in_processing_is_waited_for(mastodon, access):
    mastodon.processing = [206, 200]
    assert isinstance(publish(outgoing(pictures=(PICTURE,)), access), Sent)
    assert len(mastodon.media) == 1


def test_picture_that_stays_in_processing_waits_and_is_not_posted(mastodon, access):
    mastodon.processing = [206] * 100
    result = publish(outgoing(pictures=(PICTURE,)), access, seconds=10.8)
    assert result == Later("media still in processing", wait=15)
    assert mastodon.count("arrived") == 0


def test_picture_accepted_then_rejected_ends_the_post(mastodon, access):
    mastodon.processing = [206, 422]
    result = publish(outgoing(pictures=(PICTURE,)), access)
    assert result == Refused("the server could not use the picture", permanent=True)
    assert mastodon.count("arrived") == 0


def test_post_with_unfinished_media_is_tried_later(mastodon, access):
    post = outgoing(pictures=(PICTURE,))
    window = Window(12, lambda: None, NOW)
    post = replace(post, kept=NETWORK.prepare(post, access, window))
    mastodon.processing = [206]
    assert NETWORK.publish(post, access, window) == Later("media still in processing", wait=10)
    mastodon.processing = []
    assert isinstance(NETWORK.publish(post, access, window), Sent)


def test_limit_of_the_account_is_read_from_the_answer(mastodon, access):
    mastodon.left, limits = 17, []
    publish(outgoing(), access, limits)
    assert limits == [Remaining("account", 17, 86_400)]


def test_edit_keeps_pictures_warning_and_language(mastodon, access):
    post = outgoing(pictures=(PICTURE,), content_warning="Loud", language="en")
    sent = publish(post, access)
    before = dict(mastodon.statuses[sent.remote_id])
    assert NETWORK.edit(sent.remote_id, "Better words", access) == sent
    after = mastodon.statuses[sent.remote_id]
    assert after == {**before, "text": "Better words", "edited": before["at"]}


def test_edit_of_what_is_gone_or_too_long_is_refused(mastodon, access):
    sent = publish(outgoing(), access)
    too_long = NETWORK.edit(sent.remote_id, "x" * 501, access)
    assert (type(too_long), too_long.permanent) == (Refused, True)
    assert mastodon.statuses[sent.remote_id]["text"] == "Grüße"
    NETWORK.remove(sent.remote_id, access)
    assert NETWORK.edit(sent.remote_id, "x", access) == Refused("the post is gone", permanent=True)


def test_conversations_are_replies_that_the_author_answered(mastodon, access):
    mine = publish(outgoing("1"), access).remote_id
    part = publish(outgoing("2", reply_to=mine), access).remote_id
    asked = mastodon.write("8", "Why?", mine)
    answer = mastodon.write("7", "Because.", asked)
    mastodon.write("7", "Yes.", mastodon.write("8", "Really?", answer))
    mastodon.write("9", "Nobody answers me.", mine)
    mastodon.write("7", "Here too.", mastodon.write("9", "And here?", part))
    assert NETWORK.conversations(mine, access) == 2
    assert NETWORK.conversations(part, access) == 1


def test_conversations_of_a_post_that_is_gone_are_not_zero(access):
    with pytest.raises(WireError):
        NETWORK.conversations("5", access)


@pytest.mark.django_db
def test_person_connects_at_a_server_that_had_forgotten_us(mastodon, person, client):
    client.force_login(person())
    asked = []
    for _ in range(2):
        start = client.post("/connect/mastodon/", {"server": mastodon.base_url})
        asked.append(urllib.parse.parse_qs(urllib.parse.urlsplit(start["Location"]).query))
        mastodon.clients.clear()
        mastodon.clients["somebody-else"] = ("x", "y")
    assert [query["client_id"] for query in asked] == [["cid-1"], ["cid-2"]]


# A server that lies


@pytest.mark.parametrize("below", [[("9", "first"), ("9", "9")], [("first", "first")]])
def test_context_that_answers_itself_ends(mastodon, below):
    access = mastodon.access()
    rows = [{"id": i, "in_reply_to_id": to, "account": {"id": "x"}} for i, to in below]
    mastodon.serve = lambda handler, at, body: mastodon.answer(handler, 200, {"descendants": rows})
    with pytest.raises(WireError):
        NETWORK.conversations("first", access)


def test_markup_without_an_end_is_read_in_no_time():
    began = time.monotonic()
    _plain("<" * 200_000)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("media", [[{}], [None], {"id": "1"}, [{"id": 7}]])
def test_status_with_strange_pictures_is_not_changed(mastodon, media):
    status = {"id": "1", "media_attachments": media}
    mastodon.serve = lambda handler, at, body: mastodon.answer(handler, 200, status)
    with pytest.raises(WireError):
        NETWORK.edit("1", "New", mastodon.access())


def test_look_at_a_slow_server_gives_up(mastodon, monkeypatch):
    monkeypatch.setattr("integrations.networks.mastodon._LOOK_SECONDS", 0.3)
    now = dt.datetime.now(dt.UTC)
    rows = [{"id": str(i), "created_at": now.isoformat(), "content": ""} for i in range(40)]

    def slow(handler, at, body):
        time.sleep(0.1)
        mastodon.answer(handler, 200, {"text": "else"} if "source" in handler.path else rows)

    mastodon.serve = slow
    began = time.monotonic()
    with pytest.raises(WireError):
        NETWORK.look(outgoing(), mastodon.access(), now)
    assert time.monotonic() - began < 2
