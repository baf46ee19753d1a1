"""Personal mails of HR's rooms: written in the reader's language, after the commit."""

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation

from ambassadors.models import Person
from integrations import mails

Words = Callable[[], tuple[str, str]]


def page(name: str, *args: object) -> str:
    """A page's whole address, for a mail."""
    return settings.SITE_URL + reverse(name, args=args)


def write(person: Person, words: Words, *, about: str) -> bool:
    """Send subject and text, asked for in the person's language, to somebody who works here."""
    if person.left_at is not None:
        return False
    with translation.override(person.language):
        subject, text = words()
    return mails.send(person, subject, text, about=about)


def after_commit(person: Person, words: Words, *, about: str) -> None:
    """Write when the change is done; a mail server that is away undoes nothing."""
    transaction.on_commit(lambda: write(person, words, about=about))
