"""Figures about groups as they were told, so that tomorrow's cannot be subtracted from them."""

from django.db import models


class PublishedFigure(models.Model):
    """One figure page as it was told last. :mod:`ambassadors.anonymity` alone reads and writes it.

    ``answers`` holds a keyed digest of what each person added, only to see how many have changed.
    """

    name = models.CharField(max_length=60, unique=True)
    told_at = models.DateTimeField()
    content = models.JSONField()
    answers = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} {self.told_at}"
