"""What cannot be taken is refused with a sentence, and the field that the sentence belongs to."""

from django.utils.translation import gettext as _

from . import wording


class FieldRefused(Exception):
    """Nothing was done; ``field`` says where ``sentence`` belongs, empty for the whole form."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


def fitting(refused: type[FieldRefused], field: str, text: str, *, most: int, empty: str) -> str:
    """A typed text as it may be kept: not blank, no pile of marks, at most ``most`` characters.

    Raises ``refused`` otherwise; ``empty`` is the sentence for a blank one.
    """
    clean = wording.clean(text)
    if wording.is_blank(clean):
        raise refused(field, empty)
    if len(clean) > most:
        raise refused(
            field,
            _("Shorter please: %(count)s characters, and %(most)s fit.")
            % {"count": len(clean), "most": most},
        )
    if wording.is_stacked(clean):
        raise refused(field, _("Too many marks stand on one letter."))
    return clean
