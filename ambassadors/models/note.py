"""A private notebook: one sentence kept for later."""

from typing import ClassVar

from django.db import models

from .person import Person


class Note(models.Model):
    """Seen by its writer only, until they hand it in."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    text = models.TextField(max_length=2000)
    created_at = models.DateTimeField()
    handed_in_at = models.DateTimeField(null=True, blank=True)
    key = models.UUIDField(
        null=True, help_text="Given by the device that kept it without network; it arrives once."
    )

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "key"], name="a_note_arrives_once")
        ]

    def __str__(self) -> str:
        return self.text[:40]
