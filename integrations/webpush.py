"""One push message on the wire: encrypted for one browser (RFC 8291), signed by us (RFC 8292).

Written out with ``cryptography`` instead of a package, because the packages bring an HTTP client
that knows nothing of our guard (:mod:`integrations.addresses`). Tested with the RFCs' examples.
"""

import base64
import json
import os
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_RECORD = 4096  # bytes; push services need not take more (RFC 8030, 7.2)
LONGEST = _RECORD - 86 - 16 - 1  # bytes of plain text: less header, tag and end mark
_POINT, _SECRET, _HALF = 65, 16, 32  # bytes
_CURVE = ec.SECP256R1()


class KeyRefused(ValueError):
    """These are not the keys of a browser's subscription."""


@dataclass(frozen=True, slots=True)
class Browser:
    """The public key and the shared secret that a subscription brings."""

    public: bytes = field(repr=False)
    auth: bytes = field(repr=False)


def unpack(text: str) -> bytes:
    """Base64url with or without its padding, as browsers send it. Raises :class:`KeyRefused`."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", True)
    except ValueError as error:
        raise KeyRefused from error


def pack(content: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def browser(p256dh: str, auth: str) -> Browser:
    """Read a subscription's keys; the point must lie on the curve. Raises :class:`KeyRefused`."""
    made = Browser(unpack(p256dh), unpack(auth))
    if len(made.public) != _POINT or len(made.auth) != _SECRET:
        raise KeyRefused
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, made.public)
    except ValueError as error:
        raise KeyRefused from error
    return made


def encrypt(
    plain: bytes,
    to: Browser,
    *,
    own: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of one message, ``aes128gcm`` in a single record (RFC 8291, 3.4; RFC 8188, 2).

    ``own`` and ``salt`` are fresh for every message; only the RFC's example gives them.
    """
    if len(plain) > LONGEST:
        message = "too long for one record"
        raise ValueError(message)
    own, salt = own or ec.generate_private_key(_CURVE), salt or os.urandom(16)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, to.public)
    mine = public_point(own)
    shared = own.exchange(ec.ECDH(), theirs)
    secret = _derive(shared, to.auth, b"WebPush: info\0" + to.public + mine, 32)
    key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + struct.pack("!IB", _RECORD, len(mine)) + mine
    return header + AESGCM(key).encrypt(nonce, plain + b"\x02", None)


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def public_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Our public key as browsers take it: an uncompressed point."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def authorization(origin: str, *, key: ec.EllipticCurvePrivateKey, contact: str, ends: int) -> str:
    """The header that says who sends (RFC 8292, 3): for one push service, until ``ends`` (epoch).

    ``contact`` is a ``mailto:`` or ``https:`` address of whoever runs this installation.
    """
    parts = ({"typ": "JWT", "alg": "ES256"}, {"aud": origin, "exp": ends, "sub": contact})
    told = ".".join(pack(json.dumps(p, separators=(",", ":")).encode()) for p in parts)
    r, s = decode_dss_signature(key.sign(told.encode(), ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
    return f"vapid t={told}.{pack(signature)}, k={pack(public_point(key))}"
