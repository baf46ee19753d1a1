"""How long a login lasts, and what makes it another one (ASVS 7.2.4, 7.3.1, 7.3.2, 7.4.2).

Idle for SESSION_IDLE_MINUTES it ends by Django's own date of expiry, which activity moves on; here
stand the limits that count from the login, the shorter ones of administrators, and what is noted.
"""

import datetime as dt
import time

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from ambassadors import kept, login_sessions
from ambassadors.models import Person

from . import throttle
from .policies import name_of

OFFERED = "offer_end"  # of other logins; a template reads it
_NOTED_EVERY = 300  # seconds between two notes that somebody is active
# An open page asks these by itself, whether somebody sits before it or not.
_BY_ITSELF = frozenset({"situation", "here"})


def on_login(sender: object, request: HttpRequest, user: Person, **more: object) -> None:
    """Note when it began, on what, and with which roles; let go what somebody else typed there."""
    del sender, more
    kept.only_for(request, whose=throttle.whose(user.email))
    session = request.session
    session["began_at"] = session["seen_at"] = time.time()
    session["device"] = login_sessions.device(request.META.get("HTTP_USER_AGENT", ""))
    session["roles"] = sorted(user.given_roles)


def on_password(sender: object, request: HttpRequest, user: Person, **more: object) -> None:
    """A new password ends all other logins."""
    del sender, more
    own = request.session.session_key if request.user.pk == user.pk else None
    login_sessions.end(user, but=own)


def on_factor(sender: object, request: HttpRequest, user: Person, **more: object) -> None:
    """After a change of second factors offer to end the other logins, where there are some."""
    del sender, more
    others = login_sessions.of(user, now=timezone.now()).exclude(pk=request.session.session_key)
    if request.user.pk == user.pk and others.exists():
        request.session[OFFERED] = True


def is_over(request: HttpRequest, person: Person, *, now: dt.datetime) -> bool:
    """Tell whether the login has lasted long enough. One without a beginning has."""
    session = request.session
    age = now.timestamp() - float(session.get("began_at", 0))
    idle = now.timestamp() - float(session.get("seen_at", 0))
    if age > settings.SESSION_HOURS * 3600:
        return True
    short = (
        age > settings.ADMIN_SESSION_HOURS * 3600 or idle > settings.ADMIN_SESSION_IDLE_MINUTES * 60
    )
    return short and "administrator" in person.given_roles


def note(request: HttpRequest, *, now: dt.datetime) -> None:
    """Note that somebody is active, and give the session another key when their roles changed."""
    session, user = request.session, request.user
    if not isinstance(user, Person):
        return
    roles = user.read_roles()
    if roles is not None and session.get("roles") != sorted(roles):
        session["roles"] = sorted(roles)
        session.cycle_key()
    if now.timestamp() - session.get("seen_at", 0) > _NOTED_EVERY and _by_hand(request):
        session["seen_at"] = now.timestamp()


def _by_hand(request: HttpRequest) -> bool:
    asks_a_part = request.method == "GET" and "HX-Request" in request.headers
    return not asks_a_part and name_of(request) not in _BY_ITSELF
