"""The roster's doors: the page, views to keep, the file."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from ambassadors import languages, savedviews, sheets
from ambassadors.models import Membership, Person, SavedView, Site, TeamKind
from campaigns.models import Topic
from people import roster as rows
from people.roster import Wanted

# Shapes of the marks, in words; kinds without a behaviour of their own share one.
_SHAPES = (
    ("multiplier", gettext_lazy("Multipliers")),
    ("contact", gettext_lazy("Contacts")),
    ("expert", gettext_lazy("Experts")),
    ("plain", gettext_lazy("other kinds")),
)


def roster(request: HttpRequest) -> HttpResponse:
    """Everybody in a team who said yes to being listed, with stage and term."""
    person, today = cast("Person", request.user), timezone.localdate()
    wanted = Wanted.read(request.GET)
    found = wanted.rows(person, today)
    count = rows.count(found)
    context: dict[str, Any] = {
        "wanted": wanted,
        "here": wanted.query(),
        "leaf": rows.leaf(
            found,
            person,
            after=rows.number(request.GET.get("after", "")),
            before=rows.number(request.GET.get("before", "")),
            short=wanted.is_short(count),
        ),
        "count": count,
        "most": rows.MOST_COUNTED,
        "late_from": today - rows.LATE_TRAINING,
        "may_end": person.has_role("hr", "administrator"),
    }
    if request.headers.get("HX-Request"):
        return render(request, "parts/roster_rows.html", context)
    return render(request, "roster.html", context | _around(person, today))


def _around(person: Person, today: dt.date) -> dict[str, Any]:
    """What stands around the rows: the way into a team, what can be filtered, kept views."""
    seen = rows.overview(person, today)
    labels = dict(Membership.Stage.choices)
    kinds = list(TeamKind.objects.all())
    return {
        "overview": seen,
        "pipeline": [
            {
                "stage": stage,
                "label": labels[Membership.Stage(stage)],
                "total": seen.total(stage),
                "marks": {
                    behaviour: -(-n // seen.each) for behaviour, n in seen.stages[stage].items()
                },
                "late": seen.late if stage == "in_training" else 0,
            }
            for stage in rows.STAGES
        ],
        "active": seen.total("active"),
        "legend": [(label, behaviour, seen.kinds[behaviour])
                   for behaviour, label in _SHAPES if seen.kinds.get(behaviour)],
        "kinds": kinds,
        "stages": Membership.Stage.choices,
        "teams": list(rows.teams(person)),
        "sites": list(Site.objects.all()),
        "languages": languages.choices(),
        "topics": list(Topic.objects.current()),
        "views": list(savedviews.of(person, SavedView.Page.ROSTER)),
        "for_hr": person.has_role("hr"),
    }  # fmt: skip


def _address(wanted: Wanted) -> str:
    return f"{reverse('roster')}?{wanted.query()}#list-h"


@require_POST
def keep_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters of the address under a name; a name that is there already is replaced."""
    person, wanted = cast("Person", request.user), Wanted.read(request.GET)
    name = request.POST.get("name", "")
    try:
        kept = savedviews.keep(
            by=person, page=SavedView.Page.ROSTER, name=name, query=wanted.query()
        )
    except savedviews.NothingToKeep:
        messages.error(request, _("Filter something and write a name, then it can be kept."))
    except savedviews.TooMany:
        messages.error(request, _("Twenty views are the most. Let one go first."))
    else:
        messages.success(request, _("Kept as “%(name)s”. Only you see it.") % {"name": kept.name})
    return redirect(_address(wanted))


@require_POST
def drop_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Let one of the person's views go."""
    savedviews.drop(by=cast("Person", request.user), page=SavedView.Page.ROSTER, pk=pk)
    return redirect(_address(Wanted.read(request.GET)))


@require_POST
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The rows that are shown, as a file for spreadsheets, sent line by line."""
    person, now = cast("Person", request.user), timezone.now()
    wanted, german = Wanted.read(request.GET), request.POST.get("as") == "excel"
    rows.note_export("roster", by=person, german=german, now=now, wanted=wanted)
    found = wanted.rows(person, timezone.localdate())
    return sheets.download(rows.export(found), name=f"roster-{now:%Y-%m-%d}", german=german)
