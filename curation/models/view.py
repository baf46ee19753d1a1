"""A way to look at the board that a person keeps under a name."""

from typing import ClassVar

from django.db import models

from ambassadors.models import Person


class SavedView(models.Model):
    """Filters of the board under a name; nobody else's list shows it."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=600, help_text="The filters, as they stand in an address.")

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "name"], name="view_once"),
        ]

    def __str__(self) -> str:
        return self.name
