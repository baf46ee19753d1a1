"""All networks by name. A new network is its file, its loopback server and one line here."""

from .base import Network
from .bluesky import Bluesky
from .facebook import Facebook
from .handed import LinkedIn, X
from .instagram import Instagram
from .mastodon import Mastodon
from .threads import Threads
from .wall import Wall

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
