"""The life of a takeover: planned, rules accepted, released, handed back or stopped.

The right itself is asked when a post starts (:mod:`campaigns.starts`), never by a timer.
"""

import datetime as dt
import time
import uuid

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from integrations import barrier
from integrations.models import ConnectedAccount
from integrations.networks import get

from . import approvals, endings, holds, pictures, share_checks, shares, wording
from .models import Delivery, Picture, Post, Takeover
from .refusals import FieldRefused, fitting
from .share_checks import ShareRefused
from .states import move_takeover

LONGEST_RULES = 5_000  # characters
LONGEST = dt.timedelta(days=31)
FARTHEST = dt.timedelta(days=366)
_GRACE = dt.timedelta(minutes=5)  # the form was filled in while its begin passed


class NotPlanned(FieldRefused):
    """The slot cannot be had; ``field`` says where the sentence belongs."""


class TooLate(Exception):
    """Somebody has decided, or the clock has; the page shows what stands now."""


def visible_to(person: Person) -> "QuerySet[Takeover]":
    """Those the person may open: their own, and those on channels they look after."""
    return _of(person, approvals.may_approve(person))


def listed_for(person: Person) -> "QuerySet[Takeover]":
    """Those of the person, and those on channels they are an editor of."""
    return _of(person, ConnectedAccount.objects.company().filter(editors=person))


def _of(person: Person, channels: "QuerySet[ConnectedAccount]") -> "QuerySet[Takeover]":
    rows = Takeover.objects.filter(Q(person=person) | Q(channel__in=channels.values("pk")))
    return rows.select_related("channel", "person", "released_by", "ended_by")


def looks_after(person: Person, takeover: Takeover) -> bool:
    """Tell whether the person releases and stops on this channel: its editor, or a curator."""
    return approvals.may_approve(person).filter(pk=takeover.channel_id).exists()


def _check_slot(begins_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime) -> None:
    if begins_at < now - _GRACE:
        raise NotPlanned("begins_at", _("This moment is in the past."))
    if begins_at > now + FARTHEST:
        raise NotPlanned("begins_at", _("That is more than a year ahead."))
    if ends_at <= begins_at:
        raise NotPlanned("ends_at", _("The end must be after the beginning."))
    if ends_at - begins_at > LONGEST:
        raise NotPlanned("ends_at", _("A takeover lasts 31 days at most."))


def plan(
    *,
    channel: ConnectedAccount,
    person: Person,
    begins_at: dt.datetime,
    ends_at: dt.datetime,
    rules: str,
    submission: uuid.UUID,
    by: Person,
    now: dt.datetime,
) -> Takeover:
    """Offer somebody a slot; the same form a second time finds the first.

    Raises :class:`NotPlanned`, also when the database finds another slot at the same time.
    """
    standing = Takeover.objects.filter(planned_by=by, submission=submission).first()
    if standing:
        return standing
    empty = _("Write the rules; the person says yes to them first.")
    clean = fitting(NotPlanned, "rules", rules, most=LONGEST_RULES, empty=empty)
    _check_slot(begins_at, ends_at, now)
    if person.left_at or not person.is_active:
        raise NotPlanned("person", _("Nobody here has this address. Write it as they log in."))
    try:
        with transaction.atomic():
            takeover = Takeover.objects.create(
                channel=channel,
                person=person,
                begins_at=begins_at,
                ends_at=ends_at,
                rules=clean,
                submission=submission,
                planned_by=by,
                planned_at=now,
            )
            audit.record("takeover.planned", takeover, by=by, now=now, person=person.pk)
    except IntegrityError as error:
        if same := Takeover.objects.filter(planned_by=by, submission=submission).first():
            return same
        raise NotPlanned("begins_at", _taken(channel, begins_at, ends_at)) from error
    return takeover


def _taken(channel: ConnectedAccount, begins_at: dt.datetime, ends_at: dt.datetime) -> str:
    """Who has the channel in that time."""
    other = (
        Takeover.objects.filter(
            channel=channel,
            state__in=Takeover.STANDING,
            begins_at__lt=ends_at,
            ends_at__gt=begins_at,
        )
        .select_related("person")
        .first()
    )
    if other is None:
        return _("Somebody else was given this channel in that time. Please look again.")
    return _("%(who)s has this channel from %(begin)s to %(end)s. Choose another time.") % {
        "who": other.person.name,
        "begin": _said(other.begins_at),
        "end": _said(other.ends_at),
    }


def _said(moment: dt.datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "D, j. F, H:i")


@transaction.atomic
def accept(*, takeover: Takeover, by: Person, now: dt.datetime) -> None:
    """The person says yes to the rules. Raises :class:`TooLate`."""
    if takeover.person_id != by.pk or takeover.stands(now) != "asked":
        raise TooLate
    if not move_takeover(takeover, to="accepted", accepted_at=now):
        raise TooLate
    audit.record("takeover.accepted", takeover, by=by, now=now)


@transaction.atomic
def release(*, takeover: Takeover, by: Person, now: dt.datetime) -> None:
    """Let the slot open at its moment: four eyes, so never by its person.

    Each of its posts is still approved one by one. Raises :class:`TooLate`.
    """
    theirs = takeover.person_id != by.pk and looks_after(by, takeover)
    if not theirs or takeover.stands(now) != "accepted":
        raise TooLate
    if not move_takeover(takeover, to="released", released_at=now, released_by=by):
        raise TooLate
    audit.record("takeover.released", takeover, by=by, now=now)


