"""A stranger's question, what was said, and the mails about it."""

import base64
import secrets
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person, Team

from .card import JobArea
from .widget import Widget


def new_nonce() -> str:
    """128 random bits, in signs that survive a mail address in capitals."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


class Inquiry(models.Model):
    """One question with its thread. Deleted when its time is over, or when the asker says so."""

    class State(models.TextChoices):
        QUARANTINED = "quarantined", _("set aside by the filter")
        NEW = "new", _("waits for somebody")
        ASSIGNED = "assigned", _("waits for an answer")
        ANSWERED = "answered", _("answered")
        CLOSED = "closed", _("closed")
        EXPIRED = "expired", _("not answered in time")
        DISCARDED = "discarded", _("taken for spam")

    WAITING: ClassVar = ("new", "assigned")

    class Rating(models.IntegerChoices):
        HELPED = 3, _("That helped")
        PARTLY = 2, _("Partly")
        NOT = 1, _("Not really")

    submission = models.UUIDField(unique=True, help_text="Of the form: a double click counts once.")
    nonce = models.CharField(max_length=26, unique=True, default=new_nonce, editable=False)
    state = models.CharField(max_length=12, choices=State.choices, default=State.NEW)
    turn = models.PositiveIntegerField(default=0, help_text="Goes up with all that happens.")
    language = models.CharField(max_length=2, choices=Person.Language.choices)
    name = models.CharField(max_length=60, blank=True)
    email = models.CharField(max_length=254, blank=True)
    digest = models.CharField(max_length=64, help_text="Of the text, to see the same one again.")
    why = models.CharField(max_length=20, blank=True, help_text="Why the filter set it aside.")
    area = models.ForeignKey(JobArea, on_delete=models.SET_NULL, null=True, blank=True)
    widget = models.ForeignKey(Widget, on_delete=models.SET_NULL, null=True, blank=True)
    chosen = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    owner = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="inquiries"
    )
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True)
    received_at = models.DateTimeField()
    last_at = models.DateTimeField()
    assigned_at = models.DateTimeField(null=True, blank=True)
    answer_by = models.DateTimeField(help_text="What the asker was promised.")
    escalated_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True, help_text="The first answer.")
    in_time = models.BooleanField(null=True, help_text="Whether the first answer kept its promise.")
    rating = models.PositiveSmallIntegerField(choices=Rating.choices, null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-received_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state__in=["new", "quarantined", "discarded"]) | Q(owner=None),
                name="inquiry_nobody_owns_what_waits",
            ),
            models.CheckConstraint(
                condition=~Q(state="answered") | Q(answered_at__isnull=False),
                name="inquiry_answered_at",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, in_time__isnull=True)
                | Q(answered_at__isnull=False, in_time__isnull=False),
                name="inquiry_in_time",
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__range=(1, 3)), name="inquiry_rating"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "state", "answer_by"], name="inquiry_owner"),
            models.Index(
                fields=["answer_by"],
                condition=Q(state__in=["new", "assigned"]),
                name="inquiry_waiting",
            ),
            models.Index(fields=["digest", "received_at"], name="inquiry_digest"),
            models.Index(fields=["last_at"], name="inquiry_last"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class InquiryMessage(models.Model):
    """Something said: by the asker, by who answers, or among colleagues."""

    class Who(models.TextChoices):
        ASKER = "asker"
        CONTACT = "contact"
        NOTE = "note"

    inquiry = models.ForeignKey(Inquiry, on_delete=models.CASCADE, related_name="messages")
    who = models.CharField(max_length=8, choices=Who.choices)
    author = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    text = models.TextField(blank=True)
    at = models.DateTimeField()
    message_id = models.CharField(max_length=255, blank=True, help_text="Of the asker’s mail.")
    dropped = models.PositiveSmallIntegerField(default=0, help_text="Attachments not kept.")
    was_cut = models.BooleanField(default=False)
    other_sender = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["inquiry", "message_id"],
                condition=~Q(message_id=""),
                name="inquiry_mail_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.inquiry_id} {self.who}"


class InquiryMail(models.Model):
    """A mail to be written, to the asker or to a colleague. Written when the server takes it."""

    class Kind(models.TextChoices):
        RECEIVED = "received"
        ANSWER = "answer"
        EXPIRED = "expired"
        YOURS = "yours"
        UNOWNED = "unowned"
        DUE = "due"
        LOOK = "look"

    inquiry = models.ForeignKey(Inquiry, on_delete=models.CASCADE, related_name="mails")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    message = models.ForeignKey(InquiryMessage, on_delete=models.CASCADE, null=True, blank=True)
    key = models.UUIDField(default=uuid.uuid4, editable=False, help_text="Its Message-ID.")
    created_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"], condition=Q(sent_at__isnull=True), name="inquiry_mail_unsent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.inquiry_id} {self.kind}"
