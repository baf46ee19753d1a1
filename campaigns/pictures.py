"""The life of a picture: describe it, say whose faces, cut it for networks, bar it."""

import datetime as dt
import hashlib
from collections.abc import Iterable

from django.core.files.base import ContentFile
from django.db import IntegrityError, models, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Consent, Person

from . import renditions
from .models import Picture, PictureFace, Proposal

FIELDS = (
    "title", "alt_de", "alt_en", "made_by", "licence", "licence_note", "usable_until", "focus_x",
    "focus_y",
)  # fmt: skip


def why_barred(picture: Picture, *, on: dt.date) -> str:
    """The sentence why a picture may not be shown on a day; empty when it may."""
    whole = picture.whole
    if whole.usable_until and whole.usable_until < on:
        return _("The rights to this picture ended on %(day)s.") % {
            "day": date_format(whole.usable_until, "j. F Y")
        }
    face = whole.faces.without_yes(on).select_related("person").first()
    if face is None:
        return ""
    said = {"name": str(face)}
    if face.person is None and face.on_file_until:
        return _("The consent of %(name)s, who is in this picture, is over.") % said
    if face.person is None:
        return _("There is no consent of %(name)s, who is in this picture.") % said
    once = Consent.objects.filter(person=face.person, purpose="photo").exists()
    if once:
        return _("%(name)s is in this picture and has taken the consent back.") % said
    return _("%(name)s is in this picture and has not agreed yet.") % said


def barred(pictures: Iterable[Picture], *, on: dt.date) -> set[int]:
    """Which of the pictures may not be shown on a day: one query."""
    ids = [picture.pk for picture in pictures]
    return set(Picture.objects.barred(on).filter(pk__in=ids).values_list("pk", flat=True))


def is_others_idea(picture: Picture, person: Person) -> bool:
    """Tell whether it came with somebody else's idea and nobody has used it for anything yet."""
    whole = picture.whole
    authors = set(Proposal.objects.filter(picture=whole).values_list("person", flat=True))
    if not authors or person.pk in authors:
        return False
    rows = [whole.pk, *whole.crops.values_list("pk", flat=True)]
    return not any(
        model._default_manager.filter(**{f"{name}__in": rows}).exists()  # noqa: SLF001
        for model, name in _uses()
    )


def _uses() -> list[tuple[type[models.Model], str]]:
    """Columns that point at a picture because it is shown there, in all rooms."""
    found = Picture._meta.get_fields(include_hidden=True)  # noqa: SLF001 - Django's documented name
    return [
        (relation.related_model, relation.field.name)
        for relation in found
        if isinstance(relation, models.ManyToOneRel)
        and relation.related_model not in {Picture, PictureFace, Proposal}
    ]


def for_network(picture: Picture | None, network: str) -> Picture | None:
    """The crop made for a network, or the whole picture."""
    if picture is None:
        return None
    return picture.crops.filter(network=network).first() or picture


def by_network(picture: Picture | None) -> dict[str, Picture]:
    """The crops in use, by network: one query, none without a picture."""
    if picture is None:
        return {}
    return {crop.network: crop for crop in picture.crops.exclude(network="")}


@transaction.atomic
def describe(*, picture: Picture, by: Person, now: dt.datetime) -> None:
    """Store words, rights and focus. Crops in use follow a moved focus."""
    before = Picture.objects.select_for_update().get(pk=picture.pk)
    picture.save(update_fields=FIELDS)
    if (before.focus_x, before.focus_y) != (picture.focus_x, picture.focus_y):
        for crop in picture.crops.exclude(network=""):
            cut(picture=picture, network=crop.network, aspect=crop.aspect, by=by, now=now)
    audit.record("picture.described", picture, by=by, now=now)


@transaction.atomic
def add_face(
    *,
    picture: Picture,
    person: Person | None,
    name: str,
    until: dt.date | None,
    by: Person,
    now: dt.datetime,
) -> bool:
    """Note who is in a picture; tells whether it was new."""
    try:
        with transaction.atomic():
            face = PictureFace.objects.create(
                picture=picture,
                person=person,
                name="" if person else name,
                on_file_until=None if person else until,
                noted_at=now,
            )
    except IntegrityError:
        return False
    audit.record("picture.face_noted", face, by=by, now=now, picture=picture.pk)
    return True


@transaction.atomic
def remove_face(*, face: PictureFace, by: Person, now: dt.datetime) -> None:
    """Somebody is not in the picture after all."""
    audit.record("picture.face_removed", face, by=by, now=now, picture=face.picture_id)
    face.delete()


@transaction.atomic
def cut(*, picture: Picture, network: str, aspect: str, by: Person, now: dt.datetime) -> None:
    """Make the crop for a network around the focus; an empty aspect goes back to the whole.

    The old crop stays for the posts that carry it; it only stops being the network's.
    """
    Picture.objects.select_for_update().get(pk=picture.pk)
    picture.crops.filter(network=network).update(network="")
    if aspect:
        with picture.file.open("rb") as file:
            content, width, height = renditions.cut(
                file.read(), aspect, (picture.focus_x, picture.focus_y)
            )
        digest = hashlib.sha256(content).hexdigest()
        crop = Picture(
            sha256=digest, width=width, height=height, crop_of=picture, network=network,
            aspect=aspect, uploaded_by=by, uploaded_at=now,
        )  # fmt: skip
        crop.file.save(f"{digest[:32]}.jpg", ContentFile(content), save=False)
        crop.save()
    audit.record("picture.cut", picture, by=by, now=now, network=network, aspect=aspect)
