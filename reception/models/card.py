"""What strangers see of a contact, and the areas of work they ask about."""

import datetime as dt
import secrets
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Absence, Consent, Membership, Person, Site, TeamKind

# Drawings that stand where no photo does: an object of the work.
OBJECTS = {
    "t-helm": _("Helmet"),
    "t-dreieck": _("Set square and pencil"),
    "t-headset": _("Headset"),
    "t-zollstock": _("Folding rule"),
    "t-schluessel": _("Spanner"),
    "t-fuenfzig": _("Frequency meter"),
    "t-mast": _("Pylon"),
    "t-ventil": _("Valve"),
}
_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another


def new_key() -> str:
    """A name for a public address that tells nothing and cannot be guessed."""
    return "".join(secrets.choice(_SIGNS) for _n in range(10))


class JobArea(models.Model):
    """A kind of work that strangers ask about: apprenticeship, assembly, office."""

    slug = models.SlugField(unique=True)
    name_de = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["position", "pk"]

    def __str__(self) -> str:
        return self.name_en if get_language() == "en" else self.name_de


def _away(on: dt.date) -> models.QuerySet[Absence]:
    return Absence.objects.filter(
        person=OuterRef("person"), ended_at__isnull=True, until_on__gte=on
    )


class ContactCardQuerySet(models.QuerySet["ContactCard"]):
    """Plain names for questions about cards. Circumstances are asked, never stored here."""

    def live(self, on: dt.date) -> "ContactCardQuerySet":
        """Those strangers may see: the person is here, said yes, and is an active contact."""
        yes = Consent.objects.given().filter(person=OuterRef("person"), purpose="contact_card")
        contacts = Membership.objects.serving(TeamKind.Behaviour.CONTACT, on)
        return self.filter(Exists(yes), Exists(contacts.filter(person=OuterRef("person"))))

    def available(self, on: dt.date) -> "ContactCardQuerySet":
        """Those of people who neither rest nor are away on a day."""
        return self.filter(~Exists(_away(on)), paused_at__isnull=True)

    def seen(self, on: dt.date) -> "ContactCardQuerySet":
        """With what a page about them asks: who is away, whose photo may be shown."""
        photo = Consent.objects.given().filter(person=OuterRef("person"), purpose="photo")
        return (
            self.annotate(
                is_away=Exists(_away(on)),
                shows_photo=Exists(photo) & Exists(CardPhoto.objects.filter(card=OuterRef("pk"))),
            )
            .select_related("person")
            .prefetch_related("areas", "sites")
        )


class ContactCard(models.Model):
    """One person's card. Whether it is public says the consent, not this row."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE)
    key = models.CharField(max_length=12, unique=True, default=new_key, editable=False)
    sentence_de = models.CharField(max_length=140, blank=True)
    sentence_en = models.CharField(max_length=140, blank=True)
    job = models.CharField(max_length=80, blank=True)
    picture = models.CharField(max_length=20, default="t-helm")
    languages = models.JSONField(default=list)
    areas = models.ManyToManyField(JobArea, blank=True)
    sites = models.ManyToManyField(Site, blank=True)
    hours = models.CharField(max_length=80, blank=True)
    extension = models.CharField(max_length=24, blank=True)
    shows_address = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField()

    objects = ContactCardQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(sentence_de="", sentence_en=""), name="card_says_something"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class CardPhoto(models.Model):
    """The photo of a card, in the database: taking it back leaves no file behind."""

    card = models.OneToOneField(ContactCard, on_delete=models.CASCADE)
    large = models.BinaryField()
    small = models.BinaryField()

    def __str__(self) -> str:
        return str(self.card_id)
