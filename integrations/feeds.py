"""Read what others publish: feeds, lists of jobs, sitemaps, lists of pages. Knows no suggestions.

Everything comes through :mod:`integrations.safe_fetch` (public addresses only, redirects judged one
by one, an end to time and size). Entities, DTDs and the network stay off while parsing. RSS and
Atom are read by feedparser, the field's library, after a guard has looked at the XML and cut it to
the newest entries: feedparser alone is patient with bombs and takes a minute for 50,000 entries.
"""

import datetime as dt
import email.utils
import urllib.parse
import urllib.robotparser
from collections.abc import Set as AbstractSet
from http import HTTPStatus

from . import feed_json, feed_pages, feed_xml
from .feed_rows import Feed, Reading, Unreadable
from .safe_fetch import NotFetched, Page, fetch

SECONDS = 12.0
MAX_BYTES = 8_000_000  # 50,000 short entries are 4.4 MB
_ROBOTS_SECONDS = 5.0
_AGENT = "Botschaft"
_LONGEST_WAIT = 7 * 24 * 3600.0


def read(
    url: str,
    *,
    own_hosts: AbstractSet[str],
    now: dt.datetime,
    kind: str = "",
    etag: str = "",
    modified: str = "",
) -> Reading:
    """Fetch and parse; with the marks of the last reading the server may answer "unchanged".

    ``kind`` is what the address was when it was added; empty means anything. Pages (not feeds,
    which exist to be fetched) are asked for in robots.txt first. Raises :class:`Unreadable`.
    """
    if kind in {Feed.SITEMAP, Feed.PAGES}:
        _ask_robots(url, own_hosts)
    marks = {"If-None-Match": etag, "If-Modified-Since": modified}
    headers = {name: value for name, value in marks.items() if value}
    try:
        page = fetch(
            url,
            own_hosts=own_hosts,
            http=True,
            seconds=SECONDS,
            headers={"Accept": "*/*", **headers},
            max_bytes=MAX_BYTES,
        )
    except NotFetched as error:
        if error.status == HTTPStatus.NOT_MODIFIED and headers:
            return Reading(None, url, etag, modified)
        raise Unreadable(
            error.why,
            str(error.status or error),
            retry_after=_seconds(error.retry_after, now),
        ) from error
    feed = parse(page, now=now)
    if not kind and feed.kind in {Feed.SITEMAP, Feed.PAGES}:
        _ask_robots(url, own_hosts)
    if kind and feed.kind != kind:
        raise Unreadable("not_a_feed")
    return Reading(feed, page.url, _mark(page, "etag"), _mark(page, "last-modified"))


def parse(page: Page, *, now: dt.datetime) -> Feed:
    """Find out what a page is and read its entries, newest first. Raises :class:`Unreadable`."""
    begin = page.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1000].lower()
    if begin[:1] in {b"{", b"["}:
        return feed_json.parse(page, now=now)
    if page.media_type in {"text/html", "application/xhtml+xml"} or begin.startswith(
        (b"<!doctype html", b"<html")
    ):
        return feed_pages.parse(page)
    if begin[:1] == b"<" or page.body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return feed_xml.parse(page, now=now)
    raise Unreadable("not_a_feed")


def _mark(page: Page, name: str) -> str:
    """An ETag or a date to send back next time; one that no header can carry is dropped."""
    mark = page.headers.get(name, "")
    return mark if len(mark) <= 200 and mark.isprintable() else ""


def _seconds(retry_after: str, now: dt.datetime) -> float | None:
    """How long the server asks us to stay away, in seconds or by a date (RFC 9110, 10.2.3)."""
    wish = retry_after.strip()[:40]
    if wish.isdecimal() and wish.isascii():
        return min(float(wish), _LONGEST_WAIT)
    try:
        at = email.utils.parsedate_to_datetime(wish)
        wait = (at if at.tzinfo else at.replace(tzinfo=dt.UTC)) - now
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(wait.total_seconds(), 0.0), _LONGEST_WAIT)


def _ask_robots(url: str, own_hosts: AbstractSet[str]) -> None:
    """Raise :class:`Unreadable` where the site's robots.txt shuts us out; none means welcome."""
    rules = urllib.robotparser.RobotFileParser()
    try:
        page = fetch(
            urllib.parse.urljoin(url, "/robots.txt"),
            own_hosts=own_hosts,
            http=True,
            seconds=_ROBOTS_SECONDS,
        )
    except (NotFetched, ValueError):
        return
    rules.parse(page.body[:500_000].decode(errors="replace").splitlines())
    if not rules.can_fetch(_AGENT, url):
        raise Unreadable("robots")
