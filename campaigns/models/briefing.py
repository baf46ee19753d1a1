"""The day's issue, and who has read it for themselves."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import Q

from ambassadors.models import Person

from .topic import Line, Topic


class BriefingQuerySet(models.QuerySet["Briefing"]):
    """Plain names for questions about issues."""

    def out(self) -> "BriefingQuerySet":
        """Those that everybody may read."""
        return self.filter(published_at__isnull=False)


class Briefing(models.Model):
    """The issue of a day. Out is what has ``published_at``; ``publish_at`` is a wish for later."""

    day = models.DateField(unique=True)
    note = models.TextField(blank=True)
    dial_in = models.CharField(max_length=500, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True, help_text="When the call begins.")
    contact = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    publish_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(
        null=True, blank=True, help_text="Of the latest change after it was out."
    )
    change_note = models.CharField(max_length=240, blank=True, help_text="What that change was.")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)
    topics = models.ManyToManyField(Topic, through="BriefingItem")

    objects = BriefingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-day"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(published_at__isnull=True),
                name="briefing_withdrawn_is_not_out",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["publish_at"],
                condition=Q(published_at__isnull=True, publish_at__isnull=False),
                name="briefing_due",
            ),
        ]

    def __str__(self) -> str:
        return str(self.day)

    def is_over(self, today: dt.date) -> bool:
        """Tell whether its day has passed: it is kept as it was."""
        return self.day < today


class BriefingItem(models.Model):
    """A topic's place in an issue; ``line`` and ``rule`` as they were when it went out."""

    briefing = models.ForeignKey(Briefing, on_delete=models.CASCADE)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE)
    position = models.PositiveSmallIntegerField()
    note = models.TextField(blank=True)
    line = models.CharField(max_length=8, choices=Line.choices, blank=True)
    rule = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["briefing", "topic"], name="briefing_topic_once"),
        ]

    def __str__(self) -> str:
        return f"{self.briefing_id} {self.position}"

    @property
    def light(self) -> str:
        """The lamp of ``line``."""
        return Line.lamp(self.line)


class BriefingRead(models.Model):
    """A person's own tick. No page, figure, export or report about others reads this table."""

    briefing = models.ForeignKey(Briefing, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    read_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "briefing"], name="briefing_read_once"),
        ]

    def __str__(self) -> str:
        return f"{self.briefing_id}"
