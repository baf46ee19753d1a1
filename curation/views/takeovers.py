"""Takeovers of the company's channels: whose slot is when, plan one, stop one."""

import datetime as dt
import uuid
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ambassadors.kept import form_key, kept_form
from ambassadors.models import Person, normalise_email
from campaigns import takeovers as verbs
from campaigns.models import Takeover
from integrations.models import ConnectedAccount

_MOST_DIGITS = 18


class TakeoverForm(forms.Form):
    """Channel, person, slot and rules."""

    channel = forms.ModelChoiceField(
        ConnectedAccount.objects.company(), label=gettext_lazy("Channel")
    )
    person = forms.CharField(max_length=254, label=gettext_lazy("Colleague’s e-mail"))
    begins_at = forms.DateTimeField(label=gettext_lazy("Begin"))
    ends_at = forms.DateTimeField(label=gettext_lazy("End"))
    rules = forms.CharField(label=gettext_lazy("Rules"))

    def clean_person(self) -> Person:
        """The colleague with this address."""
        address = normalise_email(self.cleaned_data["person"])
        found = Person.objects.filter(email_normalised=address, left_at__isnull=True).first()
        if found is None:
            raise forms.ValidationError(_("Nobody here has this address. Write it as they log in."))
        return found


def takeovers(request: HttpRequest) -> HttpResponse:
    """All takeovers, the latest begin first; on POST plan one."""
    person, now = cast("Person", request.user), timezone.now()
    if request.method != "POST":
        return _page(request, TakeoverForm(kept_form(request), initial=_again(request, now)), now)
    form = TakeoverForm(request.POST)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            made = verbs.plan(
                channel=typed["channel"],
                person=typed["person"],
                begins_at=typed["begins_at"],
                ends_at=typed["ends_at"],
                rules=typed["rules"],
                submission=form_key(request.POST.get("submission", "")),
                by=person,
                now=now,
            )
        except verbs.NotPlanned as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            who = made.person.name
            messages.success(request, _("Planned. %(who)s is asked on Today.") % {"who": who})
            return redirect("takeover", pk=made.pk)
    return _page(request, form, now, status=422)


def _again(request: HttpRequest, now: dt.datetime) -> dict[str, Any]:
    """What stood in the slot of somebody who left, to give it to somebody else."""
    number = request.GET.get("again", "")
    if not number.isdecimal() or len(number) > _MOST_DIGITS:
        return {}
    slot = verbs.without_person(now).filter(pk=int(number)).first()
    if slot is None:
        return {}
    wall = {
        name: timezone.localtime(at).strftime("%Y-%m-%dT%H:%M")
        for name, at in (("begins_at", max(slot.begins_at, now)), ("ends_at", slot.ends_at))
    }
    return {"channel": slot.channel_id, "rules": slot.rules, **wall}


def _page(
    request: HttpRequest, form: TakeoverForm, now: dt.datetime, *, status: int = 200
) -> HttpResponse:
    rows = Takeover.objects.select_related("channel", "person")
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": page,
        "rows": [
            {"takeover": row, "stands": row.stands(now), "left": row.person.left_at is not None}
            for row in page.object_list
        ],
        "channels": ConnectedAccount.objects.company(),
        "form": form,
        "open": form.is_bound or bool(form.initial),
        "lonely": verbs.without_person(now)[:20],
        "submission": request.POST.get("submission") or uuid.uuid4(),
    }
    return render(request, "desk_takeovers.html", context, status=status)
