"""A pretended X: equal texts refused per account, t.co, media states, limits, credit, OAuth.

Rules as in ../shared/networks/x.md; field names of both published generations (``tweet.fields``
answers with ``retweet_count``, ``post.fields`` with ``repost_count``). ``posts_per_window`` and
``posts_per_day`` are X's real limits: raise them for a load test. ``credit`` is None, or
``"old"``/``"new"`` for one of the two bodies of 402. ``lag`` seconds hide new posts from the
timeline. ``media_states`` are given out one per look at an upload.
"""

import base64
import datetime as dt
import hashlib
import html
import json
import re
import time
import unicodedata
import urllib.parse
import uuid

from integrations.networks import counting
from integrations.networks.base import App
from integrations.networks.twitter_text import addresses

from .server import Loopback

SCOPES = "tweet.read tweet.write users.read media.write offline.access"
_TOP = {
    "card_uri", "community_id", "direct_message_deep_link", "edit_options", "for_super_followers_only",
    "geo", "made_with_ai", "media", "nullcast", "paid_partnership", "poll", "quote_tweet_id", "reply",
    "reply_settings", "share_with_followers", "text",
}  # fmt: skip
_INNER = {
    "media": {"media_ids", "tagged_user_ids"},
    "reply": {"in_reply_to_tweet_id", "exclude_reply_user_ids", "auto_populate_reply_metadata"},
}


