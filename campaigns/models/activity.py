"""Requests to comment, like or share something: done by hand, by the person, or not at all."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person

from .topic import Topic


class ActivityQuerySet(models.QuerySet["Activity"]):
    """Plain names for questions about activities."""

    def live(self, now: dt.datetime) -> "ActivityQuerySet":
        """Not over, not ended by anybody, and its topic not on hold."""
        return self.filter(ends_at__gt=now, ended_at__isnull=True, topic__held_at__isnull=True)

    def open_to(self, person: Person) -> "ActivityQuerySet":
        """Those the person has not put away."""
        put_away = ActivityAnswer.objects.filter(activity=OuterRef("pk"), person=person)
        return self.filter(~Exists(put_away))


class Activity(models.Model):
    """One request, with a link to what it is about. It ends by itself."""

    class Kind(models.TextChoices):
        COMMENT = "comment", _("Comment")
        LIKE = "like", _("Like")
        SHARE = "share", _("Share")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    topic = models.ForeignKey(
        Topic, on_delete=models.PROTECT, help_text="Its hold hides the request."
    )
    title = models.CharField(max_length=120)
    why = models.CharField(max_length=400)
    language = models.CharField(max_length=2, default="de")
    link_url = models.URLField(max_length=1000)
    ends_at = models.DateTimeField()
    submission = models.UUIDField(help_text="Of the form; a double submit finds the first one.")
    created_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Ended early by a curator.")

    objects = ActivityQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["ends_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("created_at")), name="activity_ends_after_begin"
            ),
            models.CheckConstraint(
                condition=Q(link_url__startswith="https://"), name="activity_link_is_https"
            ),
            models.UniqueConstraint(fields=["created_by", "submission"], name="activity_once"),
        ]

    def __str__(self) -> str:
        return self.title


class ActivityAnswer(models.Model):
    """A person has put a request away. Whether they did it is not even asked."""

    activity = models.ForeignKey(Activity, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["activity", "person"], name="activity_answer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.activity_id}"
