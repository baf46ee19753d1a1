"""What somebody takes along: their own address outside, and a link to their data."""

from typing import ClassVar

from django.db import models

from .erasure import drawn
from .person import Person


class PrivateAddress(models.Model):
    """Where a person wants their data sent when they leave. It counts once it was confirmed there.

    Only the person names it: whoever could, could read what is theirs alone.
    """

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="private_address")
    address = models.EmailField()
    named_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.person_id}"


class Takeout(models.Model):
    """One link to a person's data, good once and until a moment. ``key`` is signed into it."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="takeouts")
    key = models.UUIDField(unique=True, default=drawn)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-made_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(used_at__isnull=True),
                name="takeout_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} until {self.expires_at}"
