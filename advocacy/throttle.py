"""Guessing passwords is slow, and nobody is locked out by it (ASVS 6.3.1, 6.3.2).

A try counts before the password is looked at. Each account has one row of tries for all strangers
and one for each device on which its person has logged in: whoever attacks a name makes strangers
wait, and not the person at their own desk. A stranger who waits can log in by a mailed code, a
passkey or at the company meanwhile. Everything is counted in the shared cache and forgotten after
an hour; neither addresses nor names stand in its keys.
"""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from ambassadors import security_log
from ambassadors.counts import counted
from ambassadors.models import normalise_email
from ambassadors.security_log import Event
from campaigns.senders import sender

FREE = 5  # tries before anybody waits
FIRST_WAIT, LONGEST_WAIT = 30, 15 * 60  # seconds
_REMEMBERED = 3600  # seconds without a try until all is forgotten
_NETWORK_TRIES, _NETWORK_SPAN = 30, 600  # failures of one network, seconds
_SALT = "known-device"
_KNOWN_FOR = 90 * 24 * 3600  # seconds


class TooOften(Exception):
    """It came too early: it was not made, and does not count."""


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was let through; tell it how it ended."""

    account: str
    network: str


def _mark(kind: str, text: str) -> str:
    return f"login:{kind}:{salted_hmac('login', text).hexdigest()[:32]}"


def _cookie_name() -> str:
    return "__Host-known" if settings.SESSION_COOKIE_SECURE else "known"


def know(response: HttpResponse, email: str) -> None:
    """Have the browser remember that this person has logged in here. Holds no name."""
    response.set_cookie(
        _cookie_name(),
        signing.dumps([secrets.token_hex(8), whose(email)], salt=_SALT),
        max_age=_KNOWN_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def whose(email: str) -> str:
    """The mark of a person, which says nothing to others."""
    return salted_hmac(_SALT, normalise_email(email)).hexdigest()[:32]


def last(request: HttpRequest) -> tuple[str, str]:
    """The device's mark and that of who logged in there last; empty where nobody has."""
    try:
        mark, person = signing.loads(
            request.COOKIES.get(_cookie_name(), ""), salt=_SALT, max_age=_KNOWN_FOR
        )
    except (signing.BadSignature, ValueError, TypeError):
        return "", ""
    return str(mark), str(person)


def _device(request: HttpRequest, email: str) -> str:
    """The device's mark when this person has logged in there before, else empty."""
    mark, person = last(request)
    return mark if constant_time_compare(person, whose(email)) else ""


def begin(request: HttpRequest, login: str, *, at: str = "account") -> Try:
    """Count a try before it is made; those at a second factor apart. Raises :class:`TooOften`."""
    email = normalise_email(login)
    device = _device(request, email)
    account = _mark(at, f"{email} {device}")
    network = "" if device else sender(request)
    network = network and _mark("network", network)
    if cache.get(f"{account}:wait") or (network and cache.get(network, 0) >= _NETWORK_TRIES):
        raise TooOften
    tries = counted(account, _REMEMBERED, renew=True)
    if tries >= FREE:
        wait = min(FIRST_WAIT << min(tries - FREE, 10), LONGEST_WAIT)
        if not cache.add(f"{account}:wait", 1, wait):  # somebody was let through this moment
            cache.decr(account)
            raise TooOften
    return Try(account, network)


def failed(made: Try) -> None:
    """It was wrong."""
    if made.network:
        counted(made.network, _NETWORK_SPAN)
    everywhere = counted("login:failures", _NETWORK_SPAN)
    if everywhere == settings.LOGIN_ALARM:
        security_log.tell(Event.LOGIN_WAVE, count=everywhere)


def succeeded(made: Try) -> None:
    """It was right: it does not count. Those before it do, for whoever else made them."""
    counted(made.account, _REMEMBERED, by=-1, renew=True)
    cache.delete(f"{made.account}:wait")
