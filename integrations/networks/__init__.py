"""All networks by name. A new network is its file, its loopback server and one line here."""

from .base import Network
from .bluesky import Bluesky
from .facebook import Facebook
from .instagram import Instagram
from .linkedin import LinkedIn
from .mastodon import Mastodon
from .threads import Threads
from .wall import Wall
from .x import X

NETWORKS: dict[str, Network] = {
    network.abilities.name: network
    for network in (
        LinkedIn(),
        Mastodon(),
        Bluesky(),
        X(),
        Threads(),
        Facebook(),
        Instagram(),
        Wall(),
    )
}


def get(name: str) -> Network:
    """The network of a name. Raises KeyError."""
    return NETWORKS[name]
