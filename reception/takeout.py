"""What a person may take along of this room (:mod:`ambassadors.takeout`)."""

from django.utils.translation import gettext_noop

from ambassadors.takeout import DELETED, Table, Untold

from .models import CardPhoto, ContactCard

TABLES = (
    Table(ContactCard, "person", gettext_noop("Contact card"), DELETED),
    Table(
        CardPhoto, "card__person", gettext_noop("Photo of your contact card"), DELETED,
        left_out=("small",), files=("large",),
    ),
)  # fmt: skip
UNTOLD: dict[str, Untold] = {}
