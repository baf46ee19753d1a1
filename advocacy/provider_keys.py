"""How strong the keys are by which the company's provider vouches for people (ASVS 11.2.3).

RSA keys of 3,072 bits have 128 bits of strength and of 2,048 bits 112 (NIST SP 800-57 part 1,
table 2); elliptic curves half of theirs.
"""

import binascii
from collections.abc import Iterator
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.saml.utils import fetch_metadata_url_config
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.utils.translation import gettext as _

from . import company

_CURVE = 256


class TooShort(Exception):
    """A key has fewer bits than this installation takes: ``bits``, and ``wanted``."""

    def __init__(self, bits: int, wanted: int) -> None:
        super().__init__(
            f"the provider's key has {bits} bits, {wanted} are wanted (LOGIN_RSA_BITS)"
        )
        self.bits, self.wanted = bits, wanted

    def sentence(self) -> str:
        """What the person and their administration read."""
        told = _(
            "The company’s login signs with a key of %(bits)s bits, and Botschaft takes none of"
            " fewer than %(wanted)s."
        )
        if self.wanted > _CURVE and self.bits >= settings.RSA_LEAST:
            told += " " + _(
                "If your provider has no longer ones, your administration allows it:"
                " LOGIN_RSA_BITS=%(bits)s."
            )
        return told % {"bits": self.bits, "wanted": self.wanted}


def check(key: Any) -> None:
    """Raise :class:`TooShort` for a key that is too weak to sign. Ed25519 has no choice of bits."""
    wanted = _CURVE if isinstance(key, ec.EllipticCurvePublicKey) else settings.LOGIN_RSA_BITS
    if (bits := getattr(key, "key_size", wanted)) < wanted:
        raise TooShort(bits, wanted)


def is_long(key: Any) -> bool:
    """Tell whether logins signed by a key are taken."""
    try:
        check(key)
    except TooShort:
        return False
    return True


def of_certificates(idp: dict[str, Any]) -> Iterator[Any]:
    """The keys by which a SAML provider signs. Raises ValueError for what is no certificate."""
    many = (idp.get("x509certMulti") or {}).get("signing", [])
    for text in filter(None, [idp.get("x509cert"), *many]):
        plain = "".join(line for line in text.splitlines() if not line.startswith("-----"))
        yield x509.load_der_x509_certificate(binascii.a2b_base64(plain)).public_key()


def published(app: Any) -> list[Any]:
    """The keys by which a provider says that it signs; asks it. Raises whatever libraries raise."""
    if app.provider_id == company.SAML:
        idp = app.settings["idp"]
        told = fetch_metadata_url_config(idp)["idp"] if "metadata_url" in idp else idp
        return list(of_certificates(told))
    with get_adapter().get_requests_session() as session:

        def read(address: str) -> Any:
            answer = session.get(address)
            answer.raise_for_status()
            return answer.json()

        there = read(OpenIDConnectProvider(None, app=app).server_url)["jwks_uri"]
        keys = jwt.PyJWKSet.from_dict(read(there)).keys
    return [one.key for one in keys if one.public_key_use != "enc"]


def own(app: Any) -> list[Any]:
    """Ours, by which a SAML provider knows us and encrypts to us. Raises as above."""
    return list(of_certificates({"x509cert": app.settings.get("advanced", {}).get("x509cert")}))
