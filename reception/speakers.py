"""A speaker's own profile and talks: kept, shown, paused, withdrawn. Only by the person."""

import datetime as dt
import hashlib
import uuid
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from ambassadors import audit, consents, memberships
from ambassadors.models import Consent, Membership, Person, TeamKind
from campaigns import renditions, uploads
from campaigns.refusals import FieldRefused

from .models import Speaker, SpeakerPhoto, Talk

LONGEST_PAUSE = dt.timedelta(days=366)
MOST_TALKS = 20


class NotKept(FieldRefused):
    """What was typed cannot be kept; ``field`` says where the sentence belongs."""


class ChangedMeanwhile(Exception):
    """Another tab has saved since this form was opened."""


def is_expert(person: Person, on: dt.date) -> bool:
    """Tell whether the person is active in a team of experts on a day."""
    serving = Membership.objects.serving(TeamKind.Behaviour.EXPERT, on)
    return serving.filter(person=person).exists()


def says_yes(person: Person) -> bool:
    """Tell whether the person's yes to being shown holds."""
    return Consent.objects.given().filter(person=person, purpose="speaker").exists()


@transaction.atomic
def keep(*, by: Person, seen: int, facts: dict[str, Any], now: dt.datetime) -> Speaker:
    """Store the profile as the person wrote it; the first time it is made.

    ``seen`` is the revision the form showed. Saving is not showing: that is :func:`show`. Raises
    :class:`ChangedMeanwhile`.
    """
    Speaker.objects.get_or_create(person=by, defaults={"changed_at": now})
    mine = Speaker.objects.filter(person=by, revision=seen)
    if not mine.update(**facts, revision=F("revision") + 1, changed_at=now):
        raise ChangedMeanwhile
    speaker = Speaker.objects.get(person=by)
    audit.record("speaker.kept", speaker, by=by, now=now)
    return speaker


@transaction.atomic
def show(*, by: Person, visibility: str, now: dt.datetime) -> Speaker:
    """Say yes to being shown to colleagues or to everybody. Raises :class:`NotKept`.

    Effects in order: the consent, the profile's visibility, audit entries.
    """
    if not is_expert(by, memberships.day_of(now)):
        raise NotKept("", _("Only active members of a team of experts have a profile."))
    consents.give(person=by, purpose="speaker", now=now)
    speaker, _new = Speaker.objects.get_or_create(person=by, defaults={"changed_at": now})
    Speaker.objects.filter(pk=speaker.pk).update(visibility=visibility, changed_at=now)
    audit.record("speaker.shown", speaker, by=by, now=now, visibility=visibility)
    return speaker


@transaction.atomic
def withdraw(*, by: Person, now: dt.datetime) -> bool:
    """Take the yes back: profile and talks are gone at once. Tells whether there was one."""
    return consents.withdraw(person=by, purpose="speaker", now=now)


@transaction.atomic
def pause(*, by: Person, until: dt.date | None, now: dt.datetime) -> None:
    """Rest until the end of a day, or rest no more. Raises :class:`NotKept`."""
    today = by.local(now).date()
    if until and until < today:
        raise NotKept("paused_until", _("This day is over."))
    if until and until - today > LONGEST_PAUSE:
        raise NotKept("paused_until", _("A pause lasts a year at most; withdraw the profile."))
    if Speaker.objects.filter(person=by).exclude(paused_until=until).update(paused_until=until):
        speaker = Speaker.objects.get(person=by)
        audit.record("speaker.paused" if until else "speaker.back", speaker, by=by, now=now)


@transaction.atomic
def keep_photo(*, by: Person, content: bytes, now: dt.datetime) -> None:
    """Put a photo into the profile, and the yes to showing it with it.

    Raises :class:`campaigns.uploads.PictureRefused`.
    """
    square, _wide, _high = renditions.cut(uploads.encode(content).content, "1:1", (50, 40))
    small = renditions.small(square, (640, 640))
    speaker, _new = Speaker.objects.get_or_create(person=by, defaults={"changed_at": now})
    digest = hashlib.sha256(small).hexdigest()
    SpeakerPhoto.objects.update_or_create(
        speaker=speaker, defaults={"content": small, "sha256": digest}
    )
    consents.give(person=by, purpose="photo", now=now)
    audit.record("speaker.photo", speaker, by=by, now=now)


@transaction.atomic
def drop_photo(*, by: Person, now: dt.datetime) -> None:
    """Delete the profile's photo; the object stands there again."""
    gone, _rows = SpeakerPhoto.objects.filter(speaker__person=by).delete()
    if gone:
        audit.record("speaker.photo_gone", Speaker.objects.get(person=by), by=by, now=now)


@transaction.atomic
def write_talk(
    *, by: Person, facts: dict[str, Any], submission: uuid.UUID, now: dt.datetime
) -> Talk:
    """Add a talk; the same form a second time finds the first. Raises :class:`NotKept`."""
    Speaker.objects.get_or_create(person=by, defaults={"changed_at": now})
    speaker = Speaker.objects.select_for_update().get(person=by)
    if standing := speaker.talks.filter(submission=submission).first():
        return standing
    if speaker.talks.count() >= MOST_TALKS:
        raise NotKept("title", _("Twenty talks are enough; delete one first."))
    talk = Talk.objects.create(speaker=speaker, submission=submission, changed_at=now, **facts)
    audit.record("talk.written", talk, by=by, now=now)
    return talk


@transaction.atomic
def change_talk(
    *, talk: Talk, seen: int, facts: dict[str, Any], by: Person, now: dt.datetime
) -> None:
    """Store another wording of a talk. Raises :class:`ChangedMeanwhile`."""
    mine = Talk.objects.filter(pk=talk.pk, speaker__person=by, revision=seen)
    if not mine.update(**facts, revision=F("revision") + 1, changed_at=now):
        raise ChangedMeanwhile
    audit.record("talk.changed", talk, by=by, now=now)


@transaction.atomic
def delete_talk(*, talk: Talk, by: Person, now: dt.datetime) -> None:
    """Delete a talk; requests about it keep what their askers wrote."""
    audit.record("talk.deleted", talk, by=by, now=now)
    Talk.objects.filter(pk=talk.pk, speaker__person=by).delete()
