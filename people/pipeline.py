"""The way of a person through a team: what they, the lead and HR decide, step by step."""

import datetime as dt
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from ambassadors import audit, memberships
from ambassadors.models import Consent, Membership, Person, Team
from campaigns.refusals import FieldRefused, fitting

from . import letters, requirements
from .models import Application, Course, Nomination

LONGEST_WORD = 2_000  # characters of a kind word
LONGEST_PAUSE = dt.timedelta(days=366)


class TooLate(Exception):
    """Somebody has decided meanwhile; the page shows what stands now."""


class NotYet(Exception):
    """Courses are missing that the team asks for."""

    def __init__(self, courses: Sequence[Course]) -> None:
        super().__init__(", ".join(course.title for course in courses))


class AlreadyIn(Exception):
    """The person has an open term in this team."""


class NotTaken(FieldRefused):
    """What was typed cannot stand; ``field`` says where the sentence belongs."""


def shown_to(person: Person) -> "QuerySet[Membership]":
    """Terms HR sees, or a lead of their own teams.

    On the way in everybody has said so themselves; later the yes to the roster decides.
    """
    yes = Consent.objects.given().filter(person=OuterRef("person"), purpose="roster")
    rows = Membership.objects.filter(
        Exists(yes) | Q(stage__in=("nominated", "invited", "in_training")),
        person__left_at__isnull=True,
        team__in=Team.objects.looked_after_by(person),
    )
    return rows.select_related("person__site", "team__kind", "team__lead")


@transaction.atomic
def invite(*, person: Person, team: Team, by: Person | None, now: dt.datetime) -> Membership:
    """Offer somebody a place; they decide. Also the return of an alumna: a new term.

    Effects in order: place taken and term written (or the nominated one moved), the notes of
    nominators deleted, mail. Raises ``NoPlace``, :class:`AlreadyIn`, :class:`TooLate`.
    """
    if person.left_at is not None:
        raise TooLate
    standing = Membership.objects.filter(person=person, team=team, ended_on__isnull=True).first()
    if standing is not None and standing.stage != "nominated":
        raise AlreadyIn
    try:
        with transaction.atomic():
            if standing is None:
                term = memberships.begin(person=person, team=team, stage="invited", by=by, now=now)
            elif memberships.move(membership=standing, to="invited", by=by, now=now):
                term = standing
            else:
                raise TooLate
    except IntegrityError as error:  # somebody else invited them in this second
        raise AlreadyIn from error
    Nomination.objects.agreed().filter(nominee=person, team=team).delete()

    def words() -> tuple[str, str]:
        return _("A place in %(team)s for you") % {"team": team.name}, _(
            "%(who)s offers you a place in the team %(team)s. You decide; no is a fine answer,"
            " and then nothing of it is kept.\n\n%(page)s"
        ) % {
            "who": by.name if by else _("The team"),
            "team": team.name,
            "page": letters.page("my_teams"),
        }

    letters.after_commit(person, words, about=f"invitation {term.pk}")
    return term


@transaction.atomic
def accept(*, membership: Membership, take_over: bool, by: Person, now: dt.datetime) -> None:
    """The person takes the place and begins to learn.

    ``take_over`` is their yes to copy what they declared in the application (hours, topics,
    languages) into their profile. Raises :class:`TooLate`.
    """
    if membership.stage != "invited" or not memberships.move(
        membership=membership, to="in_training", by=by, now=now
    ):
        raise TooLate
    declared = declared_by(by, membership.team)
    if take_over and declared:
        languages = [*by.languages, *(x for x in declared.languages if x not in by.languages)]
        interests = [*by.interests, *(x for x in declared.topics if x not in by.interests)]
        Person.objects.filter(pk=by.pk).update(
            hours_per_month=declared.hours_per_month, languages=languages, interests=interests
        )
        audit.record("person.declared", by, by=by, now=now)
    requirements.look(person=by, now=now)  # who knows it all already goes on, or the lead is told


