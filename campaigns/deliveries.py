"""How a post leaves, once it is claimed: prepare, start, publish, settle.

The promises are PUBLISHING.md's: ``sending`` is committed before the first byte, an ambiguous
answer is *unknown* and followed by a look, a hold ends every start that has not begun.
Read from top to bottom: each function is one step in the order of the way. Who comes next is
:mod:`campaigns.claims`, the start transaction :mod:`campaigns.starts`, what leaves
:mod:`campaigns.outgoings`, what stayed unclear :mod:`campaigns.unknowns`.
"""

import datetime as dt
import logging
import random
import time
from collections.abc import Callable

from django.db import DatabaseError, connection, transaction

from integrations import limits, reconnects, spool, tokens
from integrations.networks import get
from integrations.networks.base import (
    Access,
    Later,
    Outgoing,
    Refused,
    Remaining,
    Result,
    Sent,
    Unknown,
    Window,
)
from integrations.wire import GateClosed, NotSent, WireError

from . import pace
from .failpoints import failpoint
from .models import Attempt, Delivery
from .outgoings import outgoing
from .pace import clock
from .starts import clear, pay, price, refund, start
from .states import move_delivery

log = logging.getLogger(__name__)

MAX_CLAIMS = 3  # worker deaths before quarantine (I11)
MAX_TRIES = 8
OPERATOR_SECONDS = 900.0  # until a network that refused the company is asked again
FIRST_MEASURE = dt.timedelta(minutes=10)


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
    if delivery.account.disconnected_at is not None:
        clear(delivery)  # never may; this writes down how the delivery ends
        return
    try:
        access = tokens.open_access(delivery.account, now=now)
    except tokens.NoToken as error:
        block(delivery, Delivery.Blocked.RECONNECT, detail=str(error))
        return
    except WireError as error:
        put_back(delivery, Later(f"token: {error}"), now=now)
        return
    if (delivery.post.has_media or price(delivery)) and not clear(delivery):
        return
    if not prepare(delivery, access, now) or not pay(delivery, now):
        return
    post = outgoing(delivery)
    began = time.monotonic()
    if not start(delivery):
        return
    failpoint("after_start")
    window = Window(seconds=pace.SEND_SECONDS, may_start=gate(began), now=now)
    result, answered = _publish(delivery, post, access, window)
    failpoint("after_response")
    settle(delivery, result, answered=answered, said=window.limits)
    failpoint("after_result")
    if isinstance(result, Sent) and not result.url:
        _find_address(delivery, result.remote_id, access)


def prepare(delivery: Delivery, access: Access, now: dt.datetime) -> bool:
    """Upload media and resolve names; nothing visible happens. Tells whether we may go on."""
    window = Window(seconds=pace.SEND_SECONDS, may_start=lambda: None, now=now)
    try:
        kept = get(delivery.account.network).prepare(outgoing(delivery), access, window)
    except WireError as error:
        if isinstance(error, NotSent):
            limits.failed(delivery.account, now=now)
        kept = Later(f"media: {error}")
    if window.limits:
        limits.remember(delivery.account, window.limits, now=now)
    match kept:
        case Later():
            if kept.renew:
                tokens.expire(delivery.account, now=now)
            put_back(delivery, kept, now=now)
        case Refused(permanent=True):
            move_delivery(
                delivery,
                to="failed",
                source="queued",
                now=now,
                reason="refused",
                detail=kept.why[:400],
                lease_until=None,
            )
        case Refused(whose="app"):
            _await_operator(delivery, kept, now=now)
        case Refused():
            reconnects.ask(delivery.account, why=kept.why, now=now)
            block(delivery, Delivery.Blocked.RECONNECT, detail=kept.why)
        case _ if kept != delivery.kept:
            delivery.kept = dict(kept)
            rows = Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued")
            return bool(rows.update(kept=delivery.kept))
        case _:
            return True
    return False


def gate(began: float) -> Callable[[], None]:
    """Refuse the first byte once the permission is older than the gate allows."""

    def may_start() -> None:
        if time.monotonic() - began >= pace.GATE_SECONDS:
            message = "the start transaction is too old"
            raise GateClosed(message)

    return may_start


def _publish(
    delivery: Delivery, post: Outgoing, access: Access, window: Window
) -> tuple[Result, bool | None]:
    """Call the network once. Whatever it raises becomes one of the four results.

    The second value tells whether the host answered; None when it was not asked.
    """
    try:
        result = get(delivery.account.network).publish(post, access, window)
    except GateClosed as error:
        return Later(str(error), wait=2.0, whose=""), None  # our own delay: soon again
    except NotSent as error:
        return Later(str(error) or type(error).__name__), False
    except Exception as error:  # a bug after the first byte must not look like "not sent"
        log.exception("publishing %s", delivery.key)
        return Unknown(type(error).__name__), None
    return result, not isinstance(result, Unknown)


def _find_address(delivery: Delivery, remote_id: str, access: Access) -> None:
    """Some networks name only the id of a new post; its address is a second, harmless question."""
    try:
        url = get(delivery.account.network).address(remote_id, access)
    except WireError:
        return
    Delivery.objects.filter(pk=delivery.pk, remote_id=remote_id).update(remote_url=url[:800])


