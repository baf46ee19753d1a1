"""Review a suggestion: exactly the revision that was shown."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from campaigns import suggestions
from campaigns.models import Suggestion
from campaigns.suggestions import NotAllowed, StaleRevision

from .editor import seen_revision


@require_POST
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve, give back or withdraw exactly the revision that was shown."""
    person, now = cast("Person", request.user), timezone.now()
    suggestion = get_object_or_404(Suggestion, pk=pk)
    seen = seen_revision(request)
    act = request.POST.get("act", "")
    try:
        if act == "approve":
            suggestions.approve(suggestion=suggestion, seen_revision=seen, by=person, now=now)
            messages.success(request, _("Approved. It is in Today now."))
        elif act == "give_back":
            note = request.POST.get("note", "").replace("\x00", "")[:1000]
            suggestions.give_back(
                suggestion=suggestion, seen_revision=seen, note=note, by=person, now=now
            )
            messages.success(request, _("Given back."))
        elif act == "withdraw":
            suggestions.withdraw(suggestion=suggestion, by=person, now=now)
            messages.success(request, _("Withdrawn."))
    except StaleRevision:
        messages.error(
            request, _("It changed since you opened it. Please read the new text first.")
        )
        return redirect("suggestion_edit", pk=pk)
    except NotAllowed as error:
        messages.error(request, str(error))
    return redirect("desk")
