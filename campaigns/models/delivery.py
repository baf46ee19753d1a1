"""One post on its way to one account, every try, every change, every reading."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person
from integrations.models import ConnectedAccount

from .post import Post
from .topic import Topic


class Delivery(models.Model):
    """The row is the queue. Only :mod:`campaigns.states` writes ``state``."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("unknown")
        CANCELLED = "cancelled", _("cancelled")

    class Blocked(models.TextChoices):
        """Why a queued one waits for a person."""

        NOT = "", _("not blocked")
        RECONNECT = "reconnect", _("the account must be connected again")
        CONSENT = "consent", _("the consent to publish was withdrawn")
        LOOK_AGAIN = "look_again", _("the topic was on hold; please look again")
        QUARANTINED = "quarantined", _("three workers died with it")
        APPROVAL = "approval", _("a second editor of the channel must approve it")
        BUDGET = "budget", _("this month's budget for the network is used up")
        PICTURE = "picture", _("its picture may not be shown any more")
        GUIDELINE = "guideline", _("a guideline waits for your yes")
        TIME_OFF = "time_off", _("you were off; please look again")

    post = models.OneToOneField(Post, on_delete=models.CASCADE)
    account = models.ForeignKey(ConnectedAccount, on_delete=models.PROTECT)
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    rkey = models.CharField(max_length=13)
    written_at = models.DateTimeField()
    due_at = models.DateTimeField()
    movable = models.BooleanField(
        default=False, help_text="The person left the moment to Botschaft; it may be moved."
    )
    not_after = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    blocked = models.CharField(max_length=12, choices=Blocked.choices, blank=True, default="")
    fence = models.PositiveIntegerField(default=0)
    claims = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    look_at = models.DateTimeField(null=True, blank=True)
    looks = models.PositiveSmallIntegerField(
        default=0, help_text="How often the network, which has no key, did not show it."
    )
    first_tried_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=60, blank=True)
    detail = models.CharField(max_length=400, blank=True)
    kept = models.JSONField(default=dict, help_text="Media ids and the like, equal on every try.")
    approved_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    remote_id = models.CharField(max_length=400, blank=True)
    remote_url = models.CharField(max_length=800, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    measure_at = models.DateTimeField(null=True, blank=True)
    converse_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(
        null=True, blank=True, help_text="Deleted at the network by the person's wish."
    )

    class Meta:
        ordering: ClassVar = ["due_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(state="sent") & ~Q(remote_id=""))
                | (~Q(state="sent") & Q(remote_id="")),
                name="delivery_sent_has_id",
            ),
            models.CheckConstraint(
                condition=Q(not_after__gt=models.F("due_at")), name="delivery_ends_after_due"
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state="sending"),
                name="delivery_one_in_flight",
            ),
            # A link is what a person found: they may give one for two posts.
            models.UniqueConstraint(
                fields=["account", "remote_id"],
                condition=~Q(remote_id="") & ~Q(remote_id__startswith="https://"),
                name="delivery_id_proves_one",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, approved_by__isnull=False),
                name="delivery_approved_at_by",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state="queued"), name="delivery_due"),
            models.Index(
                fields=["account", "due_at"], condition=Q(state="queued"), name="delivery_account"
            ),
            models.Index(
                fields=["lease_until"], condition=Q(state="sending"), name="delivery_in_flight"
            ),
            models.Index(fields=["look_at"], condition=Q(state="unknown"), name="delivery_look"),
            models.Index(
                fields=["measure_at"],
                condition=Q(measure_at__isnull=False),
                name="delivery_measure",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.state}"


class Spread(models.Model):
    """One press of *Spread*: whose, when, on what; kept so that it can be undone."""

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE)
    by = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["by", "-at"], name="spread_by_time")]

    def __str__(self) -> str:
        return f"{self.topic_id} {self.at}"


class SpreadMove(models.Model):
    """A post that a spread moved, and from where; shown to nobody."""

    spread = models.ForeignKey(Spread, on_delete=models.CASCADE, related_name="moves")
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="+")
    before = models.DateTimeField()
    after = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.before}"


class TimeOffer(models.Model):
    """Another moment for a post whose person chose its own; asked once, answered by them alone."""

    class Answer(models.TextChoices):
        NONE = "", _("not answered")
        TAKEN = "taken", _("taken")
        KEPT = "kept", _("kept the own moment")

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE)
    spread = models.ForeignKey(
        Spread, on_delete=models.SET_NULL, null=True, blank=True, related_name="offers"
    )
    at = models.DateTimeField()
    made_at = models.DateTimeField()
    answer = models.CharField(max_length=5, choices=Answer.choices, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.at}"


class Attempt(models.Model):
    """One try to send. Written before the first byte, closed with the outcome."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE)
    fence = models.PositiveIntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    detail = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery", "fence"], name="attempt_once_per_fence"),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.fence} {self.outcome}"


class Transition(models.Model):
    """Every change of a delivery's state, with the fence it was made under (I14)."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE)
    source = models.CharField(max_length=10)
    target = models.CharField(max_length=10)
    fence = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.source} → {self.target}"


class Reading(models.Model):
    """What a network counted at one moment."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE)
    read_at = models.DateTimeField()
    likes = models.PositiveIntegerField(null=True, blank=True)
    reposts = models.PositiveIntegerField(null=True, blank=True)
    replies = models.PositiveIntegerField(null=True, blank=True)
    quotes = models.PositiveIntegerField(null=True, blank=True)
    impressions = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-read_at"]
        indexes: ClassVar = [models.Index(fields=["post", "-read_at"], name="reading_post_time")]

    def __str__(self) -> str:
        return f"{self.post_id} {self.read_at}"
