"""Take pictures in: checked before decoding, re-encoded in a limited process, no metadata."""

import hashlib
import io
import resource
import subprocess
import sys
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from PIL import Image

from ambassadors.models import Person
from integrations.networks import NETWORKS

from . import reencode
from .models import Picture

MOST_BYTES = 20_000_000
MOST_PIXELS = 40_000_000
_MEMORY = 512 * 1_024 * 1_024
_SECONDS = 10
_WIDEST = 2_000  # pixels of the longer side after re-encoding


class PictureRefused(Exception):
    """The file cannot be taken; the message is for the person."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A clean JPEG."""

    content: bytes
    width: int
    height: int


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))


def encode(content: bytes) -> Encoded:
    """Decode and re-encode in a process of its own. Raises :class:`PictureRefused`."""
    if len(content) > MOST_BYTES:
        raise PictureRefused(_("This picture is larger than 20 MB."))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "campaigns.reencode", str(MOST_PIXELS), str(_WIDEST)],
            input=content,
            capture_output=True,
            timeout=_SECONDS * 2,
            check=False,
            preexec_fn=_limit,
        )
    except subprocess.TimeoutExpired as error:
        raise PictureRefused(_("This picture took too long to read.")) from error
    if done.returncode:
        raise PictureRefused(_why(done.returncode, done.stdout.decode().split()))
    size, _newline, jpeg = done.stdout.partition(b"\n")
    width, height = (int(number) for number in size.split())
    return Encoded(jpeg, width, height)


def _why(code: int, size: list[str]) -> str:
    """The sentence for a refusal; sizes and the networks' own limits are named."""
    if code == reencode.TOO_MANY_PIXELS:
        return _("This picture has more than 40 megapixels, or more than 20 as a WebP.")
    if code == reencode.MOVES:
        return _("This picture moves. Choose a still one.")
    if code in {reencode.TOO_SMALL, reencode.TOO_LONG}:
        frames = [network.abilities for network in NETWORKS.values() if network.abilities.frame]
        limits = ", ".join(
            f"{able.label} {able.frame.tallest:.2f}–{able.frame.flattest:.2f}"
            for able in frames
            if able.frame
        )
        return _(
            "This picture is %(width)s × %(height)s pixels. Its shorter side needs 32, and the"
            " longer one at most five times as many. Networks show width to height: %(limits)s."
        ) % {"width": size[0], "height": size[1], "limits": limits}
    return _("This is not a JPEG, PNG or WebP picture we can read.")


def jpeg(content: bytes) -> Encoded:
    """Take a JPEG of our own as it is, without decoding it anew."""
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        return Encoded(content, image.width, image.height)


def keep_picture(upload: "UploadedFile[bytes]", *, by: Person) -> Picture:
    """Store an uploaded picture; equal bytes are kept once. Raises :class:`PictureRefused`."""
    if (upload.size or 0) > MOST_BYTES:
        raise PictureRefused(_("This picture is larger than 20 MB."))
    return store(encode(upload.read()), by=by)


def store(encoded: Encoded, *, by: Person | None) -> Picture:
    """Keep a clean picture under the hash of its bytes."""
    digest = hashlib.sha256(encoded.content).hexdigest()
    if known := Picture.objects.library().filter(sha256=digest).first():
        return known
    picture = Picture(sha256=digest, width=encoded.width, height=encoded.height, uploaded_by=by)
    picture.file.save(f"{digest[:32]}.jpg", ContentFile(encoded.content), save=False)
    picture.save()
    return picture


def describe(picture: Picture, alt: str, language: str) -> None:
    """Keep the alternative text in its language."""
    column = "alt_en" if language == "en" else "alt_de"
    Picture.objects.filter(pk=picture.pk).update(**{column: alt.strip()})
