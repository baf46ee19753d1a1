"""By which ways a person lets us write to them, and what we wrote to them and to rooms."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person
from integrations.models import ChatRoom

from .hold import HoldRecord


class Way(models.TextChoices):
    """How a message reaches one person."""

    MAIL = "mail", _("Mail")
    SLACK = "slack", _("Slack")
    PUSH = "push", _("Notification on a device")


class ReachWishQuerySet(models.QuerySet["ReachWish"]):
    """Plain names for questions about wishes."""

    def on(self) -> "ReachWishQuerySet":
        """Those that count: not turned off by us because nothing arrives there."""
        return self.filter(off_at__isnull=True)


class ReachWish(models.Model):
    """A person lets us write to them by one way. Without a row that way is off.

    With ``at`` the day's message comes by it, not before that time; one way at most has it. Without
    it only a hold that concerns the person does. Nobody else sees any of this.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    way = models.CharField(max_length=8, choices=Way.choices)
    at = models.TimeField(null=True, blank=True, help_text="On the person's clock.")
    address = models.CharField(
        max_length=200, blank=True, help_text="What the way knows the person by, if not their mail."
    )
    since = models.DateTimeField()
    off_at = models.DateTimeField(null=True, blank=True, help_text="Nothing arrived; we stopped.")
    off_why = models.CharField(max_length=200, blank=True)

    objects = ReachWishQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "way"], name="reach_way_once"),
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(at__isnull=False, off_at__isnull=True),
                name="reach_one_way_a_day",
            ),
            models.CheckConstraint(
                condition=Q(off_at__isnull=True, off_why="")
                | Q(off_at__isnull=False) & ~Q(off_why=""),
                name="reach_off_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.way} {self.at or ''}"


class Reached(models.Model):
    """One message to one person, written before it leaves: there is never a second one.

    Without ``hold`` it is the one of a day, on the person's clock and whatever the way.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    way = models.CharField(max_length=8, choices=Way.choices)
    day = models.DateField()
    hold = models.ForeignKey(HoldRecord, on_delete=models.CASCADE, null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "day"],
                condition=Q(hold__isnull=True),
                name="reached_once_a_day",
            ),
            models.UniqueConstraint(
                fields=["hold", "person", "way"],
                condition=Q(hold__isnull=False),
                name="reached_once_a_hold",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["day"], name="reached_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.way}"


class RoomMessage(models.Model):
    """One message to a room, written before it leaves: the day's, or of a hold or its release.

    ``written`` is what the service calls it, ``shows`` a hash of what it says now.
    """

    class Outcome(models.TextChoices):
        CLAIMED = "claimed", _("on its way")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("perhaps sent")
        REFUSED = "refused", _("refused")

    room = models.ForeignKey(ChatRoom, on_delete=models.CASCADE)
    day = models.DateField()
    hold = models.ForeignKey(HoldRecord, on_delete=models.CASCADE, null=True, blank=True)
    released = models.BooleanField(default=False, help_text="Of the hold's release.")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.CLAIMED)
    written = models.CharField(max_length=300, blank=True)
    shows = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["room", "day"], condition=Q(hold__isnull=True), name="room_once_a_day"
            ),
            models.UniqueConstraint(
                fields=["room", "hold", "released"],
                condition=Q(hold__isnull=False),
                name="room_once_a_hold",
            ),
            models.CheckConstraint(
                condition=Q(released=False) | Q(hold__isnull=False), name="room_releases_a_hold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.room_id} {self.outcome}"
