"""Invitations to a call by mail: many at once, one personal mail to each address, ever."""

import datetime as dt
import hashlib
import hmac
import logging
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from smtplib import SMTPException, SMTPServerDisconnected

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors import audit, tidying
from ambassadors.models import Membership, Person, Site, normalise_email
from campaigns.refusals import fitting

from . import bounces, letters
from .models import Call, Invitation, InvitationRound, NoInvitations
from .pipeline import NotTaken
from .states import move_invitation

log = logging.getLogger(__name__)

LONGEST_NOTE = 2_000  # characters
MOST = 5_000  # addresses of one round
_AT_ONCE = 200  # mails of one tick
_SALT = "invitation"
_BETWEEN = re.compile(r"[\s,;<>\"]+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a round's addresses; ``unread`` are pieces that are no address."""

    queued: int
    before: int
    left: int


def key_of(address: str) -> str:
    """What remembers an address without holding it."""
    folded = normalise_email(address).encode()
    return hmac.new(
        settings.SECRET_KEY.encode(), b"invitation " + folded, hashlib.sha256
    ).hexdigest()


def read(pasted: str) -> tuple[list[str], list[str]]:
    """Addresses in a pasted text, each once, and the pieces with an @ that are none.

    Names beside them ("Jona Harms <jona@…>") are left aside.
    """
    found: dict[str, str] = {}
    unread = []
    for piece in _BETWEEN.split(pasted.replace("\x00", "")):
        if "@" not in piece:
            continue
        try:
            validate_email(piece)
        except ValidationError:
            unread.append(piece[:80])
        else:
            found.setdefault(normalise_email(piece), tidying.mail_address(piece))
    return list(found.values()), unread


def reachable(
    *, call: Call, site: Site | None, language: str, without_team: bool
) -> "QuerySet[Person]":
    """Who could be invited: here, not in the call's team, of a site, a language, in no team."""
    terms = Membership.objects.filter(person=OuterRef("pk"), ended_on__isnull=True)
    rows = Person.objects.filter(left_at__isnull=True, is_active=True)
    rows = rows.exclude(Exists(terms.filter(team=call.team)))
    if site is not None:
        rows = rows.filter(site=site)
    if language:
        rows = rows.filter(language=language)
    if without_team:
        rows = rows.exclude(Exists(terms))
    return rows


@transaction.atomic
def send(
    *,
    call: Call,
    note: str,
    addresses: Sequence[str],
    people: Iterable[Person],
    submission: uuid.UUID,
    by: Person,
    now: dt.datetime,
) -> Outcome:
    """Queue one mail for each address that had none for this call.

    Effects in order: the round (a second press finds it), its rows; a unique constraint lets an
    address in once per call, whoever invites. Somebody known to have left is left out. Raises
    :class:`NotTaken`.
    """
    empty = _("Write a few words of your own; a mail without them is advertising.")
    note = fitting(NotTaken, "note", note, most=LONGEST_NOTE, empty=empty)
    wanted = {normalise_email(address): address for address in addresses}
    wanted |= {person.email_normalised: person.email for person in people}
    if not wanted:
        raise NotTaken("addresses", _("Paste addresses, or choose people."))
    if len(wanted) > MOST:
        raise NotTaken("addresses", _("5,000 at once; send the rest in a second round."))
    known = {
        person.email_normalised: person
        for person in Person.objects.filter(email_normalised__in=wanted)
    }
    left = {mail for mail, person in known.items() if person.left_at or not person.is_active}
    round_, new = InvitationRound.objects.get_or_create(
        submission=submission, defaults={"call": call, "note": note, "made_by": by, "made_at": now}
    )
    before = Invitation.objects.filter(call=call).count()
    if new:
        Invitation.objects.bulk_create(
            (
                Invitation(
                    call=call,
                    round=round_,
                    address=address,
                    address_key=key_of(mail),
                    person=known.get(mail),
                )
                for mail, address in wanted.items()
                if mail not in left
            ),
            ignore_conflicts=True,
        )
    queued = Invitation.objects.filter(call=call).count() - before
    if new:
        audit.record("call.invited", call, by=by, now=now, queued=queued)
    return Outcome(queued, len(wanted) - len(left) - queued, len(left))


def no_address(invitation: Invitation) -> str:
    """Where one click says no."""
    return letters.page("invitation_no", signing.dumps(invitation.pk, salt=_SALT))


def of_token(token: str) -> Invitation | None:
    """Whose "no" an address is; None for one that we did not write."""
    try:
        pk = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return Invitation.objects.filter(pk=pk).select_related("call").first()


def never_again(invitation: Invitation) -> None:
    """No invitation to any call any more. No page counts or lists who wished that."""
    NoInvitations.objects.get_or_create(address_key=invitation.address_key)


def send_due(*, now: dt.datetime) -> int:
    """Send what is queued; returns how many mails left.

    Nothing is claimed while the mail server cannot be reached.
    """
    rows = Invitation.objects.filter(state="queued").select_related(
        "call", "round__made_by", "person"
    )
    due = list(rows[:_AT_ONCE])
    if not due:
        return 0
    keys = [row.address_key for row in due]
    unwanted = set(
        NoInvitations.objects.filter(address_key__in=keys).values_list("address_key", flat=True)
    )
    try:
        with get_connection() as mail_server:
            return sum(_once(row, mail_server, row.address_key in unwanted, now) for row in due)
    except OSError:
        log.exception("no mail server; the next minute tries again")
        return 0


def _once(row: Invitation, mail_server: BaseEmailBackend, unwanted: bool, now: dt.datetime) -> bool:  # noqa: FBT001
    """Claim, then send: a crash in between costs this mail and never makes a second one.

    What nobody should get any more (the call is over, the person left, no invitations wished) is
    claimed and not sent, so that nobody can tell the one from the other. Raises OSError when the
    server is gone.
    """
    if not move_invitation(row, to="sent", sent_at=now):
        return False
    if unwanted or row.call.stands(now) == "over" or (row.person and row.person.left_at):
        return False
    try:
        mail_server.send_messages([_message(row)])
    except SMTPServerDisconnected:
        raise
    except SMTPException:
        log.exception("an invitation was refused")
        row.refresh_from_db(fields=["state"])
        move_invitation(row, to="bounced", report="refused")
        return False
    return True


def _message(row: Invitation) -> EmailMessage:
    """The personal mail; reports about it come back to an address of its own (RFC 3464)."""
    by, call = row.round.made_by, row.call
    language = row.person.language if row.person else settings.LANGUAGE_CODE
    no = no_address(row)
    with translation.override(language):
        subject = _("Would you like to join in? %(title)s") % {"title": call.title}
        hello = (
            _("Hello %(name)s,") % {"name": row.person.first_name} if row.person else _("Hello,")
        )
        body = _(
            "%(hello)s\n\n%(note)s\n\n%(who)s\n\nWhat it is about, and how to put yourself"
            " forward:\n%(page)s\n\nIt is voluntary. You need not answer; this is the only mail"
            " about this call.\nNo, thanks, with one click, and nobody is told: %(no)s"
        ) % {
            "hello": hello,
            "note": row.round.note,
            "who": by.name if by else settings.ORGANISATION,
            "page": letters.page("call", call.slug),
            "no": no,
        }
    return EmailMessage(
        " ".join(subject.split()),
        body,
        from_email=bounces.address_of(row.pk),
        to=[row.address],
        headers={
            "From": settings.DEFAULT_FROM_EMAIL,
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{no}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def let_go(batch: list[Invitation], now: dt.datetime) -> int:
    """Forget addresses whose mails have arrived or not; who was written to stays as a digest."""
    del now
    rows = Invitation.objects.filter(pk__in=[row.pk for row in batch])
    return rows.update(address="", person=None)
