"""The life of a guideline: drafted by several, published in versions, put away, brought back."""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext as _

from . import audit
from .models import Guideline, GuidelineVersion, Person

# What a draft says, and a new one takes over from the version before.
WORDS = ("title_de", "title_en", "text_de", "text_en", "quiz")
FIELDS = (*WORDS, "change_de", "change_en", "requires_yes", "grace_days", "effective_on")


class StaleDraft(Exception):
    """Somebody else saved or published since this page was opened."""


class NotReady(Exception):
    """It cannot be published yet; ``field`` says what misses, the message why."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@transaction.atomic
def begin(
    *, words: dict[str, Any], key: uuid.UUID, by: Person, now: dt.datetime
) -> GuidelineVersion:
    """Make a guideline with its first draft. Nobody but its editors sees it yet.

    ``key`` is the opened form's: sent twice, it makes one.
    """
    title = words["title_de"] or words["title_en"]
    slug = f"{slugify(title)[:40] or 'guideline'}-{key.hex[:6]}"
    guideline, made = Guideline.objects.get_or_create(slug=slug, defaults={"counts_from": now})
    if not made:
        return GuidelineVersion.objects.filter(guideline=guideline).latest("pk")
    draft = GuidelineVersion.objects.create(
        guideline=guideline, changed_at=now, changed_by=by, **words
    )
    audit.record("guideline.made", guideline, by=by, now=now)
    return draft


@transaction.atomic
def next_draft(*, guideline: Guideline, by: Person, now: dt.datetime) -> GuidelineVersion:
    """The open draft of a guideline, or a new one with the words of the latest version."""
    Guideline.objects.select_for_update().get(pk=guideline.pk)  # two presses: one draft
    versions = GuidelineVersion.objects.filter(guideline=guideline)
    if draft := versions.filter(published_at__isnull=True).first():
        return draft
    latest = versions.filter(published_at__isnull=False)[0]
    words = {name: getattr(latest, name) for name in (*WORDS, "grace_days")}
    return GuidelineVersion.objects.create(
        guideline=guideline, changed_at=now, changed_by=by, **words
    )


def save(
    *,
    draft: GuidelineVersion,
    words: dict[str, Any],
    seen_revision: int,
    by: Person,
    now: dt.datetime,
) -> int:
    """Keep what an editor wrote if nobody saved since ``seen_revision``; returns the new one.

    Raises :class:`StaleDraft`; the door then shows both texts.
    """
    rows = GuidelineVersion.objects.filter(
        pk=draft.pk, published_at__isnull=True, revision=seen_revision
    )
    changes = {name: words[name] for name in FIELDS}
    if not rows.update(**changes, revision=seen_revision + 1, changed_at=now, changed_by=by):
        raise StaleDraft
    return seen_revision + 1


@transaction.atomic
def publish(
    *,
    draft: GuidelineVersion,
    seen_revision: int,
    effective_at: dt.datetime,
    by: Person,
    now: dt.datetime,
) -> int:
    """Make a draft a version for good; returns its number.

    It holds from ``effective_at`` on, and binds when its grace time is over. Raises
    :class:`StaleDraft` when somebody saved since, :class:`NotReady` when something misses.
    """
    Guideline.objects.select_for_update().get(pk=draft.guideline_id)  # numbers in their order
    fresh = GuidelineVersion.objects.filter(
        pk=draft.pk, published_at__isnull=True, revision=seen_revision
    ).first()
    if fresh is None:
        raise StaleDraft
    versions = GuidelineVersion.objects.filter(guideline=draft.guideline_id)
    number = (versions.aggregate(last=Max("number"))["last"] or 0) + 1
    check(fresh, first=number == 1)
    GuidelineVersion.objects.filter(pk=fresh.pk).update(
        number=number,
        published_at=now,
        effective_at=max(effective_at, now),
        changed_by=None,
    )
    audit.record(
        "guideline.published",
        fresh,
        by=by,
        now=now,
        number=number,
        guideline=draft.guideline_id,
        requires_yes=fresh.requires_yes,
        grace_days=fresh.grace_days,
    )
    return number


def check(draft: GuidelineVersion, *, first: bool) -> None:
    """Refuse a draft without words, and a change nobody explains. Raises :class:`NotReady`."""
    if not draft.text_de and not draft.text_en:
        raise NotReady("text_de", _("There is no text yet."))
    for language, title in (("de", draft.title_de), ("en", draft.title_en)):
        if draft.text_in(language) and not title:
            raise NotReady(f"title_{language}", _("A text needs a title in its language."))
    if not first and not draft.change_in("de"):
        raise NotReady("change_de", _("Say in one sentence what changed. Everybody reads it."))


@transaction.atomic
def discard(*, draft: GuidelineVersion, by: Person, now: dt.datetime) -> bool:
    """Throw a draft away, with its guideline where it was the only thing; False when too late."""
    rows = GuidelineVersion.objects.filter(pk=draft.pk, published_at__isnull=True)
    if not rows.delete()[0]:
        return False
    audit.record("guideline.discarded", draft, by=by, now=now, guideline=draft.guideline_id)
    Guideline.objects.filter(pk=draft.guideline_id, versions__isnull=True).delete()
    return True


@transaction.atomic
def retire(*, guideline: Guideline, by: Person, now: dt.datetime) -> bool:
    """Put a guideline away: nobody owes it a yes any more. False when it was away already."""
    rows = Guideline.objects.filter(pk=guideline.pk, retired_at__isnull=True)
    if not rows.update(retired_at=now):
        return False
    audit.record("guideline.retired", guideline, by=by, now=now)
    return True


@transaction.atomic
def bring_back(*, guideline: Guideline, by: Person, now: dt.datetime) -> bool:
    """Let a guideline hold again. Its grace times begin anew, so nothing is held at once."""
    rows = Guideline.objects.filter(pk=guideline.pk, retired_at__isnull=False)
    if not rows.update(retired_at=None, counts_from=now):
        return False
    audit.record("guideline.brought_back", guideline, by=by, now=now)
    return True
