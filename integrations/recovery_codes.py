"""Recovery codes, for the day on which a device is gone: told once, kept as hashes (ASVS 6.5.2).

They stand in allauth's table like every second factor. A set has one salt, so that a try costs one
slow hash and not one for each code; the hashes are sealed besides, so that a copy of the database
alone has nothing to guess at.
"""

import datetime as dt
import secrets
from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import transaction

from ambassadors.models import Person

from . import second_factors

COUNT = 10
LENGTH, _LENGTH_BEFORE = 12, 8  # those of allauth, which some have on paper, were shorter
# Crockford's 32 (https://www.crockford.com/base32.html): 12 of them are 60 bits.
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT = str.maketrans("OIL", "011", " -\u00a0\u2010\u2011\u2013\u2014\t")


class _Hasher(Argon2PasswordHasher):
    """OWASP's smallest cost of Argon2id, enough for codes by chance.

    It stands here, since a Django that wants more must not end the sets that are on paper.
    """

    time_cost, memory_cost, parallelism = 2, 19_456, 1


def hashed(codes: Iterable[str]) -> dict[str, object]:
    """What is kept of a set."""
    salt = _Hasher().salt()
    return _kept(salt, [_Hasher().encode(code, salt) for code in codes])


def _kept(salt: str, hashes: list[str]) -> dict[str, object]:
    """A row's data; the empty list tells allauth's own code that none of its kind are here."""
    return {"codes": second_factors.seal(" ".join([salt, *hashes])), "migrated_codes": []}


def _opened(row: Authenticator) -> tuple[str, list[str]]:
    """The salt of a set, and the hashes of the codes that are left. Raises SealBroken."""
    if "codes" not in row.data:  # made by an old process while a new one ran
        return "", []
    salt, *hashes = second_factors.unseal(row.data["codes"]).split()
    return salt, hashes


def of(person: Person) -> Authenticator | None:
    """The set that a person has."""
    rows = Authenticator.objects.filter(user=person, type=Authenticator.Type.RECOVERY_CODES)
    found: Authenticator | None = rows.first()
    return found


def left(row: Authenticator) -> int:
    """How many codes of a set are unused. Raises SealBroken."""
    return len(_opened(row)[1])


def make(person: Person, *, now: dt.datetime) -> tuple[Authenticator, list[str]]:
    """A set in the place of the one before: its row, and its codes, which nobody can tell again."""
    codes = ["".join(secrets.choice(SIGNS) for _sign in range(LENGTH)) for _code in range(COUNT)]
    row, _is_first = Authenticator.objects.update_or_create(
        user=person,
        type=Authenticator.Type.RECOVERY_CODES,
        defaults={"data": hashed(codes), "created_at": now, "last_used_at": None},
    )
    return row, codes


def use(row: Authenticator, typed: str) -> bool:
    """Use a code up; False when it is none of the set, or was used. Of two at once one wins."""
    code = typed.upper().translate(_MEANT)
    if len(code) not in {LENGTH, _LENGTH_BEFORE}:
        return False
    salt, _hashes = _opened(row)
    if not salt:
        return False
    told = _Hasher().encode(code, salt)
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(pk=row.pk).first()
        salt, hashes = _opened(row) if row else ("", [])
        if told not in hashes:
            return False
        hashes.remove(told)
        row.data = _kept(salt, hashes)
        row.save(update_fields=["data"])
    return True
