"""The ways into Botschaft that a person has, and their end."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session

from .models import Person


def end(person: Person) -> None:
    """Take every way in away, sessions included; nothing of it comes back with the person.

    A session is signed over the password's hash: a new one ends them all, on every device, also
    should somebody be made active again. Call it inside the transaction of the reason.
    """
    Person.objects.filter(pk=person.pk).update(password=make_password(None))
    for rows in (SocialAccount, Authenticator, EmailAddress):
        rows.objects.filter(user=person).delete()


def forget_sessions(person: Person) -> int:
    """Delete the person's sessions themselves, with what forms they kept; returns how many.

    A session does not say whose it is before it is opened, so all of them are, once.
    """
    own = str(person.pk)
    rows = Session.objects.iterator(chunk_size=1000)
    mine = [row.pk for row in rows if row.get_decoded().get(SESSION_KEY) == own]
    return Session.objects.filter(pk__in=mine).delete()[0]
