"""Roles given by hand. What a group of the directory gives is the directory's (``groups.py``)."""

import datetime as dt

from django.db import transaction

from . import audit, memberships
from .models import Person, Role


class FromGroup(Exception):
    """The directory gives this role, and would give it again at the next login."""


@transaction.atomic
def give(*, person: Person, name: str, by: Person | None, now: dt.datetime) -> bool:
    """Give a role by hand; False when the person holds it by hand already.

    A role that a group gave stays from now on when the group goes. Effects in order: the role, the
    audit entry.
    """
    made = Role.objects.get_or_create(person=person, name=name)[1]
    kept = Role.objects.filter(person=person, name=name, by_group=True).update(by_group=False)
    if not made and not kept:
        return False
    audit.record("role.granted", person, by=by, now=now, reason="by hand", role=name)
    return True


@transaction.atomic
def take(*, person: Person, name: str, by: Person | None, now: dt.datetime) -> bool:
    """Take a role; False when the person does not hold it.

    Raises :class:`FromGroup`, and ``LastAdministrator`` of :mod:`ambassadors.memberships`.
    """
    if name == Role.Name.ADMINISTRATOR:
        memberships.keep_an_administrator(person)
    if not Role.objects.filter(person=person, name=name, by_group=False).delete()[0]:
        if Role.objects.filter(person=person, name=name).exists():
            raise FromGroup
        return False
    audit.record("role.taken", person, by=by, now=now, reason="by hand", role=name)
    return True
