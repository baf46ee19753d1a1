"""The address of one's own login: a new one counts once a mail there was answered, by a press."""

from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.forms import AddEmailForm
from allauth.account.models import EmailAddress
from allauth.account.views import EmailView
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from advocacy.accounts import is_somebody_elses
from ambassadors import audit
from ambassadors.models import Person
from integrations import mails


class AddressForm(AddEmailForm):  # type: ignore[misc]
    """One more address."""

    def clean_email(self) -> str:
        """Refuse a colleague's: whoever logs in by it would have two people to be."""
        try:
            self.cleaned_data["email"] = mails.address(self.cleaned_data["email"])
        except mails.NoAddress as refused:
            raise ValidationError(
                _("We cannot write to this address. Is there a slip in it?")
            ) from refused
        address: str = super().clean_email()
        if is_somebody_elses(address, cast("Person", self.user)):
            raise ValidationError(_("Somebody here has this address."))
        return address


class OwnAddress(EmailView):  # type: ignore[misc]
    """The page of allauth, which lets an address count that nobody has answered at."""

    form_class = AddressForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add, remove, or take for the login; the record tells of the last."""
        try:
            with transaction.atomic():
                return self._done(request, *args, **kwargs)
        except IntegrityError:  # a colleague got the address at this moment
            messages.error(request, _("Somebody here has this address."))
            return redirect("account_email")

    def _done(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = cast("Person", request.user)
        rows = EmailAddress.objects.filter(user=person)
        if not rows.filter(primary=True).exists():
            # else the link in a mail to the second one would make it the first
            rows.filter(email=person.email.lower()).update(primary=True)
        wanted = rows.filter(
            email=request.POST.get("email", "").lower().replace("\x00", "")
        ).first()
        if "action_primary" in request.POST and wanted:
            if is_somebody_elses(wanted.email, person):
                messages.error(request, _("Somebody here has this address."))
                return redirect("account_email")
            if not wanted.verified:
                get_adapter().add_message(
                    request, messages.ERROR, "account/messages/unverified_primary_email.txt"
                )
                return redirect("account_email")
        before = person.email
        response: HttpResponse = super().post(request, *args, **kwargs)
        person.refresh_from_db(fields=["email"])
        if person.email != before:
            audit.record("person.mail_changed", person, by=person, now=timezone.now())
        return response
