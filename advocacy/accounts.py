"""How allauth meets our people: nobody signs up, nobody is linked by an unverified mail."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts are made by HR or by provisioning."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed."""
        del request
        return False


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Company login."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Closed: the directory knows who works here."""
        del request, sociallogin
        return False
