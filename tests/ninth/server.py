"""A pretended Depesche."""

import json
import time
import urllib.parse
import uuid

from integrations.networks.base import App

from ..networks.server import Loopback


class Pretended(Loopback):
    network = "depesche"

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.posts, self.figures = {}, {}
        self.app = App("cid", "sec", {"host.api": self.base_url})

    def create(self, text):
        row = {"id": uuid.uuid4().hex, "text": text}
        row["url"] = f"https://depesche.example/{row['id']}"
        with self.lock:
            self.posts[row["id"]] = row
        self.note("created", id=row["id"], at=time.monotonic(), account="1")
        return row

    def serve(self, handler, at, body):
        parts = urllib.parse.urlsplit(handler.path)
        if parts.path == "/yes":
            query = dict(urllib.parse.parse_qsl(parts.query))
            back = urllib.parse.urlencode({"state": query["state"], "code": "token-1"})
            return self.answer(handler, 302, {}, [("Location", f"{query['redirect_uri']}?{back}")])
        if handler.headers.get("Authorization") != "Bearer token-1":
            return self.answer(handler, 401, {"error": "unknown token"})
        if handler.command == "POST":
            text = json.loads(body)["text"]
            self.note("arrived", key=text, at=at, account="1")
            time.sleep(self.latency)
            if self.misbehave(handler, lambda: self.create(text)):
                return None
            return self.answer(handler, 201, self.create(text))
        if handler.command == "DELETE":
            gone = self.posts.pop(parts.path.rpartition("/")[2], None)
            return self.answer(handler, 204 if gone else 404, b"")
        if parts.path == "/figures":
            return self.answer(
                handler, 200, {i: self.figures.get(i, (0, 0, 0)) for i in self.posts}
            )
        return self.answer(handler, 200, list(self.posts.values()))
