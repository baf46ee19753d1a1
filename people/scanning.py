"""Have a film looked at by ClamAV before anybody is given it (ASVS 5.4.3).

Pictures are drawn anew and tables only read, so films are all that is handed out as it came. The
scanner is the administrator's, at CLAMD; without one nothing is asked. Protocol: clamd(8),
INSTREAM.
"""

import socket
import struct
from collections.abc import Iterable

from django.conf import settings

_SECONDS = 60.0  # for each step; a film of 300 MB takes some


class Infected(Exception):
    """The scanner knows it."""


class NotScanned(Exception):
    """The scanner does not answer as it should: nothing is taken meanwhile."""


def scan(pieces: Iterable[bytes]) -> None:
    """Send a file to the scanner. Raises :class:`Infected` or :class:`NotScanned`."""
    if not settings.CLAMD:
        return
    host, _colon, port = settings.CLAMD.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_SECONDS) as link:
            link.sendall(b"zINSTREAM\0")
            for piece in pieces:
                link.sendall(struct.pack("!I", len(piece)) + piece)
            link.sendall(struct.pack("!I", 0))
            said = link.recv(4096)
    except (OSError, ValueError) as error:
        raise NotScanned from error
    if b" FOUND" in said:
        raise Infected
    if said.rstrip(b"\0\n") != b"stream: OK":
        raise NotScanned
