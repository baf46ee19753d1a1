"""A corporate channel, lent to one person for a while."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person
from integrations.models import ConnectedAccount

from .delivery import Delivery


class TakeoverQuerySet(models.QuerySet["Takeover"]):
    """Plain names for questions about takeovers."""

    def standing(self, now: dt.datetime) -> "TakeoverQuerySet":
        """Not ended by anybody, and not over by the clock."""
        return self.filter(state__in=Takeover.STANDING, ends_at__gt=now)


class Takeover(models.Model):
    """A slot on a channel. Stored is who decided what; open and over follow from the clock.

    No two standing slots of a channel overlap: an exclusion constraint, ``takeover_alone``, whose
    SQL stands in the migration.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        ACCEPTED = "accepted", _("rules accepted")
        RELEASED = "released", _("released")
        HANDED_BACK = "handed_back", _("handed back")
        STOPPED = "stopped", _("stopped")

    STANDING: ClassVar = ("planned", "accepted", "released")

    channel = models.ForeignKey(ConnectedAccount, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    rules = models.TextField()
    submission = models.UUIDField(help_text="Of the form; a double submit finds the first one.")
    planned_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    planned_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.PLANNED)
    accepted_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    in_force_at = models.DateTimeField(
        null=True, blank=True, help_text="From then on nothing of it could begin to leave."
    )
    waiting = models.PositiveIntegerField(default=0, help_text="Posts that were queued then.")
    flying = models.ManyToManyField(Delivery, blank=True, related_name="+")

    objects = TakeoverQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-begins_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("begins_at")), name="takeover_ends_after_begin"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "released"]) | Q(accepted_at__isnull=False),
                name="takeover_rules_before_release",
            ),
            models.CheckConstraint(
                condition=~Q(state="released") | Q(released_at__isnull=False),
                name="takeover_released_at",
            ),
            models.CheckConstraint(
                condition=Q(released_by__isnull=True) | ~Q(released_by=F("person")),
                name="takeover_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["handed_back", "stopped"], ended_at__isnull=False)
                | (~Q(state__in=["handed_back", "stopped"]) & Q(ended_at__isnull=True)),
                name="takeover_ended_at",
            ),
            models.UniqueConstraint(fields=["planned_by", "submission"], name="takeover_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["person", "-begins_at"], name="takeover_person_time"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.begins_at:%Y-%m-%d %H:%M} {self.state}"

    def stands(self, now: dt.datetime) -> str:
        """Where it stands now: ``asked``, ``accepted``, ``ahead``, ``open`` or ``over``."""
        if self.state not in self.STANDING or self.ends_at <= now:
            return "over"
        if self.state != self.State.RELEASED:
            return "asked" if self.state == self.State.PLANNED else "accepted"
        return "ahead" if self.begins_at > now else "open"
