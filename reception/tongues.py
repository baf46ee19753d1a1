"""Names of the languages people speak with strangers, by their ISO 639 code."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

NAMES = {
    "de": gettext_noop("German"),
    "en": gettext_noop("English"),
    "ar": gettext_noop("Arabic"),
    "bs": gettext_noop("Bosnian"),
    "bg": gettext_noop("Bulgarian"),
    "cs": gettext_noop("Czech"),
    "da": gettext_noop("Danish"),
    "el": gettext_noop("Greek"),
    "es": gettext_noop("Spanish"),
    "fa": gettext_noop("Persian"),
    "fr": gettext_noop("French"),
    "frr": gettext_noop("North Frisian"),
    "gsg": gettext_noop("German Sign Language"),
    "hi": gettext_noop("Hindi"),
    "hr": gettext_noop("Croatian"),
    "hu": gettext_noop("Hungarian"),
    "ig": gettext_noop("Igbo"),
    "it": gettext_noop("Italian"),
    "ku": gettext_noop("Kurdish"),
    "nds": gettext_noop("Low German"),
    "nl": gettext_noop("Dutch"),
    "pl": gettext_noop("Polish"),
    "pt": gettext_noop("Portuguese"),
    "ro": gettext_noop("Romanian"),
    "ru": gettext_noop("Russian"),
    "sq": gettext_noop("Albanian"),
    "sr": gettext_noop("Serbian"),
    "tr": gettext_noop("Turkish"),
    "uk": gettext_noop("Ukrainian"),
    "vi": gettext_noop("Vietnamese"),
    "zh": gettext_noop("Chinese"),
}


def named(codes: Iterable[str]) -> list[str]:
    """The languages' names in the reader's language, in the order given."""
    return [_(NAMES[code]) for code in codes if code in NAMES]
