"""Open calls: read one, put oneself forward, take it back."""

import datetime as dt
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.kept import kept_form
from ambassadors.models import Membership, Person
from people import applications
from people.models import Application, Call
from people.pipeline import NotTaken
from people.team_forms import ApplicationForm

_CALLS = ("team__kind", "team__site", "team__lead", "kind")


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


def calls(request: HttpRequest) -> HttpResponse:
    """Calls that are open or will be, those that close first in front."""
    now = timezone.now()
    rows = Call.objects.filter(ended_at__isnull=True, closes_at__gt=now)
    rows = rows.select_related(*_CALLS)[:100]
    mine = Application.objects.filter(person=_me(request), call__in=[row.pk for row in rows])
    states = dict(mine.order_by("pk").values_list("call_id", "state"))
    context = {"rows": [(row, row.stands(now), states.get(row.pk, "")) for row in rows]}
    return render(request, "calls.html", context)


def call(request: HttpRequest, slug: str) -> HttpResponse:
    """One call; on POST put oneself forward."""
    found = get_object_or_404(Call.objects.select_related(*_CALLS), slug=slug)
    person, now = _me(request), timezone.now()
    if request.method != "POST":
        return _page(request, found, ApplicationForm(kept_form(request), person=person), now)
    form = ApplicationForm(request.POST, person=person)
    if form.is_valid():
        try:
            applications.apply(call=found, by=person, now=now, **form.cleaned_data)
        except NotTaken as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            messages.success(
                request, _("Your application is with HR and the lead of the team. They answer.")
            )
            return redirect("call", slug=found.slug)
    return _page(request, found, form, now, status=422)


def _page(
    request: HttpRequest, found: Call, form: ApplicationForm, now: dt.datetime, *, status: int = 200
) -> HttpResponse:
    person = _me(request)
    mine = Application.objects.filter(call=found, person=person).order_by("-applied_at").first()
    team = found.team
    is_in = (
        team is not None
        and Membership.objects.filter(person=person, team=team, ended_on__isnull=True)
        .exclude(stage="nominated")
        .exists()
    )
    zone = ZoneInfo(found.timezone)
    context: dict[str, Any] = {
        "call": found,
        "kind": team.kind if team else found.kind,
        "stands": found.stands(now),
        "opens": found.opens_at.astimezone(zone),
        "closes": found.closes_at.astimezone(zone),
        "mine": mine,
        "is_in": is_in,
        "form": form,
        "chosen": _chosen(form, person),
    }
    return render(request, "call.html", context, status=status)


def _chosen(form: ApplicationForm, person: Person) -> dict[str, Any]:
    """What stands in the form: what was typed, or what the person said about themselves before."""
    if form.is_bound:
        names = ("topics", "languages", "networks")
        return {name: form[name].value() or [] for name in names} | {
            "hours": form["hours_per_month"].value() or ""
        }
    hours = person.hours_per_month or Decimal(2)
    return {
        "topics": person.interests,
        "languages": person.languages or [person.language],
        "networks": [],
        "hours": f"{hours:g}",
    }


@require_POST
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the application back; two clicks say the same."""
    mine = Application.objects.filter(
        call__slug=slug, person=_me(request), state__in=Application.OPEN
    ).first()
    if mine is not None:
        applications.withdraw(application=mine)
    messages.success(request, _("Taken back. Nothing of it is kept."))
    return redirect("call", slug=slug)
