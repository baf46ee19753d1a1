"""What a reviewer looks for in the log: a closed list of events, one line each (ASVS 16.3).

The log names nobody. Where somebody has to be able to follow a login or a refusal, the line holds
the person's number, which says who it is only to whoever may read the database too. There is no
event for going and coming in between, and none for leaving: the list is for attacks, not for hours.
docs/logs.md shows the list to operators and the works council. Knows no Django: networks use it.
"""

import enum
import json
import logging

log = logging.getLogger("botschaft.security")


class Event(enum.Enum):
    """Name, level, and the fields that a line may have."""

    LOGIN = ("login", logging.INFO, "way person")
    LOGIN_WRONG = ("login.wrong", logging.WARNING, "way person")
    LOGIN_TOO_OFTEN = ("login.too_often", logging.WARNING, "way person")
    LOGIN_WAVE = ("login.wave", logging.ERROR, "count")
    LOGIN_REFUSED = ("login.refused", logging.WARNING, "way why")
    PROOF = ("proof", logging.INFO, "way person")
    PASSWORD_CHANGED = ("password.changed", logging.INFO, "person")
    FACTOR_ADDED = ("factor.added", logging.INFO, "way person")
    FACTOR_REMOVED = ("factor.removed", logging.WARNING, "way person")
    KEY_REFUSED = ("key.refused", logging.WARNING, "door")
    PAGE_REFUSED = ("page.refused", logging.WARNING, "page person")
    TOO_MUCH = ("page.too_much", logging.WARNING, "page person")
    FORM_REFUSED = ("form.refused", logging.WARNING, "page person")
    CALLBACK_REFUSED = ("callback.refused", logging.WARNING, "server why person")
    ADDRESS_REFUSED = ("address.refused", logging.WARNING, "host why")
    TLS_FAILED = ("tls.failed", logging.WARNING, "host why")

    def __init__(self, word: str, level: int, fields: str) -> None:
        self.word = word
        self.level = level
        self.fields = tuple(fields.split())


def tell(event: Event, **fields: object) -> None:
    """Write one line; a field without a value is left out. Raises KeyError for an undeclared one.

    Values are words of ours, numbers and names of hosts: whatever else stands in one is cut down
    to a line of 200 signs, and in quotes, so that it adds no field of its own.
    """
    if strange := fields.keys() - set(event.fields):
        raise KeyError(*sorted(strange))
    told = {
        name: value if isinstance(value, int) else " ".join(str(value).split())[:200]
        for name in event.fields
        if (value := fields.get(name)) not in {None, ""}
    }
    line = " ".join([event.word, *(f"{name}={_whole(value)}" for name, value in told.items())])
    log.log(event.level, "%s", line, extra={"event": {"event": event.word, **told}})


def _whole(value: int | str) -> int | str:
    """A value that stands as one: with quotes where it has blanks, quotes or signs of equality."""
    plain = isinstance(value, int) or not set(value) & set(' "=')
    return value if plain else json.dumps(value, ensure_ascii=False)
