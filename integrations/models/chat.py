"""Rooms of the company's chat in which Botschaft writes."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person


class ChatRoom(models.Model):
    """One room: a channel in Slack, or a Teams channel behind a workflow's address.

    ``sealed`` holds the Slack app's token, or that address. ``room`` is Slack's id of the channel;
    empty where the app only writes direct messages to people who ask for them.
    """

    class Service(models.TextChoices):
        SLACK = "slack", _("Slack")
        TEAMS = "teams", _("Microsoft Teams")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    service = models.CharField(max_length=8, choices=Service.choices)
    name = models.CharField(max_length=80)
    room = models.CharField(max_length=40, blank=True)
    language = models.CharField(
        max_length=2, choices=Person.Language.choices, default=Person.Language.GERMAN
    )
    direct = models.BooleanField(
        default=False, help_text="People may choose direct messages from this app."
    )
    sealed = models.BinaryField()
    key_id = models.CharField(max_length=16)
    added_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    added_at = models.DateTimeField()
    rests_until = models.DateTimeField(null=True, blank=True, help_text="The service asked for it.")
    trouble = models.CharField(
        max_length=300, blank=True, help_text="What an administrator must put right."
    )
    trouble_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["service", "name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["direct"],
                condition=models.Q(direct=True),
                name="chat_direct_messages_once",
            ),
            models.CheckConstraint(
                condition=models.Q(service="slack") | models.Q(room="", direct=False),
                name="chat_teams_has_its_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.name}"
