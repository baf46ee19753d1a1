"""HTML from outside: the list of pages an overview links to, and what a page says about itself."""

import codecs
import re
import urllib.parse
from dataclasses import dataclass, field
from html.parser import HTMLParser

from . import cleaning
from .feed_rows import NEWEST, Entry, Feed, Unreadable
from .safe_fetch import Page

_MOST = 1_000_000  # bytes of a page that are looked at
_SHORTEST_TITLE = 12  # characters; less is "more" or a page number
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{2,20})", re.IGNORECASE)
_FEEDS = {"application/rss+xml", "application/atom+xml", "application/feed+json"}


@dataclass
class _Found:
    facts: dict[str, str] = field(default_factory=dict)
    title: str = ""
    feed: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Collects what a page says about itself and where it links to; runs and loads nothing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = _Found()
        self.in_title = self.in_link = False
        self.href = ""
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what matters."""
        known = {name: value or "" for name, value in attrs}
        match tag:
            case "meta":
                name = (known.get("property") or known.get("name") or "").lower()
                self.found.facts.setdefault(name, known.get("content", ""))
            case "title":
                self.in_title = not self.found.title
            case "link" if known.get("type", "").lower() in _FEEDS:
                self.found.feed = self.found.feed or known.get("href", "")
            case "a":
                self._close()
                self.in_link, self.href = True, known.get("href", "")

    def handle_data(self, data: str) -> None:
        """Words of the title or of a link."""
        if self.in_title:
            self.found.title += data
        elif self.in_link:
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        """End of the title or of a link."""
        if tag == "title":
            self.in_title = False
        elif tag == "a":
            self._close()

    def _close(self) -> None:
        if self.in_link and len(self.found.links) < 20 * NEWEST:
            self.found.links.append((self.href, " ".join(self.words)))
        self.in_link, self.words = False, []


def _read(page: Page) -> _Found:
    declared = re.search(r"charset=[\"']?([\w-]{2,20})", page.headers.get("content-type", ""))
    inside = _CHARSET.search(page.body[:4000])
    name = declared[1] if declared else inside[1].decode() if inside else "utf-8"
    try:
        codecs.lookup(name)
        text = page.body[:_MOST].decode(name, "replace")
    except (LookupError, UnicodeError, ValueError):
        text = page.body[:_MOST].decode("utf-8", "replace")
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.found


def parse(page: Page) -> Feed:
    """Read an overview: the pages below it that it links to. Raises :class:`Unreadable`."""
    found = _read(page)
    here = urllib.parse.urlsplit(cleaning.link(page.url))
    below = here.path if here.path.endswith("/") else f"{here.path.rsplit('/', 1)[0]}/"
    entries: dict[str, Entry] = {}
    for href, words in found.links:
        link = cleaning.link(href, page.url)
        there = urllib.parse.urlsplit(link)
        title = cleaning.text(words, 200)
        inside = there.netloc == here.netloc and there.path.startswith(below)
        if inside and there.path not in {below, here.path} and len(title) >= _SHORTEST_TITLE:
            entries.setdefault(link, Entry(link, link, title))
    feed = cleaning.link(found.feed, page.url) if found.feed else ""
    if not entries and not feed:
        raise Unreadable("not_a_feed")
    title = cleaning.text(found.facts.get("og:site_name") or found.title, 120)
    kept = tuple(entries.values())
    return Feed(Feed.PAGES, title, kept[:NEWEST], max(len(kept) - NEWEST, 0), 0, feed)


@dataclass(frozen=True, slots=True)
class Card:
    """What a page says about itself, as plain text. ``picture`` is an address, not yet fetched."""

    url: str
    title: str
    description: str
    site: str
    picture: str


def card(page: Page) -> Card:
    """Read OpenGraph's names first, then the page's own. Raises :class:`Unreadable`."""
    found = _read(page)
    facts = found.facts
    title = facts.get("og:title") or facts.get("twitter:title") or found.title
    told = (
        facts.get("og:description") or facts.get("description") or facts.get("twitter:description")
    )
    picture = (
        facts.get("og:image:secure_url") or facts.get("og:image") or facts.get("twitter:image")
    )
    made = Card(
        url=page.url,
        title=cleaning.text(title, 200),
        description=cleaning.text(told, 400),
        site=cleaning.text(facts.get("og:site_name"), 80),
        picture=cleaning.link(picture, page.url) if picture else "",
    )
    if not made.title and not made.description:
        raise Unreadable("nothing_said")
    return made