def hand_back(*, takeover: Takeover, by: Person, now: dt.datetime) -> endings.Ended:
    """The person gives the channel back early, or declines it. Raises :class:`TooLate`."""
    if takeover.person_id != by.pk:
        raise TooLate
    return _end(takeover, "handed_back", by=by, now=now)


def stop(*, takeover: Takeover, by: Person, now: dt.datetime) -> endings.Ended:
    """Whoever looks after the channel ends it at once. Raises :class:`TooLate`."""
    if not looks_after(by, takeover):
        raise TooLate
    return _end(takeover, "stopped", by=by, now=now)


def end_of_leaver(*, takeover: Takeover, by: Person | None, now: dt.datetime) -> endings.Ended:
    """Its person has left the company: the slot ends like by the emergency stop.

    Raises :class:`TooLate`.
    """
    return _end(takeover, "stopped", by=by, now=now)


def without_person(now: dt.datetime) -> "QuerySet[Takeover]":
    """Slots that ended because their person left, are not over, and that nobody has now."""
    given = Takeover.objects.standing(now).filter(
        channel=OuterRef("channel"),
        begins_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("begins_at"),
    )
    rows = Takeover.objects.filter(
        ~Exists(given),
        state="stopped",
        ends_at__gt=now,
        ended_at__gte=F("person__left_at"),
        channel__disconnected_at__isnull=True,
    )
    return rows.select_related("channel", "person").order_by("begins_at")


def _end(takeover: Takeover, to: str, *, by: Person | None, now: dt.datetime) -> endings.Ended:
    """End the right; returns when no first byte of it can follow any more.

    Effects in order: the barrier waits for starts that came before and shuts out those after; the
    state, what is queued and what flies are written down; commit; wait until what had started is
    over or the gate has shut it out; take back what is queued; note when it was in force. The
    mechanism of a hold (:func:`campaigns.holds.hold`).
    """
    if takeover.stands(now) == "over":
        raise TooLate
    began = time.monotonic()
    rows = Delivery.objects.filter(post__takeover=takeover)
    with transaction.atomic():
        barrier.close()
        waiting = rows.filter(state="queued").count()
        takeover.refresh_from_db(fields=["state"])
        if takeover.state not in Takeover.STANDING or not move_takeover(
            takeover, to=to, ended_by=by, ended_at=now, waiting=waiting
        ):
            raise TooLate
        in_flight = list(rows.filter(state="sending").values_list("pk", flat=True))
        takeover.flying.set(in_flight)
        audit.record(f"takeover.{to}", takeover, by=by, now=now, waiting=waiting)
    holds.wait_for_flights(takeover.channel)
    in_force_at = now + dt.timedelta(seconds=time.monotonic() - began)
    Takeover.objects.filter(pk=takeover.pk).update(in_force_at=in_force_at)
    return endings.Ended(endings.take_back(rows, "takeover", by, now), in_flight)


@transaction.atomic
def write(
    *,
    takeover: Takeover,
    text: str,
    picture: Picture | None,
    due_at: dt.datetime | None,
    submission: uuid.UUID,
    by: Person,
    now: dt.datetime,
) -> Post:
    """Queue a post for the channel, due now or at a moment of the slot.

    It leaves after somebody who looks after the channel approved it, and only while the slot is
    open. Raises :class:`ShareRefused` beside a field, :class:`TooLate`.
    """
    stands = takeover.stands(now)
    if takeover.person_id != by.pk or stands in {"asked", "over"}:
        raise TooLate
    channel = takeover.channel
    clean = wording.clean(text)
    share_checks.check_text("" if wording.is_blank(clean) else clean)
    if len(wording.parts(clean)) > 1:
        raise ShareRefused("text", _("This stays one part: take out the line ---."))
    share_checks.check_length(channel.network, clean, channel)
    if picture is None and get(channel.network).abilities.needs_picture:
        raise ShareRefused("picture", _("This network takes only posts with a picture."))
    if picture and (why := pictures.why_barred(picture, on=now.date())):
        raise ShareRefused("picture", why)
    if channel.disconnected_at or channel.reconnect_reason:
        raise ShareRefused("", _("The channel must be connected again first; tell its owner."))
    due = max(due_at or now, takeover.begins_at)
    if not now - _GRACE <= due < takeover.ends_at:
        raise ShareRefused("at", _("Choose a moment within your slot."))
    post, new = Post.objects.get_or_create(
        person=by,
        submission=submission,
        network=channel.network,
        how=Post.How.PUBLISHED,
        part=0,
        defaults={
            "takeover": takeover,
            "text": clean,
            "full_text": clean,
            "language": by.language,
            "own_share": 100,
            "sha256": wording.fingerprint(clean),
            "picture": picture,
            "created_at": now,
        },
    )
    if new:
        shares.deliver_later(post, channel, due_at=max(due, now), now=now)
    return post


def of_person(person: Person | int, now: dt.datetime) -> "QuerySet[Takeover]":
    """The standing slots of a person."""
    return Takeover.objects.standing(now).filter(person=person)


def asked_of(person: Person, now: dt.datetime) -> Takeover | None:
    """The next slot of the person, for Today."""
    return of_person(person, now).select_related("channel").order_by("begins_at").first()
