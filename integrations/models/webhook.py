"""Addresses of the company's programs that are told what happened, and every telling."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ambassadors.models import Person


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """Plain names for questions about addresses."""

    def on(self) -> "WebhookQuerySet":
        """Those that are told."""
        return self.filter(off_at__isnull=True)


class Webhook(models.Model):
    """One address. ``sealed`` holds its secret, and for a day the one before.

    ``off_why``: ``asked`` by somebody, ``gone`` (it answered 410), ``failing`` for three days.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=80)
    url = models.URLField(max_length=1000)
    events = ArrayField(models.CharField(max_length=30))
    sealed = models.BinaryField()
    key_id = models.CharField(max_length=16)
    rotated_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True, blank=True)
    off_at = models.DateTimeField(null=True, blank=True)
    off_why = models.CharField(max_length=8, blank=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(off_at__isnull=True, off_why="")
                | (Q(off_at__isnull=False) & ~Q(off_why="")),
                name="webhook_off_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookEvent(models.Model):
    """Something that happened, as it is told: the same bytes at every try. It names nobody."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=30)
    at = models.DateTimeField(db_index=True)
    payload = models.TextField()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.kind

    @property
    def message_id(self) -> str:
        """What the header ``webhook-id`` says: the receiver counts it once."""
        return f"msg_{self.key.hex}"


class WebhookTelling(models.Model):
    """One event for one address: when it is tried next, and how the last try ended.

    ``next_at`` is empty when it is over, one way or another; ``told_at`` says that it arrived.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="tellings")
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="tellings")
    next_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP.")
    said = models.CharField(max_length=200, blank=True, help_text="Why it did not arrive.")

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["webhook", "event"], name="webhook_told_once"),
            models.CheckConstraint(
                condition=Q(told_at__isnull=True) | Q(next_at__isnull=True),
                name="webhook_told_is_over",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_at"], condition=Q(next_at__isnull=False), name="webhook_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id} {self.event_id}"
