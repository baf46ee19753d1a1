"""Mails to one person. What must not be lost stands in the database, never in a mail alone."""

import logging

from django.conf import settings
from django.core.mail import send_mail

from ambassadors.models import Person

log = logging.getLogger(__name__)


def send(person: Person, subject: str, text: str, *, about: str) -> bool:
    """Write to a person; False when the mail server is away, then the log says ``about`` what."""
    return send_to(person.email, subject, text, about=about)


def send_to(address: str, subject: str, text: str, *, about: str) -> bool:
    """Write to an address that a form has checked; like :func:`send`.

    A subject is one line, whatever names stand in it: nobody's name begins a header of its own.
    """
    try:
        send_mail(" ".join(subject.split()), text, settings.DEFAULT_FROM_EMAIL, [address])
    except OSError:
        log.exception("no mail about %s", about)
        return False
    return True
