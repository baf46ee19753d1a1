"""A pretended Threads API: containers, replies, quota, insights, tokens of sixty days."""

import re

from integrations.networks import counting

from .meta import TwoSteps


class Threads(TwoSteps):
    network = "threads"
    text_field = "text"
    state_field = "status"
    why_field = "error_message"
    scopes = [
        "threads_basic", "threads_content_publish", "threads_manage_insights",
        "threads_read_replies", "threads_delete",
    ]  # fmt: skip

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.conversation = {}

    def let_in(self, handler, path, fields):
        if path == "/oauth/access_token":
            if fields.get("code") != "good" or fields.get("client_secret") != "app-secret":
                # this endpoint has an envelope of its own
                error = {"error_type": "OAuthException", "code": 400,
                         "error_message": "Matching code was not found or was already used"}  # fmt: skip
                self.answer(handler, 400, error)
            else:
                self.ok(handler, {"access_token": "short", "user_id": 17841405793187218})
            return True
        return self.exchange(handler, path, fields, "th", "short")

    def route(self, handler, at, path, fields, account):
        match handler.command, path:
            case "POST", "/me/threads":
                return self.make(handler, fields, account)
            case "POST", "/me/threads_publish":
                return self.publish(handler, at, fields, account)
            case "GET", "/me/threads" | "/me/replies":
                replies = path.endswith("replies")
                rows = [
                    row for row in self.posts.values()
                    if row["account"] == account and bool(row["reply_to"]) == replies
                ]  # fmt: skip
                return self.page(handler, rows, fields)
            case "GET", "/me":
                return self.ok(
                    handler,
                    {"id": "17841405793187218", "username": "jona", "name": "Jona Harms"},
                )
            case "GET", "/debug_token":
                found = {"type": "USER", "is_valid": True, "scopes": self.granted}
                return self.ok(handler, {"data": found})
            case "GET", "/me/threads_publishing_limit":
                config = {"quota_total": self.quota_total, "quota_duration": 86400}
                row = {"quota_usage": self.quota_usage, "config": config,
                       "reply_quota_usage": 0, "reply_config": {**config, "quota_total": 1000}}  # fmt: skip
                wanted = fields["fields"].split(",")
                return self.ok(handler, {"data": [{k: row[k] for k in wanted}]})
        if found := re.fullmatch(r"/(\d+)(/\w+)?", path):
            return self.thing(handler, found[1], found[2] or "", fields)
        return self.missing(handler)

    def make(self, handler, fields, account):
        if counting.emoji_bytes(fields.get("text", "")) > 500:
            return self.refuse(handler, 100, "Param text must be at most 500 characters long.")
        return self.contain(handler, fields, account)

    def thing(self, handler, name, edge, fields):
        if name in self.containers and not edge:
            return self.container_state(handler, name, fields)
        row = self.posts.get(name)
        if row is None:
            return self.missing(handler)
        if handler.command == "DELETE":
            del self.posts[name]
            return self.ok(handler, {"success": True, "deleted_id": name})
        if edge == "/insights":
            likes, reposts, replies = self.figures.get(name, (0, 0, 0))
            values = {
                "views": 90,
                "likes": likes,
                "replies": replies,
                "reposts": reposts,
                "quotes": 0,
            }
            data = [
                {"name": metric, "period": "lifetime", "values": [{"value": values[metric]}],
                 "title": metric.title(), "description": "x", "id": f"{name}/insights/{metric}/lifetime"}
                for metric in fields["metric"].split(",")
            ]  # fmt: skip
            return self.ok(handler, {"data": data})
        if edge == "/conversation":
            return self.ok(handler, {"data": self.conversation.get(name, [])})
        return self.show(handler, row, fields)


Pretended = Threads
