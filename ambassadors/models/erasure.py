"""The wish to be erased, what became of it, and what remembers it without naming anybody."""

import secrets
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from .person import Person


def drawn() -> uuid.UUID:
    """A key of 128 bits by chance; a UUID of version 4 has 122 of them (RFC 9562, 5.4)."""
    return uuid.UUID(bytes=secrets.token_bytes(16))


class ErasureQuerySet(models.QuerySet["Erasure"]):
    """Plain names for questions about erasures."""

    def open(self) -> "ErasureQuerySet":
        """Asked for, not taken back and not done yet."""
        return self.filter(taken_back_at__isnull=True, done_at__isnull=True)


class Erasure(models.Model):
    """One wish. ``person`` leads to an emptied row once it is done; the report counts rows only."""

    key = models.UUIDField(unique=True, default=drawn, help_text="In the address of the report.")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="erasures")
    asked_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="The person, or HR for somebody who left; none: the rule of retention.",
    )  # fmt: skip
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Until then it can be taken back.")
    taken_back_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="The mail that says what has begun left."
    )
    report = models.JSONField(default=dict, help_text="What was done, in numbers of rows.")

    objects = ErasureQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(taken_back_at__isnull=True, done_at__isnull=True),
                name="erasure_one_open",
            ),
            models.CheckConstraint(
                condition=Q(taken_back_at__isnull=True) | Q(done_at__isnull=True),
                name="erasure_done_or_taken_back",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=Q(taken_back_at__isnull=True, done_at__isnull=True),
                name="erasure_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} due {self.due_at}"


class Tombstone(models.Model):
    """Somebody was erased: a keyed digest that only a restored row of theirs can answer to."""

    digest = models.CharField(max_length=64, unique=True)
    erased_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest[:12]
