"""Write suggestions. The second save of two shows both texts and loses neither."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.kept import kept_form
from ambassadors.models import Person
from campaigns import suggestions, uploads
from campaigns.models import Suggestion, Topic, Variant
from campaigns.suggestions import NotAllowed, StaleRevision
from curation.forms import SuggestionForm, lines
from curation.forms import variants as wordings
from integrations.networks import NETWORKS


def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show the editor; on POST save, and hand in if that button was pressed."""
    person, now = cast("Person", request.user), timezone.now()
    suggestion = get_object_or_404(Suggestion, pk=pk) if pk else Suggestion(changed_at=now)
    if request.method != "POST":
        kept = kept_form(request)
        form = SuggestionForm(kept, instance=suggestion) if kept else _fresh(suggestion)
        variants = wordings(kept, suggestion) if kept else _stored(suggestion)
        return _page(request, suggestion, form, variants)
    form = SuggestionForm(request.POST, request.FILES, instance=suggestion)
    variants = wordings(request.POST, suggestion)
    valid = form.is_valid()
    if request.POST.get("act") == "add" or "remove" in request.POST:
        return _page(request, suggestion, form, variants)
    if valid and (upload := form.cleaned_data["picture_file"]):
        try:
            suggestion.picture = uploads.keep_picture(upload, by=person)
        except uploads.PictureRefused as error:
            form.add_error("picture_file", str(error))
    if form.errors:
        return _page(request, suggestion, form, variants, status=422)
    try:
        return _save(request, suggestion, form, variants, person, now)
    except StaleRevision:
        theirs = Suggestion.objects.get(pk=suggestion.pk)
        return _page(request, suggestion, form, variants, status=409, theirs=theirs)
    except NotAllowed as error:
        form.add_error(None, str(error))
        return _page(request, suggestion, form, variants, status=422)


def _fresh(suggestion: Suggestion) -> SuggestionForm:
    lines = {
        f"{name}_text": "\n".join(getattr(suggestion, name) or [])
        for name in ("prompts", "facts", "leave_out")
    }
    picture = suggestion.picture
    initial: dict[str, Any] = {**lines, "alt": picture.alt(suggestion.language) if picture else ""}
    if suggestion.pk:
        initial |= {"sites": suggestion.sites.all(), "teams": suggestion.teams.all()}
    return SuggestionForm(instance=suggestion, initial=initial)


def _stored(suggestion: Suggestion) -> list[Variant]:
    stored = list(suggestion.variant_set.all()) if suggestion.pk else []
    return stored or [Variant(name=_("Personal"), language="de")]


def _save(
    request: HttpRequest,
    suggestion: Suggestion,
    form: SuggestionForm,
    variants: list[Variant],
    person: Person,
    now: dt.datetime,
) -> HttpResponse:
    """Store text, audience and alternative text; hand in when asked."""
    for name in ("prompts", "facts", "leave_out"):
        setattr(suggestion, name, lines(form.cleaned_data[f"{name}_text"]))
    saved = suggestions.save(
        suggestion=suggestion,
        variants=variants,
        seen_revision=seen_revision(request),
        by=person,
        now=now,
    )
    saved.sites.set(form.cleaned_data["sites"])
    saved.teams.set(form.cleaned_data["teams"])
    if saved.picture:
        uploads.describe(saved.picture, form.cleaned_data["alt"], saved.language)
    if request.POST.get("act") == "hand_in":
        suggestions.hand_in(suggestion=saved, seen_revision=saved.revision, by=person, now=now)
        messages.success(request, _("Sent to review."))
        return redirect("desk")
    messages.success(request, _("Saved."))
    return redirect("suggestion_edit", pk=saved.pk)


def seen_revision(request: HttpRequest) -> int:
    """The revision that stood in the form, 0 when none is readable."""
    text = request.POST.get("revision", "0")
    return int(text[:9]) if text.isdecimal() and text.isascii() else 0


def _page(
    request: HttpRequest,
    suggestion: Suggestion,
    form: SuggestionForm,
    variants: list[Variant],
    *,
    status: int = 200,
    theirs: Suggestion | None = None,
) -> HttpResponse:
    if request.POST.get("act") == "add" or not variants:
        variants = [*variants, Variant(name=_("Wording"), language=suggestion.language)]
    matrix = [
        (
            variant,
            [
                network.abilities.limit - network.length(variant.text)
                for network in NETWORKS.values()
            ],
        )
        for variant in variants
        if variant.text
    ]
    checks = []
    if suggestion.topic_id:
        checks = suggestions.checks(suggestion, [v for v in variants if v.text])
    context = {
        "suggestion": suggestion,
        "form": form,
        "variants": variants,
        "networks": [n.abilities for n in NETWORKS.values()],
        "matrix": matrix,
        "checks": checks,
        "topics": Topic.objects.all(),
        "theirs": theirs,
        "theirs_variants": theirs.variant_set.all() if theirs else [],
        "revision": theirs.revision
        if theirs
        else request.POST.get("revision", suggestion.revision),
    }
    return render(request, "editor.html", context, status=status)
