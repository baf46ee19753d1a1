"""Slack's Web API and a Teams workflow on loopback, with their ways of saying no."""

import json
import urllib.parse

from .networks.server import Loopback

TOKEN = "xoxb-1234567890-abcdefghij"


class Slack(Loopback):
    """``messages`` by ``ts``: what stands where. Errors are answers with HTTP 200, as there."""

    def __init__(self):
        super().__init__()
        self.people = {}
        self.channels = {"C0123456789"}
        self.messages = {}
        self.asked = []
        self.good = {TOKEN}

    def problem(self, status, text):
        return {"ok": False, "error": "ratelimited" if status == 429 else text}

    def serve(self, handler, at, body):
        parts = urllib.parse.urlsplit(handler.path)
        method = parts.path.removeprefix("/api/")
        self.asked.append(method)
        if handler.headers.get("Authorization", "").removeprefix("Bearer ") not in self.good:
            return self.no(handler, "invalid_auth")
        query = dict(urllib.parse.parse_qsl(parts.query))
        said = json.loads(body) if body else {}
        made = {}

        def create():
            made.update(self.do(method, query, said))

        if self.misbehave(handler, create):
            return None
        create()
        if "error" in made:
            return self.no(handler, made["error"])
        return self.answer(handler, 200, {"ok": True, **made})

    def no(self, handler, error):
        return self.answer(handler, 200, {"ok": False, "error": error})

    def do(self, method, query, said):
        match method:
            case "auth.test":
                return {"team": "Nordwind", "team_id": "T1", "user_id": "U0BOT"}
            case "users.lookupByEmail":
                found = self.people.get(query.get("email"))
                return {"user": {"id": found}} if found else {"error": "users_not_found"}
            case "chat.postMessage":
                return self.post(said)
            case "chat.update":
                if said["ts"] not in self.messages:
                    return {"error": "message_not_found"}
                self.messages[said["ts"]] = said
                return {"channel": said["channel"], "ts": said["ts"]}
        return {"error": "unknown_method"}

    def post(self, said):
        if said["channel"] not in self.channels | set(self.people.values()):
            return {"error": "channel_not_found"}
        if len(json.dumps(said["blocks"])) > 13_000:
            return {"error": "msg_blocks_too_long"}
        written = f"1764490000.{len(self.messages):06d}"
        self.messages[written] = said
        return {"channel": said["channel"], "ts": written}

    def to(self, channel):
        """What stands in a channel, oldest first."""
        return [said for said in self.messages.values() if said["channel"] == channel]


class Teams(Loopback):
    """A workflow's address: it answers 202 and shows the ``cards``; 28 kB at most."""

    def __init__(self):
        super().__init__()
        self.cards = []

    @property
    def address(self):
        return f"{self.base_url}/workflows/0123/triggers/manual/paths/invoke?sig=secret-of-the-flow"

    def serve(self, handler, at, body):
        def create():
            self.cards.append(json.loads(body)["attachments"][0]["content"])

        if self.misbehave(handler, create):
            return None
        if "sig=secret-of-the-flow" not in handler.path:
            return self.answer(handler, 401, {"error": {"code": "DirectApiAuthorizationRequired"}})
        if len(body) > 28_000:
            return self.answer(handler, 413, {"error": {"code": "RequestEntityTooLarge"}})
        create()
        return self.answer(handler, 202, b"")
