"""How much comes from one place, without keeping who that is.

Redis counts under a keyed hash of the sender's network (IPv4 /24, IPv6 /64). The key is random,
a new one every day, and Redis forgets it after 25 hours: then nobody can tell which network a
count belonged to. No address is written anywhere.
"""

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from django.core.cache import cache

from ambassadors.counts import counted

_DAY = 25 * 3600  # seconds
_MINUTES = 600
# A school class asks from one network. From so many in ten minutes on, somebody looks first.
MANY, TOO_MANY = 12, 60
PER_ADDRESS = 3  # mails of ours a day to one address that nobody confirmed
CALM = 200  # in an hour, from everywhere: beyond it all are looked at first
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Crowd:
    """``full``: take nothing more. ``why``: take it, but let somebody look first."""

    full: bool = False
    why: str = ""


def _salt(day: dt.date) -> str:
    name = f"reception:salt:{day.isoformat()}"
    cache.add(name, secrets.token_hex(32), _DAY)
    kept = cache.get(name)
    if not isinstance(kept, str):
        raise ConnectionError("no salt")
    return kept


def _hidden(what: str, day: dt.date) -> str:
    return hmac.new(_salt(day).encode(), what.encode(), hashlib.sha256).hexdigest()[:32]


def measure(network: str, *, now: dt.datetime) -> Crowd:
    """Count one question from a network and say what follows. Without Redis somebody looks."""
    try:
        hour = counted(f"reception:hour:{now:%Y%m%d%H}", 3_700)
        lately = 0
        if network:
            lately = counted(f"reception:from:{_hidden(network, now.date())}", _MINUTES)
    except Exception:  # noqa: BLE001 - whatever the cache throws, the question is not lost
        return Crowd(why="unmeasured")
    if hour > MOST or lately > TOO_MANY:
        return Crowd(full=True)
    return Crowd(why="crowd" if hour > CALM or lately > MANY else "")


def may_write_to(address: str, *, now: dt.datetime) -> bool:
    """Whether an address that a stranger typed gets one more mail of ours today."""
    try:
        name = _hidden(f"to:{address.casefold()}", now.date())
        return counted(f"reception:to:{name}", _DAY) <= PER_ADDRESS
    except Exception:  # noqa: BLE001 - as above; the page has the link as well
        return False
