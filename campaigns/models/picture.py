"""Pictures and documents: what they show, whose they are, whose faces, and until when."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Consent, Person


class PictureQuerySet(models.QuerySet["Picture"]):
    """Plain names for questions about pictures."""

    def library(self) -> "PictureQuerySet":
        """Those people choose from: no crops."""
        return self.filter(crop_of__isnull=True)

    def barred(self, day: dt.date) -> "PictureQuerySet":
        """Those that may not be shown on a day: rights over, or a face without a yes."""
        faces = PictureFace.objects.without_yes(day)
        return self.filter(
            Q(usable_until__lt=day)
            | Q(crop_of__usable_until__lt=day)
            | Exists(faces.filter(Q(picture=OuterRef("pk")) | Q(picture=OuterRef("crop_of"))))
        )


class Picture(models.Model):
    """A picture, re-encoded and stripped of metadata when it came in. Its bytes never change.

    A crop for a network is a row of its own, so that what was approved is what leaves; rights,
    words and faces stand on the whole picture.
    """

    class Licence(models.TextChoices):
        UNKNOWN = "", _("not known yet")
        OWN = "own", _("made by us")
        BOUGHT = "bought", _("bought")
        FREE = "free", _("free licence")
        LENT = "lent", _("lent to us")

    class Aspect(models.TextChoices):
        WIDE = "191:100", _("1.91 : 1, wide")
        SCREEN = "16:9", _("16 : 9, screen")
        SQUARE = "1:1", _("1 : 1, square")
        PORTRAIT = "4:5", _("4 : 5, portrait")

    file = models.FileField(upload_to="pictures/")
    media_type = models.CharField(max_length=20, default="image/jpeg")
    sha256 = models.CharField(max_length=64, db_index=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    title = models.CharField(max_length=120, blank=True)
    alt_de = models.TextField(blank=True)
    alt_en = models.TextField(blank=True)
    made_by = models.CharField(max_length=120, blank=True)
    licence = models.CharField(max_length=10, choices=Licence.choices, blank=True)
    licence_note = models.CharField(max_length=200, blank=True)
    usable_until = models.DateField(null=True, blank=True, help_text="The last day.")
    focus_x = models.PositiveSmallIntegerField(default=50, help_text="Per cent from the left.")
    focus_y = models.PositiveSmallIntegerField(default=50, help_text="Per cent from the top.")
    crop_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="crops"
    )
    network = models.CharField(max_length=20, blank=True, help_text="Of a crop in use.")
    aspect = models.CharField(max_length=8, choices=Aspect.choices, blank=True)
    uploaded_by = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True)
    uploaded_at = models.DateTimeField(null=True, blank=True)

    objects = PictureQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["crop_of", "network"],
                condition=~Q(network=""),
                name="picture_one_crop_for_a_network",
            ),
            models.CheckConstraint(
                condition=Q(focus_x__lte=100, focus_y__lte=100), name="picture_focus_inside"
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.file.name)

    @property
    def whole(self) -> "Picture":
        """The picture that a crop was cut from, or itself."""
        return self.crop_of or self

    def alt(self, language: str) -> str:
        """The alternative text in a language, or the other one."""
        row = self.whole
        first, second = (row.alt_en, row.alt_de) if language == "en" else (row.alt_de, row.alt_en)
        return first or second


class PictureFaceQuerySet(models.QuerySet["PictureFace"]):
    """Plain names for questions about faces."""

    def without_yes(self, day: dt.date) -> "PictureFaceQuerySet":
        """Those whose yes is missing, taken back or over."""
        yes = Consent.objects.given().filter(person=OuterRef("person"), purpose="photo")
        return self.filter(
            Q(person__isnull=False) & ~Exists(yes)
            | Q(person__isnull=True, on_file_until__isnull=True)
            | Q(on_file_until__lt=day)
        )


class PictureFace(models.Model):
    """Somebody to be recognised in a picture: a colleague whose own yes counts, or an outsider.

    An outsider's yes is on file somewhere else, until a day.
    """

    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="faces")
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, null=True, blank=True, related_name="faces"
    )
    name = models.CharField(max_length=120, blank=True)
    on_file_until = models.DateField(null=True, blank=True)
    noted_at = models.DateTimeField()

    objects = PictureFaceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, name="") | (Q(person__isnull=True) & ~Q(name="")),
                name="picture_face_is_somebody",
            ),
            models.UniqueConstraint(fields=["picture", "person"], name="picture_face_once"),
        ]

    def __str__(self) -> str:
        return self.person.name if self.person else self.name


class Document(models.Model):
    """A PDF that a network shows page by page."""

    file = models.FileField(upload_to="documents/")
    sha256 = models.CharField(max_length=64, db_index=True)
    title = models.CharField(max_length=200)
    uploaded_by = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True)

    def __str__(self) -> str:
        return self.title
