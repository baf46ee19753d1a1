"""What we tell people about their connections by mail: at most once for each event."""

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from ambassadors.models import Person

from . import mails
from .models import ConnectedAccount
from .networks import get

Words = Callable[[ConnectedAccount, Person], tuple[str, str]]  # subject and body

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

    One that has ended already is :func:`tell_ended`'s.
    """
    due = ConnectedAccount.objects.filter(
        reconnect_by__gt=now, reconnect_by__lte=now + WARNED_BEFORE, reconnect_reason=""
    )
    return _once(due, _ends_soon, now)


def tell_ended(*, now: dt.datetime) -> int:
    """Mail about every connection that must be made again; returns how many accounts."""
    return _once(ConnectedAccount.objects.exclude(reconnect_reason=""), _ended, now)


def _once(
    due: QuerySet[ConnectedAccount],
    words: Words,
    now: dt.datetime,
) -> int:
    """Write about each account to its keepers, each event once.

    ``warned_at`` is set first, so that a repeated run sends no second mail; a mail server that is
    away takes it back, and the next run tries again.
    """
    count = 0
    for account in due.filter(disconnected_at__isnull=True, warned_at__isnull=True)[:200]:
        mine = ConnectedAccount.objects.filter(pk=account.pk)
        if not mine.filter(warned_at__isnull=True).update(warned_at=now):
            continue  # another worker writes it
        if all(_mail(person, words, account) for person in keepers(account)):
            count += 1
        else:
            mine.update(warned_at=None)
    return count


def _names(account: ConnectedAccount) -> dict[str, str]:
    page = reverse("channels" if account.person_id is None else "accounts")
    return {
        "network": get(account.network).abilities.label,
        "account": account.handle,
        "address": f"{settings.SITE_URL}{page}",
    }


def _ended(account: ConnectedAccount, person: Person) -> tuple[str, str]:
    del person
    names = _names(account)
    return (
        _("%(network)s must be connected again") % names,
        _(
            "Botschaft can no longer publish on %(account)s at %(network)s.\n\n"
            "Connect it again in one tap: %(address)s\n\n"
            "Nothing is lost. Posts that wait are kept, and copying works as ever."
        )
        % names,
    )


def _ends_soon(account: ConnectedAccount, person: Person) -> tuple[str, str]:
    names = _names(account)
    by = account.reconnect_by
    names["day"] = formats.date_format(by.astimezone(person.zone), "j. F Y") if by else ""
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
        _mail(person, _claimed, account)


def _claimed(account: ConnectedAccount, person: Person) -> tuple[str, str]:
    del person
    names = _names(account)
    return (
        _("Somebody else tried to connect %(account)s") % names,
        _(
            "Somebody else in the company signed in as %(account)s and tried to connect it"
            " here. It was refused; your connection is unchanged.\n\n"
            "If you share the account, that explains it. If not, change its password"
            " there.\n\n%(address)s"
        )
        % names,
    )


def _mail(person: Person, words: Words, account: ConnectedAccount) -> bool:
    """Send in the person's language; False when the mail server is away."""
    with translation.override(person.language):
        subject, text = words(account, person)
    return mails.send(person, subject, text, about="a connection")
