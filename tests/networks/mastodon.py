"""A pretended Mastodon 4.5: idempotency for an hour, 500 characters, media with processing,
threads, edits, figures, client registrations, rate headers, faults.

``exchanges`` holds every question and answer, for the check against the published schema.
"""

import base64
import datetime as dt
import hashlib
import html
import json
import re
import time
import urllib.parse
import uuid
from collections import deque

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
        self.exchanges = deque(maxlen=1000)
        self.clients = {}  # client_id -> (secret, its redirect URI); a server that purges forgets them
        self.instance = {}  # replaces parts of the configuration
        self.processing = []  # statuses that GET /media/:id answers one after the other
        self.left = 299
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
        above = self.statuses.get(row["parent"]) if row["parent"] else None
        return {
            "id": row["id"], "uri": f"{self.base_url}/users/x/statuses/{row['id']}",
            "url": f"{self.base_url}/@x/{row['id']}", "created_at": row["at"],
            "content": f"<p>{paragraphs}</p>", "visibility": row["visibility"],
            "language": row["language"], "account": self.account(row["account"]),
            "favourites_count": likes, "reblogs_count": reposts, "replies_count": replies,
            "quotes_count": 0, "media_attachments": [self.attachment(i) for i in row["media"]], "emojis": [], "mentions": [], "tags": [],
            "sensitive": row["sensitive"], "spoiler_text": row["warning"], "card": None, "poll": None, "reblog": None, "edited_at": row["edited"],
            "in_reply_to_id": row["parent"], "in_reply_to_account_id": above["account"] if above else None,
            "application": {"name": "Botschaft", "website": None},
        }  # fmt: skip

    def attachment(self, media_id):
        return {
            "id": media_id, "type": "image", "url": f"{self.base_url}/media/{media_id}.jpg", "preview_url": f"{self.base_url}/media/{media_id}s.jpg",
            "remote_url": None, "meta": {}, "description": self.media[media_id], "blurhash": None,
        }  # fmt: skip

    def create(self, account, key, body):
        with self.lock:
            if key and (account, key) in self.keys:
                return self.statuses[self.keys[account, key]]
            self.next_id += 1
            row = {
                "id": str(self.next_id), "account": account, "text": body["status"],
                "visibility": body.get("visibility", "public"), "language": body.get("language"),
                "at": dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z"), "edited": None,
                "parent": body.get("in_reply_to_id"), "media": body.get("media_ids", []),
                "sensitive": body.get("sensitive", False), "warning": body.get("spoiler_text", ""),
            }  # fmt: skip
            self.statuses[row["id"]] = row
            if key:
                self.keys[account, key] = row["id"]
        self.note("created", key=key, id=row["id"], at=time.monotonic(), account=account)
        return row

    def answer(self, handler, status, payload, headers=()):
        if asked := getattr(handler, "asked", None):
            self.exchanges.append((*asked, status, payload))
        super().answer(handler, status, payload, headers)

    def about_me(self):
        """The instance as v2 describes it; ``instance`` replaces parts of the configuration."""
        statuses = {
            "max_characters": 500,
            "max_media_attachments": 4,
            "characters_reserved_per_url": 23,
        }
        media = {
            "supported_mime_types": ["image/jpeg", "image/png"], "image_size_limit": 16_777_216, "image_matrix_limit": 33_177_600,
            "video_size_limit": 103_809_024, "video_frame_rate_limit": 120, "video_matrix_limit": 8_294_400, "description_limit": 1500,
        }  # fmt: skip
        polls = {
            "max_options": 4,
            "max_characters_per_option": 50,
            "min_expiration": 300,
            "max_expiration": 2_629_746,
        }
        return {
            "domain": "norden.example", "title": "Norden", "version": "4.5.0", "source_url": "https://github.com/mastodon/mastodon",
            "description": "", "usage": {"users": {"active_month": 1}}, "thumbnail": {"url": f"{self.base_url}/t.png"}, "icon": [],
            "languages": ["de"], "rules": [], "api_versions": {"mastodon": 7},
            "configuration": {
                "urls": {"streaming": f"wss://127.0.0.1:{self.port}"}, "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
                "statuses": {**statuses, **self.instance.get("statuses", {})},
                "media_attachments": {**media, **self.instance.get("media_attachments", {})},
                "polls": polls, "translation": {"enabled": False}, "limited_federation": False,
            },
            "registrations": {"enabled": False, "approval_required": False, "message": None, "url": None, "min_age": None, "reason_required": None},
            "contact": {"email": "x@norden.example", "account": self.account("1")},
        }  # fmt: skip

    def oauth(self, handler, path, form):
        """The token and revocation endpoints; both know their clients."""
        secret, redirect = self.clients.get(form.get("client_id"), ("", ""))
        if not secret or secret != form.get("client_secret"):
            text = "Client authentication failed due to unknown client"
            return self.answer(handler, 401, {"error": "invalid_client", "error_description": text})
        if path == "/oauth/revoke":
            self.note("revoked", account=self.tokens.pop(form["token"], None))
            return self.answer(handler, 200, {})
        if form["grant_type"] == "client_credentials":
            token, scope = "app-token", form["scope"]
        else:
            client, challenge, account = self.codes.pop(form["code"], ("", "", ""))
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
            if client != form["client_id"] or form["redirect_uri"] != redirect or not proven:
                return self.answer(handler, 400, {"error": "invalid_grant"})
            token, scope = self.token(account), "profile read:statuses write:statuses write:media"
        return self.answer(
            handler, 200, {"access_token": token, "token_type": "Bearer", "scope": scope, "created_at": 1},
        )  # fmt: skip

    def register(self, handler, form):
        number = len(self.clients) + 1
        self.clients[f"cid-{number}"] = (f"sec-{number}", form["redirect_uris"])
        return self.answer(handler, 200, {
            "id": str(number), "name": form["client_name"], "website": form["website"], "scopes": form["scopes"].split(),
            "redirect_uri": form["redirect_uris"], "redirect_uris": [form["redirect_uris"]],
            "client_id": f"cid-{number}", "client_secret": f"sec-{number}", "client_secret_expires_at": 0, "vapid_key": "BCk-QqERU0q-",
        })  # fmt: skip

    def context(self, status_id):
        """What is under a status, flat and in the order of its making."""
        below, known = [], {status_id}
        for row in self.statuses.values():
            if row["parent"] in known:
                known.add(row["id"])
                below.append(self.status(row))
        return {"ancestors": [], "descendants": below}

    def write(self, account, text, parent=None):
        """Somebody's status, straight into the rows; returns its id."""
        return self.create(account, None, {"status": text, "in_reply_to_id": parent})["id"]

    def serve(self, handler, at, body):
        parts = urllib.parse.urlsplit(handler.path)
        path, query = parts.path, urllib.parse.parse_qs(parts.query)
        method = handler.command
        handler.asked = (method, path, query, handler.headers.get("Content-Type", ""), body)
        if path in {"/api/v2/instance", "/api/v1/instance"}:
            return self.answer(handler, 200, self.about_me())
        if path in {"/api/v1/apps", "/oauth/token", "/oauth/revoke"}:
            form = dict(urllib.parse.parse_qsl(body.decode()))
            if path == "/api/v1/apps":
                return self.register(handler, form)
            return self.oauth(handler, path, form)
        if path == "/oauth/authorize":
            return self.authorize(handler, {name: values[0] for name, values in query.items()})
        account = self.tokens.get(handler.headers.get("Authorization", "").removeprefix("Bearer "))
        if account is None:
            return self.answer(handler, 401, {"error": "The access token is invalid"})
        if path == "/api/v1/accounts/verify_credentials":
            source = {
                "note": "", "fields": [], "privacy": "public", "sensitive": False, "language": "de", "follow_requests_count": 0,
                "hide_collections": None, "discoverable": None, "indexable": False, "attribution_domains": [], "quote_policy": "public",
            }  # fmt: skip
            role = {"id": "-99", "name": "", "permissions": "0", "color": "", "highlighted": False}
            return self.answer(
                handler, 200, {**self.account(account), "source": source, "role": role}
            )
        if path == "/api/v1/statuses" and method == "POST":
            return self.post(handler, at, body, account)
        if path == "/api/v1/statuses":
            rows = [self.statuses[i] for i in query.get("id[]", []) if i in self.statuses]
            return self.answer(handler, 200, [self.status(row) for row in rows])
        if path == "/api/v2/media":
            media_id = str(len(self.media) + 1)
            alt = re.search(rb'name="description"\r\n\r\n(.*?)\r\n--', body, re.DOTALL)
            self.media[media_id] = alt[1].decode()
            if self.processing:
                return self.answer(handler, 202, {**self.attachment(media_id), "url": None})
            return self.answer(handler, 200, self.attachment(media_id))
        if match := re.fullmatch(r"/api/v1/media/(\d+)", path):
            status = self.processing.pop(0) if self.processing else 200
            if status == 422:
                return self.answer(handler, 422, {"error": "Error processing thumbnail"})
            return self.answer(handler, status, self.attachment(match[1]))
        if re.fullmatch(r"/api/v1/accounts/\w+/statuses", path):
            below = int(query.get("max_id", [str(2**62)])[0])
            rows = [
                row for row in reversed(list(self.statuses.values()))
                if row["account"] == account and int(row["id"]) < below
            ][: min(int(query.get("limit", ["20"])[0]), 40)]  # fmt: skip
            return self.answer(handler, 200, [self.status(row) for row in rows])
        if match := re.fullmatch(r"/api/v1/statuses/(\d+)(/source|/context)?", path):
            row = self.statuses.get(match[1])
            if row is None:
                return self.answer(handler, 404, {"error": "Record not found"})
            if match[2] == "/source":
                source = {"id": row["id"], "text": row["text"], "spoiler_text": row["warning"]}
                return self.answer(handler, 200, source)
            if match[2] == "/context":
                return self.answer(handler, 200, self.context(row["id"]))
            if method == "PUT":
                return self.change(handler, row, json.loads(body))
            if method == "DELETE":
                del self.statuses[match[1]]
            return self.answer(handler, 200, self.status(row))
        return self.answer(handler, 404, {"error": "Record not found"})

    def change(self, handler, row, sent):
        """Edit as Mastodon does: whatever is not sent again is gone."""
        if counting.mastodon(sent["status"]) > 500:
            error = "Validation failed: Text character limit of 500 exceeded"
            return self.answer(handler, 422, {"error": error})
        row |= {
            "text": sent["status"], "media": sent.get("media_ids", []), "warning": sent.get("spoiler_text", ""),
            "sensitive": sent.get("sensitive", False), "language": sent.get("language"), "edited": row["at"],
        }  # fmt: skip
        return self.answer(handler, 200, self.status(row))

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
        if sent.get("media_ids") and self.processing:
            text = "Cannot attach files that have not finished processing. Try again in a moment!"
            return self.answer(handler, 422, {"error": text})
        if sent.get("in_reply_to_id") and sent["in_reply_to_id"] not in self.statuses:
            return self.answer(handler, 404, {"error": "Record not found"})
        row = self.create(account, key, sent)
        headers = [
            ("X-RateLimit-Limit", "300"),
            ("X-RateLimit-Remaining", str(self.left)),
            ("X-RateLimit-Reset", "2099-01-01T00:00:00.000Z"),
        ]
        return self.answer(handler, 200, self.status(row), headers)


Pretended = Mastodon
