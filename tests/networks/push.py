"""A pretended push service: it checks what a real one checks, and opens what it got."""

import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from integrations import webpush
from integrations.webpush import pack

from .server import Loopback

POINT = Encoding.X962, PublicFormat.UncompressedPoint


def is_signed(header):
    """Tell whether such a header is signed by the key it names; what a push service asks."""
    fields = dict(part.strip().split("=", 1) for part in header.removeprefix("vapid ").split(","))
    told, _dot, signature = fields["t"].rpartition(".")
    raw = webpush.unpack(signature)
    pair = int.from_bytes(raw[: webpush._HALF], "big"), int.from_bytes(raw[webpush._HALF :], "big")
    point = ec.EllipticCurvePublicKey.from_encoded_point(
        webpush._CURVE, webpush.unpack(fields["k"])
    )
    try:
        point.verify(encode_dss_signature(*pair), told.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def opened(body, private, auth):
    """What a browser reads (RFC 8291, 3.4), written down a second time for the test."""
    salt, length = body[:16], body[20]
    theirs, sealed = body[21 : 21 + length], body[21 + length :]
    mine = private.public_key().public_bytes(*POINT)
    shared = private.exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
    )

    def derive(secret, salt, info, size):
        return HKDF(hashes.SHA256(), size, salt, info).derive(secret)

    secret = derive(shared, auth, b"WebPush: info\0" + mine + theirs, 32)
    key = derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    plain = AESGCM(key).decrypt(nonce, sealed, None)
    return plain[: plain.rindex(b"\x02")]


class Subscription:
    """One browser's: ``form`` is what it tells us."""

    def __init__(self, service, name):
        self.path = f"/send/{name}"
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.auth = name.encode().ljust(16, b".")[:16]
        self.endpoint = service.base_url + self.path
        public = self.private.public_key().public_bytes(*POINT)
        self.form = {"endpoint": self.endpoint, "p256dh": pack(public), "auth": pack(self.auth)}


class PushService(Loopback):
    """``answers[path]`` is the next answer: a status, or status and headers. ``got`` holds all."""

    def __init__(self):
        super().__init__()
        self.browsers, self.answers, self.got = {}, {}, []

    def subscribe(self, name="phone"):
        made = Subscription(self, name)
        self.browsers[made.path] = made
        return made

    def texts(self):
        return [message["body"] for _path, message, _headers in self.got]

    def serve(self, handler, at, body):
        answer = self.answers.get(handler.path, 201)
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        sent = {name.lower(): value for name, value in handler.headers.items()}
        if status == 201:
            if not is_signed(sent["authorization"]) or sent["content-encoding"] != "aes128gcm":
                status = 403
            else:
                browser = self.browsers[handler.path]
                plain = json.loads(opened(body, browser.private, browser.auth))
                self.got.append((handler.path, plain, sent))
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
