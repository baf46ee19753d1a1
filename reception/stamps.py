"""The signed, timed stamp of a public form: it stands where a cookie against forgery would."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.core import signing

YOUNGEST = dt.timedelta(seconds=3)  # nobody reads the form and writes a question faster
OLDEST = dt.timedelta(hours=24)
_SALT = "reception.stamps"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which opened form it is, and for how long it has been open."""

    submission: uuid.UUID
    age: dt.timedelta


def make(*, now: dt.datetime) -> str:
    """A stamp for a form that is opened now."""
    return signing.Signer(salt=_SALT).sign_object([uuid.uuid4().hex, int(now.timestamp())])


def read(text: str, *, now: dt.datetime) -> Stamp | None:
    """What a posted stamp says; None when it is not ours, or too old to be taken."""
    try:
        name, at = signing.Signer(salt=_SALT).unsign_object(text[:300])
        stamp = Stamp(uuid.UUID(name), now - dt.datetime.fromtimestamp(at, dt.UTC))
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return stamp if stamp.age <= OLDEST else None
