"""Write on what a colleague may be writing on: merge, keep what loses, bring back, put aside."""

import copy
import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person

from . import contents, merging, suggestions
from .contents import Content
from .merging import Merged
from .models import Suggestion, Version
from .suggestions import NotAllowed, StaleRevision


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a save.

    ``version``: what was stored, None when all of it stood there already. ``taken``: what came in
    from colleagues who saved meanwhile. ``refused``: the kept text, when something clashes.
    """

    suggestion: Suggestion
    version: Version | None = None
    taken: tuple[str, ...] = ()
    refused: Version | None = None


@transaction.atomic
def write(
    *,
    suggestion: Suggestion | None,
    mine: Content,
    seen_revision: int,
    submission: uuid.UUID | None,
    by: Person,
    now: dt.datetime,
) -> Written:
    """Save what was written on ``seen_revision``; merge it with what was saved since.

    Where both wrote on one field nothing is saved: the whole text is kept as a refused version
    and waits to be brought together. ``submission`` is the opened form: sent again, it finds its
    earlier save and is a change of that. Raises :class:`NotAllowed` for times that do not fit.
    """
    earlier = _earlier(suggestion, submission, by)
    if suggestion is None and earlier is None:
        try:
            with transaction.atomic():
                return _first(_known_keys(mine), submission, by, now)
        except IntegrityError:  # the same form a moment ago, in another request
            earlier = _earlier(None, submission, by)
            if earlier is None:
                raise
    if earlier is not None:
        mine = merging.adopt(mine, earlier.content)
        seen_revision = max(seen_revision, earlier.revision)
    pk = suggestion.pk if suggestion else cast("Version", earlier).suggestion_id
    current = suggestions.lock(pk)
    theirs = contents.stored(current)
    base = _base(current, seen_revision, theirs)
    mine = _known_keys(mine, theirs, *([base] if base else []))
    merged = merging.merge(base=base, mine=mine, theirs=theirs)
    if merged.clashes:
        suggestions.keep_found(current, theirs)
        kept = _refuse(current, mine, seen_revision, submission, by, now)
        return Written(current, taken=merged.taken, refused=kept)
    if not merging.ends_after_begin(merged.content):
        raise NotAllowed(_("The end must be after the beginning."))
    if not merging.differences(merged.content, theirs):
        return Written(current, taken=merged.taken)
    version = suggestions.store(
        suggestion=current, content=merged.content, before=theirs, base=seen_revision, by=by,
        now=now, submission=submission,
    )  # fmt: skip
    return Written(current, version, merged.taken)


def _first(mine: Content, submission: uuid.UUID | None, by: Person, now: dt.datetime) -> Written:
    """Write a new suggestion."""
    made = Suggestion()
    version = suggestions.store(
        suggestion=made, content=mine, before=None, base=0, by=by, now=now, submission=submission
    )
    return Written(made, version)


def merge_of(refused: Version, revision: int) -> Merged:
    """Compare a refused text with a saved revision.

    Raises :class:`StaleRevision` if there is no such revision.
    """
    theirs = saved(refused.suggestion, revision)
    if theirs is None:
        raise StaleRevision
    base = stood(refused.suggestion, refused.base)
    return merging.merge(
        base=base.content if base else None, mine=refused.content, theirs=theirs.content
    )


@transaction.atomic
def resolve(
    *,
    refused: Version,
    picks: dict[str, Any],
    seen_revision: int,
    by: Person,
    now: dt.datetime,
) -> Written:
    """Save a refused text with the choices made over ``seen_revision``.

    Somebody may have saved again: then it merges again, or is refused again with the choices
    in it. Raises :class:`StaleRevision`, :class:`NotAllowed`.
    """
    content = merging.settle(merge_of(refused, seen_revision), picks)
    current = suggestions.lock(refused.suggestion_id)
    written = write(
        suggestion=current,
        mine=contents.existing(content, contents.stored(current)),
        seen_revision=seen_revision,
        submission=None,
        by=by,
        now=now,
    )
    Version.objects.filter(pk=refused.pk, settled_at=None).update(settled_at=now)
    return written


@transaction.atomic
def put_aside(*, refused: Version, by: Person, now: dt.datetime) -> None:
    """Leave a refused text in the history and offer it no more."""
    if Version.objects.filter(pk=refused.pk, by=by, settled_at=None).update(settled_at=now):
        audit.record("suggestion.put_aside", refused.suggestion, by=by, now=now)


@transaction.atomic
def restore(*, version: Version, seen_revision: int, by: Person, now: dt.datetime) -> Written:
    """Bring an old version back as a new save, over exactly the revision that was seen.

    What it names and was deleted since (a picture, a team) stays as it is now.
    Raises :class:`StaleRevision`, :class:`NotAllowed`.
    """
    current = suggestions.lock(version.suggestion_id)
    if current.revision != seen_revision:
        raise StaleRevision
    if version.kind == Version.Kind.REFUSED:
        raise NotAllowed(_("This text was never saved; bring it together with what stands there."))
    before = contents.stored(current)
    content = contents.existing(version.content, before)
    if not merging.differences(content, before):
        return Written(current)
    stored = suggestions.store(
        suggestion=current, content=content, before=before, base=seen_revision, by=by, now=now,
        kind=Version.Kind.RESTORED, restored_from=version.revision,
    )  # fmt: skip
    return Written(current, stored)


def waiting(suggestion: Suggestion, person: Person) -> list[Version]:
    """The person's own texts that lost a race and are not brought together yet, newest first."""
    return list(
        suggestion.versions.filter(kind=Version.Kind.REFUSED, by=person, settled_at=None)[:5]
    )


