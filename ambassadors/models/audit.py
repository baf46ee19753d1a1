"""Who changed what. Written with the change, never changed itself: the database refuses.

Triggers and functions (migration 0018, docs/adr/0006) fill salt and digests and write the seals.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class AuditEntry(models.Model):
    """One act. No foreign keys: the entry outlives what it speaks of."""

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    act = models.CharField(max_length=60)
    subject = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=60)
    reason = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    salt = models.UUIDField(null=True, editable=False, help_text="Of the digest.")
    words = models.CharField(
        max_length=64, blank=True, editable=False,
        help_text="Digest of salt, reason and facts as they were written.",
    )  # fmt: skip

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["subject", "subject_id"], name="audit_subject"),
            # who looked at what: a handful of acts among all of them
            models.Index(fields=["act", "-id"], name="audit_act"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.subject} {self.subject_id}"


class AuditSeal(models.Model):
    """Some entries, in their order, chained to all before them: change one, and no head fits."""

    number = models.BigIntegerField(primary_key=True)
    sealed_at = models.DateTimeField()
    last_at = models.DateTimeField(help_text="Of the youngest entry.")
    entries = ArrayField(models.BigIntegerField())
    head = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["-number"]

    def __str__(self) -> str:
        return f"{self.number}:{self.head}"


class AuditUnsealed(models.Model):
    """An entry that waits for the next seal. One that is not committed yet is not seen yet."""

    entry_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.entry_id)
