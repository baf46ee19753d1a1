"""The training desk of HR: courses, dates and who is in the room, what teams ask for."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from ambassadors.kept import kept_form
from ambassadors.models import Person, Team, TeamKind
from campaigns.wakeups import nudge
from people import courses as course_verbs
from people import requirements
from people import sessions as session_verbs
from people.forms import CourseForm, SessionForm, opened
from people.models import Booking, Completion, Course, Requirement, Session
from people.tasks import seats_due

_CHANGED = gettext_lazy(
    "Somebody else changed this meanwhile. What you typed stands here; open the page anew to see"
    " theirs."
)


def desk(request: HttpRequest) -> HttpResponse:
    """All courses, and the next dates with their seats."""
    now = timezone.now()
    rows = Course.objects.annotate(
        coming=Count("session", filter=Q(session__begins_at__gt=now, session__state="planned"))
    ).order_by("title_de", "pk")
    dates = Session.objects.filter(ends_at__gt=now, state="planned")
    dates = (
        dates.select_related("course", "trainer")
        .annotate(waiting=Count("booking", filter=Q(booking__state="waiting")))
        .order_by("begins_at", "pk")
    )
    unmarked = Session.objects.filter(
        ends_at__lte=now, ends_at__gt=now - dt.timedelta(days=60), state="planned",
        booking__state="booked", booking__person__left_at__isnull=True,
    )  # fmt: skip
    context = {
        "page": Paginator(rows, 20).get_page(request.GET.get("page")),
        "dates": dates[:12],
        "teams": Team.objects.select_related("self_start"),
        "unmarked": unmarked.select_related("course").distinct()[:12],
    }
    return render(request, "desk_training.html", context)


def course_new(request: HttpRequest) -> HttpResponse:
    """Write a new course."""
    form = CourseForm(request.POST or kept_form(request) or None)
    if request.method == "POST" and form.is_valid():
        made = course_verbs.write(
            course=form.instance, by=cast("Person", request.user), now=timezone.now()
        )
        messages.success(request, _("Kept. Nobody sees it before you publish it."))
        return redirect("desk_course", pk=made.pk)
    return _course_page(request, form, None)


def course_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One course: its words, and its dates or lessons."""
    found = get_object_or_404(Course, pk=pk)
    if request.method != "POST":
        kept = kept_form(request)
        return _course_page(request, CourseForm(kept, instance=found), found)
    form = CourseForm(request.POST, instance=found)
    if form.is_valid():
        found.revision = _number(request.POST.get("revision", ""))
        try:
            course_verbs.write(course=found, by=cast("Person", request.user), now=timezone.now())
        except course_verbs.Changed:
            form.add_error(None, str(_CHANGED))
        else:
            messages.success(request, _("Saved."))
            return redirect("desk_course", pk=pk)
    return _course_page(request, form, get_object_or_404(Course, pk=pk))


def _course_page(request: HttpRequest, form: CourseForm, found: Course | None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "course": found}
    if found:
        sessions = Session.objects.filter(course=found).select_related("trainer")
        sessions = sessions.annotate(waiting=Count("booking", filter=Q(booking__state="waiting")))
        asked = Requirement.objects.filter(course=found).select_related("team", "kind")
        context |= {
            "dates": _next_first(sessions, timezone.now()),
            "lessons": found.lesson_set.all(),
            "lacks": course_verbs.lacks(found) if not found.is_offered else [],
            "requirements": asked,
            "teams": Team.objects.exclude(pk__in=asked.filter(team__isnull=False).values("team")),
            "kinds": TeamKind.objects.exclude(
                pk__in=asked.filter(kind__isnull=False).values("kind")
            ),
            "revision": found.revision,
            "now": timezone.now(),
        }
    return render(
        request, "desk_course.html", context, status=422 if form.is_bound and form.errors else 200
    )


def _next_first(sessions: "QuerySet[Session]", now: dt.datetime) -> list[Session]:
    """What comes, the next date first; then what is over, the latest first."""
    found = sessions.order_by("-begins_at")[:60]
    coming = [session for session in reversed(found) if session.ends_at >= now]
    return [*coming, *(session for session in found if session.ends_at < now)]


@require_POST
def course_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish a course, withdraw it, or say who must have it."""
    found, person, now = (
        get_object_or_404(Course, pk=pk),
        cast("Person", request.user),
        timezone.now(),
    )
    match request.POST.get("act"):
        case "publish":
            lacks = course_verbs.publish(course=found, by=person, now=now)
            for sentence in lacks:
                messages.error(request, sentence)
            if not lacks:
                messages.success(request, _("Published. Everybody finds it under Training."))
        case "withdraw":
            if course_verbs.withdraw(course=found, by=person, now=now):
                messages.success(request, _("Withdrawn. Seats and certificates stay as they are."))
        case "ask":
            _ask(request, found, person, now)
        case "drop":
            key = _number(request.POST.get("requirement", ""))
            for row in Requirement.objects.filter(course=found, pk=key):
                requirements.drop(requirement=row, by=person, now=now)
                messages.success(request, _("Not asked for any more."))
        case _other:
            messages.error(request, _("Choose what to do."))
    return redirect("desk_course", pk=pk)


def _ask(request: HttpRequest, course: Course, person: Person, now: dt.datetime) -> None:
    """Read for whom: ``team-3`` or ``kind-2``."""
    what, _dash, key = request.POST.get("whom", "").partition("-")
    team = Team.objects.filter(pk=_number(key)).first() if what == "team" else None
    kind = TeamKind.objects.filter(pk=_number(key)).first() if what == "kind" else None
    if team is None and kind is None:
        messages.error(request, _("Choose a team or a kind of team."))
    elif requirements.ask(course=course, team=team, kind=kind, by=person, now=now):
        messages.success(request, _("Asked for from now on. Who is active already stays active."))


@require_POST
def team(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether people of a team become active by themselves."""
    found = get_object_or_404(Team, pk=pk)
    requirements.let_start_by_itself(
        team=found,
        lets=request.POST.get("lets") == "yes",
        by=cast("Person", request.user),
        now=timezone.now(),
    )
    messages.success(request, _("Saved."))
    return redirect("desk_training")


