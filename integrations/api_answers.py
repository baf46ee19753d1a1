"""A write that is sent twice happens once: answers kept for a day under the sender's own key."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from .models import ApiAnswer, ApiToken

KEPT = dt.timedelta(hours=24)
# A request that began longer ago and has no answer died with its process: nothing was written,
# because the answer is written in the same transaction.
AT_WORK = dt.timedelta(seconds=60)


class OtherRequest(Exception):
    """The key was used for something else."""


class AtWork(Exception):
    """The first request with this key is not answered yet."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as it was given."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def begin(*, token: ApiToken, key: str, digest: str, now: dt.datetime) -> Said | None:
    """Take the key for this request; returns the earlier answer if it was given already.

    A key older than a day is free again. Raises :class:`OtherRequest`, :class:`AtWork`.
    """
    mine = ApiAnswer.objects.filter(token=token, key=key)
    fresh = {"digest": digest, "began_at": now, "status": None, "body": None, "headers": {}}
    row, new = ApiAnswer.objects.get_or_create(token=token, key=key, defaults=fresh)
    if new:
        return None
    gone = Q(began_at__lte=now - KEPT) | Q(status__isnull=True, began_at__lte=now - AT_WORK)
    if mine.filter(gone, began_at=row.began_at).update(**fresh):
        return None
    if row.digest != digest:
        raise OtherRequest
    if row.status is None:
        raise AtWork
    return Said(row.status, row.body, row.headers)


def keep(*, token: ApiToken, key: str, said: Said) -> None:
    """Remember an answer; call it inside the transaction of what it tells of."""
    ApiAnswer.objects.filter(token=token, key=key).update(
        status=said.status, body=said.body, headers=said.headers
    )


def let_go(*, token: ApiToken, key: str) -> None:
    """Nothing was done, so the key stays free."""
    ApiAnswer.objects.filter(token=token, key=key, status__isnull=True).delete()
