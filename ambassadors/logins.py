"""The ways into Botschaft that a person has, and their end."""

import datetime as dt

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import make_password
from django.db import transaction

from . import audit, login_sessions
from .models import Person


def end(person: Person) -> None:
    """Take every way in away, sessions included; nothing of it comes back with the person.

    A session is signed over the password's hash, too: one that a request writes back at this moment
    opens nothing, also should somebody be made active again. Call it inside the transaction of the
    reason.
    """
    Person.objects.filter(pk=person.pk).update(password=make_password(None))
    login_sessions.end(person)
    for rows in (SocialAccount, Authenticator, EmailAddress):
        rows.objects.filter(user=person).delete()


@transaction.atomic
def log_out(*, person: Person, by: Person | None, now: dt.datetime) -> int:
    """End the sessions of somebody whose device is lost or in other hands; returns how many.

    The ways in stay. Effects in order: the sessions, the audit entry.
    """
    ended = login_sessions.end(person)
    audit.record("login.ended", person, by=by, now=now, sessions=ended)
    return ended
