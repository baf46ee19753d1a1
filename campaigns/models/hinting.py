"""Which hints somebody wants while they write."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ambassadors.models import Person


class Hinting(models.Model):
    """A row only for who asked for hints; what was hinted at is nowhere."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE)
    kinds = ArrayField(models.CharField(max_length=10))

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(kinds=[]), name="hinting_of_something"),
        ]

    def __str__(self) -> str:
        return ", ".join(self.kinds)
