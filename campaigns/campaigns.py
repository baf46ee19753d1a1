"""Campaigns: planned, changed, and what happened in them, for groups of five or more."""

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _

from ambassadors import anonymity, audit, tidying
from ambassadors.models import Person

from .models import Campaign, Post, Programme, Suggestion
from .refusals import FieldRefused, fitting

LONGEST_TITLE, LONGEST_TAG, LONGEST_DESCRIPTION = 120, 80, 5_000  # characters
LONGEST = dt.timedelta(days=366)
FARTHEST = dt.timedelta(days=2 * 366)
_TAG = re.compile(r"[^\W_][\w]*", re.UNICODE)


class NotPlanned(FieldRefused):
    """The campaign cannot stand like this; ``field`` says where the sentence belongs."""


class StaleCampaign(Exception):
    """Somebody else saved since this page was opened."""


class StaysThere(Exception):
    """A few people have posted on the suggestion already; moving it would tell on them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a curator typed."""

    title: str
    hashtag: str
    description: str
    language: str
    begins_on: dt.date
    ends_on: dt.date
    goal_own_words: int | None
    goal_conversations: int | None


def tag(typed: str) -> str:
    """A hashtag without its sign, as networks take it. Raises :class:`NotPlanned`."""
    clean = tidying.normal("NFC", typed.strip()).removeprefix("#").removeprefix("＃")
    if not clean:
        raise NotPlanned("hashtag", _("A campaign has a hashtag."))
    if len(clean) > LONGEST_TAG:
        raise NotPlanned(
            "hashtag", _("Shorter please, at most %(most)s characters.") % {"most": LONGEST_TAG}
        )
    if not _TAG.fullmatch(clean) or clean.isdecimal():
        raise NotPlanned("hashtag", _("Letters, digits and _ only, no spaces; not digits alone."))
    return clean


def _checked(plan: Plan, today: dt.date) -> dict[str, object]:
    """The columns of a plan. Raises :class:`NotPlanned`."""
    empty = _("Say what it is about.")
    title = fitting(NotPlanned, "title", plan.title, most=LONGEST_TITLE, empty=empty)
    description = fitting(
        NotPlanned, "description", plan.description, most=LONGEST_DESCRIPTION, empty=empty
    )
    if plan.ends_on < plan.begins_on:
        raise NotPlanned("ends_on", _("The end must not be before the beginning."))
    if plan.ends_on - plan.begins_on > LONGEST:
        raise NotPlanned("ends_on", _("A campaign lasts a year at most."))
    if plan.begins_on > today + FARTHEST:
        raise NotPlanned("begins_on", _("That is more than two years ahead."))
    if plan.goal_own_words is None and plan.goal_conversations is None:
        raise NotPlanned("goal_own_words", _("Set a goal: own words, conversations, or both."))
    return {
        "title": title,
        "hashtag": tag(plan.hashtag),
        "description": description,
        "language": plan.language,
        "begins_on": plan.begins_on,
        "ends_on": plan.ends_on,
        "goal_own_words": plan.goal_own_words,
        "goal_conversations": plan.goal_conversations,
    }


def plan(*, typed: Plan, submission: uuid.UUID, by: Person, now: dt.datetime) -> Campaign:
    """Make a campaign; the same form a second time finds the first. Raises NotPlanned."""
    same = Campaign.objects.filter(created_by=by, submission=submission)
    if standing := same.first():
        return standing
    today = Programme.the().today(now)
    columns = _checked(typed, today)
    if typed.begins_on < today:
        raise NotPlanned("begins_on", _("This day is in the past."))
    base = slugify(typed.hashtag)[:70] or "kampagne"
    for number in range(1, 50):
        slug = base if number == 1 else f"{base}-{number}"
        try:
            with transaction.atomic():
                campaign = Campaign.objects.create(
                    **columns,
                    slug=slug,
                    submission=submission,
                    created_by=by,
                    created_at=now,
                    changed_at=now,
                )
                audit.record("campaign.planned", campaign, by=by, now=now)
        except IntegrityError:
            if standing := same.first():
                return standing
        else:
            return campaign
    raise NotPlanned("hashtag", _("There were many campaigns with this hashtag. Choose another."))


@transaction.atomic
def change(
    *, campaign: Campaign, typed: Plan, seen_revision: int, by: Person, now: dt.datetime
) -> None:
    """Save a campaign if nobody saved since ``seen_revision``.

    Once it runs its beginning stays, and its end moves only into days to come: other dates would
    tell, by the difference of two figures, what a few people did on a day. Raises
    :class:`NotPlanned`, :class:`StaleCampaign`.
    """
    today = Programme.the().today(now)
    columns = _checked(typed, today)
    stands = campaign.stands(today)
    if stands == "ahead" and typed.begins_on < today:
        raise NotPlanned("begins_on", _("This day is in the past."))
    if stands != "ahead" and typed.begins_on != campaign.begins_on:
        raise NotPlanned("begins_on", _("It has begun; its beginning stays."))
    if stands == "over" and typed.ends_on != campaign.ends_on:
        raise NotPlanned("ends_on", _("It is over; its end stays."))
    if stands != "over" and typed.ends_on < today:
        raise NotPlanned("ends_on", _("This day is in the past."))
    rows = Campaign.objects.filter(pk=campaign.pk, revision=seen_revision)
    if not rows.update(**columns, revision=seen_revision + 1, changed_at=now):
        raise StaleCampaign
    audit.record("campaign.changed", campaign, by=by, now=now, revision=seen_revision + 1)


