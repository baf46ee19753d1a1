"""To identity providers and back from them: allauth's doors, with a second lock."""

import binascii
import datetime as dt
import hashlib
import time
from typing import Any, cast

import jwt
import xmlsec
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect import views as oidc
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from allauth.socialaccount.providers.saml.utils import build_auth
from allauth.socialaccount.providers.saml.views import ACSView, FinishACSView, LoginView
from allauth.utils import get_request_param
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from onelogin.saml2.constants import (  # type: ignore[import-untyped]
    OneLogin_Saml2_Constants as Saml,
)
from onelogin.saml2.errors import (  # type: ignore[import-untyped]
    OneLogin_Saml2_Error,
    OneLogin_Saml2_ValidationError,
)
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML  # type: ignore[import-untyped]

from advocacy import provider_keys
from ambassadors.counts import counted

# By which a provider may sign, whatever its token says (RFC 8725, 3.1).
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
# How an assertion may be encrypted to us. PKCS#1 v1.5 can be opened by asking often; Triple-DES is
# too short.
_ENCRYPTION = frozenset(
    {
        *(Saml.AES128_CBC, Saml.AES192_CBC, Saml.AES256_CBC, Saml.RSA_OAEP_MGF1P),
        *(f"http://www.w3.org/2009/xmlenc11#{name}" for name in ("aes128-gcm", "aes192-gcm")),
        *(f"http://www.w3.org/2009/xmlenc11#{name}" for name in ("aes256-gcm", "rsa-oaep")),
    }
)
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_WELL_KNOWN = "/.well-known/"
_LARGEST = 1_000_000  # characters of a SAML answer; 2,000 groups are a third of it
MOST_ARRIVALS = 5  # of one assertion; somebody may load the page anew
_ACS = "saml-acs-session"  # allauth's name of a cookie
# Answers that no provider sends: no Base64, no XML, a DTD in it, none of what must stand there,
# encrypted to nobody. All end alike: what differs would tell how the padding was.
_UNREADABLE = (
    *(PermissionDenied, ValueError, SyntaxError, KeyError, xmlsec.Error),
    *(OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError, provider_keys.TooShort),
)


