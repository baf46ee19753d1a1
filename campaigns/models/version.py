"""The history of a suggestion: every save, whole, and what lost a race."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person

from .suggestion import Suggestion


class Version(models.Model):
    """All that a suggestion said at one save; never changed, so every typed sentence stays."""

    class Kind(models.TextChoices):
        FOUND = "found", _("as it was before the history")
        SAVED = "saved", _("saved")
        RESTORED = "restored", _("brought back")
        REFUSED = "refused", _("written at the same time, not saved")

    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE, related_name="versions")
    revision = models.PositiveIntegerField(
        help_text="What the save made; of a refused one, what had been saved meanwhile."
    )
    base = models.PositiveIntegerField(help_text="The revision it was written on.")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SAVED)
    content = models.JSONField()
    by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()
    restored_from = models.PositiveIntegerField(null=True, blank=True)
    submission = models.UUIDField(null=True, blank=True, help_text="The opened form it came from.")
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="When a refused one was brought together or put aside."
    )

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["suggestion", "revision"],
                condition=~Q(kind="refused"),
                name="version_once_for_a_revision",
            ),
            models.UniqueConstraint(
                fields=["submission"], condition=Q(base=0), name="version_one_first_for_a_form"
            ),
            models.CheckConstraint(
                condition=Q(kind="restored", restored_from__isnull=False)
                | (~Q(kind="restored") & Q(restored_from__isnull=True)),
                name="version_restored_from",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["suggestion", "-id"], name="version_of_suggestion"),
            models.Index(
                fields=["submission"],
                condition=Q(submission__isnull=False),
                name="version_submission",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.suggestion_id} {self.kind} {self.revision}"

    @property
    def is_merged(self) -> bool:
        """Whether a colleague's save lies between this one and what it was written on."""
        return self.kind == self.Kind.SAVED and self.base not in {0, self.revision - 1}
