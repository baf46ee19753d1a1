"""Sources: claim what is due, read it, remember what was seen, write drafts. Nothing is handed in.

A source is claimed by one conditional UPDATE that numbers the claim; what a slower worker brings
with an older number is dropped. While it is read no transaction is open.
"""

import datetime as dt
import logging
import urllib.parse
from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person
from integrations import feed_pages, feeds
from integrations.feed_rows import Entry, Feed, Reading, Unreadable
from integrations.safe_fetch import NotFetched, fetch

from . import source_items
from .models import Source, SourceRule

log = logging.getLogger(__name__)
LEASE = dt.timedelta(minutes=5)
SLOWEST = dt.timedelta(days=1)
_TITLES = 5  # pages of a sitemap that are read for their title in one go
_TITLE_SECONDS = 4.0
# What the reading of a source may change by hand.
_SETTINGS = ("name", "topic_id", "content_class", "tone", "language", "every_minutes", "keeper_id")


class NotNow(Exception):
    """The step is not possible; the message says why."""


def own_hosts() -> frozenset[str]:
    """Our own name, which is never asked."""
    return frozenset({urllib.parse.urlsplit(settings.SITE_URL).hostname or ""})


def look(url: str, *, now: dt.datetime) -> Reading:
    """Read an address that nobody has added yet; a page that names its feed leads to the feed.

    Raises :class:`Unreadable`.
    """
    reading = feeds.read(url, own_hosts=own_hosts(), now=now)
    if reading.feed and reading.feed.found_feed:
        try:
            return feeds.read(reading.feed.found_feed, own_hosts=own_hosts(), now=now)
        except Unreadable:
            if not reading.feed.entries:
                raise
    return reading


@transaction.atomic
def add(*, source: Source, reading: Reading, drafts: int, by: Person, now: dt.datetime) -> Source:
    """Keep a source. Its newest ``drafts`` entries become drafts, the others count as seen.

    Raises :class:`NotNow` when the address is there already.
    """
    feed = reading.feed
    if feed is None:  # a server that says "unchanged" to somebody who has nothing
        raise NotNow(_("The server does not answer."))
    source.url, source.kind, source.keeper = reading.url, feed.kind, by
    source.etag, source.modified = reading.etag, reading.modified
    source.added_at = source.read_at = source.tried_at = now
    source.next_fetch_at = now + dt.timedelta(minutes=source.every_minutes)
    source.older, source.unusable = feed.older, feed.unusable
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError as error:
        raise NotNow(_("This address is among the sources already.")) from error
    audit.record("source.added", source, by=by, now=now, kind=source.kind)
    source_items.take_in(source=source, entries=feed.entries, drafts=drafts, now=now)
    return source


@transaction.atomic
def change(*, source: Source, by: Person, now: dt.datetime) -> None:
    """Store what a form changed; the marks and claims of a reading in flight stay.

    A source whose keeper has left the company goes to who saves it.
    """
    if source.keeper.left_at:
        source.keeper = by
    source.save(update_fields=[name.removesuffix("_id") for name in _SETTINGS])
    audit.record("source.changed", source, by=by, now=now)


@transaction.atomic
def pause(*, source: Source, by: Person | None, now: dt.datetime) -> bool:
    """Read it no more until somebody resumes; tells whether it was running."""
    paused = Source.objects.filter(pk=source.pk, paused_at__isnull=True).update(paused_at=now)
    if paused:
        audit.record("source.paused", source, by=by, now=now)
    return bool(paused)


@transaction.atomic
def resume(*, source: Source, by: Person, now: dt.datetime) -> bool:
    """Read it again, at once; tells whether it was paused."""
    resumed = Source.objects.filter(pk=source.pk, paused_at__isnull=False).update(
        paused_at=None, next_fetch_at=now, failures=0
    )
    if resumed:
        audit.record("source.resumed", source, by=by, now=now)
    return bool(resumed)


@transaction.atomic
def remove(*, source: Source, by: Person, now: dt.datetime) -> None:
    """Forget a source and what was seen of it; drafts stay."""
    audit.record("source.removed", source, by=by, now=now)
    source.delete()


