"""Calendars for calendar programmes (RFC 5545).

Written by hand: what we say is a handful of properties, and the format's rules for them are three.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpResponse

_LINE = 75  # octets without the line break (section 3.1)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``key`` is the same as long as it is the same event.

    With an end it takes up its time; without one it marks a moment and blocks nobody's day.
    """

    key: str
    at: dt.datetime
    changed_at: dt.datetime
    title: str
    note: str
    url: str
    until: dt.datetime | None = None
    place: str = ""
    called_off: bool = False


def text(value: str) -> str:
    """Escape a TEXT value (section 3.3.11); what no line may hold falls away."""
    for sign, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,")):
        value = value.replace(sign, escaped)
    value = value.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return "".join(char for char in value if char >= " " and char != "\x7f")


def fold(line: str) -> str:
    """Break a line after 75 octets, never within a character (section 3.1)."""
    pieces, size = [""], 0
    for char in line:
        width = len(char.encode())
        if size + width > _LINE:
            pieces.append("")
            size = 1  # the space that begins the next piece
        pieces[-1] += char
        size += width
    return "\r\n ".join(pieces)


def calendar(events: Iterable[Event], *, name: str, host: str) -> str:
    """A whole calendar, in UTC, so that no time zone need be explained."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Botschaft//Calendar//EN",
        f"X-WR-CALNAME:{text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ]
    for event in events:
        lines += _event(event, host)
    return "\r\n".join(map(fold, [*lines, "END:VCALENDAR", ""]))


def _event(event: Event, host: str) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{event.key}@{host}",
        f"DTSTAMP:{_utc(event.changed_at)}",
        f"DTSTART:{_utc(event.at)}",
        *([f"DTEND:{_utc(event.until)}"] if event.until else []),
        f"SUMMARY:{text(event.title)}",
        f"DESCRIPTION:{text(event.note)}",
        *([f"LOCATION:{text(event.place)}"] if event.place else []),
        f"URL:{event.url}",
        *(["STATUS:CANCELLED"] if event.called_off else []),
        "TRANSP:OPAQUE" if event.until else "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _utc(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def served(content: str, *, name: str = "botschaft", attachment: bool = False) -> HttpResponse:
    """A calendar as the file of an answer, which nobody in between keeps."""
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    how = "attachment" if attachment else "inline"
    response["Content-Disposition"] = f'{how}; filename="{name}.ics"'
    return response
