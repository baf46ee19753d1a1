"""What opens the newsroom's calendar to a person's program."""

from django.db import models

from ambassadors.models import Person


class CalendarFeed(models.Model):
    """One for each person. Its password is signed over the number, which every revoking raises."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE)
    number = models.PositiveIntegerField(default=1)
    open_since = models.DateTimeField(null=True, blank=True, help_text="Empty: revoked.")

    def __str__(self) -> str:
        return f"{self.person_id} {self.number}"
