"""allauth's forms that take an address: some browsers send a domain as typed, some in ASCII."""

from typing import Any

from allauth.account import forms

from ambassadors import tidying


class _InAscii:
    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        """Whose address it is, its domain written as it is stored."""
        self.cleaned_data["email"] = tidying.mail_address(self.cleaned_data["email"])
        found: str = super().clean_email()  # type: ignore[misc]
        return found


class LoginForm(forms.LoginForm):  # type: ignore[misc]
    """Takes a password."""

    def clean_login(self) -> str:
        """Whose it is, the domain written as it is stored."""
        return tidying.mail_address(super().clean_login())


class RequestLoginCodeForm(_InAscii, forms.RequestLoginCodeForm):  # type: ignore[misc]
    """Asks for a code by mail."""


class ResetPasswordForm(_InAscii, forms.ResetPasswordForm):  # type: ignore[misc]
    """Asks for a link to a new password."""
