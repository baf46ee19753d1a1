"""When people are left alone beside their quiet hours: company days, and time off they name."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .person import Person, Site


class FreeDay(models.Model):
    """A day on which nobody works at a site, or at all of them, beside the public holidays."""

    site = models.ForeignKey(
        Site, on_delete=models.CASCADE, null=True, blank=True, help_text="Empty: every site."
    )
    on = models.DateField()
    name = models.CharField(max_length=80)

    class Meta:
        ordering: ClassVar = ["on", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["site", "on"], nulls_distinct=False, name="free_day_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.name}"


class TimeOffQuerySet(models.QuerySet["TimeOff"]):
    """Plain names for questions about time off."""

    def standing(self) -> "TimeOffQuerySet":
        """What was not taken back; it may be over or still to come."""
        return self.filter(ended_at__isnull=True)

    def on(self, day: dt.date) -> "TimeOffQuerySet":
        """What covers a day on the person's own calendar."""
        return self.standing().filter(from_on__lte=day, until_on__gte=day)


class TimeOff(models.Model):
    """Days on which a person wants to hear nothing. Only they see it; it ends by itself.

    Who stands in for somebody's duties is an :class:`Absence`, which colleagues see.
    """

    class Posts(models.TextChoices):
        MOVE = "move", _("They move to the first working day after and leave by themselves")
        WAIT = "wait", _("They wait until I am back and have looked at them")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="times_off")
    from_on = models.DateField()
    until_on = models.DateField(help_text="The last day.")
    posts = models.CharField(max_length=4, choices=Posts.choices)
    said_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = TimeOffQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-said_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(ended_at__isnull=True),
                name="time_off_one_standing",
            ),
            models.CheckConstraint(
                condition=models.Q(until_on__gte=models.F("from_on")), name="time_off_has_days"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["until_on"],
                condition=models.Q(ended_at__isnull=True),
                name="time_off_until",
            )
        ]

    def __str__(self) -> str:
        return f"{self.from_on} – {self.until_on}"
