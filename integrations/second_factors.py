"""The keys of authenticators and recovery codes at rest: sealed like every other secret.

They stand in allauth's table, in a JSON value beside what is no secret.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from . import sealing

log = logging.getLogger(__name__)
_CONTEXT = {"kind": "second factor"}
# an authenticator's, a set of recovery codes', and what sets had before they were hashed
_ONE, _MANY = ("secret", "codes", "seed"), "migrated_codes"


def seal(text: str) -> str:
    """Seal one secret."""
    return sealing.seal({"text": text}, context=_CONTEXT)[0].decode()


def unseal(sealed: str) -> str:
    """Open one. Raises :class:`sealing.SealBroken`."""
    return sealing.unseal(sealed.encode(), context=_CONTEXT)["text"]


def _change(data: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The same row with each of its secrets changed."""
    changed: dict[str, Any] = {name: change(data[name]) for name in _ONE if name in data}
    if _MANY in data:
        changed[_MANY] = [change(code) for code in data[_MANY]]
    return data | changed


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """A row as it was kept before its secrets were sealed, with them sealed."""
    return _change(data, seal)


def _anew(text: str) -> str:
    old = text.encode()
    return text if sealing.is_newest(old) else sealing.reseal(old)[0].decode()


def reseal(*, batch: int) -> Iterator[int]:
    """Seal all with the newest key; yields how many rows each batch did. Resumable."""
    last = 0
    while True:
        with transaction.atomic():
            rows = list(
                Authenticator.objects.select_for_update()
                .filter(pk__gt=last, type__in=("totp", "recovery_codes"))
                .order_by("pk")[:batch]
            )
            done = sum(_reseal(row) for row in rows)
        if not rows:
            return
        last = rows[-1].pk
        yield done


def _reseal(row: Authenticator) -> bool:
    try:
        changed = _change(row.data, _anew)
    except sealing.SealBroken as error:
        log.error("second factor %s: %s", row.pk, error)  # noqa: TRY400 - one line
        return False
    if changed == row.data:
        return False
    row.data = changed
    row.save(update_fields=["data"])
    return True