def settle(
    delivery: Delivery,
    result: Result,
    *,
    answered: bool | None = None,
    said: list[Remaining] | None = None,
) -> None:
    """Write the result down. Nothing may run between the network's answer and this commit.

    While the database is away the answer is kept on disk, encrypted, and tried again until three
    leases are over; after that, and after a crash, the next worker finds it there.
    """
    deadline = time.monotonic() + 3 * pace.LEASE.total_seconds()
    kept_at = None
    while True:
        try:
            with transaction.atomic():
                now = clock()
                unspent = _settle(delivery, result, now)
                limits.remember(delivery.account, said or [], now=now)
                if answered is False or (answered is None and isinstance(result, Unknown)):
                    limits.failed(delivery.account, now=now)
                elif answered:
                    limits.answered(delivery.account)
                if unspent:  # last: the month's row is everybody's
                    refund(delivery, unspent)
            break
        except (DatabaseError, OSError):
            if kept_at is None and isinstance(result, Sent):
                answer = {"remote_id": result.remote_id, "url": result.url}
                kept_at = spool.keep("sent", str(delivery.key), answer)
            if time.monotonic() > deadline:
                raise
            log.exception("cannot write the result of %s yet", delivery.key)
            connection.close()
            time.sleep(0.5)
    if kept_at:
        spool.forget(kept_at)


def replay_spool() -> int:
    """Write down proofs that a worker left on disk when the database was away (I4)."""
    count = 0
    for path, key, answer in spool.found("sent"):
        delivery = Delivery.objects.filter(key=key).first()
        remote_id = str(answer["remote_id"])
        if delivery and delivery.state != "sent" and not proves_another(delivery, remote_id):
            mark_sent(delivery, remote_id, str(answer["url"]), now=clock())
            count += 1
        spool.forget(path)
    return count


def _settle(delivery: Delivery, result: Result, now: dt.datetime) -> dt.datetime | None:
    """Write the result down; returns when the try began if its price is to be given back."""
    network = get(delivery.account.network)
    if isinstance(result, Sent) and proves_another(delivery, result.remote_id):
        result = Unknown("the network answered with the id of another post", ask=True)
    outcome = type(result).__name__.lower()
    detail = "" if isinstance(result, Sent) else result.why[:400]
    attempt = Attempt.objects.filter(delivery=delivery, fence=delivery.fence)
    closed = attempt.filter(ended_at__isnull=True).update(
        ended_at=now, outcome=outcome, detail=detail
    )
    # Once, though a commit whose answer was lost is repeated; to the month it was taken from.
    back = closed and isinstance(result, Later | Refused) and price(delivery)
    unspent = attempt.get().began_at if back else None
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
        case Refused(whose="app"):
            _await_operator(delivery, result, now=now)
        case Refused():
            _block_sending(delivery, detail, now=now)
        case Unknown(look_after=look_after, ask=ask):
            wait = max(look_after, network.abilities.quiet)
            move_delivery(
                delivery,
                to="unknown",
                source="sending",
                now=now,
                reason="ask_person" if ask else "ambiguous",
                detail=detail,
                lease_until=None,
                claims=0,
                look_at=None if ask else now + pace.span(wait),
                first_tried_at=delivery.first_tried_at or delivery.started_at or now,
            )
    return unspent


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
        claims=0,
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


def proves_another(delivery: Delivery, remote_id: str) -> bool:
    """Whether the account has another post with this id: one of the two answers is wrong."""
    others = Delivery.objects.filter(account=delivery.account_id, remote_id=remote_id)
    found = others.exclude(pk=delivery.pk).exclude(remote_id__startswith="https://").exists()
    if found:
        log.error("%s: %s belongs to another post", delivery.key, remote_id)
    return found


def _await_operator(delivery: Delivery, refused: Refused, *, now: dt.datetime) -> None:
    """The company's own access is at fault: everybody waits, and no person is asked."""
    log.error("%s: %s %s", delivery.account.network, refused.why, refused.detail)
    put_back(delivery, Later(refused.why, wait=OPERATOR_SECONDS, whose="app"), now=now)
    rows = Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued")
    rows.update(reason="operator")


def put_back(delivery: Delivery, later: Later, *, now: dt.datetime) -> None:
    """Queue again what was proven not applied: 30 s doubling with full jitter, or as asked.

    What a network asked for pauses its bucket: this account, or everybody who uses our app. Our
    own delays are no tries: only the post's time ends them.
    """
    backoff = random.uniform(1, min(30 * 2 ** max(delivery.tries, 0), 1800))  # noqa: S311 - jitter
    wait = 0.0 if later.renew else later.wait if later.wait is not None else backoff
    next_at = now + pace.span(wait)
    if later.wait is not None and later.whose:
        limits.pause(delivery.account, later.whose, next_at)
    over = (bool(later.whose) and delivery.tries >= MAX_TRIES) or next_at >= delivery.not_after
    end = "unknown" if delivery.first_tried_at else "failed"
    Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued").update(
        lease_until=None, claims=0, next_at=next_at, reason="later", detail=later.why[:400]
    )
    move_delivery(
        delivery,
        to=end if over else "queued",
        source="sending",
        now=now,
        reason="expired" if over else "later",
        detail=later.why[:400],
        lease_until=None,
        claims=0,
        next_at=next_at,
        look_at=now if over and end == "unknown" else None,
    )


def block(delivery: Delivery, why: str, *, detail: str = "") -> None:
    """Keep a queued delivery for a person to decide."""
    Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued").update(
        blocked=why, detail=detail[:400], reason="blocked", lease_until=None
    )
