"""What the editor's form says: everything but the wordings, and the wordings."""

import uuid
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ambassadors.kept import form_key
from ambassadors.models import Person, Site, Team, TeamKind
from campaigns import contents, wording
from campaigns.audiences import Audience
from campaigns.contents import Content
from campaigns.models import Suggestion, Topic, Variant
from campaigns.share_checks import LONGEST_TEXT
from integrations.networks import NETWORKS

from .clockfield import ClockField

MOST_WORDINGS = 20
_LISTS = ("prompts", "facts", "leave_out")


class SuggestionForm(forms.ModelForm):  # type: ignore[type-arg]
    """Everything but the wordings."""

    prompts_text = forms.CharField(required=False, widget=forms.Textarea, max_length=2000)
    facts_text = forms.CharField(required=False, widget=forms.Textarea, max_length=4000)
    leave_out_text = forms.CharField(required=False, widget=forms.Textarea, max_length=4000)
    picture_file = forms.FileField(required=False, label=gettext_lazy("Picture"))
    link_url = forms.URLField(required=False, max_length=1000, assume_scheme="https")
    alt = forms.CharField(required=False, max_length=1500)
    embargo_until = ClockField(required=False)
    expires_at = ClockField(required=False)
    sites = forms.ModelMultipleChoiceField(
        Site.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )
    teams = forms.ModelMultipleChoiceField(
        Team.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )
    kinds = forms.ModelMultipleChoiceField(
        TeamKind.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )
    audience_languages = forms.MultipleChoiceField(
        choices=Person.Language.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    audience_interests = forms.ModelMultipleChoiceField(
        Topic.objects.current(),
        required=False,
        to_field_name="slug",
        widget=forms.CheckboxSelectMultiple,
    )
    offer_terms_url = forms.URLField(required=False, max_length=1000, assume_scheme="https")

    class Meta:
        model = Suggestion
        fields = (
            "topic", "title", "why", "language", "content_class", "tone", "link_url", "link_title",
            "link_description", "embargo_until", "expires_at", "audience_languages", "offer_name",
            "offer_terms_url", "offer_ends_on",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = "%s"  # the checks link to a field by its name

    def clean(self) -> dict[str, Any]:
        """Ends after it begins; https links only; a title that can be seen."""
        found: dict[str, Any] = super().clean() or {}
        begin, end = found.get("embargo_until"), found.get("expires_at")
        if begin and end and end <= begin:
            self.add_error("expires_at", _("The end must be after the beginning."))
        for name in ("link_url", "offer_terms_url"):
            link = found.get(name) or ""
            if link and not link.startswith("https://"):
                self.add_error(name, _("The link must begin with https://."))
        ends_on = found.get("offer_ends_on")
        if ends_on and not 2000 < ends_on.year < 2100:
            self.add_error("offer_ends_on", _("Pick a day of this century."))
        for name in ("title", "why", "link_title", "link_description", "alt", "offer_name"):
            found[name] = " ".join(wording.clean(found.get(name) or "").split("\n"))
            if wording.is_stacked(found[name]):
                self.add_error(name, _("Too many marks stand on one letter."))
        if "title" not in self.errors and wording.is_blank(found["title"]):
            self.add_error("title", _("Write something first."))
        return found

    def content(self, variants: list[Variant]) -> Content:
        """What the valid form and the wordings say together."""
        for name in _LISTS:
            setattr(self.instance, name, lines(self.cleaned_data[f"{name}_text"]))
        interests = self.cleaned_data["audience_interests"]
        self.instance.audience_interests = [topic.slug for topic in interests]
        asked = [name for name in contents.SETS if name in self.cleaned_data]
        sets = contents.sets_of(self.instance, set(contents.SETS) - set(asked))
        sets |= {name: [row.pk for row in self.cleaned_data[name]] for name in asked}
        return contents.gather(self.instance, variants, sets=sets, alt=self.cleaned_data["alt"])

    def audience(self) -> Audience:
        """For whom it is meant as it stands in the form; what cannot be read is not ticked."""
        if not self.is_bound:
            chosen = self.initial
            return Audience(
                teams=chosen.get("teams") or [],
                kinds=chosen.get("kinds") or [],
                sites=chosen.get("sites") or [],
                languages=self.instance.audience_languages,
                interests=chosen.get("audience_interests") or [],
            )
        self.is_valid()
        typed = self.cleaned_data
        return Audience(
            teams=[row.pk for row in typed.get("teams", [])],
            kinds=[row.pk for row in typed.get("kinds", [])],
            sites=[row.pk for row in typed.get("sites", [])],
            languages=typed.get("audience_languages", []),
            interests=[topic.slug for topic in typed.get("audience_interests", [])],
        )


def opened(content: Content, suggestion: Suggestion) -> SuggestionForm:
    """The form as it shows a stored suggestion."""
    fields = content["fields"]
    initial: dict[str, Any] = {f"{name}_text": "\n".join(fields[name] or []) for name in _LISTS}
    initial |= {name: fields[name] for name in ("alt", "audience_interests", *contents.SETS)}
    return SuggestionForm(instance=suggestion, initial=initial)


def lines(text: str) -> list[str]:
    """The lines of a field that hold something."""
    found = [line.strip() for line in wording.clean(text).split("\n")]
    return [line for line in found if line]


def variants(form: QueryDict) -> list[Variant]:
    """The wordings of the form, in order; empty ones fall away. Rows that are not saved."""
    names, texts = form.getlist("v_name"), form.getlist("v_text")
    languages, ids = form.getlist("v_language"), form.getlist("v_id")
    networks = form.getlist("v_network")
    found = []
    for index, typed in enumerate(texts):
        text = wording.clean(typed)
        if wording.is_blank(text) or form.get("remove") == str(index):
            continue
        language, network = _at(languages, index), _at(networks, index)
        found.append(
            Variant(
                pk=number(_at(ids, index), 18) or None,
                name=" ".join(wording.clean(_at(names, index)).split())[:40] or _("Wording"),
                language=language if language in {"de", "en"} else "de",
                network=network if network in NETWORKS else "",
                text=text,
            )
        )
    return found


def troubles(variants: list[Variant]) -> dict[int, str]:
    """What is wrong with wordings, by their place."""
    found = {}
    for index, variant in enumerate(variants):
        if len(variant.text) > LONGEST_TEXT:
            found[index] = _(
                "This wording has %(length)s characters; no network takes more than %(most)s. "
                "Your text stands here, it is not saved yet."
            ) % {"length": len(variant.text), "most": LONGEST_TEXT}
        elif wording.is_stacked(variant.text):
            found[index] = _("Too many marks stand on one letter.")
        elif index >= MOST_WORDINGS:
            found[index] = _("At most %(most)s wordings; put this one elsewhere or remove one.") % {
                "most": MOST_WORDINGS
            }
    return found


def number(text: str, digits: int = 9) -> int:
    """A revision or a row's number from a form, 0 when none is readable."""
    return int(text[:digits]) if text.isdecimal() and text.isascii() else 0


def opened_key(form: QueryDict) -> uuid.UUID:
    """The key of the opened form, a fresh one when none is readable."""
    return form_key(form.get("draft", ""))


def _at(values: list[str], index: int) -> str:
    return values[index] if index < len(values) else ""
