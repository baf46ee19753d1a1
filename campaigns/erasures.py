"""Somebody wants to be erased: what ends at once, the days to think, and the work itself.

What happens to which column stands in each ``takeout.py``; :mod:`ambassadors.erasing` does it.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from ambassadors import audit, consents, erasing, memberships
from ambassadors.memberships import LastAdministrator, LeftAlready
from ambassadors.models import Consent, Erasure, Person, SecretFeed, normalise_email
from integrations import accounts
from integrations.models import ConnectedAccount, Revocation

from . import endings, erasure_mails, leaving, restores
from .holds import wait_for_flights
from .models import Delivery, Picture, PictureFace, Post
from .refusals import FieldRefused

log = logging.getLogger(__name__)

# Keys go back to their networks within this time, and questions and slots find somebody else.
_SETTLE = dt.timedelta(minutes=10)


class NotAsked(FieldRefused):
    """Nothing was begun; ``field`` says where the sentence belongs."""


class TheirWish(Exception):
    """The person asked for it themselves."""


class TooLate(Exception):
    """The days to think are over."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What of a person ends at once, for their own eyes."""

    waiting: int
    accounts: int
    consents: int


def holdings(person: Person) -> Holdings:
    """Count what would end at once. Only the person sees these numbers."""
    return Holdings(
        Delivery.objects.filter(post__person=person, state="queued").count(),
        ConnectedAccount.objects.of(person).exclude(network="wall").count(),
        Consent.objects.given().filter(person=person).count(),
    )


def is_last_administrator(person: Person) -> bool:
    """Tell whether nobody could run the installation without the person."""
    try:
        with transaction.atomic():
            memberships.keep_an_administrator(person)
    except LastAdministrator:
        return True
    return False


def of(person: Person) -> Erasure | None:
    """The person's open wish."""
    return Erasure.objects.open().filter(person=person).first()


def ask(*, person: Person, typed: str, at_once: bool, by: Person, now: dt.datetime) -> Erasure:
    """Begin to erase somebody: themselves, or somebody who left.

    Effects in order: the wish, with its day; all consents withdrawn, with them card, photo and
    speaker page; secret calendar addresses ended; accounts disconnected, their keys on the way back
    to the networks; audit; commit; wait for what flies; take back what is queued. ``at_once`` also
    ends the login and leaves no days to think. :func:`erasure_mails.tell_begun` writes to them.
    Raises :class:`NotAsked`, :class:`LastAdministrator`.
    """
    if normalise_email(typed) != person.email_normalised:
        said = {"mail": person.shown_email}
        raise NotAsked("typed", _("Type the address exactly: %(mail)s") % said)
    if by != person and person.left_at is None:
        raise NotAsked("typed", _("Only they can ask for it while they are here."))
    wait = _SETTLE if at_once else dt.timedelta(days=settings.ERASURE_WAIT_DAYS)
    made = _begin(person, by, now, now + max(wait, _SETTLE))
    if at_once and person.left_at is None:
        leaving.leave(person=person, by=by, now=now)
    return made


def ask_for_leaver(*, person: Person, now: dt.datetime) -> Erasure:
    """The rule of retention begins to erase somebody who left long ago; like :func:`ask`."""
    due_at = now + dt.timedelta(days=settings.ERASURE_WAIT_DAYS)
    return _begin(person, None, now, due_at)


def _begin(person: Person, by: Person | None, now: dt.datetime, due_at: dt.datetime) -> Erasure:
    mine = list(ConnectedAccount.objects.of(person))
    try:
        with transaction.atomic():
            memberships.keep_an_administrator(person)
            made = Erasure.objects.create(person=person, asked_by=by, asked_at=now, due_at=due_at)
            Person.objects.filter(pk=person.pk).update(erases_at=made.due_at)
            for given in Consent.objects.given().filter(person=person):
                consents.withdraw(person=person, purpose=given.purpose, now=now)
            SecretFeed.objects.filter(person=person).update(open_since=None)
            for account in mine:
                accounts.disconnect(account=account, by=by, now=now)
            audit.record("erasure.asked", made, by=by, now=now, person=person.pk)
    except IntegrityError as error:
        raise NotAsked("typed", _("It was asked for already.")) from error
    wait_for_flights(person)
    endings.take_back(Delivery.objects.filter(post__person=person), "erased", by, now)
    endings.ask_instead_of_looking(mine)
    return made


