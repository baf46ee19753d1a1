"""Mails to one person. What must not be lost stands in the database, never in a mail alone."""

import logging
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, send_mail
from django.core.validators import validate_email

from ambassadors import tidying
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


class NoAddress(Exception):
    """Nobody can be written to there."""


def address(typed: str) -> str:
    """An address of a stranger as it may be written to. Raises NoAddress."""
    found = tidying.mail_address(typed)
    try:
        validate_email(found)
    except ValidationError as error:
        raise NoAddress from error
    if len(found) > 254 or not found.isascii() or '"' in found:
        raise NoAddress
    return found


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to a stranger. ``sender`` is a name beside our own address."""

    to: str
    subject: str
    text: str
    sender: str = ""
    reply_to: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def write(letter: Letter, *, about: str) -> bool:
    """Write to a stranger; False when the mail server is away or refuses, then the log says so."""
    name, ours = parseaddr(settings.DEFAULT_FROM_EMAIL)
    mail = EmailMessage(
        " ".join(letter.subject.split()),
        letter.text,
        formataddr((" ".join(letter.sender.split()) or name, ours)),
        [letter.to],
        reply_to=[letter.reply_to] if letter.reply_to else None,
        headers=letter.headers,
    )
    try:
        mail.send()
    except (OSError, ValueError):
        log.exception("no mail about %s", about)
        return False
    return True