@transaction.atomic
def add_rule(*, rule: SourceRule, by: Person, now: dt.datetime) -> None:
    """Keep a rule. Raises :class:`NotNow` when its words have one already."""
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError as error:
        raise NotNow(_("There is a rule for these words already.")) from error
    audit.record("source.rule_added", rule, by=by, now=now)


@transaction.atomic
def remove_rule(*, rule: SourceRule, by: Person, now: dt.datetime) -> None:
    """Forget a rule; what it made stays."""
    audit.record("source.rule_removed", rule, by=by, now=now)
    rule.delete()


def claim(*, now: dt.datetime, pk: int | None = None) -> Source | None:
    """Take the one due longest, or the one asked for; nobody else gets it for five minutes."""
    rows = Source.objects.filter(paused_at__isnull=True)
    rows = rows.filter(pk=pk) if pk else rows.filter(next_fetch_at__lte=now)
    with transaction.atomic():
        source = rows.order_by("next_fetch_at").select_for_update(skip_locked=True).first()
        if source is None:
            return None
        source.attempt += 1
        source.tried_at, source.next_fetch_at = now, now + LEASE
        source.save(update_fields=["attempt", "tried_at", "next_fetch_at"])
    return source


def read(source: Source, *, now: dt.datetime) -> bool:
    """Read a claimed source and store what came, or why nothing came; tells whether it was read."""
    try:
        reading = feeds.read(
            source.url,
            own_hosts=own_hosts(),
            now=now,
            kind=source.kind,
            etag=source.etag,
            modified=source.modified,
        )
    except Unreadable as error:
        _failed(source, error, now=now)
        return False
    entries: tuple[Entry, ...] = ()
    if reading.feed:
        entries = reading.feed.entries
        if source.kind == Feed.SITEMAP:
            new = source_items.unknown(entries)
            entries = _with_titles(new)
            if len(entries) < len(new):  # the rest must come next time, so no "not modified"
                reading = replace(reading, etag="", modified="")
    return _store(source, reading, entries, now=now)


@transaction.atomic
def _store(
    source: Source, reading: Reading, entries: tuple[Entry, ...], *, now: dt.datetime
) -> bool:
    counts = {}
    if reading.feed:
        counts = {"older": reading.feed.older, "unusable": reading.feed.unusable}
    ours = Source.objects.filter(pk=source.pk, attempt=source.attempt).update(
        read_at=now,
        failures=0,
        why="",
        detail="",
        etag=reading.etag,
        modified=reading.modified,
        next_fetch_at=now + dt.timedelta(minutes=source.every_minutes),
        **counts,
    )
    if ours:
        source_items.take_in(source=source, entries=entries, now=now)
    return bool(ours)


def _failed(source: Source, error: Unreadable, *, now: dt.datetime) -> None:
    """Note why, and wait: twice as long each time up to a day, and as the server asks."""
    wait = dt.timedelta(minutes=source.every_minutes) * 2 ** min(source.failures, 10)
    wait = min(wait, SLOWEST)
    if error.retry_after:
        wait = max(wait, dt.timedelta(seconds=error.retry_after))
    gone = error.why == "status" and error.detail == "410"
    Source.objects.filter(pk=source.pk, attempt=source.attempt).update(
        failures=F("failures") + 1,
        why="gone" if gone else error.why,
        detail=error.detail[:300],
        next_fetch_at=now + wait,
    )
    if gone:
        pause(source=source, by=None, now=now)


def _with_titles(new: Sequence[Entry]) -> tuple[Entry, ...]:
    """Read new pages for their titles, a few in one go; the others come next time."""
    told = []
    for entry in new[:_TITLES]:
        try:
            page = fetch(entry.link, own_hosts=own_hosts(), seconds=_TITLE_SECONDS)
            card = feed_pages.card(page)
        except (NotFetched, Unreadable):
            continue
        told.append(
            Entry(entry.guid, entry.link, card.title, card.description, entry.categories, entry.at)
        )
    return tuple(told)


def read_due(*, now: dt.datetime, most: int = 5) -> int:
    """Read what is due, at most a few in one go; returns how many were tried."""
    count = 0
    while count < most and (source := claim(now=now)):
        try:
            read(source, now=now)
        except Exception:
            log.exception("reading source %s", source.pk)
            _failed(source, Unreadable("broken"), now=now)
        count += 1
    return count
