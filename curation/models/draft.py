"""What was typed in the editor and is not saved yet."""

from typing import ClassVar

from django.db import models
from django.http import QueryDict

from ambassadors.models import Person
from campaigns.models import Suggestion


class Draft(models.Model):
    """The last state of one opened form; only its person sees it. It goes with the save."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    key = models.UUIDField(help_text="The opened form: two tabs keep two drafts.")
    suggestion = models.ForeignKey(
        Suggestion, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    form = models.TextField(help_text="The form's fields, URL-encoded, as it would be sent.")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "key"], name="draft_one_for_a_form"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["person", "suggestion", "-at"], name="draft_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.suggestion_id}"

    @property
    def title(self) -> str:
        """The title as it was typed, perhaps none."""
        return QueryDict(self.form).get("title", "")
