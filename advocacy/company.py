"""The company's identity providers, from settings. Knows no Django: the settings import it.

A provider exists when its address is set. Nobody else's providers can be added at run time.
"""

from collections.abc import Callable
from typing import Any

Env = Callable[[str, str], str]

OIDC, SAML = "company", "company-saml"  # what their logins are kept under
_PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


def _pairs(text: str) -> dict[str, str]:
    """``key=value,…`` as it stands in one variable; a value may hold further signs of equality."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {key.strip(): value.strip() for key, _sign, value in pairs}


def oidc_apps(env: Env, name: str) -> list[dict[str, Any]]:
    """OpenID Connect, with PKCE. OIDC_SERVER_URL is the issuer; its discovery tells the rest."""
    if not (server := env("OIDC_SERVER_URL", "")):
        return []
    return [
        {
            "provider_id": OIDC,
            "name": name,
            "client_id": env("OIDC_CLIENT_ID", ""),
            "secret": env("OIDC_CLIENT_SECRET", ""),
            "settings": {
                "server_url": server,
                # What is asked for; some providers send groups only when asked: "… groups".
                "scope": env("OIDC_SCOPES", "openid profile email").split(),
                # The claim with groups. Empty: logins change no roles (SCIM may).
                "groups": env("OIDC_GROUPS_CLAIM", ""),
                # The claim that equals the directory's external id, such as oid or sub.
                "external_id": env("OIDC_ID_CLAIM", "sub"),
            },
        }
    ]


def saml_apps(env: Env, name: str) -> list[dict[str, Any]]:
    """SAML 2.0: SAML_METADATA_URL, or SAML_SSO_URL with SAML_IDP_CERTIFICATE."""
    metadata, sso = env("SAML_METADATA_URL", ""), env("SAML_SSO_URL", "")
    if not (metadata or sso):
        return []
    # The identity provider's own name; needed in both forms, so that nobody else's passes.
    idp: dict[str, str] = {"entity_id": env("SAML_IDP_ENTITY_ID", "")}
    if metadata:
        idp["metadata_url"] = metadata
    else:
        # PEM of the key that signs assertions, best from the file SAML_IDP_CERTIFICATE_FILE.
        idp |= {"sso_url": sso, "x509cert": env("SAML_IDP_CERTIFICATE", "")}
    # Our own key pair, best from files: with it requests are signed and assertions may be
    # encrypted to us.
    own_key, own_certificate = env("SAML_SP_KEY", ""), env("SAML_SP_CERTIFICATE", "")
    # Which attributes hold what: mail=…,name=…,groups=…,external_id=…,uid=… (uid: instead of the
    # NameID, which must not be a transient one).
    attributes = _pairs(env("SAML_ATTRIBUTES", "mail=mail,name=displayName"))
    settings: dict[str, Any] = {
        "idp": idp,
        "attributes": attributes,
        "attribute_mapping": {"uid": attributes["uid"]} if "uid" in attributes else {},
        "advanced": {
            "strict": True,
            "allow_single_label_domains": True,  # https://botschaft/ in an intranet
            "want_assertion_signed": True,
            # Refuse assertions that are not encrypted to our key.
            "want_assertion_encrypted": env("SAML_WANT_ENCRYPTED", "") == "1",
            "want_name_id": "uid" not in attributes,
            "authn_request_signed": bool(own_key),
            "reject_deprecated_algorithm": True,
            "reject_idp_initiated_sso": True,
            "name_id_format": env("SAML_NAME_ID_FORMAT", _PERSISTENT),
        },
    }
    if own_key:
        settings["advanced"] |= {"private_key": own_key, "x509cert": own_certificate}
    # Our name towards the provider; empty: the address of our metadata.
    if ours := env("SAML_SP_ENTITY_ID", ""):
        settings["sp"] = {"entity_id": ours}
    return [{"provider_id": SAML, "client_id": "company", "name": name, "settings": settings}]
