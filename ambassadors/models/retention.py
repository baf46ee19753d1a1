"""How long classes of data are kept, where the company chose its own days, and what went when."""

from typing import ClassVar

from django.db import models

from .person import Person


class RetentionRule(models.Model):
    """The days of one class as an administrator set them; without a row the usual ones count."""

    name = models.CharField(max_length=40, unique=True)
    days = models.PositiveIntegerField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.name} {self.days}"


class RetentionRun(models.Model):
    """The job log: how many rows of a class went on a day. A second run of the day adds to it."""

    name = models.CharField(max_length=40)
    on = models.DateField()
    last_at = models.DateTimeField()
    days = models.PositiveIntegerField(help_text="The rule of that day.")
    gone = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-on", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "on"], name="retention_run_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.on}: {self.gone}"
