"""Review: handed in, looked at by as many as the class asks for, approved or given back.

Every yes is a row of :class:`Approval` for exactly one revision. Triggers hold the same rules, so
that no other way into the database can approve alone.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable
from django.utils.translation import gettext as _

from ambassadors import absences, audit
from ambassadors.absences import StandIn
from ambassadors.models import Person
from integrations import webhooks

from .models import Approval, Programme, Suggestion, Topic
from .models.programme import ContentClass
from .suggestions import NotAllowed, StaleRevision, checks, step

# What somebody of the legal department must see as well.
LEGAL = frozenset({ContentClass.PRODUCT, ContentClass.POLITICAL})
ROLES = {Approval.Kind.EDITORIAL: "curator", Approval.Kind.LEGAL: "legal"}
# After this time what waits for one person waits for everybody who may decide.
FORGOTTEN = dt.timedelta(hours=48)


def needed(content_class: str) -> list[str]:
    """The kinds of look that a class asks for, in their order."""
    return list(ROLES) if content_class in LEGAL else [Approval.Kind.EDITORIAL]


def given(suggestion: Suggestion) -> list[Approval]:
    """The looks at the revision as it is now, first one first."""
    return [a for a in suggestion.approval_set.all() if a.revision == suggestion.revision]


def _waits(suggestion: Suggestion) -> list[str]:
    """The kinds of look that are still missing."""
    done = {approval.kind for approval in given(suggestion)}
    return [kind for kind in needed(suggestion.content_class) if kind not in done]


def wrote(suggestion: Suggestion, person: Person) -> bool:
    """Tell whether these are the person's words: they began it, or saved this revision."""
    return person.pk in {suggestion.author_id, suggestion.changed_by_id}


def obstacle(suggestion: Suggestion, person: Person, kind: str, *, two: bool) -> str:
    """Why the person cannot give this look, empty when they can; ``two`` as in the programme."""
    if not person.has_role(ROLES[Approval.Kind(kind)]):
        if kind == Approval.Kind.LEGAL:
            return _("Somebody of the legal department must look at this.")
        return _("Somebody of the newsroom must look at this.")
    if wrote(suggestion, person) and (two or kind == Approval.Kind.LEGAL):
        if suggestion.author_id == person.pk:
            return _("Somebody else must approve what you wrote.")
        return _("You changed it last; somebody else must approve it.")
    done = given(suggestion)
    if any(approval.person_id == person.pk for approval in done):
        return _("You have said yes already; the other look is somebody else's.")
    if kind not in needed(suggestion.content_class):
        return _("This class does not need that look.")
    for approval in done:
        if approval.kind == kind:
            return _("%(name)s has looked at it already.") % {"name": approval.person.name}
    return ""


@transaction.atomic
def hand_in(*, suggestion: Suggestion, seen_revision: int, by: Person, now: dt.datetime) -> None:
    """Send a draft to review. Raises :class:`StaleRevision`, :class:`NotAllowed`."""
    _must_be_complete(suggestion, now)
    if suggestion.state != Suggestion.State.DRAFT:
        raise StaleRevision
    step(
        suggestion,
        "handed_in",
        to="in_review",
        seen_revision=seen_revision,
        by=by,
        now=now,
        handed_in_at=now,
    )


def _must_be_complete(suggestion: Suggestion, now: dt.datetime) -> None:
    """Refuse what the checks say no to. Raises :class:`NotAllowed` with the first sentence."""
    found = checks(suggestion, list(suggestion.variant_set.all()), on=now.date())
    for kind, _field, sentence in found:
        if kind == "no":
            raise NotAllowed(sentence)


@transaction.atomic
def approve(
    *,
    suggestion: Suggestion,
    seen_revision: int,
    by: Person,
    now: dt.datetime,
    kind: str = Approval.Kind.EDITORIAL,
) -> bool:
    """Say yes to exactly the revision the person has seen; tells whether it is approved now.

    The row is locked, so of two at the same moment the second one sees the first. Effects in
    order: the approval, audit entry; with the last look that was missing the state, audit entry.
    Raises :class:`StaleRevision` when it changed meanwhile, :class:`NotAllowed` with why.
    """
    stored = (
        Suggestion.objects.select_for_update(of=("self",))
        .select_related("topic")
        .get(pk=suggestion.pk)
    )
    if stored.revision != seen_revision:
        raise StaleRevision
    if stored.state != Suggestion.State.IN_REVIEW:
        if stored.state == Suggestion.State.APPROVED:
            raise NotAllowed(_("Somebody else has approved it already."))
        raise StaleRevision
    why = obstacle(stored, by, kind, two=Programme.the().two_person_review)
    if why:
        raise NotAllowed(why)
    _must_be_complete(stored, now)
    Approval.objects.create(
        suggestion=stored, revision=seen_revision, kind=kind, person=by, given_at=now
    )
    audit.record("suggestion.looked_at", stored, by=by, now=now, revision=seen_revision, kind=kind)
    if _waits(stored):
        return False
    step(
        stored,
        "approved",
        to="approved",
        seen_revision=seen_revision,
        by=by,
        now=now,
        approved_at=now,
        approved_by=by,
        returned_note="",
    )
    facts = {"suggestion": stored.pk, "topic": stored.topic_id}
    webhooks.tell("suggestion.approved", facts, now=now)
    suggestion.refresh_from_db()
    return True


