"""Dated and versioned yes and no."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .person import Person


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Plain names for questions about consents."""

    def given(self) -> "ConsentQuerySet":
        """Those that hold now."""
        return self.filter(withdrawn_at__isnull=True)


class Consent(models.Model):
    """One yes to one purpose in one wording. A new yes after a no is a new row."""

    class Purpose(models.TextChoices):
        LINK_ACCOUNT = "link_account", _("Connect an account")
        PUBLISH = "publish", _("Publish for me")
        ENGAGEMENT = "engagement", _("Fetch engagement")
        ROSTER = "roster", _("Appear in the roster")
        CONTACT_CARD = "contact_card", _("Public contact card")
        SPEAKER = "speaker", _("Speaker profile")
        PHOTO = "photo", _("Show my photo")
        LEADERBOARD = "leaderboard", _("Take part in comparisons")

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    version = models.CharField(max_length=20)
    wording = models.TextField()
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["given_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "purpose"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="consent_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.version}"
