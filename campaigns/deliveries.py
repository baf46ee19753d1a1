"""How a post leaves: claim, start, publish, settle; recover what a dead worker left.

The promises are PUBLISHING.md's: ``sending`` is committed before the first byte, an ambiguous
answer is *unknown* and followed by a look, a hold ends every start that has not begun.
Read from top to bottom: each function is one step in the order of the way.
"""

import datetime as dt
import logging
import random
import time
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction

from integrations import reconnects, tokens
from integrations.models import ConnectedAccount
from integrations.networks import get
from integrations.networks.base import (
    Access,
    Later,
    Link,
    Outgoing,
    Picture,
    Refused,
    Result,
    Sent,
    Unknown,
    Window,
)
from integrations.wire import GateClosed, NotSent, WireError

from . import pace
from .failpoints import failpoint
from .models import Attempt, Delivery, Post
from .pace import GATE_SECONDS, LEASE, SEND_SECONDS
from .states import move_delivery

log = logging.getLogger(__name__)

MAX_CLAIMS = 3  # worker deaths before quarantine (I11)
MAX_TRIES = 8
FIRST_MEASURE = dt.timedelta(minutes=10)

_CLAIM = """
UPDATE campaigns_delivery SET fence = fence + 1, claims = claims + 1,
       lease_until = now() + %(lease)s::interval
 WHERE id IN (
   SELECT d.id FROM campaigns_delivery d
     JOIN integrations_connectedaccount a ON a.id = d.account_id
    WHERE d.state = 'queued' AND d.blocked = '' AND d.due_at <= now()
      AND (d.next_at IS NULL OR d.next_at <= now())
      AND (d.lease_until IS NULL OR d.lease_until < now())
      AND (a.paused_until IS NULL OR a.paused_until <= now())
      AND NOT EXISTS (
        SELECT 1 FROM campaigns_delivery o
         WHERE o.account_id = d.account_id AND o.id <> d.id
           AND (o.state = 'sending'
                OR (o.state = 'queued' AND o.lease_until > now())
                OR (o.state = 'queued' AND o.blocked = '' AND o.next_at IS NULL
                    AND (o.due_at, o.id) < (d.due_at, d.id))))
    ORDER BY a.last_served_at NULLS FIRST, d.due_at
    LIMIT %(limit)s
    FOR UPDATE OF d SKIP LOCKED)
RETURNING id
"""


