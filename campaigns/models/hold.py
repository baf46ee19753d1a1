"""What a hold did, for its report. The hold itself is a reference on the row it stops."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person

from .delivery import Delivery
from .post import Post


class HoldRecord(models.Model):
    """One hold: who, when, why, what it stopped, and what was already on its way."""

    class Scope(models.TextChoices):
        PROGRAMME = "programme", _("everything")
        TOPIC = "topic", _("a topic")
        SUGGESTION = "suggestion", _("a suggestion")

    scope = models.CharField(max_length=10, choices=Scope.choices)
    scope_id = models.BigIntegerField()
    name = models.CharField(max_length=200, help_text="Of the scope, as it was.")
    epoch = models.PositiveIntegerField()
    reason = models.TextField()
    proposal = models.TextField(
        blank=True, help_text="A text that people who posted already may take for a correction."
    )
    held_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    held_at = models.DateTimeField()
    in_force_at = models.DateTimeField(null=True, blank=True)
    stopped = models.PositiveIntegerField(default=0, help_text="Posts that were queued then.")
    stopped_people = models.PositiveIntegerField(
        default=0, help_text="Whose they were; below five the report shows no number."
    )
    flying = models.ManyToManyField(Delivery, blank=True, related_name="+")
    released_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-held_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "scope_id", "epoch"], name="hold_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.epoch}"


class HoldAnswer(models.Model):
    """What a person who had posted already did about it; nobody else reads this."""

    class Answer(models.TextChoices):
        EDITED = "edited", _("changed it")
        REMOVED = "removed", _("deleted it at the network")
        LEFT = "left", _("left it as it is")

    hold = models.ForeignKey(HoldRecord, on_delete=models.CASCADE)
    post = models.ForeignKey(Post, on_delete=models.CASCADE)
    answer = models.CharField(max_length=10, choices=Answer.choices)
    answered_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hold", "post"], name="hold_answer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.hold_id}/{self.post_id}"
