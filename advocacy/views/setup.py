"""How the installation is set up: ink, networks, mail and ways in, for administrators.

What secrets belong to stands in settings, where a vault can write it; the page shows whether it is
there, what to register elsewhere, and tries it. It never shows a secret.
"""

import smtplib
from typing import Any, cast

from allauth.socialaccount.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from advocacy import company, ink
from advocacy.doctor import first_line
from advocacy.ink import InkRefused
from ambassadors import audit
from ambassadors.models import Person, Role
from integrations import clients, trips
from integrations.networks import NETWORKS
from integrations.networks.base import Network

_YEAR = 365 * 24 * 3600


def setup(request: HttpRequest) -> HttpResponse:
    """Show how everything stands; on POST the company's colours are kept."""
    if request.method != "POST":
        return render(request, "setup.html", _page())
    light, dark = (request.POST.get(name, "").strip().lower()[:20] for name in ("light", "dark"))
    try:
        ink.save(light, dark)
    except InkRefused as refused:
        page = _page() | {
            "typed": {"light": light, "dark": dark},
            "field": refused.field,
            "error": refused.sentence,
        }
        return render(request, "setup.html", page, status=422)
    by = cast("Person", request.user)
    audit.record("ink.changed", by, by=by, now=timezone.now(), light=light, dark=dark)
    messages.success(request, _("The colours are kept. Every page has them from now on."))
    return redirect("setup")


@require_POST
def try_mail(request: HttpRequest) -> HttpResponse:
    """Send a mail to the person who asks, and say what the mail server said."""
    by = cast("Person", request.user)
    try:
        send_mail(
            _("A mail from Botschaft"),
            _("It arrived. Nothing to do.") + f"\n\n{settings.SITE_URL}\n",
            None,
            [by.email],
        )
    except (OSError, smtplib.SMTPException) as error:
        said = first_line(error)[:200]
        messages.error(request, _("The mail server did not take it: %(said)s") % {"said": said})
    else:
        messages.success(
            request,
            _("The mail server took a mail to %(address)s. Look whether it arrives.")
            % {"address": by.shown_email},
        )
    return redirect(f"{reverse('setup')}#mail")


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """The company's colours as a style sheet; its address changes with them."""
    del request
    answer = HttpResponse(ink.css(), content_type="text/css; charset=utf-8")
    answer["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return answer


def _page() -> dict[str, Any]:
    chosen, words = ink.chosen(), dict(Role.Name.choices)
    return {
        "typed": {"light": chosen.light, "dark": chosen.dark},
        "usual": ink.USUAL,
        "networks": [_network(network) for network in NETWORKS.values()],
        "mail": {
            "server": f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
            "is_file": settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"),
            "tls": settings.EMAIL_USE_TLS,
            "sender": settings.DEFAULT_FROM_EMAIL,
            "domain": settings.MAIL_DOMAIN,
        },
        "companies": [_company(app) for app in get_adapter().list_apps(None)],
        "of_everybody": "everybody" in settings.MFA_REQUIRED_ROLES,
        "second_factor": [str(words.get(name, name)) for name in settings.MFA_REQUIRED_ROLES],
    }


def _network(network: Network) -> dict[str, Any]:
    """What stands ready for one network, and what to register there."""
    name = network.abilities.name
    return {
        "name": name,
        "needs_app": network.abilities.app_needed,
        "ready": not network.abilities.app_needed or clients.configured(name) is not None,
        "setting": f"{name.upper()}_CLIENT_ID",
        "redirect": trips.redirect_uri(name),
    }


def _company(app: Any) -> dict[str, Any]:
    """What the company's provider must know of us, and what we know of it."""
    if app.provider_id == company.OIDC:
        back = reverse("openid_connect_callback", args=[company.OIDC])
        return {
            "kind": "OpenID Connect",
            "provider": app.settings["server_url"],
            "facts": [(_("Redirect address"), f"{settings.SITE_URL}{back}")],
        }
    idp = app.settings["idp"]
    ours = f"{settings.SITE_URL}{reverse('saml_metadata', args=[app.client_id])}"
    entity = app.settings.get("sp", {}).get("entity_id", ours)
    acs = f"{settings.SITE_URL}{reverse('saml_acs', args=[app.client_id])}"
    return {
        "kind": "SAML 2.0",
        "provider": idp["entity_id"] or idp.get("metadata_url") or idp.get("sso_url"),
        "facts": [
            (_("Our metadata"), ours),
            (_("Our name (entity ID)"), entity),
            (_("Answers go to"), acs),
        ],
    }
