"""Stop and resume. After :func:`hold` has answered, nothing of the scope starts (contract 2.6)."""

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Min, Q, QuerySet
from django.utils.translation import gettext as _

from ambassadors import anonymity, audit
from ambassadors.models import Person
from integrations import barrier, webhooks
from integrations.models import ConnectedAccount

from . import lights
from .models import Delivery, HoldAnswer, HoldRecord, Post, Programme, Suggestion, Topic
from .pace import GATE_SECONDS, clock

Scope = Programme | Topic | Suggestion
_MARGIN = 0.5  # seconds beyond the gate
# Whoever posted on it this long before is asked; older posts nobody reads any more.
LOOK_BACK = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a hold would stop now. What is planned is told of five people or not at all."""

    queued: int | None
    next_due: dt.datetime | None
    suggestions: int
    already_posted: int


@dataclass(frozen=True, slots=True)
class Held:
    """The answer of a hold: its epoch and record, and what was in flight when it began."""

    epoch: int
    in_flight: list[int]
    record: int


@dataclass(frozen=True, slots=True)
class Question:
    """A hold asks a person about one post of theirs that is out."""

    hold: HoldRecord
    post: Post


def kind(scope: Scope) -> str:
    """What is held: ``programme``, ``topic`` or ``suggestion``."""
    return type(scope).__name__.lower()


def _in_scope(scope: Scope | Person | ConnectedAccount, prefix: str) -> Q:
    match scope:
        case Person():
            return Q(**{f"{prefix}person": scope})
        case ConnectedAccount():
            return Q(account=scope) if prefix else Q(delivery__account=scope)
        case Topic():
            return Q(**{f"{prefix}suggestion__topic": scope})
        case Suggestion():
            return Q(**{f"{prefix}suggestion": scope})
        case _:
            return Q()


def consequences(scope: Scope, *, now: dt.datetime) -> Consequences:
    """Count what a hold would stop, for the person who is about to press the button."""
    waiting = _waiting(Delivery.objects.filter(_in_scope(scope, "post__")))
    match scope:
        case Topic():
            suggestions = Suggestion.objects.live(now).filter(topic=scope).count()
        case Suggestion():
            suggestions = 1
        case _:
            suggestions = Suggestion.objects.live(now).count()
    many = anonymity.shown(waiting["people"]) is not None
    return Consequences(
        queued=waiting["posts"] if many else None,
        next_due=waiting["first"] if many else None,
        suggestions=suggestions,
        already_posted=_posted(_in_scope(scope, ""), now),
    )


def _waiting(rows: "QuerySet[Delivery]") -> dict[str, Any]:
    """Of the queued: how many, whose, and the first moment, in one look."""
    return rows.filter(state="queued").aggregate(
        posts=Count("pk"), people=Count("post__person", distinct=True), first=Min("due_at")
    )


def already_posted(record: HoldRecord) -> int:
    """How many people had posted on what a record's hold stopped."""
    return _posted(_covered(record), record.held_at)


def _posted(about: Q, at: dt.datetime) -> int:
    """How many people's posts left, or were handed to them, in the time before a moment."""
    posts = Post.objects.filter(about, created_at__gte=at - LOOK_BACK, created_at__lte=at)
    out = posts.exclude(delivery__state__in=["queued", "cancelled", "failed"])
    return out.values("person").distinct().count()