def clock() -> dt.datetime:
    """The database's time: the only clock that decides when something is due (I7)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    return now


def claim(*, limit: int) -> list[Delivery]:
    """Take up to ``limit`` due deliveries, the longest unserved accounts first.

    Counted before the work, so a worker that dies with a poisonous one has been counted.
    """
    failpoint("before_claim")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"lease": f"{LEASE.total_seconds()} seconds", "limit": limit})
        ids = [row[0] for row in cursor.fetchall()]
    rows = Delivery.objects.select_related("post__suggestion__topic", "post__picture", "account")
    return list(rows.filter(pk__in=ids).order_by("due_at", "pk"))


def deliver(delivery: Delivery) -> None:
    """Bring one claimed delivery to a settled state, or give up because somebody else did."""
    failpoint("after_claim")
    now = clock()
    if delivery.claims > MAX_CLAIMS:
        block(delivery, Delivery.Blocked.QUARANTINED)
        return
    if why := delivery.account.reconnect_reason:  # the network said no; it is not asked again
        block(delivery, Delivery.Blocked.RECONNECT, detail=why)
        return
    try:
        account_access = tokens.open_access(delivery.account, now=now)
    except tokens.NoToken as error:
        block(delivery, Delivery.Blocked.RECONNECT, detail=str(error))
        return
    except WireError as error:
        put_back(delivery, Later(f"token: {error}"), now=now)
        return
    if not prepare(delivery, account_access, now):
        return
    post = outgoing(delivery)
    began = time.monotonic()
    if not start(delivery):
        return
    failpoint("after_start")
    result = _publish(delivery, post, account_access, gate(began), now)
    failpoint("after_response")
    settle(delivery, result)
    failpoint("after_result")


def prepare(delivery: Delivery, account_access: Access, now: dt.datetime) -> bool:
    """Upload media and resolve names; nothing visible happens. Tells whether we may go on."""
    window = Window(seconds=SEND_SECONDS, may_start=lambda: None, now=now)
    try:
        kept = get(delivery.account.network).prepare(outgoing(delivery), account_access, window)
    except WireError as error:
        kept = Later(f"media: {error}")
    match kept:
        case Later():
            put_back(delivery, kept, now=now)
        case Refused(permanent=True):
            refuse(delivery, kept.why, now=now)
        case Refused():
            block(delivery, Delivery.Blocked.RECONNECT, detail=kept.why)
        case _ if kept != delivery.kept:
            delivery.kept = dict(kept)
            rows = Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued")
            return bool(rows.update(kept=delivery.kept))
        case _:
            return True
    return False


def refuse(delivery: Delivery, why: str, *, now: dt.datetime) -> None:
    """End a queued delivery that the network will never take."""
    move_delivery(
        delivery,
        to="failed",
        source="queued",
        now=now,
        reason="refused",
        detail=why[:400],
        lease_until=None,
    )


def gate(began: float) -> Callable[[], None]:
    """Refuse the first byte once the permission is older than the gate allows."""

    def may_start() -> None:
        if time.monotonic() - began >= GATE_SECONDS:
            message = "the start transaction is too old"
            raise GateClosed(message)

    return may_start


def outgoing(delivery: Delivery) -> Outgoing:
    """Everything that was approved, equal on every try (I6)."""
    post = delivery.post
    suggestion = post.suggestion
    link = None
    if post.link and suggestion:
        link = Link(
            url=short_url(post.link.code),
            title=suggestion.link_title,
            description=suggestion.link_description,
        )
    return Outgoing(
        key=str(delivery.key),
        rkey=delivery.rkey,
        written_at=delivery.written_at,
        text=post.full_text,
        language=post.language,
        link=link,
        pictures=_pictures(post),
        visibility=post.visibility,
        content_warning=post.content_warning,
        kept=delivery.kept,
        first_tried_at=delivery.first_tried_at,
        taken=_taken(delivery) if delivery.first_tried_at else frozenset(),
    )


def _pictures(post: Post) -> tuple[Picture, ...]:
    """The frozen bytes of the post's pictures, in their order."""
    found = []
    for row in filter(None, [post.picture, *post.more_pictures.order_by("pk")]):
        with row.file.open("rb") as file:
            content = file.read()
        alt = row.alt(post.language)
        found.append(Picture(content, row.media_type, alt, row.width, row.height))
    return tuple(found)


def _taken(delivery: Delivery) -> frozenset[str]:
    """Remote ids of the account's other posts around this one: no proof for it."""
    since = (delivery.first_tried_at or delivery.written_at) - dt.timedelta(days=1)
    others = Delivery.objects.filter(account=delivery.account_id, sent_at__gte=since)
    return frozenset(others.values_list("remote_id", flat=True))


def short_url(code: str) -> str:
    """The address of a tracked link, from SITE_URL and never from a request."""
    return f"{settings.SITE_URL}/r/{code}"


def start(delivery: Delivery) -> bool:
    """Commit ``sending`` if nothing speaks against it now; tells whether we may send.

    Locks what can stop a post FOR SHARE, always in the same order, so that a hold, a withdrawn
    consent, a disconnect or a leaving that has answered 200 is seen, and one that has not waits
    for us. In doubt about the commit: do not send.
    """
    try:
        with transaction.atomic():
            now = clock()
            obstacle = _obstacle(delivery, now)
            if obstacle:
                _stop(delivery, obstacle, now)
                return False
            failpoint("in_start")
            moved = move_delivery(
                delivery,
                to="sending",
                source="queued",
                now=now,
                lease_until=now + LEASE,
                started_at=now,
                tries=delivery.tries + 1,
                next_at=None,
            )
            if moved:
                Attempt.objects.create(delivery=delivery, fence=delivery.fence, began_at=now)
                ConnectedAccount.objects.filter(pk=delivery.account_id).update(last_served_at=now)
    except IntegrityError:
        # Another delivery of the account is in flight (I8); the lease is given back.
        Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued").update(
            lease_until=None, claims=delivery.claims - 1
        )
        return False
    except DatabaseError:
        log.exception("start of %s in doubt, not sending", delivery.key)
        return False
    return moved


