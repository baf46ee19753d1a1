"""Who is away, until when, and who stands in."""

from typing import ClassVar

from django.db import models

from .person import Person


class Absence(models.Model):
    """One time away, begun when it was named. A second one is a second row."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="absences")
    deputy = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    until_on = models.DateField(help_text="The last day away.")
    named_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-named_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(ended_at__isnull=True),
                name="absence_one_open",
            ),
            models.CheckConstraint(
                condition=~models.Q(person=models.F("deputy")), name="absence_deputy_is_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} until {self.until_on}"
