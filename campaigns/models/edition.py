"""That something of what Today tells everybody was changed."""

from django.db import models


class Edition(models.Model):
    """Written by triggers, one for each statement; read by :mod:`campaigns.front` alone."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)
