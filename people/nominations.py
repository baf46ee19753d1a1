"""A colleague thinks of somebody. That somebody decides first; silence leaves no trace."""

import datetime as dt

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ambassadors import memberships
from ambassadors.models import Membership, Person, Team, normalise_email
from campaigns.refusals import fitting

from . import letters
from .models import Nomination
from .pipeline import NotTaken, TooLate

LONGEST_NOTE = 1_000  # characters
_AT_ONCE = 200  # mails of one tick
_KNOWN = ("in_training", "active", "paused")  # what colleagues know of each other anyway


@transaction.atomic
def nominate(*, address: str, team: Team, note: str, by: Person, now: dt.datetime) -> None:
    """Pass a personal note on to the colleague with an address, if there is one.

    Returns nothing, whoever that is: an address nobody has, somebody who left and somebody who
    was asked before look the same to the nominator. No audit entry; the mail leaves with the next
    tick, so that not even the time of the answer tells. Raises :class:`NotTaken`.
    """
    empty = _("Write why you think of them; it is the first thing they read.")
    note = fitting(NotTaken, "note", note, most=LONGEST_NOTE, empty=empty)
    wanted = normalise_email(address.replace("\x00", ""))
    if "@" not in wanted:
        raise NotTaken("address", _("Write the e-mail address of your colleague."))
    if wanted == by.email_normalised:
        raise NotTaken("address", _("That is you. Put yourself forward in an open call."))
    person = Person.objects.filter(email_normalised=wanted, left_at__isnull=True).first()
    if person is None or not person.is_active:
        return
    terms = Membership.objects.open().filter(person=person, team=team)
    if terms.filter(stage__in=_KNOWN).exists():
        raise NotTaken("address", _("%(name)s is in this team already.") % {"name": person.name})
    if terms.exists():
        return
    try:
        with transaction.atomic():
            Nomination.objects.create(
                nominator=by,
                nominee=person,
                team=team,
                note=note,
                nominated_at=now,
                expires_at=now + dt.timedelta(days=settings.NOMINATION_DAYS),
            )
    except IntegrityError:  # they have your first note
        return


@transaction.atomic
def agree(*, nomination: Nomination, by: Person, now: dt.datetime) -> None:
    """The nominated person says yes: from now on HR and the lead see them and the notes.

    Raises :class:`TooLate`.
    """
    asked = Nomination.objects.asked_of(by, now).filter(team=nomination.team_id)
    if not asked.update(agreed_at=now):
        raise TooLate
    if Membership.objects.filter(
        person=by, team=nomination.team_id, ended_on__isnull=True
    ).exists():
        return
    try:
        with transaction.atomic():
            memberships.begin(person=by, team=nomination.team, stage="nominated", by=by, now=now)
    except IntegrityError:  # the other tab was faster
        return


def refuse(*, nomination: Nomination, by: Person) -> None:
    """No, for this team, to everybody who thought of it. The rows go, and nobody is told."""
    rows = Nomination.objects.filter(nominee=by, team=nomination.team_id)
    rows.filter(agreed_at__isnull=True).delete()


def mail_due(*, now: dt.datetime) -> int:
    """Write to the nominated, each once; returns how many mails were tried.

    Claimed before it is written: a crash in between costs the mail (their page has it still),
    and never makes a second one.
    """
    rows = Nomination.objects.filter(
        mailed_at__isnull=True, agreed_at__isnull=True, expires_at__gt=now
    )
    count = 0
    for row in rows.select_related("nominee", "nominator", "team")[:_AT_ONCE]:
        claimed = Nomination.objects.filter(pk=row.pk, mailed_at__isnull=True)
        if claimed.update(mailed_at=now):
            _write(row)
            count += 1
    return count


def _write(row: Nomination) -> None:
    def words() -> tuple[str, str]:
        return _("%(who)s thinks of you") % {"who": row.nominator.name}, _(
            "%(who)s can imagine you in the team %(team)s and writes:\n\n%(note)s\n\nYou decide,"
            " and only you know of this. If you say no, or nothing at all, nobody ever hears of"
            " it; after %(days)s days it is deleted.\n\n%(page)s"
        ) % {
            "who": row.nominator.name,
            "team": row.team.name,
            "note": row.note,
            "days": settings.NOMINATION_DAYS,
            "page": letters.page("my_teams"),
        }

    letters.write(row.nominee, words, about="a nomination")
