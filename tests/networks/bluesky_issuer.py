"""A pretended authorisation server of the AT Protocol: PAR, PKCE, DPoP with nonces, client keys.

It checks what a real one checks, with another library than ours (PyJWT), and answers as the
reference implementation does (@atproto/oauth-provider 0.22).
"""

import base64
import hashlib
import json
import secrets
import time
import urllib.parse

import jwt

CLIENT_FIELDS = {"client_id", "client_assertion_type", "client_assertion"}
PUSHED = CLIENT_FIELDS | {
    "response_type", "code_challenge", "code_challenge_method", "state", "redirect_uri", "scope", "login_hint",
}  # fmt: skip
TRADED = CLIENT_FIELDS | {"grant_type", "code", "redirect_uri", "code_verifier"}
REFRESHED = CLIENT_FIELDS | {"grant_type", "refresh_token"}


class Refusal(Exception):
    def __init__(self, error, text="", status=400):
        super().__init__(text)
        self.error, self.text, self.status = error, text, status


def b64(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Issuer:
    """The part of the pretended server that says who may; mixed into Bluesky."""

    def begin_issuing(self):
        self.issuer_nonce, self.server_nonce = "issuer-nonce-1", "server-nonce-1"
        self.clients = {}  # client_id -> (metadata, jwks), what a real one would fetch
        self.pushed, self.codes, self.sessions, self.seen = {}, {}, {}, set()
        self.yes_of = "did:plc:jona"  # who says yes; None says no
        self.grants = None  # another scope than the one asked for
        self.extra = {}  # fields that replace some of a token answer's
        self.metadata = {}  # and of the server's metadata
        self.nonces = 0
        self.strange = []  # fields no specification knows

    def issue(self, handler, path, query, body):
        """Answer an address of the authorisation server; False when it is none."""
        match path:
            case "/.well-known/oauth-protected-resource":
                self.answer(handler, 200, {
                    "resource": self.base_url, "authorization_servers": [self.issuer_name or self.base_url],
                    "scopes_supported": [], "bearer_methods_supported": ["header"], "resource_documentation": "https://atproto.com",
                })  # fmt: skip
            case "/.well-known/oauth-authorization-server":
                self.answer(handler, 200, {**self.about_me(), **self.metadata})
            case "/oauth/authorize":
                self.authorize(handler, query)
            case "/oauth/par" | "/oauth/token" | "/oauth/revoke":
                self.guarded(handler, path, dict(urllib.parse.parse_qsl(body.decode())))
            case _:
                return False
        return True

    def about_me(self):
        return {
            "issuer": self.base_url, "authorization_endpoint": f"{self.base_url}/oauth/authorize",
            "token_endpoint": f"{self.base_url}/oauth/token", "revocation_endpoint": f"{self.base_url}/oauth/revoke",
            "pushed_authorization_request_endpoint": f"{self.base_url}/oauth/par", "require_pushed_authorization_requests": True,
            "scopes_supported": ["atproto", "transition:generic"], "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"], "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"], "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": True, "dpop_signing_alg_values_supported": ["ES256"],
            "client_id_metadata_document_supported": True,
        }  # fmt: skip

    def guarded(self, handler, path, form):
        try:
            key = self.proof(handler, self.issuer_nonce)
            self.client(form)
            status, found = {
                "/oauth/par": self.push, "/oauth/token": self.token, "/oauth/revoke": self.revoke,
            }[path](form, key)  # fmt: skip
        except Refusal as error:
            status = error.status
            found = {"error": error.error, "error_description": error.text}
        self.answer(handler, status, found, [("DPoP-Nonce", self.issuer_nonce)])

    def proof(self, handler, nonce, token=""):
        """Verify a DPoP proof; returns the key's thumbprint."""
        proof = handler.headers.get("DPoP", "")
        try:
            head = jwt.get_unverified_header(proof)
            key = jwt.PyJWK(head["jwk"])
            claims = jwt.decode(proof, key, algorithms=["ES256"], options={"verify_aud": False})
        except (jwt.PyJWTError, KeyError) as error:
            raise Refusal("invalid_dpop_proof", str(error)) from error
        url = f"{self.base_url}{urllib.parse.urlsplit(handler.path).path}"
        known = {"jti", "htm", "htu", "iat", "nonce", "ath"}
        right = (
            head["typ"] == "dpop+jwt" and "d" not in head["jwk"] and set(claims) <= known
            and claims["htm"] == handler.command and claims["htu"] == url
            and abs(claims["iat"] - time.time()) < 10 and claims["jti"] not in self.seen
            and claims.get("ath") == (b64(hashlib.sha256(token.encode()).digest()) if token else None)
        )  # fmt: skip
        if not right:
            raise Refusal("invalid_dpop_proof", "the proof is for something else")
        self.seen.add(claims["jti"])
        if claims.get("nonce") != nonce:
            self.nonces += 1
            raise Refusal("use_dpop_nonce", "Authorization server requires nonce in DPoP proof")
        return b64(hashlib.sha256(json.dumps(head["jwk"], sort_keys=True).encode()).digest())

    def client(self, form):
        """Verify who asks: a development client says everything itself, others sign."""
        client_id = form["client_id"]
        if client_id.startswith("http://localhost?"):
            if "client_assertion" in form:
                raise Refusal("invalid_client", "a public client has no key")
            return
        if client_id not in self.clients:
            raise Refusal(
                "invalid_client_metadata", f'Unable to obtain client metadata for "{client_id}"'
            )
        metadata, jwks = self.clients[client_id]
        try:
            kid = jwt.get_unverified_header(form["client_assertion"])["kid"]
            key = next(jwt.PyJWK(key) for key in jwks["keys"] if key["kid"] == kid)
            claims = jwt.decode(
                form["client_assertion"], key, algorithms=["ES256"], audience=self.base_url, issuer=client_id,
                options={"require": ["exp", "iat", "jti", "sub", "aud", "iss"]},
            )  # fmt: skip
        except (jwt.PyJWTError, KeyError, StopIteration) as error:
            raise Refusal("invalid_client", f"client_assertion: {error}", 401) from error
        if claims["jti"] in self.seen or claims["sub"] != client_id:
            raise Refusal("invalid_client", "the assertion was used", 401)
        self.seen.add(claims["jti"])
        if form.get("redirect_uri") not in {None, *metadata["redirect_uris"]}:
            raise Refusal("invalid_request", "redirect_uri")

    def known(self, form, fields):
        self.strange += sorted(set(form) - fields)

    def push(self, form, key):
        self.known(form, PUSHED)
        if form["response_type"] != "code" or form["code_challenge_method"] != "S256":
            raise Refusal("invalid_request", "response_type")
        uri = f"urn:ietf:params:oauth:request_uri:req-{secrets.token_hex(16)}"
        self.pushed[uri] = {**form, "key": key}
        return 201, {"request_uri": uri, "expires_in": 300}

    def authorize(self, handler, query):
        """The person's answer; a real one shows pages in between."""
        request = self.pushed.pop(query["request_uri"][0])
        assert query["client_id"] == [request["client_id"]]
        back = {"iss": self.base_url, "state": request["state"]}
        if self.yes_of is None:
            back |= {"error": "access_denied", "error_description": "The user rejected the request"}
        else:
            back["code"] = f"cod-{secrets.token_hex(16)}"
            self.codes[back["code"]] = {**request, "sub": self.yes_of}
        target = f"{request['redirect_uri']}?{urllib.parse.urlencode(back)}"
        self.answer(handler, 303, {}, [("Location", target)])

    def token(self, form, key):
        if form["grant_type"] == "refresh_token":
            self.known(form, REFRESHED)
            session = self.sessions.pop(form["refresh_token"], None)
            if (
                session is None
                or session["key"] != key
                or session["client_id"] != form["client_id"]
            ):
                raise Refusal("invalid_grant", "Invalid refresh token")
            return 200, self.session(session)
        self.known(form, TRADED)
        request = self.codes.pop(form["code"], None)
        verifier = b64(hashlib.sha256(form["code_verifier"].encode()).digest())
        if request is None or request["key"] != key or request["code_challenge"] != verifier:
            raise Refusal("invalid_grant", "Invalid code")
        if request["redirect_uri"] != form["redirect_uri"]:
            raise Refusal("invalid_grant", "redirect_uri")
        return 200, self.session({
            "sub": request["sub"], "key": key, "client_id": form["client_id"], "scope": self.grants or request["scope"],
        })  # fmt: skip

    def session(self, session):
        refresh, access = f"ref-{secrets.token_hex(32)}", f"acc-{secrets.token_hex(32)}"
        self.sessions[refresh] = {**session, "access": access}
        return {
            "access_token": access, "refresh_token": refresh, "token_type": "DPoP", "expires_in": 899,
            "scope": session["scope"], "sub": session["sub"], **self.extra,
        }  # fmt: skip

    def revoke(self, form, key):
        self.known(form, CLIENT_FIELDS | {"token"})
        self.sessions.pop(form["token"], None)
        return 200, {}

    def holder_of(self, handler):
        """Who calls a procedure of the PDS, None when it must not go on (answered already)."""
        kind, _space, token = handler.headers.get("Authorization", "").partition(" ")
        if kind != "DPoP":
            return ""
        try:
            key = self.proof(handler, self.server_nonce, token)
        except Refusal as error:
            challenge = f'DPoP error="{error.error}", error_description="{error.text}"'
            headers = [("WWW-Authenticate", challenge), ("DPoP-Nonce", self.server_nonce)]
            self.answer(handler, 401, {"error": error.error, "message": error.text}, headers)
            return None
        for session in self.sessions.values():
            if session["access"] == token and session["key"] == key:
                return session["sub"]
        self.answer(handler, 401, {"error": "invalid_token", "message": "Invalid token"}, [
            ("WWW-Authenticate", 'DPoP error="invalid_token"'), ("DPoP-Nonce", self.server_nonce),
        ])  # fmt: skip
        return None
