"""Tracked links, and how often people came through them."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q


class ShortLink(models.Model):
    """A tracked link without cookies. Where it leads is fixed when it is made.

    Clicks are estimated (:mod:`campaigns.clicks`): ``clicks`` is the sum of the link's days.
    """

    code = models.CharField(max_length=12, unique=True)
    target = models.URLField(max_length=1000)
    tags = models.CharField(
        max_length=400, blank=True, help_text="Query that tells the target's own figures apart."
    )
    clicks = models.PositiveIntegerField(default=0)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(target__startswith="https://") | Q(target__startswith="http://"),
                name="short_link_leads_to_the_web",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class ClickDay(models.Model):
    """How many people came through a link on one day of the company; estimated."""

    link = models.ForeignKey(ShortLink, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["link", "day"], name="click_day_once"),
        ]
        indexes: ClassVar = [BrinIndex(fields=["day"], name="click_day_brin")]

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"


class ClickBucket(models.Model):
    """A bucket of clicks that was written down, so that it never is again; kept for a day."""

    id = models.UUIDField(primary_key=True)
    written_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.id)
