"""Contact cards: write, publish, pause, take back; and what strangers see of them."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ambassadors import audit, consents
from ambassadors.models import Consent, Person, Site
from campaigns import renditions, uploads, wording
from campaigns.refusals import FieldRefused

from . import tongues
from .models import OBJECTS, CardPhoto, ContactCard, JobArea

LONGEST_SENTENCE = 140
_ASPECT = "4:3"
_SMALL = (120, 90)  # pixels, for the widget
_LARGE = (800, 600)
_MIDDLE = (50, 40)  # per cent; faces stand above the middle


class CardRefused(FieldRefused):
    """The card was not saved."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a person writes on their card."""

    sentence_de: str
    sentence_en: str
    job: str
    picture: str
    languages: list[str]
    areas: list[JobArea]
    sites: list[Site]
    hours: str
    extension: str
    shows_address: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A card exactly as strangers see it. Nothing else of the person reaches a public page."""

    key: str
    name: str
    first_name: str
    sentence: str
    sentence_language: str
    picture: str
    has_photo: bool
    job: str
    places: list[str]
    tongues: list[str]
    areas: list[JobArea]
    hours: str
    extension: str
    rests: bool


def public(on: dt.date) -> "QuerySet[ContactCard]":
    """The cards strangers may see on a day, in the order of their names."""
    return ContactCard.objects.live(on).seen(on).order_by("person__name", "pk")


def shown(card: ContactCard, language: str) -> Shown:
    """What strangers see; ``card`` comes from :meth:`ContactCardQuerySet.seen`."""
    other = "en" if language == "de" else "de"
    said = {"de": card.sentence_de, "en": card.sentence_en}
    speaks = language if said[language] else other
    return Shown(
        key=card.key,
        name=card.person.name,
        first_name=card.person.first_name,
        sentence=said[speaks],
        sentence_language=speaks,
        picture=card.picture,
        has_photo=bool(getattr(card, "shows_photo", False)),
        job=card.job,
        places=[site.name for site in card.sites.all()],
        tongues=tongues.named(card.languages),
        areas=list(card.areas.all()),
        hours=card.hours,
        extension=card.extension,
        rests=card.paused_at is not None or bool(getattr(card, "is_away", False)),
    )


def _line(field: str, text: str, most: int) -> str:
    """A single line as it may be kept. Raises :class:`CardRefused`."""
    clean = " ".join(wording.clean(text).split())
    if len(clean) > most:
        raise CardRefused(
            field,
            _("Shorter please: %(count)s characters, and %(most)s fit.")
            % {"count": len(clean), "most": most},
        )
    if wording.is_stacked(clean):
        raise CardRefused(field, _("Too many marks stand on one letter."))
    return "" if wording.is_blank(clean) else clean


def _checked(written: Written) -> dict[str, object]:
    fields: dict[str, object] = {
        "sentence_de": _line("sentence_de", written.sentence_de, LONGEST_SENTENCE),
        "sentence_en": _line("sentence_en", written.sentence_en, LONGEST_SENTENCE),
        "job": _line("job", written.job, 80),
        "hours": _line("hours", written.hours, 80),
        "extension": _line("extension", written.extension, 24),
        "picture": written.picture if written.picture in OBJECTS else next(iter(OBJECTS)),
        "shows_address": written.shows_address,
    }
    if not fields["sentence_de"] and not fields["sentence_en"]:
        raise CardRefused("sentence_de", _("Write one sentence; it is what people read first."))
    spoken = [code for code in tongues.NAMES if code in written.languages]
    if not spoken:
        raise CardRefused("languages", _("Choose at least one language you answer in."))
    return fields | {"languages": spoken}


@transaction.atomic
def save(*, by: Person, written: Written, now: dt.datetime) -> ContactCard:
    """Write one's own card. It stays as public or private as it was. Raises CardRefused."""
    fields = _checked(written)
    Person.objects.select_for_update().get(pk=by.pk)  # two tabs: one after the other
    card, _new = ContactCard.objects.update_or_create(
        person=by, defaults={**fields, "changed_at": now}
    )
    card.areas.set(written.areas)
    card.sites.set(written.sites)
    audit.record("card.saved", card, by=by, now=now)
    return card


def publish(*, by: Person, now: dt.datetime) -> None:
    """Say yes to the card being public; that yes is the publication."""
    consents.give(person=by, purpose=Consent.Purpose.CONTACT_CARD, now=now)


def withdraw(*, by: Person, now: dt.datetime) -> bool:
    """Take the card off every public page. Those pages ask, so it holds with this commit."""
    return consents.withdraw(person=by, purpose=Consent.Purpose.CONTACT_CARD, now=now)


@transaction.atomic
def rest(*, card: ContactCard, resting: bool, by: Person, now: dt.datetime) -> bool:
    """Stop or begin to get new questions; tells whether that changed anything."""
    rows = ContactCard.objects.filter(pk=card.pk, paused_at__isnull=resting)
    if not rows.update(paused_at=now if resting else None):
        return False
    audit.record("card.paused" if resting else "card.resumed", card, by=by, now=now)
    return True


@transaction.atomic
def put_photo(*, card: ContactCard, content: bytes, by: Person, now: dt.datetime) -> None:
    """Show a photo instead of the object, which is a yes of its own. Raises PictureRefused."""
    clean = uploads.encode(content)
    photos = {
        name: renditions.small(renditions.cut(clean.content, _ASPECT, _MIDDLE)[0], size)
        for name, size in (("large", _LARGE), ("small", _SMALL))
    }
    CardPhoto.objects.update_or_create(card=card, defaults=photos)
    consents.give(person=by, purpose=Consent.Purpose.PHOTO, now=now)
    audit.record("card.photo", card, by=by, now=now)


@transaction.atomic
def drop_photo(*, card: ContactCard, by: Person, now: dt.datetime) -> None:
    """Delete the photo; the object stands in its place. Other photos keep their consent."""
    CardPhoto.objects.filter(card=card).delete()
    audit.record("card.photo_dropped", card, by=by, now=now)


def photo(key: str, *, small: bool, on: dt.date) -> bytes | None:
    """The bytes of a photo that strangers may see now, else None."""
    yes = Consent.objects.given().filter(purpose=Consent.Purpose.PHOTO)
    found = (
        CardPhoto.objects.filter(
            card__in=ContactCard.objects.live(on).filter(key=key),
            card__person__in=yes.values("person"),
        )
        .values_list("small" if small else "large", flat=True)
        .first()
    )
    return bytes(found) if found is not None else None


def own_photo(person: Person) -> bytes | None:
    """The photo on one's own card, whoever may see it."""
    found = CardPhoto.objects.filter(card__person=person).values_list("large", flat=True).first()
    return bytes(found) if found is not None else None


def of(person: Person, on: dt.date) -> ContactCard | None:
    """The person's own card, public or not."""
    return ContactCard.objects.seen(on).filter(person=person).first()
