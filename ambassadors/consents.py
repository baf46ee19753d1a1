"""Give and withdraw consents. Withdrawal is as easy as consent and holds at once."""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from . import audit
from .models import Consent, Person

# The wording people said yes to, by version. Old versions stay readable on their rows.
WORDINGS: dict[str, tuple[str, str]] = {
    Consent.Purpose.LINK_ACCOUNT: (
        "1",
        gettext_noop(
            "Botschaft may keep the key to an account I connect, encrypted, until I disconnect it."
        ),
    ),
    Consent.Purpose.PUBLISH: (
        "1",
        gettext_noop(
            "Botschaft may publish a post on my account when I press share or at the time I choose."
        ),
    ),
    Consent.Purpose.ENGAGEMENT: (
        "2",
        gettext_noop(
            "Botschaft may read how many reactions my posts from here received. Only I see them; "
            "in figures about groups of at least five people they may count."
        ),
    ),
    Consent.Purpose.ROSTER: (
        "2",
        gettext_noop(
            "HR and the leads of my teams may see my name, job, site, teams, languages and topics "
            "in the roster, never what I post."
        ),
    ),
    Consent.Purpose.CONTACT_CARD: ("1", gettext_noop("My contact card may be public.")),
    Consent.Purpose.SPEAKER: (
        "1",
        gettext_noop(
            "My name, job title and talks may be shown to colleagues or to everybody, as I set it,"
            " so that I can be asked to speak."
        ),
    ),
    Consent.Purpose.PHOTO: (
        "2",
        gettext_noop(
            "My photo may be shown beside my name, and pictures I am in may be used in posts."
        ),
    ),
    Consent.Purpose.LEADERBOARD: ("1", gettext_noop("My figures may be part of comparisons.")),
}


# Wordings that are asked for no more, but to which people said yes.
_FORMER = (
    gettext_noop("HR may see my name, site and teams in the roster, never what I post."),
    gettext_noop(
        "Botschaft may read how many reactions my posts from here received. Only I see them."
    ),
)


@transaction.atomic
def give(*, person: Person, purpose: str, now: dt.datetime) -> Consent:
    """Record a yes to the current wording; a standing yes to it is kept as it is.

    A standing yes to an older wording ends with the new one.
    """
    version, wording = WORDINGS[purpose]
    older = Consent.objects.given().filter(person=person, purpose=purpose).exclude(version=version)
    older.update(withdrawn_at=now)
    consent, created = Consent.objects.given().get_or_create(
        person=person,
        purpose=purpose,
        defaults={"version": version, "wording": wording, "given_at": now},
    )
    if created:
        audit.record("consent.given", consent, by=person, now=now, purpose=purpose)
    return consent


def current(purpose: str) -> "QuerySet[Consent]":
    """Standing yes's to the wording of today: what an older one did not name is not in it."""
    return Consent.objects.given().filter(purpose=purpose, version=WORDINGS[purpose][0])


@transaction.atomic
def withdraw(*, person: Person, purpose: str, now: dt.datetime) -> bool:
    """Take a yes back; tells whether there was one.

    The UPDATE waits for start transactions that hold the row FOR SHARE, so nothing starts later.
    """
    consent = Consent.objects.given().filter(person=person, purpose=purpose).first()
    if not consent or not Consent.objects.given().filter(pk=consent.pk).update(withdrawn_at=now):
        return False
    audit.record("consent.withdrawn", consent, by=person, now=now, purpose=purpose)
    return True