def _held(table: str, pk: int | None) -> bool:
    """Lock a row that can be held and read whether it is."""
    if pk is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT held_at FROM {table} WHERE id = %s FOR SHARE", [pk])  # noqa: S608 - names of ours
        row = cursor.fetchone()
    return row is None or row[0] is not None


def _row(sql: str, pk: int) -> tuple[object, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [pk])
        row: tuple[object, ...] | None = cursor.fetchone()
    return row


def _obstacle(delivery: Delivery, now: dt.datetime) -> str:
    """Name what forbids the start, with every row that could forbid it locked FOR SHARE."""
    post = delivery.post
    suggestion = post.suggestion
    if _held("campaigns_programme", 1):
        return "held"
    if suggestion and (
        _held("campaigns_topic", suggestion.topic_id)
        or _held("campaigns_suggestion", suggestion.pk)
    ):
        return "held"
    person = _row(
        "SELECT left_at, is_active FROM ambassadors_person WHERE id = %s FOR SHARE", post.person_id
    )
    if person is None or person[0] is not None or not person[1]:
        return "left"
    account = _row(
        "SELECT disconnected_at, person_id FROM integrations_connectedaccount"
        " WHERE id = %s FOR SHARE",
        delivery.account_id,
    )
    if account is None or account[0] is not None or account[1] != post.person_id:
        return "disconnected"
    consent = _row(
        "SELECT id FROM ambassadors_consent WHERE person_id = %s AND purpose = 'publish'"
        " AND withdrawn_at IS NULL FOR SHARE",
        post.person_id,
    )
    if consent is None:
        return "consent"
    if now >= delivery.not_after:
        return "expired"
    if now < delivery.due_at:
        return "early"
    return ""


def _stop(delivery: Delivery, obstacle: str, now: dt.datetime) -> None:
    """Write down why a start did not happen. A hold leaves the delivery queued."""
    if obstacle in {"left", "disconnected", "expired"}:
        source = "queued"
        if delivery.first_tried_at is None:
            move_delivery(
                delivery,
                to="cancelled" if obstacle != "expired" else "failed",
                source=source,
                now=now,
                reason=obstacle,
                lease_until=None,
            )
            return
        move_delivery(
            delivery, to="unknown", source=source, now=now, reason=obstacle, lease_until=None
        )
        return
    changes: dict[str, object] = {"lease_until": None, "claims": 0, "reason": obstacle}
    if obstacle == "consent":
        changes["blocked"] = Delivery.Blocked.CONSENT
    else:
        changes["next_at"] = now + pace.span(20)
    Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued").update(**changes)


def _publish(
    delivery: Delivery,
    post: Outgoing,
    account_access: Access,
    may_start: Callable[[], None],
    now: dt.datetime,
) -> Result:
    """Call the network once. Whatever it raises becomes one of the four results."""
    window = Window(seconds=SEND_SECONDS, may_start=may_start, now=now)
    try:
        return get(delivery.account.network).publish(post, account_access, window)
    except GateClosed as error:
        return Later(str(error), wait=2.0)  # our own delay, not the network's: soon again
    except NotSent as error:
        return Later(str(error) or type(error).__name__)
    except Exception as error:  # a bug after the first byte must not look like "not sent"
        log.exception("publishing %s", delivery.key)
        return Unknown(type(error).__name__)


