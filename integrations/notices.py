"""What we tell people about their connections by mail: at most once for each event."""

import datetime as dt
import logging

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from ambassadors.models import Person

from .models import ConnectedAccount
from .networks import get

log = logging.getLogger(__name__)

WARNED_BEFORE = dt.timedelta(days=14)


def keepers(account: ConnectedAccount) -> list[Person]:
    """Whom a connection concerns: its person, or the administrators for a channel."""
    here = Person.objects.filter(left_at__isnull=True, is_active=True)
    if account.person_id:
        return list(here.filter(pk=account.person_id))
    administrators = here.filter(role__name="administrator")
    first = administrators.filter(pk=account.added_by_id or 0)
    return list(first or administrators)


def warn_due(*, now: dt.datetime) -> int:
    """Mail about every connection that ends within fourteen days; returns how many.

    One that has failed already is :mod:`integrations.reconnects`' to tell. ``warned_at`` is set
    first, so that a repeated run cannot send a second mail.
    """
    due = ConnectedAccount.objects.filter(
        reconnect_by__lte=now + WARNED_BEFORE,
        reconnect_reason="",
        disconnected_at__isnull=True,
        warned_at__isnull=True,
    )
    count = 0
    for account in due.exclude(network="wall"):
        if ConnectedAccount.objects.filter(pk=account.pk, warned_at__isnull=True).update(
            warned_at=now
        ):
            for person in keepers(account):
                _mail(person, *_warning(account, person, now))
            count += 1
    return count


def _warning(account: ConnectedAccount, person: Person, now: dt.datetime) -> tuple[str, str]:
    """Subject and text about an end, in the person's language."""
    page = reverse("channels" if account.person_id is None else "accounts")
    with translation.override(person.language):
        names = {
            "network": get(account.network).abilities.label,
            "account": account.handle,
            "address": f"{settings.SITE_URL}{page}",
        }
        if account.reconnect_by and account.reconnect_by <= now:
            return (
                _("%(network)s must be connected again") % names,
                _(
                    "Botschaft can no longer publish on %(account)s at %(network)s.\n\n"
                    "Connect it again in one tap: %(address)s\n\n"
                    "Nothing is lost. Posts that wait are kept, and copying works as ever."
                )
                % names,
            )
        by = account.reconnect_by or now
        names["day"] = formats.date_format(by.astimezone(person.zone), "j. F Y")
        return (
            _("%(network)s: please say yes again by %(day)s") % names,
            _(
                "The permission for %(account)s at %(network)s ends on %(day)s. That is the"
                " network's rule, not yours or ours.\n\n"
                "Renew it in one tap: %(address)s\n\n"
                "If you do nothing, Botschaft stops publishing there. Nothing else happens."
            )
            % names,
        )


def tell_claimed(*, account: ConnectedAccount) -> None:
    """Tell the keepers that somebody else here tried to connect the same account."""
    for person in keepers(account):
        page = reverse("channels" if account.person_id is None else "accounts")
        with translation.override(person.language):
            names = {"account": account.handle, "address": f"{settings.SITE_URL}{page}"}
            _mail(
                person,
                _("Somebody else tried to connect %(account)s") % names,
                _(
                    "Somebody else in the company signed in as %(account)s and tried to connect it"
                    " here. It was refused; your connection is unchanged.\n\n"
                    "If you share the account, that explains it. If not, change its password"
                    " there.\n\n%(address)s"
                )
                % names,
            )


def _mail(person: Person, subject: str, text: str) -> None:
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [person.email])
    except OSError:
        log.exception("a mail about a connection could not be sent")
