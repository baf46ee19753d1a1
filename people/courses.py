"""The life of a course: written, published when it is whole, withdrawn."""

import datetime as dt

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person

from .models import Course, Lesson

FIELDS = (
    "title_de", "title_en", "about_de", "about_en", "for_whom_de", "for_whom_en", "language",
    "valid_months", "executives_place",
)  # fmt: skip


class Changed(Exception):
    """Somebody else has changed the course since the form was opened."""


@transaction.atomic
def write(*, course: Course, by: Person, now: dt.datetime) -> Course:
    """Store a new course, or the words of one. Raises :class:`Changed`."""
    if course.pk is None:
        course.made_at = now
        course.save()
        audit.record("course.made", course, by=by, now=now)
        return course
    words = {name: getattr(course, name) for name in FIELDS}
    rows = Course.objects.filter(pk=course.pk, revision=course.revision)
    if not rows.update(**words, revision=F("revision") + 1):
        raise Changed
    audit.record("course.changed", course, by=by, now=now)
    return course


def lacks(course: Course) -> list[str]:
    """What must be there before it is published, as sentences; empty when it is whole."""
    if course.how == Course.How.DATES:
        return []
    lessons = list(
        course.lesson_set.select_related("picture").prefetch_related("question_set__choice_set")
    )
    if not lessons:
        return [_("It needs at least one lesson.")]
    return [sentence for lesson in lessons for sentence in lacks_of(lesson)]


def lacks_of(lesson: Lesson) -> list[str]:
    """What a lesson still needs before anybody learns from it."""
    found, said = [], {"title": lesson.title}
    if lesson.video and not lesson.captions:
        found.append(_("“%(title)s”: the film needs captions.") % said)
    if lesson.picture and not lesson.picture.alt(lesson.course.language):
        found.append(_("“%(title)s”: say what is to be seen in the picture.") % said)
    questions = list(lesson.question_set.all())
    if not (lesson.text or lesson.video or questions):
        found.append(_("“%(title)s” is empty.") % said)
    for question in questions:
        answers = list(question.choice_set.all())
        if len(answers) < 2 or not any(answer.right for answer in answers):
            found.append(_("“%(title)s”: a question needs two answers, one of them right.") % said)
    return found


@transaction.atomic
def publish(*, course: Course, by: Person, now: dt.datetime) -> list[str]:
    """Offer a course, again too; returns what it lacks, and then nothing is done."""
    Course.objects.select_for_update().get(pk=course.pk)
    if missing := lacks(course):
        return missing
    Course.objects.filter(pk=course.pk).update(published_at=now, withdrawn_at=None)
    audit.record("course.published", course, by=by, now=now)
    return []


@transaction.atomic
def withdraw(*, course: Course, by: Person, now: dt.datetime) -> bool:
    """Offer a course no longer. Seats and completions stay; no team asks for it meanwhile."""
    rows = Course.objects.filter(pk=course.pk, published_at__isnull=False)
    if not rows.filter(withdrawn_at__isnull=True).update(withdrawn_at=now):
        return False
    audit.record("course.withdrawn", course, by=by, now=now)
    return True
