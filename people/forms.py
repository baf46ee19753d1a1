"""Forms of the training desk: courses, dates, lessons."""

from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ambassadors.models import Person, Site, normalise_email
from campaigns import wallclock, wording

from . import films
from .models import Course, Lesson, Session
from .sessions import Terms

LONGEST_TEXT = 20_000  # characters of one Markdown text


def _clean_words(
    form: forms.BaseForm, *, lines: tuple[str, ...] = (), texts: tuple[str, ...] = ()
) -> None:
    """Make what was typed storable; a text keeps its lines."""
    found = form.cleaned_data
    for name in (*lines, *texts):
        if name in found:
            clean = wording.clean(found[name] or "")
            found[name] = clean if name in texts else " ".join(clean.split())
            if wording.is_stacked(clean):
                form.add_error(name, _("Too many marks stand on one letter."))


class CourseForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a course is about, for whom, in which language, and how long it holds."""

    about_de = forms.CharField(
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea,
        label=gettext_lazy("About it, in German"),
    )
    about_en = forms.CharField(
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea,
        label=gettext_lazy("About it, in English"),
    )
    valid_months = forms.IntegerField(
        required=False, min_value=1, max_value=120, label=gettext_lazy("Valid for months")
    )
    executives_place = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=99,
        label=gettext_lazy("Place on the path for executives"),
    )

    class Meta:
        model = Course
        fields = (
            "title_de", "title_en", "for_whom_de", "for_whom_en", "about_de", "about_en",
            "language", "how", "valid_months", "executives_place",
        )  # fmt: skip
        labels: ClassVar = {
            "title_de": gettext_lazy("Title in German"),
            "title_en": gettext_lazy("Title in English"),
            "for_whom_de": gettext_lazy("For whom, in German"),
            "for_whom_en": gettext_lazy("For whom, in English"),
            "language": gettext_lazy("Held in"),
            "how": gettext_lazy("How one takes it"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["how"]  # dates and lessons do not turn into each other

    def clean(self) -> dict[str, Any]:
        """A title that can be seen, and a place on the path that is free."""
        found: dict[str, Any] = super().clean() or {}
        _clean_words(
            self,
            lines=("title_de", "title_en", "for_whom_de", "for_whom_en"),
            texts=("about_de", "about_en"),
        )
        if "title_de" not in self.errors and wording.is_blank(found.get("title_de") or ""):
            self.add_error("title_de", _("Write something first."))
        return found


def zones() -> list[tuple[str, str]]:
    """The clocks to choose from: the company's, then those of its sites."""
    names = [settings.TIME_ZONE, *Site.objects.values_list("timezone", flat=True)]
    return [(name, name.replace("_", " ")) for name in dict.fromkeys(names)]


class SessionForm(forms.Form):
    """When on the clock of the place, where, with whom, for how many."""

    begins = forms.CharField(max_length=60, label=gettext_lazy("Begin"))
    ends = forms.CharField(max_length=60, label=gettext_lazy("End"))
    zone = forms.ChoiceField(choices=zones, label=gettext_lazy("On the clock of"))
    room = forms.CharField(required=False, max_length=200, label=gettext_lazy("Room"))
    link = forms.URLField(
        required=False, max_length=500, assume_scheme="https", label=gettext_lazy("Link")
    )
    trainer = forms.CharField(required=False, max_length=254, label=gettext_lazy("Trainer"))
    seats = forms.IntegerField(min_value=1, max_value=1000, label=gettext_lazy("Seats"))

    notes: list[str]

    def clean(self) -> dict[str, Any]:
        """Moments on the chosen clock; an address of a colleague names the colleague."""
        found: dict[str, Any] = super().clean() or {}
        _clean_words(self, lines=("room", "trainer"))
        self.notes = []
        for name in ("begins", "ends"):
            if name in found and "zone" in found:
                self._read_clock(name, ZoneInfo(found["zone"]))
        if (found.get("link") or "https://").startswith("https://") is False:
            self.add_error("link", _("The link must begin with https://."))
        named = found.get("trainer") or ""
        found["colleague"] = None
        if "@" in named:
            rows = Person.objects.filter(left_at__isnull=True)
            found["colleague"] = rows.filter(email_normalised=normalise_email(named)).first()
            if found["colleague"] is None:
                self.add_error(
                    "trainer", _("Nobody here has this address. Write it as they log in.")
                )
        elif len(named) > 120:
            self.add_error("trainer", _("At most 120 characters."))
        return found

    def _read_clock(self, name: str, zone: ZoneInfo) -> None:
        try:
            read = wallclock.read(self.cleaned_data[name], zone)
        except (ValueError, OverflowError):
            self.add_error(name, _("Write a day and a time."))
            return
        if not 2001 <= read.at.year <= 2099:
            self.add_error(name, _("Pick a day of this century."))
            return
        self.cleaned_data[name] = read.at
        if read.note:
            self.notes.append(read.note)

    def terms(self) -> Terms:
        """What the valid form says."""
        typed = self.cleaned_data
        return Terms(
            begins_at=typed["begins"],
            ends_at=typed["ends"],
            zone=typed["zone"],
            seats=typed["seats"],
            room=typed["room"],
            link=typed["link"],
            trainer=cast("Person | None", typed["colleague"]),
            trainer_name=typed["trainer"],
        )


def opened(session: Session) -> dict[str, object]:
    """What stands in the form of a stored date."""
    return {
        "begins": session.begins_wall,
        "ends": session.ends_wall,
        "zone": session.zone,
        "room": session.room,
        "link": session.link,
        "trainer": session.trainer.shown_email if session.trainer else session.trainer_name,
        "seats": session.seats,
    }


class LessonForm(forms.ModelForm):  # type: ignore[type-arg]
    """A lesson's words, and what comes with them."""

    text = forms.CharField(
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea,
        label=gettext_lazy("Text"),
    )
    new_picture = forms.FileField(required=False, label=gettext_lazy("A picture"))
    alt = forms.CharField(required=False, max_length=1500, label=gettext_lazy("What is to be seen"))
    without_picture = forms.BooleanField(required=False)
    film = forms.FileField(required=False, label=gettext_lazy("A film"))
    new_captions = forms.FileField(required=False, label=gettext_lazy("Captions"))
    without_film = forms.BooleanField(required=False)

    class Meta:
        model = Lesson
        fields = ("title", "text")
        labels: ClassVar = {"title": gettext_lazy("Title")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.picture:
            self.initial["alt"] = self.instance.picture.alt(self.instance.course.language)

    def clean_film(self) -> "UploadedFile[bytes] | None":
        """Nothing that a scanner knows; here, while no row is locked."""
        film: UploadedFile[bytes] | None = self.cleaned_data["film"]
        try:
            if film:
                films.kind_of(film)
                films.scan(film)
        except films.FilmRefused as refused:
            raise forms.ValidationError(str(refused)) from refused
        return film

    def clean(self) -> dict[str, Any]:
        """A title that can be seen."""
        found: dict[str, Any] = super().clean() or {}
        _clean_words(self, lines=("title", "alt"), texts=("text",))
        if "title" not in self.errors and wording.is_blank(found.get("title") or ""):
            self.add_error("title", _("Write something first."))
        return found
