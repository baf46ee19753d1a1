"""What reading a feed gives, and why it gives nothing."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

NEWEST = 100  # entries kept of a feed; the rest is counted


class Unreadable(Exception):
    """Nothing could be read. ``why`` is a key of :data:`integrations.reasons.SENTENCES`.

    ``detail`` completes the sentence; ``retry_after`` is the server's wish in seconds.
    """

    def __init__(self, why: str, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(f"{why} {detail}".strip())
        self.why = why
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing somebody published. All words are plain text, the link is https."""

    guid: str
    link: str
    title: str
    summary: str = ""
    categories: tuple[str, ...] = ()
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """The newest entries first.

    ``older`` were left out for their number, ``unusable`` for a link or title that nobody could
    use. ``found_feed`` is the feed that an HTML page names as its own.
    """

    FEED: ClassVar = "feed"
    JOBS: ClassVar = "jobs"
    SITEMAP: ClassVar = "sitemap"
    PAGES: ClassVar = "pages"

    kind: str
    title: str
    entries: tuple[Entry, ...]
    older: int = 0
    unusable: int = 0
    found_feed: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer. ``feed`` is None when nothing changed since the marks that were sent."""

    feed: Feed | None
    url: str
    etag: str
    modified: str


def newest(entries: list[Entry | None]) -> tuple[tuple[Entry, ...], int, int]:
    """Sort dated ones first, cut, drop doubles: ``(entries, older, unusable)``."""
    usable = list({entry.guid: entry for entry in entries if entry}.values())
    unusable = sum(entry is None for entry in entries)
    early = dt.datetime.min.replace(tzinfo=dt.UTC)
    usable.sort(key=lambda entry: entry.at or early, reverse=True)
    return tuple(usable[:NEWEST]), max(len(usable) - NEWEST, 0), unusable
