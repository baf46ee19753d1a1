"""A suggestion is written, checked and withdrawn; its review is :mod:`campaigns.reviews`."""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.forms import model_to_dict
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from integrations import webhooks

from . import contents, disclosure, offers, pictures, previews, uploads, wording
from .contents import Content, Wording
from .models import Picture, Suggestion, Topic, Variant, Version
from .states import move_suggestion


class StaleRevision(Exception):
    """Somebody else saved since this page was opened."""


class NotAllowed(Exception):
    """The step is not this person's; the message says why."""


def checks(
    suggestion: Suggestion, variants: list[Variant], *, on: dt.date | None = None
) -> list[tuple[str, str, str]]:
    """What is missing before review: ``(no|warn|ok, field, sentence)``, most urgent first.

    ``field`` is the id of the element in the editor that mends it; ``on`` the day on which the
    picture's rights count, without it they are not asked.
    """
    found: list[tuple[str, str, str]] = []
    if not variants:
        found.append(("no", "wording-0", _("There is no wording yet.")))
    if suggestion.picture:
        found += _picture_checks(suggestion.picture, suggestion.language, on)
    turned = _("“%(name)s” turns the direction of reading with invisible signs.")
    found += [
        ("warn", f"wording-{index}", turned % {"name": variant.name})
        for index, variant in enumerate(variants)
        if wording.turns(variant.text)
    ]
    found += [("no", *miss) for miss in offers.missing(suggestion)]
    rules = disclosure.labels_by_language(suggestion.content_class)
    for index, variant in enumerate(variants):
        place = f"wording-{index}"
        if not wording.gaps(variant.text):
            found.append(("warn", place, _("“%(name)s” has no blue gap.") % {"name": variant.name}))
        if variant.language not in rules:
            sentence = _("“%(name)s”: there is no disclosure label for this class and language.")
            found.append(("no", "content_class", sentence % {"name": variant.name}))
        found += [
            (
                "warn",
                place,
                _("“%(name)s” is %(over)s too long for %(network)s.")
                % {"name": variant.name, "over": fit.over, "network": fit.label},
            )
            for fit in previews.fits(suggestion, variant, rules)
            if fit.over
        ]
    found += _topic_checks(suggestion.topic)
    order = {"no": 0, "warn": 1}
    return sorted(found, key=lambda item: order[item[0]])


def _topic_checks(topic: Topic) -> list[tuple[str, str, str]]:
    if topic.is_held:
        return [("no", "topic", _("The topic is on hold."))]
    if topic.archived_at:
        return [("no", "topic", _("The topic is in the archive."))]
    if topic.own_view:
        sentence = _("The topic has no official line yet: this is not offered as our wording.")
        return [("warn", "topic", sentence)]
    return []


def _picture_checks(
    picture: Picture, language: str, on: dt.date | None
) -> list[tuple[str, str, str]]:
    found = []
    if not picture.alt(language):
        found.append(("no", "alt", _("The alternative text is missing.")))
    if on and (why := pictures.why_barred(picture, on=on)):
        found.append(("no", "picture_file", why))
    return found


@transaction.atomic
def save(
    *,
    suggestion: Suggestion,
    variants: list[Variant],
    seen_revision: int,
    by: Person,
    now: dt.datetime,
) -> Suggestion:
    """Save a draft if nobody saved since ``seen_revision``; an approved one goes back to draft.

    Raises :class:`StaleRevision`. The editor uses :func:`campaigns.versions.write`, which merges.
    """
    before = None
    if suggestion.pk is not None:
        current = lock(suggestion.pk)
        if current.revision != seen_revision:
            raise StaleRevision
        suggestion.revision = current.revision
        suggestion.refresh_from_db(fields=["state"])  # approved meanwhile, perhaps
        before = contents.stored(current)
    picture = suggestion.picture
    content = contents.gather(
        suggestion,
        variants,
        sets=contents.sets_of(suggestion),
        alt=picture.alt(suggestion.language) if picture else "",
    )
    store(suggestion=suggestion, content=content, before=before, base=seen_revision, by=by, now=now)
    return suggestion


def lock(pk: int) -> Suggestion:
    """Fetch a suggestion that nobody else can save before this transaction ends."""
    rows = Suggestion.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("picture").get(pk=pk)


