"""Keys, proofs and nonces of Bluesky's OAuth: ES256, DPoP (RFC 9449), client assertions (RFC 7523).

Every session has a key of its own, sealed with its tokens: a stolen token is worth nothing without
it. The client's keys say that it is really this installation that speaks.
"""

import base64
import hashlib
import json
import secrets
import time
import urllib.parse
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from integrations.wire import Answer, Garbled, call

from .base import App

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
_MOST_NONCES = 1000
# The latest nonce of each origin. Losing one costs a round trip, so memory is enough.
_nonces: dict[str, str] = {}


def new_key() -> str:
    """A fresh P-256 key for one session, as text to be sealed."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _b64(number.to_bytes(32, "big"))


def load_key(text: str) -> ec.EllipticCurvePrivateKey:
    """The key that :func:`new_key` wrote down."""
    number = int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
    return ec.derive_private_key(number, ec.SECP256R1())


def client_keys(app: App) -> dict[str, ec.EllipticCurvePrivateKey]:
    """The installation's keys by their id, the newest first.

    ``app.client_secret`` holds one secret or several, comma-separated; each gives one key, for
    ever the same (HKDF, 384 bits modulo the order: FIPS 186-5 A.2.1). A session stays bound to the
    key it began with, so an old secret is kept until its sessions are renewed.
    """
    found = {}
    for secret in filter(None, app.client_secret.split(",")):
        kdf = HKDF(hashes.SHA256(), length=48, salt=None, info=b"botschaft bluesky client key")
        number = int.from_bytes(kdf.derive(secret.strip().encode()), "big") % (_ORDER - 1) + 1
        key = ec.derive_private_key(number, ec.SECP256R1())
        found[thumbprint(key)] = key
    return found


def public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """The public half as a JWK."""
    point = key.public_key().public_numbers()
    x, y = (_b64(number.to_bytes(32, "big")) for number in (point.x, point.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def thumbprint(key: ec.EllipticCurvePrivateKey) -> str:
    """The id of a key (RFC 7638)."""
    canonical = json.dumps(public_jwk(key), separators=(",", ":"), sort_keys=True)
    return _b64(hashlib.sha256(canonical.encode()).digest())


def assertion(app: App, client_id: str, issuer: str, kid: str) -> str:
    """Our signature under "it is we who ask", for one minute and one server."""
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + 60,
    }
    return jwt(client_keys(app)[kid], {"kid": kid}, claims)


def proven(
    method: str,
    url: str,
    *,
    key: str,
    token: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    seconds: float,
    may_start: Callable[[], None] | None = None,
) -> Answer:
    """One call with a proof of the session's key; with ``token``, as its holder.

    A server that wants its own nonce in the proof says so before it does anything: then, once,
    the call is made again with it. Raises as :func:`integrations.wire.call`.
    """
    end = time.monotonic() + seconds
    parts = urllib.parse.urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    sent = {**(headers or {}), **({"Authorization": f"DPoP {token}"} if token else {})}
    for last in (False, True):
        nonce = _nonces.get(origin, "")
        sent["DPoP"] = _proof(load_key(key), method, f"{origin}{parts.path}", token, nonce)
        answer = call(
            method,
            url,
            headers=sent,
            body=body,
            seconds=max(end - time.monotonic(), 0.1),
            may_start=may_start,
        )
        fresh = answer.headers.get("dpop-nonce", "")
        if fresh and len(fresh) < 500 and fresh.isascii():
            if len(_nonces) > _MOST_NONCES:
                _nonces.clear()
            _nonces[origin] = fresh
        if last or not (wants_nonce(answer) and fresh):
            break
    return answer


def wants_nonce(answer: Answer) -> bool:
    """Tell whether a server did nothing but ask for its nonce."""
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return "use_dpop_nonce" in answer.headers.get("www-authenticate", "")
    return answer.status == HTTPStatus.BAD_REQUEST and error_of(answer) == "use_dpop_nonce"


def error_of(answer: Answer) -> str:
    """The error's name in an XRPC or OAuth answer, empty when there is none."""
    try:
        found = answer.json()
    except Garbled:
        return ""
    return str(found.get("error", "")) if isinstance(found, dict) else ""


def _proof(key: ec.EllipticCurvePrivateKey, method: str, url: str, token: str, nonce: str) -> str:
    claims: dict[str, Any] = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": url,
        "iat": int(time.time()),
    }
    if nonce:
        claims["nonce"] = nonce
    if token:
        claims["ath"] = _b64(hashlib.sha256(token.encode()).digest())
    return jwt(key, {"typ": "dpop+jwt", "jwk": public_jwk(key)}, claims)


def jwt(
    key: ec.EllipticCurvePrivateKey, header: Mapping[str, Any], claims: Mapping[str, Any]
) -> str:
    """Sign claims with ES256 (RFC 7515; the signature is r and s, 32 bytes each)."""
    parts = (json.dumps(part).encode() for part in ({**header, "alg": "ES256"}, dict(claims)))
    signed = ".".join(_b64(part) for part in parts)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
