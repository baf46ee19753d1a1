"""A way to look at a page that a person keeps under a name."""

from typing import ClassVar

from django.db import models

from .person import Person


class SavedView(models.Model):
    """Filters of a page under a name; nobody else's list shows it."""

    class Page(models.TextChoices):
        DESK = "desk"
        ROSTER = "roster"

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    page = models.CharField(max_length=12, choices=Page.choices)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=600, help_text="The filters, as they stand in an address.")

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "page", "name"], name="view_once_on_a_page"),
        ]

    def __str__(self) -> str:
        return self.name
