"""Why a line or a person of the directory was not taken, in a sentence."""

from collections.abc import Callable

from django.utils import translation
from django.utils.translation import gettext as _

_SENTENCES: dict[str, Callable[[], str]] = {
    "no_mail": lambda: _("There is no e-mail address."),
    "mail": lambda: _("This is no e-mail address that mail could reach."),
    "no_name": lambda: _("There is no name."),
    "long": lambda: _("Too long: %(detail)s."),
    "site": lambda: _("There is no site called “%(detail)s”."),
    "zone": lambda: _("“%(detail)s” is no time zone; Europe/Berlin would be one."),
    "cells": lambda: _("It has %(detail)s cells, not as many as the header."),
    "rights": lambda: _("It would make an administrator. Rights never come from a file."),
    "twice_mail": lambda: _("The same address stands in line %(detail)s."),
    "twice_id": lambda: _("The same lasting id stands in line %(detail)s."),
    "taken": lambda: _("Address or id belong to somebody else here."),
    "guarded": lambda: _(
        "This person has a role. Whoever reads their mail could log in as them, so an"
        " administrator imports this line; administrators change their own address under Login."
    ),
    "last": lambda: _("The last administrator stays, or nobody could look after anything."),
}


def plain(why: str, detail: str = "") -> str:
    """The same in English, for the logs of identity providers."""
    with translation.override("en"):
        return sentence(why, detail)


def sentence(why: str, detail: str = "") -> str:
    """The sentence for a word of :class:`ambassadors.directory.Refused`."""
    return _SENTENCES[why]() % {"detail": detail}
