"""The proof of every text that left: written by the database, never changed."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Evidence(models.Model):
    """What left, when, under which rule, approved by whom. No foreign keys: it outlives them.

    Triggers write a row when a post is copied, opened, sent or changed at its network, so no code
    can forget it, and refuse every change. People stand in it by ``Person.evidence_key``.
    """

    class Event(models.TextChoices):
        COPIED = "copied", _("copied")
        OPENED = "opened", _("opened")
        SENT = "sent", _("published")
        CHANGED = "changed", _("changed there")

    post_number = models.BigIntegerField(db_index=True)
    author_key = models.UUIDField()
    event = models.CharField(max_length=10, choices=Event.choices)
    network = models.CharField(max_length=20)
    language = models.CharField(max_length=2)
    country = models.CharField(max_length=2, blank=True)
    part = models.PositiveSmallIntegerField()
    text = models.TextField()
    content_warning = models.CharField(max_length=120, blank=True)
    picture_sha256 = models.CharField(max_length=64, blank=True)
    content_class = models.CharField(max_length=20, blank=True)
    label = models.CharField(max_length=60, blank=True)
    rule_version = models.PositiveIntegerField(help_text="0: no rule stood behind it.")
    suggestion_number = models.BigIntegerField(null=True)
    suggestion_revision = models.PositiveIntegerField()
    approvals = models.JSONField(help_text="Lists of kind, evidence key of the person, and when.")
    remote_id = models.CharField(max_length=400, blank=True)
    left_at = models.DateTimeField(db_index=True)
    kept_at = models.DateTimeField()
    keep_until = models.DateField(help_text="Three full years after its own; then it may go.")
    sha256 = models.CharField(max_length=64, help_text="Over everything above but kept_at.")

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.event} {self.network} {self.sha256[:12]}"
