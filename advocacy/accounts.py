"""How allauth meets our people: nobody signs up, nobody is linked by an unverified mail."""

import time
from types import SimpleNamespace
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from ambassadors import company_logins, security_log
from ambassadors.company_logins import Refused, Said
from ambassadors.models import Person, normalise_email
from ambassadors.security_log import Event
from campaigns.senders import sender
from integrations import second_factors

from . import company, logged, passwords, provider_keys, second_factor, stepup, throttle

_MOST_GROUPS = 2_000


def is_somebody_elses(address: str, person: Person) -> bool:
    """Tell whether a colleague logs in by an address, or has answered a mail there."""
    others = Person.objects.filter(email_normalised=normalise_email(address))
    answered = EmailAddress.objects.filter(email=address.lower(), verified=True)
    return others.exclude(pk=person.pk).exists() or answered.exclude(user=person).exists()


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts are made by HR or by provisioning."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed."""
        del request
        return False

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": _lazy(
            "That was tried too often. Wait a moment, 15 minutes at most; or have a code sent to"
            " you, that works at once."
        ),
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whom allauth's limits count: a network."""
        return sender(request) or str(request.META.get("REMOTE_ADDR", ""))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try first. Raises ValidationError when it comes too early."""
        try:
            self.made = throttle.begin(request, credentials.get("email", ""))
        except throttle.TooOften as refused:
            logged.too_often(credentials.get("email", ""))
            raise self.validation_error("too_many_login_attempts") from refused

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Whose password it is, None for nobody's."""
        if len(credentials.get("password") or "") > passwords.LONGEST:
            self.pre_authenticate(request, **credentials)
            throttle.failed(self.made)  # nobody has such a one; not worth its hash
            logged.wrong(credentials.get("email", ""))
            return None
        found = super().authenticate(request, **credentials)
        if found:
            throttle.succeeded(self.made)
        else:
            throttle.failed(self.made)
            logged.wrong(credentials.get("email", ""))
        return found

    def _rollback_login_failed_rl_usage(self) -> None:
        """Do nothing: allauth's own limit is off."""

    def post_login(self, request: HttpRequest, user: Person, **more: Any) -> HttpResponse:
        """Let the device be known from now on."""
        response: HttpResponse = super().post_login(request, user, **more)
        throttle.know(response, user.email)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail that names our own address, whatever host the request named."""
        ours = SimpleNamespace(domain=urlsplit(settings.SITE_URL).netloc, name="Botschaft")
        super().send_mail(template_prefix, email, {**context, "current_site": ours})

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Our own address, whatever host the request named."""
        there: str = super().get_reset_password_from_key_url(key)
        return f"{settings.SITE_URL}{urlsplit(there).path}"

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Today; first to a second factor whoever has a role that rests without one."""
        person = cast("Person", request.user)
        second_factor.rest(request, person)
        wanted = person.resting_roles or second_factor.is_wanted(request)
        return reverse("second_factor" if wanted else "today")

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Never by allauth, which lets people pass who have none of the proofs that it knows.

        :data:`advocacy.policies.FRESH_PAGES` asks everybody.
        """
        del app, more
        return False

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Take the answer to a mail, unless a colleague has got the address meanwhile."""
        if is_somebody_elses(email_address.email, email_address.user):
            said = {"email": email_address.email}
            template = "account/messages/email_confirmation_failed.txt"
            self.add_message(request, messages.ERROR, template, said)
            return False
        return bool(super().confirm_email(request, email_address))

    def reauthenticate(self, user: Person, password: str) -> bool:
        """Tell whether it is the person's password; allauth looks for rows of addresses."""
        request = context.request
        found = self.authenticate(request, email=user.email, password=password)
        return found is not None and found.pk == user.pk


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: what we keep of them is sealed with TOKEN_KEYS."""

    def encrypt(self, text: str) -> str:
        """Seal the key of an authenticator, or of recovery codes."""
        return second_factors.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open it. Raises SealBroken."""
        return second_factors.unseal(encrypted_text)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Company login."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Closed: the directory knows who works here."""
        del request, sociallogin
        return False

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: Any) -> Any:
        """Nobody is written here; :meth:`pre_social_login` finds who it is."""
        del request, data
        return sociallogin.user

    def get_requests_session(self) -> Any:
        """How allauth calls the provider: where the settings say, and nowhere it is led to."""
        session = super().get_requests_session()
        session.max_redirects = 0
        return session

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find who it is and what their groups give, or send them back with a sentence."""
        process = sociallogin.state.get("process", "login")
        if process not in {"login", "redirect"}:
            raise ImmediateHttpResponse(redirect("today"))
        said, at, how = read(sociallogin), proof(sociallogin), factors(sociallogin)
        if process == "login" and _is_too_old(at):
            raise ImmediateHttpResponse(_once_more(request, sociallogin))
        try:
            person, account = company_logins.find(
                said, creates=settings.LOGIN_CREATES_PEOPLE, now=timezone.now()
            )
        except Refused as refused:
            security_log.tell(Event.LOGIN_REFUSED, way="company", why=refused.why)
            messages.error(request, sentence(refused))
            raise ImmediateHttpResponse(redirect("account_login")) from refused
        sociallogin.user, sociallogin.account = person, account
        if process == "login":
            if second_factor.asserted(how):
                request.company_mfa = True  # type: ignore[attr-defined]
            # an old session there opens ours without anybody at the keyboard
            request.company_proof = at or 0  # type: ignore[attr-defined]
        elif request.user == person:
            if at is None:  # it may have asked, or let an old session pass: nobody knows
                security_log.tell(Event.LOGIN_REFUSED, way="company", why="not said when")
                messages.error(
                    request,
                    _(
                        "The company’s login did not say when you logged in there, so it proves"
                        " nothing."
                    ),
                )
            else:
                stepup.note(request, at)
                security_log.tell(Event.PROOF, way="company", person=person.pk)
        else:
            security_log.tell(Event.LOGIN_REFUSED, way="company", why="other")
            messages.error(request, _("That was somebody else’s account at the company."))
            raise ImmediateHttpResponse(redirect("stepup"))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Whatever did not fit: one sentence on the login page, the reason in the log."""
        reason = (extra_context or {}).get("saml_last_error_reason") or exception or error
        security_log.tell(Event.LOGIN_REFUSED, way=provider.id, why=reason)
        if not request.user.is_authenticated:
            said = _("The company login did not work. Try it again from here; nothing was changed.")
            if isinstance(exception, provider_keys.TooShort):
                said = exception.sentence()
            messages.error(request, said)
        raise ImmediateHttpResponse(redirect("account_login"))


