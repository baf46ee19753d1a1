"""How far people come, from the invitation to a post, told once a month and without a name.

Each step lies in the one before, so every number is a step of 1-2-5 with one person more or less
left out (:func:`ambassadors.anonymity.told`), and how many of a group did something is told only
where five did not.
"""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from ambassadors import anonymity
from ambassadors.anonymity import Group
from ambassadors.memberships import later
from ambassadors.models import Membership
from campaigns import months

from .models import Invitation

_NAME = "adoption "
_HERE = ("in_training", "active", "paused", "alumni")


@dataclass(frozen=True, slots=True)
class Adoption:
    """Until the end of a month. ``invited`` counts mails; None where it is not told.

    ``joined``: in a team or took part; ``rehearsed``: on the practice wall, or posted; ``posted``:
    on a network; ``active``: in this very month.
    """

    invited: int | None
    joined: int | None
    rehearsed: int | None
    posted: int | None
    active: int | None


def close_due(*, now: dt.datetime) -> int:
    """Close every month that is ripe, with what came of it; returns how many."""
    ripe = months.due(now=now)
    for first in ripe:
        with transaction.atomic():
            anonymity.freeze(f"{_NAME}{first:%Y-%m}", asdict(tell(first)), now=now)
            months.close(first, now=now)
    return len(ripe)


def of(first: dt.date) -> Adoption | None:
    """What is told of a closed month. One query."""
    name = f"{_NAME}{first:%Y-%m}"
    content = anonymity.frozen(name).get(name)
    return Adoption(**content) if content else None


def _people(rows: "QuerySet[Any]") -> set[int]:
    return set(rows.order_by().values_list("person", flat=True).distinct())


def tell(first: dt.date) -> Adoption:
    """What may be told. Five queries."""
    begin, end = months.span(first)
    practice = Q(network=months.PRACTICE)
    left = months.left().filter(created_at__lt=end)
    posted = _people(left.exclude(practice))
    rehearsed = posted | _people(left.filter(practice))
    members = Membership.objects.filter(stage__in=_HERE, started_on__lt=later(first, 1))
    joined = rehearsed | _people(members)
    active = _people(left.filter(created_at__gte=begin).exclude(practice))
    sent = Invitation.objects.exclude(state="queued").filter(sent_at__lt=end)
    everybody = Group.of(joined)

    def of_them(people: set[int]) -> int | None:
        return anonymity.split(Group.of(people), Group.of(joined - people))

    return Adoption(
        invited=anonymity.told(Group.of(sent.values_list("pk", flat=True))),
        joined=anonymity.told(everybody),
        rehearsed=of_them(rehearsed),
        posted=of_them(posted),
        active=of_them(active),
    )
