"""Guessing a secret that opens a door without a login: after so many of one network, a wait.

The secrets have 128 bits and more, so nobody finds one; this keeps a crowd of guesses from costing
anything. Counted under a keyed hash of the network, forgotten after ten minutes; without Redis
everybody goes on.
"""

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from ambassadors import security_log
from ambassadors.counts import counted
from ambassadors.security_log import Event

from .senders import sender

MOST, WITHIN = 30, 600  # wrong ones of a network; seconds


def _key(request: HttpRequest) -> str:
    """The network's place in the cache; empty for one in the company's own house."""
    network = sender(request)
    return network and f"guesses:{salted_hmac('guesses', network).hexdigest()[:32]}"


def too_many(request: HttpRequest) -> bool:
    """Tell, before a secret is looked at, whether too many wrong ones came from there."""
    key = _key(request)
    try:
        return bool(key) and cache.get(key, 0) >= MOST
    except Exception:  # noqa: BLE001 - whatever the cache throws
        return False


def wrong(request: HttpRequest, *, door: str) -> None:
    """Count a wrong one, and note it in the log without whence it came."""
    security_log.tell(Event.KEY_REFUSED, door=door)
    if key := _key(request):
        try:
            counted(key, WITHIN)
        except Exception:  # noqa: BLE001 - as above
            return
