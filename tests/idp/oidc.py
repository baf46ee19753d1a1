"""idpyoidc's OpenID provider over HTTP. ``spoil`` changes an ID token's claims or signature."""

import json
import logging
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptojwt.jwk.rsa import new_rsa_key
from cryptojwt.jws.jws import JWS
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration

from tests.networks.server import Loopback

logging.getLogger("idpyoidc").setLevel(logging.CRITICAL)
CLIENT, SECRET = "botschaft", "a-secret-between-the-two-of-us-0123456789"
_CLAIMS = ["sub", "name", "email", "email_verified", "groups", "oid"]
_METHODS = ["client_secret_basic", "client_secret_post"]
_KEYS = [{"type": "oct", "bytes": 24, "use": ["enc"], "kid": kid} for kid in ("code", "refresh")]


def _endpoint(path, kind, **kwargs):
    return {"path": path, "class": f"idpyoidc.server.{kind}", "kwargs": kwargs}


class OpenIDProvider(Loopback):
    """Everybody who comes is ``user``; ``people`` holds their claims."""

    def __init__(self, callback):
        super().__init__()
        self.people = {"jona": {"sub": "jona"}}
        self.spoil = None
        self.again: list[tuple[str, str]] = []  # prompt and max_age of each that came
        secret = {"key_defs": [{"type": "OCT", "use": ["enc"], "kid": "enc"}, {"type": "OCT", "use": ["sig"], "kid": "sig"}]}  # fmt: skip
        conf = {
            "issuer": self.base_url,
            "httpc_params": {"verify": False, "timeout": 1},
            "key_conf": {
                "key_defs": [
                    {"type": "RSA", "use": ["sig"], "size": 3072},
                    {"type": "EC", "crv": "P-256", "use": ["sig"]},
                ],
                "uri_path": "jwks.json",
            },
            "preference": {"subject_types_supported": ["public"]},
            "scopes_to_claims": {"openid": _CLAIMS, "profile": _CLAIMS, "email": _CLAIMS},
            "token_handler_args": {
                "key_conf": {"key_defs": _KEYS},
                "code": {"lifetime": 600},
                "token": {
                    "class": "idpyoidc.server.token.jwt_token.JWTToken",
                    "kwargs": {"lifetime": 3600},
                },
                "id_token": {"class": "idpyoidc.server.token.id_token.IDToken", "kwargs": {}},
            },
            "session_params": {"encrypter": {"kwargs": {"keys": secret}}},
            "cookie_handler": {
                "class": "idpyoidc.server.cookie_handler.CookieHandler",
                "kwargs": {"keys": secret},
            },
            "endpoint": {
                "provider_info": _endpoint(
                    ".well-known/openid-configuration",
                    "oidc.provider_config.ProviderConfiguration",
                    client_authn_method=None,
                ),
                "authorization": _endpoint(
                    "authorization",
                    "oidc.authorization.Authorization",
                    client_authn_method=None,
                    response_types_supported=["code"],
                ),
                "token": _endpoint("token", "oidc.token.Token", client_authn_method=_METHODS),
                "userinfo": _endpoint("userinfo", "oidc.userinfo.UserInfo"),
            },
            "userinfo": {
                "class": "idpyoidc.server.user_info.UserInfo",
                "kwargs": {"db": self.people},
            },
            "authentication": {
                "anon": {
                    "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
                    "class": "idpyoidc.server.user_authn.user.NoAuthn",
                    "kwargs": {"user": "jona"},
                }
            },
            "add_on": {
                "pkce": {
                    "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                    "kwargs": {
                        "essential": True,
                        "code_challenge_methods": {
                            "S256": "idpyoidc.server.oauth2.add_on.pkce.s256_verifier"
                        },
                    },
                }
            },
        }
        self.op = Server(OPConfiguration(conf, base_path="/tmp"), cwd="/tmp")
        self.context = self.op.get_context()
        self.people = self.context.userinfo.db
        self.context.cdb[CLIENT] = {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "redirect_uris": [(callback, None)],
            "token_endpoint_auth_method": "client_secret_post",
            "response_types": ["code"],
            "allowed_scopes": ["openid", "profile", "email"],
        }
        self.context.keyjar.add_symmetric(CLIENT, SECRET)

    def reset(self):
        """Nobody but Jona, and no token spoilt."""
        self.people.clear()
        self.people["jona"] = {"sub": "jona"}
        self.again.clear()
        self.spoil = None

    def serve(self, handler, at, body):
        """Hand the request to idpyoidc and its answer back."""
        address = urlsplit(handler.path)
        if address.path == "/jwks.json":
            return self.answer(handler, 200, json.loads(self.context.keyjar.export_jwks_as_json()))
        name = {
            "/.well-known/openid-configuration": "provider_config",
            "/authorization": "authorization",
            "/token": "token",
            "/userinfo": "userinfo",
        }[address.path]
        endpoint = self.op.get_endpoint(name)
        form = dict(parse_qsl(body.decode() or address.query))
        about = {"headers": {k.lower(): v for k, v in handler.headers.items()}, "cookie": [],
                 "method": handler.command, "url": self.base_url + handler.path}  # fmt: skip
        if name == "authorization":  # whoever is asked to log in anew does so at once
            self.again.append((form.pop("prompt", ""), form.pop("max_age", "")))
        request = endpoint.parse_request(form, http_info=about)
        args = endpoint.process_request(request, http_info=about)
        told = endpoint.do_response(request=request, **args)
        if "error" in (args or {}):
            return self.answer(handler, 400, {"error": str(args)})
        if name == "authorization":
            return self.answer(handler, 302, b"", [("Location", told["response"])])
        said = json.loads(told["response"])
        if name == "token" and self.spoil:
            said["id_token"] = self.spoil(said["id_token"])
        return self.answer(handler, 200, said)

    def sign(self, claims, *, algorithm="RS256", key=None):
        """An ID token by this provider's key, or another one, or none."""
        keys = [] if algorithm == "none" else [key or self.context.keyjar.get_signing_key("RSA")[0]]
        return JWS(json.dumps(claims), alg=algorithm).sign_compact(keys)


def stranger():
    """A key that no provider of ours knows, under a name that one of theirs has."""
    return new_rsa_key()


def query(url):
    """The parameters of an address."""
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
