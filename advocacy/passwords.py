"""What a password must not be, beside what Django says. Which signs it is made of is free."""

import functools
import hashlib
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from ambassadors import tidying

LONGEST = 256  # characters; longer ones would cost their hash at each try
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_LONG_ONES = Path(__file__).with_name("common_passwords.txt")
_ALL_OVER = re.compile(r"(?=.{,32}$)(.{1,4}?)\1+", re.DOTALL)  # 123412341234
_COUNTED = ("0123456789" * 4, "9876543210" * 4)
_SHORTEST_WORD = 4  # letters of a word of ours
_REST = 6  # letters that must stand beside our words


@functools.cache
def long_ones() -> frozenset[str]:
    """Common passwords that are long enough to be chosen; Django's list has few of them."""
    lines = _LONG_ONES.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def own_words() -> set[str]:
    """Words that somebody who guesses at this company tries first (ASVS 6.1.2, 6.2.11).

    The product's name, ORGANISATION, SITE_URL's host, COMPANY_MAIL_DOMAINS and PASSWORD_WORDS.
    """
    hosts = [urlsplit(settings.SITE_URL).hostname or "", *settings.COMPANY_MAIL_DOMAINS]
    texts = ["botschaft", settings.ORGANISATION, *settings.PASSWORD_WORDS]
    texts += [host.rpartition(".")[0] or host for host in hosts]
    words = {word for text in texts for word in re.findall(r"[^\W\d_]+", text.casefold())}
    return {word for word in words if len(word) >= _SHORTEST_WORD}


class LongestPasswordValidator:
    """At most so long that hashing it stays cheap (ASVS 6.2.9 asks for 64 at least)."""

    def get_help_text(self) -> str:
        """Say that length is welcome, and no kind of sign asked for."""
        return _("A sentence is fine: up to %(most)s characters, spaces too.") % {"most": LONGEST}

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError for a longer one."""
        del user
        if len(password) > LONGEST:
            raise ValidationError(_("At most %(most)s characters.") % {"most": LONGEST})


class DressedPasswordValidator(CommonPasswordValidator):
    """A common password stays one with a year and an exclamation mark: *Passwort123!*."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError where nothing but digits and signs stands around a common one."""
        super().validate(password, user)
        super().validate(_ENDS.sub("", tidying.normal("NFKC", password)), user)
        plain = tidying.normal("NFKC", password).casefold()
        counted = any(plain in digits for digits in _COUNTED)
        if counted or plain in long_ones() or _ALL_OVER.fullmatch(plain):
            raise ValidationError(_("This password is tried first by everybody who guesses."))


class OwnWordsValidator:
    """A word of the company is no password, whatever digits and signs stand around it."""

    def get_help_text(self) -> str:
        """What to think of beforehand."""
        return _("The company’s names alone are no password.")

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError where hardly a letter is left beside our words."""
        del user
        rest = tidying.normal("NFKC", password).casefold()
        for word in (found := {one for one in own_words() if one in rest}):
            rest = rest.replace(word, "")
        if found and len(re.findall(r"[^\W\d_]", rest)) < _REST:
            raise ValidationError(
                _("The names of the company are tried first. Add words of yours.")
            )


class BreachedPasswordValidator:
    """None that stands in the folder BREACHED_PASSWORDS; nobody outside is asked.

    A file for each range, as Have I Been Pwned's downloader writes them: ``21BD1.txt`` holds a line
    ``the other 35 signs of the SHA-1:how often`` for each (https://haveibeenpwned.com/API/v3).
    """

    def get_help_text(self) -> str:
        """Said where there is such a folder; a page shows no line for nothing."""
        if not settings.BREACHED_PASSWORDS:
            return ""
        return _("Nor one that stands in lists stolen elsewhere.")

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError for a breached one."""
        del user
        if not settings.BREACHED_PASSWORDS:
            return
        # the list is kept by SHA-1; it protects nothing here
        found = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        path = Path(settings.BREACHED_PASSWORDS) / f"{found[:5]}.txt"
        lines = path.read_text(encoding="ascii").splitlines() if path.is_file() else []
        if any(line.upper().startswith(f"{found[5:]}:") for line in lines):
            raise ValidationError(_("This password stands in lists that were stolen elsewhere."))
