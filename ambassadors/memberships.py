"""Terms in teams: begin, move to a stage, end. Leaving the company ends them all."""

import datetime as dt

from django.db import transaction

from . import audit
from .models import Membership, MembershipStep, Person, Team


@transaction.atomic
def begin(
    *, person: Person, team: Team, stage: str, by: Person | None, now: dt.datetime
) -> Membership:
    """Open a term. Raises IntegrityError when an open one exists."""
    today = now.date()
    membership = Membership.objects.create(
        person=person, team=team, stage=stage, stage_since_on=today, started_on=today
    )
    MembershipStep.objects.create(membership=membership, stage=stage, since_on=today)
    audit.record("membership.begun", membership, by=by, now=now, stage=stage)
    return membership


@transaction.atomic
def end(*, membership: Membership, by: Person | None, now: dt.datetime, reason: str = "") -> bool:
    """Close a term; tells whether it was open."""
    today = now.date()
    ended = Membership.objects.filter(pk=membership.pk, ended_on__isnull=True).update(
        ended_on=today, stage=Membership.Stage.ALUMNI, stage_since_on=today
    )
    if ended:
        MembershipStep.objects.create(
            membership=membership, stage=Membership.Stage.ALUMNI, since_on=today
        )
        audit.record("membership.ended", membership, by=by, now=now, reason=reason)
    return bool(ended)


@transaction.atomic
def leave_company(*, person: Person, by: Person | None, now: dt.datetime) -> None:
    """Somebody leaves: terms end, logins stop, and the sender sees ``left_at`` before any byte."""
    if not Person.objects.filter(pk=person.pk, left_at__isnull=True).update(
        left_at=now, is_active=False
    ):
        return
    for membership in Membership.objects.filter(person=person, ended_on__isnull=True):
        end(membership=membership, by=by, now=now, reason="left the company")
    audit.record("person.left", person, by=by, now=now)
