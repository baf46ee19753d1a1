"""What teams ask for before somebody becomes active, and who has it all."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors import audit, memberships
from ambassadors.models import Membership, Person, Team, TeamKind
from integrations import mails

from .models import Completion, Course, Requirement, SelfStart


def missing(*, person: Person, team: Team, on: dt.date) -> list[Course]:
    """What the person still needs on a day before they may be active in the team. One query."""
    asked = Requirement.objects.filter(Q(team=team) | Q(kind=team.kind_id))
    has = Completion.objects.valid(on).filter(person=person)
    courses = Course.objects.filter(pk__in=asked.values("course"), withdrawn_at__isnull=True)
    return list(courses.exclude(pk__in=has.values("course")))


def missing_of(memberships: Iterable[Membership], on: dt.date) -> dict[int, list[Course]]:
    """The same for many terms, by the key of each: three queries, however many there are."""
    terms = list(memberships)
    asked: dict[tuple[str, int], list[Course]] = defaultdict(list)
    rows = Requirement.objects.filter(course__withdrawn_at__isnull=True).select_related("course")
    for row in rows:
        key = ("team", row.team_id) if row.team_id else ("kind", row.kind_id or 0)
        asked[key].append(row.course)
    has = set(
        Completion.objects.valid(on)
        .filter(person__in={term.person_id for term in terms})
        .values_list("person", "course")
    )
    found = {}
    for term in terms:
        courses = {c.pk: c for c in asked["team", term.team_id] + asked["kind", term.team.kind_id]}
        found[term.pk] = [c for c in courses.values() if (term.person_id, c.pk) not in has]
    return found


@transaction.atomic
def ask(
    *, course: Course, team: Team | None, kind: TeamKind | None, by: Person, now: dt.datetime
) -> bool:
    """A team or a kind asks for a course from now on; tells whether it is new.

    Who is active stays active: it is asked of those on the way.
    """
    try:
        with transaction.atomic():
            row = Requirement.objects.create(course=course, team=team, kind=kind, since_at=now)
    except IntegrityError:
        return False
    audit.record("requirement.added", row, by=by, now=now, course=course.pk)
    return True


@transaction.atomic
def drop(*, requirement: Requirement, by: Person, now: dt.datetime) -> None:
    """A course is not asked for any more."""
    audit.record("requirement.dropped", requirement, by=by, now=now, course=requirement.course_id)
    requirement.delete()


def in_training() -> "QuerySet[Membership]":
    """Terms of people here who are in training."""
    rows = Membership.objects.filter(
        stage=Membership.Stage.IN_TRAINING, ended_on__isnull=True, person__left_at__isnull=True
    )
    return rows.select_related("team__kind", "team__lead", "person")


def ready_for(lead: Person, on: dt.date) -> list[Membership]:
    """Terms in the teams of a lead whose people have everything; of the others nothing is said."""
    terms = list(in_training().filter(team__lead=lead).order_by("person__name"))
    lacks = missing_of(terms, on)
    return [term for term in terms if not lacks[term.pk]]


@transaction.atomic
def start(*, term: Membership, by: Person | None, now: dt.datetime) -> bool:
    """Make somebody active who has everything; tells whether they were in training and have it.

    The lead's one press, or by itself where the team wants it so.
    """
    if term.stage != Membership.Stage.IN_TRAINING or term.ended_on:
        return False
    if missing(person=term.person, team=term.team, on=memberships.day_of(now)):
        return False
    return memberships.move(membership=term, to="active", by=by, now=now, reason="has every course")


@transaction.atomic
def let_start_by_itself(*, team: Team, lets: bool, by: Person, now: dt.datetime) -> None:
    """Say whether people of a team become active by themselves; who has everything does at once."""
    if not lets:
        SelfStart.objects.filter(team=team).delete()
        audit.record("team.self_start_off", team, by=by, now=now)
        return
    SelfStart.objects.get_or_create(team=team, defaults={"since_at": now})
    audit.record("team.self_start_on", team, by=by, now=now)
    for term in in_training().filter(team=team):
        _go_on(term, now)


def look(*, person: Person, course: Course | None = None, now: dt.datetime) -> None:
    """In each team that now has all it asked for, go on: after a completion, or a beginning.

    After a ``course`` only teams that ask for it are looked at, so that their lead hears of it
    once. Inside the caller's transaction; mails leave after the commit.
    """
    terms = list(in_training().filter(person=person))
    if course:
        asking = Requirement.objects.filter(course=course)
        found = set(asking.values_list("team", "kind"))
        terms = [t for t in terms if {(t.team_id, None), (None, t.team.kind_id)} & found]
    alone = set(SelfStart.objects.values_list("team", flat=True))
    lacks = missing_of(terms, memberships.day_of(now))
    for term in terms:
        if lacks[term.pk]:
            continue
        if term.team_id in alone:
            _go_on(term, now)
        elif term.team.lead and term.team.lead.left_at is None:
            _tell_lead(term.team.lead, term)


def _go_on(term: Membership, now: dt.datetime) -> None:
    """Become active by itself, and tell the person."""
    if not start(term=term, by=None, now=now):
        return
    person = term.person
    with translation.override(person.language):
        subject = _("You are active: %(team)s") % {"team": term.team.name}
        body = _(
            "You have every course that %(team)s asks for, so your term has begun. What you take"
            " on is up to you.\n\n%(page)s"
        ) % {"team": term.team.name, "page": settings.SITE_URL + reverse("training")}
    transaction.on_commit(lambda: mails.send(person, subject, body, about=f"term {term.pk}"))


def _tell_lead(lead: Person, term: Membership) -> None:
    with translation.override(lead.language):
        said = {"who": term.person.name, "team": term.team.name}
        subject = _("%(who)s is ready for %(team)s") % said
        body = _(
            "%(who)s has completed every course that %(team)s asks for. One press makes the term"
            " active:\n\n%(page)s"
        ) % {**said, "page": settings.SITE_URL + reverse("training")}
    transaction.on_commit(lambda: mails.send(lead, subject, body, about=f"term {term.pk}"))
