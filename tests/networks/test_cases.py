"""The same cases for every network that can publish, each against its pretended server."""

import datetime as dt
import time
import uuid
from dataclasses import dataclass, replace
from email.utils import format_datetime

import pytest

from integrations.networks import NETWORKS, get
from integrations.networks.base import (
    Absent,
    Access,
    Figures,
    Later,
    NotAble,
    Outgoing,
    Picture,
    Refused,
    Sent,
    Unknown,
    Window,
)  # fmt: skip
from integrations.networks.bluesky import make_tid
from integrations.wire import GateClosed, NotSent, WireError

from . import pretended

NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


@dataclass
class World:
    """A network, its pretended server and an access to it."""

    network: object
    server: object
    access: Access

    def publish(self, post, seconds=5.0, may_start=lambda: None):
        if self.network.abilities.needs_picture:
            picture = Picture(b"jpeg", "image/jpeg", "A field", 600, 400, self.server.picture_url)
            post = replace(post, pictures=(picture,))
        window = Window(seconds=seconds, may_start=may_start, now=dt.datetime.now(dt.UTC))
        kept = self.network.prepare(post, self.access, window)
        if isinstance(kept, Later | Refused):
            return kept
        return self.network.publish(replace(post, kept=kept), self.access, window)

    def look(self, post):
        since = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
        return self.network.look(post, self.access, since)


@pytest.fixture(params=[n for n, net in NETWORKS.items() if net.abilities.can_publish])
def world(request, monkeypatch):
    with pretended(request.param)() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield World(get(request.param), server, server.access())


@pytest.fixture
def post():
    now = dt.datetime.now(dt.UTC)
    return Outgoing(
        key=str(uuid.uuid4()), rkey=make_tid(int(now.timestamp() * 1e6), 1), written_at=now,
        text=f"Moin, Grüße 👷🏽‍♀️ & <b> {uuid.uuid4()}",
    )  # fmt: skip


def tried(post):
    """The post on its second try, soon after the first."""
    return replace(post, first_tried_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2))


def test_same_post_again_is_the_same_post(world, post):
    if not world.network.abilities.idempotent:
        pytest.skip("this network has no key; the pipeline never repeats there by itself")
    first = world.publish(post)
    assert isinstance(first, Sent)
    assert world.publish(tried(post)) == first
    assert (world.server.count("arrived"), world.server.count("created")) == (2, 1)


def test_another_post_is_another_post(world, post):
    first = world.publish(post)
    other = replace(post, key=str(uuid.uuid4()), rkey=make_tid(1, 2), text="Something else")
    assert world.publish(other).remote_id != first.remote_id


AMBIGUOUS = [
    ("reset", {}), ("truncated", {}), ("huge", {}), ("html", {}), ("no_id", {}), ("loris", {}), ("silence", {}),
    *[("status", {"status": status}) for status in (408, 500, 502, 503, 504)],
    *[("body", {"payload": payload}) for payload in ([], "x", None, 5, {"id": None, "uri": None}, {"id": "", "uri": ""})],
    ("body", {"payload": {"id": 5, "uri": 5}}),
    ("body", {"payload": {"id": "x" * 10_000, "uri": "at://" + "x" * 10_000}}),
    ("body", {"payload": {"id": "a\x00", "uri": "at://a\x00"}}),
    ("body", {"payload": {"id": "\ud800", "uri": "at://\ud800"}}),
    ("body", {"payload": b"{" * 100_000}),
    ("body", {"payload": b""}),
]  # fmt: skip


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize(
    ("name", "facts"), AMBIGUOUS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(AMBIGUOUS)]
)
def test_ambiguous_answer_is_unknown_and_a_repeat_makes_one_post(world, post, name, facts, applied):
    world.server.fault(name, applied=applied, **facts)
    began = time.monotonic()
    assert isinstance(world.publish(post, seconds=1.0), Unknown)
    assert time.monotonic() - began < 1.5
    assert world.server.count("created") == applied
    if world.network.abilities.can_look:
        assert isinstance(world.look(post), Sent if applied else Absent)
    if world.network.abilities.idempotent:
        assert isinstance(world.publish(tried(post)), Sent)
        assert world.server.count("created") == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_moved_server_is_not_followed(world, post, status):
    elsewhere = [("Location", f"{world.server.base_url}/elsewhere")]
    world.server.fault("status", status=status, headers=elsewhere)
    result = world.publish(post)
    assert (type(result), result.permanent) == (Refused, False)
    assert (world.server.count("arrived"), world.server.count("created")) == (1, 0)


