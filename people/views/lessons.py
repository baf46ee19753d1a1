"""A lesson for whoever learns: text, picture, film with captions, questions. No script needed."""

from typing import BinaryIO, cast

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ambassadors.models import Person
from integrations import markup
from people import captions, films
from people import lessons as verbs
from people.models import Lesson, LessonDone


def _visible(person: Person) -> "QuerySet[Lesson]":
    """Lessons of offered courses; HR and curators look at others before they are published."""
    rows = Lesson.objects.select_related("course", "picture")
    if person.has_role("hr"):
        return rows
    return rows.filter(course__published_at__isnull=False, course__withdrawn_at__isnull=True)


@csp_update({"media-src": [SELF]})  # type: ignore[arg-type]
def lesson(request: HttpRequest, pk: int) -> HttpResponse:
    """One lesson; on POST it is done, or its questions are answered."""
    person = cast("Person", request.user)
    found = get_object_or_404(_visible(person), pk=pk)
    if request.method == "POST":
        return _answer(request, found, person)
    return _page(request, found, person, [])


def _answer(request: HttpRequest, found: Lesson, person: Person) -> HttpResponse:
    """Check the answers; a lesson without questions is done with one press."""
    chosen = {
        pk: {_key(value) for value in request.POST.getlist(f"q{pk}")}
        for pk in found.question_set.values_list("pk", flat=True)
    }
    try:
        answered = verbs.check(found, chosen)
    except verbs.ForeignAnswer:
        messages.error(
            request,
            _("An answer that does not belong to its question came along. Please choose again."),
        )
        return _page(request, found, person, [], status=422)
    if not all(row.right for row in answered):
        return _page(request, found, person, answered, status=422)
    now = timezone.now()
    completion = verbs.finish(lesson=found, by=person, now=now)
    if completion:
        messages.success(request, _("That was the last one. Your certificate is ready."))
        return redirect("course", pk=found.course_id)
    if answered:
        messages.success(request, _("All right. That is kept, and no score."))
    after = Lesson.objects.filter(course=found.course_id).filter(
        Q(place__gt=found.place) | Q(place=found.place, pk__gt=found.pk)
    )
    following = after.first()
    if following is None:
        return redirect("course", pk=found.course_id)
    return redirect("lesson", pk=following.pk)


def _page(
    request: HttpRequest,
    found: Lesson,
    person: Person,
    answered: list[verbs.Answered],
    *,
    status: int = 200,
) -> HttpResponse:
    rows = list(Lesson.objects.filter(course=found.course_id))
    at = rows.index(found)
    through = set(
        LessonDone.objects.filter(person=person, lesson__in=rows).values_list("lesson", flat=True)
    )
    by_question = {row.question.pk: row for row in answered}
    questions = [
        {"row": row, "answered": by_question.get(row.pk), "choices": row.choice_set.all()}
        for row in found.question_set.prefetch_related("choice_set")
    ]
    context = {
        "lesson": found,
        "course": found.course,
        "text": markup.html(found.text),
        "alt": found.picture.alt(found.course.language) if found.picture else "",
        "transcript": captions.transcript(found.captions) if found.video else [],
        "questions": questions,
        "missed": sum(not row.right for row in answered),
        "done": found.pk in through,
        "may": verbs.may_finish(person, found.course, timezone.localdate()),
        "number": at + 1,
        "of": len(rows),
        "before": rows[at - 1] if at else None,
        "after": rows[at + 1] if at + 1 < len(rows) else None,
    }
    return render(request, "training_lesson.html", context, status=status)


def _key(text: str) -> int:
    """A row's key from a form, 0 for nonsense."""
    return int(text[:18]) if text.isdecimal() and text.isascii() else 0


@require_safe
def film(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A lesson's film, whole or the piece that the player asks for."""
    found = get_object_or_404(_visible(cast("Person", request.user)).exclude(video=""), pk=pk)
    try:
        file, size = found.video.open("rb"), found.video.size
    except FileNotFoundError as error:
        raise Http404 from error
    asked = request.headers.get("Range", "")
    try:
        part = films.piece(asked, size) if asked else None
    except ValueError:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response: HttpResponseBase
    if part:
        response = StreamingHttpResponse(films.Piece(cast("BinaryIO", file), *part), status=206)
        response["Content-Range"] = f"bytes {part[0]}-{part[1]}/{size}"
        response["Content-Length"] = str(part[1] - part[0] + 1)
    else:
        response = FileResponse(file)
        response["Content-Length"] = str(size)
    response["Content-Type"] = found.video_type
    name = f"{found.pk}.{films.ENDINGS[found.video_type]}"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Accept-Ranges"] = "bytes"
    response["Content-Security-Policy"] = "sandbox"
    return response


@require_safe
def film_captions(request: HttpRequest, pk: int) -> HttpResponse:
    """The captions of a lesson's film."""
    found = get_object_or_404(_visible(cast("Person", request.user)).exclude(captions=""), pk=pk)
    response = HttpResponse(found.captions, content_type="text/vtt; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{pk}.vtt"'
    return response
