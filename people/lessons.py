"""Lessons: written by HR, gone through by people; what is passed is kept, and no score."""

import datetime as dt
from dataclasses import dataclass

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from ambassadors import audit, memberships
from ambassadors.models import Person
from campaigns import wording
from campaigns.refusals import FieldRefused, fitting

from . import completions, films
from .models import Choice, Completion, Course, Lesson, LessonDone, Question

MOST_QUESTIONS, MOST_ANSWERS = 20, 8
LONGEST_QUESTION, LONGEST_ANSWER, LONGEST_EXPLANATION = 500, 300, 2_000  # characters
RENEW_WITHIN = dt.timedelta(days=60)


class NotKept(FieldRefused):
    """A lesson or a question cannot be stored so; ``field`` says where the sentence belongs."""


class Changed(Exception):
    """Somebody else has changed the lesson since the form was opened."""


class ForeignAnswer(Exception):
    """An answer was sent that does not belong to its question."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One question as somebody answered it; it is right when all right answers were chosen."""

    question: Question
    chosen: frozenset[int]
    right: bool


@transaction.atomic
def add(*, course: Course, title: str, by: Person, now: dt.datetime) -> Lesson:
    """Begin a lesson at the end of a course. Raises :class:`NotKept`."""
    clean = fitting(NotKept, "title", title, most=120, empty=_("Write something first."))
    Course.objects.select_for_update().get(pk=course.pk)
    last = Lesson.objects.filter(course=course).aggregate(last=Max("place"))["last"] or 0
    lesson = Lesson.objects.create(course=course, place=last + 1, title=" ".join(clean.split()))
    audit.record("lesson.made", lesson, by=by, now=now, course=course.pk)
    return lesson


@transaction.atomic
def write(
    *,
    lesson: Lesson,
    video: "UploadedFile[bytes] | None",
    without_video: bool,
    by: Person,
    now: dt.datetime,
) -> None:
    """Store a lesson's words, picture, film and captions if nobody else did meanwhile.

    Raises :class:`Changed`, :class:`films.FilmRefused`. A published course must stay whole: see
    :func:`courses.lacks_of`, which the page shows; a film without captions is not shown to anybody.
    """
    words = {name: getattr(lesson, name) for name in ("title", "text", "picture", "captions")}
    old = lesson.video.name
    if video:
        kind = films.kind_of(video)
        video.name = f"lesson-{lesson.pk}.{films.ENDINGS[kind]}"
        lesson.video.save(video.name, video, save=False)
        lesson.video_type = kind
    elif without_video:
        lesson.video, lesson.video_type = "", ""
        words["captions"] = ""
    rows = Lesson.objects.filter(pk=lesson.pk, revision=lesson.revision)
    if not rows.update(
        **words,
        video=lesson.video.name or "",
        video_type=lesson.video_type,
        revision=F("revision") + 1,
    ):
        if video:
            lesson.video.storage.delete(lesson.video.name or "")
        raise Changed
    if old and old != lesson.video.name:
        storage = Lesson._meta.get_field("video").storage  # noqa: SLF001 - Django's documented name
        transaction.on_commit(lambda: storage.delete(old))
    audit.record("lesson.changed", lesson, by=by, now=now)


@transaction.atomic
def swap(*, lesson: Lesson, up: bool) -> None:
    """Change places with the lesson before, or the one after."""
    rows = list(Lesson.objects.select_for_update().filter(course=lesson.course_id))
    at = next((n for n, row in enumerate(rows) if row.pk == lesson.pk), None)
    other = None if at is None else at + (-1 if up else 1)
    if at is None or other is None or not 0 <= other < len(rows):
        return
    rows[at], rows[other] = rows[other], rows[at]
    for place, row in enumerate(rows, 1):
        Lesson.objects.filter(pk=row.pk).update(place=place)


@transaction.atomic
def remove(*, lesson: Lesson, by: Person, now: dt.datetime) -> None:
    """A lesson goes, with its film and questions. Completions stay."""
    audit.record("lesson.removed", lesson, by=by, now=now, course=lesson.course_id)
    name, storage = lesson.video.name, lesson.video.storage
    lesson.delete()
    if name:
        transaction.on_commit(lambda: storage.delete(name))


@transaction.atomic
def ask(
    *, lesson: Lesson, text: str, answers: list[tuple[str, bool]], explanation: str
) -> Question:
    """Add a question; answers are texts and whether each is right. Raises :class:`NotKept`."""
    clean = fitting(
        NotKept, "question", text, most=LONGEST_QUESTION, empty=_("Write the question.")
    )
    said = wording.clean(explanation)
    if len(said) > LONGEST_EXPLANATION:
        raise NotKept(
            "explanation", _("At most %(most)s characters.") % {"most": LONGEST_EXPLANATION}
        )
    kept = [
        (fitting(NotKept, "answers", answer, most=LONGEST_ANSWER, empty=""), right)
        for answer, right in answers
        if not wording.is_blank(wording.clean(answer))
    ]
    if not 2 <= len(kept) <= MOST_ANSWERS or not any(right for _text, right in kept):
        raise NotKept("answers", _("Two to eight answers, and at least one of them right."))
    Lesson.objects.select_for_update().get(pk=lesson.pk)
    place = lesson.question_set.count() + 1
    if place > MOST_QUESTIONS:
        raise NotKept("question", _("At most %(most)s questions.") % {"most": MOST_QUESTIONS})
    question = Question.objects.create(lesson=lesson, place=place, text=clean, explanation=said)
    Choice.objects.bulk_create(
        Choice(question=question, place=n, text=answer, right=right)
        for n, (answer, right) in enumerate(kept, 1)
    )
    return question


def may_finish(person: Person, course: Course, on: dt.date) -> bool:
    """Tell whether lessons count now: not while a completion holds for another two months."""
    held = Completion.objects.valid(on).filter(person=person, course=course)
    return not held.exclude(expires_on__lte=on + RENEW_WITHIN).exists()


def check(lesson: Lesson, chosen: dict[int, set[int]]) -> list[Answered]:
    """Compare what was chosen, by question, with what is right. Raises :class:`ForeignAnswer`."""
    found = []
    for question in lesson.question_set.prefetch_related("choice_set"):
        answers = question.choice_set.all()
        picked = frozenset(chosen.get(question.pk, set()))
        if picked - {answer.pk for answer in answers}:
            raise ForeignAnswer
        right = picked == {answer.pk for answer in answers if answer.right}
        found.append(Answered(question, picked, right))
    return found


@transaction.atomic
def finish(*, lesson: Lesson, by: Person, now: dt.datetime) -> Completion | None:
    """The person is through with a lesson; after the last one the course is completed.

    Returns the completion then. Which lessons somebody has done is seen by nobody else, and
    forgotten with the completion.
    """
    course, today = lesson.course, memberships.day_of(now)
    Person.objects.select_for_update(no_key=True).get(pk=by.pk)  # two tabs: one completion
    if not course.is_offered or not may_finish(by, course, today):
        return None
    LessonDone.objects.get_or_create(lesson=lesson, person=by, defaults={"done_at": now})
    through = LessonDone.objects.filter(person=by).values("lesson")
    if Lesson.objects.filter(course=course).exclude(pk__in=through).exists():
        return None
    return completions.complete(person=by, course=course, on=today, by=by, now=now)
