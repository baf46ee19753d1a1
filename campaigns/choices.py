"""What a person decides about a post of theirs that waits or is in doubt."""

import datetime as dt
import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person

from .models import Delivery, Post
from .share_checks import ShareRefused, check_identical
from .shares import deliver_later, reworded
from .states import move_delivery


@transaction.atomic
def withdraw(*, by: Person, delivery: Delivery, now: dt.datetime) -> bool:
    """Take a queued post back, or leave an unknown one; tells whether it was still in time.

    The parts of a thread that would have followed are taken back with it.
    """
    for source in ("queued", "unknown") if delivery.state == "unknown" else ("queued",):
        if move_delivery(
            delivery,
            to="cancelled",
            source=source,
            now=now,
            by=by,
            reason="withdrawn" if source == "queued" else "left_unknown",
            any_fence=True,
            lease_until=None,
            look_at=None,
        ):
            audit.record("delivery.cancelled", delivery, by=by, now=now)
            stop_rest(delivery.post, by=by, now=now)
            return True
    return False


def stop_rest(post: Post, *, by: Person | None, now: dt.datetime) -> None:
    """Take back the queued parts of a thread after this one, inside the caller's transaction."""
    for later in Delivery.objects.filter(post__before=post).select_related("post"):
        move_delivery(
            later,
            to="cancelled",
            source="queued",
            now=now,
            by=by,
            reason="thread",
            any_fence=True,
            lease_until=None,
        )
        stop_rest(later.post, by=by, now=now)


@transaction.atomic
def edit(*, by: Person, delivery: Delivery, text: str, now: dt.datetime) -> Post:
    """Replace a queued post by one with another text, unless it is on its way (contract C23).

    Effects in order: the old delivery is cancelled if it is still queued, which waits for a start
    that holds its row and shuts out every later one; then a new post with its own delivery takes
    its moment, its link and its place in a thread. Raises :class:`ShareRefused`.
    """
    old = delivery.post
    moved = move_delivery(
        delivery,
        to="cancelled",
        source="queued",
        now=now,
        by=by,
        reason="edited",
        any_fence=True,
        lease_until=None,
    )
    if not moved:
        raise ShareRefused("", _("Too late: it has left already."))
    changes = reworded(old, text, delivery.account)
    if old.suggestion:
        check_identical(old.suggestion, text, old.language, [delivery.account], now, old.country)
    Post.objects.filter(pk=old.pk).update(link=None, before=None)
    new = Post.objects.get(pk=old.pk)
    new.pk, new._state.adding = None, True  # noqa: SLF001 - Django's documented way to copy a row
    new.submission, new.created_at = uuid.uuid4(), now
    new.link, new.before = old.link, old.before
    for name, value in changes.items():
        setattr(new, name, value)
    new.save(force_insert=True)
    new.more_pictures.set(old.more_pictures.all())
    Post.objects.filter(before=old).update(before=new)
    due_at = max(delivery.due_at, now)
    deliver_later(new, delivery.account, due_at=due_at, now=now, movable=delivery.movable)
    audit.record("delivery.edited", delivery, by=by, now=now, post=new.pk)
    return new


@transaction.atomic
def look_again(
    *, by: Person, delivery: Delivery, now: dt.datetime, seen: int | None = None
) -> bool:
    """The person has looked and wants it sent: unblock a queued delivery, or send again.

    ``seen`` is the fence of the try in doubt that the person was shown: another tab's answer to
    an earlier one sends nothing. The looks for earlier tries do not count for the next.
    """
    if delivery.state == "unknown":
        told = seen == delivery.fence and now < delivery.not_after
        moved = told and move_delivery(
            delivery,
            to="queued",
            source="unknown",
            now=now,
            by=by,
            reason="person_says_absent",
            blocked="",
            look_at=None,
            looks=0,
            next_at=now,
            claims=0,
        )
    else:
        moved = bool(
            Delivery.objects.filter(pk=delivery.pk, state="queued", not_after__gt=now)
            .exclude(
                blocked__in=[
                    Delivery.Blocked.NOT,
                    Delivery.Blocked.APPROVAL,
                    Delivery.Blocked.GUIDELINE,
                ]
            )
            .update(blocked="", next_at=now, claims=0, reason="")
        )
    if moved:
        audit.record("delivery.released", delivery, by=by, now=now)
    return moved


@transaction.atomic
def say_it_is_there(*, by: Person, delivery: Delivery, url: str, now: dt.datetime) -> bool:
    """The person found the post: keep their link as the proof we have.

    Without the network's own id nothing can answer to it, so the rest of a thread is taken back.
    """
    if delivery.state != "unknown":
        return False
    moved = move_delivery(
        delivery,
        to="sent",
        source="unknown",
        now=now,
        by=by,
        reason="person_says_there",
        any_fence=True,
        remote_id=url[:400],
        remote_url=url[:800],
        sent_at=now,
        look_at=None,
    )
    if moved:
        audit.record("delivery.found_by_person", delivery, by=by, now=now)
        stop_rest(delivery.post, by=by, now=now)
    return moved
