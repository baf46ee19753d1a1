"""A pretended Instagram API with Instagram Login: containers, quota, metrics by type."""

import re

from .meta import TwoSteps

FEED_METRICS = {"reach", "views", "likes", "comments", "saved", "shares", "total_interactions"}


class Instagram(TwoSteps):
    network = "instagram"
    text_field = "caption"
    state_field = "status_code"
    why_field = "status"
    scopes = [
        "instagram_business_basic", "instagram_business_content_publish",
        "instagram_business_manage_insights",
    ]  # fmt: skip

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.quota_total = 100
        self.account_type = "MEDIA_CREATOR"
        self.old_shape = False
        self.can_delete = True
        self.metrics = FEED_METRICS

    def let_in(self, handler, path, fields):
        if path == "/oauth/access_token":
            if fields.get("code") != "good" or fields.get("client_secret") != "app-secret":
                error = {"error_type": "OAuthException", "code": 400,
                         "error_message": "Matching code was not found or was already used"}  # fmt: skip
                self.answer(handler, 400, error)
                return True
            found = {"access_token": "short", "user_id": 26_000_000_000_000_000,
                     "permissions": self.granted if self.old_shape else ",".join(self.granted)}  # fmt: skip
            self.ok(handler, {"data": [found]} if self.old_shape else found)
            return True
        return self.exchange(handler, path, fields, "ig", "short")

    def route(self, handler, at, path, fields, account):
        match handler.command, path:
            case "POST", _ if path == f"/{account}/media":
                if len(fields.get("caption", "")) > 2200:
                    return self.refuse(handler, 100, "The caption was too long", 2207010)
                if "image_url" not in fields and fields.get("media_type") != "CAROUSEL":
                    return self.refuse(handler, 100, "The parameter image_url is required")
                return self.contain(handler, fields, account)
            case "POST", _ if path == f"/{account}/media_publish":
                return self.publish(handler, at, fields, account)
            case "GET", _ if path == f"/{account}/media":
                rows = [row for row in self.posts.values() if row["account"] == account]
                return self.page(handler, rows, fields)
            case "GET", _ if path == f"/{account}/content_publishing_limit":
                config = {"quota_total": self.quota_total, "quota_duration": 86400}
                return self.ok(
                    handler, {"data": [{"config": config, "quota_usage": self.quota_usage}]}
                )
            case "GET", "/me":
                return self.ok(
                    handler,
                    {"id": "9", "user_id": "17841400000000077", "username": "jona", "name": "Jona Harms",
                     "account_type": self.account_type},
                )  # fmt: skip
        if found := re.fullmatch(r"/(\d+)(/\w+)?", path):
            return self.thing(handler, found[1], found[2] or "", fields)
        return self.missing(handler)

    def not_ready(self, handler, container):
        if container and container["state"] == "IN_PROGRESS":
            return self.refuse(handler, 9007, "Media ID is not available", 2207027)
        return self.refuse(handler, 24, "The media has expired", 2207008)

    def thing(self, handler, name, edge, fields):
        if name in self.containers and not edge:
            return self.container_state(handler, name, fields)
        row = self.posts.get(name)
        if row is None:
            return self.missing(handler)
        if handler.command == "DELETE":
            if not self.can_delete:
                return self.refuse(handler, 3, "Application does not have the capability")
            del self.posts[name]
            return self.ok(handler, {"success": True})
        likes, reposts, replies = self.figures.get(name, (0, 0, 0))
        if edge == "/insights":
            wanted = fields["metric"].split(",")
            if set(wanted) - self.metrics:
                return self.refuse(
                    handler, 100, "The Media Insights API does not support this metric"
                )
            values = {"views": 90, "likes": likes, "comments": replies, "shares": reposts}
            data = [
                {"name": metric, "period": "lifetime", "values": [{"value": values[metric]}]}
                for metric in wanted
            ]
            return self.ok(handler, {"data": data})
        return self.show(handler, {**row, "like_count": likes, "comments_count": replies}, fields)


Pretended = Instagram
