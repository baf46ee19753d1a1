"""Film files: which we take, and one piece of one for a player that jumps."""

import re
from typing import BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from . import scanning

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_EBML = b"\x1a\x45\xdf\xa3"
# Brands of MP4 that browsers play; QuickTime's own ("qt  ") is none of them.
_BRANDS = frozenset(
    b"isom iso2 iso4 iso5 iso6 mp41 mp42 avc1 dash MSNV".split(),
) | {b"M4V "}
ENDINGS = {"video/mp4": "mp4", "video/webm": "webm"}


class FilmRefused(Exception):
    """The file cannot be taken; the message is for the person."""


def kind_of(upload: "UploadedFile[bytes]") -> str:
    """Its media type, by what stands at its beginning. Raises :class:`FilmRefused`."""
    most = settings.FILM_MEGABYTES
    if (upload.size or 0) > most * 1_000_000:
        raise FilmRefused(_("This film is larger than %(most)s MB.") % {"most": most})
    head = upload.read(64)
    upload.seek(0)
    if head[4:8] == b"ftyp" and head[8:12] in _BRANDS:
        return "video/mp4"
    if head[:4] == _EBML and b"webm" in head:
        return "video/webm"
    raise FilmRefused(
        _("This is no MP4 or WebM film. Other files stay outside, whatever their name.")
    )


def scan(upload: "UploadedFile[bytes]") -> None:
    """Have it looked at by the virus scanner, if there is one. Raises :class:`FilmRefused`."""
    try:
        scanning.scan(upload.chunks())
    except scanning.Infected as error:
        raise FilmRefused(_("The virus scanner refuses this film. Ask your IT.")) from error
    except scanning.NotScanned as error:
        raise FilmRefused(
            _("The virus scanner does not answer, so no film is taken. Try again later.")
        ) from error
    upload.seek(0)


def piece(asked: str, size: int) -> tuple[int, int] | None:
    """First and last byte that a ``Range`` header asks for (RFC 9110, 14.1.2); one range only.

    None where it asks for nothing we understand, then the whole is sent. Raises
    :class:`ValueError` where it lies outside of the file.
    """
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return None
    begin, end = match.groups()
    first = int(begin) if begin else max(size - int(end), 0)
    last = min(int(end), size - 1) if begin and end else size - 1
    if first >= size or first > last:
        raise ValueError(asked)
    return first, last


class Piece:
    """A part of an open file, read in blocks; closes the file with itself."""

    block = 256 * 1024  # bytes

    def __init__(self, file: BinaryIO, first: int, last: int) -> None:
        self.file, self.left = file, last - first + 1
        file.seek(first)

    def __iter__(self) -> "Piece":
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """The next block."""
        content = self.file.read(min(self.block, self.left))
        if not content:
            raise StopIteration
        self.left -= len(content)
        return content

    def close(self) -> None:
        """Give the file back."""
        self.file.close()
