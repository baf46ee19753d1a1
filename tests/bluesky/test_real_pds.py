"""Against the real PDS: text, facets, picture, repeats, kills, delete."""

import datetime as dt
import io
import os
import signal
import time
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.utils import timezone
from PIL import Image

from campaigns import tasks, uploads
from campaigns.models import Delivery
from integrations import accounts
from integrations.networks import bluesky
from integrations.networks.base import Access, Identity, Link, Outgoing, Picture, Sent, Window

from ..test_loop import chromium, come_back, wait_for, walk, worker  # noqa: F401 - fixtures
from ..test_publishing import drain, in_child, time_passes
from .network import real_network

pytestmark = [pytest.mark.bluesky, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def network():
    with real_network() as found:
        yield found


@pytest.fixture(autouse=True)
def _reachable(network, monkeypatch):
    for name, value in network.environment().items():
        monkeypatch.setenv(name, value)


def sign_in(network, name):
    handle, password, did = network.create_account(name)
    identity, _pds, secrets, expires = bluesky.sign_in(
        handle=handle, password=password, base_url=network.pds
    )
    assert identity.remote_id == did
    return Access(network.pds, did, handle, secrets), expires, did


def outgoing(**fields):
    now = dt.datetime.now(dt.UTC)
    base = {
        "key": "k",
        "rkey": bluesky.make_tid(int(now.timestamp() * 1e6), 7),
        "written_at": now,
        "text": "Grüße 👩‍👩‍👧 from the tower #wind https://nordwind-energie.example/a",
        "language": "de",
    }
    return Outgoing(**{**base, **fields})


def bluesky_identity(did):
    return Identity(did, "@jona.test", "Jona", "https://x.example")


WINDOW = Window(seconds=20, may_start=lambda: None, now=dt.datetime.now(dt.UTC))


def publish(post, access):
    network = bluesky.Bluesky()
    kept = network.prepare(post, access, WINDOW)
    return network.publish(replace(post, kept=kept), access, WINDOW)


def test_text_facets_and_card_are_accepted_and_repeat_is_no_second_post(network):
    access, _expires, did = sign_in(network, "facets")
    post = outgoing(link=Link("https://nordwind-energie.example/a", "Title", "Description"))
    first = publish(post, access)
    second = publish(post, access)
    assert isinstance(first, Sent)
    assert first == second
    [record] = network.records(did)
    raw = record["value"]["text"].encode()
    assert [
        raw[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode()
        for f in record["value"]["facets"]
    ] == ["#wind", "https://nordwind-energie.example/a"]


def test_picture_with_alt_then_delete(network):
    access, _expires, did = sign_in(network, "withalt")
    out = io.BytesIO()
    Image.new("RGB", (600, 400), "teal").save(out, "JPEG")
    clean = uploads.encode(out.getvalue())
    post = outgoing(
        pictures=(Picture(clean.content, "image/jpeg", "A teal field", clean.width, clean.height),)
    )
    sent = publish(post, access)
    [record] = network.records(did)
    assert record["value"]["embed"]["images"][0]["alt"] == "A teal field"
    bluesky.Bluesky().remove(sent.remote_id, access)
    assert network.records(did) == []


def test_session_is_refreshed(network):
    access, _expires, _did = sign_in(network, "refresh")
    renewed = bluesky.Bluesky().refresh(access, timezone.now())
    assert renewed.secrets["refresh_token"] != access.secrets["refresh_token"]
    assert renewed.expires_at > timezone.now()


@pytest.mark.parametrize("point", ["after_claim", "after_response"])
def test_kill_fifty_times_leaves_fifty_posts(network, person, queue, settings, point):
    settings.DEBUG_FAILPOINTS = True
    access, expires, did = sign_in(network, point.replace("_", ""))
    jona = person()
    account = accounts.connect(
        person=jona, network="bluesky", base_url=network.pds,
        identity=bluesky_identity(did),
        secrets_=dict(access.secrets), expires_at=expires, features={}, now=timezone.now(),
    )  # fmt: skip
    for _ in range(50):
        delivery = queue(jona, account)
        settings.FAILPOINTS = f"{point}=kill:1"
        assert os.WTERMSIG(in_child(drain)) == signal.SIGKILL
        settings.FAILPOINTS = ""
        for _ in range(2):
            time_passes()
            drain()
        delivery.refresh_from_db()
        assert delivery.state == "sent"
    assert (len(network.records(did)), Delivery.objects.exclude(state="sent").count()) == (50, 0)


def forever():
    """A worker's life: wake-ups one after the other, until it is killed."""
    while True:
        tasks.publish_due()
        time.sleep(0.05)


def start_worker():
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            forever()
        finally:
            os._exit(1)
    return pid


def test_hundred_posts_with_a_kill_every_second(network, person, queue, capsys):
    """Each worker is killed a second after its start, while a post is in flight if one is soon."""
    access, expires, did = sign_in(network, "hundred")
    jona, began = person(), timezone.now()
    account = accounts.connect(
        person=jona, network="bluesky", base_url=network.pds,
        identity=bluesky_identity(did), secrets_=dict(access.secrets), expires_at=expires,
        features={}, now=began,
    )  # fmt: skip
    for number in range(100):
        queue(jona, account, due_at=began + dt.timedelta(seconds=number * 0.25))
    kills = in_flight = 0
    while Delivery.objects.exclude(state="sent").exists():
        assert kills < 100, Delivery.objects.values_list("state", "blocked", "reason").distinct()
        worker = start_worker()
        time.sleep(1)
        end = time.monotonic() + 0.5
        while not (flying := Delivery.objects.filter(state="sending").exists()):
            if time.monotonic() > end:
                break
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
        kills, in_flight = kills + 1, in_flight + flying
        time_passes()  # a minute of leases and quiet times; the worker is dead, nobody holds one
    texts = [record["value"]["text"] for record in network.records(did)]
    assert (len(texts), len(set(texts))) == (100, 100)
    assert Delivery.objects.filter(state="sent").count() == 100
    with capsys.disabled():
        print(f"\n100 posts, 0 double; {kills} kill -9, {in_flight} of them with a post in flight")
    assert kills >= 15
    assert in_flight >= 5


@pytest.fixture
def fresh_network(monkeypatch):
    """A network of its own: the one above has hundreds of kills behind it."""
    with real_network() as found:
        for name, value in found.environment().items():
            monkeypatch.setenv(name, value)
        yield found


def test_loop_ends_on_the_real_pds(
    fresh_network, chromium, live_server, worker, person, topic, suggestion, account_on, mastodon
):
    network = fresh_network
    access, expires, did = sign_in(network, "loop")
    jona, mirja, dilan, selin = (
        person("Jona Harms"),
        person("Mirja", "curator"),
        person("Dilan", "curator"),
        person("Selin", "hr"),
    )
    account_on(jona, mastodon)
    accounts.connect(
        person=jona, network="bluesky", base_url=network.pds,
        identity=bluesky_identity(did),
        secrets_=dict(access.secrets), expires_at=expires, features={}, now=timezone.now(),
    )  # fmt: skip
    worker(f"127.0.0.1:{mastodon.port}", urlsplit(network.pds).netloc)
    walk(chromium, live_server, (jona, mirja, dilan, selin))
    wait_for(lambda: Delivery.objects.filter(state="sent").count() == 2)
    assert (mastodon.count("created"), len(network.records(did))) == (1, 1)
    sent = Delivery.objects.get(account__network="mastodon")
    mastodon.figures[sent.remote_id] = (7, 2, 3)
    come_back(chromium, live_server, jona, selin)
