"""Training for whoever learns: mine, courses, seats, and the calendar of them."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from ambassadors import secret_feeds
from ambassadors.models import Membership, Person
from campaigns import subscriptions
from campaigns.wakeups import nudge
from integrations import ical, markup
from people import bookings, requirements, training_feeds
from people.models import Booking, Completion, Course, LessonDone, Session
from people.tasks import seats_due

_TRAINED = dt.timedelta(days=14)  # so long a trainer finds who was there
_ON_THE_WAY = ("invited", "in_training")


def training(request: HttpRequest) -> HttpResponse:
    """What is mine: the next date, what my team asks for, what I may take, certificates."""
    person, now = cast("Person", request.user), timezone.now()
    today = timezone.localdate(now)
    terms = Membership.objects.filter(
        person=person, stage__in=_ON_THE_WAY, ended_on__isnull=True
    ).select_related("team__kind")
    lacks = requirements.missing_of(terms, today)
    page = Paginator(_offered(now), 20).get_page(request.GET.get("page"))
    shown = cast("list[Course]", page.object_list)
    completions = Completion.objects.filter(person=person, taken_back_at__isnull=True)
    context = {
        "bookings": _places(person, now),
        "needs": [{"term": term, "courses": lacks[term.pk]} for term in terms],
        "page": page,
        "courses": _with_next(shown, person),
        "completions": [
            {"row": row, "holds": row.holds(today)}
            for row in completions.select_related("course")[:50]
        ],
        "trains": Session.objects.filter(
            trainer=person, state="planned", ends_at__gt=now - _TRAINED
        ).select_related("course")[:12],
        "ready": requirements.ready_for(person, today),
        "executives": Course.objects.offered().filter(executives_place__isnull=False).exists(),
        "feed": subscriptions.of(
            secret_feeds.signed(person=person, name=training_feeds.NAME), page="training_feed"
        ),
        "now": now,
    }
    return render(request, "training.html", context)


def _places(person: Person, now: dt.datetime) -> "QuerySet[Booking]":
    """The person's seats and places in lines on dates that are not over, called-off ones too."""
    rows = Booking.objects.filter(
        person=person, state__in=("booked", "asked", "waiting"), session__ends_at__gt=now
    )
    return rows.select_related("session__course", "session__trainer").order_by(
        "session__begins_at", "pk"
    )[:20]


def _offered(now: dt.datetime) -> "QuerySet[Course]":
    """All offered courses, each with the key of its next date."""
    coming = Session.objects.filter(
        course=OuterRef("pk"), state="planned", begins_at__gt=now
    ).order_by("begins_at", "pk")
    return (
        Course.objects.offered()
        .annotate(
            next_session=Subquery(coming.values("pk")[:1]),
            lessons=Count("lesson", distinct=True),
        )
        .order_by("title_de", "pk")
    )


def _with_next(courses: list[Course], person: Person) -> list[dict[str, Any]]:
    """Each course with its next date, and whether the person holds a completion."""
    keys = [course.next_session for course in courses]  # type: ignore[attr-defined]
    sessions = Session.objects.in_bulk([key for key in keys if key])
    has = set(
        Completion.objects.valid(timezone.localdate())
        .filter(person=person, course__in=courses)
        .values_list("course", flat=True)
    )
    return [
        {"course": course, "next": sessions.get(key), "has": course.pk in has}
        for course, key in zip(courses, keys, strict=True)
    ]


def executives(request: HttpRequest) -> HttpResponse:
    """The path for executives: short and direct, in its order."""
    person, now = cast("Person", request.user), timezone.now()
    path = _offered(now).filter(executives_place__isnull=False).order_by("executives_place")
    steps = _with_next(list(path), person)
    if not steps:
        raise Http404
    todo = next((step for step in steps if not step["has"]), None)
    return render(request, "training_executives.html", {"steps": steps, "todo": todo})


def _courses(person: Person) -> "QuerySet[Course]":
    """Those the person may open: offered ones, and those they have or had something of."""
    if person.has_role("hr"):
        return Course.objects.all()
    mine = Booking.objects.filter(person=person).values("session__course")
    done = Completion.objects.filter(person=person).values("course")
    offered = Q(published_at__isnull=False, withdrawn_at__isnull=True)
    return Course.objects.filter(offered | Q(pk__in=mine) | Q(pk__in=done))


