"""OAuth against the real authorisation server of the PDS: its pages' calls, without a browser."""

import datetime as dt
import secrets
import urllib.parse
from dataclasses import replace

import pytest

from integrations.networks.base import Access, App, Later, NotConnected, Refused, Sent, Trip
from integrations.networks.bluesky import Bluesky

from .network import real_network
from .test_real_pds import outgoing, publish

pytestmark = pytest.mark.bluesky
NETWORK = Bluesky()
APP = App("http://localhost", "s", {"redirect_uri": "http://127.0.0.1:8000/connect/bluesky/local/"})


@pytest.fixture(scope="module")
def network():
    with real_network() as found:
        yield found


@pytest.fixture(autouse=True)
def _reachable(network, monkeypatch):
    for name, value in network.environment().items():
        monkeypatch.setenv(name, value)


def trip_to(network, hint):
    return Trip(
        app=APP, base_url=network.pds, redirect_uri="unused in development", state="our-state",
        verifier=secrets.token_urlsafe(48), hint=hint,
    )  # fmt: skip


def come_back(network, departure, handle):
    """Say yes; returns the query the browser brings back."""
    target = urllib.parse.urlsplit(network.say_yes(departure.url, handle))
    assert f"{target.scheme}://{target.netloc}{target.path}" == APP.options["redirect_uri"]
    return dict(urllib.parse.parse_qsl(target.query))


def test_yes_at_the_real_server_opens_a_session_that_posts_refreshes_and_ends(network):
    handle, _app_password, did = network.create_account("oauthy")
    trip = trip_to(network, f"@{handle}")
    departure = NETWORK.depart(trip)
    now = dt.datetime.now(dt.UTC)
    back = come_back(network, departure, handle)
    assert (back["state"], back["iss"]) == ("our-state", network.pds)
    [grant] = NETWORK.arrive(replace(trip, kept=departure.kept), back, now)
    assert (grant.identity.remote_id, grant.identity.handle, grant.base_url) == (
        did, f"@{handle}", network.pds,
    )  # fmt: skip
    assert grant.features["scope"] == "atproto repo:app.bsky.feed.post blob:image/*"
    assert grant.expires_at > now

    access = Access(network.pds, did, handle, grant.secrets, grant.features, APP)
    sent = publish(outgoing(), access)
    assert isinstance(sent, Sent)
    assert publish(outgoing(rkey=sent.remote_id.rsplit("/", 1)[-1]), access) != sent
    assert len(network.records(did)) == 1

    renewed = NETWORK.refresh(access, now)
    fresh = replace(access, secrets=renewed.secrets)
    second = publish(outgoing(), fresh)
    assert isinstance(second, Sent)
    assert isinstance(NETWORK.remove(sent.remote_id, fresh), Sent)
    assert [row["uri"] for row in network.records(did)] == [second.remote_id]

    NETWORK.revoke(fresh)
    ended = publish(outgoing(), fresh)
    assert isinstance(ended, Later)
    assert ended.renew
    assert isinstance(NETWORK.refresh(fresh, now), Refused)


def test_refresh_token_that_was_used_ends_the_session(network):
    handle, _app_password, did = network.create_account("replay")
    trip = trip_to(network, handle)
    departure = NETWORK.depart(trip)
    now = dt.datetime.now(dt.UTC)
    back = come_back(network, departure, handle)
    [grant] = NETWORK.arrive(replace(trip, kept=departure.kept), back, now)
    access = Access(network.pds, did, handle, grant.secrets, grant.features, APP)
    renewed = NETWORK.refresh(access, now)
    assert isinstance(NETWORK.refresh(access, now), Refused)
    fresh = replace(access, secrets=renewed.secrets)
    assert isinstance(NETWORK.refresh(fresh, now), Refused)


def test_yes_of_another_account_is_refused_and_given_back(network):
    named, _app_password, _did = network.create_account("wanted")
    other, _app_password, _did = network.create_account("another")
    trip = trip_to(network, named)
    departure = NETWORK.depart(trip)
    back = come_back(network, departure, other)
    with pytest.raises(NotConnected, match="another account"):
        NETWORK.arrive(replace(trip, kept=departure.kept), back, dt.datetime.now(dt.UTC))
