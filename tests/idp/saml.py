"""pysaml2's identity provider over HTTP; it signs with the program xmlsec1."""

import base64
import datetime as dt
import html
import logging
import re
import warnings
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

with warnings.catch_warnings():  # it names ciphers that moved
    warnings.simplefilter("ignore")
    from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
    from saml2.config import IdPConfig
    from saml2.metadata import entity_descriptor
    from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
    from saml2.server import Server
    from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

from tests.networks.server import Loopback

logging.getLogger("saml2").setLevel(logging.CRITICAL)
PASSWORD = {
    "class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
    "authn_auth": "https://idp.example",
}


def key_pair(folder, name, bits=3072):
    """A key and a certificate of its own, as files; returns their paths and the PEM of the latter."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    key_file, certificate_file = folder / f"{name}.key", folder / f"{name}.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_text(pem)
    return str(key_file), str(certificate_file), pem


class IdentityProvider(Loopback):
    """Everybody who comes is ``name_id`` with ``attributes``. ``made`` notes each answer.

    ``lifetime`` is of assertions in minutes, ``sign`` off leaves them unsigned. ``since`` is when
    somebody logged in there, in seconds since 1970; None: this moment. ``again`` notes ForceAuthn.
    """

    def __init__(self, folder, xmlsec1):
        super().__init__()
        self.xmlsec1 = xmlsec1
        self.ours = None
        self.own = key_pair(folder, "idp")
        self.reset()

    def reset(self):
        """Sign well, with our own key and name, for Jona."""
        self.name_id, self.attributes = "jona-7f3a", {}
        self.sign, self.lifetime, self.audience = True, 5, None
        self.since, self.made, self.again = None, [], []
        self.key_file, self.certificate_file, self.certificate = self.own
        self.entity_id = f"{self.base_url}/metadata"

    def meet(self, metadata):
        """Know the service provider, as an administrator would have it do."""
        self.ours = metadata
        return self

    def _idp(self):
        conf = IdPConfig()
        conf.load(
            {
                "entityid": self.entity_id,
                "xmlsec_binary": self.xmlsec1,
                "key_file": self.key_file,
                "cert_file": self.certificate_file,
                "metadata": {"inline": [self.ours]} if self.ours else {},
                "service": {
                    "idp": {
                        "endpoints": {
                            "single_sign_on_service": [
                                (f"{self.base_url}/sso", BINDING_HTTP_REDIRECT)
                            ]
                        },
                        "name_id_format": [NAMEID_FORMAT_PERSISTENT],
                        "sign_assertion": self.sign,
                        "sign_response": False,
                        "policy": {
                            "default": {
                                "lifetime": {"minutes": self.lifetime},
                                "attribute_restrictions": None,
                                "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
                            }
                        },
                    }
                },
            }
        )
        return Server(config=conf)

    def serve(self, handler, at, body):
        """Metadata, or the form that takes the browser back with the answer."""
        address = urlsplit(handler.path)
        if address.path == "/metadata":
            conf = self._idp().config
            return self.answer(handler, 200, str(entity_descriptor(conf)).encode())
        asked = dict(parse_qsl(address.query))
        form = self.answer_to(asked["SAMLRequest"], asked.get("RelayState", ""))
        return self.answer(handler, 200, form.encode())

    def answer_to(self, request, relay_state=""):
        """Read a request; returns the page with the form that posts the answer."""
        idp = self._idp()
        asked = idp.parse_authn_request(request, BINDING_HTTP_REDIRECT)
        self.again.append(asked.message.force_authn == "true")
        args = idp.response_args(asked.message)
        how = PASSWORD | ({"authn_instant": self.since} if self.since else {})
        if self.audience:
            args["sp_entity_id"] = self.audience
        name_id = NameID(format=NAMEID_FORMAT_PERSISTENT, text=self.name_id)
        args.pop("name_id_policy", None)
        made = idp.create_authn_response(
            self.attributes, userid=self.name_id, name_id=name_id, authn=how,
            sign_assertion=self.sign, sign_response=False,
            sign_alg=SIG_RSA_SHA256, digest_alg=DIGEST_SHA256, **args,
        )  # fmt: skip
        self.made.append(str(made))
        filled = idp.apply_binding(
            BINDING_HTTP_POST, str(made), args["destination"], relay_state, response=True
        )
        return str(filled["data"])


def form_of(page):
    """Where a page's form goes, and its fields."""
    action = html.unescape(re.search(r'action="([^"]+)"', page)[1])
    fields = re.findall(r'name="(SAMLResponse|RelayState)"[^>]*value="([^"]*)"', page)
    return action, {name: html.unescape(value) for name, value in fields}


def packed(xml):
    """An answer as a form carries it."""
    return base64.b64encode(xml.encode()).decode()
