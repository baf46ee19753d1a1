"""Lessons at one's own pace, their questions, and how far somebody is."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from ambassadors.models import Person
from campaigns.models import Picture

from .course import Course


class Lesson(models.Model):
    """One page of a course: text, perhaps a picture, a film with captions, questions."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE)
    place = models.PositiveSmallIntegerField(help_text="Its order in the course.")
    title = models.CharField(max_length=120)
    text = models.TextField(blank=True, help_text="Small Markdown.")
    picture = models.ForeignKey(
        Picture, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    video = models.FileField(upload_to="films/", blank=True)
    video_type = models.CharField(max_length=20, blank=True)
    captions = models.TextField(blank=True, help_text="WebVTT.")
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["place", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(video="", video_type="") | (~Q(video="") & ~Q(video_type="")),
                name="lesson_video_has_type",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Question(models.Model):
    """A question of a lesson. Which answers are right never reaches a page before an answer."""

    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE)
    place = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=500)
    explanation = models.TextField(blank=True, help_text="Shown with the result.")

    class Meta:
        ordering: ClassVar = ["place", "pk"]

    def __str__(self) -> str:
        return self.text


class Choice(models.Model):
    """One answer to choose, right or not."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE)
    place = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300)
    right = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["place", "pk"]

    def __str__(self) -> str:
        return self.text


class LessonDone(models.Model):
    """Somebody is through with a lesson. Theirs alone, and gone once the course is completed."""

    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    done_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lesson", "person"], name="lesson_done_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.lesson_id}"
