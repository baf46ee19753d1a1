"""People who speak in public, and what they speak about. Who is shown is asked when reading."""

import datetime as dt
from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Absence, Consent, Membership, Person, TeamKind
from campaigns.models.suggestion import stem, stems
from reception import tongues

_MOST_WORDS = 8
_INTEGER = models.IntegerField()


class Visibility(models.TextChoices):
    """Who may see a profile, and a talk of it."""

    OFF = "off", _("nobody")
    INTERNAL = "internal", _("colleagues only")
    PUBLIC = "public", _("everybody")


class Format(models.TextChoices):
    """What somebody can be asked for."""

    TALK = "talk", _("Talk")
    PANEL = "panel", _("Panel")
    PODCAST = "podcast", _("Podcast")
    INTERVIEW = "interview", _("Interview")
    SCHOOL = "school", _("School visit")


class SpeakerQuerySet(models.QuerySet["Speaker"]):
    """Plain names for questions about speakers."""

    def able(self, on: dt.date) -> "SpeakerQuerySet":
        """Those who work here, are active in a team of experts, and say yes to being shown."""
        yes = Consent.objects.given().filter(person=OuterRef("person"), purpose="speaker")
        experts = Membership.objects.serving(TeamKind.Behaviour.EXPERT, on)
        return self.filter(Exists(yes), Exists(experts.filter(person=OuterRef("person"))))

    def listed(self, *, public: bool, on: dt.date) -> "SpeakerQuerySet":
        """Those in the directory: able, switched on, and with a talk that may be seen there."""
        shown = [Visibility.PUBLIC] if public else [Visibility.PUBLIC, Visibility.INTERNAL]
        talks = Talk.objects.filter(speaker=OuterRef("pk"), visibility__in=shown)
        return self.able(on).filter(Exists(talks), visibility__in=shown)

    def with_photo(self) -> "SpeakerQuerySet":
        """Those whose photo may be shown."""
        yes = Consent.objects.given().filter(person=OuterRef("person"), purpose="photo")
        return self.filter(Exists(yes), Exists(SpeakerPhoto.objects.filter(speaker=OuterRef("pk"))))

    def told(self) -> "SpeakerQuerySet":
        """With the person, their site, a time away and whether a photo may be shown."""
        away = Absence.objects.filter(ended_at__isnull=True)
        yes = Consent.objects.given().filter(person=OuterRef("person"), purpose="photo")
        photo = SpeakerPhoto.objects.filter(speaker=OuterRef("pk"))
        return (
            self.annotate(shows_photo=Exists(yes) & Exists(photo))
            .select_related("person__site")
            .prefetch_related(Prefetch("person__absences", away, to_attr="times_away"))
        )


