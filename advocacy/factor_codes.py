"""Codes typed as a second factor: guessing them is slow, and those for recovery are told once."""

from typing import Any, cast
from urllib.parse import quote

from allauth.core import context
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.models import Person
from integrations import recovery_codes

from . import logged, second_factor, throttle


class _Code:
    """A code of the authenticator or a recovery code; a try counts before it is looked at."""

    user: Person
    cleaned_data: dict[str, str]

    def clean_code(self) -> str:
        """Take the code, and use it up. Raises ValidationError."""
        code, person = self.cleaned_data["code"], self.user
        try:
            made = throttle.begin(context.request, person.email, at="factor")
        except throttle.TooOften as refused:
            logged.too_often(person.email, way="factor")
            raise ValidationError(
                _("That was tried too often. Wait a moment, 15 minutes at most.")
            ) from refused
        row = recovery_codes.of(person)
        if row and recovery_codes.use(row, code):
            self.authenticator = row
        else:
            try:
                super().clean_code()  # type: ignore[misc]
            except ValidationError:
                throttle.failed(made)
                raise
        throttle.succeeded(made)
        return code


class Second(_Code, forms.AuthenticateForm):  # type: ignore[misc]
    """At the login."""


class Fresh(_Code, forms.ReauthenticateForm):  # type: ignore[misc]
    """As a fresh proof."""


class _LeadsToCodes:
    """Whoever has set up a first device is led to the codes for the day on which it is gone."""

    request: HttpRequest

    def get_success_url(self) -> str:
        """Lead there, or where allauth leads."""
        if recovery_codes.of(cast("Person", self.request.user)) is None:
            return reverse("recovery_codes")
        there: str = super().get_success_url()  # type: ignore[misc]
        return there


class SetUpApp(_LeadsToCodes, ActivateTOTPView):  # type: ignore[misc]
    """An authenticator app."""


class SetUpKey(_LeadsToCodes, AddWebAuthnView):  # type: ignore[misc]
    """A passkey or security key."""


def page(request: HttpRequest) -> HttpResponse:
    """Say how many recovery codes are left; make new ones, which are shown with this answer only.

    For a session that has seen a second factor: else codes would stand in for the device.
    """
    person = cast("Person", request.user)
    if not second_factor.has_device(person) or not second_factor.is_given(request):
        return redirect("second_factor")
    if request.method == "POST":
        return render(request, "recovery_codes.html", _made(request, person))
    row = recovery_codes.of(person)
    told = {"row": row, "left": recovery_codes.left(row) if row else 0}
    return render(request, "recovery_codes.html", told)


def _made(request: HttpRequest, person: Person) -> dict[str, Any]:
    """A new set, and it as a file, which no address of ours could give a second time."""
    row, codes = recovery_codes.make(person, now=timezone.now())
    authenticator_added.send(Authenticator, request=request, user=person, authenticator=row)
    lines = ["-".join((code[:4], code[4:8], code[8:])) for code in codes]
    text = "\r\n".join([_("Recovery codes for Botschaft"), settings.SITE_URL, "", *lines, ""])
    return {"codes": "\n".join(lines), "file": f"data:text/plain;charset=utf-8,{quote(text)}"}