def store(
    *,
    suggestion: Suggestion,
    content: Content,
    before: Content | None,
    base: int,
    by: Person,
    now: dt.datetime,
    kind: str = Version.Kind.SAVED,
    restored_from: int | None = None,
    submission: uuid.UUID | None = None,
) -> Version:
    """Make the rows say ``content`` and keep it as a version, in the caller's transaction.

    Effects in order: what stood there before gets its version if it has none, the approval
    ends, the columns, wordings, sets, alternative text, the version. ``suggestion`` is locked, or
    new. Raises :class:`StaleRevision` if its revision is not the stored one.
    """
    columns = contents.columns(content)
    if suggestion.pk is None:
        for name, value in columns.items():
            setattr(suggestion, name, value)
        suggestion.author = suggestion.changed_by = by
        suggestion.changed_at = now
        suggestion.save()
        base = 0
        audit.record("suggestion.written", suggestion, by=by, now=now)
    else:
        if before is not None:
            keep_found(suggestion, before)
        revision = suggestion.revision
        if suggestion.state == Suggestion.State.APPROVED:
            ended = move_suggestion(
                suggestion, to="draft", revision=revision, approved_at=None, approved_by=None
            )
            if not ended:
                raise StaleRevision
        changed = Suggestion.objects.filter(pk=suggestion.pk, revision=revision).update(
            **columns, revision=revision + 1, changed_at=now, changed_by=by
        )
        if not changed:
            raise StaleRevision
        suggestion.refresh_from_db()
        audit.record("suggestion.changed", suggestion, by=by, now=now, revision=suggestion.revision)
    kept = _keep_variants(suggestion, contents.variants(content))
    _keep_beside(suggestion, content, before)
    return Version.objects.create(
        suggestion=suggestion,
        revision=suggestion.revision,
        base=base,
        kind=kind,
        content={**content, "wordings": kept},
        by=by,
        at=now,
        restored_from=restored_from,
        submission=submission,
    )


def keep_found(suggestion: Suggestion, content: Content) -> None:
    """Give the stored revision a version if it has none: it was written by other doors."""
    if (
        not suggestion.versions.filter(revision=suggestion.revision)
        .exclude(kind="refused")
        .exists()
    ):
        Version.objects.create(
            suggestion=suggestion,
            revision=suggestion.revision,
            base=max(suggestion.revision - 1, 0),
            kind=Version.Kind.FOUND,
            content=content,
            at=suggestion.changed_at,
        )


def _keep_variants(suggestion: Suggestion, variants: list[Variant]) -> list[Wording]:
    """Make the stored wordings equal to the given ones, keeping rows that posts refer to."""
    rows = {row.pk: row for row in suggestion.variant_set.all()}
    kept: list[Wording] = []
    for position, variant in enumerate(variants):
        variant.suggestion = suggestion
        variant.position = position
        row = rows.pop(variant.pk, None)
        if row is None or model_to_dict(row) != model_to_dict(variant):
            variant.save()
        kept.append(contents.wording(variant))
    if rows:
        suggestion.variant_set.filter(pk__in=rows).delete()
    return kept


def _keep_beside(suggestion: Suggestion, content: Content, before: Content | None) -> None:
    """Store sets and alternative text where they changed."""
    old = before["fields"] if before else {}
    for name in contents.SETS:
        if content["fields"].get(name, []) != old.get(name, []):
            getattr(suggestion, name).set(content["fields"].get(name, []))
    alt = content["fields"]["alt"]
    if suggestion.picture and alt != suggestion.picture.alt(suggestion.language):
        uploads.describe(suggestion.picture, alt, suggestion.language)


def step(
    suggestion: Suggestion,
    act: str,
    *,
    to: str,
    seen_revision: int,
    by: Person,
    now: dt.datetime,
    **changes: Any,
) -> None:
    """Move a suggestion one step, with its audit entry. Raises :class:`StaleRevision`."""
    if not move_suggestion(suggestion, to=to, revision=seen_revision, changed_at=now, **changes):
        raise StaleRevision
    audit.record(f"suggestion.{act}", suggestion, by=by, now=now, revision=seen_revision)
    suggestion.refresh_from_db()


@transaction.atomic
def withdraw(*, suggestion: Suggestion, by: Person, now: dt.datetime) -> None:
    """Take a suggestion out of sight for good. Raises :class:`StaleRevision`."""
    step(
        suggestion,
        "withdrawn",
        to="withdrawn",
        seen_revision=suggestion.revision,
        by=by,
        now=now,
        approved_at=None,
        approved_by=None,
    )
    facts = {"suggestion": suggestion.pk, "topic": suggestion.topic_id}
    webhooks.tell("suggestion.withdrawn", facts, now=now)