@transaction.atomic
def take_back(*, erasure: Erasure, by: Person, now: dt.datetime) -> None:
    """The person stays as they are; what ended at once can be begun again.

    Raises TooLate, and TheirWish where somebody else would undo what the person asked for.
    """
    if erasure.asked_by_id == erasure.person_id != by.pk:
        raise TheirWish
    rows = Erasure.objects.open().filter(pk=erasure.pk, due_at__gt=now, person__erased_at=None)
    if not rows.update(taken_back_at=now):
        raise TooLate
    Person.objects.filter(pk=erasure.person_id).update(erases_at=None)
    audit.record("erasure.taken_back", erasure, by=by, now=now, person=erasure.person_id)


def carry_out_due(*, now: dt.datetime, limit: int = 20) -> int:
    """Erase those whose days to think are over; returns how many.

    Who is still here leaves first, and is erased when their keys are back and everything of theirs
    has found somebody else. The last administrator stays until there is another one.
    """
    due = Erasure.objects.open().filter(due_at__lte=now).select_related("person")
    count = 0
    for erasure in due.order_by("due_at")[:limit]:
        try:
            count += _carry_out(erasure, now)
        except Exception:
            log.exception("erasure %s is tried again", erasure.pk)
    return count


def _carry_out(erasure: Erasure, now: dt.datetime) -> bool:
    person = erasure.person
    if person.left_at is None:
        try:
            leaving.leave(person=person, by=None, now=now)
        except LeftAlready:
            pass
        except LastAdministrator:
            log.warning("the last administrator asked to be erased; somebody must follow first")
            return False
        Erasure.objects.filter(pk=erasure.pk).update(due_at=now + _SETTLE)
        return False
    if _unsettled(person):
        return False
    written_to = erasure_mails.addresses(erasure)
    language, zone = person.language, person.zone
    with transaction.atomic():
        pictures = own_pictures(person)
        restores.remember_attempts(person)
        counts = erasing.erase(erasure=erasure, now=now)
        _drop_unused(pictures)
    erasure.refresh_from_db()
    if counts:
        with translation.override(language), timezone.override(zone):
            erasure_mails.done(erasure, written_to)
    return bool(counts)


def _unsettled(person: Person) -> bool:
    """Tell whether a key is still on its way back, or a post in the air."""
    return (
        Revocation.objects.filter(account__person=person).exists()
        or Delivery.objects.filter(post__person=person, state="sending").exists()
    )


def own_pictures(person: Person) -> list[Picture]:
    """Pictures the person brought for ideas and posts of their own."""
    brought = Picture.objects.filter(uploaded_by=person)
    mine = brought.filter(proposal__person=person) | brought.filter(
        pk__in=Post.objects.of(person).values("picture")
    )
    return list(mine.distinct())


def _drop_unused(pictures: list[Picture]) -> None:
    """Delete pictures that nothing uses any more, with their files after the commit."""
    uses: list[Any] = [
        field
        for field in Picture._meta.get_fields(include_hidden=True)  # noqa: SLF001
        if field.auto_created and not field.concrete and field.related_model is not PictureFace
    ]
    for picture in pictures:
        if any(
            use.related_model._base_manager.filter(**{use.field.name: picture.pk}).exists()  # noqa: SLF001
            for use in uses
        ):
            continue
        file = picture.file
        picture.delete()
        transaction.on_commit(lambda f=file: f.storage.delete(f.name))  # type: ignore[misc]
