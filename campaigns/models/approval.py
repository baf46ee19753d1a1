"""Who has looked at which revision of a suggestion and found it good."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person

from .suggestion import Suggestion


class Approval(models.Model):
    """One person's yes to exactly one revision, for one reason to look. Never changed.

    A trigger refuses the author, whoever saved that revision, and any other revision.
    """

    class Kind(models.TextChoices):
        EDITORIAL = "editorial", _("editorial")
        LEGAL = "legal", _("legal")

    # It outlives the suggestion, as the audit does.
    suggestion = models.ForeignKey(Suggestion, on_delete=models.DO_NOTHING, db_constraint=False)
    revision = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    given_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["suggestion", "revision", "kind"], name="approval_once_per_kind"
            ),
            models.UniqueConstraint(
                fields=["suggestion", "revision", "person"], name="approval_once_per_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.suggestion_id} revision {self.revision}: {self.kind}"
