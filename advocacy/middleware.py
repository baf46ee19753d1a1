"""At the edge of every request: strange input, the person's language and clock, the policy."""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotAllowed
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers

from ambassadors.kept import holds_form, keep_form
from ambassadors.models import Person
from campaigns import lights
from campaigns.views import links

from . import bodies, often, second_factor, session_limits, stepup, throttle
from .api import problems
from .policies import (
    ANY_METHOD,
    PAGE_METHODS,
    SAME_FOR_ALL,
    UNKEPT,
    Policy,
    is_beyond_factor,
    name_of,
    policy_for,
    wants_fresh,
)
from .views.errors import only_forms, too_large, too_many, unkept

Next = Callable[[HttpRequest], HttpResponse]


class HeadersMiddleware:
    """The outermost: no answer leaves without these, whatever made it.

    Files, redirects of tracked links and refusals come from further in than the pages' own policy;
    they get one that allows nothing.
    """

    CLOSED = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    )
    TEXT = re.compile(r"text/|application/(?:\w*javascript|xml)|[\w/.-]+\+xml")
    NEVER = (
        "accelerometer=(), autoplay=(self), bluetooth=(), browsing-topics=(), camera=(),"
        " display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(),"
        " microphone=(), midi=(), payment=(), serial=(), usb=(), xr-spatial-tracking=()"
    )

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add what is missing."""
        response = self.get_response(request)
        policy = response.get("Content-Security-Policy", "")
        if "default-src" not in policy:
            policy = f"{policy}; {self.CLOSED}".lstrip("; ")
            response["Content-Security-Policy"] = policy
        if "frame-ancestors 'none'" in policy:
            response.setdefault("X-Frame-Options", "DENY")
        kind = response.get("Content-Type", "")
        if self.TEXT.match(kind) and "charset" not in kind:
            response["Content-Type"] = f"{kind}; charset=utf-8"  # SVG, scripts (ASVS 4.1.1)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Permissions-Policy", self.NEVER)
        return response


class StillMiddleware:
    """Answers an open page whose situation still holds, before anything is read about it.

    Thousands of pages ask every half minute, nearly always in vain: one look into Redis.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Say 204, or pass the request on."""
        if request.path == "/situation/" and lights.is_still(request.GET.get("v", "")):
            return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
        return self.get_response(request)


class LinkMiddleware:
    """Answers tracked links that lead on, before session, cookie and language are looked at."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Lead on, or pass the request on."""
        if request.path_info.startswith("/r/") and request.method in {"GET", "HEAD"}:
            answer = links.lead(request, request.path_info.removeprefix("/r/"))
            if answer is not None:
                return answer
        return self.get_response(request)


class EdgeMiddleware:
    """Refuses NUL in addresses, sets language and time zone, and keeps pages out of caches."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Wrap one request."""
        odd = "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", "")
        if odd and not request.path.startswith("/scim/"):  # that door refuses in its own words
            return problems.answer(request, 400) or HttpResponseBadRequest()
        now = timezone.now()
        if isinstance(request.user, Person) and session_limits.is_over(
            request, request.user, now=now
        ):
            logout(request)
        user = request.user
        if isinstance(user, Person):
            timezone.activate(user.zone)
            second_factor.rest(request, user)
            if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
                translation.activate(user.language)
                request.LANGUAGE_CODE = user.language  # type: ignore[attr-defined]
        response = self.get_response(request)
        if request.method == "GET" and isinstance(response, HttpResponseNotAllowed):
            response = only_forms(request, response)
        session_limits.note(request, now=now)
        if user.is_authenticated and name_of(request) not in SAME_FOR_ALL:
            add_never_cache_headers(response)
            response["Cache-Control"] = "no-store"
        timezone.deactivate()
        return response


class _Gate:
    """Judges a request by the name of its address, before the page is asked."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; the work is in :meth:`process_view`."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Ask :meth:`judge`."""
        del view, args, kwargs
        return self.judge(request, name_of(request))

    def judge(self, request: HttpRequest, name: str) -> HttpResponse | None:
        """The answer instead of the page; None lets the request through."""
        raise NotImplementedError


class BodyMiddleware(_Gate):
    """Refuses what is too large before anything of it is read; stands above who reads forms."""

    def judge(self, request: HttpRequest, name: str) -> HttpResponse | None:
        """Let the request through, or say that it is too large."""
        return too_large(request) if bodies.is_too_large(request, name) else None


class PolicyMiddleware(_Gate):
    """Asks the declared policy of the URL; without one, nobody gets in."""

    def _rests(self, request: HttpRequest, policy: Policy) -> bool:
        """Tell whether the person would come in if their roles did not rest."""
        user = request.user
        if not isinstance(user, Person) or not user.resting:
            return False
        resting, user.resting = user.resting, frozenset()
        would = policy(request)
        user.resting = resting
        return would

    def _keeps(self, request: HttpRequest, whose: str) -> bool:
        """Keep a form over the login, if not too many of the person's wait already."""
        if not holds_form(request) and often.keeps_too_much(whose):
            return False
        return keep_form(request, whose=whose)

    def judge(self, request: HttpRequest, name: str) -> HttpResponse | None:
        """Let the request through, send to the login or to a fresh proof, or refuse."""
        policy = policy_for(name)
        if policy is None:
            raise PermissionDenied
        if request.method not in PAGE_METHODS and not name.startswith(ANY_METHOD):
            return HttpResponseNotAllowed(sorted(PAGE_METHODS))
        if policy(request):
            if second_factor.is_wanted(request) and is_beyond_factor(name):
                return stepup.lead(request, reverse("second_factor"))
            if often.is_too_much(request):
                return too_many(request)
            return stepup.asked(request) if wants_fresh(request) else None
        if self._rests(request, policy):
            return stepup.lead(request, reverse("second_factor"))
        if not request.user.is_authenticated:
            if name in UNKEPT and request.method == "POST":
                return redirect_to_login(f"{request.path}?unkept", settings.LOGIN_URL)
            whose = throttle.last(request)[1]
            if request.method == "POST" and whose and not self._keeps(request, whose):
                return unkept(request)
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        raise PermissionDenied