def declared_by(person: Person, team: Team) -> Application | None:
    """What the person wrote when they applied for this team, the latest."""
    rows = Application.objects.filter(person=person, team=team, state="invited")
    return rows.order_by("-applied_at").first()


@transaction.atomic
def decline(*, membership: Membership, by: Person, now: dt.datetime) -> Team:
    """The person does not take the place: no term, no application, no audit name remains.

    Returns the team whose place is free again. Raises :class:`TooLate`.
    """
    if not memberships.drop(membership=membership, by=by, now=now):
        raise TooLate
    Application.objects.filter(person=by, team=membership.team, state="invited").delete()
    return membership.team


@transaction.atomic
def advance(*, membership: Membership, by: Person | None, now: dt.datetime) -> None:
    """From training to active. Raises :class:`NotYet`, :class:`TooLate`."""
    if membership.stage == "in_training":
        on = memberships.day_of(now)
        lacks = requirements.missing(person=membership.person, team=membership.team, on=on)
        if lacks:
            raise NotYet(lacks)
    if membership.stage != "in_training" or not memberships.move(
        membership=membership, to="active", by=by, now=now
    ):
        raise TooLate

    def words() -> tuple[str, str]:
        team = membership.team
        return _("You are active in %(team)s") % {"team": team.name}, _(
            "From today on you are active in the team %(team)s. What it does, and how to pause or"
            " stop, stands here:\n\n%(page)s"
        ) % {"team": team.name, "page": letters.page("my_teams")}

    letters.after_commit(membership.person, words, about=f"term {membership.pk}")


@transaction.atomic
def pause(
    *, membership: Membership, until_on: dt.date | None, by: Person, now: dt.datetime
) -> None:
    """The person pauses, until the end of a day or until they say so; nobody asks why.

    Raises :class:`NotTaken`, :class:`TooLate`.
    """
    today = memberships.day_of(now)
    if until_on is not None and until_on < today:
        raise NotTaken("until_on", _("This day is over. Leave it empty if you do not know yet."))
    if until_on is not None and until_on > today + LONGEST_PAUSE:
        raise NotTaken("until_on", _("A year at most; you can pause again."))
    if membership.stage not in memberships.WAYS["paused"] or not memberships.move(
        membership=membership, to="paused", by=by, now=now, paused_until_on=until_on
    ):
        raise TooLate


@transaction.atomic
def resume(*, membership: Membership, by: Person | None, now: dt.datetime) -> None:
    """Back from a pause, to where the person was before it. Raises :class:`TooLate`."""
    before = membership.membershipstep_set.exclude(stage="paused").last()
    to = "in_training" if before and before.stage == "in_training" else "active"
    if membership.stage != "paused" or not memberships.move(
        membership=membership, to=to, by=by, now=now
    ):
        raise TooLate


@transaction.atomic
def farewell(*, membership: Membership, word: str, by: Person, now: dt.datetime) -> None:
    """End a term; a word that was written for the person goes to them alone and is not kept.

    Before a term has begun it is a no to a nomination, or takes an offer back. Raises
    :class:`NotTaken`, :class:`TooLate`.
    """
    person, team = membership.person, membership.team
    own = person.pk == by.pk
    text = ""
    if not own:
        empty = _("Write them a word; it goes to this person alone.")
        text = fitting(NotTaken, "word", word, most=LONGEST_WORD, empty=empty)
    if not memberships.end(membership=membership, by=by, now=now):
        raise TooLate
    Application.objects.filter(person=person, team=team, state="invited").delete()
    Nomination.objects.agreed().filter(nominee=person, team=team).delete()
    if own:
        return

    def words() -> tuple[str, str]:
        return _("About your time in %(team)s") % {"team": team.name}, _(
            "%(who)s writes to you, and only to you:\n\n%(text)s\n\nThe team %(team)s is over for"
            " you for now. If you like, come back one day; open calls stand here: %(page)s"
        ) % {
            "who": by.name,
            "text": text,
            "team": team.name,
            "page": letters.page("calls"),
        }

    letters.after_commit(person, words, about="a farewell")
