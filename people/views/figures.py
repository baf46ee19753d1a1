"""Figures about groups for HR: who could speak, what people have time for, what rests on three."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from ambassadors import sheets
from ambassadors.models import Person, TeamKind
from people import burden, concentration, roster
from people import coverage as matrix

_MOST_GAPS = 8


def coverage(request: HttpRequest) -> HttpResponse:
    """Topic × site in one language, with gaps and who could."""
    found = matrix.counts()
    spoken = matrix.spoken(found)
    asked = request.GET.get("language", "")
    language = asked if asked in dict(spoken) else spoken[0][0]
    table = matrix.table(language, found)
    gaps: list[dict[str, Any]] = [
        {"line": line, "site": name, "could": table.could(line, gap)}
        for line in table.lines
        for gap in line.gaps
        for site, name in table.sites
        if site == gap.site and site is not None
    ]
    # First what is at home elsewhere: there, somebody can be asked.
    gaps.sort(key=lambda gap: not gap["could"][1])
    context = {
        "table": table,
        "spoken": spoken,
        "language": language,
        "language_name": dict(spoken)[language],
        "gaps": [gap for gap in gaps if any(gap["could"])][:_MOST_GAPS],
        "many_gaps": len(gaps),
    }
    return render(request, "coverage.html", context)


@require_POST
def coverage_export(request: HttpRequest) -> StreamingHttpResponse:
    """What the pages of all languages tell, as a file for spreadsheets."""
    german, now = request.POST.get("as") == "excel", timezone.now()
    roster.note_export("coverage", by=cast("Person", request.user), german=german, now=now)
    told = matrix.export(matrix.counts())
    return sheets.download(told, name=f"coverage-{now:%Y-%m-%d}", german=german)


def figures(request: HttpRequest) -> HttpResponse:
    """What rests on three, and time and burden by kind of team."""
    now = timezone.now()
    kinds = {kind.slug: kind for kind in TeamKind.objects.all()}
    told = burden.burden(now=now)
    context = {
        "concentration": concentration.concentration(now=now),
        "burden": told,
        "groups": [
            ([kinds[slug] for slug in group.kinds if slug in kinds], group)
            for group in sorted(told.groups, key=lambda group: burden.SEVERAL in group.kinds)
        ],
    }
    return render(request, "figures.html", context)
