"""Courses, what teams ask for, and what somebody has completed."""

import datetime as dt
import secrets
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person, Team, TeamKind


class CourseQuerySet(models.QuerySet["Course"]):
    """Plain names for questions about courses."""

    def offered(self) -> "CourseQuerySet":
        """Those that people find and take."""
        return self.filter(published_at__isnull=False, withdrawn_at__isnull=True)


class Course(models.Model):
    """Something one can learn: on a date with others, or alone in lessons."""

    class How(models.TextChoices):
        DATES = "dates", _("On a date, with others")
        LESSONS = "lessons", _("In lessons, at one’s own pace")

    title_de = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120, blank=True)
    about_de = models.TextField(blank=True)
    about_en = models.TextField(blank=True)
    for_whom_de = models.CharField(max_length=200, blank=True)
    for_whom_en = models.CharField(max_length=200, blank=True)
    language = models.CharField(
        max_length=2, choices=Person.Language.choices, help_text="In which it is held."
    )
    how = models.CharField(max_length=8, choices=How.choices)
    valid_months = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How long a completion holds; empty: for good."
    )
    executives_place = models.PositiveSmallIntegerField(
        null=True, blank=True, unique=True, help_text="Its place on the path for executives."
    )
    revision = models.PositiveIntegerField(default=1)
    published_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["title_de", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_months__isnull=True)
                | Q(valid_months__gte=1, valid_months__lte=120),
                name="course_valid_for_ten_years_at_most",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def _in(self, name: str) -> str:
        german, english = getattr(self, f"{name}_de"), getattr(self, f"{name}_en")
        return str((english or german) if get_language() == "en" else (german or english))

    @property
    def title(self) -> str:
        """The title in the reader's language, or the other one."""
        return self._in("title")

    @property
    def about(self) -> str:
        """What it is about, in the reader's language, or the other one."""
        return self._in("about")

    @property
    def for_whom(self) -> str:
        """Whom it is for, in the reader's language, or the other one."""
        return self._in("for_whom")

    @property
    def is_offered(self) -> bool:
        """Tell whether people find and take it."""
        return self.published_at is not None and self.withdrawn_at is None


class Requirement(models.Model):
    """A team, or every team of a kind, wants a course completed before somebody becomes active."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True)
    kind = models.ForeignKey(TeamKind, on_delete=models.CASCADE, null=True, blank=True)
    since_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(team__isnull=False, kind__isnull=True)
                | Q(team__isnull=True, kind__isnull=False),
                name="requirement_of_team_or_kind",
            ),
            models.UniqueConstraint(fields=["course", "team"], name="requirement_once_for_a_team"),
            models.UniqueConstraint(fields=["course", "kind"], name="requirement_once_for_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.team_id or self.kind_id} {self.course_id}"


class SelfStart(models.Model):
    """A team whose people become active by themselves when nothing is missing any more."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="self_start")
    since_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.team_id)


class CompletionQuerySet(models.QuerySet["Completion"]):
    """Plain names for questions about completions."""

    def valid(self, on: dt.date) -> "CompletionQuerySet":
        """Those that hold on a day."""
        return self.filter(
            Q(expires_on__isnull=True) | Q(expires_on__gte=on), taken_back_at__isnull=True
        )


def new_code() -> str:
    """A code that nobody guesses: 130 bits, in letters and digits that do not look alike."""
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _n in range(26))


class Completion(models.Model):
    """Somebody completed a course. A later one is a second row; a mistake is taken back."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="completions")
    booking = models.OneToOneField(
        "people.Booking", on_delete=models.SET_NULL, null=True, blank=True
    )
    completed_on = models.DateField()
    expires_on = models.DateField(null=True, blank=True, help_text="The last day it holds.")
    code = models.CharField(max_length=26, unique=True, default=new_code, editable=False)
    shows_name = models.BooleanField(
        default=False, help_text="The person lets the check of the code say whose it is."
    )
    noted_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)

    objects = CompletionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-completed_on", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(expires_on__isnull=True) | Q(expires_on__gte=F("completed_on")),
                name="completion_expires_after",
            ),
            models.UniqueConstraint(
                fields=["person", "course", "completed_on"],
                condition=Q(taken_back_at__isnull=True),
                name="completion_once_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.course_id} {self.completed_on}"

    def holds(self, on: dt.date) -> bool:
        """Tell whether it holds on a day."""
        return self.taken_back_at is None and (self.expires_on is None or self.expires_on >= on)
