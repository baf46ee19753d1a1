"""Our registrations as a client at the networks: the operator's, or made on first use."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from . import sealing
from .models import ServerApp
from .networks import get
from .networks.base import App, Network


class NotSetUp(Exception):
    """The operator has not registered Botschaft at this network."""


def configured(network: str) -> App | None:
    """The registration the operator entered for a network, None when there is none yet."""
    found: dict[str, Any] | None = settings.NETWORK_APPS.get(network)
    return App(found["client_id"], found["client_secret"], found["options"]) if found else None


def known(network: str, base_url: str) -> App | None:
    """Our registration where we have one; never makes one."""
    kept = _kept(network, base_url)
    return configured(network) or (_app(kept) if kept else None)


def ours(network: str, base_url: str, *, redirect: str, now: dt.datetime) -> App:
    """Our registration; where every server has a registry of its own, we register on first use.

    A network that needs none gets our address as its name for us. Raises :class:`NotSetUp` or
    WireError.
    """
    app = configured(network)
    if app:
        return app
    if get(network).abilities.app_needed:
        raise NotSetUp
    kept = _kept(network, base_url)
    if kept and kept["redirect_uri"] == redirect:
        return _app(kept)
    if type(get(network)).register is Network.register:
        return App(settings.SITE_URL)
    app = get(network).register(base_url, redirect_uri=redirect, website=settings.SITE_URL)
    sealed, key = sealing.seal(
        {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "options": json.dumps(dict(app.options)),
            "redirect_uri": redirect,
        },
        context=_context(network, base_url),
    )
    ServerApp.objects.update_or_create(
        network=network,
        base_url=base_url,
        defaults={"sealed": sealed, "key_id": key, "registered_at": now},
    )
    return app


def forget(network: str, base_url: str) -> None:
    """The server has forgotten our registration; the next round trip makes a new one."""
    ServerApp.objects.filter(network=network, base_url=base_url).delete()


def _context(network: str, base_url: str) -> dict[str, str]:
    return {"provider": network, "account_id": base_url, "kind": "app"}


def _kept(network: str, base_url: str) -> dict[str, str] | None:
    """What we kept of a registration; None when there is none, or it serves no more."""
    row = ServerApp.objects.filter(network=network, base_url=base_url).first()
    if row is None:
        return None
    try:
        kept = sealing.unseal(row.sealed, context=_context(network, base_url))
    except sealing.SealBroken:
        return None
    return kept if "redirect_uri" in kept else None


def _app(kept: Mapping[str, str]) -> App:
    return App(kept["client_id"], kept["client_secret"], json.loads(kept["options"]))
