"""What the open editor tells by itself: the unsaved text, and that somebody is here."""

import uuid
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from campaigns import versions
from campaigns.models import Suggestion
from curation import drafts, forms, presence


@require_POST
def draft(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Keep an opened form's text; answers with the editor's status line, 204 if it is saved."""
    person, now = cast("Person", request.user), timezone.now()
    number = forms.number(request.POST.get("suggestion", ""), 18)
    suggestion = get_object_or_404(Suggestion, pk=number) if number else None
    try:
        kept = drafts.keep(key=key, suggestion=suggestion, form=request.POST, by=person, now=now)
    except drafts.TooLarge:
        return _status(request, suggestion, status=413)
    return _status(request, suggestion, kept=True) if kept else HttpResponse(status=204)


@require_POST
def discard(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Forget an unsaved text."""
    person = cast("Person", request.user)
    found = drafts.find(key=key, by=person)
    drafts.forget(key=key, by=person)
    messages.success(request, _("Discarded."))
    if found and found.suggestion_id:
        return redirect("suggestion_edit", pk=found.suggestion_id)
    return redirect("suggestion_new")


@require_POST
def here(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a sign that the page is open, or with ``gone`` that it was closed."""
    suggestion = get_object_or_404(Suggestion, pk=pk)
    person = cast("Person", request.user)
    if "gone" in request.POST:
        presence.gone(suggestion_id=suggestion.pk, person=person)
        return HttpResponse(status=204)
    return _status(request, suggestion)


def _status(
    request: HttpRequest, suggestion: Suggestion | None, *, kept: bool = False, status: int = 200
) -> HttpResponse:
    """When it was kept, who else is here, and whether somebody saved meanwhile."""
    person, now = cast("Person", request.user), timezone.now()
    seen = forms.number(request.POST.get("revision", ""))
    since = None
    others: list[str] = []
    if suggestion:
        others = presence.here(suggestion_id=suggestion.pk, person=person, now=now)
        since = versions.newest_since(suggestion, seen)
    context = {
        "kept_at": now if kept else None,
        "too_large": status == 413,
        "others": others,
        "since": since,
        "suggestion": suggestion,
    }
    return render(request, "parts/editor_status.html", context, status=status)
