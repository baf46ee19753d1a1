"""Change the key at rest: seal everything that an older key sealed with the newest one."""

import logging
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from . import sealing, second_factors, spool

log = logging.getLogger(__name__)


def sealed_models() -> list[type[models.Model]]:
    """Every table with sealed text: it names its key beside it, so a new one joins by itself."""
    return [
        model
        for model in apps.get_models()
        if {"sealed", "key_id"} <= {field.name for field in model._meta.fields}  # noqa: SLF001 - Django's documented name
    ]


def waits() -> bool:
    """Tell whether a row is still sealed with an older key."""
    newest = sealing.key_id(settings.TOKEN_KEYS[0])
    return any(
        model._default_manager.exclude(key_id=newest).exclude(sealed=b"").exists()  # noqa: SLF001
        for model in sealed_models()
    )


def rotate(*, batch: int = 200) -> Iterator[int]:
    """Seal anew, batch by batch; resumable, and safe while workers use the rows.

    Yields how many each batch did. What no configured key opens is logged and left as it is.
    """
    newest = sealing.key_id(settings.TOKEN_KEYS[0])
    for model in sealed_models():
        last = 0
        while True:
            with transaction.atomic():
                rows: list[Any] = list(
                    model._default_manager.select_for_update(of=("self",))  # noqa: SLF001
                    .exclude(key_id=newest)
                    .exclude(sealed=b"")  # what was in it is over
                    .filter(pk__gt=last)
                    .order_by("pk")[:batch]
                )
                done = sum(_reseal(row) for row in rows)
            if not rows:
                break
            last = rows[-1].pk
            yield done
    yield from second_factors.reseal(batch=batch)
    yield spool.reseal()


def _reseal(row: Any) -> bool:
    try:
        row.sealed, row.key_id = sealing.reseal(row.sealed)
    except sealing.SealBroken as error:
        log.error("%s %s: %s", row._meta.label, row.pk, error)  # noqa: SLF001, TRY400 - one line
        return False
    row.save(update_fields=["sealed", "key_id"])
    return True
