"""My accounts and my consents: what may Botschaft do, in plain words, and how to end it."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import consents
from ambassadors.models import Consent, Person
from integrations import accounts as verbs
from integrations.models import ConnectedAccount
from integrations.networks import NETWORKS, bluesky
from integrations.networks import mastodon_connect as mastodon
from integrations.networks.base import NotConnected
from integrations.wire import WireError

_OFFERED = ("publish", "engagement", "roster")


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


def accounts(
    request: HttpRequest, *, errors: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    """List accounts and consents, with the forms to connect more."""
    person = _me(request)
    given = {c.purpose: c for c in Consent.objects.given().filter(person=person)}
    offered = [
        {
            "purpose": purpose,
            "label": Consent.Purpose(purpose).label,
            "wording": _(consents.WORDINGS[purpose][1]),
            "given": given.get(purpose),
        }
        for purpose in _OFFERED
    ]
    context = {
        "accounts": ConnectedAccount.objects.of(person),
        "consents": offered,
        "errors": errors or {},
        "typed": request.POST,
    }
    return render(request, "accounts.html", context, status=status)


def networks(request: HttpRequest) -> HttpResponse:
    """What Botschaft can do on which network: the matrix, from the code."""
    return render(request, "networks.html", {"networks": [n.abilities for n in NETWORKS.values()]})


@require_POST
def consent(request: HttpRequest) -> HttpResponse:
    """Give or withdraw one consent."""
    purpose = request.POST.get("purpose", "")
    if purpose not in _OFFERED:
        return redirect("accounts")
    if request.POST.get("answer") == "yes":
        consents.give(person=_me(request), purpose=purpose, now=timezone.now())
        messages.success(request, _("Noted. You can take it back at any time."))
    else:
        consents.withdraw(person=_me(request), purpose=purpose, now=timezone.now())
        messages.success(request, _("Withdrawn. It holds from this moment."))
    return redirect("accounts")


@require_POST
def disconnect(request: HttpRequest, pk: int) -> HttpResponse:
    """End a connection of one's own."""
    person = _me(request)
    account = get_object_or_404(ConnectedAccount.objects.of(person), pk=pk)
    verbs.disconnect(account=account, by=person, now=timezone.now())
    messages.success(
        request,
        _("%(account)s is disconnected and the key is deleted.") % {"account": account.handle},
    )
    return redirect("accounts")


def _redirect_uri() -> str:
    return f"{settings.SITE_URL}{reverse('mastodon_callback')}"


@require_POST
def connect_mastodon(request: HttpRequest) -> HttpResponse:
    """Send the person to their server to say yes."""
    person, now = _me(request), timezone.now()
    try:
        base_url = mastodon.normalise(request.POST.get("server", ""))
        features = mastodon.probe(base_url)
        app = verbs.mastodon_app(
            base_url=base_url,
            redirect_uri=_redirect_uri(),
            modern=bool(features["modern_scopes"]),
            now=now,
        )
    except ValueError:
        error = _("Write your server or handle, like mastodon.social or @you@mastodon.social.")
        return accounts(request, errors={"server": error}, status=422)
    except WireError as problem:
        error = _("This server does not answer like Mastodon: %(problem)s.") % {"problem": problem}
        return accounts(request, errors={"server": error}, status=422)
    state, verifier = verbs.begin(person=person, network="mastodon", base_url=base_url, now=now)
    response = HttpResponse(status=302)
    response["Location"] = mastodon.authorize_url(
        base_url, app, redirect_uri=_redirect_uri(), state=state, verifier=verifier
    )
    return response


def mastodon_callback(request: HttpRequest) -> HttpResponse:
    """Come back from the server: verify the round trip, take the token, learn who it is."""
    person, now = _me(request), timezone.now()
    try:
        base_url, verifier = verbs.redeem(
            person=person, network="mastodon", state=request.GET.get("state", ""), now=now
        )
    except verbs.StaleAttempt:
        error = _("This way back was used already or is too old. Please start again.")
        return accounts(request, errors={"server": error}, status=422)
    if not (code := request.GET.get("code", "")):
        error = _("You said no at your server. Nothing was connected.")
        return accounts(request, errors={"server": error}, status=422)
    try:
        features = mastodon.probe(base_url)
        app = verbs.mastodon_app(
            base_url=base_url, redirect_uri=_redirect_uri(), modern=True, now=now
        )
        token = mastodon.exchange(
            base_url, app, code=code, redirect_uri=_redirect_uri(), verifier=verifier
        )
        identity = mastodon.whoami(base_url, token)
        verbs.connect(
            person=person,
            network="mastodon",
            base_url=base_url,
            identity=identity,
            secrets_={"access_token": token},
            expires_at=None,
            features=features,
            now=now,
        )
    except WireError as problem:
        error = _("The server did not finish: %(problem)s.") % {"problem": problem}
        return accounts(request, errors={"server": error}, status=422)
    except verbs.TakenByOther:
        error = _("Somebody else here has connected this account.")
        return accounts(request, errors={"server": error}, status=409)
    consents.give(person=person, purpose="link_account", now=now)
    messages.success(request, _("%(account)s is connected.") % {"account": identity.handle})
    return redirect("accounts")


@require_POST
def connect_bluesky(request: HttpRequest) -> HttpResponse:
    """Connect with an app password; the main password is refused."""
    person, now = _me(request), timezone.now()
    handle = request.POST.get("handle", "").strip()
    base_url = request.POST.get("pds", "").strip().rstrip("/") or bluesky.ENTRYWAY
    try:
        identity, pds, secrets_, expires_at = bluesky.sign_in(
            handle=handle, password=request.POST.get("app_password", "").strip(), base_url=base_url
        )
        verbs.connect(
            person=person,
            network="bluesky",
            base_url=pds,
            identity=identity,
            secrets_=secrets_,
            expires_at=expires_at,
            features={},
            now=now,
        )
    except NotConnected as problem:
        error = _("Bluesky said no: %(problem)s. Use an app password like abcd-efgh-2345-ijkl.") % {
            "problem": problem
        }
        return accounts(request, errors={"handle": error}, status=422)
    except WireError as problem:
        error = _("Bluesky does not answer: %(problem)s.") % {"problem": problem}
        return accounts(request, errors={"handle": error}, status=422)
    except verbs.TakenByOther:
        error = _("Somebody else here has connected this account.")
        return accounts(request, errors={"handle": error}, status=409)
    consents.give(person=person, purpose="link_account", now=now)
    messages.success(request, _("%(account)s is connected.") % {"account": identity.handle})
    return redirect("accounts")
