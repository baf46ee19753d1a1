"""Roles that stop, approve or administer want a second factor (ASVS 6.3.3).

Without one they rest: for this session the person has none of :setting:`MFA_REQUIRED_ROLES`, on
every page and in every verb, and everything of an employee's own. One line in the middleware says
so to :attr:`ambassadors.models.Person.resting`; nothing else asks.
"""

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ambassadors.models import Person

_GIVEN, _COMPANY = "second_factor", "by_company"
EVERYBODY = "everybody"
_TYPES = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def give(request: HttpRequest) -> None:
    """Remember that this session has seen a second factor."""
    request.session[_GIVEN] = True


def is_given(request: HttpRequest) -> bool:
    """Tell whether this session has seen one.

    Declared exemption: whoever came in by a button of the demonstration.
    """
    if settings.DEMO and request.session.get("demo"):
        return True
    return bool(request.session.get(_GIVEN))


def is_wanted(request: HttpRequest) -> bool:
    """Tell whether this session gets no further without one.

    A login at the company is the company's matter; roles rest there all the same.
    """
    return (
        EVERYBODY in settings.MFA_REQUIRED_ROLES
        and request.user.is_authenticated
        and not is_given(request)
        and not request.session.get(_COMPANY)
    )


def rest(request: HttpRequest, person: Person) -> None:
    """Let the roles rest that want what this session has not seen."""
    if not is_given(request):
        person.resting = frozenset(settings.MFA_REQUIRED_ROLES)


def on_login(sender: object, request: HttpRequest, **more: object) -> None:
    """A login at the company, and whether its provider says that it took two factors."""
    del sender, more
    if hasattr(request, "company_proof"):
        request.session[_COMPANY] = True
    if getattr(request, "company_mfa", False):
        give(request)


def on_step(sender: object, request: HttpRequest, method: str, **more: object) -> None:
    """A code of the authenticator, a recovery code or a passkey was right."""
    del sender, more
    if method == "mfa":
        give(request)


def on_added(
    sender: object, request: HttpRequest, authenticator: Authenticator, **more: object
) -> None:
    """To set one up means to have used it."""
    del sender, more
    if authenticator.type in _TYPES:
        give(request)


def has_device(person: Person) -> bool:
    """Tell whether the person has something that shows or signs codes; those on paper are none."""
    found: bool = is_mfa_enabled(person, types=_TYPES)
    return found


def on_removed(sender: object, request: HttpRequest, user: Person, **more: object) -> None:
    """With the last one goes what this session had."""
    del sender, more
    if not has_device(user):
        request.session.pop(_GIVEN, None)


def asserted(said: list[object]) -> bool:
    """Tell whether the company's provider says that somebody came in by two factors.

    ``said`` holds the values of ``amr`` and ``acr`` (RFC 8176, OpenID Connect Core), or SAML's
    AuthnContextClassRef; COMPANY_LOGIN_MFA names those that count.
    """
    return any(value in settings.COMPANY_LOGIN_MFA for value in said)


def page(request: HttpRequest) -> HttpResponse:
    """Say which roles rest, and how they wake."""
    told = {"given": is_given(request), "wanted": is_wanted(request)}
    return render(request, "second_factor.html", told)