def course(request: HttpRequest, pk: int) -> HttpResponse:
    """One course: what it is, its dates or its lessons, and where the person stands."""
    person, now = cast("Person", request.user), timezone.now()
    found = get_object_or_404(_courses(person), pk=pk)
    sessions = Session.objects.filter(course=found, begins_at__gt=now, state="planned")
    sessions = (
        sessions.select_related("trainer")
        .annotate(waiting=Count("booking", filter=Q(booking__state="waiting")))
        .order_by("begins_at", "pk")
    )
    mine = Booking.objects.filter(
        person=person, session__course=found, state__in=("booked", "asked", "waiting")
    )
    by_session = {row.session_id: row for row in mine}
    steps = list(found.lesson_set.all()) if found.how == Course.How.LESSONS else []
    through = set(
        LessonDone.objects.filter(person=person, lesson__in=steps).values_list("lesson", flat=True)
    )
    done = Completion.objects.filter(person=person, course=found, taken_back_at__isnull=True)
    last = done.first()
    context = {
        "course": found,
        "about": markup.html(found.about),
        "dates": [{"session": row, "mine": by_session.get(row.pk)} for row in sessions[:40]],
        "lessons": [{"row": row, "done": row.pk in through} for row in steps],
        "through": len(through),
        "following": next((row for row in steps if row.pk not in through), None),
        "done": last,
        "holds": last.holds(timezone.localdate(now)) if last else False,
        "now": now,
    }
    return render(request, "training_course.html", context)


@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody in a team I lead is ready: make the term active."""
    person, now = cast("Person", request.user), timezone.now()
    term = get_object_or_404(requirements.in_training().filter(team__lead=person), pk=pk)
    if requirements.start(term=term, by=person, now=now):
        messages.success(request, _("%(who)s is active now.") % {"who": term.person.name})
    else:
        messages.error(request, _("That has changed meanwhile. Please look again."))
    return redirect("training")


@require_POST
def book(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a seat on a date, or a place in its line."""
    person, now = cast("Person", request.user), timezone.now()
    session = get_object_or_404(
        Session.objects.filter(course__in=_courses(person)).select_related("course"), pk=pk
    )
    try:
        made = bookings.book(session=session, by=person, now=now)
    except bookings.NotBooked as refused:
        messages.error(request, str(refused))
        return redirect("course", pk=session.course_id)
    if made.state == Booking.State.BOOKED:
        messages.success(request, _("Your seat is booked."))
    elif made.state == Booking.State.WAITING:
        messages.success(
            request, _("All seats are taken. You stand in the line and move up by yourself.")
        )
    return redirect("booking", pk=made.pk)


def _mine(request: HttpRequest, pk: int) -> Booking:
    """A booking of the person's own. Raises Http404."""
    rows = Booking.objects.select_related("session__course", "session__trainer")
    return get_object_or_404(rows, pk=pk, person=cast("Person", request.user))


def booking(request: HttpRequest, pk: int) -> HttpResponse:
    """One place of mine; on POST say yes to an offered seat, or give the place back."""
    person, now = cast("Person", request.user), timezone.now()
    row = _mine(request, pk)
    if request.method == "POST":
        _decide(request, row, person, now)
        return redirect("booking", pk=pk)
    ahead = 0
    if row.state == Booking.State.WAITING:
        ahead = Booking.objects.filter(
            Q(since_at__lt=row.since_at) | Q(since_at=row.since_at, pk__lt=row.pk),
            session=row.session_id,
            state="waiting",
        ).count()
    context = {
        "booking": row,
        "session": row.session,
        "place": ahead + 1,
        "begun": row.session.begins_at <= now,
        "now": now,
    }
    return render(request, "training_booking.html", context)


def _decide(request: HttpRequest, row: Booking, person: Person, now: dt.datetime) -> None:
    """Do what the form says, and say what came of it."""
    if request.POST.get("act") == "accept":
        if bookings.accept(booking=row, by=person, now=now):
            messages.success(request, _("Your seat is booked."))
        else:
            messages.error(request, _("Too late: the seat has gone to the next in line."))
        return
    if bookings.give_back(booking=row, by=person, now=now):
        messages.success(request, _("Given back. If somebody waits, they have moved up already."))
        nudge(seats_due)
    elif row.session.begins_at <= now:
        messages.error(request, _("It has begun, so nothing can be given back any more."))
    else:
        messages.info(request, _("It was given back already. Once counts."))


@require_GET
def booking_calendar(request: HttpRequest, pk: int) -> HttpResponse:
    """One seat of mine as a file for a calendar programme."""
    return ical.served(training_feeds.of_booking(_mine(request, pk)), attachment=True)


@require_POST
def feed_settings(request: HttpRequest) -> HttpResponse:
    """Open the calendar to the person's program, or end that."""
    person, now = cast("Person", request.user), timezone.now()
    if request.POST.get("act") == "revoke":
        secret_feeds.revoke(by=person, name=training_feeds.NAME, now=now)
        messages.success(request, _("Revoked. The password opens nothing any more."))
    else:
        secret_feeds.make(by=person, name=training_feeds.NAME, now=now)
    response = redirect("training")
    response["Location"] += "#feed-h"
    return response


@require_safe
def feed(request: HttpRequest, signed: str = "") -> HttpResponse:
    """All dates of whoever it is."""
    return subscriptions.answer(
        request,
        lambda text: secret_feeds.reader(text, name=training_feeds.NAME),
        lambda reader: ical.served(training_feeds.of_person(reader, timezone.now())),
        inside=signed,
    )
