"""The life of an issue: draft, publish now or at a set time, change, withdraw, read, mail."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from integrations import webhooks

from .models import Briefing, BriefingItem, BriefingRead, Programme, Topic
from .refusals import FieldRefused

MOST_TOPICS = 12
FARTHEST = dt.timedelta(days=92)  # how far ahead an issue can be drafted


class StaleIssue(Exception):
    """Somebody else saved this issue since the page was opened."""


class IssueRefused(FieldRefused):
    """The step did not happen; ``field`` says where the sentence belongs."""


@dataclass(slots=True)
class Draft:
    """What a curator wrote: everything of an issue that is not its life."""

    day: dt.date
    note: str = ""
    dial_in: str = ""
    starts_at: dt.datetime | None = None
    contact: Person | None = None
    publish_at: dt.datetime | None = None
    change_note: str = ""
    items: list[BriefingItem] = field(default_factory=list)


def today(now: dt.datetime) -> dt.date:
    """The day by the programme's clock: the one an issue belongs to."""
    return Programme.the().today(now)


@transaction.atomic
def save(*, draft: Draft, seen_revision: int, by: Person, now: dt.datetime) -> Briefing:
    """Store a day's issue if nobody saved since ``seen_revision`` (0: there was none yet).

    A change of what is out already is said: ``changed_at`` and the curator's line about it. Raises
    :class:`StaleIssue`, and :class:`IssueRefused` beside a field.
    """
    day = today(now)
    if draft.day < day:
        raise IssueRefused("day", _("This day is over; its issue stays as it was."))
    if draft.publish_at:
        _check_moment(draft, now)
    fields = {
        "note": draft.note,
        "dial_in": draft.dial_in,
        "starts_at": draft.starts_at,
        "contact": draft.contact,
        "publish_at": draft.publish_at,
    }
    if seen_revision == 0:
        briefing, made = Briefing.objects.get_or_create(day=draft.day, defaults=fields)
        if not made:
            raise StaleIssue
    else:
        rows = Briefing.objects.filter(day=draft.day, revision=seen_revision)
        if not rows.update(**fields, revision=seen_revision + 1):
            raise StaleIssue
        briefing = Briefing.objects.get(day=draft.day)
    if briefing.published_at:
        # what is out needs no time to go out, and says that it was changed
        briefing.publish_at, briefing.changed_at = None, now
        briefing.change_note = draft.change_note
        briefing.save(update_fields=["publish_at", "changed_at", "change_note"])
    _keep_items(briefing, draft.items)
    audit.record("briefing.saved", briefing, by=by, now=now, revision=briefing.revision)
    return briefing


def _check_moment(draft: Draft, now: dt.datetime) -> None:
    """Refuse a moment to publish that is past or not on the issue's own day or before."""
    if draft.publish_at is None:
        return
    if draft.publish_at <= now:
        raise IssueRefused("publish_at", _("This moment is in the past. Publish now instead."))
    # before a clock is asked about it: the last hours of the year 9999 have none in the east
    if draft.publish_at > now + 2 * FARTHEST or today(draft.publish_at) > draft.day:
        raise IssueRefused("publish_at", _("This is after the day of the issue."))
    if not (draft.items or draft.note):
        raise IssueRefused("publish_at", _("An empty issue cannot go out."))


def _keep_items(briefing: Briefing, items: list[BriefingItem]) -> None:
    """Make the stored topics equal to the given ones; what is out keeps its line as it was."""
    known = {item.topic_id: item for item in briefing.briefingitem_set.all()}
    briefing.briefingitem_set.all().delete()
    topics = Topic.objects.in_bulk([item.topic_id for item in items])
    rows = []
    for position, item in enumerate(items):
        row = BriefingItem(
            briefing=briefing, topic_id=item.topic_id, position=position, note=item.note
        )
        if was := known.get(item.topic_id):
            row.line, row.rule = was.line, was.rule
        if briefing.published_at and not row.line:
            row.line, row.rule = _as_now(topics[item.topic_id])
        rows.append(row)
    BriefingItem.objects.bulk_create(rows)


def _as_now(topic: Topic) -> tuple[str, str]:
    """The line and the sentence that readers see at this moment."""
    return topic.line, topic.held_reason if topic.is_held else topic.rule


