"""A pretended Graph API for Pages: page tokens, unpublished photos, duplicates, proof, insights."""

import hashlib
import hmac
import json
import re
import time

from .meta import Meta


class Facebook(Meta):
    network = "facebook"
    scopes = ["pages_show_list", "pages_manage_posts", "pages_read_engagement", "read_insights"]

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.posts = {}
        self.photos = {}
        self.refused_metrics = set()
        self.data_access_ends = 1_800_000_000
        self.pages = [
            {"id": "501", "name": "Nordwind Energie", "tasks": ["CREATE_CONTENT", "ANALYZE"]},
            {"id": "502", "name": "Nordwind Jobs", "tasks": ["CREATE_CONTENT", "MANAGE"]},
            {"id": "503", "name": "Foreign Page", "tasks": ["ANALYZE"]},
        ]
        self.person_tokens = {"long": "9"}

    def account_of(self, token):
        if token == "cid|app-secret":
            return "app"
        return self.person_tokens.get(token) or super().account_of(token)

    def proved(self, handler, fields):
        """The app demands appsecret_proof with every call."""
        token = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        wanted = hmac.new(b"app-secret", token.encode(), hashlib.sha256).hexdigest()
        return fields.pop("appsecret_proof", "") == wanted

    def let_in(self, handler, path, fields):
        if path != "/oauth/access_token":
            return False
        ours = (fields.get("client_id"), fields.get("client_secret")) == ("cid", "app-secret")
        if ours and fields.get("code") == "good":
            self.ok(handler, {"access_token": "short", "token_type": "bearer", "expires_in": 5000})
        elif ours and fields.get("fb_exchange_token") == "short":
            self.ok(
                handler, {"access_token": "long", "token_type": "bearer", "expires_in": 5183944}
            )
        else:
            self.refuse(handler, 100, "This authorization code has been used.", 36009)
        return True

    def route(self, handler, at, path, fields, account):
        if path == "/debug_token":
            found = {
                "app_id": "cid", "type": "USER", "is_valid": True, "scopes": self.granted,
                "data_access_expires_at": self.data_access_ends, "expires_at": 0,
            }  # fmt: skip
            return self.ok(handler, {"data": found})
        if not self.proved(handler, fields):
            return self.refuse(handler, 100, "API calls from the server require an appsecret_proof")
        match handler.command, path:
            case "GET", "/me/accounts":
                rows = [
                    {**page, "access_token": f"token-{page['id']}", "link": f"https://www.facebook.com/{page['id']}"}
                    for page in reversed(self.pages)
                ]  # fmt: skip
                return self.page(handler, rows, fields)
            case "DELETE", "/me/permissions":
                self.revoked.append(account)
                return self.ok(handler, {"success": True})
            case "POST", _ if path == f"/{account}/photos":
                photo = self.make_id()
                self.photos[photo] = fields
                return self.ok(handler, {"id": photo})
            case "POST", _ if path == f"/{account}/feed":
                return self.publish(handler, at, fields, account)
            case "GET", _ if path == f"/{account}/feed":
                rows = [row for row in self.posts.values() if row["account"] == account]
                return self.page(handler, rows, fields)
            case "GET", "/":
                return self.several(handler, fields)
        if found := re.fullmatch(r"/(\d+_\d+)(/\w+)?", path):
            return self.thing(handler, found[1], found[2] or "", fields)
        return self.missing(handler)

    def create(self, fields, account):
        remote_id = f"{account}_{self.make_id()}"
        self.posts[remote_id] = {
            "id": remote_id, "message": fields.get("message", ""), "created_time": self.now(),
            "permalink_url": f"https://www.facebook.com/{account}/posts/{remote_id}", "account": account,
        }  # fmt: skip
        text = fields.get("message", "")
        self.note(
            "created", key=text, text=text, id=remote_id, at=time.monotonic(), account=account
        )
        return remote_id

    def publish(self, handler, at, fields, account):
        text = fields.get("message", "")
        self.note("arrived", key=text, text=text, at=at, account=account)
        time.sleep(self.latency)
        if self.misbehave(handler, lambda: self.create(fields, account)):
            return None
        latest = [row for row in self.posts.values() if row["account"] == account][-1:]
        if latest and latest[0]["message"] == text and "attached_media" not in fields:
            return self.refuse(handler, 506, "Duplicate status message")
        for photo in json.loads(fields.get("attached_media", "[]")):
            if photo["media_fbid"] not in self.photos:
                return self.refuse(handler, 100, "Invalid photo", 33)
        return self.ok(handler, {"id": self.create(fields, account)})

    def counted(self, remote_id):
        likes, reposts, replies = self.figures.get(remote_id, (0, 0, 0))
        shares = {"shares": {"count": reposts}} if reposts else {}
        return {
            "id": remote_id, **shares,
            "comments": {"data": [], "summary": {"order": "ranked", "total_count": replies, "can_comment": True}},
            "reactions": {"data": [], "summary": {"total_count": likes}},
        }  # fmt: skip

    def several(self, handler, fields):
        ids = fields["ids"].split(",")
        if gone := [i for i in ids if i not in self.posts]:
            text = f"(#803) Some of the aliases you requested do not exist: {','.join(gone)}"
            return self.refuse(handler, 803, text, status=404)
        return self.ok(handler, {i: self.counted(i) for i in ids})

    def thing(self, handler, name, edge, fields):
        row = self.posts.get(name)
        if row is None:
            return self.missing(handler)
        if handler.command == "DELETE":
            del self.posts[name]
            return self.ok(handler, {"success": True})
        if handler.command == "POST":
            row["message"] = fields["message"]
            return self.ok(handler, {"success": True})
        if edge == "/insights":
            if name in self.refused_metrics:
                return self.refuse(handler, 100, "The value must be a valid insights metric")
            data = [{"name": fields["metric"], "period": "lifetime", "values": [{"value": 90}],
                     "title": "x", "description": "x", "id": f"{name}/insights/x/lifetime"}]  # fmt: skip
            return self.ok(handler, {"data": data})
        return self.ok(handler, self.counted(name))


Pretended = Facebook
