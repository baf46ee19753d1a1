"""The company's programme: its switches, and its rules of disclosure."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .holdable import Holdable


class Programme(Holdable):
    """One row. Its hold stops everything."""

    name = models.CharField(max_length=120)
    greeting = models.CharField(max_length=40, default="Moin")
    timezone = models.CharField(max_length=64, default="Europe/Berlin")
    two_person_review = models.BooleanField(
        default=True, help_text="Author and approver of company content differ."
    )
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


class ContentClass(models.TextChoices):
    """What a text is in law; decides its label (UWG § 5a(4), MStV § 22)."""

    OWN_STORY = "own_story", _("Own story")
    EMPLOYER_BRAND = "employer_brand", _("Employer brand")
    JOB_AD = "job_ad", _("Job ad")
    PRODUCT = "product", _("Product or offer")
    THIRD_PARTY = "third_party", _("Third party")
    POLITICAL = "political", _("Political")


class DisclosureRule(models.Model):
    """The label for a content class on a network in a language. Newest version wins."""

    class Place(models.TextChoices):
        START = "start", _("at the start")
        END = "end", _("at the end")

    content_class = models.CharField(max_length=20, choices=ContentClass.choices)
    network = models.CharField(max_length=20, blank=True, help_text="Empty: every network.")
    language = models.CharField(max_length=2)
    label = models.CharField(max_length=60)
    place = models.CharField(max_length=5, choices=Place.choices, default=Place.END)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["content_class", "network", "language", "-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["content_class", "network", "language", "version"], name="disclosure_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_class} {self.network} {self.language}: {self.label}"
