"""Write and review suggestions. The second save of two shows both texts and loses neither."""

import datetime as dt
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from ambassadors.kept import kept_form
from ambassadors.models import Person, Site, Team
from campaigns import suggestions, uploads, wording
from campaigns.models import Suggestion, Topic, Variant
from campaigns.suggestions import NotAllowed, StaleRevision
from integrations.networks import NETWORKS

_MOST_VARIANTS = 8


class SuggestionForm(forms.ModelForm):  # type: ignore[type-arg]
    """Everything but the wordings."""

    prompts_text = forms.CharField(required=False, widget=forms.Textarea, max_length=2000)
    facts_text = forms.CharField(required=False, widget=forms.Textarea, max_length=4000)
    leave_out_text = forms.CharField(required=False, widget=forms.Textarea, max_length=4000)
    picture_file = forms.FileField(required=False, label=gettext_lazy("Picture"))
    link_url = forms.URLField(required=False, max_length=1000, assume_scheme="https")
    alt = forms.CharField(required=False, max_length=1500)
    sites = forms.ModelMultipleChoiceField(
        Site.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )
    teams = forms.ModelMultipleChoiceField(
        Team.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Suggestion
        fields = (
            "topic", "title", "why", "language", "content_class", "tone", "link_url", "link_title",
            "link_description", "embargo_until", "expires_at",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Ends after it begins; https links only."""
        found: dict[str, Any] = super().clean() or {}
        begin, end = found.get("embargo_until"), found.get("expires_at")
        if begin and end and end <= begin:
            self.add_error("expires_at", _("The end must be after the beginning."))
        link = found.get("link_url") or ""
        if link and not link.startswith("https://"):
            self.add_error("link_url", _("The link must begin with https://."))
        return found


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _variants(form: QueryDict, suggestion: Suggestion) -> list[Variant]:
    """The wordings of the form, in order; empty ones fall away."""
    own = {v.pk: v for v in suggestion.variant_set.all()} if suggestion.pk else {}
    names, texts = form.getlist("v_name"), form.getlist("v_text")
    languages, ids = form.getlist("v_language"), form.getlist("v_id")
    networks = form.getlist("v_network")
    found = []
    for index, typed in enumerate(texts[:_MOST_VARIANTS]):
        text = wording.clean(typed)
        if not text or form.get("remove") == str(index):
            continue
        known = ids[index] if index < len(ids) and ids[index].isdecimal() else "0"
        variant = own.get(int(known[:18]), Variant())
        variant.name = (names[index] if index < len(names) else "").strip()[:40] or _("Wording")
        variant.text = text
        variant.language = languages[index] if index < len(languages) else "de"
        if variant.language not in {"de", "en"}:
            variant.language = "de"
        network = networks[index] if index < len(networks) else ""
        variant.network = network if network in NETWORKS else ""
        found.append(variant)
    return found


def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show the editor; on POST save, and hand in if that button was pressed."""
    person, now = cast("Person", request.user), timezone.now()
    suggestion = get_object_or_404(Suggestion, pk=pk) if pk else Suggestion(changed_at=now)
    if request.method != "POST":
        kept = kept_form(request)
        form = SuggestionForm(kept, instance=suggestion) if kept else _fresh(suggestion)
        variants = _variants(kept, suggestion) if kept else _stored(suggestion)
        return _page(request, suggestion, form, variants)
    form = SuggestionForm(request.POST, request.FILES, instance=suggestion)
    variants = _variants(request.POST, suggestion)
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
        setattr(suggestion, name, _lines(form.cleaned_data[f"{name}_text"]))
    saved = suggestions.save(
        suggestion=suggestion,
        variants=variants,
        seen_revision=_seen(request),
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


def _seen(request: HttpRequest) -> int:
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


@require_POST
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve, give back or withdraw exactly the revision that was shown."""
    person, now = cast("Person", request.user), timezone.now()
    suggestion = get_object_or_404(Suggestion, pk=pk)
    seen = _seen(request)
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
