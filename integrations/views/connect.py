"""The door of the round trips: off to a network, back from it, and the choice between accounts.

A callback's address carries a code. It is used up or worthless when we answer, and still no page
shows it, no link passes it on, and nothing here writes it down.
"""

from typing import cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ambassadors import consents, security_log
from ambassadors.models import Consent, Person
from ambassadors.security_log import Event
from integrations import accounts as verbs
from integrations import clients, trips, words
from integrations.models import ConnectAttempt, ConnectedAccount
from integrations.networks import NETWORKS, bluesky
from integrations.networks import mastodon_connect as mastodon
from integrations.networks.base import NotAble, NotConnected
from integrations.tasks import tell
from integrations.views.accounts import accounts
from integrations.views.channels import channels
from integrations.wire import WireError

REFUSALS = (
    ValueError,
    clients.NotSetUp,
    trips.StaleAttempt,
    trips.SaidNo,
    trips.OtherAccount,
    trips.NotForYou,
    verbs.TakenByOther,
    NotAble,
    NotConnected,
    WireError,
)
_LONGEST = 2000  # characters of what somebody types or a network answers


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


def _session(request: HttpRequest) -> str:
    return request.session.session_key or ""


def _page(
    request: HttpRequest, network: str, sentence: str, *, company: bool, status: int
) -> HttpResponse:
    """The page the person came from, with a sentence at the network it is about."""
    page = channels if company else accounts
    return page(request, errors={network: sentence}, status=status)


@require_POST
def connect(request: HttpRequest, network: str) -> HttpResponse:
    """Send the person to the network to say yes."""
    person, company = _me(request), request.POST.get("company") == "1"
    if network not in NETWORKS or (company and not person.has_role("administrator")):
        raise PermissionDenied
    renews = _renews(request, person, network)
    typed = request.POST.get("server", "").strip()[:_LONGEST]
    try:
        url = trips.begin(
            person=person,
            session=_session(request),
            network=network,
            base_url=_server(network, typed, renews),
            hint=(renews.handle if renews else typed).lstrip("@"),
            company=renews.person_id is None if renews else company,
            renews=renews,
            now=timezone.now(),
        )
    except REFUSALS as error:
        return _page(request, network, sentence_for(error), company=company, status=422)
    response = HttpResponse(status=302)
    response["Location"] = url
    return response


def _renews(request: HttpRequest, person: Person, network: str) -> ConnectedAccount | None:
    """The account to be connected again, when the button was beside one."""
    wanted = request.POST.get("renews", "")
    if not wanted:
        return None
    rows = ConnectedAccount.objects.of(person)
    if person.has_role("administrator"):
        rows = rows | ConnectedAccount.objects.company()
    pk = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else 0
    return get_object_or_404(rows, pk=pk, network=network)


def _server(network: str, typed: str, renews: ConnectedAccount | None) -> str:
    """The address of the server to ask. Raises ValueError where one was to be named."""
    if not trips.every_server_is_its_own(network):
        return ""
    return renews.base_url if renews else mastodon.normalise(typed)


@require_GET
def callback(request: HttpRequest, server: str) -> HttpResponse:
    """Come back from a network: verify the round trip, then keep the account or ask which."""
    answer = {name: values[0][:8000] for name, values in request.GET.lists()}
    doubled = any(len(values) > 1 for _name, values in request.GET.lists())
    request.META["QUERY_STRING"] = ""  # so that no page can show or pass on the code
    response = _arrive(request, server, answer, doubled=doubled)
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def _arrive(
    request: HttpRequest, server: str, answer: dict[str, str], *, doubled: bool
) -> HttpResponse:
    if not request.user.is_authenticated:
        # The session ended on the way. The code is not carried over the login.
        return redirect(f"{reverse('account_login')}?next={reverse('accounts')}")
    network = server if server in NETWORKS else server.rpartition("-")[0]
    if network not in NETWORKS:
        raise Http404
    if doubled:
        security_log.tell(
            Event.CALLBACK_REFUSED, server=network, why="doubled", person=_me(request).pk
        )
        sentence = _("The network's answer is not valid. Please start again.")
        return _page(request, network, sentence, company=False, status=400)
    person, state = _me(request), answer.get("state", "")
    try:
        found = trips.arrive(
            person=person,
            session=_session(request),
            server=server,
            answer=answer,
            now=timezone.now(),
        )
    except REFUSALS as error:
        if isinstance(error, trips.StaleAttempt):
            security_log.tell(
                Event.CALLBACK_REFUSED, server=network, why=str(error), person=person.pk
            )
        attempt = trips.attempt_of(person=person, state=state)
        company = bool(attempt and attempt.company and person.has_role("administrator"))
        status = 409 if isinstance(error, verbs.TakenByOther) else 422
        return _page(request, network, sentence_for(error), company=company, status=status)
    if isinstance(found, ConnectAttempt):
        return redirect("connect_choose", pk=found.pk)
    return _connected(request, [found])


