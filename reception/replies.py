"""An asker's reply by mail becomes a word in their conversation.

Mail programmes differ in how they quote, so several ways of finding what is new are tried in order:
above our own line, above what a programme writes before a quotation, else all that is not quoted.
"""

import contextlib
import datetime as dt
import re
from collections.abc import Iterator
from email.message import Message
from email.utils import parseaddr
from html.parser import HTMLParser

from ambassadors.models import normalise_email
from campaigns import wording

from . import asking, tokens
from .letters import ABOVE

LONGEST = 10_000  # characters of a reply that are kept
_MOST_PARTS = 200
_MOST_BYTES = 400_000  # of one part of text
_TO = ("X-Original-To", "Delivered-To", "Envelope-To", "To", "Cc")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_ROBOTS = {"bulk", "junk", "list", "auto_reply"}
# What stands above a quotation: "On … wrote:", "Am … schrieb …:", also broken over two lines.
_WROTE = re.compile(
    r"^[ \t>]*(?:On|Am|Le|El|Il|W dniu|Op|Den)\b[^\n]{4,200}(?:\n[^\n]{0,120})?"
    r"(?:wrote|writes|schrieb|a écrit|escribió|ha scritto|napisał|schreef|skrev)"
    r"[^\n]{0,120}:[ \t]*$",
    re.MULTILINE,
)
_BREAKS = re.compile(
    r"^[ \t]*(?:-{2,}[ \t]*(?:Original Message|Ursprüngliche Nachricht|Weitergeleitete Nachricht|"
    r"Forwarded message)[ \t]*-{2,}|_{20,})[ \t]*$"
    r"|^(?:\*?(?:From|Von):\*?[ \t].{1,200}\n\*?(?:Sent|Gesendet|Date|Datum|To|An):\*?[ \t])",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_SENT_FROM = re.compile(
    r"^(?:Sent from my|Von meinem .{2,40} gesendet|Gesendet von|Get Outlook for|Gesendet mit).*$",
    re.MULTILINE,
)
_ENDS_LINE = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "blockquote"}
_UNSEEN = {"style", "script", "head", "title"}


class NoSuchQuestion(Exception):
    """The address names no question of ours: forged, or deleted in the meantime."""


class TooMuch(Exception):
    """The message is made of more parts than any letter."""


def take(message: Message, *, now: dt.datetime) -> bool:
    """Put a reply into its conversation; False when the mail is not for a question.

    Raises :class:`NoSuchQuestion` and :class:`TooMuch`; the door answers the mail server with it.
    A machine's mail (RFC 3834) is for us and leads to nothing, so that two machines never talk.
    """
    token = next(filter(None, map(tokens.in_address, _all(message, _TO))), "")
    if not token:
        return False
    inquiry = tokens.find(token, "mail")
    if inquiry is None:
        raise NoSuchQuestion
    if _is_machine(message):
        return True
    text, dropped = _read(message)
    new = fresh(text)
    if wording.is_blank(new) and not dropped:
        return True
    known = _MESSAGE_ID.search(_one(message, "Message-ID"))
    sender = parseaddr(_one(message, "From"))[1]
    arrived = asking.Arrived(
        message_id=known[0] if known else "",
        dropped=min(dropped, _MOST_PARTS),
        was_cut=len(new) > LONGEST,
        other_sender=normalise_email(sender) != normalise_email(inquiry.email),
    )
    try:
        asking.add(inquiry=inquiry, text=new[:LONGEST], now=now, mail=arrived)
    except asking.Gone as error:
        raise NoSuchQuestion from error
    return True


def _all(message: Message, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        with contextlib.suppress(Exception):  # the library's parsers of headers fail in many ways
            yield from map(str, message.get_all(name, []))


def _one(message: Message, name: str) -> str:
    return next(_all(message, (name,)), "")


def _is_machine(message: Message) -> bool:
    submitted = _one(message, "Auto-Submitted").split(";")[0].strip().lower()
    return (
        submitted not in {"", "no"}
        or _one(message, "Precedence").strip().lower() in _ROBOTS
        or bool(_one(message, "X-Autoreply") or _one(message, "X-Autorespond"))
        or _one(message, "Return-Path").strip() == "<>"
        or bool(_one(message, "List-Id"))
        or message.get_content_type() == "multipart/report"
    )


def _read(message: Message) -> tuple[str, int]:
    """The text of a mail, plain if there is any, and how many attachments it had."""
    plain: list[str] = []
    pages: list[str] = []
    dropped = 0
    for count, part in enumerate(message.walk()):
        if count > _MOST_PARTS:
            raise TooMuch
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        if part.get_content_disposition() == "attachment" or part.get_filename():
            dropped += 1
        elif kind == "text/plain":
            plain.append(_decoded(part))
        elif kind == "text/html":
            pages.append(_Seen.text(_decoded(part)))
        else:
            dropped += 1
    return "\n".join(plain if any(map(str.strip, plain)) else pages), dropped


def _decoded(part: Message) -> str:
    """The part's text. A charset that is none, or not the one that was said, is read as UTF-8."""
    payload = part.get_payload(decode=True)
    raw = payload[:_MOST_BYTES] if isinstance(payload, bytes) else b""
    for charset in (part.get_content_charset() or "utf-8", "utf-8"):
        try:
            return raw.decode(charset)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return raw.decode("cp1252", "replace")


class _Seen(HTMLParser):
    """What a reader of an HTML mail sees, without what it quotes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.hidden: list[str] = []

    @classmethod
    def text(cls, page: str) -> str:
        """The new words of a page."""
        seen = cls()
        seen.feed(page)
        seen.close()
        return "".join(seen.said)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, or something that is not read."""
        marks = f"{dict(attrs).get('class') or ''} {dict(attrs).get('id') or ''}"
        quotes = tag == "blockquote" or "gmail_quote" in marks or "divRplyFwdMsg" in marks
        if (self.hidden and tag == self.hidden[-1]) or tag in _UNSEEN or quotes:
            self.hidden.append(tag)
        elif not self.hidden and tag in _ENDS_LINE:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End what was begun."""
        if self.hidden and tag == self.hidden[-1]:
            self.hidden.pop()
        elif not self.hidden and tag in _ENDS_LINE:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep what is seen; line breaks in the source mean nothing."""
        if not self.hidden:
            self.said.append(re.sub(r"\s+", " ", data))


def fresh(text: str) -> str:
    """What is new in a reply: without quotations, without signature."""
    clean = wording.clean(text)
    above = clean
    for line in ABOVE.values():
        above = above.split(line)[0]
    for mark in (_WROTE, _BREAKS):
        found = mark.search(above)
        if found:
            above = above[: found.start()]
    new = _without_quotes(above)
    if wording.is_blank(new):  # they wrote below what they quote
        new = _without_quotes(_WROTE.sub("", clean))
    new = _SENT_FROM.sub("", _SIGNATURE.split(new)[0])
    return re.sub(r"\n{3,}", "\n\n", new).strip()


def _without_quotes(text: str) -> str:
    kept = [line.rstrip() for line in text.split("\n") if not line.lstrip().startswith(">")]
    return "\n".join(kept).strip("\n")
