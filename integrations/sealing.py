"""Secrets at rest, with the context inside the sealed text.

Neither algorithm is told what it seals, so somebody who can write the database could swap two rows.
Therefore every sealed text carries what it belongs to, and opening verifies it.

A key says by its name which algorithm it is for: another one takes a class here and a new first
key, and ``rotate-keys`` seals anew with it whatever there is (ASVS 11.2.2).
"""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_GCM = "aes256gcm:"
_NONCE, _KEY = 12, 32  # bytes (NIST SP 800-38D, FIPS 197)
_CLOSED = "the secret cannot be opened with the configured keys"


class SealBroken(Exception):
    """The text cannot be opened with our keys, or belongs to another row."""


def key_id(key: str) -> str:
    """Name a key without telling it: eight hex digits of its hash."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


class _Gcm:
    """AES-256-GCM. A key seals 2^32 texts at most, for their nonces are drawn."""

    def __init__(self, key: str) -> None:
        if len(raw := urlsafe_b64decode(key)) != _KEY:
            message = "an aes256gcm key has 32 bytes"  # AESGCM would be AES-128 with 16
            raise ValueError(message)
        self.box = AESGCM(raw)

    def encrypt(self, plain: bytes) -> bytes:
        """Seal; the text begins with a sign that no Fernet token begins with."""
        nonce = os.urandom(_NONCE)
        return b"2" + urlsafe_b64encode(nonce + self.box.encrypt(nonce, plain, None))

    def decrypt(self, sealed: bytes) -> bytes:
        """Open it. Raises InvalidToken."""
        if not sealed.startswith(b"2"):
            raise InvalidToken
        try:
            raw = urlsafe_b64decode(sealed[1:])
            return self.box.decrypt(raw[:_NONCE], raw[_NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise InvalidToken from error


def box(key: str) -> Fernet | _Gcm:
    """What a key of TOKEN_KEYS seals with. Raises ValueError for one that is none."""
    return _Gcm(key.removeprefix(_GCM)) if key.startswith(_GCM) else Fernet(key)


def _opened(sealed: bytes) -> bytes:
    """The plain text, by whichever key opens it. Raises InvalidToken."""
    for key in settings.TOKEN_KEYS:
        try:
            return box(key).decrypt(sealed)
        except InvalidToken:
            continue
    raise InvalidToken


def seal(secrets: Mapping[str, str], *, context: Mapping[str, str]) -> tuple[bytes, str]:
    """Encrypt with the first key; returns the sealed text and that key's id."""
    plain = json.dumps({"context": dict(context), "secrets": dict(secrets)}).encode()
    return box(settings.TOKEN_KEYS[0]).encrypt(plain), key_id(settings.TOKEN_KEYS[0])


def unseal(sealed: "bytes | memoryview[int]", *, context: Mapping[str, str]) -> dict[str, str]:
    """Decrypt and verify the context. Raises :class:`SealBroken`."""
    try:
        plain = json.loads(_opened(bytes(sealed)))
    except (InvalidToken, ValueError) as error:
        raise SealBroken(_CLOSED) from error
    if plain["context"] != dict(context):
        message = "the secret belongs to another row"
        raise SealBroken(message)
    secrets: dict[str, str] = plain["secrets"]
    return secrets


def reseal(sealed: "bytes | memoryview[int]") -> tuple[bytes, str]:
    """Seal again with the first key, context and all. Raises :class:`SealBroken`."""
    try:
        plain = _opened(bytes(sealed))
    except InvalidToken as error:
        raise SealBroken(_CLOSED) from error
    return box(settings.TOKEN_KEYS[0]).encrypt(plain), key_id(settings.TOKEN_KEYS[0])


def is_newest(sealed: "bytes | memoryview[int]") -> bool:
    """Tell whether the first key opens it."""
    try:
        box(settings.TOKEN_KEYS[0]).decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True
