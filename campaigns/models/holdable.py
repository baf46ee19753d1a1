"""What can be held: a hold is a reference on the row it stops."""

from django.db import models

from ambassadors.models import Person


class Holdable(models.Model):
    """Columns of a hold. A start passes :mod:`integrations.barrier`, then reads ``held_at``."""

    held_at = models.DateTimeField(null=True, blank=True)
    held_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    held_reason = models.TextField(blank=True)
    hold_epoch = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def is_held(self) -> bool:
        """Tell whether nothing of this may start."""
        return self.held_at is not None
