"""What can be typed: a profile, a talk, a request, and what is prepared before a talk."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import OBJECTS, Format, Talk, TalkRequest, Visibility
from .talk_fields import ZONES, Line, Text, wall_of
from .tongues import NAMES

_MANY = forms.CheckboxSelectMultiple
_TONGUES = [(code, gettext_lazy(name)) for code, name in NAMES.items()]
_CLOCK = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class ProfileForm(forms.Form):
    """How somebody is presented."""

    pronunciation = Line(
        most=100,
        required=False,
        label=gettext_lazy("How your name is said"),
        help_text=gettext_lazy("For whoever introduces you, such as “EYE-la”."),
    )
    bio = Text(
        most=600,
        required=False,
        label=gettext_lazy("About you in three sentences"),
        help_text=gettext_lazy("Up to 600 characters, read out before your talk."),
    )
    languages = forms.MultipleChoiceField(
        choices=_TONGUES, widget=_MANY, label=gettext_lazy("Languages you speak in")
    )
    formats = forms.MultipleChoiceField(
        choices=Format.choices, widget=_MANY, label=gettext_lazy("What you can be asked for")
    )
    places = Line(
        most=200,
        required=False,
        label=gettext_lazy("Cities you go to"),
        help_text=gettext_lazy("Separate them with commas."),
    )
    remote = forms.BooleanField(required=False, label=gettext_lazy("By video as well"))
    tech = Text(
        most=1_000,
        required=False,
        label=gettext_lazy("What you need on a stage"),
        help_text=gettext_lazy("Stands on the sheet for the organiser."),
    )
    thing = forms.ChoiceField(
        choices=list(OBJECTS.items()), widget=forms.RadioSelect, label=gettext_lazy("Picture")
    )


class TalkForm(forms.Form):
    """One talk."""

    title = Line(most=160, label=gettext_lazy("Title"))
    abstract = Text(most=3_000, label=gettext_lazy("What it is about"))
    language = forms.ChoiceField(choices=_TONGUES, label=gettext_lazy("Language"))
    minutes = forms.IntegerField(
        min_value=5, max_value=480, initial=45, label=gettext_lazy("Minutes")
    )
    level = forms.ChoiceField(choices=Talk.Level.choices, label=gettext_lazy("Level"))
    whom = Line(most=200, required=False, label=gettext_lazy("For whom"))
    visibility = forms.ChoiceField(
        choices=Visibility.choices,
        widget=forms.RadioSelect,
        initial=Visibility.PUBLIC,
        label=gettext_lazy("Who may see this talk"),
    )


class DatesForm(forms.Form):
    """Dates as the clock at the place will say them."""

    zone = forms.ChoiceField(
        choices=[(zone, zone.replace("_", " ")) for zone in ZONES],
        label=gettext_lazy("Time zone of the place"),
        initial="Europe/Berlin",
    )
    date1 = forms.CharField(required=False, widget=_CLOCK, label=gettext_lazy("Day and time"))

    dates: tuple[str, ...] = ("date1",)

    def __init__(self, *args: Any, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now

    def walls(self, found: dict[str, Any]) -> list[str]:
        """The dates that were written; a sentence stands beside those that cannot be."""
        walls = []
        for name in self.dates:
            written = str(found.get(name) or "")
            if not written or "zone" not in found:
                continue
            try:
                walls.append(wall_of(written, found["zone"], now=self.now))
            except ValidationError as error:
                self.add_error(name, error)
        return list(dict.fromkeys(walls))


class RequestForm(DatesForm):
    """What an organiser asks for."""

    event = Line(most=160, label=gettext_lazy("Event"))
    organisation = Line(most=160, required=False, label=gettext_lazy("Who organises it"))
    format = forms.ChoiceField(choices=Format.choices, label=gettext_lazy("Format"))
    topic = Text(most=2_000, label=gettext_lazy("What it is to be about"))
    date2 = forms.CharField(required=False, widget=_CLOCK, label=gettext_lazy("Or"))
    date3 = forms.CharField(required=False, widget=_CLOCK, label=gettext_lazy("Or"))
    unfixed = forms.BooleanField(required=False, label=gettext_lazy("The date is not fixed yet"))
    minutes = forms.IntegerField(
        min_value=5,
        max_value=480,
        initial=45,
        label=gettext_lazy("Minutes"),
        help_text=gettext_lazy("With questions."),
    )
    place = Line(most=200, required=False, label=gettext_lazy("Where it is"))
    remote = forms.BooleanField(required=False, label=gettext_lazy("By video"))
    audience = Line(
        most=300,
        required=False,
        label=gettext_lazy("Who listens, and how many"),
    )
    pays = forms.ChoiceField(
        choices=TalkRequest.Pays.choices, label=gettext_lazy("What is covered")
    )

    dates = ("date1", "date2", "date3")

    def clean(self) -> dict[str, Any]:
        """A date or the word that there is none yet; a place or a screen."""
        found: dict[str, Any] = super().clean() or {}
        found["walls"] = self.walls(found)
        empty = not found["walls"] and not found.get("unfixed")
        if empty and not self.has_error("date1") and not self.has_error("zone"):
            self.add_error("date1", _("Write a date, or tick that it is not fixed yet."))
        if found.get("unfixed"):
            found["walls"] = []
        if not found.get("place") and not found.get("remote") and not self.has_error("place"):
            self.add_error("place", _("Write where it is, or tick that it is by video."))
        return found

    def facts(self) -> dict[str, Any]:
        """What a valid form says about the request itself."""
        names = (
            "event", "organisation", "format", "topic", "walls", "zone", "minutes", "place",
            "remote", "audience", "pays",
        )  # fmt: skip
        return {name: self.cleaned_data[name] for name in names}


class StrangerForm(RequestForm):
    """The same from outside: who asks, and where the answer goes."""

    asker_name = Line(most=120, label=gettext_lazy("Your name"))
    asker_email = forms.EmailField(max_length=254, label=gettext_lazy("Your e-mail"))


class PreparationForm(forms.Form):
    """What is settled before a talk."""

    travel_note = Text(most=2_000, required=False, label=gettext_lazy("Way, train, hotel"))
    tech_note = Text(most=1_000, required=False, label=gettext_lazy("Stage and technology there"))
    deck_url = forms.URLField(
        max_length=500, required=False, assume_scheme="https", label=gettext_lazy("Link to slides")
    )
    ticked = forms.MultipleChoiceField(
        choices=list(TalkRequest.CHECKLIST.items()),
        widget=_MANY,
        required=False,
        label=gettext_lazy("Done"),
    )

    def clean_deck_url(self) -> str:
        """Links open over https."""
        link: str = self.cleaned_data["deck_url"]
        if link and not link.startswith("https://"):
            raise ValidationError(_("The link must begin with https://."))
        return link