@transaction.atomic
def publish(*, briefing: Briefing, seen_revision: int, by: Person, now: dt.datetime) -> bool:
    """Let an issue out; False when it is out already (twice, or by two curators: once).

    Raises :class:`StaleIssue` when it changed since, :class:`IssueRefused` when empty or over.
    """
    if briefing.published_at:
        return False
    if briefing.is_over(today(now)):
        raise IssueRefused("day", _("This day is over; its issue stays as it was."))
    if not (briefing.note or briefing.briefingitem_set.exists()):
        raise IssueRefused("items", _("An empty issue cannot go out."))
    if _out(briefing, by=by, now=now, revision=seen_revision):
        return True
    if Briefing.objects.out().filter(pk=briefing.pk).exists():
        return False
    raise StaleIssue


def publish_due(*, now: dt.datetime) -> int:
    """Let out what was set for a moment that has come; at most once, whoever else runs it."""
    due = Briefing.objects.filter(
        published_at__isnull=True, publish_at__lte=now, day__gte=today(now)
    )
    count = 0
    for briefing in due:
        with transaction.atomic():
            count += _out(briefing, by=None, now=now, publish_at__lte=now)
    return count


def _out(briefing: Briefing, *, by: Person | None, now: dt.datetime, **as_seen: Any) -> bool:
    """Publish if it is not out and still as seen; keep the lights as readers see them now."""
    rows = Briefing.objects.filter(pk=briefing.pk, published_at__isnull=True, **as_seen)
    if not rows.update(
        published_at=now, publish_at=None, withdrawn_at=None, changed_at=None, change_note=""
    ):
        return False
    items = list(briefing.briefingitem_set.select_related("topic"))
    for item in items:
        item.line, item.rule = _as_now(item.topic)
    BriefingItem.objects.bulk_update(items, ["line", "rule"])
    audit.record("briefing.published", briefing, by=by, now=now, revision=briefing.revision)
    webhooks.tell("briefing.published", {"day": briefing.day.isoformat()}, now=now)
    return True


@transaction.atomic
def withdraw(*, briefing: Briefing, by: Person, now: dt.datetime) -> bool:
    """Take an issue back into drafts; False when it was not out.

    Waits for a mail that is being sent; when it has answered, no mail about it begins.
    """
    out = Briefing.objects.out().filter(pk=briefing.pk)
    if not out.update(
        published_at=None,
        changed_at=None,
        change_note="",
        withdrawn_at=now,
        revision=F("revision") + 1,
    ):
        return False
    audit.record("briefing.withdrawn", briefing, by=by, now=now)
    return True


def confirm(*, briefing: Briefing, by: Person, now: dt.datetime) -> None:
    """Tick an issue as read, for oneself. No audit entry: it is nobody else's business."""
    BriefingRead.objects.bulk_create(
        [BriefingRead(briefing=briefing, person=by, read_at=now)], ignore_conflicts=True
    )


def unconfirm(*, briefing: Briefing, by: Person) -> None:
    """Take the tick away."""
    BriefingRead.objects.filter(briefing=briefing, person=by).delete()


def reads_of(person: Person | int, briefing: Briefing | int | None) -> "QuerySet[BriefingRead]":
    """The person's tick on an issue, or none. Only they may ask."""
    return BriefingRead.objects.filter(briefing=briefing, person=person)


def read_by(person: Person, briefing: Briefing | None) -> bool:
    """Tell a person whether they have ticked an issue. Only they may ask."""
    return reads_of(person, briefing).exists()


def of_day(day: dt.date) -> tuple[Briefing | None, list[BriefingItem]]:
    """The latest issue up to a day, and its lines: what is on hold first, then as the desk set it.

    A topic on hold that the issue does not name is there, too. Three queries.
    """
    briefing = Briefing.objects.out().select_related("contact").filter(day__lte=day).first()
    placed = briefing.briefingitem_set.select_related("topic") if briefing else []
    items = [item for item in placed if item.topic.archived_at is None]
    named = {item.topic_id for item in items}
    held = Topic.objects.current().filter(held_at__isnull=False).exclude(pk__in=named)
    lines = [BriefingItem(topic=topic, position=0) for topic in held] + items
    return briefing, sorted(lines, key=lambda item: not item.topic.is_held)
