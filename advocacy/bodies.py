"""How large a request may be, by its length and before anything of it is read (ASVS 5.2.1).

The web server hands a body on as a stream: what nobody reads is stored nowhere, and one without a
length (chunked) is empty to Django. What people upload lies on the volume meanwhile, never in
/tmp, which counts as memory in a container.
"""

import contextlib
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest

from . import throttle
from .policies import ANY_METHOD, bearer, hr, policy_for

STRANGERS = 1_100_000  # bytes: a text of 1 MB and its form, so that it is refused at its field
PEOPLE = 33 * 1024 * 1024  # a table (32 MB) and its form, as the proxy lets through
_STALE = 24 * 3600  # seconds; no upload takes so long


class OnVolume(TemporaryFileUploadHandler):
    """Django's own, in FILE_UPLOAD_TEMP_DIR, which is there and holds nothing that was left."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        place = Path(settings.FILE_UPLOAD_TEMP_DIR)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in place.iterdir():  # by a process that was killed
            with contextlib.suppress(FileNotFoundError):
                if left.stat().st_mtime < time.time() - _STALE:
                    left.unlink()
        super().new_file(*args, **kwargs)


class PassBy(FileUploadHandler):
    """Stores nothing of a file; the other fields of its form are read."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Let it go."""

    def file_complete(self, file_size: int) -> None:
        """There is none."""


def is_too_large(request: HttpRequest, name: str) -> bool:
    """Tell whether the body is larger than this address takes from whoever sends it.

    Where nobody is logged in, files pass by; somebody's known device may bring a form with a file
    whose session has ended, so that its words are not lost.
    """
    program = name.startswith(ANY_METHOD) and policy_for(name) is bearer
    # Programs' doors look at a key first and have bounds of their own; the other reads nothing.
    if program or name == "idea_shared":
        return False
    member = request.user.is_authenticated
    if not member:
        request.upload_handlers = [PassBy(request)]
    length = 0
    with contextlib.suppress(ValueError):  # then Django reads nothing of it, either
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length <= STRANGERS:
        return False
    if not member and not throttle.last(request)[1]:
        return True
    film = name == "desk_lesson" and (not member or hr(request))
    return length > PEOPLE + (settings.FILM_MEGABYTES * 1_000_000 if film else 0)
