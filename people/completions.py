"""Completions: noted, taken back, shown with a name when the person wants it."""

import datetime as dt

from django.db import transaction

from ambassadors import audit, memberships
from ambassadors.models import Person

from . import requirements
from .models import Booking, Completion, Course, LessonDone


@transaction.atomic
def complete(
    *,
    person: Person,
    course: Course,
    on: dt.date,
    booking: Booking | None = None,
    by: Person | None,
    now: dt.datetime,
) -> Completion:
    """Note that somebody has completed a course on a day; a second time finds the first.

    Effects in order: the completion, the marks of single lessons are forgotten, audit entry, and
    whoever has everything their team asks for moves on (:func:`requirements.look`).
    """
    until = memberships.later(on, course.valid_months) if course.valid_months else None
    completion, new = Completion.objects.get_or_create(
        person=person,
        course=course,
        completed_on=on,
        taken_back_at=None,
        defaults={"booking": booking, "expires_on": until, "noted_at": now},
    )
    LessonDone.objects.filter(person=person, lesson__course=course).delete()
    if new:
        audit.record("course.completed", completion, by=by, now=now, course=course.pk)
        requirements.look(person=person, course=course, now=now)
    return completion


@transaction.atomic
def take_back(*, completion: Completion, by: Person, now: dt.datetime) -> bool:
    """A completion was noted by mistake; its certificate is not valid any more."""
    rows = Completion.objects.filter(pk=completion.pk, taken_back_at__isnull=True)
    if not rows.update(taken_back_at=now, booking=None):
        return False
    audit.record("course.completion_taken_back", completion, by=by, now=now)
    return True


def show_name(*, completion: Completion, by: Person, shows: bool) -> None:
    """The person lets the check of their code say whose it is, or not any more."""
    Completion.objects.filter(pk=completion.pk, person=by).update(shows_name=shows)
