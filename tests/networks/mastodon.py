"""A pretended Mastodon 4.5: idempotency for an hour, 500 characters, media, figures, faults."""

import base64
import datetime as dt
import hashlib
import html
import json
import re
import time
import urllib.parse
import uuid

from integrations.networks import counting

from .server import Loopback


class Mastodon(Loopback):
    network = "mastodon"

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.statuses = {}
        self.keys = {}
        self.tokens = {}
        self.media = {}
        self.figures = {}
        self.next_id = 110_000
        self.requests = []
        self.clients = {}  # client_id -> (secret, the one redirect URI it registered)
        self.codes = {}
        self.yes_of = "77"  # who is signed in there and says yes; None says no

    def secrets(self, number):
        return {"access_token": self.token(number)}

    def token(self, account_id="1"):
        value = f"token-{account_id}-{uuid.uuid4()}"
        self.tokens[value] = str(account_id)
        return value

    def account(self, account_id):
        url = f"{self.base_url}/@user{account_id}"
        picture = f"{self.base_url}/missing.png"
        return {
            "id": account_id, "username": f"user{account_id}", "acct": f"user{account_id}", "display_name": f"User {account_id}",
            "url": url, "uri": url, "avatar": picture, "avatar_static": picture, "header": picture, "header_static": picture,
            "avatar_description": "", "header_description": "", "bot": False, "group": False, "locked": False, "indexable": False,
            "discoverable": None, "created_at": "2024-01-01T00:00:00.000Z", "emojis": [], "fields": [], "note": "", "followers_count": 0,
            "following_count": 0, "statuses_count": 0, "last_status_at": None,
        }  # fmt: skip

    def status(self, row):
        likes, reposts, replies = self.figures.get(row["id"], (0, 0, 0))
        paragraphs = html.escape(row["text"]).replace("\n", "<br />")
        return {
            "id": row["id"], "uri": f"{self.base_url}/users/x/statuses/{row['id']}",
            "url": f"{self.base_url}/@x/{row['id']}", "created_at": row["at"],
            "content": f"<p>{paragraphs}</p>", "visibility": row["visibility"],
            "language": row["language"], "account": self.account(row["account"]),
            "favourites_count": likes, "reblogs_count": reposts, "replies_count": replies,
            "quotes_count": 0, "media_attachments": [], "emojis": [], "mentions": [], "tags": [],
            "sensitive": False, "spoiler_text": "", "card": None, "poll": None, "reblog": None, "edited_at": None,
            "in_reply_to_id": None, "in_reply_to_account_id": None, "application": {"name": "Botschaft", "website": None},
        }  # fmt: skip

    def create(self, account, key, body):
        with self.lock:
            if key and (account, key) in self.keys:
                return self.statuses[self.keys[account, key]]
            self.next_id += 1
            row = {
                "id": str(self.next_id), "account": account, "text": body["status"],
                "visibility": body.get("visibility", "public"), "language": body.get("language"),
                "at": dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z"),
            }  # fmt: skip
            self.statuses[row["id"]] = row
            if key:
                self.keys[account, key] = row["id"]
        self.note("created", key=key, id=row["id"], at=time.monotonic(), account=account)
        return row

    def serve(self, handler, at, body):
        parts = urllib.parse.urlsplit(handler.path)
        path, query = parts.path, urllib.parse.parse_qs(parts.query)
        method = handler.command
        if path in {"/api/v2/instance", "/api/v1/instance"}:
            return self.answer(
                handler, 200,
                {
                    "domain": "norden.example", "version": "4.5.0",
                    "configuration": {"statuses": {"max_characters": 500, "characters_reserved_per_url": 23}},
                },
            )  # fmt: skip
        if path == "/api/v1/apps":
            form = dict(urllib.parse.parse_qsl(body.decode()))
            client = f"cid-{len(self.clients) + 1}"
            self.clients[client] = (f"sec-{uuid.uuid4().hex}", form["redirect_uris"])
            return self.answer(
                handler, 200, {"id": "1", "name": "Botschaft", "client_id": client, "client_secret": self.clients[client][0]},
            )  # fmt: skip
        if path == "/oauth/authorize":
            return self.authorize(handler, {name: values[0] for name, values in query.items()})
        if path in {"/oauth/token", "/oauth/revoke"}:
            return self.trade(handler, path, dict(urllib.parse.parse_qsl(body.decode())))
        account = self.tokens.get(handler.headers.get("Authorization", "").removeprefix("Bearer "))
        if account is None:
            return self.answer(handler, 401, {"error": "The access token is invalid"})
        if path == "/api/v1/accounts/verify_credentials":
            return self.answer(handler, 200, self.account(account))
        if path == "/api/v1/statuses" and method == "POST":
            return self.post(handler, at, body, account)
        if path == "/api/v1/statuses":
            rows = [self.statuses[i] for i in query.get("id[]", []) if i in self.statuses]
            return self.answer(handler, 200, [self.status(row) for row in rows])
        if path == "/api/v2/media":
            media_id = str(len(self.media) + 1)
            self.media[media_id] = body
            return self.answer(handler, 200, {"id": media_id, "type": "image", "url": "x"})
        if re.fullmatch(r"/api/v1/accounts/\w+/statuses", path):
            below = int(query.get("max_id", [str(2**62)])[0])
            rows = [
                row for row in reversed(list(self.statuses.values()))
                if row["account"] == account and int(row["id"]) < below
            ][: min(int(query.get("limit", ["20"])[0]), 40)]  # fmt: skip
            return self.answer(handler, 200, [self.status(row) for row in rows])
        if match := re.fullmatch(r"/api/v1/statuses/(\d+)(/source)?", path):
            row = self.statuses.get(match[1])
            if row is None:
                return self.answer(handler, 404, {"error": "Record not found"})
            if method == "DELETE":
                del self.statuses[match[1]]
            payload = (
                {"id": row["id"], "text": row["text"], "spoiler_text": ""}
                if match[2]
                else self.status(row)
            )
            return self.answer(handler, 200, payload)
        return self.answer(handler, 404, {"error": "Record not found"})

    def authorize(self, handler, query):
        _secret, redirect = self.clients.get(query["client_id"], ("", ""))
        if query["redirect_uri"] != redirect or query["code_challenge_method"] != "S256":
            return self.answer(handler, 400, b"The redirect uri included is not valid.")
        back = {"state": query["state"]}
        if self.yes_of is None:
            back |= {"error": "access_denied", "error_description": "The resource owner denied."}
        else:
            back["code"] = uuid.uuid4().hex
            self.codes[back["code"]] = (query["client_id"], query["code_challenge"], self.yes_of)
        target = f"{redirect}?{urllib.parse.urlencode(back)}"
        return self.answer(handler, 302, {}, [("Location", target)])

    def trade(self, handler, path, form):
        secret, redirect = self.clients.get(form["client_id"], ("", ""))
        if not secret or form["client_secret"] != secret:
            return self.answer(handler, 401, {"error": "invalid_client"})
        if path == "/oauth/revoke":
            self.note("revoked", account=self.tokens.pop(form["token"], None))
            return self.answer(handler, 200, {})
        if form["grant_type"] == "client_credentials":
            return self.answer(handler, 200, {"access_token": "app", "token_type": "Bearer", "scope": "read", "created_at": 1})  # fmt: skip
        client, challenge, account = self.codes.pop(form["code"], ("", "", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        if client != form["client_id"] or form["redirect_uri"] != redirect or not proven:
            return self.answer(handler, 400, {"error": "invalid_grant"})
        return self.answer(handler, 200, {
            "access_token": self.token(account), "token_type": "Bearer", "created_at": 1,
            "scope": "profile read:statuses write:statuses write:media",
        })  # fmt: skip

    def post(self, handler, at, body, account):
        key = handler.headers.get("Idempotency-Key")
        self.note("arrived", key=key, at=at, account=account)
        sent = json.loads(body)
        self.requests.append(sent)
        time.sleep(self.latency)
        if self.misbehave(handler, lambda: self.create(account, key, sent)):
            return None
        if counting.mastodon(sent["status"]) > 500:
            return self.answer(
                handler, 422, {"error": "Validation failed: Text character limit of 500 exceeded"}
            )
        row = self.create(account, key, sent)
        headers = [
            ("X-RateLimit-Limit", "300"),
            ("X-RateLimit-Remaining", "299"),
            ("X-RateLimit-Reset", "2099-01-01T00:00:00.000Z"),
        ]
        return self.answer(handler, 200, self.status(row), headers)


Pretended = Mastodon
