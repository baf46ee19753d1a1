"""A piece of the contacts page for other sites, how fast a team answers, and its figures."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person, Site, Team

from .card import ContactCard, JobArea, new_key

USUAL_DAYS = 2  # working days until an answer, where nobody set another number


class Widget(models.Model):
    """Who answers under one job ad, topic or place, and which sites may show it."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("As the visitor’s device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    key = models.CharField(max_length=12, unique=True, default=new_key, editable=False)
    title = models.CharField(max_length=100)
    areas = models.ManyToManyField(JobArea, blank=True)
    sites = models.ManyToManyField(Site, blank=True)
    cards = models.ManyToManyField(ContactCard, blank=True)
    origins = models.JSONField(default=list, help_text="Sites that may show it in a frame.")
    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.AUTO)
    language = models.CharField(max_length=2, choices=Person.Language.choices, blank=True)
    answer_days = models.PositiveSmallIntegerField(null=True, blank=True)
    made_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["title", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(answer_days__isnull=True) | Q(answer_days__range=(1, 20)),
                name="widget_answer_days",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Promise(models.Model):
    """Within how many working days a team answers."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE)
    answer_days = models.PositiveSmallIntegerField(default=USUAL_DAYS)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(answer_days__range=(1, 20)), name="promise_answer_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team_id} {self.answer_days}"


class MonthFigure(models.Model):
    """One team's whole month. Written only where at least five answered, and never changed."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    month = models.DateField(help_text="Its first day.")
    answered = models.PositiveIntegerField()
    in_time = models.PositiveSmallIntegerField(help_text="Per cent within the promise.")
    hours = models.PositiveIntegerField(help_text="Median until the first answer.")
    rated = models.PositiveIntegerField(null=True, blank=True)
    helped = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Per cent of those who rated it as a help."
    )

    class Meta:
        ordering: ClassVar = ["-month", "team__name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "month"], name="month_figure_once"),
        ]

    def __str__(self) -> str:
        return f"{self.team_id} {self.month:%Y-%m}"

    @property
    def days(self) -> float:
        """The median in days."""
        return round(dt.timedelta(hours=self.hours) / dt.timedelta(days=1), 1)
