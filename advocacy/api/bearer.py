"""Who speaks: a token in the header ``Authorization``, and how often it may."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from ambassadors import counts
from integrations import api_tokens
from integrations.models import ApiToken

_WINDOW = 60  # seconds


class Bearer(BaseAuthentication):
    """No session, no cookie, no other scheme: a token, or nobody."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiToken]:
        """Find the token. Nobody is logged in by it: what looks after sessions sees a stranger."""
        kind, _space, key = request.headers.get("Authorization", "").partition(" ")
        if kind.casefold() != "bearer":
            raise NotAuthenticated
        token = api_tokens.find(key.strip(), now=timezone.now())
        if token is None:
            raise AuthenticationFailed
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        """Makes the answer to strangers a 401."""
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema says so."""

    target_class = Bearer
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Plain HTTP bearer."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "bot_…"}


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests of a token are left in the minute, and in how many seconds it ends."""

    left: int
    ends: int

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers writes it."""
        return {
            "RateLimit-Policy": f'"token";q={settings.API_A_MINUTE};w={_WINDOW}',
            "RateLimit": f'"token";r={max(self.left, 0)};t={self.ends}',
        }


def count(token: ApiToken) -> Rate | None:
    """Count a request of the token; None without Redis: then everybody goes on."""
    now = timezone.now()
    name = f"api-{token.pk}-{now:%H%M}"
    try:
        used = counts.counted(name, 2 * _WINDOW)
    except Exception:  # noqa: BLE001 - whatever the cache throws
        return None
    return Rate(settings.API_A_MINUTE - used, _WINDOW - now.second)
