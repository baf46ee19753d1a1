"""A pretended PDS with a small AppView: records by key, no-op and InvalidSwap, sessions, faults."""

import base64
import json
import time
import urllib.parse

from integrations.networks import counting

from .server import Loopback


def jwt(seconds=7200):
    claims = base64.urlsafe_b64encode(json.dumps({"exp": int(time.time()) + seconds}).encode())
    return f"e30.{claims.decode().rstrip('=')}.sig"


class Bluesky(Loopback):
    network = "bluesky"

    def remote_id(self, number):
        return f"did:plc:{number}"

    def secrets(self, number):
        return {"access_token": jwt(), "refresh_token": jwt()}

    def environment(self):
        return {**super().environment(), "BLUESKY_APPVIEW_URL": self.base_url}

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.records = {}
        self.figures = {}
        self.good = "abcd-efgh-2345-ijkl"

    def serve(self, handler, at, body):
        parts = urllib.parse.urlsplit(handler.path)
        name, query = parts.path.removeprefix("/xrpc/"), urllib.parse.parse_qs(parts.query)
        match name:
            case "com.atproto.server.createSession":
                sent = json.loads(body)
                if sent["password"] != self.good:
                    return self.answer(
                        handler,
                        401,
                        {
                            "error": "AuthenticationRequired",
                            "message": "Invalid identifier or password",
                        },
                    )
                did = f"did:plc:{sent['identifier'].split('.')[0]}"
                return self.answer(handler, 200, {
                    "accessJwt": jwt(), "refreshJwt": jwt(9_000_000), "did": did, "handle": sent["identifier"],
                    "didDoc": {"service": [{"id": "#atproto_pds", "serviceEndpoint": self.base_url}]},
                })  # fmt: skip
            case "com.atproto.server.refreshSession":
                return self.answer(
                    handler,
                    200,
                    {
                        "accessJwt": jwt(),
                        "refreshJwt": jwt(9_000_000),
                        "did": "did:plc:x",
                        "handle": "x",
                    },
                )
            case "com.atproto.identity.resolveHandle":
                return self.answer(
                    handler, 400, {"error": "InvalidRequest", "message": "Unable to resolve handle"}
                )
            case "com.atproto.repo.uploadBlob":
                blob = {
                    "$type": "blob",
                    "ref": {"$link": "bafk"},
                    "mimeType": "image/jpeg",
                    "size": len(body),
                }
                return self.answer(handler, 200, {"blob": blob})
            case "com.atproto.repo.getRecord":
                uri = f"at://{query['repo'][0]}/{query['collection'][0]}/{query['rkey'][0]}"
                if uri not in self.records:
                    return self.answer(
                        handler,
                        400,
                        {"error": "RecordNotFound", "message": f"Could not locate record: {uri}"},
                    )
                return self.answer(
                    handler, 200, {"uri": uri, "cid": "bafy", "value": self.records[uri]}
                )
            case "com.atproto.repo.putRecord":
                return self.put(handler, at, json.loads(body))
            case "com.atproto.repo.deleteRecord":
                sent = json.loads(body)
                self.records.pop(f"at://{sent['repo']}/{sent['collection']}/{sent['rkey']}", None)
                return self.answer(handler, 200, {})
            case "app.bsky.feed.getPosts":
                posts = []
                for uri in query.get("uris", [])[:25]:
                    if uri in self.records:
                        likes, reposts, replies = self.figures.get(uri, (0, 0, 0))
                        posts.append(
                            {
                                "uri": uri,
                                "cid": "bafy",
                                "likeCount": likes,
                                "repostCount": reposts,
                                "replyCount": replies,
                                "quoteCount": 0,
                            }
                        )
                return self.answer(handler, 200, {"posts": posts})
        return self.answer(handler, 501, {"error": "MethodNotImplemented", "message": name})

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
            return self.answer(
                handler,
                400,
                {
                    "error": "InvalidRequest",
                    "message": "Record/text must not be longer than 300 graphemes",
                },
            )
        if uri in self.records and self.records[uri] != sent["record"]:
            return self.answer(
                handler, 400, {"error": "InvalidSwap", "message": "Record was at bafy"}
            )
        create()
        return self.answer(handler, 200, {"uri": uri, "cid": "bafy", "validationStatus": "valid"})


Pretended = Bluesky
