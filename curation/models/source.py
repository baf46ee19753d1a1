"""Where drafts come from without anybody typing: feeds, job lists, our own website."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person
from campaigns.models import Suggestion, Topic
from campaigns.models.programme import ContentClass


class Source(models.Model):
    """An address that is read again and again. ``attempt`` numbers the claims, as a fence."""

    class Kind(models.TextChoices):
        FEED = "feed", _("Feed")
        JOBS = "jobs", _("Job ads")
        SITEMAP = "sitemap", _("Sitemap")
        PAGES = "pages", _("List of pages")

    class Every(models.IntegerChoices):
        QUARTER = 15, _("every 15 minutes")
        HOUR = 60, _("every hour")
        SIX_HOURS = 360, _("every 6 hours")
        DAY = 1440, _("once a day")

    url = models.URLField(max_length=1000, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    keeper = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="sources")
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="+")
    content_class = models.CharField(max_length=20, choices=ContentClass.choices)
    tone = models.CharField(max_length=10, choices=Suggestion.Tone.choices)
    language = models.CharField(max_length=2, default="de")
    every_minutes = models.PositiveSmallIntegerField(choices=Every.choices, default=Every.HOUR)
    added_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True, blank=True)
    next_fetch_at = models.DateTimeField()
    attempt = models.PositiveIntegerField(default=0)
    etag = models.CharField(max_length=200, blank=True)
    modified = models.CharField(max_length=200, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    why = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    older = models.PositiveIntegerField(default=0)
    unusable = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["next_fetch_at"], condition=Q(paused_at__isnull=True), name="source_due"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SourceRule(models.Model):
    """What an entry becomes whose title or category has these words; the first that fits decides.

    Empty columns keep what the source says. ``skip`` leaves the entry out.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE)
    words = models.CharField(max_length=80)
    topic = models.ForeignKey(
        Topic, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    content_class = models.CharField(max_length=20, choices=ContentClass.choices, blank=True)
    tone = models.CharField(max_length=10, choices=Suggestion.Tone.choices, blank=True)
    language = models.CharField(max_length=2, blank=True)
    skip = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "words"], name="source_rule_once"),
        ]

    def __str__(self) -> str:
        return self.words


class SourceItem(models.Model):
    """An entry that was seen, so that it comes once. Keys are SHA-256 of guid, link and words."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="items")
    guid_key = models.CharField(max_length=64)
    link_key = models.CharField(max_length=64, unique=True)
    content_key = models.CharField(max_length=64)
    link = models.URLField(max_length=1000)
    title = models.CharField(max_length=200, blank=True)
    summary = models.CharField(max_length=400, blank=True)
    categories = models.JSONField(default=list)
    at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)
    skipped = models.BooleanField(default=False)
    suggestion = models.ForeignKey(Suggestion, on_delete=models.SET_NULL, null=True, blank=True)
    written_revision = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = [models.F("at").desc(nulls_last=True), "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "guid_key"], name="source_item_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["source", "content_key"], name="source_item_words"),
        ]

    def __str__(self) -> str:
        return self.title or self.link
