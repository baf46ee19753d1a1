"""Our registrations as a client at the networks: the operator's, from the settings."""

from typing import Any

from django.conf import settings

from .networks import NETWORKS
from .networks.base import App


def configured(network: str) -> App | None:
    """The registration the operator entered for a network, None when there is none yet."""
    found: dict[str, Any] | None = settings.NETWORK_APPS.get(network)
    return App(found["client_id"], found["client_secret"], found["options"]) if found else None


def publishable(network: str) -> bool:
    """Tell whether Botschaft can publish there: the network can, and we are registered."""
    abilities = NETWORKS[network].abilities
    return abilities.can_publish and (not abilities.app_needed or configured(network) is not None)
