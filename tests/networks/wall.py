"""A pretended practice wall: the API of ``integrations/views/wall.py``, with faults."""

import json
import re
import time
import urllib.parse
import uuid

from .server import Loopback


class Wall(Loopback):
    network = "wall"

    def secrets(self, number):
        return {"access_token": "wall-token"}

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.posts = {}
        self.keys = {}
        self.figures = {}

    def create(self, key, body):
        with self.lock:
            if key in self.keys:
                return self.keys[key], False
            post_id = str(uuid.uuid4())
            self.posts[post_id], self.keys[key] = body, post_id
        self.note("created", key=key, id=post_id, at=time.monotonic(), account="1")
        return post_id, True

    def row(self, post_id):
        return {"id": post_id, "url": f"/wall/#post-{post_id}"}

    def serve(self, handler, at, body):
        parts = urllib.parse.urlsplit(handler.path)
        query = urllib.parse.parse_qs(parts.query)
        if handler.headers.get("Authorization") != "Bearer wall-token":
            return self.answer(handler, 401, {"error": "unknown token"})
        if handler.command == "POST":
            key, sent = handler.headers["Idempotency-Key"], json.loads(body)
            self.note("arrived", key=key, at=at, account="1")
            time.sleep(self.latency)
            if self.misbehave(handler, lambda: self.create(key, sent)):
                return None
            post_id, new = self.create(key, sent)
            return self.answer(handler, 201 if new else 200, self.row(post_id))
        if match := re.fullmatch(r"/wall/api/posts/([\w-]+)/?", parts.path):
            gone = self.posts.pop(match[1], None)
            handler.send_response(204 if gone else 404)
            handler.send_header("Content-Length", "0")
            return handler.end_headers()
        if "key" in query:
            post_id = self.keys.get(query["key"][0])
            if post_id not in self.posts:
                return self.answer(handler, 404, {"error": "absent"})
            return self.answer(handler, 200, self.row(post_id))
        wanted = [i for i in query.get("ids", [""])[0].split(",") if i in self.posts]
        names = ("likes", "reposts", "replies")
        figures = {i: dict(zip(names, self.figures.get(i, (0, 0, 0)), strict=True)) for i in wanted}
        return self.answer(handler, 200, figures)


Pretended = Wall
