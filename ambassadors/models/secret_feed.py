"""What opens a calendar to a person's program."""

from typing import ClassVar

from django.db import models

from .person import Person


class SecretFeed(models.Model):
    """One for each person and calendar. Its password is signed over the number.

    Every revoking raises the number, so an old password never opens again.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    name = models.CharField(max_length=20, help_text="Of the calendar.")
    number = models.PositiveIntegerField(default=1)
    open_since = models.DateTimeField(null=True, blank=True, help_text="Empty: revoked.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "name"], name="secret_feed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.name} {self.number}"
