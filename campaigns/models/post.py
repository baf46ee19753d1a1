"""What one person puts on one network: copied, opened or published."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person
from campaigns import sameness

from .link import ShortLink
from .picture import Document, Picture
from .suggestion import Suggestion, Variant


class PostQuerySet(models.QuerySet["Post"]):
    """Plain names for questions about posts."""

    def of(self, person: Person | int) -> "PostQuerySet":
        """The person's own; nobody else's are ever listed."""
        return self.filter(person=person)

    def out(self) -> "PostQuerySet":
        """Those that left, by hand or by Botschaft, and that their person let stand."""
        sent = Q(delivery__state="sent", delivery__removed_at__isnull=True)
        return self.filter(Q(delivery__isnull=True) | sent)


class Post(models.Model):
    """A person's text for one network, with the proof of what it said and under which rule."""

    class How(models.TextChoices):
        COPIED = "copied", _("copied")
        OPENED = "opened", _("opened")
        PUBLISHED = "published", _("published")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, db_index=False)
    suggestion = models.ForeignKey(Suggestion, on_delete=models.PROTECT, null=True, blank=True)
    variant = models.ForeignKey(Variant, on_delete=models.SET_NULL, null=True, blank=True)
    network = models.CharField(max_length=20)
    how = models.CharField(max_length=10, choices=How.choices)
    submission = models.UUIDField(help_text="Of the form; a double submit finds the first post.")
    text = models.TextField(help_text="What the person wrote.")
    full_text = models.TextField(help_text="What left: with disclosure and link.")
    language = models.CharField(max_length=2)
    draft = models.TextField(blank=True, help_text="The wording the person started from.")
    own_share = models.PositiveSmallIntegerField(help_text="Per cent of words that are theirs.")
    runs = models.BinaryField(default=bytes, help_text="The text to compare with, as numbers.")
    bands = ArrayField(
        models.IntegerField(),
        default=list,
        editable=False,
        help_text="What a text that says nearly the same has in common with this one.",
    )
    sha256 = models.CharField(max_length=64)
    disclosure_label = models.CharField(max_length=60, blank=True)
    disclosure_version = models.PositiveIntegerField(default=0)
    content_class = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    suggestion_revision = models.PositiveIntegerField(default=0)
    link = models.OneToOneField(ShortLink, on_delete=models.PROTECT, null=True, blank=True)
    picture = models.ForeignKey(Picture, on_delete=models.PROTECT, null=True, blank=True)
    more_pictures = models.ManyToManyField(Picture, blank=True, related_name="+")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True)
    content_warning = models.CharField(max_length=120, blank=True)
    visibility = models.CharField(max_length=10, default="public")
    part = models.PositiveSmallIntegerField(default=0, help_text="Its place in a thread.")
    before = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="after",
        help_text="The part of the thread that must stand before this one leaves.",
    )
    takeover = models.ForeignKey(
        "campaigns.Takeover",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="The slot on a channel under whose right it was written.",
    )
    created_at = models.DateTimeField(db_index=True)
    likes = models.PositiveIntegerField(null=True, blank=True)
    reposts = models.PositiveIntegerField(null=True, blank=True)
    replies = models.PositiveIntegerField(null=True, blank=True)
    quotes = models.PositiveIntegerField(null=True, blank=True)
    impressions = models.PositiveIntegerField(null=True, blank=True)
    conversations = models.PositiveIntegerField(
        null=True, blank=True, help_text="Replies of others that the author answered."
    )
    measured_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(
        null=True, blank=True, help_text="The person typed the figures in themselves."
    )
    reported_url = models.CharField(
        max_length=800, blank=True, help_text="Where the person says that their copied post stands."
    )

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "submission", "network", "how", "part"],
                name="post_once_per_submission",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["suggestion", "created_at"], name="post_suggestion_time"),
            models.Index(fields=["person", "-created_at"], name="post_person_time"),
            models.Index(fields=["person", "suggestion"], name="post_person_suggestion"),
            GinIndex(fields=["bands"], name="post_bands"),
        ]

    def __str__(self) -> str:
        return f"{self.network} {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep what is made of the text in step with a text that is written whole."""
        if kwargs.get("update_fields") is None:
            for column, value in sameness.kept(self.text).items():
                setattr(self, column, value)
        super().save(*args, **kwargs)

    @property
    def has_media(self) -> bool:
        """Tell whether something must be uploaded before the post itself."""
        return bool(self.picture_id or self.document_id or self.more_pictures.all())

    @property
    def reactions(self) -> int | None:
        """Likes, reposts and quotes together; None when nothing was measured."""
        known = [n for n in (self.likes, self.reposts, self.quotes) if n is not None]
        return sum(known) if known else None


class FormerText(models.Model):
    """What a published post said until its person changed it at the network; kept as proof."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE)
    full_text = models.TextField()
    sha256 = models.CharField(max_length=64)
    until = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-until"]

    def __str__(self) -> str:
        return f"{self.post_id} until {self.until}"
