"""What a curator did to suggestions at one press of a button, kept so that it can be undone."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person
from campaigns.models import Suggestion


class Act(models.Model):
    """One press of the button: who, when, what."""

    class What(models.TextChoices):
        HAND_IN = "hand_in", _("Hand in for review")
        END = "end", _("Move the end")
        BEGIN = "begin", _("Move the beginning")
        TOPIC = "topic", _("Change the topic")
        OWNER = "owner", _("Change who looks after it")
        WITHDRAW = "withdraw", _("Withdraw")

    by = models.ForeignKey(Person, on_delete=models.CASCADE)
    at = models.DateTimeField()
    what = models.CharField(max_length=10, choices=What.choices)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["by", "-at"], name="act_by_time")]

    def __str__(self) -> str:
        return f"{self.what} {self.at}"


class ActRow(models.Model):
    """What became of one suggestion in an act, and how it stood before."""

    class Outcome(models.TextChoices):
        """One sentence each; the board says it beside the title."""

        DONE = "done", _("Done.")
        REVIEW = "review", _("Done. It begins earlier now, so it needs a new look.")
        SAME = "same", _("Nothing to do.")
        HELD = "held", _("On hold: left as it is.")
        CHANGED = "changed", _("Somebody else changed it just now: left as it is.")
        STATE = "state", _("Not possible from where it stands: left as it is.")
        APPROVED = (
            "approved",
            _("Approved for its topic: change it in the editor."),
        )
        NOT_READY = "not_ready", _("Something is missing: open it to see what.")
        ORDER = "order", _("The end would be before the beginning: left as it is.")
        PATTERN = "pattern", _("A pattern stays a draft.")
        UNDONE = "undone", _("As before.")
        KEPT = "kept", _("Changed since: left as it is.")

    act = models.ForeignKey(Act, on_delete=models.CASCADE, related_name="rows")
    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    before = models.JSONField(default=dict, help_text="Columns that changed, as they were.")
    revision = models.PositiveIntegerField(help_text="After the act.")
    why = models.CharField(max_length=300, blank=True, help_text="What is missing, where known.")

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.suggestion_id} {self.outcome}"
