"""Hashtags that are watched, and how often they were used. No author, no text."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person


class WatchedTag(models.Model):
    """One hashtag, without its sign; ``key`` compares without regard to case."""

    name = models.CharField(max_length=64)
    key = models.CharField(max_length=64, unique=True)
    added_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    added_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return f"#{self.name}"


class TagDay(models.Model):
    """Uses of a hashtag on one network on one day."""

    tag = models.ForeignKey(WatchedTag, on_delete=models.CASCADE, related_name="days")
    network = models.CharField(max_length=20)
    day = models.DateField()
    uses = models.PositiveIntegerField()
    capped = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["day"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tag", "network", "day"], name="tag_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} {self.network} {self.day}"


class TagReading(models.Model):
    """When a network was last asked about a hashtag, and why it gave no number."""

    class Why(models.TextChoices):
        COUNTED = "", _("measured")
        UNNAMED = "unnamed", _("An administrator has not named a Mastodon server to ask.")
        CLOSED = "closed", _("This server lets only its own members search.")
        ODD = "odd", _("The server did not answer as expected.")

    tag = models.ForeignKey(WatchedTag, on_delete=models.CASCADE, related_name="readings")
    network = models.CharField(max_length=20)
    read_at = models.DateTimeField()
    why = models.CharField(max_length=10, choices=Why.choices, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tag", "network"], name="tag_reading_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} {self.network}"
