"""Pictures that are none, or that carry more than a picture: the corpus through the editor."""

import io
import re
import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from campaigns.models import Picture, Suggestion

from .corpus import cases, value

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(person):
    client = Client()
    client.force_login(person("Mirja", "curator"))
    return client


def send(desk, topic, content, name="a.jpg", kind="image/jpeg"):
    """Upload through the editor of a new suggestion."""
    return desk.post("/desk/suggestions/new/", {
        "topic": topic.pk, "title": "With a picture", "language": "en", "tone": "useful",
        "content_class": "employer_brand", "revision": 0, "act": "save", "v_id": "", "v_name": "One",
        "v_text": "Words [yours].", "v_language": "en", "v_network": "",
        "picture_file": SimpleUploadedFile(name, content, kind),
    })  # fmt: skip


def refused(answer):
    """A sentence at the field, the words still there, nothing stored."""
    page = answer.content.decode()
    return (answer.status_code, 'class="error"' in page, "Words [yours]." in page,
            Picture.objects.count(), Suggestion.objects.count())  # fmt: skip


def stored():
    with Picture.objects.get().file.open("rb") as file:
        content = file.read()
    image = Image.open(io.BytesIO(content))
    image.load()
    return content, image


def bytes_of(case):
    content = value(case)
    if isinstance(content, tuple):  # what only a stub can say: the header of a film
        return b"\0\0\0\x20ftypisom\0\0\2\0isomiso2mp41" + b"\0\0\0\x08free"
    return content


@pytest.mark.parametrize("case", cases("upload"))
def test_upload_of_the_corpus(case, desk, topic):
    content = bytes_of(case)
    answer = send(
        desk, topic, content, case.get("filename", "a.jpg"), case.get("content_type", "image/jpeg")
    )
    if case["expect"] == "reject":
        assert refused(answer) == (422, True, True, 0, 0)
        if case["id"] == "upload-022":
            assert "Instagram 0.80–1.91" in answer.content.decode()
        return
    assert answer.status_code == 302
    clean, image = stored()
    told = {
        key
        for key in image.info
        if key not in {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    }
    assert (image.format, image.mode, told, clean.rstrip().endswith(b"\xff\xd9")) == (
        "JPEG",
        "RGB",
        set(),
        True,
    )
    assert [
        word
        for word in (b"secret", b"Exif", b"<script", b"Comment", b"xmpmeta", b"GPS")
        if word in clean
    ] == []
    match case["id"]:
        case "upload-001":  # turned by a quarter
            assert image.size == (64, 64)
        case "upload-025":
            assert image.getpixel((5, 5)) != (200, 30, 30)  # half-clear red over white
        case "upload-026":
            assert len(Picture.objects.get().file.name) == len("pictures/") + 32 + len(".jpg")
        case "upload-029":
            path = f"/pictures/{Picture.objects.get().pk}/"
            got = desk.get(path)
            assert (got["X-Content-Type-Options"], got["Content-Security-Policy"][:7], got["Content-Disposition"][:6]) == (
                "nosniff", "sandbox", "inline",
            )  # fmt: skip
            assert desk.get("/pictures/99999/").status_code == 404
            # Without a session every number gets the same answer, whether it exists or not.
            assert [Client().get(p).status_code for p in (path, "/pictures/99999/")] == [302, 302]


@pytest.mark.parametrize("case", cases("name"))
def test_name_of_a_file_is_kept_nowhere(case, desk, topic):
    name = value(case)
    answer = send(desk, topic, picture("PNG"), name)
    assert answer.status_code == 302
    row = Picture.objects.get()
    assert re.fullmatch(r"pictures/[0-9a-f]{32}\.jpg", row.file.name)
    got = desk.get(f"/pictures/{row.pk}/")
    assert (got.status_code, "X-Evil" in got) == (200, False)
    assert [word for word in ("Evil", name) if len(word) > 3 and word in str(got.headers)] == []


def test_picture_is_turned_as_its_camera_says(desk, topic):
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (120, 60), "red").save(out, "JPEG", exif=exif.tobytes())
    send(desk, topic, out.getvalue())
    assert stored()[1].size == (60, 120)


def picture(kind, mode="RGB", size=(64, 64), colour=None, **options):
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind, **options)
    return out.getvalue()


def moving(kind):
    out = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (n, 0, 0)) for n in range(9)]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=50)
    return out.getvalue()


def chunk(name, content):
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


HEADER = b"\x89PNG\r\n\x1a\n"
MORE_KINDS = {
    "moving PNG": lambda: moving("PNG"),
    "moving WebP": lambda: moving("WEBP"),
    "TIFF": lambda: picture("TIFF"),
    "BMP": lambda: picture("BMP"),
    "ICO": lambda: picture("ICO"),
    "HEIC": lambda: b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + b"\0" * 99,
    "AVIF": lambda: b"\0\0\0\x18ftypavif\0\0\0\0avifmif1" + b"\0" * 99,
    "one pixel": lambda: picture("PNG", size=(1, 1)),
    "PNG without pixels": lambda: HEADER + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)) + chunk(b"IEND", b""),
    "PNG of size 0": lambda: HEADER + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 0, 8, 2, 0, 0, 0)) + chunk(b"IEND", b""),
    "PNG with a text bomb": lambda: HEADER + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
    + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 20_000_000, 9)) + chunk(b"IEND", b""),
}  # fmt: skip


@pytest.mark.parametrize("kind", MORE_KINDS)
def test_other_kinds_are_refused_with_a_sentence(kind, desk, topic):
    assert refused(send(desk, topic, MORE_KINDS[kind]())) == (422, True, True, 0, 0)


def test_sixteen_bits_do_not_burn_to_white(desk, topic):
    send(desk, topic, picture("PNG", "I;16", colour=20_000))
    assert abs(stored()[1].getpixel((5, 5))[0] - 20_000 // 256) < 4