class CompanyOIDC(oidc.OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Takes only a signed ID token, and figures about the person it names.

    The standard lets a client skip the signature of a token that came over TLS from the provider
    itself. A proxy in between or a provider on plain http would then be believed.
    """

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Read who it is. Raises OAuth2Error for a token or answers that do not fit together."""
        if not kwargs["response"].get("id_token"):
            message = "no id_token"
            raise OAuth2Error(message)
        login = super().complete_login(request, app, token, **kwargs)
        told = login.account.extra_data
        if told.get("userinfo", told["id_token"]).get("sub") != told["id_token"].get("sub"):
            message = "userinfo speaks of somebody else"  # OpenID Connect Core 5.3.2
            raise OAuth2Error(message)
        return login

    def get_provider(self) -> Any:
        """The company's provider; what is asked of it is read by this class, too."""
        provider = super().get_provider()
        provider.oauth2_adapter_class = CompanyOIDC
        return provider

    @property
    def openid_config(self) -> dict[str, Any]:
        """The provider's metadata. Raises OAuth2Error when they are somebody else's.

        They must name the issuer that OIDC_SERVER_URL is (OpenID Connect Discovery, 4.3); a slash
        at the end makes no other one.
        """
        found: dict[str, Any] = super().openid_config
        ours = self.get_provider().app.settings["server_url"].partition(_WELL_KNOWN)[0]
        if str(found.get("issuer", "")).rstrip("/") != ours.rstrip("/"):
            message = "the metadata are of another issuer than OIDC_SERVER_URL"
            raise OAuth2Error(message)
        return found

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        try:
            if jwt.get_unverified_header(id_token).get("alg") not in ALGORITHMS:
                message = "a token by an algorithm that we do not take"
                raise OAuth2Error(message)
            found: dict[str, Any] = jwtkit.verify_and_decode(
                credential=id_token,
                keys_url=self.openid_config["jwks_uri"],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                lookup_kid=_long_key,
            )
        except (KeyError, TypeError, ValueError, NotImplementedError, jwt.PyJWTError) as error:
            message = "a token that cannot be read"
            raise OAuth2Error(message) from error
        return found


def _long_key(keys: Any, kid: str) -> Any:
    """The provider's key of this name. Raises TooShort."""
    key = jwtkit.lookup_kid_jwk(keys, kid)
    provider_keys.check(key)
    return key


def _away(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Let a page lead to the provider, where allauth's answer to the button would.

    What a form leads to counts as its target (CSP, form-action): the provider, and wherever it
    sends people on to, would have to be listed there. A page that moves on by itself is no form.
    """
    if not isinstance(answer, HttpResponseRedirect) or answer.url.startswith("/"):
        return answer
    return render(request, "company_away.html", {"there": answer.url})


def oidc_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send somebody to OpenID Connect, by a press of a button; GET shows the button.

    For a fresh proof they have to log in there once more. What is asked of the provider is ours to
    say: from the address it could be left out.
    """
    asked = request.GET.copy()
    asked.pop("scope", None)
    asked.pop("auth_params", None)
    if get_request_param(request, "process") == "redirect":
        asked["auth_params"] = "prompt=login&max_age=0"
    elif settings.COMPANY_LOGIN_HOURS:
        asked["auth_params"] = f"max_age={settings.COMPANY_LOGIN_HOURS * 3600}"
    request.GET = asked  # type: ignore[assignment]
    return _away(request, _through(OAuth2LoginView, request, provider_id))


def _through(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    """One of allauth's views, with our adapter; what it does not catch ends on the login page."""
    ours = CompanyOIDC(request, provider_id)
    try:
        answer: HttpResponse = view.adapter_view(ours)(request)
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    except (OAuth2Error, provider_keys.TooShort) as error:
        return _failed(request, ours.get_provider(), error)
    return answer


def _failed(request: HttpRequest, provider: Any, error: Exception) -> HttpResponse:
    """Say on the login page that it did not work."""
    try:
        get_adapter().on_authentication_error(request, provider, exception=error)
    except ImmediateHttpResponse as said:
        return cast("HttpResponse", said.response)
    raise error


def oidc_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The person comes back from OpenID Connect."""
    return _through(OAuth2CallbackView, request, provider_id)


class CompanySAML(SAMLProvider):  # type: ignore[misc]
    """Takes an assertion once, and no name that is another one next time."""

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, **more: Any
    ) -> HttpResponse:
        """Send somebody there; who is asked for a fresh proof has to log in there once more.

        So has, ``again``, whose login there was too old.
        """
        auth = build_auth(request, self)
        force = process == "redirect" or bool(more.get("again"))
        there = auth.login(return_to="", force_authn=force)
        asked = auth.get_last_request_id()
        self.stash_redirect_state(request, process, next_url, None, state_id=asked, **more)
        return HttpResponseRedirect(there)

    def sociallogin_from_response(self, request: HttpRequest, response: Any) -> Any:
        """Read who it is. Raises PermissionDenied for an assertion used before, and TooShort."""
        if response.get_nameid_format() == _TRANSIENT and not self.app.settings[
            "attribute_mapping"
        ].get("uid"):
            raise PermissionDenied
        for key in provider_keys.of_certificates(response.get_settings().get_idp_data()):
            provider_keys.check(key)
        _once(response)
        login = super().sociallogin_from_response(request, response)
        login.contexts = response.get_last_authn_contexts()
        login.authn_instant = _authn_instant(response.get_last_response_xml())
        return login


def _authn_instant(response: str) -> float | None:
    """When the person logged in at the provider, in seconds since 1970; None when it is not said.

    Of the one assertion of an answer that was found good.
    """
    path = "/samlp:Response/saml:Assertion/saml:AuthnStatement/@AuthnInstant"
    said = OneLogin_Saml2_XML.query(OneLogin_Saml2_XML.to_etree(response), path)
    try:
        times = [dt.datetime.fromisoformat(one) for one in said]
    except ValueError:
        return None
    # SAML core, 1.3.3: in UTC, also without a Z
    return min(
        (one.replace(tzinfo=one.tzinfo or dt.UTC).timestamp() for one in times), default=None
    )


def _known(response: Any) -> tuple[str, int]:
    """What an assertion is called in the cache, and the seconds until it has expired there."""
    until = response.get_last_assertion_not_on_or_after() or 0
    name = f"{response.get_last_assertion_id()}"
    key = "saml-assertion:" + hashlib.sha256(name.encode()).hexdigest()
    return key, max(int(until - time.time()), 0) + 300  # the clocks' tolerance, and more


def _once(response: Any) -> None:
    """Remember an assertion until it has expired; a state of ours fits only one answer anyway."""
    key, left = _known(response)
    if not cache.add(key, 1, timeout=left):
        raise PermissionDenied


class SAMLLogin(LoginView):  # type: ignore[misc]
    """allauth's own, with our provider."""

    def get_provider(self) -> CompanySAML:
        """The company's provider. Raises Http404 for another name."""
        return CompanySAML(self.request, app=self.get_app(self.kwargs["organization_slug"]))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send somebody there by a press of a button; GET shows the button."""
        return _away(request, super().dispatch(request, *args, **kwargs))


def _cookie() -> str:
    """What the cookie between the two steps of an answer is called; it has a path of its own."""
    return f"__Secure-{_ACS}" if settings.SESSION_COOKIE_SECURE else _ACS


def _well_encrypted(answer: bytes) -> None:
    """Raise PermissionDenied where an answer names a way to encrypt that we do not take."""
    path = "//xenc:EncryptionMethod/@Algorithm"
    if not _ENCRYPTION.issuperset(
        OneLogin_Saml2_XML.query(OneLogin_Saml2_XML.to_etree(answer), path)
    ):
        raise PermissionDenied


def _well_signed(request: HttpRequest, provider: SAMLProvider) -> None:
    """Raise PermissionDenied for what a stranger made, or sends over and over: it would be kept.

    The next step looks once more, at this and at whether the browser has asked.
    """
    if len(request.POST.urlencode()) > _LARGEST:
        raise PermissionDenied
    _well_encrypted(binascii.a2b_base64(request.POST.get("SAMLResponse", "")))
    answer = build_auth(request, provider)
    answer.process_response()
    if answer.get_errors():
        raise PermissionDenied(answer.get_last_error_reason())
    key, left = _known(answer)
    if counted(f"{key}:arrived", left) > MOST_ARRIVALS:
        raise PermissionDenied


@method_decorator(csrf_exempt, name="dispatch")  # another site sends it, that is the point
class SAMLArrive(ACSView):  # type: ignore[misc]
    """allauth's own, for what the provider signed; what is weakly encrypted is not opened."""

    def dispatch(self, request: HttpRequest, organization_slug: str) -> HttpResponse:
        """Keep the answer for the next step, which the session's cookie reaches."""
        provider = self.get_provider(organization_slug)
        try:
            _well_signed(request, provider)
        except _UNREADABLE as error:
            return _failed(request, provider, error)
        answer: HttpResponse = super().dispatch(request, organization_slug)
        kept = answer.cookies.pop(_ACS)
        answer.cookies[_cookie()] = kept.value
        answer.cookies[_cookie()].update({**kept, "httponly": True})
        return answer


class SAMLFinish(FinishACSView):  # type: ignore[misc]
    """allauth's own, with our provider; whatever is refused ends on the login page."""

    def get_provider(self, organization_slug: str) -> CompanySAML:
        """The company's provider. Raises Http404 for another name."""
        return CompanySAML(self.request, app=self.get_app(organization_slug))

    def dispatch(self, request: HttpRequest, organization_slug: str) -> HttpResponse:
        """Finish the login, or say that it did not work."""
        request.COOKIES[_ACS] = request.COOKIES.get(_cookie(), "")
        try:
            answer: HttpResponse = super().dispatch(request, organization_slug)
        except _UNREADABLE as error:
            return _failed(request, self.get_provider(organization_slug), error)
        return answer


saml_login = SAMLLogin.as_view()
saml_acs = SAMLArrive.as_view()
saml_finish = SAMLFinish.as_view()
