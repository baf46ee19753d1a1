"""Which column of a file is which field: guessed by its name, remembered, checked."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ambassadors import tidying
from campaigns.refusals import FieldRefused

# What a column may be. First and last name are put together.
FIELDS = {
    "email": gettext_lazy("E-mail address"),
    "name": gettext_lazy("Full name"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "external_id": gettext_lazy("Personnel number or other lasting id"),
    "job_title": gettext_lazy("Job title"),
    "site": gettext_lazy("Site"),
    "language": gettext_lazy("Language"),
    "timezone": gettext_lazy("Time zone"),
}
_NAMES = {
    "email": "e-mail email mail e-mail-adresse emailadresse mailadresse email_address",
    "name": "name vollername full_name fullname displayname anzeigename mitarbeiter",
    "first_name": "vorname first_name firstname givenname rufname",
    "last_name": "nachname last_name lastname familienname surname familyname",
    "external_id": "personalnummer personal-nr. personalnr id employee_id employeenumber"
    " external_id externalid mitarbeiternummer pernr",
    "job_title": "position funktion job_title jobtitle title stelle stellenbezeichnung beruf",
    "site": "standort site ort location niederlassung office arbeitsort",
    "language": "sprache language preferredlanguage locale",
    "timezone": "zeitzone timezone time_zone",
}
_BY_NAME = {
    tidying.key(word).replace(" ", ""): field for field, words in _NAMES.items()
    for word in words.split()
}  # fmt: skip
# Columns whose cells could ask for more rights than an import ever gives.
_RIGHTS = frozenset(
    [
        "rolle",
        "rollen",
        "role",
        "roles",
        "berechtigung",
        "berechtigungen",
        "recht",
        "rechte",
        "permission",
        "permissions",
        "admin",
        "administrator",
        "administratorin",
        "is_admin",
        "isadmin",
        "is_staff",
        "is_superuser",
        "superuser",
        "gruppe",
        "gruppen",
        "group",
        "groups",
        "usertype",
    ]
)
_YES = frozenset(["1", "ja", "j", "yes", "y", "true", "wahr", "x"])


class NoMapping(FieldRefused):
    """The columns as chosen do not make people."""


def guess(header: Sequence[str], remembered: Mapping[str, str]) -> dict[str, str]:
    """The likely column for each field; what was chosen last time comes first."""
    found = {field: name for field, name in remembered.items() if name in header}
    for name in header:
        field = _BY_NAME.get(tidying.key(name).replace(" ", ""))
        if field and name not in found.values():
            found.setdefault(field, name)
    if "first_name" in found and "last_name" in found:
        found.pop("name", None)
    return found


def checked(chosen: Mapping[str, str], header: Sequence[str]) -> dict[str, str]:
    """The chosen columns, if they make people. Raises :class:`NoMapping`."""
    found = {field: chosen.get(field, "") for field in FIELDS}
    found = {field: name for field, name in found.items() if name in header}
    if "email" not in found:
        raise NoMapping("email", _("Choose the column with the e-mail address."))
    if "name" not in found and not {"first_name", "last_name"} <= found.keys():
        raise NoMapping(
            "name", _("Choose the column with the name, or those with first and last name.")
        )
    if "name" in found and {"first_name", "last_name"} & found.keys():
        raise NoMapping("name", _("Choose either the full name or first and last name."))
    for field, name in found.items():
        if list(found.values()).count(name) > 1:
            raise NoMapping(field, _("This column is chosen twice."))
    return found


class Reading:
    """Turns the cells of a line into what they say of a person."""

    def __init__(self, header: Sequence[str], mapping: Mapping[str, str]) -> None:
        self.width = len(header)
        places = {field: header.index(name) for field, name in mapping.items()}
        self._parts = [places.pop(part) for part in ("first_name", "last_name") if part in places]
        self._places = places
        self._rights = [
            (place, tidying.key(name).replace(" ", ""))
            for place, name in enumerate(header)
            if tidying.key(name).replace(" ", "") in _RIGHTS
        ]

    def asks_for_rights(self, row: Sequence[str]) -> bool:
        """Tell whether the line would make an administrator."""
        for place, name in self._rights:
            cell = tidying.key(row[place])
            if "admin" in cell or "superuser" in cell:
                return True
            if ("admin" in name or "super" in name or "staff" in name) and cell in _YES:
                return True
        return False

    def said(self, row: Sequence[str]) -> dict[str, str]:
        """The texts by the names of :data:`ambassadors.directory.FIELDS`."""
        found = {field: row[place] for field, place in self._places.items()}
        if self._parts:
            found["name"] = " ".join(row[place] for place in self._parts)
        return found