@transaction.atomic
def belong(
    *, suggestion: Suggestion, campaign: Campaign | None, by: Person, now: dt.datetime
) -> bool:
    """Put a suggestion into a campaign, or out of its own; tells whether that changed anything.

    Refused with :class:`StaysThere` where the figures before and after would differ by what a few
    people did: it comes in while nobody or at least five have posted on it in the campaign's
    days, and goes out while nobody has.
    """
    rows = Suggestion.objects.select_for_update(of=("self",)).select_related("campaign")
    locked = rows.get(pk=suggestion.pk)
    if locked.campaign_id == (campaign.pk if campaign else None):
        return False
    if locked.campaign and _people(locked, locked.campaign):
        raise StaysThere
    if campaign and (people := _people(locked, campaign)) and anonymity.shown(people) is None:
        raise StaysThere
    Suggestion.objects.filter(pk=locked.pk).update(campaign=campaign)
    audit.record(
        "campaign.belongs", suggestion, by=by, now=now, campaign=campaign.pk if campaign else None
    )
    return True


def _people(suggestion: Suggestion, campaign: Campaign) -> int:
    """How many have posted on a suggestion since a campaign began."""
    begin = dt.datetime.combine(campaign.begins_on, dt.time(), Programme.the().zone)
    posts = Post.objects.filter(suggestion=suggestion, created_at__gte=begin)
    return posts.values("person").distinct().count()


def overlapping(campaign: Campaign) -> "QuerySet[Campaign]":
    """Other campaigns with a day in common."""
    rows = Campaign.objects.exclude(pk=campaign.pk)
    return rows.filter(begins_on__lte=campaign.ends_on, ends_on__gte=campaign.begins_on)


@dataclass(frozen=True, slots=True)
class Place:
    """Posts on some networks, made by at least five people."""

    networks: tuple[str, ...]
    posts: int
    people: int


@dataclass(frozen=True, slots=True)
class Happened:
    """What came of a campaign until a day, each figure with the group behind it.

    ``None`` where fewer than five people stand behind a figure.
    """

    until: dt.date
    people: int
    posts: int
    own_words: int
    places: tuple[Place, ...]
    conversations: int | None
    conversing: int | None


@dataclass(frozen=True, slots=True)
class _Row:
    """What a figure reads of one post."""

    day: dt.date
    network: str
    person: int
    own_words: int
    conversations: int | None


def happened(campaign: Campaign, *, now: dt.datetime) -> Happened | None:
    """What happened, for everybody to read; None while fewer than five people took part.

    Counted in whole days, and in steps of at least five people: two answers on two days never
    differ by what fewer than five did. The last few may stay uncounted for ever.
    """
    programme = Programme.the()
    zone = programme.zone
    end = min(campaign.ends_on + dt.timedelta(days=1), programme.today(now))
    posts = Post.objects.filter(
        suggestion__campaign=campaign,
        created_at__gte=dt.datetime.combine(campaign.begins_on, dt.time(), zone),
        created_at__lt=dt.datetime.combine(end, dt.time(), zone),
    ).exclude(delivery__state__in=["queued", "cancelled", "failed"])
    columns = ("created_at", "network", "person", "own_share", "conversations")
    found = [
        _Row(at.astimezone(zone).date(), *rest)
        for at, *rest in posts.order_by("created_at", "pk").values_list(*columns)
    ]
    until = _last_step(found)
    if until is None:
        return None
    rows = [row for row in found if row.day <= until]
    by_network: dict[str, list[int]] = {}
    for row in rows:
        by_network.setdefault(row.network, []).append(row.person)
    measured = [row for row in rows if row.conversations is not None]
    conversing = anonymity.shown(len({row.person for row in measured}))
    return Happened(
        until=until,
        people=len({row.person for row in rows}),
        posts=len(rows),
        own_words=round(sum(row.own_words for row in rows) / len(rows)),
        places=places(by_network),
        conversations=sum(row.conversations or 0 for row in measured) if conversing else None,
        conversing=conversing,
    )


def _last_step(rows: Sequence[_Row]) -> dt.date | None:
    """The last day that completes a step: five people since the day of the step before."""
    last: dt.date | None = None
    people: set[int] = set()
    for day, of_day in groupby(rows, key=lambda row: row.day):
        people.update(row.person for row in of_day)
        if anonymity.shown(len(people)) is not None:
            last, people = day, set()
    return last


def places(by_network: Mapping[str, Iterable[int]]) -> tuple[Place, ...]:
    """Posts by network; ``by_network`` holds the author of each post.

    Networks with fewer than five people are put together, with the smallest of the others if need
    be: what is missing from the sum must not tell what four people did either.
    """
    groups: list[tuple[tuple[str, ...], list[int]]] = sorted(
        (((network,), list(authors)) for network, authors in by_network.items()),
        key=lambda group: (len(set(group[1])), group[0]),
    )
    rest: tuple[tuple[str, ...], list[int]] = ((), [])
    while groups and (
        anonymity.shown(len(set(groups[0][1]))) is None
        or (rest[1] and anonymity.shown(len(set(rest[1]))) is None)
    ):
        names, authors = groups.pop(0)
        rest = (rest[0] + names, rest[1] + authors)
    if rest[1]:
        groups.append(rest)
    found = [Place(tuple(sorted(names)), len(a), len(set(a))) for names, a in groups]
    return tuple(sorted(found, key=lambda place: (-place.posts, place.networks)))
