"""Rules in versions, and people's yes to one of them."""

import datetime as dt
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from .person import Person

LONGEST_GRACE = 90  # days


class Guideline(models.Model):
    """One set of rules. Title and words stand in its versions."""

    slug = models.SlugField(unique=True)
    counts_from = models.DateTimeField(
        help_text="No grace time begins earlier: made, or brought back, then."
    )
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.slug


class GuidelineVersionQuerySet(models.QuerySet["GuidelineVersion"]):
    """Plain names for questions about versions."""

    def published(self) -> "GuidelineVersionQuerySet":
        """What people may read, now or ahead of its day, of guidelines that stand."""
        return self.filter(published_at__isnull=False, guideline__retired_at__isnull=True)

    def in_force(self, now: dt.datetime) -> "GuidelineVersionQuerySet":
        """The version of each guideline that holds now: the latest whose day has come."""
        begun = self.published().filter(effective_at__lte=now)
        return begun.order_by("guideline_id", "-number").distinct("guideline_id")


class GuidelineVersion(models.Model):
    """A draft, or what was published and is never changed again (a trigger refuses)."""

    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField(null=True, help_text="Given when it is published.")
    title_de = models.CharField(max_length=120, blank=True)
    title_en = models.CharField(max_length=120, blank=True)
    text_de = models.TextField(blank=True)
    text_en = models.TextField(blank=True)
    change_de = models.CharField(max_length=240, blank=True)
    change_en = models.CharField(max_length=240, blank=True)
    requires_yes = models.BooleanField(default=True)
    grace_days = models.PositiveSmallIntegerField(
        default=14, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_GRACE)]
    )
    quiz = models.JSONField(default=list)
    effective_on = models.DateField(
        null=True, blank=True, help_text="The company's day; none: at once."
    )
    effective_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, related_name="+",
        help_text="Of a draft; the record knows who published.",
    )  # fmt: skip

    objects = GuidelineVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["guideline", "number"], name="guideline_number_once"),
            models.UniqueConstraint(
                fields=["guideline"],
                condition=Q(published_at__isnull=True),
                name="guideline_one_draft",
            ),
            models.CheckConstraint(
                condition=Q(
                    published_at__isnull=True, number__isnull=True, effective_at__isnull=True
                )
                | Q(
                    published_at__isnull=False,
                    number__isnull=False,
                    effective_at__isnull=False,
                    changed_by__isnull=True,
                ),
                name="guideline_published_whole",
            ),
            # A version binds a day after it was published at the earliest, so no start of a post
            # can race with a publication.
            models.CheckConstraint(
                condition=Q(grace_days__gte=1, grace_days__lte=LONGEST_GRACE)
                & (Q(published_at__isnull=True) | Q(effective_at__gte=models.F("published_at"))),
                name="guideline_never_binds_at_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title_in(get_language() or "de")

    def title_in(self, language: str) -> str:
        """Its title in a language, in the other where there is none."""
        first, second = self.title_de, self.title_en
        return (second or first) if language == "en" else (first or second)

    def language_for(self, wanted: str) -> str:
        """The language in which somebody reads it who would like ``wanted``."""
        other = "de" if wanted == "en" else "en"
        return wanted if getattr(self, f"text_{wanted}") else other

    def text_in(self, language: str) -> str:
        """Its words in one of its languages."""
        return self.text_en if language == "en" else self.text_de

    def change_in(self, language: str) -> str:
        """What changed, in a language, in the other where nothing stands in it."""
        first, second = self.change_de, self.change_en
        return (second or first) if language == "en" else (first or second)


class Acknowledgement(models.Model):
    """A person's yes to a version: evidence. The database seals it and never changes it."""

    version = models.ForeignKey(GuidelineVersion, on_delete=models.PROTECT)
    person_key = models.UUIDField(help_text="The person's evidence_key; a new key forgets them.")
    language = models.CharField(max_length=2, choices=Person.Language.choices)
    at = models.DateTimeField()
    sha256 = models.CharField(max_length=64, editable=False, default="", help_text="Of the text.")

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person_key", "version"], name="yes_once"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.language}"


class QuizPass(models.Model):
    """That somebody had all answers right once. No score, no tries; only they see it."""

    version = models.ForeignKey(GuidelineVersion, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    passed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "version"], name="quiz_passed_once"),
        ]

    def __str__(self) -> str:
        return str(self.version_id)


class GuidelineReminder(models.Model):
    """How often the system has reminded somebody. No page reads it; their yes deletes it."""

    version = models.ForeignKey(GuidelineVersion, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    count = models.PositiveSmallIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "version"], name="guideline_reminder_one"),
        ]

    def __str__(self) -> str:
        return str(self.version_id)
