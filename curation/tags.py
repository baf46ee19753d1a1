"""Hashtag watch: count our own tags a day at a time, and see which ones colleagues begin to use."""

import datetime as dt
import re
from collections import defaultdict

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ambassadors import anonymity, audit, tidying
from ambassadors.models import Person
from campaigns.models import Campaign, Post
from integrations import tag_counts
from integrations.tag_counts import Count, NotCounted

from .models import TagDay, TagReading, WatchedTag

MOST = 30
SHOWN = dt.timedelta(days=28)
_NAME = re.compile(r"\w*[^\W\d_]\w*")
_TAG = re.compile(r"(?<![\w&/#])#(\w{2,64})")
_MOST_POSTS = 20_000  # read for what colleagues begin to use


class TagRefused(Exception):
    """The hashtag is not watched; the message says why."""


def key_of(name: str) -> str:
    """What two spellings of one hashtag have in common."""
    return tidying.normal("NFKC", name).casefold()[:64]


@transaction.atomic
def watch(*, name: str, by: Person, now: dt.datetime) -> WatchedTag:
    """Watch a hashtag from now on. Raises :class:`TagRefused`."""
    plain = tidying.normal("NFC", name.strip().lstrip("#＃"))
    if len(plain) > 64 or not _NAME.fullmatch(plain):
        raise TagRefused(_("Letters, digits and _ only, at least one letter."))
    if WatchedTag.objects.count() >= MOST:
        raise TagRefused(_("At most %(most)s hashtags at once.") % {"most": MOST})
    try:
        with transaction.atomic():
            tag = WatchedTag.objects.create(
                name=plain, key=key_of(plain), added_by=by, added_at=now
            )
    except IntegrityError as error:
        raise TagRefused(_("This hashtag is watched already.")) from error
    audit.record("tag.watched", tag, by=by, now=now)
    return tag


@transaction.atomic
def forget(*, tag: WatchedTag, by: Person, now: dt.datetime) -> None:
    """Watch it no more; its numbers go, too."""
    audit.record("tag.forgotten", tag, by=by, now=now)
    tag.delete()


def count_all(*, now: dt.datetime) -> int:
    """Ask the networks about every tag; returns how many answers had numbers."""
    counted = 0
    yesterday = now.astimezone(dt.UTC).date() - dt.timedelta(days=1)
    for tag in WatchedTag.objects.all():
        counted += _count(tag, "mastodon", yesterday, now)
        counted += _count(tag, "bluesky", yesterday, now)
    return counted


def _count(tag: WatchedTag, network: str, yesterday: dt.date, now: dt.datetime) -> int:
    """Store the finished days a network tells; a day that is still running is not told."""
    why, found = "", list[Count]()
    try:
        if network == "mastodon":
            found = tag_counts.mastodon(tag.name, settings.HASHTAG_MASTODON_URL)
        else:
            days = [yesterday - dt.timedelta(days=back) for back in _missing(tag, yesterday)]
            server = settings.BLUESKY_APPVIEW_URL
            for day in days:  # one by one: what was told stays when a later day is not
                found.append(tag_counts.bluesky(tag.name, server, day=day))
    except NotCounted as error:
        why = error.why
    rows = [
        TagDay(tag=tag, network=network, day=c.day, uses=c.uses, capped=c.capped)
        for c in found
        if c.day <= yesterday
    ]
    with transaction.atomic():
        TagDay.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["tag", "network", "day"],
            update_fields=["uses", "capped"],
        )
        TagReading.objects.update_or_create(
            tag=tag, network=network, defaults={"read_at": now, "why": why}
        )
    return int(not why)


def _missing(tag: WatchedTag, yesterday: dt.date) -> list[int]:
    """How many days back Bluesky was not asked yet, at most a week; yesterday always."""
    since = yesterday - dt.timedelta(days=6)
    known = set(tag.days.filter(network="bluesky", day__gte=since).values_list("day", flat=True))
    return [n for n in range(7) if n == 0 or yesterday - dt.timedelta(days=n) not in known]


def of_campaigns(*, today: dt.date) -> list[str]:
    """Hashtags of campaigns that run or come and that nobody watches yet."""
    watched = set(WatchedTag.objects.values_list("key", flat=True))
    ahead = Campaign.objects.filter(ends_on__gte=today).order_by("begins_on", "pk")
    names = {key_of(name): name for name in ahead.values_list("hashtag", flat=True)[:MOST]}
    return [name for key, name in names.items() if key not in watched]


def emerging(*, now: dt.datetime) -> list[tuple[str, int]]:
    """Tags in colleagues' own posts that nobody watches, with how many people used each.

    Only where enough people stand behind it; the text is looked at and not kept.
    """
    people: dict[str, set[int]] = defaultdict(set)
    spelt: dict[str, str] = {}
    posts = Post.objects.filter(created_at__gte=now - SHOWN, text__contains="#").order_by("-pk")
    for person, text in posts.values_list("person_id", "text")[:_MOST_POSTS]:
        for name in _TAG.findall(text):
            if _NAME.fullmatch(name):
                people[key_of(name)].add(person)
                spelt.setdefault(key_of(name), name)
    watched = set(WatchedTag.objects.values_list("key", flat=True))
    found = [
        (spelt[key], count)
        for key, who in people.items()
        if key not in watched and (count := anonymity.shown(len(who)))
    ]
    return sorted(found, key=lambda row: (-row[1], row[0].casefold()))[:12]
