"""What a password must not be, beside what Django says."""

import re
import unicodedata
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST = 256  # characters; longer ones would cost their hash at each try
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")


class LongestPasswordValidator:
    """At most so long that hashing it stays cheap (ASVS 6.2.9 asks for 64 at least)."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError for a longer one."""
        del user
        if len(password) > LONGEST:
            raise ValidationError(_("At most %(most)s characters.") % {"most": LONGEST})

    def get_help_text(self) -> str:
        """Nothing to say beforehand."""
        return ""


class DressedPasswordValidator(CommonPasswordValidator):
    """A common password stays one with a year and an exclamation mark: *Passwort123!*."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError where nothing but digits and signs stands around a common one."""
        super().validate(password, user)
        super().validate(_ENDS.sub("", unicodedata.normalize("NFKC", password)), user)
