"""Requests to comment, like or share: made, put away, ended. Nobody is ever counted."""

import datetime as dt
import uuid
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Membership, Person, TeamKind
from integrations.networks import NETWORKS

from .models import Activity, ActivityAnswer, Topic
from .refusals import FieldRefused, fitting

ON_TODAY = 2
LONGEST_TITLE, LONGEST_WHY = 120, 400  # characters
FARTHEST = dt.timedelta(days=60)


class NotMade(FieldRefused):
    """The request cannot stand like this; ``field`` says where the sentence belongs."""


def check_link(url: str) -> str:
    """The address as people open it. Raises :class:`NotMade`."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    plain = url.isprintable() and not any(char.isspace() for char in url) and len(url) <= 1_000
    if not plain or parts.scheme != "https" or "." not in host or parts.username is not None:
        raise NotMade("link_url", _("Paste the address of the post; it begins with https://."))
    return url


def network_of(url: str) -> str:
    """The name of the network an address belongs to, empty when it is none we know."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    for network in NETWORKS.values():
        if any(host == known or host.endswith(f".{known}") for known in network.abilities.hosts):
            return network.abilities.name
    return ""


@transaction.atomic
def make(
    *,
    kind: str,
    topic: Topic,
    title: str,
    why: str,
    link_url: str,
    ends_at: dt.datetime,
    submission: uuid.UUID,
    by: Person,
    now: dt.datetime,
) -> Activity:
    """Ask colleagues for something they may do by hand. Raises :class:`NotMade`."""
    empty = _("Say in a few words what it is about.")
    title = fitting(NotMade, "title", title, most=LONGEST_TITLE, empty=empty)
    empty = _("Say why; nobody comments without a reason.")
    why = fitting(NotMade, "why", why, most=LONGEST_WHY, empty=empty)
    link = check_link(link_url)
    if kind not in Activity.Kind.values:
        raise NotMade("kind", _("Choose what people may do."))
    if ends_at <= now:
        raise NotMade("ends_at", _("This moment is in the past."))
    if ends_at > now + FARTHEST:
        raise NotMade("ends_at", _("60 days at most: a request that stays is no request."))
    activity, new = Activity.objects.get_or_create(
        created_by=by,
        submission=submission,
        defaults={
            "kind": kind,
            "topic": topic,
            "title": title,
            "why": why,
            "language": by.language,
            "link_url": link,
            "ends_at": ends_at,
            "created_at": now,
        },
    )
    if new:
        audit.record("activity.made", activity, by=by, now=now, kind=kind)
    return activity


@transaction.atomic
def end(*, activity: Activity, by: Person, now: dt.datetime) -> bool:
    """End a request early; tells whether it was still going."""
    going = Activity.objects.filter(pk=activity.pk, ended_at__isnull=True, ends_at__gt=now)
    if not going.update(ended_at=now):
        return False
    audit.record("activity.ended", activity, by=by, now=now)
    return True


def put_away(*, activity: Activity, person: Person) -> None:
    """Show a request to this person no more. No audit entry: it is nobody else's business."""
    ActivityAnswer.objects.get_or_create(activity=activity, person=person)


def for_today(person: Person, now: dt.datetime) -> list[Activity]:
    """The one or two requests that end first and that the person has not put away."""
    rows = Activity.objects.live(now).open_to(person)
    return list(rows.order_by("ends_at", "pk")[:ON_TODAY])


def as_multiplier(person: Person | int, on: dt.date) -> "QuerySet[Membership]":
    """Where the person is active as a multiplier: then Today shows requests before suggestions.

    The one place where the kind of somebody's team orders the page.
    """
    return Membership.objects.serving(TeamKind.Behaviour.MULTIPLIER, on).filter(person=person)
