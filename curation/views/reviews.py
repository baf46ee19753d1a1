"""The queue of what waits for a look, the page to look at it, and who stands in."""

import datetime as dt
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import absences
from ambassadors.models import Absence, Person
from campaigns import audiences, disclosure, previews, suggestions, wording
from campaigns import reviews as verbs
from campaigns.models import Approval, Suggestion
from campaigns.suggestions import NotAllowed, StaleRevision

_PAGE = 20
_LONGEST_NOTE = 1000
_LONGEST_ABSENCE = dt.timedelta(days=366)


class AwayForm(forms.Form):
    """Who stands in, and until when."""

    deputy = forms.ModelChoiceField(Person.objects.none())
    until_on = forms.DateField()

    def __init__(self, person: Person, today: dt.date, *args: Any) -> None:
        super().__init__(*args)
        self.person, self.today = person, today
        field = cast("forms.ModelChoiceField[Person]", self.fields["deputy"])
        field.queryset = _possible_deputies(person)

    def clean_until_on(self) -> dt.date:
        """A day to come, within a year."""
        day: dt.date = self.cleaned_data["until_on"]
        if day < self.today:
            raise forms.ValidationError(_("This day is over."))
        if day > self.today + _LONGEST_ABSENCE:
            raise forms.ValidationError(_("At most a year ahead."))
        return day


def _possible_deputies(person: Person) -> "QuerySet[Person]":
    """Everybody here who may give the looks that the person gives."""
    found = Person.objects.filter(left_at__isnull=True, is_active=True).exclude(pk=person.pk)
    for role in sorted({"curator", "legal"} & person.role_names):
        found = found.filter(role__name=role)
    return found


def reviews(request: HttpRequest, *, form: AwayForm | None = None) -> HttpResponse:
    """What waits, the oldest first; ``for=me`` keeps what waits for the person."""
    person, now = cast("Person", request.user), timezone.now()
    mine = verbs.waiting_for(person, now=now)
    every = verbs.waiting()
    only = request.GET.get("for") == "me"
    page = Paginator(mine if only else every, _PAGE).get_page(request.GET.get("page"))
    today = person.local(now).date()
    context = {
        "page": page,
        "rows": [
            {"row": row, "age": _age(row.suggestion, now)}
            for row in verbs.rows(page.object_list, person, now=now)
        ],
        "only": only,
        "for_me": page.paginator.count if only else mine.count(),
        "all": every.count() if only else page.paginator.count,
        "away": Absence.objects.filter(person=person, ended_at__isnull=True, until_on__gte=today)
        .select_related("deputy")
        .first(),
        "stands_in": absences.stands_in_for(person, today).values(),
        "form": form or AwayForm(person, today),
        "today": today,
        "curates": person.has_role("curator"),
    }
    return render(request, "reviews.html", context, status=422 if form else 200)


def _age(suggestion: Suggestion, now: dt.datetime) -> str:
    return timesince(suggestion.handed_in_at or suggestion.changed_at, now, depth=1)


@require_POST
def away(request: HttpRequest) -> HttpResponse:
    """Name a deputy until a day, or come back."""
    person, now = cast("Person", request.user), timezone.now()
    if request.POST.get("act") == "back":
        if absences.come_back(by=person, now=now):
            messages.success(request, _("Welcome back. What waits for you is shown to you again."))
        return redirect("reviews")
    form = AwayForm(person, person.local(now).date(), request.POST)
    if not form.is_valid():
        return reviews(request, form=form)
    deputy, until_on = form.cleaned_data["deputy"], form.cleaned_data["until_on"]
    absences.go(by=person, deputy=deputy, until_on=until_on, now=now)
    messages.success(request, _("%(name)s stands in for you.") % {"name": deputy.name})
    return redirect("reviews")


def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a suggestion as it would leave; on POST say yes, give it back, or withdraw it."""
    suggestion = get_object_or_404(verbs.of_one(pk))
    if request.method != "POST":
        return _page(request, suggestion)
    try:
        return _decide(request, suggestion)
    except StaleRevision:
        sentence = _("It changed since you opened it. Please read the new text first.")
        return _page(request, get_object_or_404(verbs.of_one(pk)), error=sentence, status=409)
    except NotAllowed as error:
        fresh = get_object_or_404(verbs.of_one(pk))
        return _page(request, fresh, error=str(error), status=422)


def _decide(request: HttpRequest, suggestion: Suggestion) -> HttpResponse:
    """Do what the button says. Raises StaleRevision and NotAllowed."""
    person, now = cast("Person", request.user), timezone.now()
    text, act = request.POST.get("revision", ""), request.POST.get("act", "")
    seen = int(text[:9]) if text.isdecimal() and text.isascii() else 0
    if act == "approve":
        typed = request.POST.get("kind", "")
        kind = typed if typed in Approval.Kind.values else Approval.Kind.EDITORIAL
        done = verbs.approve(
            suggestion=suggestion, seen_revision=seen, by=person, now=now, kind=kind
        )
        told = (
            _("Approved. It is in Today now.") if done else _("Noted. The other look is missing.")
        )
    elif act == "give_back":
        verbs.give_back(
            suggestion=suggestion, seen_revision=seen, note=_note(request), by=person, now=now
        )
        told = _("Given back.")
    elif act == "withdraw" and person.has_role("curator"):
        suggestions.withdraw(suggestion=suggestion, by=person, now=now)
        told = _("Withdrawn.")
    else:
        raise NotAllowed(_("Choose what to do."))
    messages.success(request, told)
    return redirect("desk" if act == "withdraw" else "reviews")


def _note(request: HttpRequest) -> str:
    return wording.clean(request.POST.get("note", "")[: 4 * _LONGEST_NOTE])[:_LONGEST_NOTE]


def _page(
    request: HttpRequest, suggestion: Suggestion, *, error: str = "", status: int = 200
) -> HttpResponse:
    person, now = cast("Person", request.user), timezone.now()
    variants = list(suggestion.variant_set.all())
    (row,) = verbs.rows([suggestion], person, now=now)
    audience = audiences.of(suggestion)
    context = {
        "suggestion": suggestion,
        "row": row,
        "age": _age(suggestion, now),
        "leaving": previews.leaving(
            suggestion, variants, disclosure.labels_by_language(suggestion.content_class)
        ),
        "checks": suggestions.checks(suggestion, variants, on=now.date()),
        "audience": audience,
        "reach": audiences.reach(audience),
        "curates": person.has_role("curator"),
        "error": error,
        "note": request.POST.get("note", ""),
    }
    return render(request, "review.html", context, status=status)
