"""What curators say to each other about a suggestion."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from ambassadors.models import Person
from campaigns.models import Suggestion


class Comment(models.Model):
    """A remark or, with a thread, an answer to one. A remark can be settled."""

    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE, related_name="comments")
    thread = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="answers"
    )
    by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()
    text = models.TextField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(thread__isnull=True) | Q(settled_at__isnull=True),
                name="comment_only_threads_are_settled",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:40]
