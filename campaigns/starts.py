"""The start transaction: ``sending`` is committed before the first byte, or not at all.

A hold that has answered is seen, and one that has not waits for us: both pass the barrier. What
belongs to one person (consent, account, leaving) is locked in it to the same end (I5).
"""

import contextlib
import datetime as dt
import logging
from typing import NamedTuple

from django.db import DatabaseError, IntegrityError, connection, transaction

from ambassadors.acknowledgements import ASKED
from ambassadors.models import Person
from integrations import barrier, limits
from integrations.models import ConnectedAccount
from integrations.networks import get
from integrations.networks.twitter_text import addresses

from . import pace, pictures, restores, timeoff
from .failpoints import failpoint
from .models import Attempt, Delivery, Post
from .states import move_delivery
from .wording import fingerprint

log = logging.getLogger(__name__)

# One statement reads all that could forbid the start; a missing row forbids. What stops many at
# once is shut out by the barrier; what belongs to one person is locked here. Rows that this
# transaction writes are locked for writing at once: sharing first would deadlock. Locks are taken
# in the order of the columns: the person before their post, as whoever moves posts takes them.
# What a guideline asks of the person begins to hold by the clock only, so it is read unlocked.
_OBSTACLES = """
WITH stopped AS (SELECT stopped_at FROM integrations_instance WHERE id = 1),
     programme AS (SELECT held_at FROM campaigns_programme WHERE id = 1),
     topic AS (SELECT held_at FROM campaigns_topic WHERE id = %(topic)s),
     suggestion AS (SELECT held_at FROM campaigns_suggestion WHERE id = %(suggestion)s),
     person AS (SELECT left_at, is_active, timezone FROM ambassadors_person
                 WHERE id = %(person)s FOR SHARE),
     away AS (SELECT from_on, until_on FROM ambassadors_timeoff
               WHERE person_id = %(person)s AND ended_at IS NULL AND said_at > %(written_at)s),
     this AS (SELECT blocked, due_at FROM campaigns_delivery
               WHERE id = %(delivery)s FOR NO KEY UPDATE),
     account AS (SELECT disconnected_at, person_id FROM integrations_connectedaccount
                  WHERE id = %(account)s FOR NO KEY UPDATE),
     editor AS (SELECT id FROM integrations_connectedaccount_editors
                 WHERE connectedaccount_id = %(account)s AND person_id = %(person)s FOR SHARE),
     consent AS (SELECT id FROM ambassadors_consent
                  WHERE person_id = %(person)s AND purpose = 'publish' AND withdrawn_at IS NULL
                    FOR SHARE),
     slot AS (SELECT CASE WHEN state NOT IN ('planned', 'accepted', 'released')
                            OR ends_at <= %(gate_shuts)s THEN 'over'
                          WHEN state <> 'released' OR begins_at > %(now)s THEN 'not_yet'
                          ELSE 'open' END AS stands
                FROM campaigns_takeover WHERE id = %(takeover)s),
     part AS (SELECT state FROM campaigns_delivery WHERE post_id = %(before)s FOR SHARE),
     asked AS ({asked})
SELECT EXISTS (SELECT FROM stopped WHERE stopped_at IS NOT NULL),
       NOT EXISTS (SELECT FROM programme WHERE held_at IS NULL)
         OR (%(topic)s IS NOT NULL AND NOT EXISTS (SELECT FROM topic WHERE held_at IS NULL))
         OR (%(suggestion)s IS NOT NULL
             AND NOT EXISTS (SELECT FROM suggestion WHERE held_at IS NULL)),
       NOT EXISTS (SELECT FROM person WHERE left_at IS NULL AND is_active),
       NOT EXISTS (SELECT FROM this WHERE blocked = ''),
       (SELECT person_id FROM account WHERE disconnected_at IS NULL),
       EXISTS (SELECT FROM account WHERE disconnected_at IS NULL),
       EXISTS (SELECT FROM editor),
       EXISTS (SELECT FROM consent),
       EXISTS (SELECT FROM asked WHERE held_from <= %(now)s),
       (SELECT stands FROM slot),
       (SELECT state FROM part),
       (SELECT due_at FROM this),
       (SELECT timezone FROM person),
       (SELECT from_on FROM away),
       (SELECT until_on FROM away)
""".replace("{asked}", ASKED.format(person="%(person)s"))