def session_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan a date of a course."""
    course, now = get_object_or_404(Course, pk=pk), timezone.now()
    form = SessionForm(request.POST or kept_form(request) or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = session_verbs.plan(
                course=course, terms=form.terms(), by=cast("Person", request.user), now=now
            )
        except session_verbs.NotPlanned as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            _say_notes(request, form)
            messages.success(request, _("Planned."))
            return redirect("desk_session", pk=made.pk)
    context = {"form": form, "course": course, "session": None}
    return render(
        request, "desk_session.html", context, status=422 if form.is_bound and form.errors else 200
    )


def _say_notes(request: HttpRequest, form: SessionForm) -> None:
    """What was made of a time that the clocks skip or repeat."""
    for note in form.notes:
        messages.warning(request, note)


def session_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One date: its terms, who has a seat, who was there."""
    found = get_object_or_404(Session.objects.select_related("course", "trainer"), pk=pk)
    person, now = cast("Person", request.user), timezone.now()
    if request.method != "POST":
        kept = kept_form(request)
        form = SessionForm(kept) if kept else SessionForm(initial=opened(found))
        return _session_page(request, found, form, now)
    form = SessionForm(request.POST)
    if form.is_valid():
        try:
            session_verbs.change(
                session=found, terms=form.terms(), by=person, now=now,
                revision=_number(request.POST.get("revision", "")),
            )  # fmt: skip
        except session_verbs.NotPlanned as refused:
            form.add_error(refused.field or None, refused.sentence)
        except session_verbs.Changed:
            form.add_error(None, str(_CHANGED))
        else:
            nudge(seats_due)
            _say_notes(request, form)
            messages.success(request, _("Saved. A new time or place is told to everybody in it."))
            return redirect("desk_session", pk=pk)
    return _session_page(request, found, form, now)


def _session_page(
    request: HttpRequest, session: Session, form: SessionForm, now: dt.datetime
) -> HttpResponse:
    places = Booking.objects.filter(session=session)
    context = {
        "form": form,
        "course": session.course,
        "session": session,
        "revision": session.revision,
        "people": session_verbs.participants(session),
        "waiting": places.filter(state="waiting", person__left_at__isnull=True).count(),
        "asked": places.filter(state="asked").count(),
        "begun": session.begins_at <= now,
        "fixed": session.begins_at <= now or session.state != Session.State.PLANNED,
    }
    return render(
        request, "desk_session.html", context, status=422 if form.is_bound and form.errors else 200
    )


@require_POST
def session_call_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a date off; everybody in it is told."""
    found = get_object_or_404(Session, pk=pk)
    if session_verbs.call_off(
        session=found, why=request.POST.get("why", ""), by=cast("Person", request.user),
        now=timezone.now(),
    ):  # fmt: skip
        nudge(seats_due)
        messages.success(request, _("Called off. Everybody in it gets a mail."))
    else:
        messages.error(request, _("It has begun, or was called off already."))
    return redirect("desk_session", pk=pk)


def room(request: HttpRequest, pk: int) -> HttpResponse:
    """Who is in the room, for its trainer and for HR; on POST note who was there."""
    person, now = cast("Person", request.user), timezone.now()
    rows = Session.objects.select_related("course", "trainer")
    if not person.has_role("hr"):
        rows = rows.filter(trainer=person)
    found = get_object_or_404(rows, pk=pk)
    begun = found.begins_at <= now and found.state == Session.State.PLANNED
    if request.method == "POST":
        if not begun:
            messages.error(request, _("Once it has begun you can note who is there."))
            return redirect("training_room", pk=pk)
        shown = {_number(key) for key in request.POST.getlist("shown")}
        there = {_number(key) for key in request.POST.getlist("there")}
        changed = session_verbs.mark(session=found, shown=shown, there=there, by=person, now=now)
        messages.success(
            request,
            _("Noted. Who was there has the certificate.") if changed else _("Nothing changed."),
        )
        return redirect("training_room", pk=pk)
    context = {
        "session": found,
        "course": found.course,
        "people": session_verbs.participants(found),
        "begun": begun,
        "back": reverse("desk_session", args=[pk])
        if person.has_role("hr")
        else reverse("training"),
    }
    return render(request, "training_room.html", context)


def completions(request: HttpRequest) -> HttpResponse:
    """Who has completed what, the latest first. There is no list of those who have not."""
    q = request.GET.get("q", "")[:100].replace("\x00", "")
    rows = Completion.objects.filter(
        taken_back_at__isnull=True, person__left_at__isnull=True
    ).select_related("course", "person")
    if q:
        rows = rows.filter(
            Q(person__name__icontains=q)
            | Q(course__title_de__icontains=q)
            | Q(course__title_en__icontains=q)
        )
    today = timezone.localdate()
    page = Paginator(rows, 25).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "q": q,
        "rows": [{"row": row, "holds": row.holds(today)} for row in page.object_list],
    }
    return render(request, "desk_completions.html", context)


def _number(text: str) -> int:
    """A row's key or revision from a form, 0 when none is readable."""
    return int(text[:18]) if text.isdecimal() and text.isascii() else 0
