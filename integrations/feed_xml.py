"""RSS, Atom, sitemaps and job lists in XML, guarded before anything understands them."""

import codecs
import datetime as dt
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any, NoReturn
from xml.parsers import expat

import feedparser

from . import cleaning
from .feed_jobs import entry_of
from .feed_rows import NEWEST, Entry, Feed, Unreadable, newest
from .safe_fetch import Page

_DEEPEST = 60
# What the root is called, and what its entries are called then.
_ENTRIES = {
    "rss": {"item"},
    "RDF": {"item"},
    "feed": {"entry"},
    "urlset": {"url"},
    "sitemapindex": {"sitemap"},
}
_JOBS = {"job", "position", "offer", "vacancy", "joboffer", "jobad", "stelle", "stellenangebot"}
_DATES = {"pubdate", "published", "updated", "date", "lastmod"}
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_ENCODING = re.compile(r"encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_CHARSETS = re.compile(r"(utf|iso|iso8859|latin|cp|windows|us|ascii|l)[\d_-]*.*", re.IGNORECASE)
_CHUNK = 65_536


def parse(page: Page, *, now: dt.datetime) -> Feed:
    """Read an XML page. Raises :class:`Unreadable`."""
    guard = _Guard(_utf8(page), now)
    guard.run()
    content, older = guard.cut()
    if guard.root in {"rss", "RDF", "feed"}:
        return _feed(content, page, older, now)
    tree = ET.fromstring(content)  # noqa: S314 - the guard has refused DTDs, depth and size
    rows = [row for row in tree.iter() if _local(row.tag) in guard.names]
    if guard.root == "sitemapindex":
        raise Unreadable("sitemap_index", _first_locations(rows))
    if guard.root == "urlset":
        entries, _, unusable = newest([_page(row, page, now) for row in rows])
        return Feed(Feed.SITEMAP, "", entries, older, unusable)
    entries, _, unusable = newest([entry_of(_facts(row), page.url, now) for row in rows])
    return Feed(Feed.JOBS, "", entries, older, unusable)


def _utf8(page: Page) -> bytes:
    """The page as UTF-8 with a declaration of ours, so that nothing behind guesses an encoding."""
    body, name = page.body, "utf-8"
    if body[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        name = "utf-16"
    elif declaration := _DECLARATION.match(body[:300].decode("latin-1").lstrip("ï»¿")):
        said = _ENCODING.search(declaration[0])
        name = said[1] if said else name
    if not _CHARSETS.fullmatch(name):
        raise Unreadable("malformed", "1")
    try:
        text = body.decode("utf-8-sig" if name.lower() in {"utf-8", "utf8"} else name)
    except (UnicodeError, LookupError):
        text = body.decode("utf-8", "replace")
    text = text[found.end() :] if (found := _DECLARATION.match(text)) else text
    if _has_doctype(text):
        raise Unreadable("dtd")
    # Signs that XML cannot carry at all would cost the whole feed.
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text.lstrip())
    return b'<?xml version="1.0" encoding="utf-8"?>' + text.encode("utf-8", "replace")


def _has_doctype(text: str) -> bool:
    """Look before any parser does: it stands before the root, after comments and instructions."""
    at, marks = 0, {"<?": "?>", "<!--": "-->"}
    while True:
        while text[at : at + 1].isspace():
            at += 1
        end = next((end for mark, end in marks.items() if text.startswith(mark, at)), "")
        if not end or (stop := text.find(end, at)) < 0:
            return text.startswith("<!DOCTYPE", at)
        at = stop + len(end)


class _Guard:
    """One pass that builds nothing: refuses DTDs and depth, notes where entries stand and when."""

    def __init__(self, content: bytes, now: dt.datetime) -> None:
        self.content = content
        self.now = now
        self.root = ""
        self.names: set[str] = set()
        self.depth = 0
        self.inside = 0  # the depth of the entry we are in
        self.begin = 0
        self.date: list[str] | None = None
        self.at: dt.datetime | None = None
        self.found: list[tuple[int, int, dt.datetime | None]] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._doctype

    def run(self) -> None:
        """Go through the whole page. Raises :class:`Unreadable`."""
        try:
            for at in range(0, len(self.content), _CHUNK):
                self.parser.Parse(self.content[at : at + _CHUNK], False)
            self.parser.Parse(b"", True)
        except expat.ExpatError as error:
            if self.root.lower() == "html":
                raise Unreadable("not_a_feed") from error
            raise Unreadable("malformed", str(error.lineno)) from error
        if not self.found and self.root not in _ENTRIES:
            raise Unreadable("not_a_feed")

    def cut(self) -> tuple[bytes, int]:
        """The page with only its newest entries, and how many were left out."""
        if len(self.found) <= NEWEST:
            return self.content, 0
        early = dt.datetime.min.replace(tzinfo=dt.UTC)
        rank = sorted(self.found, key=lambda row: row[2] or early, reverse=True)
        kept = sorted(rank[:NEWEST])
        pieces = [self.content[begin:end] for begin, end, _ in kept]
        head, tail = self.content[: self.found[0][0]], self.content[self.found[-1][1] :]
        return b"".join([head, *pieces, tail]), len(self.found) - NEWEST

    def _start(self, tag: str, _attributes: object) -> None:
        name = tag.rpartition(":")[2]
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Unreadable("too_deep")
        if not self.root:
            self.root = name
            self.names = _ENTRIES.get(name, _JOBS)
        elif not self.inside and self._is_entry(name):
            self.inside, self.begin, self.at = self.depth, self.parser.CurrentByteIndex, None
        elif self.inside and self.depth == self.inside + 1 and name.lower() in _DATES:
            self.date = []
            self.parser.CharacterDataHandler = self.date.append

    def _is_entry(self, name: str) -> bool:
        """Tell whether an entry begins; a list of jobs keeps to the name it began with."""
        if self.names is _JOBS and name.lower() in _JOBS:
            self.names = {name}
        return name in self.names

    def _end(self, _tag: str) -> None:
        if self.date is not None:
            self.at = self.at or cleaning.moment("".join(self.date), now=self.now)
            self.parser.CharacterDataHandler = None
            self.date = None
        if self.inside == self.depth:
            end = self.content.find(b">", self.parser.CurrentByteIndex) + 1
            self.found.append((self.begin, end, self.at))
            self.inside = 0
        self.depth -= 1

    def _doctype(self, *_facts: object) -> NoReturn:
        raise Unreadable("dtd")


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _feed(content: bytes, page: Page, older: int, now: dt.datetime) -> Feed:
    """Let feedparser understand what is left; a stream, so that it fetches nothing."""
    found = feedparser.parse(
        io.BytesIO(content),
        response_headers={
            "content-type": "application/xml; charset=utf-8",
            "content-location": page.url,
        },
        sanitize_html=False,
    )
    entries, _, unusable = newest([_entry(row, page.url, now) for row in found.entries])
    return Feed(Feed.FEED, cleaning.text(found.feed.get("title"), 120), entries, older, unusable)


def _entry(row: Any, base: str, now: dt.datetime) -> Entry | None:
    link = cleaning.link(row.get("link"), base)
    title = cleaning.text(row.get("title"), 200)
    summary = cleaning.text(row.get("summary"), 400)
    if not link or not (title or summary):
        return None
    words = [cleaning.text(tag.get("term") or tag.get("label"), 80) for tag in row.get("tags", [])]
    dates = [dict.get(row, name) for name in ("published", "updated")]  # its own get() guesses
    at = cleaning.moment(dates[0], now=now) or cleaning.moment(dates[1], now=now)
    return Entry(
        guid=str(row.get("id") or link)[:1000],
        link=link,
        title=title or cleaning.text(summary, 120),
        summary=summary,
        categories=tuple(word for word in words if word)[:20],
        at=at,
    )


def _page(row: ET.Element, page: Page, now: dt.datetime) -> Entry | None:
    """A page of a sitemap. It has no title yet; whoever needs it reads the page."""
    facts = _facts(row)
    link = cleaning.link(facts.get("loc"), page.url)
    at = cleaning.moment(facts.get("lastmod"), now=now)
    return replace(Entry(link, link, ""), at=at) if link else None


def _first_locations(rows: list[ET.Element]) -> str:
    links = [cleaning.link(_facts(row).get("loc")) for row in rows]
    return ", ".join([link for link in links if link][:3])


def _facts(row: ET.Element) -> dict[str, Any]:
    """An element's children by name; children of children by theirs, where that is free."""
    found: dict[str, Any] = {str(key): value for key, value in row.attrib.items()}
    for child in row.iter():
        if child is not row and (words := (child.text or "").strip()):
            found.setdefault(_local(child.tag).lower(), words)
    return found
