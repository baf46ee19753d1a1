"""Whom a login at the company's identity provider means, and what their groups give."""

import datetime as dt
from dataclasses import dataclass

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction

from . import audit, groups
from .models import Person, normalise_email


@dataclass(frozen=True, slots=True)
class Said:
    """What a configured identity provider says about somebody who just logged in there.

    ``verified``: the address may name a person. ``groups`` is None when it does not say.
    """

    provider: str
    uid: str
    external_id: str
    email: str
    verified: bool
    name: str
    groups: tuple[str, ...] | None


class Refused(Exception):
    """Nobody is logged in; ``why`` is ``unknown``, ``left`` or ``conflict``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@transaction.atomic
def _find(said: Said, *, creates: bool, now: dt.datetime) -> tuple[Person, SocialAccount]:
    known = SocialAccount.objects.select_related("user")
    account = known.filter(provider=said.provider, uid=said.uid).first()
    if account is None:
        person = _meant(said) or (_made(said, now=now) if creates else None)
        if person is None:
            raise Refused("unknown")
        if person.left_at or not person.is_active:
            raise Refused("left")
        if SocialAccount.objects.filter(provider=said.provider, user=person).exists():
            raise Refused("conflict")
        account = SocialAccount.objects.create(provider=said.provider, uid=said.uid, user=person)
        audit.record("login.linked", person, by=person, now=now, provider=said.provider)
    else:
        person = account.user
        SocialAccount.objects.filter(pk=account.pk).update(extra_data={})
    if person.left_at or not person.is_active:
        raise Refused("left")
    if said.groups is not None:
        groups.follow(person=person, groups=said.groups, now=now)
    return person, account


def find(said: Said, *, creates: bool, now: dt.datetime) -> tuple[Person, SocialAccount]:
    """Whom a company login means; links it the first time, and lets their groups count.

    The login that was linked before; else the directory's external id; else a verified address;
    else, where ``creates``, somebody new. A person has one login at a provider: a second one that
    comes with their address, given to somebody new by the company, is refused and noted.
    Nothing else of what the provider said is kept. Raises :class:`Refused`.
    """
    try:
        return _find(said, creates=creates, now=now)
    except IntegrityError:  # the same login in two windows: the other one has linked it
        return _find(said, creates=creates, now=now)
    except Refused as refused:
        if refused.why == "conflict" and (person := _meant(said)):
            audit.record("login.conflict", person, by=None, now=now, provider=said.provider)
        raise


def _meant(said: Said) -> Person | None:
    """Whom the external id names, or the verified address."""
    if said.external_id:
        person = Person.objects.filter(external_id=said.external_id).first()
        if person:
            return person
    if not (said.email and said.verified):
        return None
    found = Person.objects.filter(email_normalised=normalise_email(said.email)).first()
    if found and said.external_id and found.external_id not in {"", said.external_id}:
        raise Refused("conflict")  # the directory calls the owner of this address otherwise
    return found


def _made(said: Said, *, now: dt.datetime) -> Person | None:
    """Somebody new whose address is sure, without any role."""
    if not (said.email and said.verified):
        return None
    person = Person.objects.create_user(
        said.email,
        None,
        name=said.name or said.email.partition("@")[0],
        external_id=said.external_id,
    )
    audit.record("person.created_by_login", person, by=None, now=now, provider=said.provider)
    return person


@transaction.atomic
def separate(*, person: Person, by: Person | None, now: dt.datetime) -> int:
    """Forget which company logins are the person's: the next one links anew; returns how many.

    For a change of the identity provider, or an address that the company gave to somebody else.
    """
    gone: int = SocialAccount.objects.filter(user=person).delete()[0]
    if gone:
        audit.record("login.separated", person, by=by, now=now)
    return gone
