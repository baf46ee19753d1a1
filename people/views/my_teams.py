"""My teams: what I am asked, where I am, and how I pause, go on or stop."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import memberships
from ambassadors.models import Membership, Person, Team
from people import applications, nominations, pipeline
from people.models import Application, Nomination
from people.team_forms import day, language_name
from people.terms import ASKED_BEFORE

_SHOWN = dt.timedelta(days=60)  # a no to an application


def my_teams(request: HttpRequest) -> HttpResponse:
    """Everything about the person and teams on one page."""
    return _page(request)


def _page(request: HttpRequest, refused: dict[str, Any] | None = None) -> HttpResponse:
    person, now = cast("Person", request.user), timezone.now()
    terms = list(
        Membership.objects.filter(person=person).select_related("team__kind", "team__lead")
    )
    rows = Application.objects.filter(person=person).select_related("call", "team")
    mine = list(rows.order_by("-applied_at")[:50])
    declared = {row.team_id: row for row in reversed(mine) if row.state == "invited"}
    soon = memberships.day_of(now) + ASKED_BEFORE
    asked: dict[int, list[Nomination]] = {}
    for row in Nomination.objects.asked_of(person, now).select_related("team", "nominator"):
        asked.setdefault(row.team_id, []).append(row)
    context = {
        "asked": [(rows_[0], rows_) for rows_ in asked.values()],
        "invited": [
            {"term": t, "declared": _declared(declared.get(t.team_id))}
            for t in terms
            if t.stage == "invited"
        ],
        "terms": [
            {"term": t, "ends_soon": t.until_on is not None and t.until_on <= soon}
            for t in terms
            if t.ended_on is None and t.stage != "invited"
        ],
        "past": [t for t in terms if t.ended_on],
        "applications": [
            row
            for row in mine
            if row.state in Application.OPEN
            or (row.state == "declined" and row.decided_at and row.decided_at > now - _SHOWN)
        ],
        "refused": refused or {},
        "today": memberships.day_of(now),
    }
    return render(request, "my_teams.html", context, status=422 if refused else 200)


def _declared(row: Application | None) -> dict[str, Any] | None:
    """What would go into the profile, as the person reads it."""
    if row is None:
        return None
    return {
        "hours": row.hours_per_month,
        "languages": ", ".join(language_name(code) for code in row.languages),
        "topics": len(row.topics),
    }


@require_POST
def my_term(request: HttpRequest, pk: int) -> HttpResponse:
    """One press about a term of one's own."""
    person, now = cast("Person", request.user), timezone.now()
    rows = Membership.objects.select_related("team", "person").filter(person=person)
    term = rows.filter(pk=pk).first()
    if term is None:  # said no in another tab: gone, and that is all there is to say
        messages.info(request, _("That is not open any more."))
        return redirect("my_teams")
    try:
        sentence = _act(request, term, person, now)
    except pipeline.NotTaken as refused:
        return _page(request, {"pk": term.pk, "sentence": refused.sentence})
    except ValueError:
        return _page(request, {"pk": term.pk, "sentence": _("Write a day.")})
    except pipeline.TooLate:
        messages.info(request, _("That is not open any more; this is how it stands."))
    else:
        messages.success(request, sentence)
    return redirect("my_teams")


def _act(request: HttpRequest, term: Membership, person: Person, now: dt.datetime) -> str:
    """Do what was pressed; returns what to say. Raises as the verbs do."""
    team = {"team": term.team.name}
    match request.POST.get("act", ""):
        case "accept":
            take_over = request.POST.get("take_over") == "yes"
            pipeline.accept(membership=term, take_over=take_over, by=person, now=now)
            return _("Welcome to %(team)s. The first thing is the training.") % team
        case "decline":
            free = pipeline.decline(membership=term, by=person, now=now)
            applications.move_up(team=free, now=now)
            return _("Fine. Nothing of it is kept.")
        case "pause":
            until_on = day(request.POST.get("until_on", ""))
            pipeline.pause(membership=term, until_on=until_on, by=person, now=now)
            return _("You pause in %(team)s. Nobody asks why.") % team
        case "resume":
            pipeline.resume(membership=term, by=person, now=now)
            return _("Back in %(team)s.") % team
        case "renew":
            if not memberships.renew(membership=term, by=person, now=now):
                raise pipeline.TooLate
            return _("You go on in %(team)s.") % team
        case "finish":
            pipeline.farewell(membership=term, word="", by=person, now=now)
            applications.move_up(team=term.team, now=now)
            return _("You have left %(team)s. Thank you for your time.") % team
    raise pipeline.TooLate


@require_POST
def my_nomination(request: HttpRequest, pk: int) -> HttpResponse:
    """Yes or no to a colleague's thought; only a yes is seen by anybody."""
    person, now = cast("Person", request.user), timezone.now()
    asked = Nomination.objects.asked_of(person, now).select_related("team")
    nomination = asked.filter(pk=pk).first()
    if nomination is None:
        messages.info(request, _("That is not open any more."))
    elif request.POST.get("act") == "yes":
        try:
            nominations.agree(nomination=nomination, by=person, now=now)
        except pipeline.TooLate:
            messages.info(request, _("That is not open any more."))
        else:
            messages.success(request, _("Passed on to HR and the lead. They answer you."))
    else:
        nominations.refuse(nomination=nomination, by=person)
        messages.success(request, _("Fine. It is deleted, and nobody is told."))
    return redirect("my_teams")


def nominate(request: HttpRequest, slug: str) -> HttpResponse:
    """Think of a colleague for a team. The answer is the same whoever that is."""
    team = get_object_or_404(Team.objects.select_related("kind"), slug=slug)
    person, now = cast("Person", request.user), timezone.now()
    typed = {name: request.POST.get(name, "") for name in ("address", "note")}
    errors = {}
    if request.method == "POST":
        try:
            nominations.nominate(
                address=typed["address"], team=team, note=typed["note"], by=person, now=now
            )
        except pipeline.NotTaken as refused:
            errors = {refused.field: refused.sentence}
        else:
            messages.success(
                request,
                _(
                    "Passed on. If the address belongs to a colleague, they read your words and"
                    " decide alone; you hear nothing more of it."
                ),
            )
            return redirect("team", slug=team.slug)
    context = {"team": team, "typed": typed, "errors": errors}
    return render(request, "nominate.html", context, status=422 if errors else 200)
