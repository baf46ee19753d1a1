"""A text of somebody's own that was written for a suggestion and waits in their notebook."""

from django.db import models

from ambassadors.models import Note

from .suggestion import Suggestion


class OwnDraft(models.Model):
    """Says for which suggestion a note was written. Whether it may be shared is asked then."""

    note = models.OneToOneField(Note, on_delete=models.CASCADE)
    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE)

    def __str__(self) -> str:
        return str(self.note)
