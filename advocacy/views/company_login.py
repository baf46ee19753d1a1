"""Where identity providers send people back to: allauth's doors, with a second lock."""

import hashlib
import time
from typing import Any, cast

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect import views as oidc
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from allauth.socialaccount.providers.saml.utils import build_auth
from allauth.socialaccount.providers.saml.views import FinishACSView, LoginView
from allauth.utils import get_request_param
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"


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

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        self.did_fetch_access_token = False  # so that the signature is asked
        try:
            found: dict[str, Any] = super()._decode_id_token(app, id_token)
        except (KeyError, TypeError, ValueError, NotImplementedError) as error:
            message = "a token that cannot be read"
            raise OAuth2Error(message) from error
        return found


def oidc_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send somebody to OpenID Connect; for a fresh proof they have to log in there once more.

    What is asked of the provider is ours to say: from the address it could be left out, and a
    provider that does not tell when somebody logged in would let an old session pass.
    """
    asked = request.GET.copy()
    asked.pop("auth_params", None)
    if get_request_param(request, "process") == "redirect":
        asked["auth_params"] = "prompt=login&max_age=0"
    request.GET = asked  # type: ignore[assignment]
    answer: HttpResponse = oidc.login(request, provider_id)
    return answer


def oidc_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The person comes back from OpenID Connect."""
    try:
        view = OAuth2CallbackView.adapter_view(CompanyOIDC(request, provider_id))
        answer: HttpResponse = view(request)
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    return answer


class CompanySAML(SAMLProvider):  # type: ignore[misc]
    """Takes an assertion once, and no name that is another one next time."""

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, **more: Any
    ) -> HttpResponse:
        """Send somebody there; who is asked for a fresh proof has to log in there once more."""
        auth = build_auth(request, self)
        there = auth.login(return_to="", force_authn=process == "redirect")
        asked = auth.get_last_request_id()
        self.stash_redirect_state(request, process, next_url, None, state_id=asked, **more)
        return HttpResponseRedirect(there)

    def sociallogin_from_response(self, request: HttpRequest, response: Any) -> Any:
        """Read who it is. Raises PermissionDenied for an assertion that was used before."""
        if response.get_nameid_format() == _TRANSIENT and not self.app.settings[
            "attribute_mapping"
        ].get("uid"):
            raise PermissionDenied
        _once(response)
        login = super().sociallogin_from_response(request, response)
        login.contexts = response.get_last_authn_contexts()
        return login


def _once(response: Any) -> None:
    """Remember an assertion until it has expired; a state of ours fits only one answer anyway."""
    until = response.get_last_assertion_not_on_or_after() or 0
    name = f"{response.get_last_assertion_id()}"
    key = "saml-assertion:" + hashlib.sha256(name.encode()).hexdigest()
    left = max(int(until - time.time()), 0) + 300  # the clocks' tolerance, and more
    if not cache.add(key, 1, timeout=left):
        raise PermissionDenied


class SAMLLogin(LoginView):  # type: ignore[misc]
    """allauth's own, with our provider."""

    def get_provider(self) -> CompanySAML:
        """The company's provider. Raises Http404 for another name."""
        return CompanySAML(self.request, app=self.get_app(self.kwargs["organization_slug"]))


class SAMLFinish(FinishACSView):  # type: ignore[misc]
    """allauth's own, with our provider; whatever is refused ends on the login page."""

    def get_provider(self, organization_slug: str) -> CompanySAML:
        """The company's provider. Raises Http404 for another name."""
        return CompanySAML(self.request, app=self.get_app(organization_slug))

    def dispatch(self, request: HttpRequest, organization_slug: str) -> HttpResponse:
        """Finish the login, or say that it did not work."""
        try:
            answer: HttpResponse = super().dispatch(request, organization_slug)
        except (PermissionDenied, ValueError, SyntaxError) as error:  # no XML, or a DTD in it
            provider = self.get_provider(organization_slug)
            try:
                get_adapter().on_authentication_error(request, provider, exception=error)
            except ImmediateHttpResponse as said:
                return cast("HttpResponse", said.response)
            raise
        return answer


saml_login = SAMLLogin.as_view()
saml_finish = SAMLFinish.as_view()
