"""Secrets at rest: MultiFernet, with the context inside the sealed text.

Fernet binds no associated data, so somebody who can write the database could swap two rows.
Therefore every sealed text carries what it belongs to, and opening verifies it.
"""

import hashlib
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

_CLOSED = "the secret cannot be opened with the configured keys"


class SealBroken(Exception):
    """The text cannot be opened with our keys, or belongs to another row."""


def key_id(key: str) -> str:
    """Name a key without telling it: eight hex digits of its hash."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.TOKEN_KEYS])


def seal(secrets: Mapping[str, str], *, context: Mapping[str, str]) -> tuple[bytes, str]:
    """Encrypt with the first key; returns the sealed text and that key's id."""
    plain = json.dumps({"context": dict(context), "secrets": dict(secrets)}).encode()
    return _fernet().encrypt(plain), key_id(settings.TOKEN_KEYS[0])


def unseal(sealed: "bytes | memoryview[int]", *, context: Mapping[str, str]) -> dict[str, str]:
    """Decrypt and verify the context. Raises :class:`SealBroken`."""
    try:
        plain = json.loads(_fernet().decrypt(bytes(sealed)))
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
        return _fernet().rotate(bytes(sealed)), key_id(settings.TOKEN_KEYS[0])
    except InvalidToken as error:
        raise SealBroken(_CLOSED) from error


def is_newest(sealed: "bytes | memoryview[int]") -> bool:
    """Tell whether the first key opens it."""
    try:
        Fernet(settings.TOKEN_KEYS[0]).decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True
