"""The life of a suggestion: write, hand in, approve, return, withdraw."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from integrations.networks import NETWORKS

from . import wording
from .models import DisclosureRule, Programme, Suggestion, Variant
from .states import move_suggestion


class StaleRevision(Exception):
    """Somebody else saved since this page was opened."""


class NotAllowed(Exception):
    """The step is not this person's; the message says why."""


def checks(suggestion: Suggestion, variants: list[Variant]) -> list[tuple[str, str, str]]:
    """What is missing before review: ``(no|warn|ok, field, sentence)``, most urgent first."""
    found: list[tuple[str, str, str]] = []
    if not variants:
        found.append(("no", "variants", _("There is no wording yet.")))
    if suggestion.picture and not suggestion.picture.alt(suggestion.language):
        found.append(("no", "alt", _("The alternative text is missing.")))
    for variant in variants:
        if not wording.gaps(variant.text):
            found.append(
                ("warn", "variants", _("“%(name)s” has no blue gap.") % {"name": variant.name})
            )
        for network in NETWORKS.values():
            if variant.network in {"", network.abilities.name}:
                over = network.length(variant.text) - network.abilities.limit
                if over > 0:
                    found.append(
                        (
                            "warn",
                            "variants",
                            _("“%(name)s” is %(over)s too long for %(network)s.")
                            % {
                                "name": variant.name,
                                "over": over,
                                "network": network.abilities.label,
                            },
                        )
                    )
    if suggestion.topic.is_held:
        found.append(("no", "topic", _("The topic is on hold.")))
    if not DisclosureRule.objects.filter(content_class=suggestion.content_class).exists():
        found.append(("no", "content_class", _("There is no disclosure label for this class.")))
    order = {"no": 0, "warn": 1}
    return sorted(found, key=lambda item: order[item[0]])


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

    Raises :class:`StaleRevision`; the door then shows both texts.
    """
    if suggestion.pk is None:
        suggestion.author = by
        suggestion.changed_at = now
        suggestion.save()
        audit.record("suggestion.written", suggestion, by=by, now=now)
    else:
        fields = {
            name: getattr(suggestion, name)
            for name in (
                "topic_id", "title", "why", "language", "content_class", "tone", "link_url",
                "link_title", "link_description", "picture_id", "prompts", "facts", "leave_out",
                "audience_languages", "embargo_until", "expires_at",
            )
        }  # fmt: skip
        changed = Suggestion.objects.filter(pk=suggestion.pk, revision=seen_revision).update(
            **fields, revision=seen_revision + 1, changed_at=now
        )
        if not changed:
            raise StaleRevision
        suggestion.refresh_from_db()
        if suggestion.state == Suggestion.State.APPROVED:
            move_suggestion(
                suggestion,
                to="draft",
                revision=suggestion.revision,
                approved_at=None,
                approved_by=None,
            )
            suggestion.refresh_from_db()
        audit.record("suggestion.changed", suggestion, by=by, now=now, revision=suggestion.revision)
    _keep_variants(suggestion, variants)
    return suggestion


def _keep_variants(suggestion: Suggestion, variants: list[Variant]) -> None:
    """Make the stored wordings equal to the given ones, keeping rows that posts refer to."""
    kept = []
    for position, variant in enumerate(variants):
        variant.suggestion = suggestion
        variant.position = position
        variant.save()
        kept.append(variant.pk)
    suggestion.variant_set.exclude(pk__in=kept).delete()


def _step(
    suggestion: Suggestion,
    act: str,
    *,
    to: str,
    seen_revision: int,
    by: Person,
    now: dt.datetime,
    **changes: Any,
) -> None:
    if not move_suggestion(suggestion, to=to, revision=seen_revision, changed_at=now, **changes):
        raise StaleRevision
    audit.record(f"suggestion.{act}", suggestion, by=by, now=now, revision=seen_revision)
    suggestion.refresh_from_db()


@transaction.atomic
def hand_in(*, suggestion: Suggestion, seen_revision: int, by: Person, now: dt.datetime) -> None:
    """Send a draft to review. Raises :class:`StaleRevision`, :class:`NotAllowed`."""
    blocking = [c for c in checks(suggestion, list(suggestion.variant_set.all())) if c[0] == "no"]
    if blocking:
        raise NotAllowed(blocking[0][2])
    if suggestion.state != Suggestion.State.DRAFT:
        raise StaleRevision
    _step(suggestion, "handed_in", to="in_review", seen_revision=seen_revision, by=by, now=now)


@transaction.atomic
def approve(*, suggestion: Suggestion, seen_revision: int, by: Person, now: dt.datetime) -> None:
    """Approve exactly the revision the approver has seen.

    Raises :class:`StaleRevision` when it changed meanwhile, :class:`NotAllowed` for the author
    where the programme wants two people.
    """
    if Programme.the().two_person_review and suggestion.author_id == by.pk:
        raise NotAllowed(_("Somebody else must approve what you wrote."))
    if suggestion.state != Suggestion.State.IN_REVIEW:
        raise StaleRevision
    _step(
        suggestion,
        "approved",
        to="approved",
        seen_revision=seen_revision,
        by=by,
        now=now,
        approved_at=now,
        approved_by=by,
        returned_note="",
    )


@transaction.atomic
def give_back(
    *, suggestion: Suggestion, seen_revision: int, note: str, by: Person, now: dt.datetime
) -> None:
    """Return a suggestion to its author with a word why. Raises :class:`StaleRevision`."""
    if suggestion.state != Suggestion.State.IN_REVIEW:
        raise StaleRevision
    _step(
        suggestion,
        "returned",
        to="draft",
        seen_revision=seen_revision,
        by=by,
        now=now,
        returned_note=note,
    )


@transaction.atomic
def withdraw(*, suggestion: Suggestion, by: Person, now: dt.datetime) -> None:
    """Take a suggestion out of sight for good. Raises :class:`StaleRevision`."""
    _step(
        suggestion,
        "withdrawn",
        to="withdrawn",
        seen_revision=suggestion.revision,
        by=by,
        now=now,
        approved_at=None,
        approved_by=None,
    )
