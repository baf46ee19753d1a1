"""Tell the administrators something about Botschaft, and their list of it."""

from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.kept import number
from ambassadors.models import Person
from campaigns import feedback as verbs
from campaigns.models import Feedback

_PAGE = 30


def feedback(request: HttpRequest) -> HttpResponse:
    """One field, and whether a name stands under it; back to where the person stood."""
    error = ""
    page = verbs.page_of(request.POST.get("page", request.GET.get("page", "")))
    if request.method == "POST":
        try:
            verbs.say(
                by=cast("Person", request.user),
                text=request.POST.get("text", ""),
                page=page,
                named=request.POST.get("named") == "yes",
                now=timezone.now(),
            )
        except verbs.FeedbackRefused as refused:
            error = refused.sentence
        else:
            messages.success(request, _("Thank you. Your administrators read it."))
            return redirect(page or "today")
    context = {
        "page": page,
        "error": error,
        "text": request.POST.get("text", ""),
        "named": request.POST.get("named") == "yes",
    }
    return render(request, "feedback.html", context, status=422 if error else 200)


def feedback_list(request: HttpRequest) -> HttpResponse:
    """What people said, what is open first; on POST one is put away or back."""
    if request.method == "POST":
        known = number(request.POST.get("feedback", "")) or 0
        verbs.settle(
            feedback=get_object_or_404(Feedback, pk=known),
            done=request.POST.get("act") == "done",
            by=cast("Person", request.user),
            now=timezone.now(),
        )
        return redirect(request.get_full_path())
    done = request.GET.get("done") == "yes"
    rows = Feedback.objects.filter(done_at__isnull=not done).select_related("person")
    context = {
        "rows": Paginator(rows, _PAGE).get_page(request.GET.get("page")),
        "done": done,
        "open": Feedback.objects.filter(done_at__isnull=True).count(),
    }
    return render(request, "feedback_list.html", context)
