"""Lessons at the training desk: words, picture, film with captions, questions, order."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from ambassadors.kept import kept_form
from ambassadors.models import Person
from campaigns import uploads
from people import captions, films
from people import courses as course_verbs
from people import lessons as verbs
from people.forms import LessonForm
from people.models import Course, Lesson, Question

_CHANGED = gettext_lazy(
    "Somebody else changed this meanwhile. What you typed stands here; open the page anew to see"
    " theirs."
)
_BLANK_ANSWERS = 4


@require_POST
def lesson_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin a lesson at the end of a course."""
    course, person = get_object_or_404(Course, pk=pk, how="lessons"), cast("Person", request.user)
    try:
        made = verbs.add(
            course=course, title=request.POST.get("title", ""), by=person, now=timezone.now()
        )
    except verbs.NotKept as refused:
        messages.error(request, refused.sentence)
        return redirect("desk_course", pk=pk)
    return redirect("desk_lesson", pk=made.pk)


def lesson_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One lesson: what it says and shows, and its questions."""
    found = get_object_or_404(Lesson.objects.select_related("course", "picture"), pk=pk)
    if request.method != "POST":
        return _page(request, found, LessonForm(kept_form(request), instance=found))
    form = LessonForm(request.POST, request.FILES, instance=found)
    if form.is_valid() and _take(request, found, form):
        messages.success(request, _("Saved."))
        return redirect("desk_lesson", pk=pk)
    stored = Lesson.objects.select_related("course", "picture").get(pk=pk)
    return _page(request, stored, form)


def _take(request: HttpRequest, found: Lesson, form: LessonForm) -> bool:
    """Keep picture, captions, film and words; what is refused stands beside its field."""
    person, typed = cast("Person", request.user), form.cleaned_data
    _take_picture(found, form, person)
    try:
        if typed["new_captions"]:
            found.captions = captions.read(typed["new_captions"].read(captions.MOST_BYTES + 1))
        elif typed["film"]:
            found.captions = ""  # those of another film would say what nobody says
    except captions.CaptionsRefused as refused:
        form.add_error("new_captions", str(refused))
    if form.errors:
        return False
    found.revision = _number(request.POST.get("revision", ""))
    try:
        verbs.write(
            lesson=found, video=typed["film"], without_video=typed["without_film"], by=person,
            now=timezone.now(),
        )  # fmt: skip
    except films.FilmRefused as refused:
        form.add_error("film", str(refused))
    except verbs.Changed:
        form.add_error(None, str(_CHANGED))
    return not form.errors


def _take_picture(found: Lesson, form: LessonForm, person: Person) -> None:
    """The picture that is to be there, with its words."""
    typed = form.cleaned_data
    if typed["without_picture"]:
        found.picture = None
    try:
        if typed["new_picture"]:
            found.picture = uploads.keep_picture(typed["new_picture"], by=person)
    except uploads.PictureRefused as refused:
        form.add_error("new_picture", str(refused))
    if found.picture and typed["alt"]:
        uploads.describe(found.picture, typed["alt"], found.course.language)


def _page(
    request: HttpRequest,
    found: Lesson,
    form: LessonForm,
    question: dict[str, Any] | None = None,
) -> HttpResponse:
    rows = list(Lesson.objects.filter(course=found.course_id))
    prefetch_related_objects([found], "question_set__choice_set")
    context = {
        "lesson": found,
        "course": found.course,
        "form": form,
        "revision": found.revision,
        "alt": found.picture.alt(found.course.language) if found.picture else "",
        "questions": found.question_set.all(),
        "lacks": course_verbs.lacks_of(found),
        "cues": len(captions.cues(found.captions)),
        "typed": question or {},
        "answers": (question or {}).get("answers") or [("", False)] * _BLANK_ANSWERS,
        "first": rows[0] == found,
        "last": rows[-1] == found,
        "most": settings.FILM_MEGABYTES,
    }
    refused = (form.is_bound and form.errors) or question
    return render(request, "desk_lesson.html", context, status=422 if refused else 200)


@require_POST
def lesson_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a lesson, remove it, add or remove a question."""
    found = get_object_or_404(Lesson.objects.select_related("course", "picture"), pk=pk)
    person, now = cast("Person", request.user), timezone.now()
    match request.POST.get("act"):
        case "up" | "down":
            verbs.swap(lesson=found, up=request.POST["act"] == "up")
        case "remove":
            verbs.remove(lesson=found, by=person, now=now)
            messages.success(request, _("Removed."))
            return redirect("desk_course", pk=found.course_id)
        case "ask":
            return _ask(request, found)
        case "forget":
            key = _number(request.POST.get("question", ""))
            Question.objects.filter(lesson=found, pk=key).delete()
            messages.success(request, _("Removed."))
        case _other:
            messages.error(request, _("Choose what to do."))
    return redirect("desk_lesson", pk=pk)


def _ask(request: HttpRequest, found: Lesson) -> HttpResponse:
    """Add the question; what is refused is given back as it was typed."""
    right = set(request.POST.getlist("right"))
    answers = [(text, str(n) in right) for n, text in enumerate(request.POST.getlist("answer")[:8])]
    typed: dict[str, Any] = {
        "text": request.POST.get("question_text", ""),
        "explanation": request.POST.get("explanation", ""),
        "answers": answers,
    }
    try:
        verbs.ask(
            lesson=found, text=typed["text"], answers=answers, explanation=typed["explanation"]
        )
    except verbs.NotKept as refused:
        typed[f"{refused.field}_error"] = refused.sentence
        return _page(request, found, LessonForm(instance=found), typed)
    messages.success(request, _("Added."))
    return redirect("desk_lesson", pk=found.pk)


def _number(text: str) -> int:
    """A row's key or revision from a form, 0 when none is readable."""
    return int(text[:18]) if text.isdecimal() and text.isascii() else 0