def settle(delivery: Delivery, result: Result) -> None:
    """Write the result down. Nothing may run between the network's answer and this commit.

    While the database is away the answer is kept and tried again until three leases are over.
    """
    deadline = time.monotonic() + 3 * LEASE.total_seconds()
    while True:
        try:
            with transaction.atomic():
                _settle(delivery, result, clock())
        except (DatabaseError, OSError):
            if time.monotonic() > deadline:
                raise
            log.exception("cannot write the result of %s yet", delivery.key)
            connection.close()
            time.sleep(0.5)
        else:
            return


def _settle(delivery: Delivery, result: Result, now: dt.datetime) -> None:
    network = get(delivery.account.network)
    outcome = type(result).__name__.lower()
    detail = "" if isinstance(result, Sent) else result.why[:400]
    Attempt.objects.filter(delivery=delivery, fence=delivery.fence).update(
        ended_at=now, outcome=outcome, detail=detail
    )
    match result:
        case Sent(remote_id=remote_id, url=url):
            mark_sent(delivery, remote_id, url, now=now)
        case Later(renew=True) if delivery.tries:
            _block_sending(delivery, detail, now=now)  # it was refreshed once already
        case Later():
            if result.renew:
                tokens.expire(delivery.account, now=now)
            put_back(delivery, result, now=now)
        case Refused(permanent=True):
            move_delivery(
                delivery,
                to="failed",
                source="sending",
                now=now,
                reason="refused",
                detail=detail,
                lease_until=None,
            )
        case Refused():
            _block_sending(delivery, detail, now=now)
        case Unknown(look_after=look_after):
            wait = max(look_after, network.abilities.quiet)
            move_delivery(
                delivery,
                to="unknown",
                source="sending",
                now=now,
                reason="ambiguous",
                detail=detail,
                lease_until=None,
                look_at=now + pace.span(wait),
                first_tried_at=delivery.first_tried_at or delivery.started_at or now,
            )


def _block_sending(delivery: Delivery, detail: str, *, now: dt.datetime) -> None:
    """Nothing was posted, and only the account's person can help."""
    reconnects.ask(delivery.account, why=detail, now=now)
    move_delivery(
        delivery,
        to="queued",
        source="sending",
        now=now,
        reason="blocked",
        detail=detail,
        blocked=Delivery.Blocked.RECONNECT,
        lease_until=None,
    )


def mark_sent(delivery: Delivery, remote_id: str, url: str, *, now: dt.datetime) -> bool:
    """Keep the proof that the post exists, from whichever state and try (I4)."""
    for source in ("sending", "unknown", "queued"):
        if move_delivery(
            delivery,
            to="sent",
            source=source,
            now=now,
            any_fence=True,
            remote_id=remote_id,
            remote_url=url,
            sent_at=now,
            blocked="",
            lease_until=None,
            look_at=None,
            measure_at=now + FIRST_MEASURE,
        ):
            return True
    return False


def put_back(delivery: Delivery, later: Later, *, now: dt.datetime) -> None:
    """Queue again what was proven not applied: 30 s doubling with full jitter, or as asked."""
    backoff = random.uniform(1, min(30 * 2 ** max(delivery.tries, 0), 1800))  # noqa: S311 - jitter
    wait = 0.0 if later.renew else later.wait if later.wait is not None else backoff
    next_at = now + pace.span(wait)
    if later.wait is not None:
        ConnectedAccount.objects.filter(pk=delivery.account_id).update(paused_until=next_at)
    over = delivery.tries >= MAX_TRIES or next_at >= delivery.not_after
    Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued").update(
        lease_until=None, claims=0, next_at=next_at, reason="later", detail=later.why[:400]
    )
    move_delivery(
        delivery,
        to="failed" if over and delivery.first_tried_at is None else "queued",
        source="sending",
        now=now,
        reason="expired" if over else "later",
        detail=later.why[:400],
        lease_until=None,
        claims=0,
        next_at=next_at,
    )


def block(delivery: Delivery, why: str, *, detail: str = "") -> None:
    """Keep a queued delivery for a person to decide."""
    Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued").update(
        blocked=why, detail=detail[:400], reason="blocked", lease_until=None
    )
