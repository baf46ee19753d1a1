"""A pretended PDS with a small AppView, directory and authorisation server.

Records by key with no-op and InvalidSwap, blobs, sessions of both kinds, threads, figures, faults.
``exchanges`` holds every question and answer under /xrpc/, for the check against the lexicons.
"""

import base64
import hashlib
import json
import time
import urllib.parse
from collections import deque

from integrations.networks import counting

from .bluesky_issuer import Issuer
from .server import Loopback

PUBLIC = {
    "com.atproto.identity.resolveHandle", "com.atproto.repo.getRecord", "com.atproto.server.describeServer",
    "app.bsky.feed.getPosts", "app.bsky.feed.getPostThread", "com.atproto.server.createSession",
}  # fmt: skip
NOW = "2026-11-24T09:00:00.000Z"


def jwt(seconds=7200):
    claims = base64.urlsafe_b64encode(json.dumps({"exp": int(time.time()) + seconds}).encode())
    return f"e30.{claims.decode().rstrip('=')}.sig"


def cid(value):
    """Like a content hash: equal values have equal ones."""
    content = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True).encode()
    return "bafy" + base64.b32encode(hashlib.sha256(content).digest()).decode().lower().rstrip("=")


class Bluesky(Issuer, Loopback):
    network = "bluesky"
    issuer_name = ""

    def remote_id(self, number):
        return f"did:plc:{number}"

    def secrets(self, number):
        return {"access_token": jwt(), "refresh_token": jwt()}

    def environment(self):
        return {
            **super().environment(),
            "BLUESKY_APPVIEW_URL": self.base_url,
            "BLUESKY_PLC_URL": self.base_url,
        }

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.begin_issuing()
        self.records = {}
        self.figures = {}
        self.good = "abcd-efgh-2345-ijkl"
        self.handles = {"jona.test": "did:plc:jona", "mallory.test": "did:plc:mallory"}
        self.documents = {}
        self.blob_limit = 5_242_880
        self.left = 5000
        self.exchanges = deque(maxlen=1000)
        self.ended = []

    def document(self, did):
        """What the directory knows of an account; ``documents`` replaces it."""
        names = [f"at://{handle}" for handle, found in self.handles.items() if found == did]
        return self.documents.get(did) or {
            "@context": ["https://www.w3.org/ns/did/v1"], "id": did, "alsoKnownAs": names, "verificationMethod": [],
            "service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.base_url}],
        }  # fmt: skip

    def serve(self, handler, at, body):
        parts = urllib.parse.urlsplit(handler.path)
        query = urllib.parse.parse_qs(parts.query)
        if parts.path.startswith("/did:"):
            did = parts.path[1:]
            if did not in {*self.handles.values(), *self.documents}:
                return self.answer(handler, 404, {"message": f"DID not registered: {did}"})
            return self.answer(handler, 200, self.document(did))
        if self.issue(handler, parts.path, query, body):
            return None
        name = parts.path.removeprefix("/xrpc/")
        handler.asked = (handler.command, name, query, body)
        if name not in PUBLIC and self.holder_of(handler) is None:
            return None
        do = getattr(self, name.rsplit(".", 1)[-1], None)
        if do is None:
            return self.error(handler, 501, "MethodNotImplemented", name)
        if handler.command == "GET":
            return do(handler, query)
        if name == "com.atproto.repo.putRecord":
            return self.put(handler, at, json.loads(body))
        return do(handler, body)

    def answer(self, handler, status, payload, headers=()):
        if asked := getattr(handler, "asked", None):
            self.exchanges.append((*asked, status, payload))
        if getattr(handler, "headers", None) and handler.headers.get("DPoP") and asked:
            headers = [("DPoP-Nonce", self.server_nonce), *headers]
        super().answer(handler, status, payload, headers)

    def error(self, handler, status, error, message):
        return self.answer(handler, status, {"error": error, "message": message})

    def createSession(self, handler, body):
        sent = json.loads(body)
        if sent["password"] != self.good:
            message = "Invalid identifier or password"
            return self.error(handler, 401, "AuthenticationRequired", message)
        did = f"did:plc:{sent['identifier'].split('.')[0]}"
        return self.answer(handler, 200, {
            "accessJwt": jwt(), "refreshJwt": jwt(9_000_000), "did": did, "handle": sent["identifier"],
            "didDoc": self.document(did), "active": True,
        })  # fmt: skip

    def refreshSession(self, handler, body):
        return self.answer(handler, 200, {
            "accessJwt": jwt(), "refreshJwt": jwt(9_000_000), "did": "did:plc:x", "handle": "x.test",
        })  # fmt: skip

    def deleteSession(self, handler, body):
        self.ended.append(handler.headers["Authorization"])
        return self.answer(handler, 200, {})

    def describeServer(self, handler, query):
        return self.answer(handler, 200, {
            "did": "did:web:localhost", "availableUserDomains": [".test"], "blobUploadLimit": self.blob_limit,
        })  # fmt: skip

    def resolveHandle(self, handler, query):
        did = self.handles.get(query["handle"][0])
        if did is None:
            return self.error(handler, 400, "InvalidRequest", "Unable to resolve handle")
        return self.answer(handler, 200, {"did": did})

    def uploadBlob(self, handler, body):
        if len(body) > self.blob_limit:
            return self.error(handler, 413, "PayloadTooLarge", "request entity too large")
        return self.answer(handler, 200, {"blob": {
            "$type": "blob", "ref": {"$link": cid(body)}, "mimeType": handler.headers["Content-Type"], "size": len(body),
        }})  # fmt: skip

    def getRecord(self, handler, query):
        uri = f"at://{query['repo'][0]}/{query['collection'][0]}/{query['rkey'][0]}"
        if uri not in self.records:
            return self.error(handler, 400, "RecordNotFound", f"Could not locate record: {uri}")
        record = self.records[uri]
        return self.answer(handler, 200, {"uri": uri, "cid": cid(record), "value": record})

    def deleteRecord(self, handler, body):
        sent = json.loads(body)
        self.records.pop(f"at://{sent['repo']}/{sent['collection']}/{sent['rkey']}", None)
        return self.answer(handler, 200, {})

    def view(self, uri):
        """A post as the AppView shows it."""
        likes, reposts, replies = self.figures.get(uri, (0, 0, 0))
        did = uri.split("/")[2]
        return {
            "uri": uri, "cid": cid(self.records[uri]), "author": {"did": did, "handle": f"{did[-1]}.test"},
            "record": self.records[uri], "likeCount": likes, "repostCount": reposts, "replyCount": replies,
            "quoteCount": 0, "indexedAt": NOW,
        }  # fmt: skip

    def getPosts(self, handler, query):
        uris = query["uris"]
        if len(uris) > 25:
            return self.error(
                handler, 400, "InvalidRequest", "uris must not have more than 25 elements"
            )
        self.note("measured", uris=uris)
        return self.answer(
            handler, 200, {"posts": [self.view(uri) for uri in uris if uri in self.records]}
        )

    def getPostThread(self, handler, query):
        uri, depth = query["uri"][0], int(query["depth"][0])
        if uri not in self.records:
            return self.error(handler, 400, "NotFound", f"Post not found: {uri}")

        def thread(uri, depth):
            below = [
                other for other, record in self.records.items()
                if record.get("reply", {}).get("parent", {}).get("uri") == uri
            ]  # fmt: skip
            kind = "app.bsky.feed.defs#threadViewPost"
            found = {"$type": kind, "post": self.view(uri)}
            return {**found, "replies": [thread(o, depth - 1) for o in below]} if depth else found

        found = thread(uri, depth)
        gone = f"at://did:plc:gone/app.bsky.feed.post/{'2' * 13}"
        kind = "app.bsky.feed.defs#notFoundPost"
        found["replies"].append({"$type": kind, "uri": gone, "notFound": True})
        return self.answer(handler, 200, {"thread": found})

    def write(self, did, text, parent="", root=""):
        """Another person's post, straight into the records."""
        uri = f"at://{did}/app.bsky.feed.post/{len(self.records):013}"
        record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": NOW}
        if parent:
            ref = {
                name: {"uri": u, "cid": cid(self.records[u])}
                for name, u in (("root", root or parent), ("parent", parent))
            }
            record["reply"] = ref
        self.records[uri] = record
        return uri

    def putRecord(self, handler, body):
        raise NotImplementedError

    def put(self, handler, at, sent):
        uri = f"at://{sent['repo']}/{sent['collection']}/{sent['rkey']}"
        self.note("arrived", key=sent["rkey"], at=at, account=sent["repo"])
        time.sleep(self.latency)

        def create():
            if uri not in self.records:
                self.records[uri] = sent["record"]
                self.note(
                    "created", key=sent["rkey"], id=uri, at=time.monotonic(), account=sent["repo"]
                )

        if self.misbehave(handler, create):
            return None
        if counting.graphemes(sent["record"]["text"]) > 300:
            message = "Record/text must not be longer than 300 graphemes"
            return self.error(handler, 400, "InvalidRequest", message)
        if uri in self.records and self.records[uri] != sent["record"]:
            return self.error(handler, 400, "InvalidSwap", "Record was at bafy")
        create()
        self.left -= 2
        limits = [
            ("RateLimit-Limit", "5000"), ("RateLimit-Remaining", str(self.left)),
            ("RateLimit-Reset", str(int(time.time()) + 1800)), ("RateLimit-Policy", "5000;w=3600"),
        ]  # fmt: skip
        return self.answer(
            handler,
            200,
            {"uri": uri, "cid": cid(sent["record"]), "validationStatus": "valid"},
            limits,
        )


Pretended = Bluesky
