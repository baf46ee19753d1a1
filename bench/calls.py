"""P6: how many calls and written rows a reading of everybody's figures costs."""

import math
from collections import Counter
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from campaigns import engagement
from campaigns.models import Delivery
from integrations.networks import NETWORKS
from tests.networks import pretended

from . import load
from .result import Result
from .stage import Host, Stage

# Posts one call can ask for by the networks' own documentation, whoever wrote them.
PER_CALL = {"bluesky": 25, "mastodon": 20, "x": 100}
PEOPLE, POSTS = 30, 237  # at each network: several posts each, and a last call that is not full


def network_of(name: str) -> bool:
    """Whether this version can publish to it and read figures, with a pretended server."""
    if name not in NETWORKS or not NETWORKS[name].abilities.can_measure:
        return False
    try:
        pretended(name)
    except (ImportError, AttributeError):
        return False
    return True


def stand(made: Stage, name: str) -> tuple[Host, list[Delivery]]:
    """Posts that stand at a network, as if they had been sent."""
    host = made.network(name, 0)
    among = load.accounts(load.people(PEOPLE), host)
    rows = load.posts(among, load.suggestions(1), count=POSTS)
    return host, rows


def mark_sent(host: Host, rows: list[Delivery]) -> None:
    """Publish at the network directly, and write down what it answered."""
    raise NotImplementedError
