"""Longer texts of ours: a small Markdown, made into HTML that may stand on any page."""

import re

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

_TAGS = {"p", "h2", "h3", "ul", "ol", "li", "strong", "em", "a", "blockquote", "br", "hr"}
# Headings, lists, emphasis, links and quotes; HTML in a text is text (CommonMark 0.31, html off).
_READ = MarkdownIt("zero", {"html": False}).enable(
    ["heading", "list", "emphasis", "link", "blockquote", "hr", "newline", "escape", "entity"]
)
# Whole addresses, or a page of this house; "//host" would be a stranger's.
_LEADS_WELL = re.compile(r"(https?://|mailto:|/(?![/\\]))", re.IGNORECASE)


def _href(_tag: str, name: str, value: str) -> str | None:
    return value if name != "href" or _LEADS_WELL.match(value) else None


def html(text: str) -> SafeString:
    """Turn a text with headings (``##``), lists, emphasis, links and quotes into HTML.

    A page has one ``h1`` of its own, so a first-level heading becomes a second-level one. Links
    lead to https, http and mail addresses and to our own pages, and tell nobody where the reader
    came from.
    """
    made = _READ.render(text).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    clean = nh3.clean(
        made,
        tags=_TAGS,
        attributes={"a": {"href"}},
        attribute_filter=_href,
        url_schemes={"https", "http", "mailto"},
        link_rel="noopener noreferrer",
    )
    return mark_safe(clean)  # noqa: S308 - cleaned one line above


def plain(text: str) -> str:
    """The words of a text without its marks, a line for each paragraph, heading and list item.

    Where a link leads stands behind its words, so that two texts can be compared by reading.
    """
    lines: list[str] = []
    for token in _READ.parse(text):
        if token.type == "list_item_open":
            lines.append("• ")
        elif token.type == "inline":
            words = _words(token.children or [])
            if lines and lines[-1] == "• ":
                lines[-1] += words
            else:
                lines.append(words)
    return "\n".join(line.strip() for line in lines)


def _words(tokens: list[Token]) -> str:
    found, leads_to = [], ""
    for token in tokens:
        if token.type == "link_open":
            leads_to = str(token.attrs.get("href", "")).removeprefix("mailto:")
        elif token.type == "link_close":
            found.append(f" ({leads_to})")
        else:
            found.append(" " if token.type in {"softbreak", "hardbreak"} else token.content)
    return "".join(found)
