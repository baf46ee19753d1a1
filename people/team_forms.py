"""What forms of teams, kinds, calls and applications say. The verbs check the words."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from ambassadors.models import Person, Site, Team, TeamKind, normalise_email
from ambassadors.models.team import MOST_MONTHS, MOST_PLACES
from campaigns import wallclock
from campaigns.models import Topic
from campaigns.refusals import FieldRefused
from integrations.networks import NETWORKS

from .models import Call
from .teams import tasks_of

_MOST_HOURS = 160
# What somebody here may write in; what else a person has in their profile is added for them.
_LANGUAGES = ("de", "en", "da", "nl", "pl", "tr", "uk", "ru", "ar", "fr", "es", "it")
_FIRST_YEAR, _LAST_YEAR = 2001, 2099


def _said(sentence: Any) -> dict[str, Any]:
    """One sentence for every way in which a number can be wrong."""
    return dict.fromkeys(
        ("required", "invalid", "min_value", "max_value", "max_digits", "max_decimal_places",
         "max_whole_digits"), sentence,
    )  # fmt: skip


def places(label: Any) -> forms.IntegerField:
    """A field for a number of places, empty for no limit."""
    return forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_PLACES,
        label=label,
        error_messages=_said(gettext_lazy("Between 1 and 10,000; leave it empty for no limit.")),
    )


def hours() -> forms.DecimalField:
    """A field for hours a month."""
    return forms.DecimalField(
        min_value=Decimal("0.5"),
        max_value=_MOST_HOURS,
        max_digits=4,
        decimal_places=1,
        label=gettext_lazy("Hours per month"),
        error_messages=_said(gettext_lazy("Between half an hour and 160 hours a month.")),
        localize=True,
    )


class KindForm(forms.Form):
    """A kind of team: profile, tasks, hours; its behaviour only when it is new."""

    name_de = forms.CharField(required=False, label=gettext_lazy("Name, in German"))
    name_en = forms.CharField(required=False, label=gettext_lazy("Name, in English"))
    profile_de = forms.CharField(
        required=False, widget=forms.Textarea, label=gettext_lazy("Profile, in German")
    )
    profile_en = forms.CharField(
        required=False, widget=forms.Textarea, label=gettext_lazy("Profile, in English")
    )
    tasks = forms.CharField(
        required=False, widget=forms.Textarea, label=gettext_lazy("Tasks, in German")
    )
    tasks_en = forms.CharField(
        required=False, widget=forms.Textarea, label=gettext_lazy("Tasks, in English")
    )
    hours_per_month = hours()
    behaviour = forms.ChoiceField(
        choices=TeamKind.Behaviour.choices, required=False, label=gettext_lazy("What it does")
    )

    def _tasks(self, name: str) -> list[str]:
        try:
            return tasks_of(name, self.cleaned_data[name])
        except FieldRefused as refused:
            raise forms.ValidationError(refused.sentence) from refused

    def clean_tasks(self) -> list[str]:
        """One task a line."""
        return self._tasks("tasks")

    def clean_tasks_en(self) -> list[str]:
        """One task a line."""
        return self._tasks("tasks_en")


class TeamForm(forms.Form):
    """A team; ``lead`` and ``kind`` only where HR writes it."""

    name = forms.CharField(required=False, label=gettext_lazy("Name"))
    kind = forms.ModelChoiceField(
        TeamKind.objects.all(), label=gettext_lazy("Kind"), to_field_name="slug"
    )
    purpose = forms.CharField(
        required=False, widget=forms.Textarea, label=gettext_lazy("What it is there for")
    )
    site = forms.ModelChoiceField(
        Site.objects.all(), required=False, label=gettext_lazy("Site"), to_field_name="slug"
    )
    lead = forms.CharField(required=False, label=gettext_lazy("Lead’s e-mail"))
    capacity = places(gettext_lazy("Number of places"))
    term_months = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_MONTHS,
        label=gettext_lazy("Months of a term"),
        error_messages=_said(gettext_lazy("Between 1 and 60 months; leave it empty for no end.")),
    )

    def clean_lead(self) -> Person | None:
        """The colleague with this address."""
        address = normalise_email(self.cleaned_data["lead"])
        if not address:
            return None
        found = Person.objects.filter(email_normalised=address, left_at__isnull=True).first()
        if found is None:
            raise forms.ValidationError(_("Nobody here has this address. Write it as they log in."))
        return found


def zones(person: Person) -> list[str]:
    """Wall clocks a call may be meant on: the person's, the company's, the sites'."""
    own = Site.objects.order_by("timezone").values_list("timezone", flat=True).distinct()
    return list(dict.fromkeys([person.timezone, settings.TIME_ZONE, *own]))


