"""Teams of a kind, and who is in them when."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import Count, F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from .person import Person, Site

MOST_PLACES, MOST_MONTHS = 10_000, 60


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
    tasks = models.JSONField(default=list, help_text="One sentence each, in German.")
    tasks_en = models.JSONField(default=list, help_text="The same in English.")
    hours_per_month = models.DecimalField(max_digits=4, decimal_places=1, default=4)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.name_en if get_language() == "en" else self.name_de

    @property
    def profile(self) -> str:
        """What one is asked to be, in the language of the page."""
        return self.profile_en if get_language() == "en" else self.profile_de

    @property
    def task_list(self) -> list[str]:
        """What one does, in the language of the page; in German where nobody translated it."""
        found: list[str] = self.tasks_en if get_language() == "en" and self.tasks_en else self.tasks
        return found


class TeamQuerySet(models.QuerySet["Team"]):
    """Plain names for questions about teams."""

    def looked_after_by(self, person: Person) -> "TeamQuerySet":
        """All for HR; those they lead for anybody else."""
        return self if person.has_role("hr") else self.filter(lead=person)

    def with_taken(self) -> "TeamQuerySet":
        """Each with ``taken``: how many of its places somebody has or is offered; and ``free``.

        ``free`` is below nothing where the team shrank, and none for a team without a limit.
        """
        held = Q(membership__ended_on__isnull=True, membership__stage__in=Membership.HOLDS_PLACE)
        taken = Count("membership", filter=held, distinct=True)
        return self.annotate(taken=taken, free=F("capacity") - taken)

    def having_place(self) -> "TeamQuerySet":
        """Those that somebody could still be offered a place in."""
        return self.with_taken().filter(Q(capacity__isnull=True) | Q(free__gt=0))


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
    capacity = models.PositiveIntegerField(
        null=True, blank=True, help_text="Places; empty for no limit. A trigger counts."
    )
    term_months = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How long a term is; empty for one without an end."
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(capacity__isnull=True) | Q(capacity__range=(1, MOST_PLACES)),
                name="team_capacity_in_range",
            ),
            models.CheckConstraint(
                condition=Q(term_months__isnull=True) | Q(term_months__range=(1, MOST_MONTHS)),
                name="team_term_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Plain names for questions about terms."""

    def open(self) -> "MembershipQuerySet":
        """Terms that have not ended, of people who work here."""
        return self.filter(ended_on__isnull=True, person__left_at__isnull=True)

    def serving(self, behaviour: str, on: dt.date) -> "MembershipQuerySet":
        """Active on a day in a team of a behaviour, and still with the company.

        Ask it when a page is read: who leaves or pauses is out of it with the next question.
        """
        return self.open().filter(
            stage=Membership.Stage.ACTIVE,
            started_on__lte=on,
            person__is_active=True,
            team__kind__behaviour=behaviour,
        )


class Membership(models.Model):
    """One term of one person in one team. A second term is a second row."""

    class Stage(models.TextChoices):
        NOMINATED = "nominated", _("nominated")
        INVITED = "invited", _("invited")
        IN_TRAINING = "in_training", _("in training")
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        ALUMNI = "alumni", _("alumni")

    HOLDS_PLACE: ClassVar = ("invited", "in_training", "active", "paused")

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    team = models.ForeignKey(Team, on_delete=models.PROTECT)
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.NOMINATED)
    stage_since_on = models.DateField()
    started_on = models.DateField()
    until_on = models.DateField(
        null=True, blank=True, help_text="The last day of the term as agreed; it may be renewed."
    )
    renewal_asked_at = models.DateTimeField(null=True, blank=True)
    paused_until_on = models.DateField(
        null=True, blank=True, help_text="The last day of the pause, if the person named one."
    )
    ended_on = models.DateField(null=True, blank=True)
    by_group = models.BooleanField(
        default=False, help_text="Comes from a group of the directory and goes with it."
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-started_on", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "team"],
                condition=Q(ended_on__isnull=True),
                name="membership_one_open_term",
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
                name="membership_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(stage="alumni", ended_on__isnull=False)
                | (~Q(stage="alumni") & Q(ended_on__isnull=True)),
                name="membership_ended_is_alumni",
            ),
            models.CheckConstraint(
                condition=Q(paused_until_on__isnull=True) | Q(stage="paused"),
                name="membership_pause_has_its_stage",
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("started_on")),
                name="membership_until_after_start",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["stage", "team"], name="membership_stage_team"),
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
