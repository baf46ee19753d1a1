"""A fresh proof of who somebody is, before what an open screen must not be enough for (ASVS 7.5.1).

:data:`advocacy.policies.FRESH` says what asks for it. What was typed is kept, sealed, and handed
back to the person, who sends it themselves: it meets every guard of its page a second time.
"""

import datetime as dt
import time
from typing import Any, cast
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.socialaccount.adapter import get_adapter as get_company_adapter
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from ambassadors.models import Person
from integrations import sealing

_PROVED, _KEPT = "proved_at", "stepup"
_LARGEST = 200_000  # characters of one kept form
_KEPT_FOR = dt.timedelta(hours=1)


def note(request: HttpRequest, at: float) -> None:
    """Remember that the session's person proved who they are, ``at`` seconds since 1970.

    From then on it is another session to whoever knew its key (ASVS 7.2.4).
    """
    request.session[_PROVED] = at
    request.session.cycle_key()


def on_login(sender: object, request: HttpRequest, **more: object) -> None:
    """A login is a proof; at the company only as old as the provider says that it is."""
    del sender, more
    request.session[_PROVED] = getattr(request, "company_proof", time.time())


def on_step(sender: object, request: HttpRequest, user: Person, **more: object) -> None:
    """A password, code or passkey of somebody who is logged in already."""
    del sender, more
    if request.user.is_authenticated and request.user.pk == user.pk:
        note(request, time.time())


def is_fresh(request: HttpRequest, *, now: dt.datetime) -> bool:
    """Tell whether the proof is not older than STEPUP_MINUTES.

    Declared exemption: whoever came in by a button of the demonstration has nothing to prove by.
    """
    if settings.DEMO and request.session.get("demo"):
        return True
    since = now.timestamp() - settings.STEPUP_MINUTES * 60
    return float(request.session.get(_PROVED, 0)) > since


def asked(request: HttpRequest) -> HttpResponse | None:
    """None when the proof is fresh; else the way to it, with what was posted kept."""
    if is_fresh(request, now=timezone.now()):
        return None
    _keep(request)
    # what can only be posted to has no page to lead to
    ahead = reverse("today") if request.method == "POST" else request.get_full_path()
    return lead(request, f"{reverse('stepup')}?{urlencode({'next': ahead})}")


def lead(request: HttpRequest, way: str) -> HttpResponse:
    """Lead the whole page there, also when htmx asks for a part of one."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": way})
    return redirect(way)


def _context(request: HttpRequest) -> dict[str, str]:
    return {"kind": "step-up", "person": str(request.user.pk)}


def _keep(request: HttpRequest) -> None:
    """Keep what was posted, readable for its person alone; forget what an earlier page left."""
    request.session.pop(_KEPT, None)
    if request.method != "POST":
        return
    typed = request.POST.copy()
    typed.pop("csrfmiddlewaretoken", None)
    form = {
        "path": request.get_full_path(),
        "post": typed.urlencode(),
        "at": str(timezone.now().timestamp()),
    }
    if len(form["post"]) <= _LARGEST:
        request.session[_KEPT] = sealing.seal(form, context=_context(request))[0].decode()


def _kept(request: HttpRequest) -> dict[str, Any] | None:
    """What was kept for this person, once; None when it is somebody else's or too old."""
    sealed = request.session.pop(_KEPT, "")
    try:
        form = sealing.unseal(sealed.encode(), context=_context(request))
    except sealing.SealBroken:
        return None
    if timezone.now().timestamp() - float(form["at"]) > _KEPT_FOR.total_seconds():
        return None
    typed = QueryDict(form["post"])
    return {
        "path": form["path"],
        "fields": [(name, value) for name, values in typed.lists() for value in values],
    }


def page(request: HttpRequest) -> HttpResponse:
    """Ask for the proof in the ways that the person has; afterwards hand back what was kept."""
    ahead = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(ahead, allowed_hosts=None) or ahead.startswith(
        request.path
    ):
        ahead = reverse("today")
    if is_fresh(request, now=timezone.now()):
        if kept := _kept(request):
            return render(request, "stepup.html", {"kept": kept})
        return redirect(ahead)
    if request.method == "POST":
        return _log_in_again(request)
    here = f"{request.path}?{urlencode({'next': ahead})}"
    ways = [
        {**way, "url": f"{way['url']}?{urlencode({'next': here})}"}
        for way in get_adapter().get_reauthentication_methods(request.user)
    ]
    company = _company_ways(request, here)
    if ways and not company:
        return redirect(ways[0]["url"])
    return render(request, "stepup.html", {"ways": ways, "company": company})


def _company_ways(request: HttpRequest, here: str) -> list[str]:
    """Where the company's provider is asked to have the person log in there once more."""
    person = cast("Person", request.user)
    known = set(SocialAccount.objects.filter(user=person).values_list("provider", flat=True))
    return [
        provider.get_login_url(request, process="redirect", next=here)
        for provider in get_company_adapter().list_providers(request)
        if provider.app.provider_id in known
    ]


def _log_in_again(request: HttpRequest) -> HttpResponse:
    """For people who have neither password, nor passkey, nor company login: a code by mail."""
    kept = request.session.get(_KEPT)
    logout(request)
    if kept:
        request.session[_KEPT] = kept
    return redirect(f"{reverse('account_login')}?{urlencode({'next': reverse('stepup')})}")
