"""Ideas that members hand in, and what the curators answered."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person

from .picture import Picture
from .suggestion import Suggestion


class Proposal(models.Model):
    """A member's own suggestion. Every one is answered; the answer is theirs to read."""

    class State(models.TextChoices):
        NEW = "new", _("waits for an answer")
        ANSWERED = "answered", _("answered")
        TAKEN = "taken", _("became a suggestion")
        DECLINED = "declined", _("not taken up")
        WITHDRAWN = "withdrawn", _("taken back")

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    submission = models.UUIDField(help_text="Of the form; a double submit finds the first idea.")
    text = models.TextField()
    language = models.CharField(max_length=2, default="de")
    picture = models.ForeignKey(Picture, on_delete=models.PROTECT, null=True, blank=True)
    show_name = models.BooleanField(
        default=False, help_text="A suggestion made of it says whose idea it was."
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    created_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(
        null=True, blank=True, help_text="When the member read the answer; shown to nobody."
    )
    reminded_at = models.DateTimeField(
        null=True, blank=True, help_text="When curators were last reminded of it."
    )
    suggestion = models.OneToOneField(Suggestion, on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["created_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "submission"], name="proposal_once"),
            models.CheckConstraint(
                condition=Q(state__in=["new", "withdrawn"]) | Q(answered_at__isnull=False),
                name="proposal_decided_is_answered",
            ),
            models.CheckConstraint(
                condition=Q(state="taken", suggestion__isnull=False)
                | (~Q(state="taken") & Q(suggestion__isnull=True)),
                name="proposal_taken_has_suggestion",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["answered", "declined"]) | ~Q(answer=""),
                name="proposal_answer_has_words",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], condition=Q(state="new"), name="proposal_waiting"),
            models.Index(fields=["person", "-created_at"], name="proposal_person_time"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"