def start(delivery: Delivery) -> bool:
    """Commit ``sending`` if nothing speaks against it now; tells whether we may send.

    A paid post whose start is refused gets its price back. In doubt about the commit: do not send,
    and leave it spent.
    """
    try:
        with transaction.atomic():
            now = barrier.enter()
            obstacle = _obstacle(delivery, now)
            if obstacle:
                _stop(delivery, obstacle, now)
                refund(delivery, now)
                return False
            failpoint("in_start")
            attempt = _begin(delivery, now)
            if attempt is None:
                refund(delivery, now)
    except IntegrityError:
        # Another delivery of the account is in flight (I8); the lease is given back.
        _give_back(delivery)
        refund(delivery, now)
    except DatabaseError:
        log.exception("start of %s in doubt, not sending", delivery.key)
        with contextlib.suppress(DatabaseError):
            connection.close()
            _give_back(delivery)
    else:
        if attempt:
            restores.mark(attempt.pk)
        return attempt is not None
    return False


def clear(delivery: Delivery) -> bool:
    """Look whether anything forbids the post, before its pictures are uploaded or it is paid for.

    The start looks again and decides; this only keeps uploads of a held or ended post at home.
    """
    with transaction.atomic():
        now = pace.clock()
        obstacle = _obstacle(delivery, now)
        if obstacle:
            _stop(delivery, obstacle, now)
    return not obstacle


def _give_back(delivery: Delivery) -> None:
    """Nothing was sent and the row proves it: the lease ends, the claim counts for no death."""
    Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued").update(
        lease_until=None, claims=delivery.claims - 1
    )


def _begin(delivery: Delivery, now: dt.datetime) -> Attempt | None:
    """Write ``sending``, the attempt, and when the account was served; None when too late."""
    moved = move_delivery(
        delivery,
        to="sending",
        source="queued",
        now=now,
        lease_until=now + pace.LEASE,
        started_at=now,
        tries=delivery.tries + 1,
        next_at=None,
    )
    if not moved:
        return None
    ConnectedAccount.objects.filter(pk=delivery.account_id).update(last_served_at=now)
    return Attempt.objects.create(delivery=delivery, fence=delivery.fence, began_at=now)


class Facts(NamedTuple):
    """What the locked rows say: the columns of ``_OBSTACLES`` in their order."""

    stopped: bool
    held: bool
    left: bool
    blocked: bool
    owner: int | None
    connected: bool
    editor: bool
    consent: bool
    guideline: bool
    slot: str | None
    part: str | None
    due_at: dt.datetime | None
    timezone: str | None
    off_from: dt.date | None
    off_until: dt.date | None


def _obstacle(delivery: Delivery, now: dt.datetime) -> str:
    """Name what forbids the start, empty when nothing does."""
    post = delivery.post
    suggestion = post.suggestion
    with connection.cursor() as cursor:
        cursor.execute(
            _OBSTACLES,
            {
                "delivery": delivery.pk,
                "topic": suggestion.topic_id if suggestion else None,
                "suggestion": suggestion.pk if suggestion else None,
                "person": post.person_id,
                "account": delivery.account_id,
                "before": post.before_id,
                "takeover": post.takeover_id,
                "written_at": delivery.written_at,
                "now": now,
                "gate_shuts": now + dt.timedelta(seconds=pace.GATE_SECONDS),
            },
        )
        facts = Facts(*cursor.fetchone())
    if facts.stopped or facts.held:
        return "stopped" if facts.stopped else "held"
    if facts.blocked:
        return "blocked"
    if facts.left:
        return "left"
    if fingerprint(post.full_text) != post.sha256:
        return "changed"
    return (
        _not_theirs(delivery, facts)
        or _not_now(delivery, facts, now)
        or _away(delivery, facts, now)
        or _barred(post, now)
    )


def _barred(post: Post, now: dt.datetime) -> str:
    """Rights that are over, or somebody in the picture took their yes back."""
    shown = [post.picture, *post.more_pictures.all()] if post.has_media else []
    found = [picture for picture in shown if picture]
    return "picture" if found and pictures.barred(found, on=now.date()) else ""


