"""The roster: look after people, not reach. No post and no figure of a person is read here."""

import datetime as dt
from typing import Any

import django_filters
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Consent, Membership, TeamKind

_STAGES = ("nominated", "invited", "in_training", "active", "paused", "alumni")
_LATE_TRAINING = dt.timedelta(days=30)


class RosterFilter(django_filters.FilterSet):
    """Name, team kind and stage."""

    q = django_filters.CharFilter(field_name="person__name", lookup_expr="icontains")
    kind = django_filters.ModelChoiceFilter(
        field_name="team__kind", queryset=TeamKind.objects.all(), to_field_name="slug",
        empty_label=_("All"),
    )  # fmt: skip
    stage = django_filters.ChoiceFilter(choices=Membership.Stage.choices)

    class Meta:
        model = Membership
        fields: tuple[str, ...] = ()


def pipeline(today: dt.date) -> list[dict[str, Any]]:
    """How many people stand at each stage, by kind of team."""
    rows = Membership.objects.values("stage", "team__kind__behaviour").annotate(n=Count("pk"))
    counted: dict[str, dict[str, int]] = {stage: {} for stage in _STAGES}
    for row in rows:
        counted[row["stage"]][row["team__kind__behaviour"]] = (
            counted[row["stage"]].get(row["team__kind__behaviour"], 0) + row["n"]
        )
    late = Membership.objects.filter(
        stage="in_training", stage_since_on__lt=today - _LATE_TRAINING
    ).count()
    labels = dict(Membership.Stage.choices)
    return [
        {
            "stage": stage,
            "label": labels[stage],
            "total": sum(kinds.values()),
            "kinds": kinds,
            "late": late if stage == "in_training" else 0,
        }
        for stage, kinds in counted.items()
    ]


def _rows() -> "QuerySet[Membership]":
    """Terms of people who work here and said yes to being in the roster."""
    yes = Consent.objects.given().filter(person=OuterRef("person"), purpose="roster")
    return (
        Membership.objects.filter(Exists(yes), person__left_at__isnull=True)
        .select_related("person__site", "team__kind", "team__site")
        .order_by("stage_since_on", "person__name")
    )


def roster(request: HttpRequest) -> HttpResponse:
    """Everybody in a team, with stage and term."""
    today = timezone.localdate()
    found = RosterFilter(request.GET.dict(), queryset=_rows())
    page = Paginator(found.qs, 25).get_page(request.GET.get("page"))
    stages = pipeline(today)
    context = {
        "filter": found,
        "page": page,
        "pipeline": stages,
        "people": Membership.objects.values("person").distinct().count(),
        "active": next(s["total"] for s in stages if s["stage"] == "active"),
        "kinds": TeamKind.objects.annotate(n=Count("team__membership")),
        "late_from": today - _LATE_TRAINING,
    }
    template = "parts/roster_rows.html" if request.headers.get("HX-Request") else "roster.html"
    return render(request, template, context)
