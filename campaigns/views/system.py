"""The installation, for administrators: whether it publishes, what is silent, what stands still."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors import tombstones
from ambassadors.models import Person
from campaigns import clicks, restores, watch
from integrations import instance, limits
from integrations.networks import get


def system(request: HttpRequest) -> HttpResponse:
    """Show the state; on POST a person confirms that this installation is the one that sends."""
    error = ""
    if request.method == "POST":
        if request.POST.get("sure") == "yes":
            by = cast("Person", request.user)
            try:
                if restores.confirm(by=by, now=timezone.now()):
                    messages.success(request, _("This installation publishes again."))
            except tombstones.NotReadable:
                error = _(
                    "The list of erased people beside the database cannot be read. Nothing is"
                    " published before they are gone again; docs/operations.md says what to do."
                )
                return render(request, "system.html", _page(error), status=422)
            return redirect("system")
        error = _("Tick the box first: two installations would post everything twice.")
    return render(request, "system.html", _page(error), status=422 if error else 200)


def _page(error: str) -> dict[str, Any]:
    now = timezone.now()
    providers: dict[str, Any] = settings.SOCIALACCOUNT_PROVIDERS
    return {
        "row": instance.the(),
        "address": settings.SITE_URL,
        "error": error,
        "posts": watch.standing(now=now),
        "stands_still": watch.waiting(now=now, since=watch.STANDSTILL),
        "short_keys": settings.LOGIN_RSA_BITS < settings.RSA_STRONG
        and any(kind["APPS"] for kind in providers.values()),
        "secret_addresses": settings.SECRET_ADDRESSES,
        "proxy": clicks.through_undeclared_proxy(),
        "silent": [
            {"label": get(network).abilities.label, "address": address, "since": since}
            for (network, address), since in sorted(limits.silent().items())
        ],
    }
