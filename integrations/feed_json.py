"""JSON Feed and job lists in JSON."""

import datetime as dt
import json
from typing import Any

from . import cleaning
from .feed_jobs import entry_of
from .feed_rows import NEWEST, Entry, Feed, Unreadable, newest
from .safe_fetch import Page

_LISTS = (
    "items",
    "jobs",
    "offers",
    "positions",
    "content",
    "results",
    "data",
    "@graph",
    "postings",
)
_MOST = 20_000  # rows that are looked at


def parse(page: Page, *, now: dt.datetime) -> Feed:
    """Read a JSON page. Raises :class:`Unreadable`."""
    try:
        found = json.loads(page.body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("malformed", "1") from error
    rows = [row for row in _rows(found)[:_MOST] if isinstance(row, dict)]
    if not rows:
        raise Unreadable("not_a_feed")
    read: list[Entry | None] = [entry_of(row, page.url, now) for row in rows]
    entries, older, unusable = newest(read)
    is_feed = isinstance(found, dict) and "jsonfeed.org" in str(found.get("version", ""))
    title = cleaning.text(found.get("title"), 120) if isinstance(found, dict) else ""
    older += max(len(_rows(found)) - _MOST, 0)
    return Feed(Feed.FEED if is_feed else Feed.JOBS, title, entries[:NEWEST], older, unusable)


def _rows(found: Any) -> list[Any]:
    """The list of entries: the page itself, or the first list under a name that means one."""
    if isinstance(found, list):
        return found
    for name in _LISTS:
        if isinstance(rows := found.get(name), list):
            return rows
    return []
