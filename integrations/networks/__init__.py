"""All networks by name. A new network is its file, its loopback server and one line here."""

from .base import Network
from .bluesky import Bluesky
from .handed import LinkedIn, X
from .mastodon import Mastodon
from .wall import Wall

NETWORKS: dict[str, Network] = {
    network.abilities.name: network for network in (LinkedIn(), Mastodon(), Bluesky(), X(), Wall())
}


def get(name: str) -> Network:
    """The network of a name. Raises KeyError."""
    return NETWORKS[name]
