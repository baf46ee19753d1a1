"""What people say about Botschaft itself, for the administrators."""

from typing import ClassVar

from django.db import models

from ambassadors.models import Person


class Feedback(models.Model):
    """One remark. Without a name no row tells whose it was, and only the day is kept."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True)
    text = models.TextField()
    page = models.CharField(max_length=200, blank=True, help_text="Where the writer stood.")
    said_on = models.DateField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-said_on", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["-said_on", "-id"], name="feedback_open",
                         condition=models.Q(done_at__isnull=True)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.text[:40]
