"""A passkey alone logs in, and only when its device asked for a finger, a face or a PIN (ASVS 6.3.3)."""

import hashlib
import json

import pytest
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

HOST = "hallo.example"
F = AuthenticatorData.FLAG
STATE = auth.STATE_SESSION_KEY

pytestmark = pytest.mark.django_db


class Device:
    """Holds one passkey of a person, as a phone does."""

    def __init__(self, who):
        self.who, self.key = who, ec.generate_private_key(ec.SECP256R1())
        self.number = hashlib.sha256(str(who.pk).encode()).digest()
        held = AttestedCredentialData.create(
            b"\0" * 16, self.number, ES256.from_cryptography_key(self.key.public_key())
        )
        made = AttestationObject.create("none", self._says(F.UP | F.UV | F.AT, held), {})
        said = CollectedClientData.create("webauthn.create", b"x", f"https://{HOST}")
        answer = {"clientDataJSON": websafe_encode(said), "attestationObject": websafe_encode(made)}
        credential = self._sent(answer) | {"clientExtensionResults": {"credProps": {"rk": True}}}
        data = {"name": "Phone", "credential": credential}
        Authenticator.objects.create(user=who, type="webauthn", data=data)

    def _says(self, flags, held=b""):
        return AuthenticatorData.create(hashlib.sha256(HOST.encode()).digest(), flags, 1, held)

    def _sent(self, answer):
        number = websafe_encode(self.number)
        return {"id": number, "rawId": number, "type": "public-key", "response": answer}

    def answer(self, challenge, flags):
        """What the browser posts when the device was asked and says ``flags``."""
        said = CollectedClientData.create("webauthn.get", challenge, f"https://{HOST}")
        shown = self._says(flags)
        signed = self.key.sign(shown + said.hash, ec.ECDSA(hashes.SHA256()))
        return json.dumps(self._sent({
            "clientDataJSON": websafe_encode(said), "authenticatorData": websafe_encode(shown),
            "signature": websafe_encode(signed),
            "userHandle": websafe_encode(user_pk_to_url_str(self.who).encode()),
        }))  # fmt: skip


@pytest.fixture
def device(person):
    return Device(person("Jona"))


def log_in(device, flags, *, asked="required"):
    """Come by the passkey alone; ``asked`` is what this session's question wanted of the device."""
    visitor = Client(HTTP_HOST=HOST)
    question = visitor.get(
        "/accounts/2fa/webauthn/login/", secure=True, HTTP_X_REQUESTED_WITH="XMLHttpRequest"
    ).json()["request_options"]["publicKey"]
    assert question["userVerification"] == "required"
    session = visitor.session
    session[STATE] = {**session[STATE], "user_verification": asked}
    session.save()
    posted = {"credential": device.answer(question["challenge"], flags)}
    visitor.post("/accounts/2fa/webauthn/login/", posted, secure=True)
    return int(visitor.session.get("_auth_user_id", 0)) == device.who.pk


def test_passkey_whose_device_asked_logs_in(device):
    assert log_in(device, F.UP | F.UV)


@pytest.mark.parametrize("asked", ["required", "preferred", "discouraged"])
def test_passkey_whose_device_asked_nobody_does_not(device, asked):
    """Not by the question of the second factor either, which wants no finger (allauth 65.22)."""
    assert not log_in(device, F.UP, asked=asked)
