"""The one way to write an audit entry."""

import datetime as dt
from typing import Any

from django.db import models

from .models import AuditEntry, Person


def record(
    act: str,
    row: models.Model,
    *,
    by: Person | None,
    now: dt.datetime,
    reason: str = "",
    **facts: Any,
) -> None:
    """Append who did what to which row; call it inside the transaction of the change.

    ``facts`` are ids, counts and words of ours: never a person's text, never a token.
    """
    AuditEntry.objects.create(
        at=now,
        actor_id=by.pk if by else None,
        act=act,
        subject=row._meta.label_lower,  # noqa: SLF001 - Django's documented name
        subject_id=str(row.pk),
        reason=reason,
        facts=facts,
    )