def sentence_for(error: Exception) -> str:
    """Why a connection did not come about, for the person; foreign words are escaped later."""
    match error:
        case trips.StaleAttempt():
            return _stale()
        case trips.SaidNo():
            return _("You said no at the network. Nothing was connected.")
        case trips.OtherAccount():
            return _(
                "That was another account than the one to connect again. Sign in there with the"
                " same one, or connect the other as a new account."
            )
        case trips.NotForYou() | NotAble():
            return _("This kind of account cannot be connected there.")
        case clients.NotSetUp():
            return _("This network is not set up here yet. Ask your administrator; copying works.")
        case NotConnected() | WireError() if ours := words.why_not(error):
            return ours
        case NotConnected():
            return _("The network said no: %(problem)s.") % {"problem": error}
        case WireError():
            return _("The network does not answer as it should: %(problem)s.") % {"problem": error}
        case verbs.TakenByOther():
            return _told(error)
        case _:
            return _("Write your server or handle, like mastodon.social or @you@mastodon.social.")


def _stale() -> str:
    return _("This way back was used already or is too old. Please start again.")


def _told(taken: verbs.TakenByOther) -> str:
    """Tell the keepers of an account about a second claim; the sentence names nobody."""
    if taken.account:
        tell(taken.account)
    if taken.account and taken.account.person_id is None:
        return _("This account is connected here already, as a channel of the company.")
    return _("Somebody else here has connected this account. We have told them.")


def _connected(request: HttpRequest, found: list[ConnectedAccount]) -> HttpResponse:
    """Say what is connected, and note the consent that goes with one's own account."""
    for account in found:
        messages.success(request, _("%(account)s is connected.") % {"account": account.handle})
    if any(account.person_id is None for account in found):
        return redirect("channels")
    consents.give(person=_me(request), purpose=Consent.Purpose.LINK_ACCOUNT, now=timezone.now())
    return redirect("accounts")


def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the person choose between the accounts that one yes opened."""
    person, now = _me(request), timezone.now()
    try:
        attempt = trips.waiting(person=person, session=_session(request), pk=pk, now=now)
        grants = trips.grants_of(attempt)
    except trips.StaleAttempt:
        messages.error(request, _stale())
        return redirect("accounts")
    error = ""
    if request.method == "POST":
        chosen = request.POST.getlist("account")
        if any(grant.identity.remote_id in chosen for grant in grants):
            return _chosen(request, attempt, chosen)
        error = _("Choose at least one.")
    context = {"attempt": attempt, "grants": grants, "error": error}
    return render(request, "choose.html", context, status=422 if error else 200)


def _chosen(request: HttpRequest, attempt: ConnectAttempt, chosen: list[str]) -> HttpResponse:
    try:
        connected, taken = trips.choose(attempt=attempt, chosen=chosen, now=timezone.now())
    except (trips.StaleAttempt, trips.NotForYou):
        messages.error(request, _stale())
        return redirect("accounts")
    for grant in taken:
        messages.error(
            request,
            _("%(account)s is connected here already and was left as it is.")
            % {"account": grant.identity.handle},
        )
    if connected:
        return _connected(request, connected)
    return redirect("channels" if attempt.company else "accounts")


@require_POST
def bluesky_password(request: HttpRequest) -> HttpResponse:
    """Connect with an app password, the discouraged way; the main password is refused."""
    person, now = _me(request), timezone.now()
    handle = request.POST.get("handle", "").strip()[:_LONGEST]
    base_url = request.POST.get("pds", "").strip().rstrip("/")[:_LONGEST] or bluesky.ENTRYWAY
    try:
        identity, pds, secrets_, expires_at = bluesky.sign_in(
            handle=handle, password=request.POST.get("app_password", "").strip(), base_url=base_url
        )
        account = verbs.connect(
            person=person,
            network="bluesky",
            base_url=pds,
            identity=identity,
            secrets_=secrets_,
            expires_at=expires_at,
            features={"blob_limit": bluesky.blob_limit(pds)},
            now=now,
        )
    except NotConnected as problem:
        refused = _("Bluesky said no: %(problem)s. Use an app password like abcd-efgh-2345-ijkl.")
        error = words.why_not(problem) or refused % {"problem": problem}
        return accounts(request, errors={"bluesky_password": error}, status=422)
    except WireError as problem:
        silent = _("Bluesky does not answer: %(problem)s.")
        error = words.why_not(problem) or silent % {"problem": problem}
        return accounts(request, errors={"bluesky_password": error}, status=422)
    except verbs.TakenByOther as taken:
        errors = {"bluesky_password": _told(taken)}
        return accounts(request, errors=errors, status=409)
    return _connected(request, [account])
