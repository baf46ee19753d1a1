"""Languages that people say they speak or write, by code, with their names."""

from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

CODES = (
    "de", "en", "ar", "bg", "bs", "cs", "da", "el", "es", "fa", "fi", "fr", "hi", "hr", "hu", "ig",
    "it", "ku", "nds", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "tr", "uk",
    "vi", "zh",
)  # fmt: skip


def name(code: str) -> str:
    """A language's name in the reader's language; the code where nobody knows one."""
    own = {"nds": _("Low German"), "ku": _("Kurdish"), "zh": _("Chinese"), "no": _("Norwegian")}
    if code in own:
        return own[code]
    try:
        info = get_language_info(code)
    except KeyError:
        return code
    return str(info["name_translated"])


def choices() -> list[tuple[str, str]]:
    """All of them with their names: the two of the interface first, the others by name."""
    first, others = CODES[:2], sorted(CODES[2:], key=name)
    return [(code, name(code)) for code in (*first, *others)]
