"""Teams of a kind, and who is in them when."""

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from .person import Person, Site


class TeamKind(models.Model):
    """A kind of team. Three behave in a way of their own, others are words and a profile."""

    class Behaviour(models.TextChoices):
        MULTIPLIER = "multiplier", _("Multiplier")
        CONTACT = "contact", _("Contact")
        EXPERT = "expert", _("Expert")
        PLAIN = "plain", _("No behaviour of its own")

    slug = models.SlugField(unique=True)
    behaviour = models.CharField(max_length=12, choices=Behaviour.choices)
    name_de = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    profile_de = models.TextField(blank=True)
    profile_en = models.TextField(blank=True)
    tasks = models.JSONField(default=list)
    hours_per_month = models.DecimalField(max_digits=4, decimal_places=1, default=4)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.name_en if get_language() == "en" else self.name_de


class Team(models.Model):
    """A group with a job."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    kind = models.ForeignKey(TeamKind, on_delete=models.PROTECT)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True)
    lead = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="leads"
    )
    purpose = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One term of one person in one team. A second term is a second row."""

    class Stage(models.TextChoices):
        NOMINATED = "nominated", _("nominated")
        INVITED = "invited", _("invited")
        IN_TRAINING = "in_training", _("in training")
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        ALUMNI = "alumni", _("alumni")

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    team = models.ForeignKey(Team, on_delete=models.PROTECT)
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.NOMINATED)
    stage_since_on = models.DateField()
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-started_on", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "team"],
                condition=models.Q(ended_on__isnull=True),
                name="membership_one_open_term",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_on__isnull=True)
                | models.Q(ended_on__gte=models.F("started_on")),
                name="membership_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.team}"


class MembershipStep(models.Model):
    """History: since when a membership was at a stage."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE)
    stage = models.CharField(max_length=12, choices=Membership.Stage.choices)
    since_on = models.DateField()

    class Meta:
        ordering: ClassVar = ["since_on", "pk"]

    def __str__(self) -> str:
        return f"{self.stage} {self.since_on}"
