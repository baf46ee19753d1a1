"""What logins tell the log: who came in by which way, and what was wrong (ASVS 16.3.1)."""

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from ambassadors import security_log
from ambassadors.models import Person, normalise_email
from ambassadors.security_log import Event


def _number(email: str) -> int | None:
    """Whose address it is; nobody's costs the same question."""
    found = Person.objects.filter(email_normalised=normalise_email(email or ""))
    return found.values_list("pk", flat=True).first()


def wrong(email: str) -> None:
    """A wrong password, for a name that somebody has or nobody."""
    security_log.tell(Event.LOGIN_WRONG, way="password", person=_number(email))


def too_often(email: str, *, way: str = "password") -> None:
    """A password or code was not looked at, because it came too early."""
    security_log.tell(Event.LOGIN_TOO_OFTEN, way=way, person=_number(email))


def on_login(sender: object, request: HttpRequest, user: Person, **more: object) -> None:
    """Somebody came in, by one way or two."""
    del sender, more
    ways = [one.get("type") or one["method"] for one in get_authentication_records(request, user)]
    way = "+".join(dict.fromkeys(ways)) or ("demonstration" if settings.DEMO else "")
    security_log.tell(Event.LOGIN, way=way, person=user.pk)


def on_step(sender: object, request: HttpRequest, user: Person, method: str, **more: Any) -> None:
    """Somebody who is logged in proved once more who they are."""
    del sender
    if request.user.is_authenticated and request.user.pk == user.pk:
        security_log.tell(Event.PROOF, way=more.get("type") or method, person=user.pk)


def on_wrong_code(sender: object, user: Person, **more: object) -> None:
    """A code by mail was wrong."""
    del sender, more
    security_log.tell(Event.LOGIN_WRONG, way="code", person=user.pk)


def on_wrong_factor(
    sender: object, user: Person, authenticator: Authenticator, **more: object
) -> None:
    """A second factor was wrong."""
    del sender, more
    security_log.tell(Event.LOGIN_WRONG, way=authenticator.type, person=user.pk)


def on_password(sender: object, user: Person, **more: object) -> None:
    """A password is another one."""
    del sender, more
    security_log.tell(Event.PASSWORD_CHANGED, person=user.pk)


def on_added(sender: object, user: Person, authenticator: Authenticator, **more: object) -> None:
    """A second factor was set up."""
    del sender, more
    security_log.tell(Event.FACTOR_ADDED, way=authenticator.type, person=user.pk)


def on_removed(sender: object, user: Person, authenticator: Authenticator, **more: object) -> None:
    """A second factor was taken away."""
    del sender, more
    security_log.tell(Event.FACTOR_REMOVED, way=authenticator.type, person=user.pk)


class _Told:
    """allauth's signal of a wrong factor leaves passkeys out."""

    user: Person | None

    def clean_credential(self) -> Authenticator:
        """Take the passkey's answer. Raises ValidationError."""
        try:
            found: Authenticator = super().clean_credential()  # type: ignore[misc]
        except ValidationError:
            security_log.tell(Event.LOGIN_WRONG, way="webauthn", person=self.user and self.user.pk)
            raise
        return found


class LoginPasskey(_Told, forms.LoginWebAuthnForm):  # type: ignore[misc]
    """As the only proof."""


class SecondPasskey(_Told, forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """As the second factor."""


class FreshPasskey(_Told, forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """As a fresh proof."""
