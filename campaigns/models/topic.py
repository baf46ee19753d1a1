"""Topics with their light, and every change of it."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person

from .holdable import Holdable


class Line(models.TextChoices):
    """What people read: a light, or that there is no official line yet."""

    SHARE = "share", _("Free to share")
    CAREFUL = "careful", _("With care")
    OWN = "own", _("No official line yet")
    HOLD = "hold", _("On hold")

    @classmethod
    def lamp(cls, line: str) -> str:
        """The light that goes with a line: none yet means with care."""
        return cls.CAREFUL.value if line == cls.OWN else line


class TopicQuerySet(models.QuerySet["Topic"]):
    """Plain names for questions about topics."""

    def current(self) -> "TopicQuerySet":
        """Those that are not in the archive."""
        return self.filter(archived_at__isnull=True)

    def offered(self, chosen: int | None) -> "TopicQuerySet":
        """Those to choose from: the current ones, and what was chosen before."""
        return self.filter(Q(archived_at__isnull=True) | Q(pk=chosen))


class Topic(Holdable):
    """What one may talk about now. A hold outweighs the stored light.

    ``own_view``: there is no official line yet, everybody speaks for themselves; with care.
    """

    class Light(models.TextChoices):
        SHARE = "share", _("Free to share")
        CAREFUL = "careful", _("With care")

    slug = models.SlugField(unique=True)
    title = models.CharField(_("title"), max_length=120)
    language = models.CharField(max_length=2, default="de")
    light_when_free = models.CharField(max_length=8, choices=Light.choices, default=Light.SHARE)
    own_view = models.BooleanField(default=False)
    rule = models.CharField(max_length=240, help_text="One line everybody reads.")
    say = models.TextField(blank=True)
    leave_out = models.JSONField(default=list)
    if_asked = models.TextField(blank=True)
    facts = models.JSONField(default=list, help_text='[{"fact": …, "source": …}]')
    glossary = models.JSONField(default=list, help_text='[{"say": …, "instead_of": …}]')
    links = models.JSONField(default=list, help_text='[{"title": …, "url": "https://…"}]')
    owner = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="topics"
    )
    deputies = models.ManyToManyField(Person, blank=True, related_name="deputy_topics")
    light_since = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = TopicQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["title"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(own_view=False) | Q(light_when_free="careful"),
                name="topic_own_view_with_care",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def rank(self) -> tuple[int, str]:
        """To sort by: on hold first, then with care, then free."""
        return ("hold", "careful", "share").index(self.light), self.title

    @property
    def light(self) -> str:
        """``share``, ``careful`` or ``hold``: what to show now."""
        return "hold" if self.is_held else self.light_when_free

    @property
    def line(self) -> str:
        """The light, or ``own`` while there is no official line."""
        return Line.OWN.value if self.own_view and not self.is_held else self.light

    @property
    def light_now_since(self) -> dt.datetime:
        """Since when the light is as it is."""
        return self.held_at or self.light_since

    @property
    def line_label(self) -> str:
        """The line in words."""
        return str(Line(self.line).label)


class LightChange(models.Model):
    """One change of a topic's light. Never changed itself (a trigger refuses)."""

    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="changes")
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True, help_text="No foreign key: people may leave.")
    before = models.CharField(max_length=8, choices=Line.choices, blank=True)
    after = models.CharField(max_length=8, choices=Line.choices)
    why = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["topic", "-at"], name="light_change_topic")]

    def __str__(self) -> str:
        return f"{self.topic_id}: {self.before} → {self.after}"

    @property
    def light(self) -> str:
        """The lamp of what it is now."""
        return Line.lamp(self.after)
