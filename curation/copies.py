"""Start from what is there: a copy of a suggestion, and suggestions kept as patterns."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from campaigns.models import Suggestion, Variant

# What a suggestion says and to whom. Dates, decisions and people are the copy's own.
_CONTENT = (
    "topic_id", "why", "language", "content_class", "tone", "link_url", "link_title",
    "link_description", "picture_id", "document_id", "content_warning", "prompts", "facts",
    "leave_out", "audience_languages", "audience_interests", "campaign_id", "offer_name",
    "offer_terms_url",
)  # fmt: skip
_GROUPS = ("more_pictures", "sites", "teams", "kinds")
_WORDING = ("name", "language", "network", "text", "position")
_TITLE = 120


@transaction.atomic
def duplicate(*, suggestion: Suggestion, by: Person, now: dt.datetime) -> Suggestion:
    """A new draft with the same content, written by whoever asked for it."""
    title = suggestion.title
    if not suggestion.pattern:
        title = (_("Copy of %(title)s") % {"title": title})[:_TITLE]
    copy = Suggestion.objects.create(
        **{name: getattr(suggestion, name) for name in _CONTENT},
        title=title,
        author=by,
        changed_at=now,
    )
    for group in _GROUPS:
        getattr(copy, group).set(getattr(suggestion, group).all())
    Variant.objects.bulk_create(
        Variant(suggestion=copy, **{name: getattr(variant, name) for name in _WORDING})
        for variant in suggestion.variant_set.all()
    )
    audit.record("suggestion.copied", copy, by=by, now=now, source=suggestion.pk)
    return copy


@transaction.atomic
def keep_as_pattern(*, suggestion: Suggestion, name: str, by: Person, now: dt.datetime) -> None:
    """Offer a suggestion to all curators as a beginning, under a name; an empty one ends that.

    Its own life goes on; only a draft leaves the board's lane for the shelf of patterns.
    """
    Suggestion.objects.filter(pk=suggestion.pk).update(pattern=name)
    audit.record("suggestion.pattern", suggestion, by=by, now=now, kept=bool(name))
