"""The company's programme: its switches, and its rules of disclosure."""

import datetime as dt
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person

from .holdable import Holdable


class Programme(Holdable):
    """One row. Its hold stops everything."""

    name = models.CharField(max_length=120)
    greeting = models.CharField(max_length=40, default="Moin")
    timezone = models.CharField(max_length=64, default="Europe/Berlin")
    two_person_review = models.BooleanField(
        default=True, help_text="Author and approver of company content differ."
    )
    country = models.CharField(
        max_length=2, default="DE", help_text="Whose holidays count where somebody has no site."
    )
    subdivision = models.CharField(max_length=32, blank=True)
    quiet_from_hour = models.PositiveSmallIntegerField(default=19)
    quiet_until_hour = models.PositiveSmallIntegerField(default=7)
    press_contact = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(pk=1), name="programme_is_one"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def the(cls) -> "Programme":
        """The one row; made on first use."""
        return cls.objects.get_or_create(pk=1, defaults={"name": "Botschaft"})[0]

    @property
    def zone(self) -> ZoneInfo:
        """The company's wall clock."""
        return ZoneInfo(self.timezone)

    def today(self, now: dt.datetime) -> dt.date:
        """The company's day."""
        return now.astimezone(self.zone).date()


class ContentClass(models.TextChoices):
    """What a text is in law; decides its label (UWG § 5a(4), MStV § 22)."""

    OWN_STORY = "own_story", _("Own story")
    EMPLOYER_BRAND = "employer_brand", _("Employer brand")
    JOB_AD = "job_ad", _("Job ad")
    PRODUCT = "product", _("Product or offer")
    THIRD_PARTY = "third_party", _("Third party")
    POLITICAL = "political", _("Political")


class DisclosureTable(models.Model):
    """One version of all rules of disclosure: proposed, then in force or dropped, never changed.

    The newest one in force counts. Triggers keep it and its rules as they are.
    """

    version = models.PositiveIntegerField(unique=True)
    note = models.CharField(max_length=400, blank=True, help_text="Why it was proposed.")
    proposed_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    proposed_at = models.DateTimeField()
    in_force_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    in_force_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(in_force_at__isnull=True, dropped_at__isnull=True),
                name="disclosure_one_proposal",
            ),
            models.CheckConstraint(
                condition=models.Q(in_force_at__isnull=True) | models.Q(dropped_at__isnull=True),
                name="disclosure_in_force_or_dropped",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}"


class DisclosureRule(models.Model):
    """The label for a content class on a network in a language and country."""

    class Place(models.TextChoices):
        START = "start", _("at the start")
        END = "end", _("at the end")

    table = models.ForeignKey(DisclosureTable, on_delete=models.PROTECT)
    content_class = models.CharField(max_length=20, choices=ContentClass.choices)
    network = models.CharField(max_length=20, blank=True, help_text="Empty: every network.")
    language = models.CharField(max_length=2)
    country = models.CharField(max_length=2, blank=True, help_text="Empty: every country.")
    label = models.CharField(max_length=60, blank=True)
    place = models.CharField(max_length=5, choices=Place.choices, default=Place.END)

    class Meta:
        ordering: ClassVar = ["table", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["table", "content_class", "network", "language", "country"],
                name="disclosure_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_class} {self.network} {self.language} {self.country}: {self.label}"
