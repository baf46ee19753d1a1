"""Open calls of teams, and who put themselves forward."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language

from ambassadors.models import Person, Team, TeamKind
from ambassadors.models.team import MOST_PLACES


class CallQuerySet(models.QuerySet["Call"]):
    """Plain names for questions about calls."""

    def running(self, now: dt.datetime) -> "CallQuerySet":
        """Those one can answer at an instant."""
        return self.filter(opens_at__lte=now, closes_at__gt=now, ended_at__isnull=True)

    def looked_after_by(self, person: Person) -> "CallQuerySet":
        """All for HR; those of the teams they lead for anybody else."""
        return self if person.has_role("hr") else self.filter(team__lead=person)


class Call(models.Model):
    """A team, or all teams of a kind, look for people from one instant to another."""

    slug = models.SlugField(unique=True, max_length=60)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True)
    kind = models.ForeignKey(TeamKind, on_delete=models.CASCADE, null=True, blank=True)
    title_de = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120, blank=True)
    text_de = models.TextField()
    text_en = models.TextField(blank=True)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    timezone = models.CharField(max_length=64, help_text="On whose wall clock both were meant.")
    places = models.PositiveIntegerField(null=True, blank=True, help_text="Empty for no limit.")
    submission = models.UUIDField(unique=True, help_text="A double submit finds the first one.")
    made_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Closed early.")

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["closes_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="call_closes_after_it_opens"
            ),
            models.CheckConstraint(
                condition=Q(places__isnull=True) | Q(places__range=(1, MOST_PLACES)),
                name="call_places_in_range",
            ),
            models.CheckConstraint(
                condition=Q(team__isnull=True, kind__isnull=False)
                | Q(team__isnull=False, kind__isnull=True),
                name="call_of_a_team_or_a_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def language(self) -> str:
        """In which language the page shows it: English only where somebody wrote it."""
        return "en" if get_language() == "en" and self.title_en and self.text_en else "de"

    @property
    def title(self) -> str:
        """The title in :attr:`language`."""
        return self.title_en if self.language == "en" else self.title_de

    @property
    def text(self) -> str:
        """The text in :attr:`language`."""
        return self.text_en if self.language == "en" else self.text_de

    def stands(self, now: dt.datetime) -> str:
        """``ahead``, ``open`` or ``over`` at an instant."""
        if self.ended_at or now >= self.closes_at:
            return "over"
        return "ahead" if now < self.opens_at else "open"


class Application(models.Model):
    """Somebody puts themselves forward. Taken back, nothing of it remains."""

    OPEN: ClassVar = ("applied", "waiting")

    call = models.ForeignKey(Call, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True,
        help_text="For which team they wait or were invited.",
    )  # fmt: skip
    state = models.CharField(max_length=8, default="applied")
    why = models.TextField()
    topics = models.JSONField(default=list, help_text="Slugs.")
    languages = models.JSONField(default=list)
    networks = models.JSONField(default=list)
    hours_per_month = models.DecimalField(max_digits=4, decimal_places=1)
    applied_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    word = models.TextField(blank=True, help_text="What the person was told with a no.")

    class Meta:
        ordering: ClassVar = ["applied_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["call", "person"],
                condition=Q(state__in=("applied", "waiting")),
                name="application_one_open",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("applied", "waiting", "invited", "declined")),
                name="application_state",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("applied", "waiting"), decided_at__isnull=True)
                | Q(state__in=("invited", "declined"), decided_at__isnull=False),
                name="application_decided_when",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(team__isnull=False, waiting_since__isnull=False),
                name="application_waits_for_a_team",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.call}"
