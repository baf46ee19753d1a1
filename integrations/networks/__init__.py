"""All networks by name. A new network is its file, its loopback server and one line here."""

from .base import Network
from .bluesky import Bluesky
from .linkedin import LinkedIn
from .mastodon import Mastodon
from .wall import Wall
from .x import X

NETWORKS: dict[str, Network] = {
    network.abilities.name: network for network in (LinkedIn(), Mastodon(), Bluesky(), X(), Wall())
}


def get(name: str) -> Network:
    """The network of a name. Raises KeyError."""
    return NETWORKS[name]
