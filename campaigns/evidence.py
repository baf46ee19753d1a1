"""The proof of what left: verified, opened with a reason, exported for a quarter.

Rows are written by the database (migration 0013). People stand in them by a key that only
``Person.evidence_key`` resolves: giving a person a new key makes all their proofs nameless, with
every digest still right. That is how they are erased; the texts stay until ``keep_until`` for the
company's defence (GDPR Art. 17(3)(e)).
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from ambassadors import anonymity, audit
from ambassadors.models import AuditEntry, Person

from .models import Delivery, DisclosureRule, Evidence, Post, Suggestion
from .refusals import FieldRefused

COLUMNS = (
    "number", "event", "left_at", "network", "language", "country", "content_class", "label",
    "rule_version", "suggestion", "revision", "approvals", "part", "content_warning", "text",
    "picture_sha256", "sha256",
)  # fmt: skip
MOST_ROWS = 100_000


class EvidenceRefused(FieldRefused):
    """The evidence is not shown; ``field`` says where the sentence belongs."""


def digest(row: Evidence) -> str:
    """SHA-256 of a row as the database computed it when the text left."""
    values = [
        row.post_number, str(row.author_key), row.event, row.network, row.language, row.country,
        row.part, row.text, row.content_warning, row.picture_sha256, row.content_class, row.label,
        row.rule_version, row.suggestion_number, row.suggestion_revision, row.approvals,
        row.remote_id, _instant(row.left_at), row.keep_until.isoformat(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()


def _instant(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found."""

    intact: bool  # the digest is that of the row: nothing in it was changed
    ruled: bool  # the table of that version still asks for exactly this label
    labelled: bool  # the label stands in the text
    edited_since: bool  # the suggestion has a later revision; the proof does not care

    @property
    def holds(self) -> bool:
        """Tell whether the proof holds."""
        return self.intact and self.ruled and self.labelled


def verify(row: Evidence) -> Verdict:
    """Check a proof against itself and the table it names. Two queries."""
    newer = Suggestion.objects.filter(
        pk=row.suggestion_number or 0, revision__gt=row.suggestion_revision
    )
    ruled = row.rule_version == 0 or (
        DisclosureRule.objects.filter(
            table__version=row.rule_version,
            content_class=row.content_class,
            language=row.language,
            country__in=["", row.country],
            network__in=["", row.network],
            label=row.label,
        ).exists()
    )
    return Verdict(
        intact=digest(row) == row.sha256,
        ruled=ruled,
        labelled=row.label in row.text,
        edited_since=bool(row.suggestion_number) and newer.exists(),
    )


def of(post: Post) -> "QuerySet[Evidence]":
    """All proofs of one post, the first one first."""
    return Evidence.objects.filter(post_number=post.pk)


def looks_at(rows: Iterable[Evidence]) -> "QuerySet[AuditEntry]":
    """Who opened these proofs by name, for their author to see."""
    numbers = [str(row.pk) for row in rows]
    return AuditEntry.objects.filter(act="evidence.opened", subject_id__in=numbers)


def find(words: str) -> Evidence | None:
    """A proof by its number, its digest, or the address of the post."""
    if words.isascii() and words.isdecimal() and len(words) < 19:
        return Evidence.objects.filter(pk=int(words)).first()
    if row := Evidence.objects.filter(sha256=words.lower()[:64]).first():
        return row
    known = Delivery.objects.filter(remote_url=words).values("post")
    said = Post.objects.filter(reported_url=words).values("pk")
    if not words.startswith("https://"):
        return None
    found = Evidence.objects.filter(post_number__in=known) | Evidence.objects.filter(
        post_number__in=said
    )
    return found.order_by("-pk").first()


def _check_reason(reason: str) -> None:
    if len(reason) < 10:
        raise EvidenceRefused("reason", _("Say why, in a sentence. It stands in the record."))


@transaction.atomic
def open_one(*, words: str, reason: str, by: Person, now: dt.datetime) -> Evidence:
    """Open the proof of one post with the names in it; its author will see who did and why.

    Effects: audit entry. Raises :class:`EvidenceRefused`.
    """
    _check_reason(reason)
    row = find(words)
    if row is None:
        raise EvidenceRefused("words", _("No post with this address, number or digest."))
    audit.record("evidence.opened", row, by=by, now=now, reason=reason)
    return row


def names(row: Evidence) -> dict[str, str]:
    """The people of a proof by their key: author and approvers, without those made nameless."""
    keys = [str(row.author_key), *(key for _kind, key, _at in row.approvals)]
    people = Person.objects.filter(evidence_key__in=keys)
    return {str(key): name for key, name in people.values_list("evidence_key", "name")}


def approvers(row: Evidence) -> list[tuple[str, str, str]]:
    """Kind, name and instant of each approval; a dash where the person was made nameless."""
    known = names(row)
    return [(kind, known.get(key, "–"), at) for kind, key, at in row.approvals]


def quarter(text: str) -> tuple[dt.datetime, dt.datetime]:
    """Begin and end of a quarter written as ``2026-4``. Raises ValueError."""
    year, number = (int(part) for part in text.split("-"))
    if not (2000 <= year <= 2100 and 1 <= number <= 4):
        raise ValueError(text)
    begin = dt.datetime(year, 3 * number - 2, 1, tzinfo=dt.UTC)
    end = dt.datetime(year + number // 4, 3 * number % 12 + 1, 1, tzinfo=dt.UTC)
    return begin, end


@transaction.atomic
def export(*, text: str, reason: str, by: Person, now: dt.datetime) -> list[dict[str, Any]]:
    """All proofs of a quarter, with no name, key or address of anybody.

    Refused where fewer than five people stand behind it. Effects: audit entry. Raises
    :class:`EvidenceRefused`.
    """
    _check_reason(reason)
    try:
        begin, end = quarter(text)
    except ValueError as error:
        raise EvidenceRefused("quarter", _("Choose a quarter of the list.")) from error
    found = Evidence.objects.filter(left_at__gte=begin, left_at__lt=end)
    people = found.aggregate(n=Count("author_key", distinct=True))["n"]
    if anonymity.shown(people) is None:
        raise EvidenceRefused(
            "quarter",
            _("Fewer than five people posted in this quarter. Ask for a single post instead."),
        )
    rows = [line(row) for row in found.order_by("left_at", "pk")[:MOST_ROWS]]
    audit.record(
        "evidence.exported", by, by=by, now=now, reason=reason, quarter=text, rows=len(rows)
    )
    return rows


def line(row: Evidence) -> dict[str, Any]:
    """A proof as an export tells it: nobody's name, key or address."""
    approvals = [{"kind": kind, "at": at} for kind, _key, at in row.approvals]
    values = (
        row.pk, row.event, _instant(row.left_at), row.network, row.language, row.country,
        row.content_class, row.label, row.rule_version, row.suggestion_number,
        row.suggestion_revision, approvals, row.part, row.content_warning, row.text,
        row.picture_sha256, row.sha256,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def seal(rows: Iterable[dict[str, Any]]) -> str:
    """One digest over an export's digests in their order: noted elsewhere, it proves the whole."""
    return hashlib.sha256("\n".join(row["sha256"] for row in rows).encode()).hexdigest()


def as_json(rows: list[dict[str, Any]]) -> str:
    """An export as JSON, with the digest over all of it."""
    whole = {"digest": seal(rows), "rows": rows}
    return json.dumps(whole, ensure_ascii=False, indent=1)
