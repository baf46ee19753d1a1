"""The history of a suggestion: every version, the difference of any two, bring one back."""

from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from campaigns import versions
from campaigns.models import Suggestion, Version
from campaigns.suggestions import NotAllowed, StaleRevision
from curation import forms
from curation.differences import between

from .editor import seen_revision

_PAGE = 25


def history(request: HttpRequest, pk: int) -> HttpResponse:
    """List the versions, and what differs: ``a`` and ``b`` are versions, ``from`` a revision."""
    suggestion = get_object_or_404(Suggestion, pk=pk)
    rows = suggestion.versions.select_related("by").defer("content")
    shown = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    newer, older = _two(request, suggestion)
    context = {
        "suggestion": suggestion,
        "versions": shown,
        "newer": newer,
        "older": older,
        "differences": between(older.content, newer.content) if newer and older else [],
    }
    return render(request, "history.html", context)


def _two(request: HttpRequest, suggestion: Suggestion) -> tuple[Version | None, Version | None]:
    """The two versions asked for; the newest and the one before it when none are."""
    rows = suggestion.versions.select_related("by")
    saved = rows.exclude(kind=Version.Kind.REFUSED)
    newer = rows.filter(pk=forms.number(request.GET.get("b", ""), 18)).first() or saved.first()
    older = rows.filter(pk=forms.number(request.GET.get("a", ""), 18)).first()
    if older is None and "from" in request.GET:
        older = saved.filter(revision=forms.number(request.GET["from"])).first()
    if older is None and newer is not None:
        older = saved.filter(pk__lt=newer.pk).first()
    if newer and older and older.pk > newer.pk:
        return older, newer
    return newer, older


@require_POST
def restore(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """Bring a version back as a new save."""
    found = get_object_or_404(
        Version.objects.select_related("suggestion"), pk=version, suggestion=pk
    )
    person, now = cast("Person", request.user), timezone.now()
    try:
        written = versions.restore(
            version=found, seen_revision=seen_revision(request), by=person, now=now
        )
    except StaleRevision:
        messages.error(
            request, _("It changed since you opened it. Look at the newest version first.")
        )
        return redirect("history", pk=pk)
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect("history", pk=pk)
    if written.version:
        messages.success(
            request,
            _("Version %(number)s is back. What stood there is in the history.")
            % {"number": found.revision},
        )
    else:
        messages.info(request, _("It says the same already."))
    return redirect("suggestion_edit", pk=pk)
