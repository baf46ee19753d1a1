"""A CSV file as it comes out of HR systems: whatever its encoding, separator and line ends.

The file lies in pieces in the database and is read as a stream, so its size costs no memory.
Damage to the whole (a quote that never closes, bytes of no encoding) refuses the file; what is
wrong with one person refuses that line.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _

MOST_BYTES = 32_000_000
MOST_LINES = 150_000
MOST_COLUMNS = 200
PIECE = 256 * 1024  # bytes
_LONGEST_FIELD = 131_072  # characters; more is a quote that was forgotten
_SEPARATORS = (";", ",", "\t")
_HEAD = 64 * 1024


class FileRefused(Exception):
    """The file cannot be read at all; the message is for the person."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a file is written. ``skip``: lines before the header (Excel's ``sep=;``)."""

    encoding: str
    separator: str
    skip: int = 0
    lines: int = 0


class _Pieces(io.RawIOBase):
    """Bytes that come one piece after the other, as a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Yes, and only once."""
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        """Fill the buffer with what comes next; 0 at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class Upload(Protocol):
    """What a browser sent."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Its bytes from the beginning."""


def _looks_utf16(head: bytes) -> str:
    """The byte order of UTF-16 without a mark, by where its zeros stand; empty for others."""
    if len(head) < 4:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > half * 0.4 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.4 and odd < half * 0.1 else ""


def encoding_of(upload: Upload) -> str:
    """Find the encoding that reads every byte. Raises :class:`FileRefused`."""
    head = next(iter(upload.chunks(_HEAD)), b"")
    if head.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif found := _looks_utf16(head[:4096]):
        candidates = [found]
    else:
        candidates = ["utf-8", "cp1252"]
    fault = (0, 0)
    for encoding in candidates:
        fault = _fault(upload, encoding)
        if fault == (0, 0):
            return encoding
    raise FileRefused(
        _("Line %(line)s holds the byte %(byte)s, which neither UTF-8 nor Windows-1252 knows.")
        % {"line": fault[0], "byte": f"0x{fault[1]:02X}"}
    )


def _fault(upload: Upload, encoding: str) -> tuple[int, int]:
    """Line and value of the first byte the encoding does not know; zeros when it knows all."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    for chunk in (*upload.chunks(PIECE), b""):
        try:
            line += decoder.decode(chunk, final=not chunk).count("\n")
        except UnicodeDecodeError as error:
            line += error.object[: error.start].count(b"\n")
            return line, error.object[error.start] if error.start < len(error.object) else 0
    return 0, 0


def kind_of(upload: Upload, size: int) -> Kind:
    """Look how a file is written. Raises :class:`FileRefused` for one we do not take."""
    if size > MOST_BYTES:
        raise FileRefused(
            _("This file has %(mb)s MB; 32 fit. Leave out columns that nobody needs here.")
            % {"mb": size // 1_000_000}
        )
    if not size:
        raise FileRefused(_("This file is empty."))
    encoding = encoding_of(upload)
    head, lines = "", 0
    with _text(upload.chunks(PIECE), encoding) as text:
        for line in text:
            if "\x00" in line:
                raise FileRefused(_("This is no CSV file: it holds zero bytes."))
            lines += 1
            if len(head) < _HEAD:
                head += line[:_HEAD]
    if lines > MOST_LINES:
        raise FileRefused(
            _("This file has %(lines)s lines; 150,000 fit.") % {"lines": f"{lines:,}"}
        )
    first, *rest = head.splitlines() or [""]
    if first.casefold().startswith("sep=") and len(first) == 5:
        return Kind(encoding, first[4], 1, lines)
    sample = first if first.strip() or not rest else rest[0]
    return Kind(encoding, max(_SEPARATORS, key=sample.count), 0, lines)


def _text(pieces: Iterable[bytes], encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedReader(_Pieces(pieces), PIECE), encoding=encoding, newline=""
    )


def rows(pieces: Iterable[bytes], kind: Kind) -> Iterator[tuple[int, list[str]]]:
    """Every line that says something, the header first, each with the number it begins on.

    Raises :class:`FileRefused` where the file stops to be CSV.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    with _text(pieces, kind.encoding) as text:
        for _line in range(kind.skip):
            text.readline()
        reader = csv.reader(text, delimiter=kind.separator, strict=True)
        begins = 1
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise FileRefused(
                    _(
                        "From line %(line)s on this is no CSV: probably a quotation mark is"
                        " missing or too many."
                    )
                    % {"line": begins + kind.skip}
                ) from error
            if any(cell.strip() for cell in row):
                yield begins + kind.skip, row
            begins = reader.line_num + 1


def header_of(pieces: Iterable[bytes], kind: Kind) -> tuple[list[str], list[list[str]]]:
    """The names of the columns and the first three lines. Raises :class:`FileRefused`."""
    found = rows(pieces, kind)
    header = [" ".join(cell.split())[:80] for cell in next(found, (0, []))[1]]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise FileRefused(_("This file is empty."))
    if len(header) > MOST_COLUMNS:
        raise FileRefused(_("This file has more than 200 columns."))
    twice = {name for name in header if name and header.count(name) > 1}
    if twice:
        raise FileRefused(
            _("Two columns are called “%(name)s”; nobody can tell which one counts.")
            % {"name": min(twice)}
        )
    samples = []
    for _line, row in found:
        samples.append([cell[:80] for cell in row[: len(header)]])
        if len(samples) == 3:
            break
    return header, samples
