"""Keys for programs: one's own, and for administrators those of the installation."""

import datetime as dt
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import tidying
from ambassadors.models import Person
from integrations import api_tokens
from integrations.api_tokens import TokenRefused
from integrations.models import ApiToken

_LASTS = (30, 90, 180, 365)  # days a key may be good
_USUAL = 90
_SHOWN = 50


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


def _listed(person: Person) -> "QuerySet[ApiToken]":
    """One's own, and for administrators all of the installation."""
    mine = Q(person=person)
    if person.has_role("administrator"):
        mine |= Q(kind=ApiToken.Kind.INSTALLATION)
    return ApiToken.objects.filter(mine).select_related("person")


def tokens(request: HttpRequest) -> HttpResponse:
    """Show them, and what a new one can open."""
    return _page(request)


def _page(
    request: HttpRequest, *, error: tuple[str, str] = ("", ""), key: str = ""
) -> HttpResponse:
    person, now, typed = _me(request), timezone.now(), request.POST
    kinds = [ApiToken.Kind.PERSONAL]
    if person.has_role("administrator"):
        kinds.append(ApiToken.Kind.INSTALLATION)
    names = {name for kind in kinds for name in api_tokens.offered(person, kind)}
    context: dict[str, Any] = {
        "address": f"{settings.SITE_URL}/api/v1",
        "keys": [
            (token, token.ended_at is None and token.expires_at > now)
            for token in _listed(person)[:_SHOWN]
        ],
        "kinds": kinds if len(kinds) > 1 else [],
        "scopes": [(n, s) for n, s in api_tokens.SCOPES.items() if n in names],
        "lasts": _LASTS,
        "new_key": key,
        "error_field": error[0],
        "error": error[1],
        "typed": {
            "name": "" if key else typed.get("name", "")[:200],
            "kind": typed.get("kind", kinds[0]),
            "days": typed.get("days", str(_USUAL)),
            "scopes": [] if key else typed.getlist("scopes"),
        },
    }
    return render(request, "api_tokens.html", context, status=422 if error[1] else 200)


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Make a key and show it, this once."""
    typed, days = request.POST, request.POST.get("days", "")
    try:
        _token, key = api_tokens.make(
            person=_me(request),
            kind="installation" if typed.get("kind") == "installation" else "personal",
            name=tidying.line(typed.get("name", "")),
            scopes=typed.getlist("scopes"),
            lasts=dt.timedelta(days=int(days) if days in map(str, _LASTS) else _USUAL),
            now=timezone.now(),
        )
    except TokenRefused as refused:
        return _page(request, error=(refused.field, refused.sentence))
    return _page(request, key=key)


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse a key from now on."""
    token = get_object_or_404(_listed(_me(request)), pk=pk)
    if api_tokens.end(token=token, by=_me(request), now=timezone.now()):
        messages.success(request, _("The key “%(name)s” opens nothing any more.") % {"name": token})
    return redirect("api_tokens")