def sentence(refused: Refused) -> str:
    """Why a login that the company vouches for ends here, for the person."""
    match refused.why:
        case "left":
            return _("Your time here has ended, and your login with it.")
        case "conflict":
            return _(
                "Another company account was used for this person before. Ask your administration"
                " to separate them."
            )
        case _:
            return _(
                "The company knows you, but nobody here has your address yet. Ask HR to add you."
            )


def read(sociallogin: Any) -> Said:
    """What the provider says about somebody, in our words. It is used, and not kept."""
    app, account = sociallogin.provider.app, sociallogin.account
    about = app.settings
    if app.provider_id == company.SAML:
        told = {key: list(values) for key, values in account.extra_data.items()}
        names = about["attributes"]
        groups: Any = told.get(names["groups"], []) if "groups" in names else None
        one = {key: (told.get(name) or [""])[0] for key, name in names.items()}
        mail, named, external = one.get("mail", ""), one.get("name", ""), one.get("external_id", "")
        vouched: object = None
    else:
        token = account.extra_data.get("id_token", {})
        claims = {**token, **account.extra_data.get("userinfo", {})}
        groups = claims.get(about["groups"], []) if about["groups"] else None
        if about["groups"] in claims.get("_claim_names", {}) or claims.get("hasgroups"):
            groups = None  # too many for one token: not said is not none
        mail, named = claims.get("email", ""), claims.get("name", "")
        external, vouched = claims.get(about["external_id"], ""), claims.get("email_verified")
    mail = _text(mail, 254)
    return Said(
        provider=account.provider,
        uid=account.uid,
        external_id=_text(external, 255),
        email=mail,
        verified=_vouched(mail, vouched),
        name=_text(named, 150),
        groups=_groups(groups),
    )


def factors(sociallogin: Any) -> list[object]:
    """By what the person logged in at the provider, in the provider's words."""
    token = sociallogin.account.extra_data.get("id_token", {})
    if not isinstance(token, dict):
        return []
    amr = token.get("amr")
    contexts = getattr(sociallogin, "contexts", [])  # SAML's
    return [*(amr if isinstance(amr, list) else []), token.get("acr"), *contexts]


def proof(sociallogin: Any) -> float | None:
    """When the person last logged in at the provider; None where it does not say.

    Seconds since 1970, not later than now: OpenID Connect's ``auth_time``, SAML's AuthnInstant.
    """
    token = sociallogin.account.extra_data.get("id_token", {})
    at = token.get("auth_time") if isinstance(token, dict) else None
    at = getattr(sociallogin, "authn_instant", at)
    return min(float(at), time.time()) if isinstance(at, int | float) else None


def _is_too_old(at: float | None) -> bool:
    """Tell whether a login at the provider is too long ago to open ours (COMPANY_LOGIN_HOURS)."""
    hours = settings.COMPANY_LOGIN_HOURS
    return bool(hours) and at is not None and time.time() - at > hours * 3600


def _once_more(request: HttpRequest, sociallogin: Any) -> HttpResponse:
    """Back to the provider to log in there anew; to our login page when that was asked before."""
    if sociallogin.state.get("again"):
        messages.error(request, _("Your login at the company is too old. Log in there once more."))
        return redirect("account_login")
    provider = sociallogin.provider
    asked = {} if provider.id == "saml" else {"auth_params": {"prompt": "login", "max_age": "0"}}
    answer: HttpResponse = provider.redirect(
        request, "login", next_url=sociallogin.state.get("next"), again=True, **asked
    )
    return answer


def _text(value: object, most: int) -> str:
    """A value as a line that our tables can hold, empty for anything else."""
    if not isinstance(value, str) or "\x00" in value or len(value) > most:
        return ""
    return " ".join(value.encode(errors="ignore").decode().split())


def _groups(value: object) -> tuple[str, ...] | None:
    """Names or ids of groups; None when the provider does not say."""
    if value is None:
        return None
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list):
        return ()
    return tuple(name for one in found[:_MOST_GROUPS] if (name := _text(one, 255)))


def _vouched(mail: str, claim: object) -> bool:
    """Tell whether an address may name a person (ASVS 6.8.1).

    The provider calls it verified, or says nothing and the address is in a domain that it vouches
    for. A plain no is a no.
    """
    domain = normalise_email(mail).rpartition("@")[2]
    domains = settings.COMPANY_MAIL_DOMAINS
    if domains and domain not in domains:
        return False
    if claim is None:
        return bool(domains)
    return claim is True or claim == "true"
