"""Devices that somebody had themselves notified on, and the key that push services know us by."""

from typing import ClassVar

from django.db import models

from ambassadors.models import Person


class PushKey(models.Model):
    """Our own signing key, one row. Browsers bind their subscriptions to it."""

    sealed = models.BinaryField()
    key_id = models.CharField(max_length=8)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key_id


class PushDevice(models.Model):
    """One browser of one person. Its address and keys are sealed; ``digest`` finds it again.

    No name of the device, and not when it was last used: nobody needs either.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    sealed = models.BinaryField()
    key_id = models.CharField(max_length=8)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField(
        null=True, blank=True, help_text="The push service asked us to wait until then."
    )

    class Meta:
        ordering: ClassVar = ["created_at", "pk"]

    def __str__(self) -> str:
        return self.digest[:8]
