"""allauth's forms that take an address: some browsers send a domain as typed, some in ASCII."""

from typing import Any

from allauth.account import forms

from ambassadors import tidying
from ambassadors.models import Person, normalise_email


class _Mailed:
    """Sends something that opens an account."""

    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        """Whose address it is, its domain written as it is stored.

        Who logs in by it comes before a colleague who has it on their page of addresses.
        """
        self.cleaned_data["email"] = tidying.mail_address(self.cleaned_data["email"])
        email: str = super().clean_email()  # type: ignore[misc]
        if found := Person.objects.filter(email_normalised=normalise_email(email)).first():
            self._user = found if found.is_active else None
            self.users = [found] if found.is_active else []
        return email


class LoginForm(forms.LoginForm):  # type: ignore[misc]
    """Takes a password."""

    def clean_login(self) -> str:
        """Whose it is, the domain written as it is stored."""
        return tidying.mail_address(super().clean_login())


class RequestLoginCodeForm(_Mailed, forms.RequestLoginCodeForm):  # type: ignore[misc]
    """Asks for a code by mail."""


class ResetPasswordForm(_Mailed, forms.ResetPasswordForm):  # type: ignore[misc]
    """Asks for a link to a new password."""
