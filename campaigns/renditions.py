"""Pictures as a network that fetches them itself wants them, under a signed public address.

An address names one picture and one form of it, lives a day, and opens nothing else. The same
picture gives the same bytes every time, so what is fetched is what was approved.
"""

import datetime as dt
import io
import math

from django.conf import settings
from django.core import signing
from django.urls import reverse
from PIL import Image

from integrations.addresses import AddressRefused, check, parse
from integrations.networks import get
from integrations.networks.abilities import Frame

from .models import Picture

LIVES = dt.timedelta(hours=24)
_SALT = "campaigns.renditions"


class NoRendition(Exception):
    """The address is forged, over, or of a picture that is not there."""


def public_url(picture: Picture, network: str) -> str:
    """The signed address for a network; empty where the internet cannot reach this server."""
    try:
        site = parse(settings.SITE_URL)
        if site.literal:
            check(site, [site.literal])
    except AddressRefused:
        return ""
    signed = signing.dumps([picture.sha256, network], salt=_SALT)
    return f"{settings.SITE_URL}{reverse('public_picture', args=[signed])}"


def render(signed: str, *, on: dt.date | None = None) -> bytes:
    """The JPEG behind a signed address; with a day, none that is barred on it.

    Raises :class:`NoRendition`.
    """
    try:
        sha256, network = signing.loads(signed, salt=_SALT, max_age=LIVES)
        frame = get(network).abilities.frame
    except (signing.BadSignature, ValueError, TypeError, KeyError) as error:
        raise NoRendition from error
    picture = Picture.objects.filter(sha256=sha256).first()
    if picture is None or frame is None:
        raise NoRendition
    if on and Picture.objects.barred(on).filter(pk=picture.pk).exists():
        raise NoRendition
    try:
        with picture.file.open("rb") as file:
            return fit(file.read(), frame)
    except FileNotFoundError as error:
        raise NoRendition from error


def fit(content: bytes, frame: Frame) -> bytes:
    """Pad with white and scale what does not fit; what fits is left as it is.

    Nothing is cropped: the picture was approved as a whole. ``content`` is a JPEG of our own
    encoding, without metadata.
    """
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        width, height = image.size
        wide = max(width, math.ceil(height * frame.tallest))
        high = max(height, math.ceil(wide / frame.flattest))
        fits = frame.narrowest <= wide <= frame.widest
        if fits and (wide, high) == (width, height):
            return content
        padded = Image.new("RGB", (wide, high), "white")
        padded.paste(image.convert("RGB"), ((wide - width) // 2, (high - height) // 2))
    if not fits:
        width = min(max(wide, frame.narrowest), frame.widest)
        height = math.ceil(width / frame.flattest)
        height = min(max(round(high * width / wide), height), math.floor(width / frame.tallest))
        padded = padded.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    padded.save(out, "JPEG", quality=88)
    return out.getvalue()


def cut(content: bytes, aspect: str, focus: tuple[int, int]) -> tuple[bytes, int, int]:
    """Cut a JPEG of our own to an aspect like ``16:9``, as near to the focus as its edges allow.

    ``focus`` is in per cent from left and top. Returns the JPEG, its width and its height.
    """
    across, down = (int(part) for part in aspect.split(":"))
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        wide = min(image.width, image.height * across // down) or 1
        high = min(image.height, image.width * down // across) or 1
        left = _begin(image.width, wide, focus[0])
        top = _begin(image.height, high, focus[1])
        piece = image.convert("RGB").crop((left, top, left + wide, top + high))
    out = io.BytesIO()
    piece.save(out, "JPEG", quality=88)
    return out.getvalue(), wide, high


def small(content: bytes, most: tuple[int, int]) -> bytes:
    """A JPEG of our own, no wider and no higher than ``most``."""
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        shrunk = image.convert("RGB")
    shrunk.thumbnail(most, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    shrunk.save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()


def _begin(whole: int, part: int, focus: int) -> int:
    return min(max(whole * focus // 100 - part // 2, 0), whole - part)
