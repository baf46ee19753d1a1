"""Addresses and pictures that nobody thought of: the corpus, bent at random.

`make fuzz` runs both at the size of the contract and prints the figures.
"""

import collections
import io
import ipaddress
import multiprocessing
import random
import resource
import socket
import struct
import time

import pytest
from PIL import Image

from campaigns import uploads
from integrations import wire
from integrations.safe_fetch import NotFetched, fetch

from .conftest import FULL
from .corpus import cases
from .test_bad_uploads import MORE_KINDS, bytes_of

URLS, FILES = (100_000, 500) if FULL else (2_000, 24)
CONTROLS = [
    "https://feeds.example.com/news.xml?page=2", "http://feeds.example.com/", "https://93.184.216.34/",
    "https://[2606:2800:220:1:248:1893:25c8:1946]/", "https://müller.de/ä",
]  # fmt: skip

# Addresses -----------------------------------------------------------------------------------

INSIDE = [
    "127.0.0.1", "10.0.0.9", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.0",
    "192.0.0.192", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "fec0::1", "ff02::1", "2001:db8::1",
]  # fmt: skip
OUTSIDE = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]
SIGNS = [
    *"@%\\#?:/[].;,|\"'<> \t\r\n\0\x7f", "。", "．", "⒈", "１", "ⓛ", "ß", "ı", "K", "\u00ad", "\u200b", "\u202e",
    "%2e", "%00", "%40", "//", "..", "0x", "0", "::", "localhost", ".internal", "@127.0.0.1", "\ud800",
    "xn--", ":80", ":22", ":0443", "http:", "https://", "file://",
]  # fmt: skip


def spellings(rng):
    """An address inside, in one of the ways that libraries read and people do not."""
    ip = ipaddress.ip_address(rng.choice(INSIDE))
    if ip.version == 6:
        return f"[{rng.choice([str(ip), ip.exploded, str(ip).upper(), f'{ip}%25eth0'])}]"
    number, parts = int(ip), str(ip).split(".")
    return rng.choice([
        str(ip), str(number), hex(number), oct(number).replace("0o", "0"),
        ".".join(hex(int(p)) for p in parts), ".".join(f"0{int(p):o}" for p in parts),
        ".".join(p.zfill(3) for p in parts), f"{parts[0]}.{int(ip) & 0xFFFFFF}", f"{ip}.",
        "".join(chr(0xFF10 + int(c)) if c.isdigit() else c for c in str(ip)), f"[::ffff:{ip}]",
        f"[64:ff9b::{ip}]", f"{ip}.nip.io",
    ])  # fmt: skip


def bent(rng, known):
    """One address of the corpus, changed once to four times."""
    url = rng.choice(known)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(url) + 1)
        match rng.randrange(7):
            case 0:
                url = url[:at] + rng.choice(SIGNS) + url[at:]
            case 1:
                url = url[:at] + url[at + rng.randint(1, 4) :]
            case 2:
                url = (
                    url[:at]
                    + chr(rng.choice([rng.randrange(128), rng.randrange(0x3000)]))
                    + url[at + 1 :]
                )
            case 3:
                other = rng.choice(known)
                url = url[:at] + other[rng.randrange(len(other) + 1) :]
            case 4:
                url = rng.choice(["http", "https", "HTTPS"]) + "://" + spellings(rng) + rng.choice(["/", "", ":443/x", "?q"])  # fmt: skip
            case 5:
                url = url.swapcase()
            case _:
                scheme, colons, rest = url.partition("://")
                url = f"{scheme}{colons}{rng.choice(['feeds.example.com@', 'a:b@', ''])}{spellings(rng)}{rest[at:]}"
    return url


class Somewhere:
    """A resolver whose names lead outside, inside, to both, or change between two questions."""

    def __init__(self, rng):
        self.rng = rng

    def __call__(self, host, port):
        del port
        if host in {"feeds.example.com", "xn--mller-kva.de"}:
            return OUTSIDE[:1]
        draw = self.rng.randrange(4)
        return [[OUTSIDE[0]], [self.rng.choice(INSIDE)], [], [OUTSIDE[0], self.rng.choice(INSIDE)]][
            draw
        ]


@pytest.fixture
def sky(monkeypatch):
    """Notes every connection instead of opening it; the next answer is said in it."""
    made, answers, dialled, kept = [], [], [], collections.deque(maxlen=8)
    fine = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

    def connect(target, address, end):
        del end
        made.append((target.host, address))
        ours, theirs = socket.socketpair()
        theirs.sendall(answers.pop() if answers else fine)
        theirs.shutdown(socket.SHUT_WR)
        kept.append(theirs)
        return ours

    monkeypatch.setattr(wire, "_connect", connect)
    monkeypatch.setattr(socket.socket, "connect", lambda s, where: dialled.append(where))
    return made, answers, dialled


