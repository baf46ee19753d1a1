"""Requests to comment, like or share: what is asked now, a new one, an early end."""

import datetime as dt
import uuid
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from ambassadors.kept import form_key, kept_form
from ambassadors.models import Person
from campaigns import activities as verbs
from campaigns.models import Activity, Topic


class ActivityForm(forms.Form):
    """What is asked, about what, why, until when."""

    kind = forms.ChoiceField(choices=Activity.Kind.choices, label=gettext_lazy("What"))
    title = forms.CharField(label=gettext_lazy("About what"))
    why = forms.CharField(label=gettext_lazy("Why"))
    link_url = forms.CharField(label=gettext_lazy("Address of the post"))
    topic = forms.ModelChoiceField(Topic.objects.current(), label=gettext_lazy("Topic"))
    ends_at = forms.DateTimeField(label=gettext_lazy("Until"))


def activities(request: HttpRequest) -> HttpResponse:
    """All requests, those that go on first; on POST make one."""
    person, now = cast("Person", request.user), timezone.now()
    if request.method != "POST":
        return _page(request, ActivityForm(kept_form(request)), now)
    form = ActivityForm(request.POST)
    if form.is_valid():
        submission = form_key(request.POST.get("submission", ""))
        try:
            verbs.make(**form.cleaned_data, submission=submission, by=person, now=now)
        except verbs.NotMade as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, _("It stands on Today until it ends by itself."))
            return redirect("desk_activities")
    return _page(request, form, now, status=422)


def _page(
    request: HttpRequest, form: ActivityForm, now: dt.datetime, *, status: int = 200
) -> HttpResponse:
    rows = Activity.objects.select_related("topic", "created_by").order_by("-ends_at", "-pk")
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": page,
        "rows": [
            {
                "activity": row,
                "network": verbs.network_of(row.link_url),
                "going": row.ended_at is None and row.ends_at > now,
            }
            for row in page.object_list
        ],
        "form": form,
        "topics": Topic.objects.current(),
        "open": form.is_bound,
        "submission": request.POST.get("submission") or uuid.uuid4(),
    }
    return render(request, "desk_activities.html", context, status=status)


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a request before its time."""
    activity = get_object_or_404(Activity, pk=pk)
    by = cast("Person", request.user)
    if verbs.end(activity=activity, by=by, now=timezone.now()):
        messages.success(request, _("Ended. It stands on Today no more."))
    else:
        messages.error(request, _("It was over already."))
    return redirect("desk_activities")
