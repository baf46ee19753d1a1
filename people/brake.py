"""The mass-removal brake: many who leave at once are probably a mistake somewhere else."""

from django.utils.translation import gettext as _

from ambassadors.models import Person

_FEW = 5
_SHARE = 0.05


def limit() -> int:
    """How many may leave in one go before a second person is asked: 5 %, and at least five."""
    here = Person.objects.filter(left_at__isnull=True).count()
    return max(_FEW, int(here * _SHARE))


def type_it() -> str:
    """What somebody reads who typed another number."""
    return _("Type the number of people who would leave.")


def is_number(typed: str, number: int) -> bool:
    """Tell whether somebody typed this number, however they group its digits."""
    return "".join(typed.split()).replace(".", "").replace(",", "") == str(number)
