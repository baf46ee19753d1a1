"""Re-encode one picture: bytes in, ``width height`` and a clean JPEG out.

Runs as a process of its own under memory and CPU limits, because decoders are attacked.
"""

import io
import sys
import warnings

from PIL import Image, ImageOps

_TARGET_BYTES = 1_900_000  # below Bluesky's 2,000,000
_TOO_MANY_PIXELS = 3


def main(most_pixels: int, widest: int) -> int:
    """Return 0, 2 (not a picture we read) or 3 (too many pixels)."""
    warnings.simplefilter("error")
    Image.MAX_IMAGE_PIXELS = None  # we look at the header ourselves
    try:
        with Image.open(
            io.BytesIO(sys.stdin.buffer.read()), formats=["JPEG", "PNG", "WEBP"]
        ) as image:
            if image.width * image.height > most_pixels:
                return _TOO_MANY_PIXELS
            upright = ImageOps.exif_transpose(image)
            flat = Image.new("RGB", upright.size, "white")
            rgba = upright.convert("RGBA")
            flat.paste(rgba, mask=rgba.getchannel("A"))
        flat.thumbnail((widest, widest))
        for quality in (88, 80, 70, 55):
            out = io.BytesIO()
            flat.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= _TARGET_BYTES:
                break
    except Exception:  # noqa: BLE001 - whatever a decoder throws, the file is refused
        return 2
    sys.stdout.buffer.write(f"{flat.width} {flat.height}\n".encode() + out.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
