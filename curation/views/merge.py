"""Bring together what two people wrote at the same time, with nothing lost beforehand."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from campaigns import contents, suggestions, versions
from campaigns.contents import Content
from campaigns.merging import Merged
from campaigns.models import Version
from campaigns.suggestions import NotAllowed, StaleRevision
from curation.choices import Choice, answer, choices
from curation.differences import Difference, between

from .editor import seen_revision, together


def merge(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """Show what came together by itself and ask about the rest; on POST save the choices."""
    person, now = cast("Person", request.user), timezone.now()
    refused = _refused(pk, version, person)
    suggestion = refused.suggestion
    suggestions.keep_found(suggestion, contents.stored(suggestion))
    if request.method != "POST":
        return _page(request, refused, suggestion.revision)
    seen = seen_revision(request)
    try:
        asked = _asked(refused, seen)
        picks = answer(asked, request.POST)
        if picks is None:
            return _page(request, refused, seen, asked, status=422)
        written = versions.resolve(
            refused=refused, picks=picks, seen_revision=seen, by=person, now=now
        )
    except StaleRevision:
        return _page(request, refused, suggestion.revision, status=409)
    except NotAllowed as error:
        messages.error(request, str(error))
        return _page(request, refused, seen, asked, status=422)
    if written.refused:
        messages.warning(request, _("Somebody saved once more. Your choices are kept."))
        return redirect("merge", pk=pk, version=written.refused.pk)
    said = together(written, seen) if written.taken else _("Saved, brought together.")
    messages.success(request, said)
    return redirect("suggestion_edit", pk=pk)


@require_POST
def put_aside(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """Offer the text no more; it stays in the history."""
    person = cast("Person", request.user)
    versions.put_aside(refused=_refused(pk, version, person), by=person, now=timezone.now())
    messages.success(request, _("Put aside. Your text stays in the history."))
    return redirect("suggestion_edit", pk=pk)


def _refused(pk: int, version: int, person: Person) -> Version:
    """The person's own text that lost the race."""
    rows = Version.objects.select_related("suggestion__picture")
    return get_object_or_404(rows, pk=version, suggestion=pk, by=person, kind="refused")


def _asked(refused: Version, revision: int) -> list[Choice]:
    merged = versions.merge_of(refused, revision)
    theirs = versions.saved(refused.suggestion, revision)
    base = versions.stood(refused.suggestion, refused.base)
    return choices(
        merged,
        base=base.content if base else None,
        mine=refused.content,
        theirs=theirs.content if theirs else refused.content,
    )


def _page(
    request: HttpRequest,
    refused: Version,
    revision: int,
    asked: list[Choice] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    merged = versions.merge_of(refused, revision)
    rows = refused.suggestion.versions.select_related("by").defer("content")
    saved = rows.exclude(kind="refused").filter(revision__gt=refused.base)
    context = {
        "suggestion": refused.suggestion,
        "refused": refused,
        "revision": revision,
        "names": sorted({v.by.name for v in saved if v.by and v.by_id != refused.by_id}),
        "choices": _asked(refused, revision) if asked is None else asked,
        "came_in": _came_in(refused, merged),
    }
    return render(request, "merge.html", context, status=status)


def _came_in(refused: Version, merged: Merged) -> list[Difference]:
    """What the others changed where the person did not write."""
    mine: Content = refused.content
    clashing = {clash.key for clash in merged.clashes}
    with_theirs: Content = {
        "fields": {
            **mine["fields"],
            **{key: merged.content["fields"][key] for key in merged.taken if key in mine["fields"]},
        },
        "wordings": [
            next((m for m in mine["wordings"] if m["key"] == w["key"]), w)
            if f"wording-{w['key']}" in clashing
            else w
            for w in merged.content["wordings"]
        ],
    }
    return [d for d in between(mine, with_theirs) if d.runs]