class Speaker(models.Model):
    """A profile that its person keeps. Shown while the person is here, active and says yes."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE)
    visibility = models.CharField(
        max_length=8, choices=Visibility.choices, default=Visibility.INTERNAL
    )
    pronunciation = models.CharField(max_length=100, blank=True)
    bio = models.TextField(blank=True)
    languages = models.JSONField(default=list, help_text="Codes of ISO 639-1.")
    places = models.CharField(max_length=200, blank=True)
    remote = models.BooleanField(default=True)
    formats = models.JSONField(default=list)
    tech = models.TextField(blank=True, help_text="What the person needs on a stage.")
    thing = models.CharField(max_length=20, default="t-mast")
    paused_until = models.DateField(null=True, blank=True, help_text="The last day of a pause.")
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()

    objects = SpeakerQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["person__name", "pk"]

    def __str__(self) -> str:
        return self.person.name

    def rests(self, on: dt.date) -> bool:
        """Whether the person takes no requests on a day: a pause, or a time away."""
        return bool(self.paused_until and self.paused_until >= on) or any(
            absence.until_on >= on for absence in self._away()
        )

    def _away(self) -> "list[Absence]":
        kept: list[Absence] | None = getattr(self.person, "times_away", None)
        if kept is not None:
            return kept
        return list(Absence.objects.filter(person=self.person_id, ended_at__isnull=True))

    def resting(self, on: dt.date) -> dt.date | None:
        """The last day of a pause the person announced; a time away says no day."""
        paused = self.paused_until
        return paused if paused and paused >= on else None

    @property
    def language_names(self) -> list[str]:
        """The languages in words."""
        return tongues.named(self.languages)

    @property
    def format_names(self) -> list[str]:
        """The formats in words, in our order."""
        return [str(each.label) for each in Format if each.value in self.formats]


class SpeakerPhoto(models.Model):
    """The photo of a profile, in the database: taking it back leaves no file behind."""

    speaker = models.OneToOneField(Speaker, on_delete=models.CASCADE, related_name="photo")
    content = models.BinaryField(help_text="A square JPEG without metadata.")
    sha256 = models.CharField(max_length=64)

    def __str__(self) -> str:
        return str(self.speaker_id)


class TalkQuerySet(models.QuerySet["Talk"]):
    """Plain names for questions about talks."""

    def listed(self, *, public: bool, on: dt.date) -> "TalkQuerySet":
        """Those that may be read there now, whoever could read them a moment ago."""
        shown = [Visibility.PUBLIC] if public else [Visibility.PUBLIC, Visibility.INTERNAL]
        able = Speaker.objects.able(on).filter(visibility__in=shown)
        return self.filter(visibility__in=shown, speaker__in=able.values("pk"))

    def saying(self, text: str) -> "TalkQuerySet":
        """Those with every word of ``text`` (the first eight) in title, abstract or for whom.

        By German or English stem and by beginning, as suggestions are found.
        """
        rows = self.annotate(
            title_stems=stems("title"), abstract_stems=stems("abstract"), whom_stems=stems("whom")
        )
        for word in text.split()[:_MOST_WORDS]:
            german, english = stem(word)
            query = german | english
            common = Q()
            for one in (german, english):
                empty = models.Func(one, function="numnode", output_field=_INTEGER)
                common |= Q(Exact(empty, 0))
            found = Q(title_stems=query) | Q(abstract_stems=query) | Q(whom_stems=query)
            rows = rows.filter(found | common)
        return rows


class Talk(models.Model):
    """Something a person would speak about."""

    class Level(models.TextChoices):
        ALL = "all", _("for everybody")
        BASICS = "basics", _("the basics are known")
        TRADE = "trade", _("for people of the trade")

    speaker = models.ForeignKey(Speaker, on_delete=models.CASCADE, related_name="talks")
    title = models.CharField(max_length=160)
    abstract = models.TextField()
    language = models.CharField(max_length=8, default="de")
    minutes = models.PositiveSmallIntegerField(default=45)
    level = models.CharField(max_length=8, choices=Level.choices, default=Level.ALL)
    whom = models.CharField(max_length=200, blank=True, help_text="For whom it is.")
    visibility = models.CharField(
        max_length=8, choices=Visibility.choices, default=Visibility.PUBLIC
    )
    submission = models.UUIDField(help_text="Of the form; a double submit finds the first one.")
    revision = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    objects = TalkQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["speaker", "submission"], name="talk_once"),
            models.CheckConstraint(
                condition=Q(minutes__gte=5, minutes__lte=480), name="talk_minutes_of_a_day"
            ),
        ]
        indexes: ClassVar = [
            GinIndex(stems("title"), name="talk_title_words"),
            GinIndex(stems("abstract"), name="talk_abstract_words"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def language_name(self) -> str:
        """The language in words."""
        return "".join(tongues.named([self.language]))

    def facts(self) -> dict[str, Any]:
        """What a form starts with."""
        names = ("title", "abstract", "language", "minutes", "level", "whom", "visibility")
        return {name: getattr(self, name) for name in names}
