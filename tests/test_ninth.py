"""One file, one server and one line in the registry make a network (ARCHITECTURE.md §4)."""

import re
import urllib.parse
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import engagement, holds
from campaigns.models import Delivery, Post
from integrations.models import ConnectedAccount
from integrations.networks import NETWORKS
from integrations.wire import call

from .networks.test_cases import *  # noqa: F403 - the same cases as every network's
from .networks.test_cases import World
from .ninth.network import Depesche
from .ninth.server import Pretended
from .test_publishing import drain, time_passes


@pytest.fixture
def depesche(monkeypatch, settings):
    with Pretended() as server:
        monkeypatch.setenv("LOOPBACK_HOSTS", server.environment()["LOOPBACK_HOSTS"])
        monkeypatch.setitem(NETWORKS, "depesche", Depesche())  # the line in the registry
        monkeypatch.setenv("DEPESCHE_CLIENT_ID", "cid")
        app = {"client_id": "cid", "client_secret": "sec", "options": dict(server.app.options)}
        settings.NETWORK_APPS = {**settings.NETWORK_APPS, "depesche": app}
        yield server


@pytest.fixture
def world(depesche):
    return World(NETWORKS["depesche"], depesche, depesche.access())


@pytest.mark.django_db(transaction=True)
def test_ninth_network_walks_every_path(depesche, person, suggestion, topic):
    jona, client = person("Jona Harms"), Client()
    client.force_login(jona)
    assert "You say yes at the telegraph office." in client.get("/me/accounts/").content.decode()

    there = client.post("/connect/depesche/").headers["Location"]
    back = urllib.parse.urlsplit(
        call("GET", there, seconds=5, https_only=False).headers["location"]
    )
    client.get(f"{back.path}?{back.query}")
    account = ConnectedAccount.objects.of(jona).get(network="depesche")

    def share(text):
        form = {
            "variant": suggestion.variant_set.get().pk, "text": text, "act": "publish", "when": "now",
            "submission": str(uuid.uuid4()), "to": str(account.pk), "language": "en", "visibility": "public",
        }  # fmt: skip
        response = client.post(f"/suggestions/{suggestion.pk}/", form)
        assert response.status_code == 302, response.content.decode()
        drain()
        return Delivery.objects.latest("pk")

    assert share("I put the first blade up myself.").state == "sent"
    depesche.fault("silence", applied=True, seconds=0.1)
    lost = share("And the second one the day after.")
    assert lost.state == "unknown"
    for _ in range(2):
        time_passes()
        drain()
    lost.refresh_from_db()
    assert (lost.state, depesche.count("created")) == ("sent", 2)

    depesche.figures[lost.remote_id] = (4, 2, 1)
    Delivery.objects.update(measure_at=timezone.now())
    engagement.measure_due()
    assert Post.objects.get(delivery=lost).likes == 4
    page = client.get(f"/posts/{lost.post_id}/").content.decode()
    assert "Depesche: Is out." in page and "https://depesche.example/" in page
    assert re.search(
        r"<abbr class=\"net[^>]*title=\"Depesche\"",
        client.get("/me/accounts/networks/").content.decode(),
    )

    holds.hold(scope=topic, by=jona, reason="Wait.", proposal="", now=timezone.now())
    client.post(f"/posts/{lost.post_id}/", {"choice": "remove"})
    assert lost.remote_id not in depesche.posts
    client.post(f"/me/accounts/{account.pk}/disconnect/", {"sure": "yes"})
    assert ConnectedAccount.objects.get(pk=account.pk).disconnected_at
