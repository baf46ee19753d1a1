"""How much rests on the three who carry most, together, and never who they are.

Blind to names: the figure stays the same when any two people change places. ``docs/programme.md``
says why it may be told at all.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from ambassadors import anonymity, consents
from ambassadors.anonymity import Group
from campaigns.models import Post

WINDOW = dt.timedelta(days=365)
REST = dt.timedelta(days=28)
_COUNTED = ("likes", "reposts", "replies", "quotes")


@dataclass(frozen=True, slots=True)
class Concentration:
    """``third``: 1 up to a third rests on three, 2 up to two, 3 more; None where it is not told.

    ``measured``: from reactions that networks counted or people typed in, else from the number of
    posts alone, which is an estimate of what comes back. ``people`` is a step.
    """

    third: int | None
    measured: bool
    people: int | None
    since: dt.datetime


def reactions(*, now: dt.datetime) -> dict[int, float]:
    """Reactions and replies of a year by author, of those whose yes names figures of groups."""
    yes = consents.current("engagement").filter(person=OuterRef("person"))
    has_figures = Q(measured_at__isnull=False) | Q(reported_at__isnull=False)
    counted = Sum(reduce(add, (Coalesce(F(name), 0) for name in _COUNTED)))
    rows = _posts(now).filter(Exists(yes), has_figures)
    return dict(rows.values_list("person").annotate(n=counted))


def posts(*, now: dt.datetime) -> dict[int, float]:
    """Posts of a year by author."""
    return dict(_posts(now).values_list("person").annotate(n=Count("pk")))


def _posts(now: dt.datetime) -> "QuerySet[Post]":
    """Posts that left, on people's own accounts. Whoever left the company counts until they age."""
    rows = Post.objects.filter(created_at__gte=now - WINDOW, takeover__isnull=True)
    return rows.exclude(delivery__state__in=["queued", "cancelled", "failed"]).order_by()


def tell(
    reactions: Mapping[int, float], posts: Mapping[int, float]
) -> dict[str, int | bool | None]:
    """What is told of both: reactions where enough people have some, else posts."""
    third, measured, whose = anonymity.third(reactions), True, reactions
    if len([n for n in reactions.values() if n > 0]) < anonymity.BESIDE_THREE:
        third, measured, whose = anonymity.third(posts), False, posts
    people = anonymity.told(Group.of(key for key, value in whose.items() if value > 0))
    return {"third": third, "measured": measured, "people": people if third else None}


def concentration(*, now: dt.datetime) -> Concentration:
    """What is told at present: it moves on after four weeks, when five people's part changed."""

    def make() -> anonymity.Figure:
        measured, made = reactions(now=now), posts(now=now)
        answers = {key: (measured.get(key, 0), made[key]) for key in made}
        return anonymity.Figure(answers, tell(measured, made))

    kept, since = anonymity.settled("concentration", make, now=now, rest=REST)
    return Concentration(**kept, since=since)
