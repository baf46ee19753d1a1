"""Switches of the works agreement, as they were turned."""

from typing import ClassVar

from django.db import models

from .person import Person


class SwitchTurn(models.Model):
    """One turn of one switch; the newest of a name counts. Never changed but for ``told_at``."""

    name = models.CharField(max_length=40)
    on = models.BooleanField()
    paragraph = models.CharField(
        max_length=400, help_text="The section of the works agreement that this rests on."
    )
    at = models.DateTimeField()
    by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="When the auditors were written to."
    )

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["name", "-id"], name="switch_newest"),
            models.Index(
                fields=["id"], condition=models.Q(told_at__isnull=True), name="switch_untold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {'on' if self.on else 'off'}"
