"""A file with people: uploaded, read, looked at, done; its bytes go, its counts stay."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person


class PeopleImport(models.Model):
    """One file from its upload to its report. Names of people are not kept here."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("uploaded")
        READING = "reading", _("is read")
        READ = "read", _("waits for your yes")
        WAITING = "waiting", _("waits for a second person")
        RUNNING = "running", _("runs")
        DONE = "done", _("done")
        REFUSED = "refused", _("cannot be read")
        DROPPED = "dropped", _("dropped")

    class Mode(models.TextChoices):
        ADD = "add", _("Add and change; nobody leaves")
        EVERYBODY = "everybody", _("This file is everybody; who is missing has left")

    state = models.CharField(max_length=8, choices=State.choices, default=State.UPLOADED)
    mode = models.CharField(max_length=9, choices=Mode.choices, default=Mode.ADD)
    batch = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    filename = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    encoding = models.CharField(max_length=12)
    separator = models.CharField(max_length=1)
    skip = models.PositiveSmallIntegerField(default=0)
    header = models.JSONField(default=list)
    samples = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    makes_sites = models.BooleanField(default=False)
    new_sites = models.JSONField(default=list)
    lines = models.PositiveIntegerField(default=0, help_text="Read or done so far.")
    total = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="How many of each outcome.")
    refused = models.JSONField(default=list, help_text="Line, word and detail; the first 1,000.")
    why = models.TextField(blank=True, help_text="Why the file cannot be read.")
    uploaded_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    uploaded_at = models.DateTimeField()
    agreed_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    second_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(second_by__isnull=True)
                | ~models.Q(second_by=models.F("agreed_by")),
                name="import_second_is_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.filename} {self.state}"

    @property
    def works(self) -> bool:
        """A worker has it, or will."""
        return self.state in {self.State.READING, self.State.RUNNING}


class ImportPiece(models.Model):
    """Bytes of a file, until it was read."""

    of = models.ForeignKey(PeopleImport, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["of", "number"], name="piece_once"),
        ]

    def __str__(self) -> str:
        return str(self.number)