def carry(*, suggestion: Suggestion, source: int) -> None:
    """Let the looks at an earlier revision count for this one, which says the same again.

    For the undo of an act, in its transaction. While it stays approved, a change of what needs no
    look (owner, end, a later beginning) carries them by itself: the database does.
    """
    for approval in Approval.objects.filter(suggestion=suggestion, revision=source):
        Approval.objects.get_or_create(
            suggestion=suggestion,
            revision=suggestion.revision,
            kind=approval.kind,
            defaults={"person": approval.person, "given_at": approval.given_at},
        )


@transaction.atomic
def give_back(
    *, suggestion: Suggestion, seen_revision: int, note: str, by: Person, now: dt.datetime
) -> None:
    """Return a suggestion to its author with a word why; the author needs none.

    Raises :class:`StaleRevision`, and :class:`NotAllowed` without a word.
    """
    if suggestion.state != Suggestion.State.IN_REVIEW:
        raise StaleRevision
    if not note and suggestion.author_id != by.pk:
        raise NotAllowed(_("Say why, in one sentence for the author."))
    step(
        suggestion,
        "returned",
        to="draft",
        seen_revision=seen_revision,
        by=by,
        now=now,
        returned_note=note,
    )


# The queue ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wait:
    """One missing look: which, for whom first, and who stands in."""

    kind: str
    people: list[Person]
    stand_in: StandIn | None
    obstacle: str


@dataclass(frozen=True, slots=True)
class Row:
    """A suggestion in the queue as one person sees it."""

    suggestion: Suggestion
    waits: list[Wait]
    given: list[Approval]
    forgotten: bool

    @property
    def may(self) -> str:
        """The kind of look the person can give now, empty for none."""
        return next((wait.kind for wait in self.waits if not wait.obstacle), "")


def waiting() -> "QuerySet[Suggestion]":
    """All that waits for a look, the oldest first."""
    return (
        Suggestion.objects.filter(state=Suggestion.State.IN_REVIEW)
        .select_related("topic__owner", "author", "changed_by")
        .prefetch_related("approval_set__person")
        .order_by("handed_in_at", "pk")
    )


def of_one(pk: int) -> "QuerySet[Suggestion]":
    """One suggestion with everything that a reviewer looks at."""
    return (
        Suggestion.objects.filter(pk=pk)
        .select_related("topic__owner", "author", "changed_by", "picture")
        .prefetch_related("approval_set__person", "variant_set", "teams", "sites", "kinds")
    )


def waiting_for(person: Person, *, now: dt.datetime) -> "QuerySet[Suggestion]":
    """What waits for this person: as the topic's owner or deputy, as legal, or standing in.

    A topic without an owner waits for the whole newsroom; so does one whose owner wrote the
    suggestion or has left, and everything after :data:`FORGOTTEN`. Never one's own.
    """
    looked = Approval.objects.filter(suggestion=OuterRef("pk"), revision=OuterRef("revision"))
    mine: Q | Combinable = Q(pk__in=[])
    if person.has_role("curator"):
        away = absences.stands_in_for(person, person.local(now).date())
        editorial = (
            Q(topic__owner__in=[person.pk, *away])
            | Q(topic__in=Topic.objects.filter(deputies=person).values("pk"))
            | Q(topic__owner__isnull=True)
            | Q(topic__owner__left_at__isnull=False)
            | Q(topic__owner=F("author"))
            | Q(topic__owner=F("changed_by"))
            | Q(handed_in_at__lte=now - FORGOTTEN)
        )
        mine |= editorial & ~Exists(looked.filter(kind=Approval.Kind.EDITORIAL))
    if person.has_role("legal"):
        mine |= Q(content_class__in=LEGAL) & ~Exists(looked.filter(kind=Approval.Kind.LEGAL))
    theirs = Q(author=person) | Q(changed_by=person)
    return waiting().filter(mine).exclude(theirs).exclude(Exists(looked.filter(person=person)))


def rows(suggestions: Iterable[Suggestion], person: Person, *, now: dt.datetime) -> list[Row]:
    """The suggestions as the person sees them: what is missing, for whom, and why not for them."""
    two = Programme.the().two_person_review
    away = absences.deputies(person.local(now).date())
    legal = list(Person.objects.filter(role__name="legal", left_at__isnull=True, is_active=True))
    found = []
    for suggestion in suggestions:
        waits = [
            _wait(suggestion, person, kind, legal, away, two=two) for kind in _waits(suggestion)
        ]
        since = suggestion.handed_in_at
        forgotten = since is not None and since <= now - FORGOTTEN
        found.append(Row(suggestion, waits, given(suggestion), forgotten))
    return found


def _wait(
    suggestion: Suggestion,
    person: Person,
    kind: str,
    legal: list[Person],
    away: dict[int, StandIn],
    *,
    two: bool,
) -> Wait:
    """One missing look: the topic's owner or the legal people, or who stands in for them."""
    owner = suggestion.topic.owner
    asked = legal if kind == Approval.Kind.LEGAL else [owner] if owner else []
    asked = [who for who in asked if who.left_at is None and not wrote(suggestion, who)]
    stand_in = next((away[who.pk] for who in asked if who.pk in away), None)
    people = []
    for who in asked:
        here = away[who.pk].deputy if who.pk in away else who
        if here not in people and not wrote(suggestion, here):
            people.append(here)
    return Wait(kind, people, stand_in, obstacle(suggestion, person, kind, two=two))
