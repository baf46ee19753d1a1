"""The way a person's data go with them: an address they named, and a link that is good once."""

import datetime as dt
import uuid

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Erasure, Person, PrivateAddress, Takeout, normalise_email

from . import mails

GOOD_FOR = dt.timedelta(days=30)
_CONFIRM_WITHIN = dt.timedelta(days=7)
_LONGEST = 254  # characters of an address (RFC 5321)
_LINK = signing.Signer(salt="takeout")
_CONFIRM = "private address"


class AddressRefused(Exception):
    """The address was not taken; the argument is a sentence."""


def address_of(person: Person) -> PrivateAddress | None:
    """The address outside that counts: named and confirmed."""
    rows = PrivateAddress.objects.filter(person=person, confirmed_at__isnull=False)
    return rows.first()


@transaction.atomic
def name_address(*, person: Person, typed: str, now: dt.datetime) -> PrivateAddress:
    """Keep where the person's data shall go; it counts once they say yes there.

    Raises :class:`AddressRefused`.
    """
    address = typed.strip()
    try:
        if len(address) > _LONGEST:
            raise ValidationError(message="")  # noqa: TRY301 - one answer for both
        validate_email(address)
        address.encode()
    except (ValidationError, UnicodeEncodeError) as error:
        raise AddressRefused(_("That is no mail address.")) from error
    if normalise_email(address) == person.email_normalised:
        raise AddressRefused(
            _("You will not reach this one after you have left. Name one of your own.")
        )
    facts = {"address": address, "named_at": now, "confirmed_at": None}
    kept, _new = PrivateAddress.objects.update_or_create(person=person, defaults=facts)
    audit.record("takeout.address_named", kept, by=person, now=now)
    return kept


def ask_to_confirm(kept: PrivateAddress) -> bool:
    """Write to the address; False when no mail left."""
    person = kept.person
    token = signing.dumps([person.pk, kept.address], salt=_CONFIRM)
    page = f"{settings.SITE_URL}{reverse('takeout_address')}#{token}"
    with translation.override(person.language):
        subject = _("Is this your address?")
        text = _(
            "Somebody at %(company)s named this address, so that a link to their own data from"
            " Botschaft goes here when they leave. If that was you, say so on this page within"
            " seven days:\n\n%(page)s\n\nIf it was not you, do nothing; you will hear no more."
        ) % {"company": settings.ORGANISATION, "page": page}
    return mails.send_to(kept.address, subject, text, about="a private address")


def asked_address(token: str) -> PrivateAddress | None:
    """The unchanged address that a link of ours asks about; None for any other link."""
    try:
        pk, address = signing.loads(token, salt=_CONFIRM, max_age=_CONFIRM_WITHIN)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    rows = PrivateAddress.objects.filter(person=pk, address=address, person__left_at__isnull=True)
    return rows.select_related("person").first()


@transaction.atomic
def confirm(*, kept: PrivateAddress, now: dt.datetime) -> None:
    """The address is theirs; a second yes changes nothing."""
    rows = PrivateAddress.objects.filter(pk=kept.pk, address=kept.address)
    if rows.filter(confirmed_at__isnull=True).update(confirmed_at=now):
        audit.record("takeout.address_confirmed", kept, by=kept.person, now=now)


@transaction.atomic
def forget_address(*, person: Person, now: dt.datetime) -> bool:
    """The person takes the address back; tells whether there was one."""
    kept = PrivateAddress.objects.filter(person=person).first()
    if kept is None:
        return False
    audit.record("takeout.address_forgotten", kept, by=person, now=now)
    kept.delete()
    return True


@transaction.atomic
def make(*, person: Person, now: dt.datetime) -> Takeout | None:
    """Make the link of somebody who leaves; None when they confirmed no address.

    None, too, for who is about to be erased: nothing would be there. One that was made before
    ends. :func:`mail_due` sends it.
    """
    if address_of(person) is None or Erasure.objects.open().filter(person=person).exists():
        return None
    Takeout.objects.filter(person=person, used_at__isnull=True).delete()
    made = Takeout.objects.create(person=person, made_at=now, expires_at=now + GOOD_FOR)
    audit.record("takeout.made", made, by=None, now=now, person=person.pk)
    return made


def page_of(takeout: Takeout) -> str:
    """The link to its page, its code behind the ``#``, which browsers send to nobody."""
    return f"{settings.SITE_URL}{reverse('takeout')}#{_LINK.sign(takeout.key.hex)}"


def mail_due(*, now: dt.datetime, limit: int = 20) -> int:
    """Send the links that no mail has carried yet; returns how many left.

    Noted after the mail: should we die in between, the same link is sent twice.
    """
    rows = Takeout.objects.filter(
        mailed_at__isnull=True,
        used_at__isnull=True,
        expires_at__gt=now,
        person__private_address__isnull=False,
    ).select_related("person__private_address")
    count = 0
    for row in rows.order_by("pk")[:limit]:
        if not _mail(row):
            break
        count += Takeout.objects.filter(pk=row.pk, mailed_at__isnull=True).update(mailed_at=now)
    return count


def _mail(row: Takeout) -> bool:
    person = row.person
    with translation.override(person.language), timezone.override(person.zone):
        subject = _("Your data from Botschaft")
        text = _(
            "Your time at %(company)s is over, and what Botschaft knows of you is yours:\n\n"
            "%(page)s\n\n"
            "The link is good once, until %(until)s. The file holds a page to read, your texts and"
            " pictures, and tables for programs. Keep it where only you can read it.\n\n"
            "Your accounts on networks stay yours. Botschaft has given their keys back."
        ) % {
            "company": settings.ORGANISATION,
            "page": page_of(row),
            "until": formats.date_format(timezone.localtime(row.expires_at), "j. F Y"),
        }
    address = person.private_address.address
    return mails.send_to(address, subject, text, about="a takeout")


def of_link(signed: str) -> Takeout | None:
    """The takeout that a link of ours names, whatever became of it; None for any other link."""
    try:
        key = uuid.UUID(_LINK.unsign(signed))
    except (signing.BadSignature, ValueError):
        return None
    return Takeout.objects.select_related("person").filter(key=key).first()


@transaction.atomic
def use(*, takeout: Takeout, now: dt.datetime) -> bool:
    """Spend the link; tells whether it was still good. The private address has served then."""
    good = Takeout.objects.filter(pk=takeout.pk, used_at__isnull=True, expires_at__gt=now)
    if not good.update(used_at=now):
        return False
    PrivateAddress.objects.filter(person=takeout.person_id).delete()
    audit.record("takeout.used", takeout, by=None, now=now, person=takeout.person_id)
    return True


def let_go(batch: list[Takeout], now: dt.datetime) -> int:
    """Delete links that are over and the addresses they went to; returns how many links."""
    del now
    over = Takeout.objects.filter(pk__in=[row.pk for row in batch])
    PrivateAddress.objects.filter(
        person__left_at__isnull=False, person__in=over.values("person")
    ).delete()
    return over.delete()[0]