def hold(*, scope: Scope, by: Person, reason: str, now: dt.datetime, proposal: str = "") -> Held:
    """Stop the scope; returns when no first byte can follow any more.

    Effects in order: the barrier waits for the starts that came before and shuts out those after;
    the topic's history learns it; what is queued and what is on its way is written to the record of
    the hold; commit; wait until every attempt that had started is over or the gate has shut it
    out; the record learns when the hold was in force. ``proposal`` is a text for people who posted
    already.
    """
    began = time.monotonic()
    with transaction.atomic():
        barrier.close()
        before = _line(scope)
        model = type(scope)
        model.objects.filter(pk=scope.pk).update(  # type: ignore[attr-defined]
            held_at=now, held_by=by, held_reason=reason, hold_epoch=F("hold_epoch") + 1
        )
        scope.refresh_from_db()
        if isinstance(scope, Topic):
            lights.record(scope, before=before, why=reason, by=by, now=now)
        deliveries = Delivery.objects.filter(_in_scope(scope, "post__"))
        waiting = _waiting(deliveries)
        record = HoldRecord.objects.create(
            scope=kind(scope),
            scope_id=scope.pk,
            name=str(scope),
            epoch=scope.hold_epoch,
            reason=reason,
            proposal=proposal,
            held_by=by,
            held_at=now,
            stopped=waiting["posts"],
            stopped_people=waiting["people"],
        )
        record.flying.set(deliveries.filter(state="sending"))
        audit.record("hold", scope, by=by, now=now, reason=reason, epoch=scope.hold_epoch)
        webhooks.tell("hold.begun", {**_facts(scope), "reason": reason}, now=now)
    in_flight = wait_for_flights(scope)
    record.in_force_at = now + dt.timedelta(seconds=time.monotonic() - began)
    record.save(update_fields=["in_force_at"])
    return Held(epoch=scope.hold_epoch, in_flight=in_flight, record=record.pk)


def _line(scope: Scope) -> str:
    """A topic's line, its row locked until the hold has written; empty for other scopes."""
    if not isinstance(scope, Topic):
        return ""
    return Topic.objects.select_for_update().get(pk=scope.pk).line


def wait_for_flights(scope: Scope | Person | ConnectedAccount) -> list[int]:
    """Wait until nothing of the scope can put its first byte; returns what was in flight.

    An attempt that began longer ago than the gate allows has put it or never will, so a dead
    worker's keeps nobody waiting.
    """
    flying = Delivery.objects.filter(_in_scope(scope, "post__"), state="sending")
    in_flight = list(flying.values_list("pk", flat=True))
    gate = dt.timedelta(seconds=GATE_SECONDS + _MARGIN)
    while flying.filter(pk__in=in_flight, started_at__gt=clock() - gate).exists():
        time.sleep(0.02)
    return in_flight


@transaction.atomic
def release(*, scope: Scope, by: Person, now: dt.datetime) -> bool:
    """Let the scope go on. Posts whose moment passed ask their people to look again."""
    model, since = type(scope), {"light_since": now} if isinstance(scope, Topic) else {}
    released = model.objects.filter(pk=scope.pk, held_at__isnull=False).update(  # type: ignore[attr-defined]
        held_at=None, held_by=None, held_reason="", **since
    )
    if not released:
        return False
    if isinstance(scope, Topic):
        scope.refresh_from_db()
        lights.record(scope, before="hold", why="", by=by, now=now)
    Delivery.objects.filter(_in_scope(scope, "post__"), state="queued", due_at__lte=now).exclude(
        blocked=Delivery.Blocked.APPROVAL
    ).update(blocked=Delivery.Blocked.LOOK_AGAIN)
    HoldRecord.objects.filter(
        scope=kind(scope), scope_id=scope.pk, released_at__isnull=True
    ).update(released_at=now, released_by=by)
    audit.record("release", scope, by=by, now=now)
    webhooks.tell("hold.ended", _facts(scope), now=now)
    return True


def _facts(scope: Scope) -> dict[str, object]:
    """What programs are told of a scope."""
    return {"scope": kind(scope), "id": None if isinstance(scope, Programme) else scope.pk}


def bars(*topics: int) -> bool:
    """Tell whether a hold is on everything or on one of the topics.

    Call it in a transaction: no hold on them can begin before that ends, and one that is being
    written is waited for.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT held_at FROM campaigns_programme FOR SHARE")
        rows = cursor.fetchall()
        cursor.execute(
            "SELECT held_at FROM campaigns_topic WHERE id = ANY(%s) ORDER BY id FOR SHARE",
            [list(topics)],
        )
        rows += cursor.fetchall()
    return any(row[0] for row in rows)


def scope_of(record: HoldRecord) -> Scope | None:
    """What a record's hold stopped; None when that was deleted since."""
    match record.scope:
        case "programme":
            return Programme.objects.filter(pk=record.scope_id).first()
        case "topic":
            return Topic.objects.filter(pk=record.scope_id).first()
        case _:
            return Suggestion.objects.filter(pk=record.scope_id).first()


