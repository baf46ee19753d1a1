"""Who leaves when, who has left, and what needs somebody since. No post, no figure of a person."""

import datetime as dt

from django.db.models import Exists, F, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from ambassadors.models import Absence, Erasure, Person, Team
from campaigns import takeovers
from campaigns.models import Topic

_SHOWN = dt.timedelta(days=90)
_MOST = 100


def leavers(request: HttpRequest) -> HttpResponse:
    """Planned days, what needs somebody, and those who left within 90 days."""
    now = timezone.now()
    today = timezone.localdate()
    open_absences = Absence.objects.filter(ended_at__isnull=True, until_on__gte=today)
    their_wish = Erasure.objects.open().filter(person=OuterRef("pk"), asked_by=F("person"))
    context = {
        "planned": Person.objects.filter(left_at__isnull=True, leaves_on__isnull=False)
        .select_related("site")
        .order_by("leaves_on", "name")[:_MOST],
        "today": today,
        "teams": Team.objects.filter(lead__left_at__isnull=False).select_related("lead")[:_MOST],
        "topics": Topic.objects.current()
        .filter(owner__left_at__isnull=False)
        .select_related("owner")
        .order_by("title")[:_MOST],
        "slots": takeovers.without_person(now)[:_MOST],
        "absences": open_absences.filter(
            deputy__left_at__isnull=False, person__left_at__isnull=True
        ).select_related("person", "deputy")[:_MOST],
        "left": Person.objects.filter(
            Q(left_at__gte=now - _SHOWN) | Q(left_at__isnull=False, erases_at__isnull=False),
            erased_at__isnull=True,
        )
        .annotate(own_wish=Exists(their_wish))
        .order_by("-left_at")[:_MOST],
    }
    return render(request, "leavers.html", context)
