"""Re-encode one picture: bytes in, ``width height`` and a clean JPEG out.

Runs as a process of its own under memory and CPU limits, because decoders are attacked.
"""

import io
import sys
import warnings

from PIL import Image, ImageOps

_TARGET_BYTES = 1_900_000  # below Bluesky's 2,000,000
NOT_A_PICTURE, TOO_MANY_PIXELS, MOVES, TOO_SMALL, TOO_LONG = 2, 3, 4, 5, 6
_SMALLEST = 32  # pixels of the shorter side
_LONGEST = 5  # times as long as wide; narrower ones become a hair between white bars


def main(most_pixels: int, widest: int) -> int:
    """Return 0, or which of the reasons above it is; of what was refused the size is told."""
    warnings.simplefilter("error")
    Image.MAX_IMAGE_PIXELS = None  # we look at the header ourselves
    try:
        with Image.open(
            io.BytesIO(sys.stdin.buffer.read()), formats=["JPEG", "PNG", "WEBP"]
        ) as image:
            if reason := _refused(image, most_pixels):
                sys.stdout.buffer.write(f"{image.width} {image.height}\n".encode())
                return reason
            small = _plain(image)
            small.thumbnail((widest, widest))  # before all else: 40 megapixels fit only twice
            rgba = ImageOps.exif_transpose(small).convert("RGBA")
            flat = Image.new("RGB", rgba.size, "white")
            flat.paste(rgba, mask=rgba.getchannel("A"))
        for quality in (88, 80, 70, 55):
            out = io.BytesIO()
            flat.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= _TARGET_BYTES:
                break
    except Exception:  # noqa: BLE001 - whatever a decoder throws, the file is refused
        return NOT_A_PICTURE
    sys.stdout.buffer.write(f"{flat.width} {flat.height}\n".encode() + out.getvalue())
    return 0


def _refused(image: Image.Image, most_pixels: int) -> int:
    """What the header says against it, 0 for nothing. JPEGs of phones hold a second still."""
    short, long = sorted((image.width, image.height))
    # libwebp holds a picture twice beside the two copies of ours
    if short * long > (most_pixels // 2 if image.format == "WEBP" else most_pixels):
        return TOO_MANY_PIXELS
    if image.format in {"PNG", "WEBP"} and getattr(image, "is_animated", False):
        return MOVES
    if short < _SMALLEST:
        return TOO_SMALL
    return TOO_LONG if long > _LONGEST * short else 0


def _plain(image: Image.Image) -> Image.Image:
    """Bring it into a mode that can be made smaller well.

    A palette would lose its steps; 16 bits per channel would burn to white.
    """
    if image.mode in {"I", "I;16", "I;16B", "I;16L"}:
        return image.convert("I").point(lambda value: value / 256).convert("L")
    return image.convert("RGBA") if image.mode in {"1", "P", "PA"} else image


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
