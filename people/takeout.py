"""What a person may take along of this room (:mod:`ambassadors.takeout`)."""

from ambassadors.takeout import Table, Untold

TABLES: tuple[Table, ...] = ()
UNTOLD: dict[str, Untold] = {}
