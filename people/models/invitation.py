"""Invitations to a call by mail: many at once, each address once."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from ambassadors.models import Person

from .call import Call


class InvitationRound(models.Model):
    """One act of inviting: the note that all of its mails carry."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE)
    note = models.TextField()
    submission = models.UUIDField(unique=True, help_text="A double submit finds the first one.")
    made_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.call} {self.made_at:%Y-%m-%d}"


class Invitation(models.Model):
    """One mail to one address. Who answered is nowhere: the row says only what the post did."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE)
    round = models.ForeignKey(InvitationRound, on_delete=models.CASCADE)
    address = models.EmailField(blank=True, help_text="Forgotten some days after the mail left.")
    address_key = models.CharField(max_length=64, help_text="Keyed hash; the same gets no second.")
    person = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="Forgotten together with the address.",
    )  # fmt: skip
    state = models.CharField(max_length=8, default="queued")
    sent_at = models.DateTimeField(null=True, blank=True)
    report = models.CharField(max_length=40, blank=True, help_text="Status code of a report.")

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["call", "address_key"], name="invitation_once"),
            models.CheckConstraint(
                condition=Q(state__in=("queued", "sent", "delayed", "bounced")),
                name="invitation_state",
            ),
            models.CheckConstraint(
                condition=Q(state="queued", sent_at__isnull=True)
                | (~Q(state="queued") & Q(sent_at__isnull=False)),
                name="invitation_sent_when",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(state="queued"), name="invitation_queued"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class NoInvitations(models.Model):
    """An address that wants no invitation any more. No page counts or lists these."""

    address_key = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"{self.pk}"