def _not_theirs(delivery: Delivery, facts: Facts) -> str:
    """The person may write there no more, or nobody else has approved it for a channel."""
    person = delivery.post.person_id
    if not facts.connected or facts.owner not in {None, person}:
        return "disconnected"
    if facts.owner is not None:
        if not facts.consent:
            return "consent"
        return "guideline" if facts.guideline else ""
    if delivery.post.takeover_id:
        if facts.slot != "open":
            return "slot_not_open" if facts.slot == "not_yet" else "takeover"
    elif not facts.editor:
        return "disconnected"
    approved = delivery.approved_at is not None and delivery.approved_by_id != person
    return "" if approved else "approval"


def _not_now(delivery: Delivery, facts: Facts, now: dt.datetime) -> str:
    """Too early, too late, or the thread's part before does not stand yet."""
    if facts.due_at is None or now < facts.due_at:  # it may have moved since the claim
        return "early"
    if now + dt.timedelta(seconds=pace.GATE_SECONDS) >= delivery.not_after:
        return "expired"
    if facts.part in {"cancelled", "failed"}:
        return "thread_stopped"
    return "part_before" if delivery.post.before_id and facts.part != "sent" else ""


def _away(delivery: Delivery, facts: Facts, now: dt.datetime) -> str:
    """A time off that its person named after writing it; what has begun goes on to its end."""
    begun = delivery.first_tried_at or delivery.post.before_id
    if facts.owner is None or begun or facts.off_from is None or facts.off_until is None:
        return ""
    today = Person(timezone=facts.timezone or "").local(now).date()
    return "time_off" if facts.off_from <= today <= facts.off_until else ""


def price(delivery: Delivery) -> int:
    """What sending this post costs the company, in millionths of a dollar; 0 mostly."""
    listed = get(delivery.account.network).abilities.price
    if listed is None:
        return 0
    linked = any(True for _ in addresses(delivery.post.full_text))
    return listed.post_with_link if linked else listed.post


def pay(delivery: Delivery, now: dt.datetime) -> bool:
    """Take the post's price from the month, or block it; tells whether we may go on.

    Before the start and not in it: the month's row is everybody's, and starts that queue for it
    miss their gate. Who dies in between has spent money and sent nothing; never the other way.
    """
    amount = price(delivery)
    if not amount or limits.spend(delivery.account.network, amount, now=now):
        return True
    _stop(delivery, "budget", now)
    return False


def refund(delivery: Delivery, now: dt.datetime) -> None:
    """Nothing left the house: the post's price returns to the month it was taken from."""
    if amount := price(delivery):
        limits.give_back(delivery.account.network, amount, now=now)


# Obstacles that end the delivery, those that wait for a person, and those that pass by themselves.
_ENDS = {
    "left": "cancelled",
    "disconnected": "cancelled",
    "takeover": "cancelled",
    "thread_stopped": "cancelled",
    "expired": "failed",
    "changed": "failed",
}
_BLOCKS = {
    "consent": Delivery.Blocked.CONSENT,
    "approval": Delivery.Blocked.APPROVAL,
    "budget": Delivery.Blocked.BUDGET,
    "picture": Delivery.Blocked.PICTURE,
    "guideline": Delivery.Blocked.GUIDELINE,
}
# Seconds until it is tried again. A blocked one is not tried before a person unblocks it.
_PASSES = {
    "held": 20.0,
    "stopped": 20.0,
    "slot_not_open": 20.0,
    "blocked": 1.0,
    "early": 1.0,
    "part_before": 5.0,
    "time_off": 60.0,
}


def _stop(delivery: Delivery, obstacle: str, now: dt.datetime) -> None:
    """Write down why a start did not happen. What may be at the network already is unknown."""
    if end := _ENDS.get(obstacle):
        move_delivery(
            delivery,
            to=end if delivery.first_tried_at is None else "unknown",
            source="queued",
            now=now,
            reason=obstacle,
            lease_until=None,
            look_at=now if delivery.first_tried_at else None,
        )
        return
    changes: dict[str, object] = {"lease_until": None, "claims": 0, "reason": obstacle}
    if obstacle in _BLOCKS:
        changes["blocked"] = _BLOCKS[obstacle]
    else:
        changes["next_at"] = now + pace.span(_PASSES[obstacle])
    Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state="queued").update(**changes)
    if obstacle == "time_off":
        timeoff.put_off(delivery, now)
