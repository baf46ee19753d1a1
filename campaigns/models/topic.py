"""Topics with their light, and the day's briefing."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person

from .holdable import Holdable


class Topic(Holdable):
    """What one may talk about now. A hold outweighs the stored light."""

    class Light(models.TextChoices):
        SHARE = "share", _("Free to share")
        CAREFUL = "careful", _("With care")

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=120)
    language = models.CharField(max_length=2, default="de")
    light_when_free = models.CharField(max_length=8, choices=Light.choices, default=Light.SHARE)
    rule = models.CharField(max_length=240, help_text="One line everybody reads.")
    say = models.TextField(blank=True)
    leave_out = models.JSONField(default=list)
    if_asked = models.TextField(blank=True)
    facts = models.JSONField(default=list)
    owner = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="topics"
    )
    light_since = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["title"]

    def __str__(self) -> str:
        return self.title

    @property
    def light(self) -> str:
        """``share``, ``careful`` or ``hold``: what to show now."""
        return "hold" if self.is_held else self.light_when_free


class Briefing(models.Model):
    """The issue of a day."""

    day = models.DateField(unique=True)
    note = models.TextField(blank=True)
    dial_in = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    topics = models.ManyToManyField(Topic, through="BriefingItem")

    class Meta:
        ordering: ClassVar = ["-day"]

    def __str__(self) -> str:
        return str(self.day)


class BriefingItem(models.Model):
    """A topic's place in an issue."""

    briefing = models.ForeignKey(Briefing, on_delete=models.CASCADE)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["briefing", "topic"], name="briefing_topic_once"),
        ]

    def __str__(self) -> str:
        return f"{self.briefing_id} {self.position}"
