"""Teams as everybody sees them, and as HR and leads write them."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.models import Membership, Person, Site, Team, TeamKind
from people import applications
from people import teams as verbs
from people.models import Call
from people.pipeline import NotTaken
from people.team_forms import KindForm, TeamForm


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


def teams(request: HttpRequest) -> HttpResponse:
    """All kinds with their teams and free places."""
    rows = Team.objects.with_taken().select_related("site", "lead")
    by_kind: dict[int, list[Team]] = {}
    for team in rows:
        by_kind.setdefault(team.kind_id, []).append(team)
    context = {
        "kinds": [(kind, by_kind.get(kind.pk, [])) for kind in TeamKind.objects.all()],
        "open": set(Call.objects.running(timezone.now()).values_list("team_id", flat=True)),
    }
    return render(request, "teams.html", context)


def team(request: HttpRequest, slug: str) -> HttpResponse:
    """One team: what it does, how much time it takes, who leads it, whether there is a place."""
    rows = Team.objects.with_taken().select_related("kind", "site", "lead")
    found = get_object_or_404(rows, slug=slug)
    person, now = _me(request), timezone.now()
    mine = Membership.objects.filter(person=person, team=found, ended_on__isnull=True).first()
    context = {
        "team": found,
        "mine": mine,
        "calls": Call.objects.running(now).filter(team=found)
        | Call.objects.running(now).filter(kind=found.kind_id),
        "may_edit": person.has_role("hr") or found.lead_id == person.pk,
    }
    return render(request, "team.html", context)


def team_list(request: HttpRequest) -> HttpResponse:
    """The teams one looks after, and for HR the kinds."""
    person = _me(request)
    rows = Team.objects.looked_after_by(person).with_taken().select_related("kind", "site", "lead")
    context = {
        "teams": rows.order_by("kind_id", "name"),
        "kinds": TeamKind.objects.all() if person.has_role("hr") else [],
    }
    return render(request, "team_list.html", context)


def team_edit(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Write a team: HR any and new ones, a lead what their own is about."""
    person, now = _me(request), timezone.now()
    is_hr = person.has_role("hr")
    if not slug and not is_hr:
        raise Http404
    team = Team()
    if slug:
        team = get_object_or_404(
            Team.objects.looked_after_by(person).select_related("lead"), slug=slug
        )
    form = TeamForm(request.POST or None, initial=_team_initial(team))
    if not is_hr:
        del form.fields["lead"]
    if team.pk:
        del form.fields["kind"]
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        if not team.pk:
            team.kind = typed["kind"]
        try:
            saved = verbs.save_team(
                team=team,
                name=typed["name"],
                purpose=typed["purpose"],
                site=typed["site"],
                lead=typed["lead"] if is_hr else team.lead,
                capacity=typed["capacity"],
                term_months=typed["term_months"],
                by=person,
                now=now,
            )
        except NotTaken as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            moved = applications.move_up(team=saved, now=now)
            messages.success(request, _("Saved."))
            if moved:
                messages.info(request, _("The waiting list moved up: %(n)s.") % {"n": moved})
            return redirect("team_list")
    context = {
        "form": form,
        "team": team,
        "kinds": TeamKind.objects.all(),
        "sites": Site.objects.all(),
        "is_hr": is_hr,
    }
    return render(request, "team_edit.html", context, status=422 if form.errors else 200)


def _team_initial(team: Team) -> dict[str, Any]:
    if team.pk is None:
        return {"term_months": 24}
    return {
        "name": team.name,
        "purpose": team.purpose,
        "site": team.site.slug if team.site else "",
        "lead": team.lead.shown_email if team.lead else "",
        "capacity": team.capacity,
        "term_months": team.term_months,
    }


def kind_edit(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Write a kind of team; a new one says once which behaviour it has."""
    kind = get_object_or_404(TeamKind, slug=slug) if slug else TeamKind()
    initial = {
        name: getattr(kind, name)
        for name in ("name_de", "name_en", "profile_de", "profile_en", "hours_per_month")
    }
    initial |= {
        "tasks": "\n".join(kind.tasks),
        "tasks_en": "\n".join(kind.tasks_en),
        "behaviour": kind.behaviour or TeamKind.Behaviour.PLAIN,
    }
    form = KindForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        typed = dict(form.cleaned_data)
        behaviour = typed.pop("behaviour")
        if kind.pk is None:
            kind.behaviour = behaviour or TeamKind.Behaviour.PLAIN
        try:
            verbs.save_kind(kind=kind, by=_me(request), now=timezone.now(), **typed)
        except NotTaken as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, _("Saved."))
            return redirect("team_list")
    context = {"form": form, "kind": kind, "behaviours": TeamKind.Behaviour.choices}
    return render(request, "kind_edit.html", context, status=422 if form.errors else 200)