@pytest.mark.parametrize("status", [400, 404, 410, 413, 415, 422])
def test_permanent_refusal(world, post, status):
    world.server.fault("status", status=status, error="no \x00\ud800 good")
    result = world.publish(post)
    assert (type(result), result.permanent) == (Refused, True)
    assert result.why == f"{status} no    good"


def test_ended_token_does_not_end_the_post(world, post):
    world.server.fault("status", status=401)
    result = world.publish(post)
    if isinstance(result, Refused):
        assert (result.why, result.permanent) == ("401 planned", False)
    else:
        assert isinstance(result, Later) and result.renew


def later(seconds):
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("header", "value", "wait"),
    [
        ("Retry-After", lambda: "600", 600),
        ("Retry-After", lambda: format_datetime(later(600), usegmt=True), 600),
        ("Retry-After", lambda: "0", 1),
        ("Retry-After", lambda: "9999999", 86_400),
        ("X-RateLimit-Reset", lambda: later(600).isoformat().replace("+00:00", "Z"), 600),
        ("X-RateLimit-Reset", lambda: str(int(later(600).timestamp())), 600),
        ("RateLimit-Reset", lambda: str(int(later(600).timestamp())), 600),
        ("X-RateLimit-Reset", lambda: "2001-01-01T00:00:00Z", 1),
        ("Retry-After", lambda: "soon", 60),
        ("Retry-After", lambda: "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 60),
        ("Retry-After", lambda: "9" * 400, 60),
        ("X-Nothing", lambda: "1", 60),
    ],
)
@pytest.mark.parametrize("status", [429, 425])
def test_rate_limit_is_waited_for(world, post, status, header, value, wait):
    world.server.fault("status", status=status, headers=[(header, value())])
    result = world.publish(post)
    assert isinstance(result, Later)
    assert wait - 2 <= result.wait <= wait
    assert world.server.count("created") == 0


def test_closed_gate_lets_no_byte_out(world, post):
    def closed():
        raise GateClosed

    with pytest.raises(GateClosed):
        world.publish(post, may_start=closed)
    assert (world.server.count("arrived"), world.server.count("created")) == (0, 0)


def test_server_that_is_gone_is_not_sent(world, post):
    world.server.__exit__()
    with pytest.raises(NotSent):
        world.publish(post)


def test_absent_post_is_absent_and_a_gone_one_too(world, post):
    assert world.look(post) == Absent()
    sent = world.publish(post)
    seen = world.look(post)
    assert seen.remote_id == sent.remote_id
    assert sent.url in {"", seen.url}  # some networks name the address only when asked
    world.network.remove(sent.remote_id, world.access)
    assert world.look(post) == Absent()


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_blind_eye_does_not_say_absent(world, post, status):
    world.server.serve = lambda handler, at, body: world.server.answer(handler, status, {})
    try:
        seen = world.look(post)
    except WireError:
        return
    assert not isinstance(seen, Absent | Sent)


def test_figures_of_own_posts_and_of_gone_ones(world, post):
    first = world.publish(post)
    second = world.publish(replace(post, key=str(uuid.uuid4()), rkey=make_tid(1, 2), text="Other"))
    world.server.figures[first.remote_id] = (4, 2, 1)
    world.network.remove(second.remote_id, world.access)
    figures = world.network.measure([first.remote_id, second.remote_id], world.access)
    assert set(figures) == {first.remote_id}
    assert replace(figures[first.remote_id], quotes=None, impressions=None) == Figures(4, 2, 1)


@pytest.mark.parametrize("status", [401, 429, 500])
def test_unreadable_figures_are_not_zero(world, status):
    world.server.serve = lambda handler, at, body: world.server.answer(handler, status, {})
    with pytest.raises(WireError):
        world.network.measure(["1"], world.access)


def test_removed_twice_is_removed(world, post):
    sent = world.publish(post)
    for _ in range(2):
        assert isinstance(world.network.remove(sent.remote_id, world.access), Sent)


def test_secrets_are_in_no_repr_and_no_message(world, post):
    token = world.access.secrets["access_token"]
    world.server.fault("status", status=422, error="no")
    assert token not in repr(world.access) + repr(world.publish(post))


@pytest.mark.parametrize(
    "name", [n for n, net in NETWORKS.items() if not net.abilities.can_publish]
)
def test_network_by_hand_says_that_it_cannot(name, post):
    network = get(name)
    access = Access("https://x.example", "1", "@a")
    for ask in (
        lambda: network.publish(post, access, Window(1, lambda: None, NOW)),
        lambda: network.look(post, access, NOW),
        lambda: network.measure(["1"], access),
        lambda: network.remove("1", access),
    ):
        with pytest.raises(NotAble):
            ask()


def test_abilities_name_a_network_once():
    assert [net.abilities.name for net in NETWORKS.values()] == list(NETWORKS)
