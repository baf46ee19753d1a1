"""Captions of a film, in WebVTT (https://www.w3.org/TR/webvtt1/): checked, and read as a text."""

import html
import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

MOST_BYTES = 500_000
_TIME = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_CUE = re.compile(rf"^{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?$")
_TAG = re.compile(r"<[^<>]*>")
_PAUSE = 3.0  # seconds of silence that begin a new paragraph of the transcript


class CaptionsRefused(Exception):
    """The file is none of captions; the message is for the person."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One line that is shown from a second to another."""

    begin: float
    end: float
    text: str


def read(content: bytes) -> str:
    """Captions as they are kept: UTF-8, line ends of one kind. Raises :class:`CaptionsRefused`.

    WebVTT is UTF-8; a file in UTF-16 with its mark is read too, as Windows' editors write it.
    """
    if len(content) > MOST_BYTES:
        raise CaptionsRefused(_("These captions are larger than 500 kB."))
    coding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = content.decode(coding)
    except UnicodeDecodeError as error:
        raise CaptionsRefused(_("These captions are not in UTF-8. Save them so.")) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    first = text.split("\n", 1)[0]
    if first != "WEBVTT" and not first.startswith(("WEBVTT ", "WEBVTT\t")):
        raise CaptionsRefused(_("This is no WebVTT file: its first line must say WEBVTT."))
    if not cues(text):
        raise CaptionsRefused(
            _("There is no line with a time in it, such as 00:01.000 --> 00:04.000.")
        )
    return text


def cues(text: str) -> list[Cue]:
    """The cues in order; blocks that are none, or end before they begin, are passed over."""
    found = []
    for block in re.split(r"\n{2,}", text):
        lines = block.split("\n")
        for index, line in enumerate(lines[:2]):
            if match := _CUE.match(line):
                begin, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
                said = " ".join(_TAG.sub("", " ".join(lines[index + 1 :])).split())
                if begin < end and said:
                    found.append(Cue(begin, end, html.unescape(said)))
                break
    return found


def transcript(text: str) -> list[str]:
    """What is said in the film, as paragraphs: a longer silence begins a new one."""
    paragraphs: list[str] = []
    last = -_PAUSE * 2
    for cue in cues(text):
        if cue.begin - last > _PAUSE or not paragraphs:
            paragraphs.append(cue.text)
        else:
            paragraphs[-1] += f" {cue.text}"
        last = cue.end
    return paragraphs


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = parts
    whole = int((hours or "0")[:6]) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole + int(thousandths or 0) / 1000