class X(Loopback):
    network = "x"
    features = {"scopes": SCOPES.split(), "can_look": True, "can_attach": True}

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.posts = {}
        self.figures = {}
        self.tokens = {}
        self.refreshers = {}
        self.codes = {}
        self.revoked = set()
        self.media = {}
        self.media_states = []
        self.requests = []
        self.answers = []
        self.used = {}
        self.posts_per_window = 100
        self.posts_per_day = 10_000
        self.credit = None
        self.lag = 0.0
        self.next_id = 1_900_000_000_000_000_000
        self.app = App(
            "cid", "sec", {"host.api": self.base_url, "host.www": self.base_url}
        )  # fmt: skip

    def remote_id(self, number):
        """X's ids are numbers; other names become one."""
        digits = str(number)
        return digits if digits.isdigit() else str(int.from_bytes(digits.encode()[-7:]))

    def environment(self):
        return {
            **super().environment(),
            "X_CLIENT_ID": "cid",
            "X_CLIENT_SECRET": "sec",
            "X_OPTIONS": f"host.api={self.base_url},host.www={self.base_url}",
        }

    def secrets(self, number):
        return self.pair(self.remote_id(number), uuid.uuid4().hex)

    def pair(self, account, family, scope=SCOPES, seconds=7200):
        access, refresh = f"x-access-{uuid.uuid4().hex}", f"x-refresh-{uuid.uuid4().hex}"
        with self.lock:
            self.tokens[access] = (account, family, time.time() + seconds, scope)
            self.refreshers[refresh] = [account, family, scope, False]
        return {"access_token": access, "refresh_token": refresh}

    def problem(self, status, text, kind="about:blank"):
        return {"title": "Error", "detail": text, "type": kind, "status": status}

    def answer(self, handler, status, payload, headers=()):
        path = urllib.parse.urlsplit(handler.path).path
        self.answers.append((handler.command, path, status, payload))
        super().answer(handler, status, payload, headers)

    def serve(self, handler, at, body):
        parts = urllib.parse.urlsplit(handler.path)
        path, query = parts.path, dict(urllib.parse.parse_qsl(parts.query))
        if path == "/i/oauth2/authorize":
            return self.authorize(handler, query)
        if path.startswith("/2/oauth2/"):
            return self.oauth(handler, path, dict(urllib.parse.parse_qsl(body.decode())))
        known = self.tokens.get(handler.headers.get("Authorization", "").removeprefix("Bearer "))
        if known is None or known[1] in self.revoked or known[2] < time.time():
            return self.answer(handler, 401, self.problem(401, "Unauthorized"))
        account = known[0]
        if path == "/2/tweets" and handler.command == "POST":
            return self.post(handler, at, body, account)
        if path == "/2/tweets":
            return self.read(handler, query)
        if path == "/2/users/me":
            row = {"id": account, "name": f"User {account}", "username": f"user{account}"[:15]}
            return self.answer(handler, 200, {"data": row})
        if match := re.fullmatch(r"/2/users/(\d+)/tweets", path):
            return self.timeline(handler, match[1], query)
        if match := re.fullmatch(r"/2/tweets/(\d{1,19})", path):
            row = self.posts.get(match[1])
            if row and row["account"] != account:
                return self.answer(handler, 403, self.problem(403, "not yours"))
            self.posts.pop(match[1], None)
            return self.answer(handler, 200, {"data": {"deleted": True}})
        if path == "/2/media/upload":
            return self.upload(handler, body, account, query)
        if path == "/2/media/metadata":
            sent = json.loads(body)
            self.media[sent["id"]]["alt"] = sent["metadata"]["alt_text"]["text"]
            self.requests.append(("/2/media/metadata", sent))
            return self.answer(handler, 200, {"data": {"id": sent["id"]}})
        return self.answer(handler, 404, self.problem(404, "Not Found"))

    # posts

    def post(self, handler, at, body, account):
        sent = json.loads(body)
        text = sent.get("text", "")
        self.note("arrived", key=text, text=text, at=at, account=account)
        self.requests.append(("/2/tweets", sent))
        time.sleep(self.latency)
        if self.misbehave(handler, lambda: self.create(account, sent)):
            return None
        limits, spent = self.spend(account)
        if spent:
            why = "rate-limit-exceeded"
            problem = self.problem(429, "Too Many Requests", f"https://api.x.com/2/problems/{why}")
            return self.answer(handler, 429, problem, limits)
        if self.credit:
            return self.answer(handler, 402, CREDIT[self.credit], limits)
        if wrong := self.wrong(sent, account):
            kind = "https://api.x.com/2/problems/invalid-request"
            return self.answer(handler, 400, self.problem(400, wrong, kind), limits)
        made = self.create(account, sent)
        if made is None:
            detail = "You are not allowed to create a Tweet with duplicate content."
            return self.answer(
                handler, 403,
                {"detail": detail, "type": "about:blank", "title": "Forbidden", "status": 403},
                limits,
            )  # fmt: skip
        shown = self.shown(made)
        return self.answer(
            handler, 201, {"data": {"id": made["id"], "text": shown["text"]}}, limits
        )

    def wrong(self, sent, account):
        unknown = set(sent) - _TOP
        for name, fields in _INNER.items():
            unknown |= set(sent.get(name, {})) - fields
        if unknown:
            return f"unknown field {sorted(unknown)}"
        if counting.weighted(sent.get("text", "")) > 280:
            return "Your Tweet text is too long."
        ids = sent.get("media", {}).get("media_ids", [])
        if any(self.media.get(i, {}).get("account") != account for i in ids) or len(ids) > 4:
            return "Your media IDs are invalid."
        return ""

    def create(self, account, sent):
        """Make the post; None when the account has this text already."""
        text = unicodedata.normalize("NFC", sent.get("text", ""))
        with self.lock:
            if any(r["account"] == account and r["text"] == text for r in self.posts.values()):
                return None
            self.next_id += 1
            row = {
                "id": str(self.next_id), "account": account, "text": text, "at": time.time(),
                "media": sent.get("media", {}).get("media_ids", []),
                "reply_to": sent.get("reply", {}).get("in_reply_to_tweet_id"),
            }  # fmt: skip
            self.posts[row["id"]] = row
        self.note(
            "created", key=text, text=text, id=row["id"], at=time.monotonic(), account=account
        )
        return row

    def spend(self, account):
        """Count one post against the window and the day; headers as X sends them."""
        now = int(time.time())
        window, day = now // 900, now // 86_400
        with self.lock:
            mine = self.used[account, window] = self.used.get((account, window), 0) + 1
            ours = self.used["app", day] = self.used.get(("app", day), 0) + 1
        headers = [
            ("x-rate-limit-limit", str(self.posts_per_window)),
            ("x-rate-limit-remaining", str(max(self.posts_per_window - mine, 0))),
            ("x-rate-limit-reset", str((window + 1) * 900)),
            ("x-app-limit-24hour-limit", str(self.posts_per_day)),
            ("x-app-limit-24hour-remaining", str(max(self.posts_per_day - ours, 0))),
            ("x-app-limit-24hour-reset", str((day + 1) * 86_400)),
        ]
        return headers, mine > self.posts_per_window or ours > self.posts_per_day

    def shown(self, row, fields=(), new=False):
        """A post as X shows it: t.co for addresses and pictures, HTML entities, both generations."""
        text, urls = row["text"], []
        for number, (start, end) in enumerate(reversed(list(addresses(text)))):
            full = text[start:end]
            seed = f"{row['id']}{number}".encode()
            short = f"https://t.co/{hashlib.sha256(seed).hexdigest()[:10]}"
            text = text[:start] + short + text[end:]
            urls.append({"url": short, "expanded_url": full if "://" in full else f"http://{full}"})
        for number, media in enumerate(row["media"]):
            short = f"https://t.co/p{row['id'][-8:]}"
            text += f" {short}" if number == 0 else ""
            urls.append(
                {"url": short, "expanded_url": f"https://x.com/a/status/{row['id']}/photo/1", "media_key": f"3_{media}"}
            )  # fmt: skip
        text = html.escape(text, quote=False)
        for url in urls:
            start = text.index(url["url"])
            url |= {"start": start, "end": start + len(url["url"]), "display_url": "…"}
        found = {"id": row["id"], "text": text}
        found["edit_history_post_ids" if new else "edit_history_tweet_ids"] = [row["id"]]
        if "created_at" in fields:
            made = dt.datetime.fromtimestamp(row["at"], dt.UTC)
            found["created_at"] = made.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        if "entities" in fields and urls:
            found["entities"] = {"urls": urls}
        if "attachments" in fields and row["media"]:
            found["attachments"] = {"media_keys": [f"3_{i}" for i in row["media"]]}
        if "public_metrics" in fields:
            likes, reposts, replies = self.figures.get(row["id"], (0, 0, 0))
            found["public_metrics"] = {
                "like_count": likes, "repost_count" if new else "retweet_count": reposts, "reply_count": replies,
                "quote_count": 0, "bookmark_count": 0, "impression_count": 10 * likes,
            }  # fmt: skip
        return found

    def read(self, handler, query):
        fields, new = fields_of(query)
        ids = query["ids"].split(",")
        if len(ids) > 100:
            kind = "https://api.x.com/2/problems/invalid-request"
            return self.answer(handler, 400, self.problem(400, "ids: at most 100", kind))
        self.note("read", count=len(ids))
        found = {"data": [self.shown(self.posts[i], fields, new) for i in ids if i in self.posts]}
        missing = [i for i in ids if i not in self.posts]
        if missing:
            found["errors"] = [
                {
                    "title": "Not Found Error", "type": "https://api.x.com/2/problems/resource-not-found",
                    "detail": f"Could not find tweet with ids: [{i}].", "parameter": "ids",
                    "value": i, "resource_id": i, "resource_type": "tweet",
                } for i in missing
            ]  # fmt: skip
        if not found["data"]:
            del found["data"]
        return self.answer(handler, 200, found)

    def timeline(self, handler, account, query):
        self.note("looked")
        fields, new = fields_of(query)
        since = dt.datetime.fromisoformat(query["start_time"]).timestamp()
        below = int(query.get("pagination_token", "9" * 19))
        rows = [
            row for row in reversed(list(self.posts.values()))
            if row["account"] == account and since <= row["at"] <= time.time() - self.lag
            and int(row["id"]) < below
        ]  # fmt: skip
        size = int(query["max_results"])
        page = rows[:size]
        found = {"meta": {"result_count": len(page)}}
        if page:
            found["data"] = [self.shown(row, fields, new) for row in page]
            found["meta"] |= {"newest_id": page[0]["id"], "oldest_id": page[-1]["id"]}
        if len(rows) > size:
            found["meta"]["next_token"] = page[-1]["id"]
        return self.answer(handler, 200, found)

    def upload(self, handler, body, account, query):
        if handler.command == "POST":
            sent = json.loads(body)
            self.requests.append(("/2/media/upload", sent))
            media_id = str(1_880_000_000_000_000_000 + len(self.media))
            content = base64.b64decode(sent["media"])
            self.media[media_id] = {"account": account, "content": content, "alt": ""}
        else:
            media_id = query["media_id"]
        found = {
            "id": media_id, "media_key": f"3_{media_id}", "expires_after_secs": 86_400,
            "size": len(self.media[media_id]["content"]),
        }  # fmt: skip
        if self.media_states:
            found["processing_info"] = {"state": self.media_states.pop(0), "check_after_secs": 1}
        return self.answer(handler, 200, {"data": found})

    # OAuth

    def authorize(self, handler, query):
        wanted = {"response_type": "code", "client_id": "cid", "code_challenge_method": "S256"}
        if any(query.get(name) != value for name, value in wanted.items()):
            return self.answer(handler, 400, {"error": "invalid_request"})
        code = uuid.uuid4().hex
        self.codes[code] = (
            query["redirect_uri"], query["code_challenge"], query["scope"], time.time()
        )  # fmt: skip
        back = urllib.parse.urlencode({"state": query["state"], "code": code})
        return self.answer(handler, 302, {}, [("Location", f"{query['redirect_uri']}?{back}")])

    def oauth(self, handler, path, form):
        expected = "Basic " + base64.b64encode(b"cid:sec").decode()
        if handler.headers.get("Authorization") != expected:
            return self.answer(handler, 401, {"error": "unauthorized_client", "error_description": "Missing valid authorization header"})  # fmt: skip
        if path == "/2/oauth2/revoke":
            known = self.tokens.get(form["token"]) or self.refreshers.get(form["token"])
            if known:
                self.revoked.add(known[1])
            return self.answer(handler, 200, {"revoked": True})
        bad = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}  # fmt: skip
        if form["grant_type"] == "refresh_token":
            return self.rotate(handler, form, bad)
        redirect, challenge, scope, at = self.codes.pop(form["code"], ("", "", "", 0))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        same = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        if redirect != form["redirect_uri"] or not same or time.time() - at > 30:
            bad["error_description"] = "Value passed for the authorization code was invalid."
            return self.answer(handler, 400, bad)
        return self.grant(handler, "77", uuid.uuid4().hex, scope)

    def rotate(self, handler, form, bad):
        with self.lock:
            known = self.refreshers.get(form["refresh_token"])
            replayed = known is not None and known[3]
            if known:
                known[3] = True
            if replayed:
                self.revoked.add(known[1])
        if known is None or replayed or known[1] in self.revoked:
            self.note("replayed" if replayed else "refused", at=time.monotonic())
            return self.answer(handler, 400, bad)
        return self.grant(handler, known[0], known[1], known[2])

    def grant(self, handler, account, family, scope):
        secrets = self.pair(account, family, scope)
        return self.answer(
            handler, 200, {"token_type": "bearer", "expires_in": 7200, "scope": scope, **secrets}
        )


CREDIT = {
    "old": {
        "title": "CreditsDepleted",
        "detail": "Your enrolled account [1] does not have any credits to fulfill this request.",
        "type": "https://api.twitter.com/2/problems/credits",
    },
    "new": {
        "detail": "credits depleted",
        "status": 402,
        "title": "Payment Required",
        "type": "https://api.x.com/2/problems/credits-depleted",
    },
}


def fields_of(query):
    new = "post.fields" in query
    return query.get("post.fields" if new else "tweet.fields", "").split(","), new


Pretended = X
