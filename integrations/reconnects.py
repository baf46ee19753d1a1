"""When only a person can help: the account must be connected again. Said once, by mail."""

import datetime as dt
import logging

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person

from .models import ConnectedAccount
from .networks import get
from .networks.answers import printable

log = logging.getLogger(__name__)


def ask(account: ConnectedAccount, *, why: str, now: dt.datetime) -> None:
    """Note that the account's person must connect it again; the first reason stays.

    :func:`write` sends the mail.
    """
    reason = printable(why)[:200] or "unknown"
    rows = ConnectedAccount.objects.filter(pk=account.pk, disconnected_at__isnull=True)
    if rows.filter(reconnect_reason="").update(reconnect_reason=reason, warned_at=None):
        audit.record("account.reconnect_needed", account, by=None, now=now, network=account.network)


def settle(account: ConnectedAccount) -> None:
    """Take the question back: working secrets were found after all."""
    account.reconnect_reason = ""
    ConnectedAccount.objects.filter(pk=account.pk).update(reconnect_reason="")


def until(account: ConnectedAccount, day: dt.datetime) -> None:
    """Note on which day the person must say yes again whatever we do."""
    rows = ConnectedAccount.objects.filter(pk=account.pk).exclude(reconnect_by=day)
    rows.update(reconnect_by=day, warned_at=None)


def write(*, now: dt.datetime) -> int:
    """Mail everybody whose account waits for them, each once; returns how many accounts.

    A mail server that is away is tried again at the next call.
    """
    waiting = ConnectedAccount.objects.exclude(reconnect_reason="").filter(
        disconnected_at__isnull=True, warned_at__isnull=True
    )
    count = 0
    for account in waiting.select_related("person", "added_by")[:200]:
        mine = ConnectedAccount.objects.filter(pk=account.pk, warned_at__isnull=True)
        if not mine.update(warned_at=now):
            continue  # another worker writes it
        try:
            for person in _people(account):
                _mail(account, person)
            count += 1
        except OSError:
            log.exception("the mail about account %s did not leave", account.pk)
            ConnectedAccount.objects.filter(pk=account.pk).update(warned_at=None)
    return count


def _people(account: ConnectedAccount) -> list[Person]:
    """Who can connect it: its person, or those who write for the company's channel."""
    if account.person:
        return [account.person]
    people = {person.pk: person for person in account.editors.all()}
    if account.added_by:
        people[account.added_by.pk] = account.added_by
    return [person for person in people.values() if person.left_at is None]


def _mail(account: ConnectedAccount, person: Person) -> None:
    with translation.override(person.language):
        names = {"account": account.handle, "network": get(account.network).abilities.label}
        send_mail(
            _("Please connect %(account)s again") % names,
            _(
                "%(network)s does not let Botschaft in to %(account)s any more. Nothing of yours is"
                " lost: your posts wait until you connect the account again.\n\n%(url)s"
            )
            % {**names, "url": f"{settings.SITE_URL}{reverse('accounts')}"},
            None,
            [person.email],
        )
