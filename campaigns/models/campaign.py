"""A campaign: a hashtag for a while, with a goal that is never volume."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from ambassadors.models import Person


class Campaign(models.Model):
    """Suggestions may belong to one. Running and over follow from the day."""

    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=120)
    hashtag = models.CharField(max_length=80, help_text="Without the sign.")
    description = models.TextField()
    language = models.CharField(max_length=2, default="de")
    begins_on = models.DateField()
    ends_on = models.DateField(help_text="The last day.")
    goal_own_words = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Per cent of the words that are people's own."
    )
    goal_conversations = models.PositiveIntegerField(
        null=True, blank=True, help_text="Replies that their authors answered."
    )
    submission = models.UUIDField(help_text="Of the form; a double submit finds the first one.")
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-begins_on", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("begins_on")), name="campaign_ends_after_begin"
            ),
            models.CheckConstraint(
                condition=Q(goal_own_words__isnull=True) | Q(goal_own_words__lte=100),
                name="campaign_own_words_in_per_cent",
            ),
            models.UniqueConstraint(fields=["created_by", "submission"], name="campaign_once"),
        ]

    def __str__(self) -> str:
        return self.title

    def stands(self, today: dt.date) -> str:
        """Where it stands on a day: ``ahead``, ``running`` or ``over``."""
        if today < self.begins_on:
            return "ahead"
        return "running" if today <= self.ends_on else "over"
