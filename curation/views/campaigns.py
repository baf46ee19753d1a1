"""Campaigns at the desk: plan one, change it, and say which suggestions belong to it."""

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
from campaigns import campaigns as verbs
from campaigns.models import Campaign, Programme, Suggestion

_LISTED = 50  # suggestions one may choose from, the newest first


class CampaignForm(forms.Form):
    """What a campaign is about, when, and what would make it a success."""

    title = forms.CharField(label=gettext_lazy("Title"))
    hashtag = forms.CharField(label=gettext_lazy("Hashtag"))
    description = forms.CharField(label=gettext_lazy("What it is about"))
    language = forms.ChoiceField(choices=Person.Language.choices, label=gettext_lazy("Language"))
    begins_on = forms.DateField(label=gettext_lazy("First day"))
    ends_on = forms.DateField(label=gettext_lazy("Last day"))
    goal_own_words = forms.IntegerField(
        label=gettext_lazy("Own words, in per cent"), min_value=1, max_value=100, required=False
    )
    goal_conversations = forms.IntegerField(
        label=gettext_lazy("Conversations"), min_value=1, max_value=100_000, required=False
    )


def campaigns(request: HttpRequest) -> HttpResponse:
    """All campaigns, the latest first; on POST plan one."""
    person, now = cast("Person", request.user), timezone.now()
    if request.method != "POST":
        return _list(request, CampaignForm(kept_form(request), initial={"language": "de"}), now)
    form = CampaignForm(request.POST)
    if form.is_valid():
        submission = form_key(request.POST.get("submission", ""))
        try:
            made = verbs.plan(
                typed=verbs.Plan(**form.cleaned_data), submission=submission, by=person, now=now
            )
        except verbs.NotPlanned as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            _say_saved(request, made)
            return redirect("desk_campaign", pk=made.pk)
    return _list(request, form, now, status=422)


def _say_saved(request: HttpRequest, campaign: Campaign) -> None:
    """Saved; and which others share a day with it."""
    messages.success(request, _("Saved."))
    for other in verbs.overlapping(campaign)[:3]:
        messages.warning(
            request,
            _("It overlaps with “%(title)s” (#%(tag)s), %(begin)s to %(end)s.")
            % {
                "title": other.title,
                "tag": other.hashtag,
                "begin": f"{other.begins_on:%d.%m.}",
                "end": f"{other.ends_on:%d.%m.%Y}",
            },
        )


def _list(
    request: HttpRequest, form: CampaignForm, now: dt.datetime, *, status: int = 200
) -> HttpResponse:
    today = Programme.the().today(now)
    page = Paginator(Campaign.objects.all(), 20).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": page,
        "rows": [{"campaign": row, "stands": row.stands(today)} for row in page.object_list],
        "form": form,
        "open": form.is_bound,
        "submission": request.POST.get("submission") or uuid.uuid4(),
    }
    return render(request, "desk_campaigns.html", context, status=status)


def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """One campaign to change."""
    person, now = cast("Person", request.user), timezone.now()
    found = get_object_or_404(Campaign, pk=pk)
    if request.method != "POST":
        kept = kept_form(request)
        stored = {name: getattr(found, name) for name in CampaignForm.base_fields}
        form = CampaignForm(kept) if kept else CampaignForm(initial=stored)
        return _page(request, found, form, now, seen=str(found.revision))
    form, seen = CampaignForm(request.POST), request.POST.get("revision", "")
    if form.is_valid():
        known = seen.isascii() and seen.isdecimal() and len(seen) < 10
        try:
            verbs.change(
                campaign=found,
                typed=verbs.Plan(**form.cleaned_data),
                seen_revision=int(seen) if known else 0,
                by=person,
                now=now,
            )
        except verbs.NotPlanned as refused:
            form.add_error(refused.field, refused.sentence)
        except verbs.StaleCampaign:
            found.refresh_from_db()
            return _page(
                request, found, form, now, seen=str(found.revision), theirs=True, status=409
            )
        else:
            found.refresh_from_db()
            _say_saved(request, found)
            return redirect("desk_campaign", pk=pk)
    return _page(request, found, form, now, seen=seen, status=422)


def _page(
    request: HttpRequest,
    found: Campaign,
    form: CampaignForm,
    now: dt.datetime,
    *,
    seen: str,
    theirs: bool = False,
    status: int = 200,
) -> HttpResponse:
    rows = Suggestion.objects.exclude(state="withdrawn").select_related("topic", "campaign")
    context: dict[str, Any] = {
        "campaign": found,
        "stands": found.stands(Programme.the().today(now)),
        "form": form,
        "revision": seen,
        "theirs": theirs,
        "mine": rows.filter(campaign=found)[:_LISTED],
        "others": rows.filter(campaign__isnull=True)[:_LISTED],
        "overlapping": verbs.overlapping(found)[:5],
    }
    return render(request, "desk_campaign.html", context, status=status)


@require_POST
def belong(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a suggestion into the campaign, or take it out."""
    found = get_object_or_404(Campaign, pk=pk)
    chosen = request.POST.get("suggestion", "")
    known = chosen.isascii() and chosen.isdecimal() and len(chosen) < 19
    rows = Suggestion.objects.exclude(state="withdrawn")
    suggestion = rows.filter(pk=int(chosen)).first() if known else None
    if suggestion is None:
        messages.error(request, _("Choose a suggestion."))
        return redirect("desk_campaign", pk=pk)
    out = request.POST.get("act") == "out"
    by, now = cast("Person", request.user), timezone.now()
    try:
        verbs.belong(suggestion=suggestion, campaign=None if out else found, by=by, now=now)
    except verbs.StaysThere:
        messages.error(
            request,
            _("A few people have posted on it already. Moving it would tell on them: it stays."),
        )
    return redirect("desk_campaign", pk=pk)
