"""Which installation this database belongs to, and whether it may publish."""

import uuid
from typing import ClassVar

from django.db import models

from ambassadors.models import Person


class Instance(models.Model):
    """One row. A restored backup or a copy under another address stops here (I12)."""

    key = models.UUIDField(default=uuid.uuid4)
    fingerprint = models.CharField(max_length=64, blank=True, help_text="Of address and key.")
    cluster = models.CharField(max_length=64, blank=True, help_text="PostgreSQL's identifier.")
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_why = models.CharField(max_length=20, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    erased_attempt = models.BigIntegerField(
        default=0, help_text="The newest attempt to send whose row went with an erased person."
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(pk=1), name="instance_is_one"),
        ]

    def __str__(self) -> str:
        return str(self.key)
