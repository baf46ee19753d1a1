"""A colleague thinks of somebody. Only that somebody knows, until they say yes."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from ambassadors.models import Person, Team


class NominationQuerySet(models.QuerySet["Nomination"]):
    """Plain names for questions about nominations."""

    def asked_of(self, person: Person, now: dt.datetime) -> "NominationQuerySet":
        """Those the person may still answer. Nobody else has a question to this table."""
        return self.filter(nominee=person, agreed_at__isnull=True, expires_at__gt=now)

    def agreed(self) -> "NominationQuerySet":
        """Those the nominated person said yes to; HR and the lead may read these."""
        return self.filter(agreed_at__isnull=False)


class Nomination(models.Model):
    """One colleague, one somebody, one team. A no and an expiry delete the row."""

    nominator = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    nominee = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="nominations")
    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    note = models.TextField()
    nominated_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, blank=True)
    agreed_at = models.DateTimeField(null=True, blank=True)

    objects = NominationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["nominated_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["nominator", "nominee", "team"], name="nomination_once"
            ),
            models.CheckConstraint(
                condition=~Q(nominator=F("nominee")), name="nomination_of_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team}"