def newest_since(suggestion: Suggestion, seen_revision: int) -> Version | None:
    """The newest save since a revision that somebody has before the eyes, without its content."""
    if not 0 < seen_revision < suggestion.revision:
        return None
    rows = suggestion.versions.exclude(kind=Version.Kind.REFUSED)
    return rows.filter(revision__gt=seen_revision).select_related("by").defer("content").first()


def _earlier(
    suggestion: Suggestion | None, submission: uuid.UUID | None, by: Person
) -> Version | None:
    """The last save that came from the same opened form."""
    if submission is None:
        return None
    found = Version.objects.filter(submission=submission, by=by).exclude(kind=Version.Kind.REFUSED)
    if suggestion is not None:
        found = found.filter(suggestion=suggestion)
    return found.first()


def saved(suggestion: Suggestion, revision: int) -> Version | None:
    """The version of a revision, if it has one."""
    rows = suggestion.versions.filter(revision=revision)
    return rows.exclude(kind=Version.Kind.REFUSED).first()


def stood(suggestion: Suggestion, revision: int) -> Version | None:
    """The text of a revision: its version, or the last one before where no text was changed."""
    rows = suggestion.versions.filter(revision__lte=revision)
    return rows.exclude(kind=Version.Kind.REFUSED).first()


def _base(current: Suggestion, seen_revision: int, theirs: Content) -> Content | None:
    """What the writer had before the eyes.

    The alternative text belongs to the picture and may have changed beside this suggestion.
    """
    version = stood(current, seen_revision)
    if seen_revision != current.revision:
        return version.content if version else None
    base = copy.deepcopy(theirs)
    if version:
        base["fields"]["alt"] = version.content["fields"].get("alt", "")
    return base


def _known_keys(mine: Content, *sides: Content) -> Content:
    """Take away keys that this suggestion never had; each stands once."""
    free = {w["key"] for side in sides for w in side["wordings"]}
    found = copy.deepcopy(mine)
    for wording in found["wordings"]:
        if wording["key"] not in free:
            wording["key"] = None
        free.discard(wording["key"])
    return found


def _refuse(
    current: Suggestion,
    mine: Content,
    seen_revision: int,
    submission: uuid.UUID | None,
    by: Person,
    now: dt.datetime,
) -> Version:
    """Keep the text that lost, once for each opened form and content."""
    waiting_ = current.versions.filter(
        kind=Version.Kind.REFUSED, by=by, settled_at=None, base=seen_revision, content=mine
    )
    if known := waiting_.first():
        return known
    audit.record("suggestion.refused", current, by=by, now=now, revision=seen_revision)
    return Version.objects.create(
        suggestion=current,
        revision=current.revision,
        base=seen_revision,
        kind=Version.Kind.REFUSED,
        content=mine,
        by=by,
        at=now,
        submission=submission,
    )