def test_no_bent_address_reaches_inside(sky):
    made, answers, dialled = sky
    known = [p.values[0]["value"] for p in cases("ssrf") if p.values[0] and "value" in p.values[0]]
    if not known:
        pytest.skip("../shared is not beside this checkout")
    from badinputs_load import public  # a judge that is not the code it judges

    rng = random.Random(17)
    resolver, outcomes, slowest = Somewhere(rng), collections.Counter(), 0.0
    for _ in range(URLS):
        url = bent(rng, known)
        answers.clear()
        if rng.randrange(3) == 0:  # reached by a redirect of a server outside
            location = url.encode("utf-8", "surrogateescape" if url.isascii() else "replace")
            location = location.replace(b"\r", b"").replace(b"\n", b"")
            answers.append(
                b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
            )
            url = CONTROLS[1]
        began = time.perf_counter()
        try:
            fetch(url, own_hosts={"us.example"}, http=True, resolver=resolver)
            outcomes["read"] += 1
        except NotFetched as refused:
            outcomes[refused.why] += 1
        slowest = max(slowest, time.perf_counter() - began)
    inside = [(host, address) for host, address in made if not public(address)]
    made.clear()
    answers.clear()
    assert [fetch(url, own_hosts=set(), http=True, resolver=resolver).body for url in CONTROLS] == [
        b"hi"
    ] * 5
    print(f"\n{URLS} bent addresses {dict(outcomes)}: {len(inside)} connections inside, 5/5 controls,"
          f" slowest {slowest:.3f} s")  # fmt: skip
    assert (inside, dialled, len(made)) == ([], [], 5)
    assert outcomes["read"] > URLS / 100


# Pictures ------------------------------------------------------------------------------------


def seeds():
    """The files of the corpus and of `test_bad_uploads`, those of more than a megabyte left out."""
    found = [bytes_of(p.values[0]) for p in cases("upload") if p.values[0]]
    kinds = [c for c in found if isinstance(c, bytes)] + [make() for make in MORE_KINDS.values()]
    out = io.BytesIO()
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    noise = Image.effect_noise((400, 300), 80).convert("RGB")
    noise.save(out, "JPEG", exif=exif.tobytes(), comment=b"secret")
    return [*(kind for kind in kinds if len(kind) < 1_000_000), out.getvalue()]


def spoiled(rng, kinds):
    """A file with some bytes changed, cut, doubled, or continued by another file."""
    content = bytearray(rng.choice(kinds))
    for _ in range(rng.randint(1, 12)):
        at = rng.randrange(len(content) + 1)
        match rng.randrange(5):
            case 0 if at < len(content):
                content[at] = rng.randrange(256)
            case 1:
                content[at : at + 4] = struct.pack(
                    ">I", rng.choice([0, 1, 2**31 - 1, 2**32 - 1, 65_535])
                )
            case 2 if rng.randrange(4) == 0:
                del content[at:]
            case 3:
                content[at:at] = content[at : at + rng.randint(1, 300)]
            case _:
                other = rng.choice(kinds)
                content += other[: rng.randint(0, 200)]
    return bytes(content)


def told(jpeg):
    """The segments of a JPEG that tell something of it: all APPn but JFIF's, and comments."""
    found, at = [], 2
    while jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        marker, (length,) = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2 : at + 4])
        if marker == 0xFE or (0xE0 <= marker <= 0xEF and jpeg[at + 4 : at + 9] != b"JFIF\0"):
            found.append(hex(marker))
        at += 2 + length
    return found


def spoil(_turn):
    """Try every spoiled file; what became of them, what they told, and the largest process."""
    kinds, rng, outcomes, metadata = seeds(), random.Random(18), collections.Counter(), []
    slowest = 0.0
    for content in [*kinds[: None if FULL else 0], *(spoiled(rng, kinds) for _ in range(FILES))]:
        began = time.perf_counter()
        try:
            clean = uploads.encode(content)
            outcomes["kept"] += 1
            metadata += told(clean.content)
        except uploads.PictureRefused:
            outcomes["refused"] += 1
        slowest = max(slowest, time.perf_counter() - began)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return outcomes, metadata, largest, slowest


def test_no_spoiled_picture_does_more_than_be_refused():
    # in a process of its own: the largest child of this one may have been another test's
    with multiprocessing.get_context("fork").Pool(1) as pool:
        [(outcomes, metadata, largest, slowest)] = pool.map(spoil, [None])
    print(f"\n{FILES} spoiled files {dict(outcomes)}: largest process {largest} MB,"
          f" slowest {slowest:.2f} s")  # fmt: skip
    assert (metadata, largest < 512) == ([], True)
    assert outcomes["kept"] > 0


@pytest.mark.parametrize(
    ("kind", "mode", "width"),
    [("PNG", "RGBA", 8_000), ("PNG", "P", 8_000), ("PNG", "I;16", 8_000), ("JPEG", "RGB", 8_000), ("WEBP", "RGBA", 4_000)],
)  # fmt: skip
def test_largest_picture_that_is_taken_fits_into_half_a_gigabyte(kind, mode, width):
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new(mode, (width, 5_000)).save(out, kind, exif=exif.tobytes())
    assert max((taken := uploads.encode(out.getvalue())).width, taken.height) == 2_000


def test_one_pixel_more_is_refused():
    out = io.BytesIO()
    Image.new("RGB", (4_001, 5_000)).save(out, "WEBP", method=0)
    with pytest.raises(uploads.PictureRefused, match="20 as a WebP"):
        uploads.encode(out.getvalue())