class CallForm(forms.Form):
    """A call: for whom, the words, and its two moments on a wall clock of a zone."""

    title_de = forms.CharField(required=False, label=gettext_lazy("Title, in German"))
    title_en = forms.CharField(required=False, label=gettext_lazy("Title, in English"))
    text_de = forms.CharField(
        required=False, widget=forms.Textarea, label=gettext_lazy("Text, in German")
    )
    text_en = forms.CharField(
        required=False, widget=forms.Textarea, label=gettext_lazy("Text, in English")
    )
    opens_at = forms.CharField(label=gettext_lazy("Opens"))
    closes_at = forms.CharField(label=gettext_lazy("Closes"))
    timezone = forms.ChoiceField(label=gettext_lazy("Clock of"))
    places = places(gettext_lazy("Number of places"))

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.teams = list(Team.objects.looked_after_by(person).select_related("kind"))
        self.kinds = list(TeamKind.objects.all()) if person.has_role("hr") else []
        self.fields["for"] = forms.ChoiceField(
            choices=[
                *((f"team-{team.pk}", team.name) for team in self.teams),
                *((f"kind-{kind.pk}", str(kind)) for kind in self.kinds),
            ],
            label=_("For"),
            error_messages={"required": _("Choose a team or a kind of team.")},
        )
        zone = self.fields["timezone"]
        assert isinstance(zone, forms.ChoiceField)  # noqa: S101 - for the type checker
        zone.choices = [(name, name.replace("_", " ")) for name in zones(person)]
        self.notes: list[str] = []

    def clean(self) -> dict[str, Any]:
        """Read both moments on the chosen clock; what the clock skips is said."""
        found: dict[str, Any] = super().clean() or {}
        if "timezone" not in found:
            return found
        for name in ("opens_at", "closes_at"):
            if name in found:
                try:
                    read = wallclock.read(found[name], ZoneInfo(found["timezone"]))
                except (ValueError, OverflowError, KeyError, OSError):
                    self.add_error(name, _("Write a day and a time."))
                    continue
                if not _FIRST_YEAR <= read.at.year <= _LAST_YEAR:
                    self.add_error(name, _("Pick a day of this century."))
                    continue
                found[name] = read.at
                self.notes += [read.note] if read.note else []
        return found

    def chosen(self) -> tuple[Team | None, TeamKind | None]:
        """The team or the kind of a valid form."""
        what, _dash, number = self.cleaned_data["for"].partition("-")
        if what == "team":
            return next(team for team in self.teams if team.pk == int(number)), None
        return None, next(kind for kind in self.kinds if kind.pk == int(number))


def opened(call: Call) -> dict[str, Any]:
    """What a stored call shows in its form."""
    zone = ZoneInfo(call.timezone)
    wall = "%Y-%m-%dT%H:%M"
    return {
        "title_de": call.title_de, "title_en": call.title_en, "text_de": call.text_de,
        "text_en": call.text_en, "timezone": call.timezone, "places": call.places,
        "for": f"team-{call.team_id}" if call.team_id else f"kind-{call.kind_id}",
        "opens_at": call.opens_at.astimezone(zone).strftime(wall),
        "closes_at": call.closes_at.astimezone(zone).strftime(wall),
    }  # fmt: skip


def language_name(code: str) -> str:
    """A language in the language of the page; its code where nobody knows it."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


class ApplicationForm(forms.Form):
    """Why me, topics, languages, networks, hours a month."""

    why = forms.CharField(required=False, widget=forms.Textarea, label=gettext_lazy("Why me"))
    topics = forms.MultipleChoiceField(required=False, label=gettext_lazy("Topics"))
    languages = forms.MultipleChoiceField(
        required=True,
        label=gettext_lazy("Languages"),
        error_messages={"required": gettext_lazy("Tick at least one language.")},
    )
    networks = forms.MultipleChoiceField(required=False, label=gettext_lazy("Networks"))
    hours_per_month = hours()

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own: Sequence[str] = [code for code in person.languages if isinstance(code, str)]
        choices = {
            "topics": [(t.slug, t.title) for t in Topic.objects.current()],
            "languages": [(c, language_name(c)) for c in dict.fromkeys([*own, *_LANGUAGES])],
            "networks": [
                (name, _(network.abilities.label))
                for name, network in NETWORKS.items()
                if network.abilities.connect != "own"
            ],
        }
        for name, offered in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - for the type checker
            field.choices = offered


def day(text: str) -> dt.date | None:
    """A day from a form, None for an empty field. Raises ValueError."""
    return dt.date.fromisoformat(text.strip()[:20]) if text.strip() else None
