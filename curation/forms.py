"""What the editor's form says: everything but the wordings, and the wordings."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ambassadors.models import Site, Team
from campaigns import wording
from campaigns.models import Suggestion, Variant
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


def lines(text: str) -> list[str]:
    """The lines of a field that hold something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def variants(form: QueryDict, suggestion: Suggestion) -> list[Variant]:
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