def _covered(record: HoldRecord) -> Q:
    """Posts that a record's hold is about."""
    match record.scope:
        case "topic":
            return Q(suggestion__topic=record.scope_id)
        case "suggestion":
            return Q(suggestion=record.scope_id)
        case _:
            return Q()


def concerned(record: HoldRecord, person: Any) -> "QuerySet[Post]":
    """Posts of a person that a hold in force is about: waiting ones, and those it asks about.

    ``person`` may be an ``OuterRef``. The same rule as :func:`questions`, and what is queued.
    """
    waiting = Q(delivery__state__in=["queued", "sending"])
    asked = _out() & Q(created_at__gte=record.held_at - LOOK_BACK)
    rows = Post.objects.filter(waiting | asked, _covered(record), person=person)
    return rows.filter(created_at__lte=record.held_at)


def meaning(record: HoldRecord, person: Person) -> list[str]:
    """What a hold means for a person's own posts, in sentences for them."""
    mine = concerned(record, person)
    waiting = mine.filter(delivery__state__in=["queued", "sending"])
    said = []
    if waiting.exists():
        said.append(
            _(
                "A post of yours on it waits. It does not leave while the hold is on, and it is not"
                " lost."
            )
        )
    if mine.exclude(pk__in=waiting).exists():
        said.append(
            _("A post of yours on it is out. We delete nothing; you say what happens to it.")
        )
    return said


def _out() -> Q:
    """Posts that are out, as far as we know."""
    return Q(delivery__isnull=True) | Q(
        delivery__state="sent", delivery__gone_at__isnull=True, delivery__removed_at__isnull=True
    )


def questions(person: Person, post: Post | None = None) -> list[Question]:
    """What holds in force still ask a person: each about each post of theirs that is out, once.

    Two queries while something is held, one while nothing is. A post that several holds cover is
    asked about once, by the latest; the answer is for all of them.
    """
    records = list(HoldRecord.objects.filter(released_at__isnull=True))
    if not records:
        return []
    mine = Post.objects.of(person).filter(
        _out(),
        created_at__gte=min(record.held_at for record in records) - LOOK_BACK,
        created_at__lte=max(record.held_at for record in records),
    )
    if post:
        mine = mine.filter(pk=post.pk)
    found: list[Question] = []
    rows = mine.select_related("suggestion", "delivery__account").prefetch_related("holdanswer_set")
    for row in rows:
        answered = {answer.hold_id for answer in row.holdanswer_set.all()}
        asking = [r for r in records if _covers(r, row) and r.pk not in answered]
        found.extend([Question(hold=asking[0], post=row)] if asking else [])
    return found


def _covers(record: HoldRecord, post: Post) -> bool:
    """Tell whether a hold is about a post that was made before it."""
    if not record.held_at - LOOK_BACK <= post.created_at <= record.held_at:
        return False
    suggestion = post.suggestion
    match record.scope:
        case "topic":
            return suggestion is not None and suggestion.topic_id == record.scope_id
        case "suggestion":
            return post.suggestion_id == record.scope_id
        case _:
            return True


def answer(*, by: Person, post: Post, how: str, now: dt.datetime) -> None:
    """Keep what a person did about a post of theirs, for every hold that asks about it.

    No audit entry: what somebody did about their own post is nobody else's business.
    """
    records = HoldRecord.objects.filter(released_at__isnull=True)
    HoldAnswer.objects.bulk_create(
        (
            HoldAnswer(hold=record, post=post, answer=how, answered_at=now)
            for record in records
            if post.person_id == by.pk and _covers(record, post)
        ),
        ignore_conflicts=True,
    )
