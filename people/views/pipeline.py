"""The way into a team: who stands where, and one person's term with its history."""

from typing import Any, cast

import django_filters
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import agreement, memberships
from ambassadors.memberships import NoPlace
from ambassadors.models import Membership, MembershipStep, Person, Team
from people import applications
from people import pipeline as verbs
from people.models import Application, Call, Nomination
from people.pipeline import AlreadyIn, NotTaken, NotYet, TooLate

_MOST_MARKS = 60


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


class TermFilter(django_filters.FilterSet):
    """Name, team and stage."""

    q = django_filters.CharFilter(field_name="person__name", lookup_expr="icontains")
    team = django_filters.ModelChoiceFilter(
        field_name="team", queryset=Team.objects.all(), to_field_name="slug"
    )
    stage = django_filters.ChoiceFilter(choices=Membership.Stage.choices)

    class Meta:
        model = Membership
        fields: tuple[str, ...] = ()


def _stages(rows: "QuerySet[Membership]") -> list[dict[str, Any]]:
    """How many stand at each stage, by the behaviour of their team's kind."""
    counted: dict[str, dict[str, int]] = {stage: {} for stage in Membership.Stage.values}
    found = rows.order_by().values_list("stage", "team__kind__behaviour").annotate(n=Count("pk"))
    for stage, behaviour, n in found:
        counted[stage][behaviour] = n
    return [
        {
            "stage": stage,
            "label": label,
            "total": sum(counted[stage].values()),
            "kinds": sorted(counted[stage].items()),
        }
        for stage, label in Membership.Stage.choices
    ]


def pipeline(request: HttpRequest) -> HttpResponse:
    """Everybody on the way, for HR and for leads of their own teams; the newest steps first."""
    person = _me(request)
    rows = verbs.shown_to(person)
    found = TermFilter(request.GET.dict(), queryset=rows.order_by("-stage_since_on", "-pk"))
    page = Paginator(found.qs, 25).get_page(request.GET.get("page"))
    calls = Call.objects.looked_after_by(person)
    context = {
        "stages": _stages(rows),
        "filter": found,
        "page": page,
        "teams": Team.objects.looked_after_by(person),
        "waiting": Application.objects.filter(
            call__in=calls, state="applied", person__left_at__isnull=True
        ).count(),
        "more": "".join(
            f"&{name}={request.GET[name]}" for name in ("team", "stage") if request.GET.get(name)
        ),
    }
    return render(request, "pipeline.html", context)


def term(request: HttpRequest, pk: int) -> HttpResponse:
    """One person in one team: where they stand, since when, and what comes next."""
    found = get_object_or_404(verbs.shown_to(_me(request)), pk=pk)
    agreement.note_look(person=found.person, page="term", by=_me(request), now=timezone.now())
    return _page(request, found)


def _page(
    request: HttpRequest, term: Membership, refused: dict[str, str] | None = None
) -> HttpResponse:
    person, team = term.person, term.team
    steps = MembershipStep.objects.filter(membership__person=person, membership__team=team)
    agreed = Nomination.objects.agreed().filter(nominee=person, team=team)
    context = {
        "term": term,
        "steps": steps.order_by("-since_on", "-pk"),
        "notes": agreed.select_related("nominator") if term.stage == "nominated" else [],
        "asked_back": Membership.objects.filter(
            person=person, team=team, ended_on__isnull=True
        ).exists(),
        "today": memberships.day_of(timezone.now()),
        "refused": refused or {},
    }
    return render(request, "term.html", context, status=422 if refused else 200)


@require_POST
def term_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Invite, make active, say goodbye, invite back."""
    person, now = _me(request), timezone.now()
    term = verbs.shown_to(person).filter(pk=pk).first()
    if term is None:
        messages.info(request, _("That is not there any more."))
        return redirect("pipeline")
    act, word = request.POST.get("act", ""), request.POST.get("word", "")
    name = {"name": term.person.name}
    try:
        if act == "invite" and term.stage in {"nominated", "alumni"}:
            verbs.invite(person=term.person, team=term.team, by=person, now=now)
            messages.success(request, _("Invited. %(name)s decides.") % name)
        elif act == "activate":
            verbs.advance(membership=term, by=person, now=now)
            messages.success(request, _("%(name)s is active now.") % name)
        elif act == "farewell":
            verbs.farewell(membership=term, word=word, by=person, now=now)
            applications.move_up(team=term.team, now=now)
            messages.success(request, _("Done. %(name)s has your word by mail.") % name)
            return redirect("pipeline")
        else:
            raise TooLate  # noqa: TRY301 - the same sentence as for a stale page
    except NotTaken as refused:
        return _page(request, term, {"word": word, "sentence": refused.sentence})
    except NotYet as lacks:
        messages.warning(request, _("Not yet: %(courses)s") % {"courses": lacks})
    except NoPlace:
        messages.warning(request, _("All places of this team are taken. Free one, or raise them."))
    except (AlreadyIn, TooLate):
        messages.info(request, _("Somebody has decided meanwhile; this is how it stands."))
    return redirect("term", pk=pk)
